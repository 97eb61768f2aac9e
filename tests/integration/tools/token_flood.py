# SPDX-License-Identifier: MPL-2.0
"""A flood of tokens on a transit relay: each connection has another one, and none finds a partner."""

import collections
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import resource
import socket
import struct

from wormhole import Client, line

#: The flood comes from as many addresses as the attackers of tests/siege.
SOURCES = [f"127.64.0.{number}" for number in range(1, 65)]
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclasses.dataclass
class Measured:
    """What the server has at one moment."""

    resident: int  # bytes
    cpu: float  # seconds since its start
    waiting: int
    ended: dict  # clients by result


class Flood:
    """Keeps the last `held` connections open; `tokens` were sent so far."""

    def __init__(self, relay, held):
        self.relay, self.held, self.tokens = relay, held, 0
        self._open = collections.deque()
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def send(self, count):
        for _ in range(count):
            if len(self._open) == self.held:
                self._open.popleft().close()
            token = hashlib.sha256(b"flood %d" % self.tokens).hexdigest()
            sock = socket.socket()
            # Without it the ports of closed connections are taken for a minute.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            sock.bind((SOURCES[self.tokens % len(SOURCES)], 0))
            sock.connect(("127.0.0.1", self.relay.port))
            with contextlib.suppress(ConnectionError):  # it was refused before
                sock.sendall(line(token))
            self._open.append(sock)
            self.tokens += 1

    def close(self):
        while self._open:
            self._open.popleft().close()

    def measure(self):
        """When the server has looked at what was sent: it answers somebody who comes then."""
        with Client(self.relay.port, b"?\n") as last:
            last.rest()
        pid = self.relay.server.pid
        memory = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        _, page = self.relay.server.page("/metrics")
        ended = {result: int(number) for result, number in re.findall(
            r'strelaysrv_wormhole_transit_clients_total\{result="(\w+)"\} (\d+)', page)}
        return Measured(int(memory[1]) * 1024,
                        (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
                        self.relay.waiting(), ended)
