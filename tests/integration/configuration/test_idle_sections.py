# SPDX-License-Identifier: MPL-2.0
"""Options of modules that do not run.  They are reported at a start, at a reload and by -check, and
are an error if the option is meant to protect the relay."""

import signal

import pytest

from module_server import failing_start, module_server  # noqa: F401
from relay_server import run

#: Options that protect the relay, and their modules.
GUARDS = {
    "tokens": 'access { tokens = { "open sesame" } }',
    "join-allow": 'access { join-allow = { "127.0.0.1" } }',
    "ask-deny": 'access { ask-deny = { "192.0.2.0/24" } }',
    "day": "quota { day = 1GB }",
    "month": "quota { month = 1TB }",
    "pools": "pool-join { pools = { } }",
}


def check(program, tmp_path, text):
    conf = tmp_path / "checked.conf"
    conf.write_text(f"modules = {{ log, relay, status }}\n{text}\n")
    return run(program, "-conf", str(conf), "-keys", str(tmp_path), "-status-srv=", "-check",
               "-listen", "127.0.0.1:0")


@pytest.mark.parametrize("option", GUARDS)
def test_a_guard_whose_module_does_not_run_is_refused(plain_program, tmp_path, option):
    result = check(plain_program, tmp_path, GUARDS[option])
    module = GUARDS[option].split()[0]
    assert result.returncode == 1
    assert (f"checked.conf:2: {module}.{option} is to protect the relay, but the module {module} "
            f"does not run; add {module} to `modules`") in result.stderr


@pytest.mark.parametrize("text", ["quota { day = 0 }", 'access { }', "rate-limit { burst = 100ms }"])
def test_what_asks_for_nothing_is_no_mistake(plain_program, tmp_path, text):
    result = check(plain_program, tmp_path, text)
    assert result.returncode == 0, result.stderr
    assert "does not run" not in result.stderr


def test_a_section_without_its_module_is_told(plain_program, tmp_path):
    result = check(plain_program, tmp_path, "rate-limit { global = 1MB/s }")
    assert result.returncode == 0, result.stderr
    assert ("checked.conf:2: section rate-limit has no effect: the module rate-limit does not run; "
            "add rate-limit to `modules`") in result.stderr


def test_a_reload_tells_and_refuses(module_server):  # noqa: F811
    server = module_server(["log", "relay", "status"])
    server.conf.write_text(server.conf.read_text() + "rate-limit { global = 1MB/s }\n")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("section rate-limit has no effect")
    server.wait_for_log("reloaded, with modules")
    server.conf.write_text(server.conf.read_text() + GUARDS["tokens"] + "\n")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("access.tokens is to protect the relay")
    server.wait_for_log("not reloaded: everything stays as it was")


def test_a_start_is_refused(failing_start):  # noqa: F811
    code, log = failing_start(["log", "relay", "status"], sections={"access": {"tokens": ["x"]}})
    assert code == 1 and "access.tokens is to protect the relay" in log
