# SPDX-License-Identifier: MPL-2.0
"""A blocking client of the relay: protocol mode over TLS, session mode without."""

import _ssl
import ctypes
import pathlib
import socket
import ssl
import struct
import tempfile

import relay_protocol as rp
from waiting import PATIENCE, Deadline


class Closed(Exception):
    """The server ended the connection."""


_OPENSSL = ctypes.CDLL(_ssl.__file__)


def _closed(what, error):
    """With OpenSSL 3.5, an error of one connection stays in the thread's list of errors, and
    Python takes it for an error of the next connection whose read would wait."""
    _OPENSSL.ERR_clear_error()
    return Closed(f"{what}{error!r}")


class MessageStream:
    """Sends and receives messages over a connected socket."""

    def __init__(self, sock):
        self.sock = sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send_bytes(self, data):
        try:
            self.sock.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise _closed("while sending: ", error) from error

    def send(self, message):
        self.send_bytes(rp.encode(message))

    def receive_some(self, size=65536):
        """Up to size bytes; empty at the end of the stream.  Raises Closed after a reset."""
        try:
            return self.sock.recv(size)
        except TimeoutError:
            raise AssertionError(f"nothing came within {PATIENCE:.0f} s") from None
        except (ConnectionError, ssl.SSLError) as error:
            raise _closed("", error) from error

    def receive_bytes(self, size):
        """Exactly size bytes."""
        parts = []
        missing = size
        while missing:
            part = self.receive_some(min(missing, 1 << 20))
            if not part:
                raise Closed(f"end of stream after {size - missing} of {size} bytes")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def receive(self):
        """The next message."""
        message_type, length = rp.parse_header(self.receive_bytes(rp.HEADER.size))
        return rp.parse_body(message_type, self.receive_bytes(length))

    def receive_answering_pings(self):
        """The next message that is no Ping.  Pings are answered."""
        deadline = Deadline()
        while not deadline.passed():
            message = self.receive()
            if message != rp.Ping():
                return message
            self.send(rp.Pong())
        raise AssertionError(f"nothing but pings came within {deadline.seconds:.0f} s")

    def ask(self, message):
        """Sends a request and returns the answer."""
        self.send(message)
        return self.receive_answering_pings()

    def check_alive(self):
        answer = self.ask(rp.Ping())
        assert answer == rp.Pong(), f"answer to a Ping: got {answer}, want Pong"

    def expect_close(self):
        """Checks that the server sends no more and ends the connection, by end-of-file or reset."""
        try:
            rest = self.receive_some()
        except Closed:
            return
        assert rest == b"", f"want the connection closed, got {len(rest)} bytes: {rest[:64].hex()}"

    def expect_end_of_file(self):
        """Checks that the server sends no more and ends the connection with end-of-file."""
        try:
            rest = self.receive_some()
        except Closed as error:
            raise AssertionError(f"want end-of-file, got {error}") from None
        assert rest == b"", f"want end-of-file, got {len(rest)} bytes: {rest[:64].hex()}"

    def expect(self, message):
        got = self.receive_answering_pings()
        assert got == message, f"got {got}, want {message}"

    def expect_last(self, message):
        """Checks that this message comes, and then the end."""
        self.expect(message)
        self.expect_close()


def dial(address, source=None, receive_buffer=None, segment=None):
    """A TCP connection with TCP_NODELAY, which receives segments of at most `segment` bytes.

    SO_REUSEADDR allows servers of parallel tests to listen on its local port."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if segment:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    if source:
        sock.bind((source, 0))
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def reset(sock):
    """Closes a socket with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def tls_context(identity=None, alpn=("bep-relay",), extra_certificates=(), ciphers=None,
                lowest=None, highest=None):
    """A client's TLS context.  It does not verify the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if identity:
        with tempfile.TemporaryDirectory() as directory:
            identity.write(directory)
            certificate = pathlib.Path(directory, "cert.pem")
            with certificate.open("ab") as chain:
                for other in extra_certificates:
                    chain.write(other.certificate_pem())
            context.load_cert_chain(certificate, pathlib.Path(directory, "key.pem"))
    return context


class ProtocolConnection(MessageStream):
    """A connection in protocol mode, after its TLS handshake."""

    def __init__(self, address, identity=None, context=None, session=None, source=None,
                 receive_buffer=None):
        context = context or tls_context(identity)
        self.identity = identity
        raw = dial(address, source, receive_buffer)
        try:
            super().__init__(context.wrap_socket(raw, session=session))
        except BaseException:
            raw.close()
            raise

    def join(self, token=None):
        """Joins the relay; the answer must be success."""
        answer = self.ask(rp.JoinRelayRequest(token))
        want = rp.response(rp.SUCCESS)
        assert answer == want, f"answer to a join: got {answer}, want {want}"
        return self

    def invitation(self):
        """The next message, which must be a SessionInvitation."""
        message = self.receive_answering_pings()
        assert isinstance(message, rp.SessionInvitation), f"got {message}, want an invitation"
        return message

    def request(self, device):
        """Asks to be connected to a device; the answer must be an invitation."""
        self.send(rp.ConnectRequest(device))
        return self.invitation()


class SessionConnection(MessageStream):
    """A connection in session mode."""

    def __init__(self, address, source=None, receive_buffer=None, segment=None):
        super().__init__(dial(address, source, receive_buffer, segment))

    def join(self, key):
        """Joins the session; the answer must be success."""
        self.send(rp.JoinSessionRequest(key))
        self.expect(rp.response(rp.SUCCESS))
        return self

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def receive_to_end(self):
        """All bytes up to the end-of-file."""
        parts = []
        while True:
            part = self.receive_some(1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)


class TlsBytes:
    """TLS without a socket, so that a test can cut or change the client's bytes."""

    def __init__(self, identity, context=None):
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = (context or tls_context(identity)).wrap_bio(self.incoming, self.outgoing)

    def client_hello(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def handshake(self, stream, send=None, send_last=None):
        """Performs the handshake over a stream. send(bytes) sends the client's bytes, and
        send_last(bytes) its last flight."""
        send = send or stream.send_bytes
        done = False
        while not done:
            try:
                self.tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            pending = self.outgoing.read()
            if pending:
                (send_last if done and send_last else send)(pending)
            if not done:
                self.feed(stream)

    def feed(self, stream):
        part = stream.receive_some()
        if not part:
            raise Closed("end of stream within TLS")
        self.incoming.write(part)

    def seal(self, data):
        """Encrypts data as one TLS record."""
        self.tls.write(data)
        return self.outgoing.read()

    def receive(self, stream):
        """The next message."""
        message_type, length = rp.parse_header(self._read(stream, rp.HEADER.size))
        return rp.parse_body(message_type, self._read(stream, length))

    def _read(self, stream, size):
        data = b""
        while len(data) < size:
            try:
                data += self.tls.read(size - len(data))
            except ssl.SSLWantReadError:
                self.feed(stream)
        return data


NO_SUCH_KEY = rp.JoinSessionRequest(bytes(32))


def served(address):
    """Whether a guest gets an answer.  A refused connection counts as no."""
    try:
        with SessionConnection(address) as guest:
            return guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    except ConnectionRefusedError:
        return False
