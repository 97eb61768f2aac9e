# SPDX-License-Identifier: MPL-2.0
"""Headers of the PROXY protocol, right and wrong, and connections that begin with one."""

import ipaddress
import socket
import struct

from relay_client import MessageStream, dial, tls_context

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
CRC32C = 3

#: What the headers of these tests say, unless a test wants something else.
CLIENT, FRONT = ("198.51.100.7", 56324), ("192.0.2.5", 443)
CLIENT6, FRONT6 = ("2001:db8:9::7", 56324), ("2001:db8::5", 443)


def _is_v6(address):
    return ":" in address[0]


def version1(client=CLIENT, front=FRONT):
    family = "TCP6" if _is_v6(client) else "TCP4"
    return f"PROXY {family} {client[0]} {front[0]} {client[1]} {front[1]}\r\n".encode()


def raw2(command, family, data):
    return SIGNATURE + struct.pack("!BBH", command, family, len(data)) + data


def _crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def version2(client=CLIENT, front=FRONT, extras=b"", checksum=None):
    """`checksum`: None for none, True for the right one, False for a wrong one."""
    addresses = b"".join(ipaddress.ip_address(one[0]).packed for one in (client, front))
    data = addresses + struct.pack("!HH", client[1], front[1]) + extras
    family = 0x21 if _is_v6(client) else 0x11
    if checksum is None:
        return raw2(PROXY, family, data)
    empty = raw2(PROXY, family, data + struct.pack("!BHI", CRC32C, 4, 0))
    crc = _crc32c(empty) ^ (0 if checksum else 1)
    return empty[:-4] + struct.pack("!I", crc)


#: name -> header of a connection that the relay closes, and the result that it counts.
WRONG = {
    "no-header": (b"\x16\x03\x01\x02\x00\x01", "bad"),
    "http": (b"GET / HTTP/1.1\r\n\r\n", "bad"),
    "v1-lower-case": (b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "bad"),
    "v1-no-port": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "bad"),
    "v1-name": (b"PROXY TCP4 localhost 1.2.3.4 1 2\r\n", "bad"),
    "v1-line-feed": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "bad"),
    "v1-long": (b"PROXY UNKNOWN " + b"x" * 200, "bad"),
    "v2-version": (raw2(0x11, 0x11, bytes(12)), "bad"),
    "v2-command": (raw2(0x22, 0x11, bytes(12)), "bad"),
    "v2-datagram": (raw2(PROXY, 0x12, bytes(12)), "bad"),
    "v2-family": (raw2(PROXY, 0x41, bytes(12)), "bad"),
    "v2-short": (raw2(PROXY, 0x11, bytes(11)), "bad"),
    "v2-extra-cut": (version2(extras=b"\x01\0\x09x"), "bad"),
    "v2-checksum": (version2(checksum=False), "checksum"),
    "v2-long": (SIGNATURE + b"\x21\x11\x02\x09" + bytes(40), "long"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", "check"),
    "v2-local": (raw2(LOCAL, 0, b""), "check"),
    "v2-local-with-address": (raw2(LOCAL, 0x11, bytes(12)), "check"),
    "v2-unspecified": (raw2(PROXY, 0, b""), "check"),
    "v2-unspecified-with-address": (raw2(PROXY, 0, bytes(12) + b"\x01"), "check"),
    "v2-unix": (raw2(PROXY, 0x31, bytes(216)), "check"),
}


class Proxied(MessageStream):
    """A connection in session mode that a proxy makes; with an identity, in protocol mode."""

    def __init__(self, address, header, identity=None):
        sock = dial(address)
        try:
            sock.sendall(header)
            super().__init__(tls_context(identity).wrap_socket(sock) if identity else sock)
        except BaseException:
            sock.close()
            raise
        self.identity = identity


def byte_by_byte(sock, data):
    """Each byte in a segment of its own."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        sock.sendall(bytes([byte]))
