# SPDX-License-Identifier: MPL-2.0
"""Sessions that end with full send queues must not leave data in the kernel for long."""

import contextlib
import socket
import threading

import pytest

from exposition import parse, value
from orphaned import orphans
from pairing import Invited
from relay_client import reset
from waiting import pace, wait_for

KIBI = 1024
BLOCK = 64 * KIBI


@pytest.fixture
def server(start_ours, tmp_path):
    conf = tmp_path / "orphans.conf"
    conf.write_text("modules = { log, relay, status, prometheus }\n")
    return start_ours("-conf", conf)


def metric(server, name, **labels):
    return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_core_{name}", **labels)


def held_by_orphans(server):
    return orphans(server.address[1])[1]


def fill(sock):
    """Sends until all buffers between the two ends are full."""
    sock.setblocking(False)
    quiet = 0
    while quiet < 10:
        try:
            sock.send(bytes(BLOCK))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            pace()
    sock.setblocking(True)


def settled(server):
    """Whether there are no sessions and no orphaned sockets."""
    return (metric(server, "sessions") == 0 and metric(server, "connections_lingering") == 0
            and held_by_orphans(server) == 0)


@pytest.mark.limits
def test_a_lost_device_leaves_no_orphans(server, identities):
    with contextlib.ExitStack() as readers:
        with Invited(server, *identities[:2]) as invited:
            one, deaf = invited.join_both()
            fill(one.sock)
            # The reader's socket stays open, unread, after its device has disconnected.
            readers.enter_context(socket.socket(fileno=deaf.sock.detach()))
            invited.target.close()
            wait_for(lambda: settled(server), "the kernel to let go")
            assert metric(server, "connections_cut_total") >= 1


@pytest.mark.parametrize("who", ["source", "reader"])
def test_a_reset_leaves_no_orphans(server, identities, who):
    with Invited(server, *identities[:2]) as invited:
        one, deaf = invited.join_both()
        fill(one.sock)
        reset(one.sock if who == "source" else deaf.sock)
        wait_for(lambda: settled(server), "the kernel to let go")


def test_two_ends_leave_no_orphans(server, identities):
    """Both sides have sent their end, and one does not read."""
    with Invited(server, *identities[:2]) as invited:
        one, deaf = invited.join_asker(), invited.join_target(receive_buffer=4 * KIBI)
        end_with_bytes_owed(one, deaf)
        wait_for(lambda: metric(server, "connections_lingering") == 1, "the end")
        wait_for(lambda: settled(server), "the kernel to let go")
        assert metric(server, "connections_cut_total") >= 1


def end_with_bytes_owed(one, deaf, size=BLOCK):
    """Both sides end, and one does not read."""
    one.send_bytes(bytes(size))
    one.end_sending()
    deaf.end_sending()


def test_what_a_session_leaves_counts_on(server, identities):
    """What the kernel still holds counts towards session-memory."""
    with Invited(server, *identities[:2]) as invited:
        end_with_bytes_owed(invited.join_asker(), invited.join_target(receive_buffer=4 * KIBI))

        def counts():
            got = parse(server.get("/metrics")[2].decode())
            return (value(got, "strelaysrv_core_sessions") == 0
                    and value(got, "strelaysrv_core_session_kernel_memory_bytes") > 0)

        wait_for(counts, "what it left to be counted")
        wait_for(lambda: settled(server), "the kernel to let go")
        assert metric(server, "session_kernel_memory_bytes") == 0


def test_what_a_session_leaves_goes_when_memory_is_short(start_ours, tmp_path, identities):
    """Even if its reader makes progress."""
    conf = tmp_path / "short.conf"
    conf.write_text("modules = { log, relay, status, prometheus }\nsession-memory = 64KiB\n")
    server = start_ours("-conf", conf)
    with Invited(server, *identities[:2]) as invited:
        slow = invited.join_target(source="127.0.0.9", receive_buffer=4 * KIBI)
        end_with_bytes_owed(invited.join_asker(), slow, 3 * BLOCK)
        slow.sock.setblocking(False)

        def cut():
            with contextlib.suppress(OSError):
                slow.sock.recv(KIBI)
            return metric(server, "connections_cut_total") == 1

        wait_for(cut, "the kernel to let go")
        assert metric(server, "connections_lingering") == metric(server, "sessions") == 0
        assert metric(server, "sessions_closed_total", reason="eof") == 1


def test_one_source_does_not_linger_in_all_places(server, identities):
    """A sixteenth of them, 64 for each of two workers at most."""
    many, most, there = 140, 128, []
    with Invited(server, *identities[:2]) as invited:
        for i in range(many):
            if i:
                invited.ask()
            there.append((invited.join_asker(source="127.0.0.9"),
                          invited.join_target(source="127.0.0.9", receive_buffer=4 * KIBI)))
        # The connections of those who asked may linger, too.
        wait_for(lambda: metric(server, "connections_lingering") == 0, "the askers' end")
        for one, deaf in there:
            end_with_bytes_owed(one, deaf)
        wait_for(lambda: metric(server, "sessions") == 0, "their end")
        assert metric(server, "connections_lingering") <= most
        wait_for(lambda: metric(server, "connections_cut_total") >= many - most, "the others' end")


def test_a_slow_reader_gets_its_last_bytes(server, identities):
    """This takes longer than the server lingers for a reader without progress."""
    total, got = 2 * BLOCK, 0
    with Invited(server, *identities[:2]) as invited:
        one, slow = invited.join_asker(), invited.join_target(receive_buffer=4 * KIBI)
        writer = threading.Thread(target=one.send_bytes, args=(bytes(total),))
        writer.start()
        slow.end_sending()
        while True:
            part = slow.sock.recv(KIBI)
            got += len(part)
            if not part:
                break
            if got >= total // 4 and writer.is_alive():
                writer.join()
            if got >= total // 4 and one.sock.fileno() >= 0:
                one.close()
            pace()
    assert got == total
    assert metric(server, "connections_cut_total") == 0
