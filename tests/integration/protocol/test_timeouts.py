# SPDX-License-Identifier: MPL-2.0
"""What ends because nothing arrived in time, and what does not."""

import contextlib
import select

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways, check_relayed
from relay_client import (
    Closed, MessageStream, ProtocolConnection, SessionConnection, TlsBytes, dial,
)
from suspending import suspended
from waiting import Deadline, pace, wait_for


def expect_end(stream):
    """Whatever arrives first, the connection must end before the wait does."""
    with contextlib.suppress(Closed):
        while stream.receive_some():
            pass


def test_a_connection_that_says_nothing_is_closed(start_ours):
    server = start_ours("-message-timeout", "1s")
    with SessionConnection(server.address) as client:
        client.expect_close()


@pytest.mark.parametrize("data", [rp.encode(rp.JoinSessionRequest(b"k" * 32))[:cut]
                                  for cut in (1, 11, 12, 40)], ids=["1", "11", "12", "40"])
def test_a_session_request_that_stops_half_way_is_closed(start_ours, data):
    server = start_ours("-message-timeout", "1s")
    with SessionConnection(server.address) as client:
        client.send_bytes(data)
        client.expect_close()


@pytest.mark.parametrize("cut", [1, 5, 60, None], ids=["type", "record-header", "part", "whole"])
def test_a_handshake_that_stops_half_way_is_closed(start_ours, identities, cut):
    server = start_ours("-message-timeout", "1s")
    with MessageStream(dial(server.address)) as stream:
        stream.send_bytes(TlsBytes(identities[0]).client_hello()[:cut])
        expect_end(stream)


def test_a_handshake_in_slow_single_bytes_is_closed(start_ours, identities):
    """The deadline is fixed when the connection opens; single bytes do not extend it."""
    server = start_ours("-message-timeout", "1s")
    hello = TlsBytes(identities[0]).client_hello()
    deadline = Deadline()
    with MessageStream(dial(server.address)) as stream:
        stream.sock.settimeout(0.1)
        for byte in hello:
            try:
                stream.send_bytes(bytes([byte]))
                if not stream.sock.recv(1):
                    return
            except TimeoutError:
                assert not deadline.passed(), "the slow handshake was never closed"
            except (Closed, ConnectionError):
                return
    raise AssertionError("the whole handshake was taken in single bytes, one each 0.1 s")


def test_a_handshake_without_a_message_is_closed(start_any, identities):
    server = start_any("-message-timeout", "1s", "-ping-interval", "2s")
    with ProtocolConnection(server.address, identities[0]) as client:
        expect_end(client)
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")


def test_a_connection_that_has_not_joined_within_the_ping_interval_is_closed(start_any,
                                                                             identities):
    server = start_any("-ping-interval", "1s")
    deadline = Deadline()
    with ProtocolConnection(server.address, identities[0]) as client:
        try:
            while not deadline.passed():
                client.check_alive()
                pace()
        except Closed:
            return
    raise AssertionError("a connection that only pings was never closed")


def test_a_joined_device_is_pinged(start_any, identities):
    server = start_any("-ping-interval", "1s")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        for _ in range(3):
            assert client.receive() == rp.Ping()
            client.send(rp.Pong())


def test_a_joined_device_that_is_silent_is_closed(start_any, identities):
    server = start_any("-ping-interval", "1s", "-network-timeout", "2s")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        expect_end(client)
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_a_joined_device_that_answers_pings_outlives_the_timeout(start_any, identities):
    server = start_any("-ping-interval", "1s", "-network-timeout", "3s")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        for _ in range(6):
            assert client.receive() == rp.Ping()
            client.send(rp.Pong())
        client.check_alive()


def test_a_joined_device_that_pings_outlives_the_timeout(start_any, identities):
    server = start_any("-network-timeout", "2s")
    deadline = Deadline(5)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        while not deadline.passed():
            client.check_alive()
            pace()


def test_an_idle_session_is_closed(start_any, identities):
    server = start_any("-network-timeout", "2s", "-ping-interval", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        for connection in invited.join_both():
            connection.expect_close()


def test_a_session_with_traffic_outlives_the_timeout(start_ours, identities):
    server = start_ours("-network-timeout", "2s", "-message-timeout", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        deadline = Deadline(5)
        while not deadline.passed():
            check_both_ways(asker, target)
            invited.target.check_alive()
            pace()


def test_traffic_one_way_keeps_a_session(start_ours, identities):
    server = start_ours("-network-timeout", "2s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        deadline = Deadline(5)
        while not deadline.passed():
            check_relayed(asker, target)
            invited.target.check_alive()
            pace()
        check_relayed(target, asker)


def test_an_idle_session_does_not_end_with_the_message_timeout(start_ours, identities):
    server = start_ours("-message-timeout", "1s", "-ping-interval", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        for _ in range(3):
            assert invited.target.receive() == rp.Ping()
            invited.target.send(rp.Pong())
        check_both_ways(asker, target)


def test_a_half_closed_session_ends_when_it_is_idle(start_ours, identities):
    server = start_ours("-network-timeout", "2s", "-ping-interval", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        asker.end_sending()
        assert target.receive_to_end() == b""
        asker.expect_close()


def test_the_open_side_of_a_half_closed_session_hears_of_its_end(start_ours, identities):
    """This side has already seen the end of the other direction.  Only a reset can tell it that its
    own data is not read any more."""
    server = start_ours("-network-timeout", "2s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        asker.send_bytes(b"last words")
        asker.end_sending()
        poll = select.poll()
        poll.register(target.sock, 0)

        def hears():
            # The device must stay connected, because its sessions end with its connection.
            invited.target.check_alive()
            return poll.poll(0)

        wait_for(hears, "a reset")
        assert target.receive_to_end() == b"last words", "the reset took them away"


def test_requests_that_came_in_time_are_answered_after_a_stall(start_ours, identities):
    """epoll_wait() returns without their events when the process goes on."""
    server = start_ours("-workers", "1", "-ping-interval", "4s")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(ProtocolConnection(server.address, identities[0]))
                   for _ in range(5)]
        with suspended(server):
            for client in clients:
                client.send(rp.ConnectRequest(identities[1].id))
            wait_for(Deadline(4.5).passed, "the time to pass", Deadline(60))
        for client in clients:
            client.expect(rp.response(rp.NOT_FOUND))


def test_who_has_begun_to_speak_goes_on_after_a_stall(start_ours):
    server = start_ours("-workers", "1", "-message-timeout", "2s")
    hello = TlsBytes(None).client_hello()
    with contextlib.ExitStack() as stack:
        early, late = (stack.enter_context(dial(server.address)) for _ in range(2))
        early.sendall(hello[:10])
        with suspended(server):
            early.sendall(hello[10:])
            late.sendall(hello)
            wait_for(Deadline(2.5).passed, "the time to pass", Deadline(60))
        for sock in (early, late):
            assert sock.recv(1) == b"\x16", "no ServerHello"


def test_a_session_that_is_held_back_goes_on_after_a_stall(start_ours, identities):
    """Its bytes are not read as long as its rate is used up."""
    server = start_ours("-workers", "1", "-network-timeout", "3s", "-ping-interval", "1s",
                        "-per-session-rate", "200kB/s")
    with Invited(server, identities[0], identities[1]) as invited:
        sides = invited.join_both()
        sides[0].send_bytes(bytes(100_000))
        assert sides[1].receive_bytes(1000)
        with suspended(server):
            invited.target.send(rp.Ping())
            wait_for(Deadline(3.5).passed, "the time to pass", Deadline(60))
        assert sides[1].receive_bytes(99_000)
        check_both_ways(*sides)


def test_sessions_go_on_after_a_stall(start_ours, identities):
    server = start_ours("-workers", "1", "-network-timeout", "3s", "-ping-interval", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        sides = invited.join_both()
        check_both_ways(*sides)
        with suspended(server):
            invited.target.send(rp.Ping())
            for side in sides:
                side.send_bytes(b"meanwhile")
            wait_for(Deadline(3.5).passed, "the time to pass", Deadline(60))
        for side in sides:
            assert side.receive_bytes(9) == b"meanwhile"
        check_both_ways(*sides)
