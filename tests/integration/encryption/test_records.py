# SPDX-License-Identifier: MPL-2.0
"""Records after the handshake of TLS 1.3, which the server's own record layer reads and writes."""

import contextlib
import ssl

import pytest

import relay_protocol as rp
from openssl_client import connected, renew_keys
from relay_client import Closed, MessageStream, TlsBytes, dial, tls_context

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
JOIN, PING = rp.encode(rp.JoinRelayRequest()), rp.encode(rp.Ping())


class Client:
    """A device whose records the test can cut, join and change."""

    def __init__(self, stream, identity):
        self.stream = stream
        self.tls = TlsBytes(identity, tls_context(identity, lowest=ssl.TLSVersion.TLSv1_3))
        self.tls.handshake(stream)

    def check(self):
        assert self.tls.receive(self.stream) == rp.Pong()


@contextlib.contextmanager
def joined(server, identity):
    with MessageStream(dial(server.address)) as stream:
        one = Client(stream, identity)
        stream.send_bytes(one.tls.seal(JOIN))
        assert one.tls.receive(stream) == rp.response(rp.SUCCESS)
        yield one


@pytest.fixture
def client(server, identities):
    with joined(server, identities[0]) as one:
        yield one


@pytest.fixture
def client_of_ours(ours, identities):
    with joined(ours, identities[0]) as one:
        yield one


def test_records_come_in_pieces(client):
    for size in (1, 2, 3, 7, 29):
        record = client.tls.seal(PING)
        for at in range(0, len(record), size):
            client.stream.send_bytes(record[at:at + size])
        client.check()


def test_many_records_come_at_once(client):
    client.stream.send_bytes(b"".join(client.tls.seal(PING) for _ in range(20)))
    for _ in range(20):
        client.check()


def test_a_message_comes_in_many_records(client):
    client.stream.send_bytes(b"".join(client.tls.seal(PING[at:at + 1])
                                      for at in range(len(PING))))
    client.check()


def test_a_record_has_many_messages(client):
    client.stream.send_bytes(client.tls.seal(20 * PING))
    for _ in range(20):
        client.check()


@pytest.mark.parametrize("change", [
    (lambda record: record[:-1] + bytes([record[-1] ^ 1]), "BAD_RECORD_MAC"),
    (lambda record: record[:5] + bytes([record[5] ^ 1]) + record[6:], "BAD_RECORD_MAC"),
    (lambda record: b"\x16" + record[1:], "UNEXPECTED_MESSAGE"),
    (lambda record: b"\x17\x03\x03\x41\x01", "RECORD_OVERFLOW"),
], ids=["tag", "text", "type", "length"])
def test_a_forged_record_is_answered_by_an_alert(ours, client_of_ours, change):
    forge, alert = change
    client_of_ours.stream.send_bytes(forge(client_of_ours.tls.seal(PING)))
    with pytest.raises(ssl.SSLError, match=alert):
        client_of_ours.check()
    client_of_ours.stream.expect_close()
    ours.wait_for_status(lambda s: s["numConnections"] == 0, "the device to be gone")


def test_a_record_twice_is_refused(client):
    record = client.tls.seal(PING)
    client.stream.send_bytes(record)
    client.check()
    client.stream.send_bytes(record)
    with pytest.raises((ssl.SSLError, Closed)):
        client.check()


def read_message(connection):
    message_type, length = rp.parse_header(read_exactly(connection, rp.HEADER.size))
    return rp.parse_body(message_type, read_exactly(connection, length))


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("suite", SUITES)
def test_each_suite_serves_and_renews_its_keys(server, identities, tmp_path, suite, both):
    with connected(server.address, identities[0].write(tmp_path), suite=suite) as connection:
        assert connection.get_cipher_name() == suite
        connection.sendall(JOIN)
        assert read_message(connection) == rp.response(rp.SUCCESS)
        for _ in range(5):
            assert renew_keys(connection, both=both)
            connection.sendall(PING)
            assert read_message(connection) == rp.Pong()
