# SPDX-License-Identifier: MPL-2.0
"""Relays and pools that misbehave, for tests of the client."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import struct
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import relay_protocol as rp
from relay_client import Closed, MessageStream
from waiting import PATIENCE


class RelayDouble:
    """A listener that gives each connection to a function, in a thread of its own.

    `serve(stream)` gets a MessageStream after TLS; with identity None it gets the bare TCP."""

    def __init__(self, serve, identity=None, folder=None, alpn=("bep-relay",), host="127.0.0.1"):
        self.serve = serve
        self.ended = threading.Event()
        self.context = None
        if identity:
            keys = identity.write(folder)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
            if alpn:
                self.context.set_alpn_protocols(list(alpn))
        self.listener = socket.create_server((host, 0))
        self.address = self.listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def uri(self):
        return f"relay://{self.address[0]}:{self.address[1]}/"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, connection):
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError, Closed, AssertionError, rp.Malformed):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.serve(MessageStream(connection))
        with contextlib.suppress(OSError):
            connection.close()

    def close(self):
        self.ended.set()
        # accept() in the thread does not return when its listener is closed.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def trickle(stream, data, ended, pause=0.05):
    """Sends a byte at a time, until the connection ends."""
    for byte in data:
        stream.send_bytes(bytes([byte]))
        if ended.wait(pause):
            return


def lying_header(message_type, length):
    return struct.pack(">Iii", rp.MAGIC, message_type, length)


class PoolDouble:
    """An HTTP server that gives the answers of a test and records the requests."""

    def __init__(self, answer, certificate=None, key=None, host="127.0.0.1"):
        """answer(handler) writes the answer to a GET."""
        requests = self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                requests.append((self.path, dict(self.headers)))
                self.close_connection = True
                answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def uri(self, path="/endpoint", host=None):
        return f"dynamic+{self.scheme}://{host or self.server.server_address[0]}:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def send(handler, body, status=200, headers=()):
    """Writes a pool's answer."""
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def listing(*uris):
    """The JSON list of a pool's relays."""
    body = json.dumps({"relays": [{"url": uri, "location": {"city": "x"}} for uri in uris]})
    return body.encode()


def web_certificate(folder, names=("localhost",)):
    """A self-signed certificate for names and addresses; returns the paths of the certificate and
    its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool")])
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "web.pem", folder / "web-key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return paths
