# SPDX-License-Identifier: MPL-2.0
"""A web service that the module admission asks: HTTP or HTTPS on loopback, or a Unix socket."""

import contextlib
import dataclasses
import http.server
import json
import socket
import socketserver
import ssl
import threading

from waiting import PATIENCE, wait_for


@dataclasses.dataclass
class Asked:
    """A request; `peer` is the client's side of its connection."""

    path: str
    headers: dict
    body: bytes
    peer: object

    @property
    def json(self):
        return json.loads(self.body)


def says(status=200, **fields):
    """An answer in the module's own dialect; cache_for is written cache-for."""
    body = json.dumps({name.replace("_", "-"): value for name, value in fields.items()})
    return status, body.encode(), {}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def do_POST(self):
        endpoint = self.server.endpoint
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = Asked(self.path, dict(self.headers), body, self.client_address or id(self.connection))
        endpoint.note(asked)
        answer = endpoint.answer(asked)
        if answer is None:  # it hangs
            endpoint.ended.wait()
            self.close_connection = True
            return
        status, body, headers = answer
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)


class _Tcp(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """A client that closes in the middle is a part of the tests."""


class _Unix(_Tcp):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self):
        sock, _ = self.socket.accept()
        return sock, ("", 0)


class Endpoint:
    """`answer` is called for each request: (status, body, headers), or None to hang."""

    def __init__(self, answer=None, path=None, context=None):
        self.asked = []
        self.answer = answer or (lambda asked: says(allow=True))
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self.server = _Unix(str(path), _Handler) if path else _Tcp(("127.0.0.1", 0), _Handler)
        self.server.endpoint = self
        self.port = 0 if path else self.server.server_address[1]
        if context:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https" if context else "http"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/verdict"

    def note(self, asked):
        with self._lock:
            self.asked.append(asked)

    def wait_for_questions(self, count):
        wait_for(lambda: len(self.asked) >= count,
                 lambda: f"{count} questions; there are {len(self.asked)}")
        return self.asked[count - 1]

    def close(self):
        """Nobody listens any more."""
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def tls_context(files, clients=None):
    """For a certificate and key in one file; `clients`: the authority of client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
