# SPDX-License-Identifier: MPL-2.0
"""Transit relays of Magic Wormhole, ours and Debian's, and raw clients of them."""

import hashlib
import itertools
import socket
import struct
import subprocess

from relay_server import free_port
from waiting import PATIENCE, wait_for

_numbers = itertools.count()


def new_token():
    """A token that no other test has used."""
    return hashlib.sha256(b"token %d" % next(_numbers)).hexdigest()


def new_side():
    return hashlib.sha256(b"side %d" % next(_numbers)).hexdigest()[:16]


def line(token, side=None):
    text = f"please relay {token}" + (f" for side {side}" if side else "")
    return text.encode() + b"\n"


class Client:
    """A connection to a transit relay; `sent` is what it sends at once."""

    def __init__(self, port, sent=b"", host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=PATIENCE)
        self.send(sent)

    def send(self, data):
        if data:
            self.sock.sendall(data)

    def receive(self, length):
        data = b""
        while len(data) < length:
            piece = self.sock.recv(length - len(data))
            assert piece, f"ended after {data!r}, of {length} bytes"
            data += piece
        return data

    def rest(self):
        """All that comes until the other end closes."""
        data = b""
        try:
            while piece := self.sock.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data

    def answer(self):
        """The answer, or b"" if the other end closes without one."""
        data = b""
        while len(data) < 3 and (piece := self.sock.recv(3 - len(data))):
            data += piece
        return data

    def is_silent(self):
        """Whether nothing has come so far, neither data nor the end."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(PATIENCE)
        return False

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def answered(*clients):
    for client in clients:
        assert client.receive(3) == b"ok\n"


def pair(port, token=None):
    """Two clients that have met."""
    token = token or new_token()
    one, other = Client(port, line(token, new_side())), Client(port, line(token, new_side()))
    answered(one, other)
    return one, other


def both_ways(one, other, data=b"x" * 1000):
    one.send(data)
    other.send(data[::-1])
    assert other.receive(len(data)) == data
    assert one.receive(len(data)) == data[::-1]


class DebianTransit:
    """The transit relay of the package magic-wormhole-transit-relay."""

    name = "debian"

    def __init__(self, folder):
        self.port = free_port()
        self._log = open(folder / "transit.log", "wb")
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "twisted", "transitrelay", "--port",
             f"tcp:{self.port}:interface=127.0.0.1"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        wait_for(self._answers, "Debian's transit relay")

    def _answers(self):
        assert self._process.poll() is None, "it has ended"
        try:
            with Client(self.port, b"\n") as client:
                return client.rest() == b"bad handshake\n"
        except OSError:
            return False

    def settled(self):
        """What was sent before has been handled: it has one thread."""
        assert self._answers()

    def stop(self):
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()


class OurTransit:
    """Our server with the module wormhole-transit on a listener of its own."""

    name = "ours"

    def __init__(self, server, port):
        self.server = server
        self.port = port

    def waiting(self):
        return self.count("waiting")

    def count(self, name, **label):
        """A metric of the module."""
        labels = ",".join(f'{key}="{value}"' for key, value in label.items())
        return number(self.server, f"strelaysrv_wormhole_transit_{name}" +
                      (f"{{{labels}}}" if labels else ""))

    def ended(self, result):
        return self.count("clients_total", result=result)


def number(server, name):
    """One number of /metrics, by its full name with labels."""
    _, page = server.page("/metrics")
    for text in page.splitlines():
        if text.startswith(name + " "):
            return int(text.rpartition(" ")[2])
    raise AssertionError(f"/metrics has no {name}")
