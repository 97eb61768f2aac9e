# SPDX-License-Identifier: MPL-2.0
"""A relay pool for tests: HTTPS on loopback, with its own certificate authority.

It checks the ID of the client certificate, and can test the relay as real pools do."""

import dataclasses
import datetime
import ipaddress
import json
import socket
import ssl
import threading
import urllib.parse
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import certificates
import device_id
import relay_protocol as rp
from relay_client import ProtocolConnection
from waiting import PATIENCE, wait_for

HOUR = 3_600_000_000_000


class Authority:
    """A certificate authority that the system does not trust."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool test authority")])
        self.certificate = self._sign(self.name, self.key.public_key(), ca=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, ca=False, address=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
            .public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if address:
            name = x509.IPAddress(ipaddress.ip_address(address))
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def server_files(self, address):
        """Certificate and key files of a server at that address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pool")])
        certificate = self._sign(subject, key.public_key(), address=address)
        files = self.folder / f"{address}.pem"
        files.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM,
                                serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
        )
        return files


@dataclasses.dataclass
class Request:
    """A relay's request."""

    source: str
    id: bytes  # from the client certificate
    head: str
    body: bytes
    sock: ssl.SSLSocket

    @property
    def url(self):
        return json.loads(self.body)["url"]

    def answer(self, status, body, **headers):
        body = body if isinstance(body, bytes) else body.encode()
        lines = [f"HTTP/1.1 {status} Whatever"]
        fields = {"Content-Length": len(body), "Connection": "close", **headers}
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def wait_for_end(self):
        """Waits until the relay has closed the connection."""
        self.sock.settimeout(PATIENCE)
        try:
            while self.sock.recv(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass


def address_of(request):
    """Where a pool tests and lists the relay: a name counts as the address of the request."""
    url = urllib.parse.urlsplit(request.url)
    try:
        host = ipaddress.ip_address(url.hostname or "::")
    except ValueError:  # a name
        return request.source, url.port
    return request.source if host.is_unspecified else str(host), url.port


def check_relay(request):
    """Tests a relay as a pool does; raises an error if it does not work."""
    url = urllib.parse.urlsplit(request.url)
    query = dict(urllib.parse.parse_qsl(url.query))
    assert url.scheme == "relay", f"scheme: got {url.scheme}"
    assert device_id.from_text(query["id"]) == request.id, "the ID is not the certificate's"
    address = address_of(request)
    identity = certificates.make()
    with ProtocolConnection(address, identity) as joined, \
            ProtocolConnection(address, certificates.make()) as asking:
        joined.join()
        asking.send(rp.ConnectRequest(identity.id))
        assert isinstance(asking.receive(), rp.SessionInvitation)
    host, _, port = query["statusAddr"].rpartition(":")
    status = f"http://{host or address[0]}:{port}/status"
    with urllib.request.urlopen(status, timeout=PATIENCE) as answer:
        assert isinstance(json.load(answer)["numActiveSessions"], int)


def good(eviction=HOUR):
    """Tests the relay, and accepts it if it works."""

    def behave(request):
        try:
            check_relay(request)
        except Exception as error:  # noqa: BLE001: whatever it is, a pool says it
            request.answer(500, f"test failed: {error!r}")
        else:
            request.answer(200, json.dumps({"evictionIn": eviction}))

    return behave


class Listing:
    """Lists relays as the public pool does: by host and port, whatever their IDs."""

    def __init__(self):
        self.urls = {}

    def __call__(self, request):
        self.urls[address_of(request)] = request.url
        good()(request)


def says(status, body):
    return lambda request: request.answer(status, body)


class Pool:
    """Listens on loopback.  Uses one behaviour for each request; the last one is repeated."""

    def __init__(self, authority, trusted, *behaviours, host="127.0.0.1", name=None):
        self.behaviours = list(behaviours) or [good()]
        self.requests = []
        self.failures = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.server_files(name or host))
        # A self-signed certificate is its own authority; no other is accepted.
        self.context.load_verify_locations(trusted / "cert.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        text = f"[{host}]" if ":" in host else host
        self.url = f"https://{text}:{self.listener.getsockname()[1]}/endpoint"
        self._socks = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            self._socks.append(sock)
            threading.Thread(target=self._serve, args=(sock, peer), daemon=True).start()

    def _serve(self, raw, peer):
        try:
            raw.settimeout(PATIENCE)
            with self.context.wrap_socket(raw, server_side=True) as sock:
                self._handle(sock, peer)
        except (OSError, ssl.SSLError, ValueError):
            self.failures += 1

    def _handle(self, sock, peer):
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536) or self._broken()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += sock.recv(65536) or self._broken()
        identity = device_id.of_certificate(sock.getpeercert(binary_form=True))
        request = Request(peer[0], identity, head.decode(), body, sock)
        behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        self.requests.append(request)
        behave(request)

    @staticmethod
    def _broken():
        raise ValueError("half a request")

    def wait_for_requests(self, count):
        wait_for(lambda: len(self.requests) >= count,
                 lambda: f"{count} requests; there are {len(self.requests)}")
        return self.requests[count - 1]

    def close(self):
        self.listener.close()
        for sock in self._socks:
            try:
                sock.close()
            except OSError:
                pass
