# SPDX-License-Identifier: MPL-2.0
"""The connection limit: what counts, who is refused, and who may stay."""

import contextlib

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import wait_for


def join_is_refused(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.JoinRelayRequest()) == rp.RelayFull()


@pytest.mark.limits
def test_a_join_over_the_limit_is_refused(start_ours, identities):
    server = start_ours("-max-connections", "3")
    with contextlib.ExitStack() as stack:
        for identity in identities[:3]:
            stack.enter_context(ProtocolConnection(server.address, identity)).join()
        with ProtocolConnection(server.address, identities[3]) as client:
            client.send(rp.JoinRelayRequest())
            client.expect_last(rp.RelayFull())
        with ProtocolConnection(server.address, identities[4]) as client:
            client.send(rp.JoinRelayRequest())
            client.expect_last(rp.RelayFull())
    server.wait_for_log("the bound max-connections was reached: devices get RelayFull")


def test_a_place_that_becomes_free_is_given_again(start_ours, identities):
    server = start_ours("-max-connections", "2")
    with ProtocolConnection(server.address, identities[0]) as staying:
        staying.join()
        leaving = ProtocolConnection(server.address, identities[1]).join()
        assert join_is_refused(server, identities[2])
        leaving.close()

        def try_to_join():
            with ProtocolConnection(server.address, identities[2]) as client:
                return client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS)

        wait_for(try_to_join, "a place to become free")
        staying.check_alive()


def test_who_is_refused_for_the_limit_is_not_joined(start_ours, identities):
    server = start_ours("-max-connections", "1")
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join()
        assert join_is_refused(server, identities[1])
        with ProtocolConnection(server.address, identities[2]) as client:
            client.send(rp.ConnectRequest(identities[1].id))
            client.expect_last(rp.response(rp.NOT_FOUND))


def test_sessions_are_still_made_at_the_limit(start_ours, identities):
    """At the limit, a joined device can still be requested, and both sides of its session are
    accepted."""
    server = start_ours("-max-connections", "2")
    with ProtocolConnection(server.address, identities[2]) as other:
        other.join()
        with Invited(server, identities[0], identities[1]) as invited:
            check_both_ways(*invited.join_both())
            assert join_is_refused(server, identities[3])


def test_idle_devices_are_sent_away_over_the_limit(start_ours, identities):
    """Those in a session stay, the others get RelayFull in place of their next ping."""
    server = start_ours("-max-connections", "3", "-ping-interval", "1s")
    with ProtocolConnection(server.address, identities[2]) as idle:
        idle.join()
        with Invited(server, identities[0], identities[1]) as invited:
            both = invited.join_both()
            idle.expect_last(rp.RelayFull())
            assert invited.target.receive() == rp.Ping()
            invited.target.send(rp.Pong())
            check_both_ways(*both)


@pytest.mark.parametrize("words", [b"", b"\x9e", b"\x16"])
def test_who_has_proven_nothing_does_not_count(start_ours, identities, words):
    server = start_ours("-max-connections", "3", "-ping-interval", "1s")
    with contextlib.ExitStack() as stack:
        idle = stack.enter_context(ProtocolConnection(server.address, identities[2])).join()
        for _ in range(30):
            guest = stack.enter_context(SessionConnection(server.address))
            guest.send_bytes(words)
        for identity in identities[:2]:
            stack.enter_context(ProtocolConnection(server.address, identity)).join()
        assert join_is_refused(server, identities[3])
        for _ in range(2):
            assert idle.receive() == rp.Ping()
            idle.send(rp.Pong())


@pytest.mark.limits
def test_at_the_limit_no_one_is_left_without_an_answer(start_ours, identities):
    """Far over the limit, each new connection is answered or closed, and none waits for ever."""
    server = start_ours("-max-connections", "2")
    with contextlib.ExitStack() as stack:
        joined = [stack.enter_context(ProtocolConnection(server.address, i)).join()
                  for i in identities[:2]]
        for identity in identities[2:]:
            client = stack.enter_context(ProtocolConnection(server.address, identity))
            with contextlib.suppress(Closed):
                got = client.ask(rp.JoinRelayRequest())
                assert got == rp.RelayFull(), f"got {got}, want RelayFull"
        for client in joined:
            client.check_alive()


def test_a_device_that_reads_nothing_is_closed(start_ours, identities):
    """The queue of unread messages to a device is limited.  The test uses pongs, because it can
    cause them quickly; invitations use the same queue."""
    ours = start_ours("-relay.messages-per-minute", 0)
    pings = rp.encode(rp.Ping()) * 1000
    with ProtocolConnection(ours.address, identities[2]) as other, \
            ProtocolConnection(ours.address, identities[0], receive_buffer=2048) as deaf:
        other.join()
        deaf.join()

        def is_closed():
            try:
                deaf.send_bytes(pings)
            except Closed:
                return True
            return False

        wait_for(is_closed, "it to be closed")
        ours.wait_for_log("a device did not read what it was sent, and was closed")
        other.check_alive()


def test_who_sends_on_after_the_end_is_not_read(start_ours, identities):
    """Pongs that nobody asked for end the connection. What comes after that is not worth the
    server's time: it is read up to a bound, so that the peer gets the last message."""
    server, most, sent = start_ours(), 64 << 20, 0
    pongs = rp.encode(rp.Pong()) * 8192
    with ProtocolConnection(server.address, identities[0]) as flooder:
        flooder.join()
        with contextlib.suppress(Closed):
            while sent < most:
                flooder.send_bytes(pongs)
                sent += len(pongs)
    assert sent < most
    server.wait_for_log("the bound messages-per-minute was reached")
