# SPDX-License-Identifier: MPL-2.0
"""Encodes and decodes the messages of Relay Protocol v1; uses no sockets."""

import dataclasses
import struct
from typing import ClassVar, Optional

MAGIC = 0x9E79BC40
HEADER = struct.Struct(">Iii")
MAX_LENGTH = 1024

SUCCESS = 0
NOT_FOUND = 1
ALREADY_CONNECTED = 2
WRONG_TOKEN = 3
UNEXPECTED_MESSAGE = 100

#: The text of each response code.
RESPONSE_TEXT = {
    SUCCESS: "success",
    NOT_FOUND: "not found",
    ALREADY_CONNECTED: "already connected",
    WRONG_TOKEN: "wrong token",
    UNEXPECTED_MESSAGE: "unexpected message",
}


class Malformed(Exception):
    """Bytes that are no valid message."""


def xdr_opaque(data):
    """Length, bytes, zero padding to a multiple of four."""
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


class _Reader:
    def __init__(self, body):
        self.body = body
        self.offset = 0

    def uint32(self):
        if len(self.body) - self.offset < 4:
            raise Malformed(f"integer cut off at {self.offset} of {self.body.hex()}")
        (value,) = struct.unpack_from(">I", self.body, self.offset)
        self.offset += 4
        return value

    def opaque(self):
        size = self.uint32()
        padded = size + (-size % 4)
        if len(self.body) - self.offset < padded:
            raise Malformed(f"{size} bytes cut off at {self.offset} of {self.body.hex()}")
        data = self.body[self.offset : self.offset + size]
        if any(self.body[self.offset + size : self.offset + padded]):
            raise Malformed(f"padding is not zero in {self.body.hex()}")
        self.offset += padded
        return data

    def end(self):
        if self.offset != len(self.body):
            raise Malformed(f"{len(self.body) - self.offset} bytes too many in {self.body.hex()}")


@dataclasses.dataclass(frozen=True)
class Ping:
    TYPE: ClassVar[int] = 0


@dataclasses.dataclass(frozen=True)
class Pong:
    TYPE: ClassVar[int] = 1


@dataclasses.dataclass(frozen=True)
class JoinRelayRequest:
    """Without a token it is the message of old clients, which has no fields."""

    TYPE: ClassVar[int] = 2
    token: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class JoinSessionRequest:
    TYPE: ClassVar[int] = 3
    key: bytes


@dataclasses.dataclass(frozen=True)
class Response:
    TYPE: ClassVar[int] = 4
    code: int
    message: str


@dataclasses.dataclass(frozen=True)
class ConnectRequest:
    TYPE: ClassVar[int] = 5
    id: bytes


@dataclasses.dataclass(frozen=True)
class SessionInvitation:
    TYPE: ClassVar[int] = 6
    from_id: bytes
    key: bytes
    address: bytes
    port: int
    server_socket: bool


@dataclasses.dataclass(frozen=True)
class RelayFull:
    TYPE: ClassVar[int] = 7


def response(code):
    """The Response with this code and its prescribed text."""
    return Response(code, RESPONSE_TEXT[code])


def encode_body(message):
    if isinstance(message, JoinRelayRequest):
        return b"" if message.token is None else xdr_opaque(message.token.encode())
    if isinstance(message, JoinSessionRequest):
        return xdr_opaque(message.key)
    if isinstance(message, Response):
        return struct.pack(">i", message.code) + xdr_opaque(message.message.encode())
    if isinstance(message, ConnectRequest):
        return xdr_opaque(message.id)
    if isinstance(message, SessionInvitation):
        return (
            xdr_opaque(message.from_id)
            + xdr_opaque(message.key)
            + xdr_opaque(message.address)
            + struct.pack(">II", message.port, message.server_socket)
        )
    return b""


def frame(message_type, body=b"", length=None, magic=MAGIC):
    """A message of any type.  Its length and magic may be set to wrong values."""
    return HEADER.pack(magic, message_type, len(body) if length is None else length) + body


def encode(message):
    return frame(message.TYPE, encode_body(message))


def parse_header(header):
    """Parses a header: the type and length of the message that follows."""
    magic, message_type, length = HEADER.unpack(header)
    if magic != MAGIC:
        raise Malformed(f"magic {magic:#x}, want {MAGIC:#x}")
    if not 0 <= length <= MAX_LENGTH:
        raise Malformed(f"length {length} of a message of type {message_type}")
    return message_type, length


def parse_body(message_type, body):
    """A message must fit its length exactly; trailing bytes are an error."""
    reader = _Reader(body)
    if message_type == Ping.TYPE:
        message = Ping()
    elif message_type == Pong.TYPE:
        message = Pong()
    elif message_type == JoinRelayRequest.TYPE:
        message = JoinRelayRequest(reader.opaque().decode() if body else None)
    elif message_type == JoinSessionRequest.TYPE:
        message = JoinSessionRequest(reader.opaque())
    elif message_type == Response.TYPE:
        code = reader.uint32()
        message = Response(code, reader.opaque().decode())
    elif message_type == ConnectRequest.TYPE:
        message = ConnectRequest(reader.opaque())
    elif message_type == SessionInvitation.TYPE:
        from_id, key, address = reader.opaque(), reader.opaque(), reader.opaque()
        message = SessionInvitation(from_id, key, address, reader.uint32(), bool(reader.uint32()))
    elif message_type == RelayFull.TYPE:
        message = RelayFull()
    else:
        raise Malformed(f"unknown message type {message_type}")
    reader.end()
    return message
