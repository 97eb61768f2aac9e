# SPDX-License-Identifier: MPL-2.0
"""Stands between nodes and a Redis server, and plays a bad network."""

import contextlib
import socket
import threading

import pytest

from waiting import PATIENCE, pace


_MESSAGE = b"*3\r\n$7\r\nmessage\r\n"


def _end_of_value(data, at=0):
    """Where the value of RESP2 that begins there ends; None: it is not complete."""
    line_end = data.find(b"\r\n", at)
    if line_end < 0:
        return None
    kind, after = data[at:at + 1], line_end + 2
    if kind not in b"$*":
        return after
    number = int(data[at + 1:line_end])
    if number < 0:
        return after
    if kind == b"$":
        return after + number + 2 if len(data) >= after + number + 2 else None
    for _ in range(number):
        after = _end_of_value(data, after)
        if after is None:
            return None
    return after


def is_message(value, kind=None):
    """Whether a value is a message of a channel, and of that type of messages between nodes."""
    if not value.startswith(_MESSAGE):
        return False
    if kind is None:
        return True
    rest = value[len(_MESSAGE):]
    for _ in range(2):  # the channel, and what was published
        length = int(rest[1:rest.index(b"\r\n")])
        begin = rest.index(b"\r\n") + 2
        text, rest = rest[begin:begin + length], rest[begin + length + 2:]
    return text[1:2] == bytes([kind])


class RedisProxy:
    """Forwards to `redis`.  `delay`: seconds by which answers come later.  `keep(value)`: whether
    a value from the server is passed on, or how often.  `silent`: nothing is passed on, and
    nothing is closed."""

    def __init__(self, redis, replicates=False):
        self.redis = redis
        self.replicates = replicates  # a client is a replica, whose answers have no such form
        self.delay = 0
        self.keep = lambda value: True
        self.silent = threading.Event()
        self.dropped = 0
        self._ended = threading.Event()
        self._socks = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def server(self):
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.redis.port), PATIENCE)
            except OSError:
                client.close()
                continue
            self._socks += [client, server]
            for source, to, values in ((client, server, False), (server, client, not self.replicates)):
                thread = threading.Thread(target=self._pass, args=(source, to, values),
                                          daemon=True)
                thread.start()
                self._threads.append(thread)

    def _pass(self, source, to, values):
        source.settimeout(0.2)
        data = b""
        with contextlib.suppress(OSError):
            while not self._ended.is_set():
                try:
                    part = source.recv(65536)
                except TimeoutError:
                    continue
                if not part:
                    break
                while self.silent.is_set() and not self._ended.is_set():
                    pace()
                if self.delay and values:
                    self._ended.wait(self.delay)
                data = self._send(to, data + part) if values else to.sendall(part) or b""
        for sock in (source, to):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _send(self, to, data):
        while data:
            end = _end_of_value(data)
            if end is None:
                break
            value, data = data[:end], data[end:]
            times = int(self.keep(value))
            to.sendall(value * times)
            self.dropped += not times
        return data

    def lose(self, count, kind=None):
        """The next `count` messages of that type are lost."""
        left = [count]

        def keep(value):
            if left[0] and is_message(value, kind):
                left[0] -= 1
                return False
            return True

        self.dropped = 0
        self.keep = keep

    def end(self):
        self._ended.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        for sock in self._socks:
            sock.close()


@pytest.fixture
def start_proxy(redis):
    """start_proxy(server) starts one before that server, or before the usual one."""
    with contextlib.ExitStack() as stack:

        def start(server=None, **options):
            proxy = RedisProxy(server or redis, **options)
            stack.callback(proxy.end)
            return proxy

        yield start
