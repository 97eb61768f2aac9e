# SPDX-License-Identifier: MPL-2.0
"""Pairs of connections through the test module echo-pair."""

import ssl


def connect_pair(server):
    """Opens two connections and joins them, and checks that a byte passes in each direction."""
    first, second = server.connect(), server.connect()
    first.sendall(b"1")
    second.sendall(b"2")
    assert first.recv(1) == b"2"
    assert second.recv(1) == b"1"
    return first, second


def receive(connection, length):
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        assert piece, f"ended after {len(data)} of {length} bytes"
        data += piece
    return data


def swap(first, second, data):
    """Sends the data in both directions and compares."""
    first.sendall(data)
    second.sendall(data)
    assert receive(first, len(data)) == data
    assert receive(second, len(data)) == data


def ended(connection):
    """Whether the other side closes the connection, with or without a reset."""
    try:
        return connection.recv(1) == b""
    except (ConnectionResetError, ssl.SSLError):
        return True
