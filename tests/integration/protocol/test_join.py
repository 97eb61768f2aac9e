# SPDX-License-Identifier: MPL-2.0
"""Joining the relay: answers, pings, a second join of the same device, and leaving."""

import threading

import pytest

import relay_protocol as rp
from relay_client import Closed, MessageStream, ProtocolConnection, TlsBytes, dial
from waiting import wait_for

UNEXPECTED = {
    "join-session": rp.JoinSessionRequest(b"k" * 32),
    "response": rp.response(rp.SUCCESS),
    "invitation": rp.SessionInvitation(b"f" * 32, b"k" * 32, b"", 1, False),
    "relay-full": rp.RelayFull(),
}


def rejoin(server, identity):
    """Joins after the server has noticed the end of the device's last connection."""

    def try_to_join():
        client = ProtocolConnection(server.address, identity)
        if client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS):
            return client
        client.close()
        return None

    return wait_for(try_to_join, "a join to be accepted")


def test_a_join_is_answered_with_success(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect(rp.response(rp.SUCCESS))
        client.check_alive()


def test_a_join_with_an_empty_token_is_answered_with_success(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.join(token="")
        client.check_alive()


@pytest.mark.limits
def test_many_devices_join(server, identities):
    clients = [ProtocolConnection(server.address, i).join() for i in identities]
    for client in clients:
        client.check_alive()
    got = server.status()["numConnections"]
    assert got == len(clients), f"numConnections: got {got}, want {len(clients)}"
    for client in clients:
        client.close()
    server.wait_for_status(lambda s: s["numConnections"] == 0, "all connections to end")


def test_a_ping_is_answered_before_and_after_the_join(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.check_alive()
        client.join()
        client.check_alive()


def test_an_unasked_pong_is_accepted(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.Pong())
        client.check_alive()
        client.join()
        client.send(rp.Pong())
        client.check_alive()


@pytest.mark.parametrize("joined", [False, True], ids=["unjoined", "joined"])
@pytest.mark.parametrize("message", UNEXPECTED.values(), ids=UNEXPECTED)
def test_an_unexpected_message_is_refused(server, identities, message, joined):
    with ProtocolConnection(server.address, identities[0]) as client:
        if joined:
            client.join()
        client.send(message)
        client.expect_last(rp.response(rp.UNEXPECTED_MESSAGE))
    rejoin(server, identities[0]).close()


def test_a_second_join_on_one_connection_is_refused(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        client.send(rp.JoinRelayRequest())
        client.expect_last(rp.response(rp.ALREADY_CONNECTED))
    rejoin(server, identities[0]).close()


class Listener(threading.Thread):
    """A joined device in a thread, which answers pings until its connection ends."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection = connection
        self.messages = []
        self.start()

    def run(self):
        try:
            while True:
                self.messages.append(self.connection.receive_answering_pings())
        except (Closed, OSError, AssertionError):
            pass

    def wait_for_message(self):
        return wait_for(lambda: self.messages and self.messages.pop(0), "a message")


def test_a_device_that_answers_keeps_its_place(server, identities):
    first = Listener(ProtocolConnection(server.address, identities[0]).join())
    with ProtocolConnection(server.address, identities[0]) as second:
        second.send(rp.JoinRelayRequest())
        second.expect_last(rp.response(rp.ALREADY_CONNECTED))
    with ProtocolConnection(server.address, identities[1]) as third:
        invitation = third.request(identities[0].id)
    assert invitation.from_id == identities[0].id
    assert first.wait_for_message().from_id == identities[1].id
    assert first.is_alive(), "the first connection ended"


@pytest.mark.limits
def test_a_silent_device_loses_its_place_to_its_next_connection(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as silent:
        silent.join()
        with ProtocolConnection(ours.address, identities[0]) as second:
            second.join()
            assert silent.receive() == rp.Ping()
            silent.expect_close()
            with ProtocolConnection(ours.address, identities[1]) as third:
                third.request(identities[0].id)
            assert second.invitation().from_id == identities[1].id
            second.check_alive()


@pytest.mark.limits
def test_any_number_of_newcomers_leave_the_old_connection_alone(ours, identities):
    first = Listener(ProtocolConnection(ours.address, identities[0]).join())
    newcomers = [ProtocolConnection(ours.address, identities[0]) for _ in range(10)]
    for newcomer in newcomers:
        newcomer.send(rp.JoinRelayRequest())
    for newcomer in newcomers:
        newcomer.expect_last(rp.response(rp.ALREADY_CONNECTED))
        newcomer.close()
    with ProtocolConnection(ours.address, identities[1]) as other:
        other.request(identities[0].id)
    assert first.wait_for_message().from_id == identities[1].id


def test_a_newcomer_that_leaves_while_it_waits_takes_nothing_with_it(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as first:
        first.join()
        with ProtocolConnection(ours.address, identities[0]) as second:
            second.send(rp.JoinRelayRequest())
            assert first.receive() == rp.Ping()
        ours.wait_for_status(lambda s: s["numConnections"] == 1, "the newcomer to be gone")
        first.send(rp.Pong())
        first.check_alive()


@pytest.mark.parametrize("orderly", [True, False], ids=["close-notify", "bare-close"])
def test_a_device_that_left_is_not_found_and_may_return(server, identities, orderly):
    client = ProtocolConnection(server.address, identities[0]).join()
    if orderly:
        client.sock.unwrap().close()
    else:
        client.close()
    rejoin(server, identities[0]).close()

    def refused():
        with ProtocolConnection(server.address, identities[1]) as other:
            return other.ask(rp.ConnectRequest(identities[0].id)) == rp.response(rp.NOT_FOUND)

    wait_for(refused, "the device to be not found")


def test_a_join_is_lost_when_its_tls_stream_is_spoilt(server, identities):
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:
        tls.handshake(stream)
        stream.send_bytes(tls.seal(rp.encode(rp.JoinRelayRequest())))
        assert tls.receive(stream) == rp.response(rp.SUCCESS)
        record = bytearray(tls.seal(rp.encode(rp.Ping())))
        record[-1] ^= 1
        stream.send_bytes(bytes(record))
        server.wait_for_status(lambda s: s["numConnections"] == 0, "the connection to end")
    rejoin(server, identities[0]).close()
