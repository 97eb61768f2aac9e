# SPDX-License-Identifier: MPL-2.0
"""The server never runs without a guard that is configured but cannot be used: its module file is
damaged, its section has `required = no`, or its value is an empty variable."""

import os
import shutil
import signal

import pytest

from module_server import module_server  # noqa: F401
from relay_server import module_folder, run

TOKENS = 'tokens = { "open sesame" }'


def damage(path, how):
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes({"cut": whole[:9000], "zeros": bytes(len(whole)),
                      "machine": whole[:18] + b"\xff\xff" + whole[20:]}[how])


@pytest.fixture
def modules(tmp_path):
    return shutil.copytree(module_folder(), tmp_path / "modules")


@pytest.fixture
def check(plain_program, modules, tmp_path):
    def check(text, env=None, action=("-check",)):
        conf = tmp_path / "checked.conf"
        conf.write_text(text)
        return run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-status-srv=",
                   "-listen", "127.0.0.1:0", "-module-dir", str(modules), *action,
                   env=dict(os.environ, **(env or {})))

    return check


@pytest.mark.parametrize("action", [("-check",), ()], ids=["check", "start"])
@pytest.mark.parametrize("how", ["cut", "zeros", "machine"])
def test_a_section_of_a_damaged_module_is_refused(check, modules, how, action):
    damage(modules / "access.so", how)
    result = check(f"modules = {{ log, relay }}\naccess {{ {TOKENS} }}\n", action=action)
    assert result.returncode == 1
    assert ("section access: the module access does not run and cannot be opened, so it is unknown "
            "whether the section protects the relay") in result.stderr


def test_an_empty_section_of_a_damaged_module_is_accepted(check, modules):
    damage(modules / "access.so", "cut")
    assert check("modules = { log, relay }\naccess { required = no }\n").returncode == 0


@pytest.mark.parametrize("action", [("-check",), ()], ids=["check", "start"])
def test_a_damaged_guard_is_required(check, modules, action):
    damage(modules / "access.so", "cut")
    result = check(f"modules = {{ log, relay, access }}\naccess {{ required = no {TOKENS} }}\n",
                   action=action)
    assert result.returncode == 1
    assert "it is not required, but its section may protect the relay" in result.stderr


def test_an_upgrade_without_a_damaged_guard_fails(module_server, modules):  # noqa: F811
    server = module_server(["log", "relay", "status", "access"], installed=[],
                           args=["-module-dir", str(modules)],
                           sections={"access": {"required": False, "tokens": ["open sesame"]}})
    damage(modules / "access.so", "cut")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("upgrade failed")
    assert "its section may protect the relay" in server.log()
    assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize("action", [("-check",), ()], ids=["check", "start"])
@pytest.mark.parametrize("bad", ["rubbish", "folder", "no folder", "link"])
def test_a_quota_is_required(check, tmp_path, bad, action):
    state = tmp_path / "state"
    if bad == "rubbish":
        state.write_bytes(b"rubbish")
    elif bad == "folder":
        state.mkdir()
    elif bad == "link":
        state.symlink_to(tmp_path / "volume" / "state")
    else:
        state = state / "below" / "state"
    result = check("modules = { log, relay, quota }\n"
                   f'quota {{ required = no day = 1GB state-file = "{state}" }}\n', action=action)
    assert result.returncode == 1
    assert str(state) in result.stderr
    assert bad != "link" or state.is_symlink()


def test_a_check_looks_for_a_state_that_is_required(check, tmp_path):
    result = check("modules = { log, relay, quota }\nquota { day = 1GB "
                   f'state-file = "{tmp_path}/state" }}\n')
    assert result.returncode == 1
    assert "does not exist, so it is unknown what was used" in result.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("line", ['relay {{ token = "{}" }}', 'private-srv = "{}"',
                                  'relay {{ token = "x{}" }}'])
def test_an_empty_variable_is_an_error(check, line):
    text = "modules = { log, relay }\n" + line.format("${EMPTY}") + "\n"
    result = check(text, env={"EMPTY": ""})
    assert result.returncode == 1
    assert ":2: column " in result.stderr and "${EMPTY} is empty" in result.stderr
    assert check(text, env={"EMPTY": "127.0.0.1:0"}).returncode == 0


@pytest.mark.parametrize("line, told", [
    (r'relay { token = "\x00a" }', "is a NUL byte"),
    (r'relay { token = "ab\0cdef" }', "is a NUL byte"),
    (r'access { connect-deny = { "127.0.0.2\x00/8" } }', "is a NUL byte"),
    (r'access { connect-deny = { "\000127.0.0.0/8", "10.0.0.1" } }', "is a NUL byte"),
    (r'private-srv = "\x0"', "is a NUL byte"),
    (r'relay { provided-by = "\xff" }', "it is not valid UTF-8"),
    ('relay { token = "${A:-${TOKEN}}" }', "cannot contain another variable")])
def test_a_guard_that_would_be_cut_off_is_an_error(check, line, told):
    """Each of these was taken before, as an empty or shorter value."""
    result = check("modules = { log, relay, access }\n" + line + "\n")
    assert result.returncode == 1
    assert ".conf:2: " in result.stderr and told in result.stderr, result.stderr


def test_a_flag_is_utf8(plain_program):
    result = run(plain_program, "-token", b"s3cret\xff")
    assert result.returncode != 0
    assert "-token: it is not valid UTF-8" in result.stdout + result.stderr


@pytest.mark.parametrize("env", [{}, {"EMPTY": ""}], ids=["not-set", "empty"])
@pytest.mark.parametrize("option", ["relay { token = %s }", "private-srv = %s"])
@pytest.mark.parametrize("value", ['"${EMPTY:-}"', "${EMPTY:-}", '"${EMPTY:-}${OTHER:-}"'])
def test_an_empty_default_is_an_error(check, option, value, env):
    result = check("modules = { log, relay }\n" + option % value + "\n", env=env)
    assert result.returncode == 1
    assert ".conf:2: option " in result.stderr and "if that is meant, write " in result.stderr
    assert check("modules = { log, relay }\n" + option % '""' + "\n").returncode == 0


@pytest.mark.parametrize("option", ["join-allow", "join-deny", "tokens", "token-file"])
def test_an_empty_default_of_a_list_is_an_error(check, option):
    result = check(f'modules = {{ log, relay, access }}\naccess {{ {option} = "${{EMPTY:-}}" }}\n')
    assert result.returncode == 1
    assert "it must not be empty; leave it out for none" in result.stderr


def test_an_empty_variable_has_its_default(check):
    """As in a shell: it was empty before, and the relay public."""
    text = 'modules = { log, relay }\nrelay { provided-by = "a${EMPTY:-b}${NONE:-}" }\n'
    result = check(text, env={"EMPTY": ""})
    assert result.returncode == 0 and 'provided-by = "ab"' in result.stdout
    assert 'provided-by = "ac"' in check(text, env={"EMPTY": "c"}).stdout


def test_check_says_how_a_dollar_is_written(check):
    result = check("modules = { log, relay }\nrelay { provided-by = 'a${b}' }\n")
    assert "${NAME} is an environment variable, and \\$ a dollar sign" in result.stdout
    assert 'provided-by = "a\\${b}"' in result.stdout
    assert "write \\$ in double quotes" in check('keys = "${b"\n').stderr
