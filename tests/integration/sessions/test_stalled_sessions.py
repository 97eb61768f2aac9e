# SPDX-License-Identifier: MPL-2.0
"""Readers that stall: how much kernel memory their sessions use, and when they end."""

import contextlib
import pathlib
import re
import select
import socket
import subprocess
import threading

import pytest

import relay_protocol as rp
from exposition import parse, value
from flows import Sender
from pairing import Invited, check_both_ways
from waiting import PATIENCE, Deadline, pace, wait_for

KIBI = 1024
BLOCK = 64 * KIBI
PIPE = 1024 * KIBI
#: The limit for a direction that has delivered almost nothing, without the kernel's rounding.
STALLED = 512 * KIBI
ROUNDING = 128 * KIBI
#: SHORT_PATH_BYTES of core/net/socket_memory.c.
SHORT_PATH = 320 * KIBI


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


class Reader:
    """Reads `rate` bytes a second, in ten pieces, until the session ends."""

    def __init__(self, rate, *sockets):
        self.piece = rate // 10
        self.sockets = sockets
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        for sock in self.sockets:
            sock.setblocking(False)
        left = set(self.sockets)
        while left:
            for sock in list(left):
                try:
                    if not sock.recv(self.piece):
                        left.remove(sock)
                except BlockingIOError:
                    pass
                except OSError:
                    left.remove(sock)
            pace(0.1)


class Writer:
    """Sends as fast as possible until the session ends."""

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


def stays(invited):
    """Answers a ping, so that the target does not time out.  Returns False for use in a
    condition."""
    if select.select([invited.target.sock], [], [], 0)[0]:
        assert invited.target.receive() == rp.Ping()
        invited.target.send(rp.Pong())
    return False


def begin_fast(one, other):
    """The kernel's buffers grow with what is delivered, so much is in transit when the reader slows
    down."""
    Writer(one.sock)
    for _ in range(256):
        other.receive_bytes(BLOCK)


def test_a_reader_that_stops_for_a_while_keeps_its_session(start_with, identities):
    """Like a phone in a tunnel: much is in transit, and the reader takes nothing for 17 s."""
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, stops = invited.join_both()
        begin_fast(one, stops)
        wait_for(lambda: metric(server, "sessions_stalled") == 1, "the stall to be seen")
        stopped = Deadline(17)
        wait_for(lambda: stopped.passed() or not metric(server, "sessions"), "its time")
        assert metric(server, "sessions") == 1
        # The kernel doubles its retransmission timeout, so the next try may take as long again.
        stops.sock.settimeout(3 * PATIENCE)
        for _ in range(512):
            stops.receive_bytes(BLOCK)


def most_memory(server, invited, seconds):
    """The most memory that the kernel holds in that time, or until the session's end."""
    time, looks = Deadline(seconds), [kernel_memory(server)]

    def look():
        looks.append(kernel_memory(server))
        return time.passed() or not metric(server, "sessions") or stays(invited)

    wait_for(look, "its time", Deadline(seconds + PATIENCE))
    return max(looks)


def most_queued():
    """The largest receive buffer, send buffer and pipe of a direction."""
    buffers = (pathlib.Path(f"/proc/sys/net/ipv4/{name}").read_text().split()[2]
               for name in ("tcp_rmem", "tcp_wmem"))
    return sum(map(int, buffers)) + PIPE


def test_for_a_reader_that_stops_after_a_fast_time_no_more_is_read(start_with, identities):
    """What is queued cannot be taken back. It does not grow, and stays for network-timeout only."""
    server = start_with("relay { network-timeout = 16s", "ping-interval = 1s }")
    with Invited(server, *identities[:2]) as invited:
        asker, stops = invited.join_both()
        begin_fast(asker, stops)
        wait_for(lambda: metric(server, "sessions_squeezed"), "no more to be read for it")

        # What the sender may send by what it was told before still arrives.
        held = most_memory(server, invited, 4)
        assert held <= most_queued() + ROUNDING
        assert most_memory(server, invited, 60) <= held + ROUNDING
        wait_for(lambda: kernel_memory(server) == 0, "its memory to be free again")
        assert sum(metric(server, "sessions_closed_total", reason=reason)
                   for reason in ("stalled", "timeout")) == 1


def send_buffer(server, reader):
    """The size of the server's send buffer for that reader in bytes."""
    text = subprocess.run(
        ["ss", "-tmnH", f"sport = :{server.address[1]} and dport = :{reader.sock.getsockname()[1]}"],
        capture_output=True, text=True, check=True).stdout
    return int(re.search(r"skmem:\(.*?,tb(\d+)", text).group(1))


def test_on_a_short_path_the_send_buffer_is_small(start_with, identities):
    """A larger one would hold more, and nothing would be faster."""
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, other = invited.join_both()
        Writer(one.sock)

        def fits():
            other.receive_bytes(16 * BLOCK)
            return send_buffer(server, other) == SHORT_PATH

        wait_for(fits, f"a send buffer of {SHORT_PATH} bytes")


def test_a_reader_that_takes_all_gets_its_buffers_back(start_with, identities):
    # More than all kernel buffers hold, so that the sender is not done.
    server, size, first = start_with(), 4096 * BLOCK, 256 * BLOCK
    with Invited(server, *identities[:2]) as invited:
        one, stops = invited.join_both()
        sender, _ = Sender(one, size, 1), stops.receive_bytes(first)
        wait_for(lambda: metric(server, "sessions_squeezed") == 1, "the stall to have its effect")
        squeezed = send_buffer(server, stops)
        stops.receive_bytes(size - first)
        sender.join()
        wait_for(lambda: metric(server, "sessions_squeezed") == 0, "the end of that")
        Writer(one.sock)

        def flows():
            stops.receive_bytes(16 * BLOCK)
            return send_buffer(server, stops) > squeezed

        wait_for(flows, f"more than {squeezed} bytes to be allowed")


def test_a_reader_that_sends_does_not_get_its_buffers_back(start_with, identities):
    """What it sends is delivered, so its receive buffer is enlarged: its send buffer stays."""
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        one, stops = invited.join_both()
        begin_fast(one, stops)
        wait_for(lambda: metric(server, "sessions_squeezed") == 1, "the stall to have its effect")
        squeezed = send_buffer(server, stops)
        sender = Sender(stops, 16 * BLOCK, 1)
        one.receive_bytes(16 * BLOCK)
        sender.join()
        # The kernel enlarges the buffer when the reader has taken a part of what it holds.
        for _ in range(16):
            stops.receive_bytes(2 * BLOCK)
            pace()
            grown = send_buffer(server, stops) > 2 * squeezed
            assert not grown or metric(server, "sessions_squeezed") == 0


def test_little_progress_keeps_no_session(start_with, identities):
    """Half of the required rate, for longer than network-timeout."""
    server = start_with("relay { network-timeout = 10s", "ping-interval = 1s }")
    with Invited(server, *identities[:2]) as invited:
        asker = invited.join_asker()
        Reader(50, invited.join_target(receive_buffer=4 * KIBI, segment=1000).sock)
        Writer(asker.sock)
        wait_for(lambda: metric(server, "sessions") == 0 or stays(invited), "the session's end")
        # If its window has not opened at all in that time, the session was idle and has timed out.
        assert sum(metric(server, "sessions_closed_total", reason=reason)
                   for reason in ("stalled", "timeout")) == 1


@pytest.mark.parametrize("rate", [3000, 6000])
def test_a_reader_over_a_bad_link_keeps_its_session(start_with, identities, rate):
    """Megabytes are queued, and the reader is slow for longer than network-timeout.  The server
    reads no more for it."""
    server = start_with("relay { network-timeout = 8s", "ping-interval = 1s }")
    with Invited(server, *identities[:2]) as invited:
        asker = invited.join_asker()
        slow = invited.join_target(receive_buffer=16 * KIBI, segment=500)
        begin_fast(asker, slow)
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIBI)
        Reader(rate, slow.sock)
        wait_for(lambda: metric(server, "sessions_squeezed") or stays(invited),
                 "no more to be read for it")

        # What the sender may send by what it was told before still arrives.
        held = most_memory(server, invited, 6)
        assert most_memory(server, invited, 12) <= held + ROUNDING
        assert metric(server, "sessions") == 1
        assert metric(server, "sessions_closed_total", reason="stalled") == 0


def test_a_reader_that_drains_too_slowly_ends(start_with, identities):
    """The reader is fast first.  Then it is so slow that the queued data would take hours.  The
    session is not idle, but exceeds its time to drain."""
    server = start_with("relay { network-timeout = 4s", "ping-interval = 1s }")
    with Invited(server, *identities[:2]) as invited:
        asker = invited.join_asker()
        slow = invited.join_target(receive_buffer=16 * KIBI, segment=500)
        begin_fast(asker, slow)
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIBI)
        Reader(6000, slow.sock)
        wait_for(lambda: metric(server, "sessions_squeezed") or stays(invited),
                 "no more to be read for it")
        wait_for(lambda: not metric(server, "sessions") or stays(invited), "the session's end",
                 Deadline(120))
        assert metric(server, "sessions_closed_total", reason="stalled") == 1


def test_a_slow_reader_makes_the_server_hold_little(start_with, identities):
    """On a short path, 1 MB/s need little memory.  The server reads no more until the rest is
    delivered."""
    server = start_with()
    with Invited(server, *identities[:2]) as invited:
        asker, slow = invited.join_both()
        begin_fast(asker, slow)
        Reader(1_000_000, slow.sock)
        wait_for(lambda: kernel_memory(server), "the metric to tell")  # megabytes at first
        wait_for(lambda: kernel_memory(server) < 1536 * KIBI, "little memory", Deadline(60))
        assert metric(server, "sessions") == 1


def test_memory_of_all_is_bounded(start_with, identities):
    """40 sessions whose readers are too fast to count as stalled, and one that holds nothing."""
    limit = 4096 * KIBI
    server = start_with("session-memory = 4MiB")
    with Invited(server, *identities[:2]) as good, contextlib.ExitStack() as stack:
        good_ends = good.join_both()
        pairs = [stack.enter_context(Invited(server, identities[2 + i % 8], identities[10 + i % 8]))
                 for i in range(8)]
        many = []
        for i in range(40):
            pair = pairs[i % 8]
            if i >= 8:
                pair.ask()
            many.append((pair.join_asker(), pair.join_target(receive_buffer=8 * KIBI, segment=1000)))
        Reader(4000, *(reader.sock for _, reader in many))
        for writer, _ in many:
            Writer(writer.sock)
        wait_for(lambda: kernel_memory(server) > limit, "too much memory")
        wait_for(lambda: metric(server, "sessions_closed_total", reason="pressure") > 0
                 and kernel_memory(server) <= limit, "the bound", Deadline(60))
        check_both_ways(*good_ends)
        assert metric(server, "sessions") > 1


def invite(server, stack, asker, target):
    return stack.enter_context(Invited(server, asker, target))


def test_the_source_that_has_most_gives_way(start_with, identities):
    """Three sessions of three sources stall.  Then 30 of one source stall, which is too much in
    total.  Only sessions of that source end, and a session that holds nothing can begin
    meanwhile."""
    limit = 12 << 20
    server = start_with("session-memory = 12MiB")
    with contextlib.ExitStack() as stack:
        few = [invite(server, stack, *identities[2 * i:2 * i + 2]) for i in range(3)]
        kept = [(pair.join_asker(source=f"127.0.0.{2 + i}"),
                 pair.join_target(source=f"127.0.0.{2 + i}")) for i, pair in enumerate(few)]
        for one, _stalls in kept:
            Writer(one.sock)
        wait_for(lambda: metric(server, "sessions_stalled") == 3, "them to stall")
        many, late = (invite(server, stack, *identities[i:i + 2]) for i in (6, 8))
        for i in range(30):
            if i:
                many.ask()
            one, _stalls = many.join_asker(source="127.0.0.9"), many.join_target(source="127.0.0.9")
            Writer(one.sock)
        wait_for(lambda: kernel_memory(server) > limit, "too much memory")
        check_both_ways(*late.join_both())
        wait_for(lambda: metric(server, "sessions_closed_total", reason="pressure") > 0
                 and kernel_memory(server) <= limit, "the bound")
        assert metric(server, "sessions") > 10
        for _one, stalls in kept:
            stalls.receive_bytes(BLOCK)
        assert metric(server, "sessions_refused_total") == 0


def test_no_session_begins_while_memory_is_short(start_with, identities):
    server = start_with("session-memory = 64KiB")
    with Invited(server, *identities[:2]) as holder, Invited(server, *identities[2:4]) as late:
        asker = holder.join_asker()
        Reader(4000, holder.join_target(receive_buffer=8 * KIBI, segment=1000).sock)
        Writer(asker.sock)
        # This machine is no source: more than twice as much keeps it out.
        wait_for(lambda: kernel_memory(server) > 128 * KIBI, "too much memory")
        ends = late.join_both()
        assert [end.receive_to_end() for end in ends] == [b"", b""]
        assert metric(server, "sessions_refused_total") == 1
        wait_for(lambda: kernel_memory(server) <= 64 * KIBI, "the holder's end")
        late.ask()
        check_both_ways(*late.join_both())


def test_a_slow_reader_keeps_its_session_and_gets_all(start_with, identities):
    """The reader takes 64 kbit/s for longer than a stall is allowed, then reads as fast as it
    can."""
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
