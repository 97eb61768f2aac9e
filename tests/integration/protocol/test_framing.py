# SPDX-License-Identifier: MPL-2.0
"""Framing: valid and invalid messages, and messages that arrive in pieces."""

import contextlib
import struct

import pytest

import relay_protocol as rp
from relay_client import (
    Closed, MessageStream, ProtocolConnection, SessionConnection, TlsBytes, dial,
)

BAD_HEADERS = {
    "wrong-magic": rp.frame(rp.Ping.TYPE, magic=0x9E79BC41),
    "magic-of-zero": rp.frame(rp.Ping.TYPE, magic=0),
    "length-of-minus-one": rp.frame(rp.Ping.TYPE, length=-1),
    "lowest-length": rp.frame(rp.Ping.TYPE, length=-(2**31)),
    "length-over-1024": rp.frame(rp.Ping.TYPE, length=1025),
    "highest-length": rp.frame(rp.Ping.TYPE, length=2**31 - 1),
    "negative-length-of-a-join": rp.frame(rp.JoinRelayRequest.TYPE, length=-4),
    "negative-length-of-a-session-join": rp.frame(rp.JoinSessionRequest.TYPE, length=-4),
    "unknown-type": rp.frame(8),
    "negative-type": rp.frame(-1),
    "huge-type": rp.frame(2**31 - 1),
}

MISFITS = {
    "key-over-32": rp.frame(rp.JoinSessionRequest.TYPE, rp.xdr_opaque(b"k" * 33)),
    "key-longer-than-message": rp.frame(rp.JoinSessionRequest.TYPE, struct.pack(">I", 32) + b"k"),
    "key-of-4-GiB": rp.frame(rp.JoinSessionRequest.TYPE, struct.pack(">I", 2**32 - 1) + b"k" * 32),
    "no-key": rp.frame(rp.JoinSessionRequest.TYPE),
    "half-a-length-of-key": rp.frame(rp.JoinSessionRequest.TYPE, b"\0\0"),
    "id-over-32": rp.frame(rp.ConnectRequest.TYPE, rp.xdr_opaque(b"i" * 33)),
    "id-longer-than-message": rp.frame(rp.ConnectRequest.TYPE, struct.pack(">I", 32) + b"i" * 28),
    "no-id": rp.frame(rp.ConnectRequest.TYPE),
    "id-of-4-GiB": rp.frame(rp.ConnectRequest.TYPE, struct.pack(">I", 2**32 - 4) + b"i" * 32),
}


@pytest.mark.parametrize("data", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_header_ends_a_protocol_connection(server, identities, data):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(data)
        client.expect_close()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


@pytest.mark.parametrize("data", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_header_ends_a_session_connection(ours, data):
    with SessionConnection(ours.address) as client:
        client.send_bytes(data)
        client.expect_close()


@pytest.mark.parametrize("data", MISFITS.values(), ids=MISFITS)
def test_fields_that_do_not_fit_end_a_protocol_connection(server, identities, data):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(data)
        client.expect_close()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


@pytest.mark.parametrize("data", MISFITS.values(), ids=MISFITS)
def test_fields_that_do_not_fit_end_a_session_connection(ours, data):
    with SessionConnection(ours.address) as client:
        client.send_bytes(data)
        client.expect_close()


@pytest.mark.parametrize("open_connection", [
    lambda server, identity: ProtocolConnection(server.address, identity),
    lambda server, identity: SessionConnection(server.address),
], ids=["protocol", "session"])
@pytest.mark.parametrize("size", [1, 5, 31])
def test_an_opaque_without_its_padding_ends_the_connection(ours, identities, open_connection,
                                                           size):
    """This crashes the reference: its XDR reader slices beyond the end."""
    for message_type in (rp.JoinSessionRequest.TYPE, rp.ConnectRequest.TYPE):
        with open_connection(ours, identities[0]) as client:
            client.send_bytes(rp.frame(message_type, struct.pack(">I", size) + b"k" * size))
            client.expect_close()
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.join()


@pytest.mark.parametrize("data", [struct.pack(">I", 64) + b"t" * 60, struct.pack(">I", 2**32 - 1),
                                  b"\0\0\0"], ids=["short", "4-GiB", "half-a-length"])
def test_a_token_that_does_not_fit_ends_the_connection(ours, identities, data):
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.send_bytes(rp.frame(rp.JoinRelayRequest.TYPE, data))
        client.expect_close()


def test_a_bad_header_ends_a_joined_connection_and_unregisters_it(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        client.send_bytes(rp.frame(rp.Ping.TYPE, magic=1))
        client.expect_close()
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_a_message_may_come_in_single_bytes(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        for message, answer in [(rp.Ping(), rp.Pong()),
                                (rp.JoinRelayRequest(), rp.response(rp.SUCCESS)),
                                (rp.ConnectRequest(b"x" * 32), rp.response(rp.NOT_FOUND))]:
            for byte in rp.encode(message):
                client.send_bytes(bytes([byte]))
            client.expect(answer)


def test_tls_records_may_come_in_single_bytes(server, identities):
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:

        def send_bytewise(data):
            for byte in data:
                stream.send_bytes(bytes([byte]))

        tls.handshake(stream, send_bytewise)
        send_bytewise(tls.seal(rp.encode(rp.JoinRelayRequest())))
        assert tls.receive(stream) == rp.response(rp.SUCCESS)


def test_a_session_join_may_come_in_single_bytes(server):
    with SessionConnection(server.address) as client:
        for byte in rp.encode(rp.JoinSessionRequest(b"x" * 32)):
            client.send_bytes(bytes([byte]))
        client.expect(rp.response(rp.NOT_FOUND))


def test_many_messages_may_come_in_one_tls_record(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(rp.encode(rp.Ping()) * 100 + rp.encode(rp.JoinRelayRequest())
                          + rp.encode(rp.Ping()) * 100)
        for _ in range(100):
            client.expect(rp.Pong())
        client.expect(rp.response(rp.SUCCESS))
        for _ in range(100):
            client.expect(rp.Pong())


def test_many_tls_records_may_come_in_one_segment(server, identities):
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:
        tls.handshake(stream)
        ping = rp.encode(rp.Ping())
        halves = [tls.seal(ping[:5]), tls.seal(ping[5:])]
        stream.send_bytes(b"".join(halves + [tls.seal(ping) for _ in range(50)]))
        for _ in range(51):
            assert tls.receive(stream) == rp.Pong()


def test_the_last_message_of_a_segment_may_be_incomplete(server, identities):
    ping = rp.encode(rp.Ping())
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(ping + ping[:7])
        client.expect(rp.Pong())
        client.send_bytes(ping[7:])
        client.expect(rp.Pong())


def test_a_request_in_the_last_flight_of_the_handshake_is_answered(server, identities):
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:
        held_back = []
        tls.handshake(stream, send_last=held_back.append)
        stream.send_bytes(b"".join(held_back) + tls.seal(rp.encode(rp.JoinRelayRequest())))
        assert tls.receive(stream) == rp.response(rp.SUCCESS)


@pytest.mark.parametrize("cut", [1, 4, 11, 12, 15, 47])
def test_a_truncated_message_leaves_the_server_serving(server, identities, cut):
    whole = rp.encode(rp.ConnectRequest(b"x" * 32))
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send_bytes(whole[:cut])
    with SessionConnection(server.address) as client:
        client.send_bytes(rp.encode(rp.JoinSessionRequest(b"x" * 32))[:cut])
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


TRAILING = {
    "ping": (rp.Ping(), b"", rp.Pong()),
    "join": (rp.JoinRelayRequest(), rp.xdr_opaque(b""), rp.response(rp.SUCCESS)),
    "connect": (rp.ConnectRequest(b"x" * 32), b"", rp.response(rp.NOT_FOUND)),
}


@pytest.mark.parametrize("message, fields, answer", TRAILING.values(), ids=TRAILING)
@pytest.mark.parametrize("extra", [4, 400])
def test_fields_of_later_versions_are_tolerated(ours, identities, message, fields, answer, extra):
    body = rp.encode_body(message) + fields + b"\x2a" * extra
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.send_bytes(rp.frame(message.TYPE, body))
        client.expect(answer)


def test_fields_of_later_versions_are_tolerated_in_session_mode(ours):
    body = rp.xdr_opaque(b"x" * 32) + b"\x2a" * 8
    with SessionConnection(ours.address) as client:
        client.send_bytes(rp.frame(rp.JoinSessionRequest.TYPE, body))
        client.expect_last(rp.response(rp.NOT_FOUND))


def test_the_longest_message_is_read(ours, identities):
    fill = rp.MAX_LENGTH - len(rp.xdr_opaque(b""))
    body = rp.xdr_opaque(b"") + b"\0" * fill
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.send_bytes(rp.frame(rp.JoinRelayRequest.TYPE, body))
        client.expect(rp.response(rp.SUCCESS))
        client.check_alive()


JUNK = {
    "http": b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n",
    "zeros": b"\0" * 64,
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "tls-record-of-junk": b"\x16\x03\x01\x00\x40" + b"\xaa" * 64,
    "tls-record-too-long": b"\x16\x03\x01\xff\xff" + b"\x01" * 64,
    "http-after-the-tls-byte": b"\x16GET / HTTP/1.1\r\n\r\n",
    "long-junk": bytes(range(256)) * 256,
}


@pytest.mark.parametrize("data", JUNK.values(), ids=JUNK)
def test_junk_is_closed_and_harms_nobody(ours, identities, data):
    with ProtocolConnection(ours.address, identities[0]) as good:
        good.join()
        with SessionConnection(ours.address) as client:
            with contextlib.suppress(Closed):  # a reset is valid, too
                client.send_bytes(data)
                while client.receive_some():
                    pass  # nothing except a TLS alert
        good.check_alive()


@pytest.mark.parametrize("words", [b"\x00", b"\x9e\x79\xbc\x41", b"GET "])
@pytest.mark.parametrize("tls", [False, True])
def test_wrong_first_bytes_end_it_at_once(start_ours, identities, words, tls):
    """Invalid data ends the connection at once; the server does not wait for the rest."""
    server = start_ours("-message-timeout", "1h", "-ping-interval", "1h", "-network-timeout", "2h")
    client = ProtocolConnection(server.address, identities[0]) if tls else \
        SessionConnection(server.address)
    with client:
        client.send_bytes(words)
        client.expect_close()


def test_a_guest_has_little_time(start_ours, identities):
    server = start_ours("-relay.guest-timeout", "1s")
    with SessionConnection(server.address) as guest, \
            ProtocolConnection(server.address, identities[0]) as device:
        guest.send_bytes(rp.encode(rp.JoinSessionRequest(bytes(32)))[:20])
        guest.expect_close()
        device.join()
