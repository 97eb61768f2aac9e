# SPDX-License-Identifier: MPL-2.0
"""TLS messages that no library sends, and certificates that no tool makes."""

import base64
import struct

HANDSHAKE = 22
X25519 = b"\x00\x1d"
#: A public key from RFC 7748, 6.1.
X25519_KEY = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
#: The random value that marks a ServerHello as a HelloRetryRequest (RFC 8446, 4.1.3).
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891")
#: An alert (RFC 8446, 6).
ILLEGAL_PARAMETER = bytes.fromhex("1503030002022f")


def vector(data, bytes_of_length=2):
    return len(data).to_bytes(bytes_of_length, "big") + data


def extension(kind, data):
    return struct.pack(">H", kind) + vector(data)


def groups(data=X25519):
    return extension(10, vector(data))


def shares(*those):
    """Key shares: pairs of a group and a key."""
    return extension(51, vector(b"".join(group + vector(key) for group, key in those)))


ONE_SHARE = shares((X25519, X25519_KEY))


def client_hello(*extensions):
    """A TLS 1.3 ClientHello with exactly these extensions."""
    always = extension(43, vector(b"\x03\x04", 1)) + extension(13, vector(b"\x04\x03\x08\x07"))
    body = b"\x03\x03" + bytes(32) + vector(b"", 1) + vector(b"\x13\x01\x13\x03") + b"\x01\x00"
    body += vector(always + b"".join(extensions))
    return b"\x01" + vector(body, 3)


def hello_of_length(length):
    """A complete ClientHello whose body has this length."""
    padding = length - len(client_hello(groups(), ONE_SHARE, extension(21, b""))) + 4
    return client_hello(groups(), ONE_SHARE, extension(21, bytes(padding)))


def records(message, size=16384):
    """Splits a message into handshake records of `size` bytes each."""
    return b"".join(bytes([HANDSHAKE]) + b"\x03\x01" + vector(message[at:at + size])
                    for at in range(0, len(message), size))


def announcement(length, size=16384):
    """The first bytes of a ClientHello with this length."""
    return records(b"\x01" + length.to_bytes(3, "big"), size)


def _der(tag, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + length + body


class RawCertificate:
    """A certificate with a given SubjectPublicKeyInfo and a subject of `parts` attributes.  Its
    signature is invalid."""

    def __init__(self, key_info, name_parts=0):
        ecdsa = _der(0x30, bytes.fromhex("06082a8648ce3d040302"))
        part = _der(0x31, _der(0x30, bytes.fromhex("0603550403"), _der(0x0C, b"a")))
        name = _der(0x30, part * name_parts)
        validity = _der(0x30, _der(0x17, b"200101000000Z"), _der(0x17, b"490101000000Z"))
        body = _der(0x30, _der(0xA0, _der(2, b"\x02")), _der(2, b"\x01"), ecdsa, name, validity,
                    name, key_info)
        signature = _der(0x30, _der(2, b"\x01"), _der(2, b"\x01"))
        self.der = _der(0x30, body, ecdsa, _der(3, b"\x00", signature))

    def certificate_pem(self):
        text = base64.encodebytes(self.der)
        return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def compressed_p224():
    """A compressed point of P-224.  To compute the missing coordinate takes long."""
    point = bytes.fromhex("02b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21")
    kind = _der(0x30, bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06052b81040021"))
    return _der(0x30, kind, _der(3, b"\x00", point))
