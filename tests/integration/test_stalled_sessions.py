# SPDX-License-Identifier: MPL-2.0
"""Readers that stall: what their sessions hold in the kernel, and when they end."""

import contextlib
import threading

import pytest

from exposition import parse, value
from pairing import Invited, check_both_ways
from waiting import Deadline, pace, wait_for

KIBI = 1024
BLOCK = 64 * KIBI
#: What a direction may hold that has delivered next to nothing, and the kernel's rounding.
STALLED = 512 * KIBI
ROUNDING = 128 * KIBI


@pytest.fixture
def start_with(start_ours, tmp_path):
    conf = tmp_path / "stalled.conf"

    def start(*lines):
        conf.write_text("\n".join(("modules = { log, relay, status, prometheus }",) + lines) + "\n")
        return start_ours("-conf", conf)

    return start


def metric(server, name, **labels):
    return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_core_{name}", **labels)


def kernel_memory(server):
    return metric(server, "session_kernel_memory_bytes")


class Writer:
    """Sends as fast as it goes until the session ends."""

    def __init__(self, sock):
        self.sock = sock
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                self.sock.sendall(bytes(BLOCK))


def test_a_reader_that_never_reads_costs_little(start_with, identities):
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, _deaf = invited.join_both()
        Writer(one.sock)
        wait_for(lambda: metric(server, "sessions_stalled") == 1, "the stall to be seen")
        held = wait_for(lambda: kernel_memory(server), "the metric to tell")
        assert held <= STALLED + ROUNDING


def test_a_reader_that_stops_with_much_on_its_way_loses_its_session(start_with, identities):
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, stops = invited.join_both()
        Writer(one.sock)
        for _ in range(256):
            stops.receive_bytes(BLOCK)

        def bounded():
            return metric(server, "sessions_closed_total", reason="stalled") == 1 or (
                metric(server, "sessions_stalled") == 1
                and kernel_memory(server) <= STALLED + ROUNDING)

        wait_for(bounded, "little memory, or the end", Deadline(60))


def test_sessions_that_stall_go_first_when_memory_is_short(start_with, identities):
    """The bound is that of a few sessions: those whose readers read go on."""
    server = start_with("session-memory = 1MiB")
    with Invited(server, *identities[:2]) as good, contextlib.ExitStack() as stack:
        reading = good.join_both()
        for i in range(4):
            pair = stack.enter_context(Invited(server, identities[2 + i], identities[10 + i]))
            Writer(pair.join_both()[0].sock)
        wait_for(lambda: metric(server, "sessions_closed_total", reason="pressure") >= 1,
                 "sessions that stall to end")
        check_both_ways(*reading)
        assert metric(server, "session_memory_limit_bytes") == 1024 * KIBI


def test_a_slow_reader_keeps_its_session_and_gets_all(start_with, identities):
    """It reads 64 kbit/s for longer than a stall is borne, then as fast as it can."""
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, slow = invited.join_both()
        Writer(one.sock)
        slowly = Deadline(20)
        while not slowly.passed():
            slow.receive_bytes(8000 // 10)
            pace(0.1)
        assert metric(server, "sessions") == 1
        for _ in range(512):
            slow.receive_bytes(BLOCK)
        assert metric(server, "sessions_closed_total", reason="stalled") == 0
