# SPDX-License-Identifier: MPL-2.0
"""A device comes back from a new address while the relay still knows its old, dead connection."""

import contextlib

import pytest

import relay_protocol as rp
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import wait_for

OLD, NEW = "127.0.0.1", "127.0.0.2"


class Meeting:
    """A session of `device`, opened from the address `source`, with a peer that has joined."""

    def __init__(self, server, device, peer, source):
        self._stack = contextlib.ExitStack()
        with ProtocolConnection(server.address, device, source=source) as asking:
            to_device = asking.request(peer.identity.id)
        to_peer = peer.invitation()
        self.device = self._stack.enter_context(SessionConnection(server.address, source=source))
        self.peer = self._stack.enter_context(SessionConnection(server.address))
        self.device.join(to_device.key)
        self.peer.join(to_peer.key)
        self.check()

    def check(self):
        """Checks that it relays in both directions."""
        for one, other in ((self.device, self.peer), (self.peer, self.device)):
            one.send_bytes(b"alive")
            assert other.receive_bytes(5) == b"alive"

    def ended(self):
        """Waits until the peer sees its end."""
        try:
            return self.peer.receive_some() == b""
        except Closed:
            return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


@pytest.fixture
def peer(ours, identities):
    with ProtocolConnection(ours.address, identities[1]) as joined:
        yield joined.join()


@pytest.fixture
def silent(ours, identities):
    """The device's old connection, which is open but answers nothing."""
    with ProtocolConnection(ours.address, identities[0], source=OLD) as joined:
        yield joined.join()


@contextlib.contextmanager
def coming_back(server, identity):
    with ProtocolConnection(server.address, identity, source=NEW) as again:
        again.send(rp.JoinRelayRequest())
        yield again


def check_replaced(server, silent, again):
    again.expect(rp.response(rp.SUCCESS))
    silent.sock.recv(65536)  # pings
    silent.expect_close()
    assert server.count("replaced by a newer connection") <= 1


def test_what_it_opened_after_its_join_stays(ours, silent, peer, identities):
    with Meeting(ours, identities[0], peer, OLD) as before, \
            coming_back(ours, identities[0]) as again:
        # The relay pings the old connection, so it has received the join.
        assert silent.receive() == rp.Ping()
        with Meeting(ours, identities[0], peer, NEW) as since:
            check_replaced(ours, silent, again)
            assert before.ended()
            since.check()
            # The end of the old connection must not affect the new one later.
            again.check_alive()
            wait_for(lambda: ours.status()["numActiveSessions"] == 1, "one session to be left")
            since.check()


def test_what_it_opened_before_its_join_from_there_stays(ours, silent, peer, identities):
    with Meeting(ours, identities[0], peer, OLD) as before, \
            Meeting(ours, identities[0], peer, NEW) as since, \
            coming_back(ours, identities[0]) as again:
        check_replaced(ours, silent, again)
        assert before.ended()
        since.check()


def test_from_the_same_address_what_is_older_ends(ours, silent, peer, identities):
    with Meeting(ours, identities[0], peer, OLD) as before, \
            ProtocolConnection(ours.address, identities[0], source=OLD) as again:
        again.send(rp.JoinRelayRequest())
        check_replaced(ours, silent, again)
        assert before.ended()


def test_without_a_successor_all_end(ours, silent, peer, identities):
    with Meeting(ours, identities[0], peer, OLD) as one, \
            Meeting(ours, identities[0], peer, NEW) as other:
        silent.close()
        assert one.ended() and other.ended()
