# SPDX-License-Identifier: MPL-2.0
"""A DNS server for one test on its own loopback address.  It is silent or gives one answer.

Programs started with `prefix()` use only this server, because they run in a mount namespace."""

import contextlib
import os
import random
import socket
import struct
import subprocess
import threading

import pytest

from skip_unless import can_run
from waiting import wait_for

_TRY = ["unshare", "-m", "sh", "-c", "mount --bind /dev/null /etc/resolv.conf"]


def why_not():
    """Why such tests cannot run on this machine, or None."""
    if os.geteuid() != 0:
        return "needs root for mount namespaces"
    try:
        if subprocess.run(_TRY, capture_output=True, check=False).returncode == 0:
            return None
    except OSError:
        pass
    return "makes no mount namespaces"


class NameServer:
    """Answers no query until `address` is set, and then every query with that address."""

    def __init__(self, folder):
        # Clients use port 53 only, so the server needs an address of its own.
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.host = self._take_address()
        self.address = None
        self.asked = []
        self.conf = folder / "resolv.conf"
        # The timeout is longer than any test, so a resolver that waits never stops waiting.
        self.conf.write_text(f"nameserver {self.host}\noptions timeout:30 attempts:5\n")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _take_address(self):
        for _ in range(100):
            host = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
            with contextlib.suppress(OSError):
                self.sock.bind((host, 53))
                return host
        raise AssertionError("no address of loopback has its port 53 free")

    def prefix(self):
        """The command prefix that makes a program use this server."""
        return ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                str(self.conf)]

    def impatient(self):
        """Programs started from now on wait only one second for an answer."""
        self.conf.write_text(f"nameserver {self.host}\noptions timeout:1 attempts:1\n")

    def _serve(self):
        while True:
            query, peer = self.sock.recvfrom(4096)
            if not query:
                return
            self.asked.append(query)
            if self.address:
                self.sock.sendto(self._answer(query), peer)

    def _answer(self, query):
        end = query.index(b"\0", 12) + 5
        wants_v4 = query[end - 4:end - 2] == b"\0\x01"
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, wants_v4, 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(self.address)
        return head + query[12:end] + (record if wants_v4 else b"")

    def wait_until_asked(self, name):
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        wait_for(lambda: any(labels in query for query in self.asked), f"a question for {name}")

    def close(self):
        self.sock.sendto(b"", (self.host, 53))
        self._thread.join()
        self.sock.close()


#: Marks tests that need such a server.
needed = can_run("SILENT NAME SERVERS", why_not())


@pytest.fixture
def names(tmp_path):
    server = NameServer(tmp_path)
    yield server
    server.close()
