# SPDX-License-Identifier: MPL-2.0
"""Kernel memory of sessions: its metric, and its limit `socket-buffer`."""

import contextlib
import signal

import pytest

from exposition import parse, value
from pairing import Invited, check_both_ways
from streams import CheckedStream
from waiting import pace, wait_for

KIBI = 1024
BUFFER = 64 * KIBI
#: Two sockets with two buffers each.  The last segment may double what a buffer holds.
BOUNDED = 4 * 2 * BUFFER
CONF = """\
modules = {{ log, relay, status, prometheus }}
pipe-size = 64KiB
socket-buffer = {buffer}
"""


@pytest.fixture
def start_bounded(start_ours, tmp_path):
    conf = tmp_path / "memory.conf"

    def start(buffer):
        conf.write_text(CONF.format(buffer=buffer))
        server = start_ours("-conf", conf)
        server.conf = conf
        return server

    return start


def kernel_memory(server):
    text = server.get("/metrics")[2].decode()
    return value(parse(text), "strelaysrv_core_session_kernel_memory_bytes")


def fill(sender):
    """Sends until all buffers between the two ends are full."""
    sender.sock.setblocking(False)
    block, quiet = bytes(BUFFER), 0
    while quiet < 10:
        try:
            sender.sock.send(block)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            pace()
    sender.sock.setblocking(True)


def test_a_slow_reader_costs_memory_and_the_metric_tells(start_bounded, identities):
    server = start_bounded("0")
    with Invited(server, *identities[:2]) as invited:
        one, _other = invited.join_both()
        assert kernel_memory(server) == 0
        fill(one)
        wait_for(lambda: kernel_memory(server) > BUFFER, "the metric to tell")
    with contextlib.suppress(OSError):
        one.close()
    wait_for(lambda: kernel_memory(server) == 0, "the end of the session")


def test_the_option_bounds_it(start_bounded, identities):
    server = start_bounded("64KiB")
    with Invited(server, *identities[:2]) as invited:
        one, _other = invited.join_both()
        fill(one)
        held = wait_for(lambda: kernel_memory(server), "the metric to tell")
        assert BUFFER / 4 < held <= BOUNDED


def test_bytes_pass_through_small_buffers(start_bounded, identities):
    server = start_bounded("64KiB")
    with Invited(server, *identities[:2]) as invited:
        one, other = (end.sock for end in invited.join_both())
        streams = [CheckedStream(one, other), CheckedStream(other, one)]
        wait_for(lambda: all(stream.received > 1000 * KIBI for stream in streams), "bytes")
        for stream in streams:
            stream.finish()


def test_a_reload_is_for_new_sessions(start_bounded, identities):
    server = start_bounded("0")
    server.conf.write_text(CONF.format(buffer="64KiB"))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("core: reloaded")
    with Invited(server, *identities[:2]) as invited:
        one, other = invited.join_both()
        check_both_ways(one, other)
        fill(one)
        held = wait_for(lambda: kernel_memory(server), "the metric to tell")
        assert held <= BOUNDED
