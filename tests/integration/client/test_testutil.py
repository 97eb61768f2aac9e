# SPDX-License-Identifier: MPL-2.0
"""Two processes of our testutil, through our relay and the Go one."""

import contextlib
import hashlib
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess

import pytest

import certificates
import testutil
from relay_server import Program
from testutil import Drain, Feeder, Keys, Tool
from waiting import PATIENCE, SLOWNESS, Deadline, wait_for

MEBI = 1 << 20
SIZE = (1024 if os.environ.get("LONG") else 64) * MEBI
BIG_PATIENCE = PATIENCE * (10 if os.environ.get("LONG") else 2)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two devices."""
    folder = tmp_path_factory.mktemp("keys")
    return Keys(folder / "one"), Keys(folder / "other")


@pytest.fixture
def start_tool():
    tools = []

    def start_one(*args, **options):
        tools.append(Tool(*args, **options))
        return tools[-1]

    yield start_one
    for tool in tools:
        tool.finish()


def random_file(path, size):
    """A file of random bytes; returns its path and hash."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        left = size
        while left:
            data = os.urandom(min(left, MEBI))
            digest.update(data)
            file.write(data)
            left -= len(data)
    return path, digest.hexdigest()


def joined(start_tool, server, keys, *args, **options):
    """A testutil that has joined."""
    tool = start_tool("-join", "-relay", server.uri, "-keys", keys.folder, *args, **options)
    tool.wait_for("Joined relay")
    return tool


def connected(start_tool, server, keys, target, *args, **options):
    tool = start_tool("-connect", target.id, "-relay", server.uri, "-keys", keys.folder, *args,
                      **options)
    tool.wait_for("Joined session")
    return tool


# -test


@pytest.mark.limits
def test_a_relay_that_works_is_ok(server, keys):
    result = testutil.run("-test", "-relay", server.uri, "-keys", keys[0].folder)
    assert result.code == 0, result
    assert f"ID: {keys[0].id}" in result.err
    lines = result.out.splitlines()
    assert lines[-1] == "OK", result
    names = [line.split()[0] for line in lines[:-1]]
    assert names == ["lookup", "tcp", "tls", "join", "invitation", "session", "round-trip",
                     "throughput"], result
    assert all(re.match(r"\S+ +\d+\.\d\d ms", line) for line in lines[:-1]), result


def test_the_report_as_json(server, keys):
    result = testutil.run("-test", "-json", "-relay", server.uri, "-keys", keys[0].folder)
    assert result.code == 0, result
    report = json.loads(result.out)
    assert report["ok"] is True and report["id"] == keys[0].id
    assert report["relay"] == "%s:%d" % server.address
    assert report["throughputBytesPerSecond"] > 0 and report["roundTripMs"] > 0
    assert [step["name"] for step in report["steps"]][-1] == "throughput"
    assert all(step["ms"] >= 0 for step in report["steps"])
    assert result.err.splitlines()[-1] == "OK"


def test_a_failure_as_json_names_its_step(keys):
    result = testutil.run("-test", "-json", "-relay", "relay://127.0.0.1:1/", "-keys",
                          keys[0].folder)
    report = json.loads(result.out)
    assert result.code == 1, result
    assert (report["ok"], report["failedStep"], report["failure"]) == (False, "tcp", "unreachable")
    assert result.err.splitlines()[-1] == "FAIL"


def test_a_relay_of_another_id_fails(server, keys):
    uri = server.uri.replace(server.query["id"], keys[1].id)
    result = testutil.run("-test", "-relay", uri, "-keys", keys[0].folder)
    assert result.code == 1, result
    assert re.search(r"^tls +failed after .* \(wrong_id\)", result.out, re.MULTILINE), result
    assert result.out.splitlines()[-1] == "FAIL"
    assert server.query["id"] in result.out, "the ID that is there should be named"


def test_a_device_that_has_joined_is_not_taken_twice(server, keys, start_tool):
    joined(start_tool, server, keys[0])
    result = testutil.run("-test", "-relay", server.uri, "-keys", keys[0].folder)
    assert result.code == 1 and "(already_connected)" in result.out, result


@pytest.mark.limits
def test_many_at_once(server, tmp_path):
    devices = [Keys(tmp_path / str(n)) for n in range(4)]
    running = [subprocess.Popen(
        [testutil.program(), "-test", "-relay", server.uri, "-keys", device.folder],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for device in devices]
    for process in running:
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, out.decode()


# Tokens


def test_a_token_opens_the_relay(start_ours, keys, tmp_path):
    server = start_ours("-token", "s e&cret")
    file = tmp_path / "token"
    file.write_text("s e&cret\n")
    for args, uri, want in (
        ((), server.uri, 1),
        (("-token", "wrong"), server.uri, 1),
        (("-token", "s e&cret"), server.uri, 0),
        (("-token-file", file), server.uri, 0),
        ((), server.uri + "&token=s+e%26cret", 0),
        (("-token", "s e&cret"), server.uri + "&token=wrong", 1),
    ):
        result = testutil.run("-test", "-relay", uri, "-keys", keys[0].folder, *args)
        assert result.code == want, f"{args} {uri}: {result}"
        assert want == 0 or "(wrong_token)" in result.out, result
        assert "cret" not in result.out + result.err, result


@pytest.mark.parametrize("what", ["pipe", "folder", "device", "empty", "long", "huge"])
def test_a_bad_token_file(server, keys, tmp_path, what):
    file = tmp_path / "token"
    {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda path: path.symlink_to("/dev/zero"),
     "empty": lambda path: path.write_text("\nx\n"),
     "long": lambda path: path.write_text("x" * 1024),
     "huge": lambda path: path.write_bytes(bytes(1 << 20))}[what](file)
    result = testutil.run("-test", "-relay", server.uri, "-keys", keys[0].folder,
                          "-token-file", file)
    assert result.code != 0 and str(file) in result.err, result


# Sessions through pipes


def check_transfer(target, asker, files, ends_first):
    """Sends a file in each direction and compares what arrives."""
    tools = target, asker
    drains = [Drain(tool.process.stdout) for tool in tools]
    feeders = [Feeder(path, tool.process.stdin) for tool, (path, _) in zip(tools, files)]

    def wait_for_all():
        wait_for(lambda: all(drain.size >= SIZE for drain in drains),
                 lambda: f"{SIZE} bytes at each, there are {[drain.size for drain in drains]}",
                 Deadline(BIG_PATIENCE))

    if not ends_first:
        # The Go relay ends a session with a reset, which overtakes the last bytes.
        wait_for_all()
    for feeder in feeders:
        feeder.join(BIG_PATIENCE)
        feeder.end()
    wait_for_all()
    drains[1].join(PATIENCE)  # the target keeps running, so its stdout stays open
    target.wait_for("Finished")
    for drain, (_, want) in zip(drains, reversed(files)):
        assert drain.size == SIZE, f"got {drain.size} bytes, want {SIZE}"
        assert drain.digest() == want, "other bytes came than were sent"


def test_random_bytes_both_ways_through_pipes(server, keys, start_tool, tmp_path):
    files = [random_file(tmp_path / name, SIZE) for name in ("one.bin", "other.bin")]
    target = joined(start_tool, server, keys[0])
    asker = connected(start_tool, server, keys[1], keys[0])
    target.wait_for("Joined session")
    check_transfer(target, asker, files, ends_first=server.program.ours)
    if server.program.ours:
        asker.expect(0)
    else:
        assert asker.wait() in (0, 1)
    target.wait_for("Finished")
    target.process.send_signal(signal.SIGTERM)
    target.expect(0)


def test_a_file_arrives_as_it_is(ours, keys, start_tool, tmp_path):
    """testutil < file, and > file: regular files at both ends."""
    there, back = (random_file(tmp_path / name, 3 * MEBI + 7) for name in ("there", "back"))
    got = tmp_path / "got-there", tmp_path / "got-back"
    with there[0].open("rb") as one, back[0].open("rb") as other, \
            got[0].open("wb") as one_out, got[1].open("wb") as other_out:
        target = joined(start_tool, ours, keys[0], stdin=one, stdout=one_out)
        asker = start_tool("-connect", keys[0].id, "-relay", ours.uri, "-keys", keys[1].folder,
                           stdin=other, stdout=other_out)
        asker.expect(0)
        target.wait_for("Finished")
    assert got[1].read_bytes() == there[0].read_bytes()
    assert got[0].read_bytes() == back[0].read_bytes()


def test_one_end_may_end_first(ours, keys, start_tool):
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0])
    asker.send(b"question\0")
    asker.end_stdin()
    assert target.receive(9) == b"question\0"
    for number in range(100):
        target.send(b"%d," % number)
    target.end_stdin()
    assert asker.receive_to_end() == b"".join(b"%d," % n for n in range(100))
    asker.expect(0)
    target.wait_for(r"Finished .* 290 bytes sent, 9 received$")


def test_a_slow_reader_gets_everything(ours, keys, start_tool, tmp_path):
    path, _ = random_file(tmp_path / "data", 8 * MEBI)
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0])
    feeder = Feeder(path, target.process.stdin)
    asker.end_stdin()
    want = path.read_bytes()
    got = asker.receive(1)
    feeder.join(0.2)  # by now all buffers are full, or the file has been sent
    got += asker.receive(100_000)
    got += asker.receive(len(want) - len(got))  # the file may be larger than the buffers
    feeder.end()
    assert got + asker.receive_to_end() == want
    asker.expect(0)


def send_until_noticed(tool, pattern, count=1):
    """Only a sender notices that the other side has gone for good."""
    def finished():
        if len(re.findall(pattern, "\n".join(tool.lines()))) >= count:
            return True
        with contextlib.suppress(BrokenPipeError):  # testutil may have ended meanwhile
            tool.send(b".")
        return False

    wait_for(finished, lambda: f"{pattern}; stderr: {tool.lines()}")


def test_sessions_one_after_another(server, keys, start_tool):
    target = joined(start_tool, server, keys[0])
    for number in range(1, 4):
        asker = connected(start_tool, server, keys[1], keys[0])
        target.wait_for("Joined session with " + keys[1].id, count=number)
        target.send(b"to %d\n" % number)
        assert asker.receive_line().lstrip(b".") == b"to %d\n" % number
        asker.send(b"from %d" % number)
        assert target.receive(6) == b"from %d" % number
        asker.process.kill()
        send_until_noticed(target, "Finished with", number)
    target.process.send_signal(signal.SIGINT)
    target.expect(0)


def test_sessions_that_wait_get_their_turn(ours, keys, start_tool, tmp_path):
    target = joined(start_tool, ours, keys[0], "-sessions", "2", "-linger", "100ms")
    target.end_stdin()
    first = connected(start_tool, ours, keys[1], keys[0])
    target.wait_for("Joined session with")
    second = connected(start_tool, ours, Keys(tmp_path / "third"), keys[0])
    target.wait_for("Received invitation", count=2)
    second.send(b"second")
    first.send(b"first ")
    first.end_stdin()
    first.expect(0)
    second.end_stdin()
    assert target.receive_to_end() == b"first second"
    second.expect(0)
    target.expect(0)


def test_what_is_sent_last_arrives_though_the_sender_leaves(ours, keys, start_tool, tmp_path):
    path, digest = random_file(tmp_path / "data", 4 * MEBI)
    with path.open("rb") as data:
        target = joined(start_tool, ours, keys[0], "-sessions", "1", stdin=data)
        asker = connected(start_tool, ours, keys[1], keys[0])
        drain = Drain(asker.process.stdout)
        asker.end_stdin()
        target.expect(0)
    drain.join(PATIENCE)
    assert drain.digest() == digest
    asker.expect(0)


def test_a_peer_that_dies_is_a_failure(ours, keys, start_tool):
    target = joined(start_tool, ours, keys[0], "-sessions", "1", "-linger", "1ms")
    asker = connected(start_tool, ours, keys[1], keys[0])
    asker.send(b"x")
    assert target.receive(1) == b"x"
    asker.process.kill()
    send_until_noticed(target, "Finished .*(reset|cut off)")
    target.expect(1)


def test_a_session_does_not_outlive_the_relays_patience(start_ours, keys, start_tool):
    """The other side has ended and stdin is silent, so only the relay's timeout ends the
    session."""
    server = start_ours("-network-timeout", f"{int(2000 * SLOWNESS)}ms", "-ping-interval", "500ms")
    target = joined(start_tool, server, keys[0], "-sessions", "1", "-linger", "1ms")
    asker = connected(start_tool, server, keys[1], keys[0])
    asker.process.kill()
    target.wait_for("Finished .*cut off before stdin had ended")
    target.expect(1)


def test_a_reader_that_leaves_is_a_failure(ours, keys, start_tool):
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0])
    asker.process.stdout.close()
    target.send(b"to nobody")
    asker.expect(1)
    asker.wait_for("stdout cannot be written")


def test_nobody_there(server, keys):
    result = testutil.run("-connect", keys[0].id, "-relay", server.uri, "-keys", keys[1].folder)
    assert result.code == 1 and "not found" in result.err, result
    assert result.out == ""


def test_the_relay_that_goes_is_noticed(start_any, keys, start_tool):
    server = start_any()
    target = joined(start_tool, server, keys[0])
    server.stop()
    target.expect(1)
    target.wait_for("Lost relay")


def test_two_testutils_on_two_relays_of_different_make(start, keys, start_tool):
    """Each joins one relay and requests the other device at the other relay.  The relays do not
    know each other."""
    servers = [start(Program("ours")), start(Program("reference"))]
    targets = [joined(start_tool, server, key) for server, key in zip(servers, keys)]
    for server, target, (own, other) in zip(servers, targets, (keys, reversed(keys))):
        asker = connected(start_tool, server, other, own)
        target.wait_for("Joined session")
        asker.send(b"hello")
        assert target.receive(5) == b"hello"


# The terminal


def read_terminal(terminal, wanted):
    """Reads until the text has come.  A terminal echoes its input, and ends lines with CR LF."""
    got = b""
    deadline = Deadline()
    while wanted not in got:
        ready, _, _ = select.select([terminal], [], [], deadline.remaining())
        assert ready, f"{wanted} has not come; got {got}"
        got += os.read(terminal, 4096)
    return got


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    yield ours, theirs
    for fd in (ours, theirs):
        try:
            os.close(fd)
        except OSError:
            pass


def test_an_interactive_session(ours, keys, start_tool, terminal):
    mine, its = terminal
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0], stdin=its, stdout=its)
    os.write(mine, b"typed\n")
    assert target.receive_line() == b"typed\n"
    target.send(b"answered\n")
    read_terminal(mine, b"answered\r\n")
    os.write(mine, b"more\n\x04")  # Ctrl-D: end of input
    assert target.receive_line() == b"more\n"
    target.send(b"after the end\n")
    read_terminal(mine, b"after the end\r\n")
    target.end_stdin()
    asker.expect(0)
    target.wait_for("Finished")


def test_a_terminal_is_left_when_the_other_side_ends(ours, keys, start_tool, terminal):
    mine, its = terminal
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0], stdin=its, stdout=its)
    target.send(b"bye\n")
    target.end_stdin()
    read_terminal(mine, b"bye\r\n")
    asker.expect(0)


def test_a_terminal_serves_one_session_after_another(ours, keys, start_tool, terminal):
    mine, its = terminal
    target = joined(start_tool, ours, keys[0], "-sessions", "2", "-linger", "1ms", stdin=its,
                    stdout=its)
    for number in (1, 2):
        asker = connected(start_tool, ours, keys[1], keys[0])
        target.wait_for("Joined session", count=number)
        os.write(mine, b"hello %d\n\x04" % number)
        assert asker.receive_line() == b"hello %d\n" % number
        asker.end_stdin()
        assert asker.receive_to_end() == b""
        asker.expect(0)
        target.wait_for("Finished", count=number)
    target.expect(0)


def test_what_was_typed_before_the_end_is_not_left_to_the_next_session(
        ours, keys, start_tool, terminal):
    """Neither a typed line nor Ctrl-D, which would end the next session at once."""
    mine, its = terminal
    target = joined(start_tool, ours, keys[0], "-sessions", "2", "-linger", "1ms", stdin=its,
                    stdout=its)
    first = connected(start_tool, ours, keys[1], keys[0])
    target.wait_for("Joined session")
    target.process.send_signal(signal.SIGSTOP)
    os.write(mine, b"hello 1\n\x04")
    first.end_stdin()
    wait_for(lambda: testutil.CLOSE_WAIT in target.tcp_states(), "the end to be there as well")
    target.process.send_signal(signal.SIGCONT)
    assert first.receive_to_end() == b"hello 1\n"
    first.expect(0)
    second = connected(start_tool, ours, keys[1], keys[0])
    os.write(mine, b"hello 2\n\x04")
    assert second.receive_to_end() == b"hello 2\n"  # its stdin is open
    second.end_stdin()
    second.expect(0)
    target.expect(0)


def test_stdout_ends_with_its_direction(ours, keys, start_tool):
    """A consumer may wait for the end of stdout before it writes to stdin."""
    target = joined(start_tool, ours, keys[0], "-sessions", "1")
    asker = connected(start_tool, ours, keys[1], keys[0])
    asker.send(b"question")
    asker.end_stdin()
    target.send(target.receive_to_end())
    target.end_stdin()
    assert asker.receive_to_end() == b"question"
    asker.expect(0)


def test_a_terminal_that_hangs_stops_only_one_direction(ours, keys, start_tool, terminal):
    _, its = terminal
    target = joined(start_tool, ours, keys[0], stdout=its)
    asker = connected(start_tool, ours, keys[1], keys[0])
    for _ in range(30):  # several times the buffer of a terminal that nobody reads
        asker.send(b"not shown\n" * 800)
        target.send(b"typed")
        assert asker.receive(5) == b"typed"


def test_the_shells_terminal_stays_blocking(ours, keys, start_tool, terminal):
    """Other programs share the open file, so testutil must not leave O_NONBLOCK set on it."""
    mine, its = terminal
    before = os.get_blocking(its)
    joined(start_tool, ours, keys[0], stdin=its, stdout=its)
    asker = connected(start_tool, ours, keys[1], keys[0])
    asker.send(b"x\n")
    read_terminal(mine, b"x\r\n")
    assert before is True and os.get_blocking(its) is True


# Signals, command line, keys


def test_a_signal_ends_waiting_well_and_a_session_badly(ours, keys, start_tool):
    target = joined(start_tool, ours, keys[0])
    target.process.send_signal(signal.SIGINT)
    target.expect(0)
    target = joined(start_tool, ours, keys[0])
    asker = connected(start_tool, ours, keys[1], keys[0])
    target.wait_for("Joined session")
    asker.process.send_signal(signal.SIGTERM)
    asker.expect(1)
    target.process.send_signal(signal.SIGTERM)
    assert target.wait() in (0, 1)  # 0 if it noticed the end of the asker


@pytest.mark.parametrize("args", [
    (), ("-join", "-test"), ("-nonsense",), ("-join", "extra"), ("-connect",),
    ("-test", "-timeout", "soon"), ("-test", "-timeout=0s"), ("-join", "-json"),
    ("-connect", "x", "-sessions", "1"), ("-join", "-sessions=-1"), ("-gen-keys=perhaps",),
    ("-test", "-token", "a", "-token-file", "b"),
])
def test_a_wrong_command_line(args):
    result = testutil.run(*args)
    assert result.code == 2 and "Usage:" in result.err and result.out == "", result


@pytest.mark.parametrize("args", [
    ("-test", "-relay", "http://127.0.0.1/"), ("-join", "-relay", "relay://127.0.0.1:99999"),
    ("-connect", "not-an-id"),
])
def test_what_is_no_uri_or_id(args, keys):
    result = testutil.run(*args, "-keys", keys[0].folder)
    assert result.code == 2, result


def test_help():
    result = testutil.run("-help")
    assert result.code == 0 and "-connect DEVICE-ID" in result.err, result


def test_flags_in_every_form_of_go(server, keys):
    result = testutil.run("--test=true", f"--relay={server.uri}", f"-keys={keys[0].folder}",
                          "-debug=false")
    assert result.code == 0, result


def test_keys_are_made_once(tmp_path, server):
    folder = tmp_path / "new"
    result = testutil.run("-gen-keys", "-keys", folder)
    assert result.code == 0, result
    device = result.out.strip()
    assert re.fullmatch(r"([A-Z2-7]{7}-){7}[A-Z2-7]{7}", device), result
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    again = testutil.run("-gen-keys", "-keys", folder)
    assert again.code == 1 and "is there already" in again.err and again.out == "", again
    used = testutil.run("-test", "-relay", server.uri, "-keys", folder)
    assert used.code == 0 and f"ID: {device}" in used.err, used


def test_a_lack_of_descriptors_is_not_the_relays_fault(ours, keys):
    """Seven descriptors are enough to join, but not for the session."""
    result = testutil.run("-test", "-relay", ours.uri, "-keys", keys[0].folder, descriptors=7)
    assert result.code == 1 and "(local)" in result.out, result
    assert "Too many open files" in result.out, result


def test_missing_keys_are_not_made(tmp_path):
    result = testutil.run("-test", "-keys", tmp_path)
    assert result.code == 1 and "cert.pem" in result.err, result
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", certificates.KEY_KINDS)
def test_keys_of_every_kind(kind, ours, tmp_path):
    certificates.make(kind).write(tmp_path)
    result = testutil.run("-test", "-relay", ours.uri, "-keys", tmp_path)
    assert result.code == 0, result


@pytest.mark.parametrize("listen, host", [
    ("[::1]:0", "[::1]"), ("127.0.0.1:0", "localhost"), ("127.0.0.1:0", ""),
])
def test_addresses_of_every_kind(start_ours, keys, listen, host):
    server = start_ours(listen=listen)
    result = testutil.run("-test", "-relay", f"relay://{host}:{server.address[1]}/", "-keys",
                          keys[0].folder)
    assert result.code == 0, result


def test_makes_a_token_and_its_hash():
    made = []
    for _ in range(2):
        result = testutil.run("-make-token", "alice")
        assert result.code == 0, result
        token, line = result.out.splitlines()
        assert re.fullmatch("[0-9a-f]{40}", token)
        assert line == f"alice:{hashlib.sha256(token.encode()).hexdigest()}"
        made.append(token)
    assert made[0] != made[1]
    for name in ("", "al ice", 33 * "a", "a:b"):
        assert testutil.run("-make-token", name).code == 2
