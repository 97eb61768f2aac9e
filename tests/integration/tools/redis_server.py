# SPDX-License-Identifier: MPL-2.0
"""Redis servers and Sentinels for one test: each in a folder of its own, ended by its process id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess

import pytest

from relay_server import free_port
from waiting import PATIENCE, wait_for


def program(what):
    """The server or the Sentinel: of Redis, else of Valkey, or of the one that REGISTRY names."""
    kinds = [os.environ["REGISTRY"]] if "REGISTRY" in os.environ else ["redis", "valkey"]
    names = [f"{kind}-{what}" for kind in kinds]
    found = next(filter(shutil.which, names), None)
    assert found, f"none of {names}: install the package of that name"
    return found


class RedisServer:
    """A redis-server, or another one that program() finds, with a Unix socket; with `port`, on
    loopback, too."""

    what = "server"

    def __init__(self, folder, *lines, port=None):
        self.program = program(self.what)
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = port
        self.socket = folder / "socket"
        #: What redis-cli needs to get in.
        self.cli = []
        self.conf = folder / "redis.conf"
        self.conf.write_text("\n".join([
            f"port {port or 0}", "bind 127.0.0.1", f"unixsocket {self.socket}", f"dir {folder}",
            'save ""', "appendonly no", *lines, ""]))
        self.process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}" if self.port else str(self.socket)

    def start(self):
        """Starts it, empty, and waits until it answers."""
        self.socket.unlink(missing_ok=True)
        self.log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([self.program, self.conf], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        wait_for(self._answers, lambda: f"{self.program}: {(self.folder / 'log').read_text()}")

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return self.socket.exists() and (self.try_call("PING") or "").startswith(
            ("PONG", "NOAUTH", "NOPERM"))

    def try_call(self, *args):
        """The answer of a command, or None."""
        done = subprocess.run(
            [program("cli"), "-s", str(self.socket), *self.cli, *map(str, args)], capture_output=True,
            text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        return done.stdout.strip() if done.returncode == 0 else None

    def call(self, *args):
        answer = self.try_call(*args)
        assert answer is not None, f"no answer to {args}"
        return answer

    def ask(self, *words):
        """The first line of the answer to one command, as bytes; words may be bytes."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(self.socket))
            sock.sendall(b"*%d\r\n" % len(words)
                         + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
            return sock.makefile("rb").readline()

    def list(self, *words):
        """The answer to a command that answers with a list of texts."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(self.socket))
            sock.sendall(" ".join(words).encode() + b"\r\n")
            stream = sock.makefile("rb")
            count = int(stream.readline()[1:])
            return [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(count)]

    def size(self):
        """How many keys there are."""
        return int(self.ask("DBSIZE")[1:])

    def stop(self):
        """It stands still; its connections stay open."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.log.close()


class Sentinel(RedisServer):
    """Watches a server by the name "main" and makes a replica the primary half a second after its
    end."""

    what = "sentinel"

    def __init__(self, folder, primary):
        super().__init__(
            folder, f"sentinel monitor main 127.0.0.1 {primary.port} 1",
            "sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 3000",
            port=free_port())


@pytest.fixture
def start_redis(tmp_path):
    """start_redis(*LINES, port=…) starts a server; start_redis.sentinel(PRIMARY) a Sentinel."""
    with contextlib.ExitStack() as servers:
        count = [0]

        def keep(kind, *args, **options):
            count[0] += 1
            # Before it has started, so that one which does not answer is ended as well.
            server = kind.__new__(kind)
            servers.callback(lambda: getattr(server, "process", None) and server.kill())
            server.__init__(tmp_path / f"redis-{count[0]}", *args, **options)
            return server

        def start_one(*lines, **options):
            return keep(RedisServer, *lines, **options)

        start_one.sentinel = lambda primary: keep(Sentinel, primary)
        yield start_one


@pytest.fixture
def redis(start_redis):
    """One that is reached by loopback, too."""
    return start_redis(port=free_port())
