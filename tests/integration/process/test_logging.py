# SPDX-License-Identifier: MPL-2.0
"""The log on stderr, in files and as JSON, and what it must not contain."""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import urllib.request

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection, dial
from relay_server import run
from waiting import PATIENCE, wait_for

LEVELS = ("error", "warning", "notice", "info", "debug")

#: Time, level, component, message.
LINE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+(?P<level>\w+)\s+(?P<component>[\w.-]+)\S*\s+\S"
)

COMMON = ["-listen", "127.0.0.1:0", "-status-srv=", "-pools="]


def check_lines(text):
    """Checks the form of every line; returns the levels seen."""
    assert text.strip(), "nothing was logged"
    levels = set()
    for line in text.splitlines():
        match = LINE.match(line)
        assert match, f"want time, level, component and message, got: {line}"
        level = match.group("level").lower()
        assert level in LEVELS, f"level: got {level}, want one of {LEVELS}: {line}"
        levels.add(level)
    return levels


def some_traffic(server, identities):
    """Causes log lines: a join, a refusal, and invalid data."""
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        with ProtocolConnection(server.address, identities[1]) as other:
            other.ask(rp.ConnectRequest(b"x" * 32))
    with dial(server.address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")


def test_every_line_has_time_level_and_component(start, plain_program, identities):
    server = start(plain_program, "-debug")
    some_traffic(server, identities)
    server.stop()
    assert "debug" in check_lines(server.log()), f"-debug shows no debug line:\n{server.log()}"


def test_no_debug_lines_without_debug(start, plain_program, identities):
    server = start(plain_program)
    some_traffic(server, identities)
    server.stop()
    assert "debug" not in check_lines(server.log())


def test_the_version_is_logged_at_start(start, each_program):
    start(each_program).wait_for_log(r"strelaysrv v?\d+\.\d+")


def test_the_limit_of_connections_is_logged_at_start(start, each_program):
    start(each_program).wait_for_log(r"Connection limit [1-9]\d*")


def test_the_configured_limit_of_connections_is_logged(start, plain_program):
    start(plain_program, "-max-connections", "123").wait_for_log(r"Connection limit 123\b")


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_kept(start, plain_program, identities, level):
    server = start(plain_program, "-log.level", level, pick_ports=True, wait=False)

    def serves():
        try:
            with ProtocolConnection(server.address, identities[0]) as client:
                client.check_alive()
                return True
        except ConnectionRefusedError:
            assert server.running(), f"the server has ended:\n{server.log()}"
            return False

    wait_for(serves, "the server to serve")
    server.stop()
    allowed = set(LEVELS[: LEVELS.index(level) + 1])
    got = check_lines(server.log()) if server.log().strip() else set()
    assert got <= allowed, f"levels: got {got}, want none but {allowed}:\n{server.log()}"
    assert (level not in ("error", "warning")) == ("URI: relay://" in server.log())


def test_json_lines_have_time_level_component_and_message(start, plain_program, identities):
    server = start(plain_program, "-log.format", "json", "-debug")
    some_traffic(server, identities)
    server.stop()
    messages = []
    for line in server.log().splitlines():
        record = json.loads(line)
        for name in ("time", "level", "component", "message"):
            assert isinstance(record.get(name), str), f"want text as {name} in: {line}"
        assert record["level"] in LEVELS, line
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", record["time"]), line
        messages.append(record["message"])
    assert any(message.startswith("URI: relay://") for message in messages), messages


def test_json_lines_escape_what_operators_write(start, plain_program):
    server = start(plain_program, "-log.format", "json", "-provided-by", 'a "b" \\ \n c')
    server.stop()
    for line in server.log().splitlines():
        json.loads(line)


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def test_a_file_takes_the_log(start, plain_program, identities, tmp_path):
    path = tmp_path / "relay.log"
    server = start(plain_program, "-log.target", "file", "-log.file", path, pick_ports=True,
                   wait=False)
    wait_for(lambda: any("URI: relay://" in line for line in lines_of(path)),
             lambda: f"the URI in {path}; stderr:\n{server.log()}")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
    server.stop()
    check_lines(path.read_text())
    assert "URI: relay://" not in server.log(), "the log went to stderr, too"


def test_a_file_is_added_to(start, plain_program, tmp_path):
    path = tmp_path / "relay.log"
    path.write_text("what was there before\n")
    start(plain_program, "-log.target", "file", "-log.file", path, wait=False)
    wait_for(lambda: len(lines_of(path)) > 1, "lines in the file")
    assert lines_of(path)[0] == "what was there before"


def test_a_moved_file_is_opened_anew_on_sighup(start, plain_program, identities, tmp_path):
    path, moved = tmp_path / "relay.log", tmp_path / "relay.log.1"
    server = start(plain_program, "-log.target", "file", "-log.file", path, "-debug",
                   pick_ports=True, wait=False)
    wait_for(lambda: any("URI: relay://" in line for line in lines_of(path)), "the URI in the log")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        path.rename(moved)
        server.send_signal(signal.SIGHUP)
        wait_for(path.exists, "a new file")
        client.check_alive()
    some_traffic(server, identities)
    wait_for(lambda: lines_of(path), "lines in the new file")
    before = moved.read_text()
    some_traffic(server, identities)
    server.stop()
    assert moved.read_text() == before, "the moved file was still written"
    check_lines(path.read_text())


def test_sighup_harms_no_client(start_ours, identities):
    server = start_ours()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        for _ in range(3):
            server.send_signal(signal.SIGHUP)
            client.check_alive()
    with ProtocolConnection(server.address, identities[1]) as client:
        client.join()


def test_a_file_that_cannot_be_opened_is_fatal(plain_program, tmp_path):
    result = run(plain_program, *COMMON, "-keys", str(tmp_path), "-log.target", "file",
                 "-log.file", str(tmp_path / "no-such-folder" / "relay.log"))
    assert result.returncode == 1, f"got {result.returncode}, want 1:\n{result.stderr}"
    assert "no-such-folder" in result.stderr, result.stderr


def test_syslog_takes_the_log(start, plain_program, tmp_path):
    path = tmp_path / "syslog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system_log:
        system_log.bind(str(path))
        system_log.settimeout(PATIENCE)
        start(plain_program, "-log.target", "syslog", "-log.syslog-socket", path, wait=False)
        for _ in range(20):
            record = system_log.recv(65536).decode()
            assert re.match(r"<\d{1,3}>", record), f"no priority: {record}"
            if "URI: relay://" in record:
                return
    raise AssertionError("the URI did not come within twenty records")


def test_a_syslog_that_was_away_gets_the_number_of_lost_lines(start, plain_program, tmp_path):
    path = tmp_path / "log"

    def begin():
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(str(path))
        sock.settimeout(PATIENCE)
        return sock

    with begin() as sock:
        server = start(plain_program, "-log.target", "syslog", "-log.syslog-socket", path, wait=False)
        wait_for(lambda: b"ready, with modules" in sock.recv(65536), "the last line of the start")
    path.unlink()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("cannot write to the syslog: .*; records are lost until it works again")
    with begin() as sock:
        wait_for(lambda: server.send_signal(signal.SIGHUP)
                 or re.search(rb"\d records could not be written here", sock.recv(65536)),
                 "the number of the lost lines")


def test_a_syslog_that_is_missing_is_fatal(plain_program, tmp_path):
    result = run(plain_program, *COMMON, "-keys", str(tmp_path), "-log.target", "syslog",
                 "-log.syslog-socket", str(tmp_path / "no-such-socket"))
    assert result.returncode == 1, f"got {result.returncode}, want 1:\n{result.stderr}"
    assert "no-such-socket" in result.stderr, result.stderr


@pytest.mark.parametrize("flag, value", [("-log.level", "loud"), ("-log.format", "xml"),
                                         ("-log.target", "printer")])
def test_a_value_that_is_none_is_refused(plain_program, tmp_path, flag, value):
    result = run(plain_program, *COMMON, "-keys", str(tmp_path), flag, value)
    assert result.returncode in (1, 2), f"got {result.returncode}:\n{result.stderr}"
    assert value in result.stderr, f"want {value} in:\n{result.stderr}"


def test_measuring_clients_are_not_logged(start, plain_program, identities):
    """Clients that measure latency connect and close at once, many times."""
    server = start(plain_program)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.check_alive()
    before = server.log()
    for _ in range(100):
        dial(server.address).close()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.check_alive()
    assert server.log() == before


@pytest.mark.parametrize("format_", ["text", "json"])
def test_no_token_is_logged(start, plain_program, identities, format_):
    server = start(plain_program, "-token", "the-right-token", "-debug", "-log.format", format_)
    for token in ("the-wrong-token", "the-right-token"):
        with ProtocolConnection(server.address, identities[0]) as client:
            client.ask(rp.JoinRelayRequest(token))
    server.stop()
    for token in ("the-wrong-token", "the-right-token"):
        assert token not in server.log(), server.log()


def test_no_key_of_a_session_is_logged(start, plain_program, identities):
    server = start(plain_program, "-debug")
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        with ProtocolConnection(server.address, identities[1]) as asker:
            keys = [asker.request(identities[0].id).key, target.invitation().key]
    server.stop()
    for key in keys:
        assert key.hex() not in server.log().lower()


def test_what_a_pipe_without_a_reader_has_lost_is_said(start, plain_program, tmp_path):
    """The first line after that says how many were lost."""
    pipe, conf = tmp_path / "log.pipe", tmp_path / "relay.conf"
    os.mkfifo(pipe)
    conf.write_text(f'modules = {{ log, relay, status, prometheus }}\nlog {{\n'
                    f'  target = file\n  file = "{pipe}"\n}}\n')
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    server = start(plain_program, "-conf", conf, wait=False)

    def read(pattern):
        seen = b""

        def look():
            nonlocal seen
            try:
                seen += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return re.search(pattern, seen.decode())

        return wait_for(look, lambda: f"a line like {pattern!r} in {seen!r}")

    address = read(r"status address: (\S+)[\s\S]*ready, with modules").group(1)
    os.close(reader)
    server.send_signal(signal.SIGHUP)  # the pipe has no reader
    server.wait_for_log("records are lost until it works again")
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as page:
        assert re.search(rb"\nstrelaysrv_core_log_dropped_total [1-9]", page.read())
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    server.send_signal(signal.SIGHUP)
    assert int(read(r"(\d+) records could not be written here").group(1)) > 0
    os.close(reader)


class Flood:
    """Strangers that cause debug lines: connections that send what is no protocol."""

    def __init__(self, server):
        self.server = server

    def some(self, count=50):
        for _ in range(count):
            with dial(self.server.address) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\n\r\n")


def dropped(server):
    page = server.get("/metrics")[2].decode()
    return int(float(re.search(r"\nstrelaysrv_core_log_dropped_total (\S+)", page).group(1)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_log_that_nobody_reads_is_lost_and_counted(module_server, identities, tmp_path, workers):  # noqa: F811
    """With -debug, amid a flood of strangers: sessions, joins and /healthz go on."""
    modules, pipe, seen = ["log", "relay", "status", "prometheus"], tmp_path / "log.pipe", b""
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    server = module_server(modules, workers=workers, args=["-debug"])
    server.wait_for_log("core: ready")

    def told(pattern):
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            while data := os.read(reader, 65536):
                seen += data
        return re.search(pattern, seen)

    server.configure(modules, {"log": {"target": "file", "file": pipe}})
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: told(b"core: reloaded"), "the log in the pipe")
    flood = Flood(server)
    with Invited(server, *identities[:2]) as invited:
        pair = invited.join_both()
        wait_for(lambda: flood.some() or dropped(server) > 0, "a record that is lost")
        before = dropped(server)
        wait_for(lambda: flood.some() or dropped(server) > before + 100, "more of them")
        check_both_ways(*pair)
    with Invited(server, *identities[1:3]) as invited:
        check_both_ways(*invited.join_both())
    assert server.get("/healthz")[0] == 200
    lost = rb"(\d+) records could not be written here"
    wait_for(lambda: flood.some(1) or told(lost), "the number of the lost lines")
    assert int(told(lost).group(1)) > 100
    os.close(reader)


def test_a_queue_without_room_is_counted(module_server, tmp_path, identities):  # noqa: F811
    """While the control thread hangs, workers go on, and what one cannot put into the queue is
    lost."""
    hold, log = tmp_path / "hold", tmp_path / "relay.log"
    modules = ["log", "relay", "status", "prometheus", "stuck-worker"]
    stuck = {"stuck-worker": {"file": hold, "in": "control-talk"}}
    server = module_server(modules, args=["-debug"], sections=stuck)
    server.wait_for_log("core: ready")
    server.configure(modules, {"log": {"target": "file", "file": log}, **stuck})
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: log.exists() and "core: reloaded" in log.read_text(), "the log in the file")
    with Invited(server, *identities[:2]) as invited:
        pair = invited.join_both()
        hold.touch()
        try:
            wait_for(hold.with_name("hold.held").exists, "the control thread to hang")
            wait_for(hold.with_name("hold.told").exists, "more records than the queue has room for")
            check_both_ways(*pair)
        finally:
            hold.unlink()
    # On a busy machine the file's own queue may be full, too, and lose that very line.
    lost = r"\d+ (log records were lost: there was no room for them|records could not be written)"
    flood = Flood(server)
    wait_for(lambda: flood.some(1) or re.search(lost, log.read_text()), "the number of lost records")
    assert dropped(server) > 0
    assert server.get("/healthz")[0] == 200
