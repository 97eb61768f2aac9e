# SPDX-License-Identifier: MPL-2.0
"""Repeated messages of one device, and the answers to them."""

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import MessageStream, ProtocolConnection, TlsBytes, dial

MODULES = ["log", "bounds", "relay", "status", "probe"]
RECORD_HEADER = 5
APPLICATION_DATA = 23


@pytest.fixture(params=[1, 2])
def talkative(module_server, request):  # noqa: F811
    """A server that allows 30 messages a minute for each device."""

    def start(**relay):
        return module_server(MODULES, workers=request.param, sections={
            "relay": {"messages-per-minute": 30, **relay}})

    return start


def rejected(server):
    return int(server.probe()["metric relay.rejected.too_many_messages"])


def application_records(data):
    """The number of TLS application data records."""
    count = 0
    while data:
        count += data[0] == APPLICATION_DATA
        data = data[RECORD_HEADER + int.from_bytes(data[3:RECORD_HEADER], "big"):]
    return count


def read_records(stream, tls, size):
    """Reads `length` bytes; returns the TLS records that contain them."""
    raw, text = b"", b""
    while len(text) < size:
        part = stream.receive_some()
        assert part, "the connection ended"
        raw += part
        tls.incoming.write(part)
        while tls.incoming.pending and len(text) < size:
            text += tls.tls.read(size - len(text))
    return raw, text


def test_pings_that_came_together_are_answered_together(talkative, identities):
    server = talkative()
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:
        tls.handshake(stream)
        stream.send_bytes(tls.seal(rp.encode(rp.JoinRelayRequest())))
        assert tls.receive(stream) == rp.response(rp.SUCCESS)
        stream.send_bytes(tls.seal(rp.encode(rp.Ping()) * 20))
        raw, text = read_records(stream, tls, 20 * len(rp.encode(rp.Pong())))
        assert text == rp.encode(rp.Pong()) * 20
        assert application_records(raw) == 1


def test_answers_keep_the_order_of_the_questions(talkative, identities):
    server = talkative()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(rp.encode(rp.Ping()) * 3 + rp.encode(rp.JoinRelayRequest())
                          + rp.encode(rp.Ping()))
        got = [client.receive() for _ in range(5)]
        assert got == [rp.Pong()] * 3 + [rp.response(rp.SUCCESS), rp.Pong()]
        client.send_bytes(rp.encode(rp.Ping()) * 2 + rp.encode(rp.ConnectRequest(bytes(32))))
        assert [client.receive() for _ in range(2)] == [rp.Pong()] * 2
        client.expect_last(rp.response(rp.NOT_FOUND))


FLOODS = {"pings": rp.Ping(), "pongs": rp.Pong()}


@pytest.mark.parametrize("joins", [True, False], ids=["joined", "asking"])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_messages_ends(talkative, identities, flood, joins):
    server = talkative()
    with ProtocolConnection(server.address, identities[0]) as client:
        if joins:
            client.join()
        client.send_bytes(rp.encode(FLOODS[flood]) * 200)
        answers = [client.receive()]
        while answers[-1] == rp.Pong():
            answers.append(client.receive())
        assert answers[-1] == rp.response(rp.UNEXPECTED_MESSAGE)
        client.expect_close()
        allowed = 30 - joins if flood == "pings" else 0
        assert len(answers) - 1 == allowed
    assert rejected(server) == 1
    server.wait_for_log("the bound messages-per-minute was reached")
    with ProtocolConnection(server.address, identities[0]) as again:
        again.join().check_alive()


def test_what_comes_at_once_is_half_of_a_minutes_messages(talkative, identities):
    server = talkative(**{"messages-per-minute": 600})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        client.send_bytes(rp.encode(rp.Ping()) * 600)
        answers = [client.receive()]
        while answers[-1] == rp.Pong():
            answers.append(client.receive())
        assert answers[-1] == rp.response(rp.UNEXPECTED_MESSAGE)
        # While they are read, more time passes for some of them: ten a second.
        assert 299 <= len(answers) - 1 < 600
    assert rejected(server) == 1


def test_answers_to_pings_cost_nothing(talkative, identities):
    """The relay pings ten times a second; the answers are not counted as messages."""
    server = talkative(**{"ping-interval": "100ms", "messages-per-minute": 2})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for _ in range(8):
            assert device.receive() == rp.Ping()
            device.send(rp.Pong())
        device.send(rp.Ping())
        device.expect(rp.Pong())
    assert rejected(server) == 0


def test_any_number(talkative, identities):
    server = talkative(**{"messages-per-minute": 0})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for _ in range(10):
            device.send_bytes(rp.encode(rp.Ping()) * 100)
            assert [device.receive() for _ in range(100)] == [rp.Pong()] * 100
    assert rejected(server) == 0
