# SPDX-License-Identifier: MPL-2.0
"""One side of a session that waits for the other: the memory it uses, and when it ends."""

import fcntl
import socket
import struct

import pytest

from exposition import parse, value
from pairing import Invited, check_both_ways
from relay_client import reset
from waiting import pace, wait_for

KIBI = 1024
#: Kernel memory of the server for a connection without a session.
BEGINNER = 32 * KIBI
#: TIOCOUTQ is SIOCOUTQ: bytes that the peer's kernel has not acknowledged.
_SIOCOUTQ = 0x5411



@pytest.fixture
def server(start_ours, tmp_path):
    conf = tmp_path / "halves.conf"
    conf.write_text("modules = { log, relay, status, prometheus }\n")
    return start_ours("-conf", conf)


@pytest.fixture
def invited(server, identities):
    with Invited(server, *identities[:2]) as invited:
        yield invited


def halves(server):
    families = parse(server.get("/metrics")[2].decode())
    return value(families, "strelaysrv_relay_halves")


def taken_by_server(sock):
    """Sends until the buffers are full; returns how many bytes the server's kernel has."""
    sent, quiet = 0, 0
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    while quiet < 20:
        try:
            sent += sock.send(bytes(16 * KIBI))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            pace()
    sock.setblocking(True)
    return sent - struct.unpack("i", fcntl.ioctl(sock, _SIOCOUTQ, bytes(4)))[0]


@pytest.mark.parametrize("unread", [b"", b"bytes that nobody reads"], ids=["silent", "unread"])
def test_a_half_ends_when_its_peer_resets(invited, unread):
    half = invited.join_asker()
    wait_for(lambda: halves(invited.server) == 1, "the half to be counted")
    half.send_bytes(unread)
    reset(half.sock)
    # Long before message-timeout, which is a minute.
    wait_for(lambda: halves(invited.server) == 0, "the half to end")


def test_a_half_that_has_ended_its_sending_ends_at_a_reset(invited):
    half = invited.join_asker()
    half.send_bytes(b"last words")
    half.end_sending()
    wait_for(lambda: halves(invited.server) == 1, "the half to be counted")
    reset(half.sock)
    wait_for(lambda: halves(invited.server) == 0, "the half to end")


def test_a_half_holds_little_and_a_session_more(invited):
    half = invited.join_asker()
    assert taken_by_server(half.sock) <= BEGINNER
    other = invited.join_target()
    got = other.receive_bytes(4 * BEGINNER)
    assert got == bytes(4 * BEGINNER)


@pytest.mark.limits
def test_halves_are_counted_up_and_down(invited):
    one, other = invited.join_both()
    check_both_ways(one, other)
    assert halves(invited.server) == 0
