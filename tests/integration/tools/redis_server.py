# SPDX-License-Identifier: MPL-2.0
"""A real redis-server (or valkey-server) of a test."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from relay_server import free_port
from waiting import PATIENCE, wait_for

_ATTEMPTS = 10


def program():
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    assert found, "install redis-server"
    return found


class RedisServer:
    """Listens at a port and at a Unix socket.  It keeps nothing when it ends."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.options = options
        self.port = None
        self.process = None

    @property
    def server(self):
        """As the option `servers` names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def path(self):
        return self.folder / "redis.sock"

    def start(self):
        """Starts it; again at the same port if it has run before."""
        for _ in range(_ATTEMPTS):
            port = self.port or free_port()
            with open(self.folder / "redis.log", "ab") as log:
                self.process = subprocess.Popen(
                    [program(), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                     "--appendonly", "no", "--dir", str(self.folder),
                     "--unixsocket", str(self.path), *self.options],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait_for(lambda: self.process.poll() is not None or self._answers(port),
                     lambda: "redis-server to answer; its log:\n"
                     + (self.folder / "redis.log").read_text(errors="replace")[-2000:])
            if self.process.poll() is None:
                self.port = port
                return self
        raise AssertionError("redis-server does not start:\n"
                             + (self.folder / "redis.log").read_text(errors="replace")[-2000:])

    @staticmethod
    def _answers(port):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(7)[:1] in (b"+", b"-")
        return False

    def ask(self, *words):
        """The answer to one command, as bytes."""
        command = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            command += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(command)
            return sock.makefile("rb").readline()

    def size(self):
        """How many keys there are."""
        return int(self.ask("DBSIZE")[1:])

    def send_signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        if self.process:
            self.process.wait(PATIENCE)


@pytest.fixture
def start_redis():
    """start_redis(option, ...) starts one."""
    with contextlib.ExitStack() as stack:

        def start(*options):
            # The path of a Unix socket is short.
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
            os.chmod(folder, 0o700)
            server = RedisServer(folder, *options)
            stack.callback(server.end)
            return server.start()

        yield start


@pytest.fixture
def redis(start_redis):
    return start_redis()
