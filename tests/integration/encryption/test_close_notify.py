# SPDX-License-Identifier: MPL-2.0
"""The orderly end of TLS (RFC 5246, 7.2.1; RFC 8446, 6.1): a client that sends close_notify gets the
server's, so that it can tell the end from a truncation."""

import ssl

import pytest

import relay_protocol as rp
from relay_client import MessageStream, TlsBytes, dial, tls_context

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def close_notify(tls):
    """The client's close_notify, as bytes to send."""
    with pytest.raises(ssl.SSLWantReadError):
        tls.tls.unwrap()
    return tls.outgoing.read()


def await_answer(tls, stream):
    """Reads until the server's close_notify has come.  Raises Closed at an end without it."""
    while True:
        try:
            return tls.tls.unwrap()
        except ssl.SSLWantReadError:
            tls.feed(stream)


@pytest.fixture(params=VERSIONS)
def client(request, identities):
    version = VERSIONS[request.param]
    return TlsBytes(identities[0], tls_context(identities[0], lowest=version, highest=version))


def check_end(client, stream):
    await_answer(client, stream)
    stream.expect_end_of_file()


def test_a_client_that_said_nothing_gets_the_answer(server, client):
    with MessageStream(dial(server.address)) as stream:
        client.handshake(stream)
        stream.send_bytes(close_notify(client))
        check_end(client, stream)


def test_a_joined_device_gets_the_answer(server, client):
    with MessageStream(dial(server.address)) as stream:
        client.handshake(stream)
        stream.send_bytes(client.seal(rp.encode(rp.JoinRelayRequest())))
        assert client.receive(stream) == rp.response(rp.SUCCESS)
        stream.send_bytes(close_notify(client))
        check_end(client, stream)
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")


def test_a_device_that_sends_it_with_its_last_message_gets_both_answers(server, client):
    with MessageStream(dial(server.address)) as stream:
        client.handshake(stream)
        stream.send_bytes(client.seal(rp.encode(rp.JoinRelayRequest())) + close_notify(client))
        assert client.receive(stream) == rp.response(rp.SUCCESS)
        check_end(client, stream)
