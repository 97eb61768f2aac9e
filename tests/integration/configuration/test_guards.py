# SPDX-License-Identifier: MPL-2.0
"""Options that protect the relay, when the file that holds them is empty, incomplete or missing.

With such a file a start fails.  A reload or an upgrade is refused, and the old values stay in
force."""

import ctypes
import os
import pathlib
import shutil
import signal
import threading

import pytest

import device_id
import relay_protocol as rp
from module_server import failing_start, module_server  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import run

MODULES = ["log", "access", "relay", "status", "probe"]
NOT_FOUND, SUCCESS = rp.response(rp.NOT_FOUND), rp.response(rp.SUCCESS)
WRONG_TOKEN = rp.response(rp.WRONG_TOKEN)
TOKEN = "open sesame"


def text(identity):
    return device_id.to_text(identity.id)


def join(server, identity, token=None, source=None):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.JoinRelayRequest(token))


def replace(path, data):
    """Writes the bytes into the file, as a faulty writer would; None removes the file."""
    path = pathlib.Path(path)
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    elif data == "folder":
        path.mkdir()
    elif data == "pipe":
        os.mkfifo(path)
    elif data is not None:
        path.symlink_to(data)


#: Contents that are no valid list of any kind.
BROKEN = {
    "empty": b"", "gone": None, "null": "/dev/null", "folder": "folder", "pipe": "pipe",
    "zeroes": b"\0" * 4096, "zeroes-behind": b"192.0.2.1\n" + b"\0" * 64,
    "half-an-address": b"192.0.2.1", "a-range-cut-off": b"10.0.0.0/2",
}
COMMENTS = b"# nobody, as yet\n\n"


@pytest.fixture
def guarded(module_server):  # noqa: F811
    def start(workers=2, args=(), relay=None, **options):
        sections = {"access": {name.replace("_", "-"): value for name, value in options.items()}}
        if relay:
            sections["relay"] = relay
        return module_server(MODULES, workers=workers, args=args, sections=sections)

    return start


@pytest.mark.parametrize("workers", [1, 2])
def test_a_list_of_members_that_breaks_lets_nobody_in(guarded, identities, tmp_path, workers):
    members = tmp_path / "members"
    members.write_text(text(identities[0]) + "\n")
    server = guarded(workers, join_allow=[f"@{members}"])
    half = text(identities[0])[:30].encode()
    for name, data in {**BROKEN, "comments": COMMENTS, "half-an-id": half}.items():
        replace(members, data)
        done, news = server.reload()
        assert not done and "join-allow" in news and str(members) in news, f"{name}: {news}"
        assert join(server, identities[1]) == NOT_FOUND, name
        assert join(server, identities[0]) == SUCCESS, name
    replace(members, text(identities[1]).encode())  # complete, but without a final newline
    assert server.reload()[0]
    assert join(server, identities[1]) == SUCCESS


@pytest.mark.parametrize("workers", [1, 2])
def test_a_list_of_the_denied_that_breaks_lets_nobody_in(guarded, identities, tmp_path, workers):
    denied = tmp_path / "denied"
    denied.write_text("127.0.0.9\n")
    server = guarded(workers, join_deny=[f"@{denied}"])
    for name, data in {**BROKEN, "comments": COMMENTS}.items():
        replace(denied, data)
        done, news = server.reload()
        assert not done and "join-deny" in news, f"{name}: {news}"
        assert join(server, identities[1], source="127.0.0.9") == NOT_FOUND, name
    replace(denied, b"# entries: 0\n")
    assert server.reload()[0], "that nobody is denied can be written"
    assert join(server, identities[1], source="127.0.0.9") == SUCCESS


HEAD, REST = b"# entries: 2\n127.0.0.7\n", b"127.0.0.9\n"


@pytest.mark.parametrize("action", ["reload", "upgrade"])
def test_a_counted_list_that_is_cut_off_between_two_lines_opens_nothing(
        guarded, identities, tmp_path, action):
    denied = tmp_path / "denied"
    denied.write_bytes(HEAD + REST)
    server = guarded(join_deny=[f"@{denied}"])
    for tries, data in enumerate((HEAD, HEAD[:13], b"# entries: \n" + REST, HEAD + HEAD), 1):
        replace(denied, data)
        if action == "reload":
            done, news = server.reload()
            assert not done and str(denied) in news, news
        else:
            server.send_signal(signal.SIGUSR2)
            server.wait_for_count("core: upgrade failed", tries)
        assert join(server, identities[1], source="127.0.0.9") == NOT_FOUND
    replace(denied, REST + HEAD)  # the number may be anywhere
    assert server.reload()[0]
    assert join(server, identities[1], source="127.0.0.9") == NOT_FOUND


def test_a_list_without_a_count_that_shrinks_is_warned_of(guarded, tmp_path):
    denied = tmp_path / "denied"
    denied.write_bytes(b"127.0.0.7\n" + REST)
    server = guarded(join_deny=[f"@{denied}"])
    assert "fewer entries" not in server.log()
    replace(denied, REST)
    assert server.reload()[0]
    server.wait_for_log("warning access: join-deny: its files have fewer entries than before")


@pytest.mark.parametrize("data", [b"# entries: 2\none\n", b"# entries: 1\none\ntwo\n",
                                  b"# entries: 1\n# entries: 1\none\n", b"#entries: x\none\n"])
def test_tokens_can_be_counted(failing_start, tmp_path, data):  # noqa: F811
    (tmp_path / "tokens").write_bytes(data)
    code, log = failing_start(MODULES, sections={"access": {"token-file": str(tmp_path / "tokens")}})
    assert code != 0 and "token-file: " in log and "entries" in log, log


@pytest.mark.parametrize("section", ["access", "relay"])
def test_a_token_file_that_breaks_lets_nobody_in(guarded, identities, tmp_path, section):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    option = {"token-file": str(file)}
    server = guarded(relay=option) if section == "relay" else guarded(**option)
    for name, data in {**BROKEN, "half-a-token": b"open", "blank": b"\n"}.items():
        replace(file, data)
        done, news = server.reload()
        assert not done and "token-file" in news, f"{name}: {news}"
        for wrong in (None, "", "open"):
            assert join(server, identities[0], wrong) == WRONG_TOKEN, name
        assert join(server, identities[0], TOKEN) == SUCCESS, name


@pytest.mark.parametrize("option", ["join-allow", "ask-deny", "tokens", "token-file"])
@pytest.mark.parametrize("data", [b"", None, "/dev/null", b"10.0.0.0/2"],
                         ids=["empty", "gone", "null", "cut-off"])
def test_no_start_without_what_guards_it(failing_start, tmp_path, option, data):  # noqa: F811
    file = tmp_path / "guard"
    replace(file, data)
    value = {"tokens": "", "token-file": str(file)}.get(option, f"@{file}")
    code, log = failing_start(MODULES, sections={"access": {option: value}})
    assert code != 0 and option in log, log


def test_no_start_without_the_module_that_guards(failing_start, tmp_path):  # noqa: F811
    file = tmp_path / "guard"
    file.write_text("")
    code, log = failing_start(MODULES, sections={
        "access": {"join-allow": f"@{file}", "required": "no"}})
    assert code != 0 and "error core: module access: join-allow: " in log, log


@pytest.mark.parametrize("given", [
    ["-access.join-allow", ""], ["-access.connect-deny="], ["-access.token-file="],
    ["-token-file", ""]], ids=" ".join)
def test_a_variable_that_is_not_set_opens_nothing(plain_program, tmp_path, given):
    conf = tmp_path / "c.conf"
    conf.write_text("modules = { access, relay }\n")
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check", *given)
    assert result.returncode != 0
    assert "it must not be empty" in result.stderr, result.stderr


@pytest.mark.parametrize("line", [
    "access { join-allow = { } }", 'access { ask-deny = "${EMPTY_VARIABLE}" }',
    'relay { token-file = "" }'])
def test_an_empty_guard_in_the_configuration_is_an_error(plain_program, tmp_path, monkeypatch, line):
    monkeypatch.setenv("EMPTY_VARIABLE", "")
    conf = tmp_path / "c.conf"
    conf.write_text(f"modules = {{ access, relay }}\n{line}\n")
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check")
    assert result.returncode != 0
    assert f"{conf}:2: " in result.stderr and ("must not be empty" in result.stderr
                                               or "is empty" in result.stderr), result.stderr


@pytest.mark.parametrize("included", [False, True])
def test_a_variable_that_is_not_set_is_an_error(plain_program, tmp_path, included):
    conf, text = tmp_path / "c.conf", 'relay {\n  token = "${NO_SUCH_VARIABLE}"\n}\n'
    conf.write_text('include("d.conf")\n' if included else text)
    (tmp_path / "d.conf").write_text(text)
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check")
    assert result.returncode != 0
    assert (f"{'d' if included else 'c'}.conf:2: column 12: the environment variable in "
            "${NO_SUCH_VARIABLE} is not set") in result.stderr


def test_an_empty_token_as_a_flag_is_warned_of(start_ours):
    start_ours("-token", "").wait_for_log("warning relay: the flag token is empty")


@pytest.mark.parametrize("text_before", [b"", b"127.0.0.7\n", b"# a head\n127.0.0.7\n"],
                         ids=["nothing", "a-line", "two-lines"])
def test_a_file_that_somebody_is_writing_is_not_taken(guarded, identities, tmp_path, text_before):
    """A file that ends between two lines looks complete."""
    denied = tmp_path / "denied"
    denied.write_text("127.0.0.7\n127.0.0.9\n")
    server = guarded(join_deny=[f"@{denied}"])
    with open(denied, "wb") as writer:
        writer.write(text_before)
        writer.flush()
        done, news = server.reload()
        assert not done and "write to a new file and rename it" in news, news
        assert join(server, identities[1], source="127.0.0.9") == NOT_FOUND
        writer.write(b"127.0.0.9\n127.0.0.10\n")
    assert server.reload()[0]
    assert join(server, identities[1], source="127.0.0.10") == NOT_FOUND


def test_a_writer_and_reloads_in_loops_let_no_stranger_in(guarded, identities, tmp_path):
    members = tmp_path / "members"
    entry = text(identities[0]) + "\n"
    members.write_text(entry)
    server = guarded(join_allow=[f"@{members}"])
    over = threading.Event()

    def write():
        while not over.is_set():
            members.write_text(entry)  # written like `echo ID > list`

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(40):
            server.send_signal(signal.SIGHUP)
            assert join(server, identities[1]) == NOT_FOUND
    finally:
        over.set()
        writer.join()
    assert join(server, identities[0]) == SUCCESS
    assert server.count("not reloaded") + server.count("core: reloaded") > 1, server.log()


class Openings:
    """Counts how often a file is opened and closed, by inotify, which merges equal events."""

    def __init__(self, path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.fd >= 0 and self.libc.inotify_add_watch(self.fd, bytes(path), 0x20 | 0x10) >= 0

    def count(self):
        try:
            return len(os.read(self.fd, 65536)) // 16
        except BlockingIOError:
            return 0
        finally:
            os.close(self.fd)


@pytest.mark.parametrize("section", ["access", "relay"])
def test_what_was_checked_is_what_counts(guarded, tmp_path, section):
    """If a file was read twice, its contents could differ the second time."""
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    option = {"token-file": str(file)}
    server = guarded(relay=option) if section == "relay" else guarded(**option)
    openings = Openings(file)
    assert server.reload()[0]
    assert openings.count() == 2, "once opened, once closed"


def test_an_upgrade_does_not_open_what_is_shut(guarded, identities, tmp_path):
    members = tmp_path / "members"
    members.write_text(text(identities[0]) + "\n")
    server = guarded(join_allow=[f"@{members}"])
    members.write_text("")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log(f"join-allow: {members} is empty")
    server.wait_for_log("core: .*(not upgraded|upgrade.*failed|goes on)")
    assert join(server, identities[1]) == NOT_FOUND
    assert join(server, identities[0]) == SUCCESS


def start_with_quota(plain_program, folder, options="", action="-debug"):
    conf = folder / "c.conf"
    conf.write_text(f"modules = {{ quota, relay }}\nquota {{ day = 1MB {options} }}\n")
    return run(plain_program, "-conf", str(conf), "-keys", str(folder), "-listen",
               "127.0.0.1:0", "-status-srv=", action, cwd=folder)


@pytest.mark.parametrize("state", [
    b"", b"strelaysrv quota 1\n", b"strelaysrv quota 1\nday 1 1000000\nmonth 1 10"],
    ids=["empty", "a-head", "half-a-number"])
def test_what_was_used_is_not_forgotten(plain_program, tmp_path, state):
    (tmp_path / "quota.state").write_bytes(state)
    result = start_with_quota(plain_program, tmp_path)
    assert result.returncode == 1
    assert "quota.state is no quota state" in result.stderr, result.stderr


@pytest.mark.parametrize("action", ["-check", "-debug"])
def test_a_quota_state_that_is_gone_is_an_error(plain_program, tmp_path, action):
    """Whoever loses the file would have the whole cap once more."""
    result = start_with_quota(plain_program, tmp_path, action=action)
    assert result.returncode == 1
    assert "quota.state does not exist, so it is unknown what was used" in result.stderr


@pytest.mark.parametrize("options, state, good", [
    ("", b"new\n", True), ("state-required = no", None, True), ("day = 0", None, True),
    ("", b"new", False), ("", b"", False)], ids=["new", "not-required", "no-cap", "cut-off", "empty"])
def test_a_quota_can_begin_at_0(plain_program, tmp_path, options, state, good):
    if state is not None:
        (tmp_path / "quota.state").write_bytes(state)
    result = start_with_quota(plain_program, tmp_path, options, action="-check")
    assert (result.returncode == 0) == good, result.stderr


def test_a_new_quota_is_counted(module_server, tmp_path):  # noqa: F811
    state = tmp_path / "state"
    state.write_text("new\n")
    server = module_server(["log", "quota", "relay", "status"],
                           sections={"quota": {"day": "1GB", "state-file": str(state)}})
    server.wait_for_log(f"notice quota: {state} is new: the usage begins at 0")
    assert state.read_text().startswith("strelaysrv quota 1\n")
    assert server.reload()[0]


def test_what_check_prints_can_be_read_again(plain_program, tmp_path):
    """The output has these options as comments, because they must not be empty."""
    conf = tmp_path / "c.conf"
    conf.write_text("modules = { access, relay, status }\n")
    shutil.copy(conf, tmp_path / "first.conf")
    for _ in range(2):
        result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check")
        assert result.returncode == 0, result.stderr
        conf.write_text(result.stdout)
    assert "# join-allow = { }" in result.stdout
