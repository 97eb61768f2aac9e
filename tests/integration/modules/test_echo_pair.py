# SPDX-License-Identifier: MPL-2.0
"""A module for a protocol other than the relay's; the core knows neither protocol."""

import concurrent.futures
import hashlib
import os
import socket
import ssl

import pytest

from module_server import module_server  # noqa: F401
from pairs import connect_pair, ended, receive, swap
from relay_server import ROOT


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_pairs_in_order_of_arrival(module_server, workers):
    server = module_server(["log", "echo-pair"], workers=workers)
    pairs = [connect_pair(server) for _ in range(30)]
    for number, (first, second) in enumerate(pairs):
        swap(first, second, b"%d" % number * 100)
    for first, second in pairs:
        first.close()
        assert second.recv(1) == b""
        second.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_sent_before_pairing_are_delivered(module_server, workers):
    server = module_server(["log", "echo-pair"], workers=workers)
    data = os.urandom(50_000)
    with server.connect() as first:
        first.sendall(data)
        with server.connect() as second:
            second.sendall(b"!")
            assert receive(second, len(data)) == data
            assert receive(first, 1) == b"!"


def test_one_who_leaves_while_waiting_is_forgotten(module_server):
    server = module_server(["log", "echo-pair"], workers=1)
    with server.connect() as lost:
        lost.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        lost.sendall(b"?")
    pairs = []
    for _ in range(4):
        connection = server.connect()
        connection.sendall(b"x")
        pairs.append(connection)
    got = sum(_pair_gets(connection) for connection in pairs)
    # The server may notice the lost connection before or after the next one comes.  So at most one
    # of four was joined to it, and one may be left waiting.
    assert got >= 2


def _pair_gets(connection):
    connection.settimeout(2)
    try:
        return connection.recv(1) == b"x"
    except (TimeoutError, ConnectionResetError):
        return False


def test_tls_is_not_taken(module_server):
    server = module_server(["log", "echo-pair"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with server.connect() as plain, context.wrap_socket(plain) as connection:
        assert ended(connection)


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_many_pairs_at_once_lose_no_byte(module_server, workers):
    server = module_server(["log", "echo-pair"], workers=workers)

    def send(connection, data):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    def drain(connection):
        digest = hashlib.sha256()
        while piece := connection.recv(1 << 16):
            digest.update(piece)
        return digest.digest()

    pairs = [connect_pair(server) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        jobs = []
        for pair in pairs:
            sent = [os.urandom(3_000_000), os.urandom(1_000_000)]
            for connection, data in zip(pair, sent):
                pool.submit(send, connection, data)
            jobs.append((sent, [pool.submit(drain, connection) for connection in pair]))
        for sent, (first, second) in jobs:
            assert first.result() == hashlib.sha256(sent[1]).digest()
            assert second.result() == hashlib.sha256(sent[0]).digest()


def test_core_knows_no_word_of_the_relay_protocol():
    for path in (ROOT / "core").glob("*/*.[ch]"):
        text = path.read_text().lower()
        for word in ("invitation", "relay full", "join request", "joinrelay", "pong"):
            assert word not in text, f"{path.name} speaks of '{word}'"
