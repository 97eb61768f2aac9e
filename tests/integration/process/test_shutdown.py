# SPDX-License-Identifier: MPL-2.0
"""Stopping the server by a signal, with clients and under load."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

import faults
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection
from upgrading import children
from waiting import PATIENCE, pace, wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_it_with_code_0(start, each_program, identities, number):
    server = start(each_program)
    # The Go relay asks for signals after it has said that it listens.
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
    got = server.stop(number)
    assert got == 0, f"exit code after {number.name}: got {got}, want 0"


@pytest.mark.limits
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_all_clients_notice_the_end(start_any, identities, number):
    server = start_any()
    with Invited(server, identities[0], identities[1]) as invited:
        both = invited.join_both()
        check_both_ways(*both)
        server.send_signal(number)
        invited.target.expect_close()
        for connection in both:
            connection.expect_close()
        got = server.wait_for_exit()
    assert got == 0, f"exit code: got {got}, want 0"


def test_the_end_does_not_wait_for_silent_clients(start_ours, identities):
    server = start_ours()
    clients = [SessionConnection(server.address) for _ in range(5)]
    clients.append(ProtocolConnection(server.address, identities[0]))
    got = server.stop()
    assert got == 0, f"exit code: got {got}, want 0"
    for client in clients:
        client.expect_close()
        client.close()


@pytest.mark.limits
def test_the_end_under_load_is_clean(start_ours, identities):
    server = start_ours()
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        asker.sock.settimeout(0)
        try:
            while True:
                asker.sock.send(b"x" * 65536)  # until all buffers are full
        except BlockingIOError:
            pass
        got = server.stop()
        assert got == 0, f"exit code: got {got}, want 0"
        try:
            while target.receive_some():
                pass  # the rest that was in transit
        except Closed:
            pass


def unacknowledged(sock):
    """Bytes that the kernel has sent without acknowledgement, or not sent yet (SIOCOUTQ)."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]


def unread(server, client):
    """Bytes from that client that the server has not read, from /proc."""
    ends = [f":{port:04X}" for port in (server.address[1], client.getsockname()[1])]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
            return int(fields[4].partition(":")[2], 16)
    raise AssertionError("the server has no such connection")


class Filler:
    """Sends random bytes until all buffers of the path are full."""

    def __init__(self, connection):
        self.sock = connection.sock
        self.data = bytearray()
        self.fill()

    def fill(self):
        """Retries, because buffers grow while they are filled."""
        self.sock.settimeout(0)
        full = 0
        while full < 3 and len(self.data) < 64 << 20:
            piece = os.urandom(1 << 16)
            try:
                self.data += piece[:self.sock.send(piece)]
                full = 0
            except BlockingIOError:
                full += 1
                pace(0.1)
        self.sock.settimeout(PATIENCE)

    def had_reached_the_server(self):
        return len(self.data) - unacknowledged(self.sock)


@pytest.mark.parametrize("both_ways", [False, True])
def test_full_buffers_reach_readers_in_the_grace(start_ours, identities, both_ways):
    server = start_ours("-stop-grace", f"{min(60, PATIENCE):.0f}s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        fillers = [Filler(ends[0])] + ([Filler(ends[1])] if both_ways else [])
        least = [filler.had_reached_the_server() for filler in fillers]
        assert min(least) > 100_000, f"buffers are full with {least} bytes"
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("core: stopping")
        for filler, reader, reached in zip(fillers, ends[::-1], least):
            got = bytearray()
            while piece := reader.receive_some(1 << 20):
                got += piece
                pace(0.001)
            assert got == filler.data[:len(got)], "the bytes that came are not those sent"
            assert len(got) >= reached, f"got {len(got)} bytes of {reached} that were underway"
            reader.close()
        assert server.wait_for_exit() == 0
        assert "did not take" not in server.log()


def test_who_does_not_read_is_cut_after_the_grace(start_ours, identities):
    server = start_ours("-stop-grace", "300ms")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        filler = Filler(asker)
        assert server.stop() == 0
        assert re.search(r"\d connections did not take their last bytes within 300 ms",
                         server.log())
        got = bytearray()
        try:
            while piece := target.receive_some(1 << 20):
                got += piece
        except Closed:
            pass
        assert got == filler.data[:len(got)]


def test_answers_that_are_queued_are_delivered(start_ours, identities):
    """The answers are in the server's buffers when it is told to stop."""
    server = start_ours("-stop-grace", "60s", "-relay.messages-per-minute", 0)
    with ProtocolConnection(server.address, identities[0], receive_buffer=2048) as device:
        device.join()
        count = 1000
        for _ in range(count):
            device.send(rp.Ping())
        # The server can only have read what the device's kernel has sent.
        wait_for(lambda: unacknowledged(device.sock) == 0 and unread(server, device.sock) == 0,
                 "the server to read all questions")
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("core: stopping")
        for number in range(count):
            try:
                assert device.receive() == rp.Pong()
            except Closed as error:
                raise AssertionError(f"after {number} answers: {error}\n{server.log()}") from error
        device.expect_end_of_file()
        device.close()
        assert server.wait_for_exit() == 0


def test_a_second_signal_ends_it_at_once(start_ours, identities):
    server = start_ours("-stop-grace", "60s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, _ = invited.join_both()
        Filler(asker)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("core: stopping")
        begin = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert server.wait_for_exit() == 0
        assert time.monotonic() - begin < 55


def refuses(address):
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def test_other_signals_do_not_disturb_the_end(start_ours, identities):
    server = start_ours("-stop-grace", "60s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        filler = Filler(asker)
        server.send_signal(signal.SIGTERM)
        # Waits until all workers are stopping.  Before that, a lost device ends its sessions with a
        # reset.
        wait_for(lambda: refuses(server.address), "the listeners to close")
        for number in (signal.SIGHUP, signal.SIGUSR1):
            server.send_signal(number)
        invited.target.close()
        got = target.receive_to_end()
        assert got == filler.data[:len(got)]
        target.close()
        asker.close()
        assert server.wait_for_exit() == 0


def test_without_grace_everybody_goes_at_once(start_ours, identities):
    server = start_ours("-stop-grace", "0s")
    with Invited(server, identities[0], identities[1]) as invited, \
            SessionConnection(server.address) as silent:
        both = invited.join_both()
        server.send_signal(signal.SIGTERM)
        for connection in (*both, invited.target, silent):
            connection.expect_close()
        assert server.wait_for_exit() == 0


def test_a_second_signal_ends_it_though_the_control_thread_hangs(module_server):  # noqa: F811
    server = module_server(["log", "relay", "stuck-control"])
    (server.folder / "hold").touch()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("stuck-control: stuck")
    server.send_signal(signal.SIGTERM)
    server.send_signal(signal.SIGINT)
    assert server.wait_for_exit() == 0


@faults.needs_memory
def test_a_check_can_be_interrupted(plain_program, tmp_path):
    fault = faults.Faults(tmp_path)
    fault.begin(faults.STUCK, 1, 0)
    conf = tmp_path / "relay.conf"
    conf.write_text("\n")
    with subprocess.Popen([plain_program.path, "-conf", conf, "-keys", tmp_path, "-check"],
                          env=fault.environment, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: fault.counted, "the process that reads the file")
        wait_for(lambda: children(process.pid), "the reader among the children")
        readers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    # The fault holds the reader before it asks to end with its parent.
    for pid, _ in readers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
