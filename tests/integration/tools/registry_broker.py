# SPDX-License-Identifier: MPL-2.0
"""What the nodes of one cluster share, for tests/modules/brokered.c: a registry without Redis."""

import contextlib
import socket
import struct
import threading
import time

from waiting import PATIENCE

#: Kind, how, the lengths of two parts, milliseconds, number, serial, ID.  Bytes follow.
HEAD = struct.Struct("=cBBBIQQ32s")
MOST = HEAD.size + 512
NAME = 16
JOIN = 0
SENT, OURS, NOBODY = range(3)
PAGE = 50


class Broker:
    """One thread answers all nodes, one packet after the other."""

    def __init__(self, path):
        self.path = path
        self.forget()
        self.start()

    def forget(self):
        """As a Redis that was started anew: it is empty."""
        self.devices = {}  # ID: (incarnation, epoch, serial)
        self.leases = {}  # incarnation: (its end, bytes)
        self.relay = None
        self.tables = {}  # name: {key: (number of the change, bytes)}
        self.changes = 0
        self.known = set()  # incarnations that were here already

    def start(self):
        self.path.unlink(missing_ok=True)
        self.nodes = {}  # incarnation: its connection
        self._ended = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._connections = []
        self._threads[0].start()

    def stop(self):
        """All connections end, and nobody listens."""
        with self._lock:
            self._ended = True
            for sock in (self._listener, *self._connections):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        for sock in (self._listener, *self._connections):
            sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                with self._lock:
                    if self._ended:
                        sock.close()
                        return
                    self._connections.append(sock)
                    thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            own = None
            while packet := sock.recv(MOST):
                with self._lock:
                    own = self._request(sock, own, packet)

    def _request(self, sock, own, packet):
        kind, how, *lengths, for_ms, number, serial, key = HEAD.unpack_from(packet)
        rest = packet[HEAD.size:]

        def reply(kind, how=0, number=0, serial=0, key=bytes(32), rest=b""):
            sock.sendall(HEAD.pack(kind, how, 0, 0, 0, number, serial, key) + rest)

        if kind == b"H":
            own = number
            self.nodes[own] = sock
            reply(b"H", how=own in self.known)
            self.known.add(own)
        elif kind == b"C":
            before, now = self._claim(own, key, how, number, serial)
            reply(b"C", number=before[0], serial=before[1], rest=struct.pack("=QQ", *now[:2]))
        elif kind == b"R":
            if key in self.devices and self.devices[key][0] == own \
                    and self.devices[key][2] <= serial:
                del self.devices[key]
        elif kind == b"F":
            reply(b"F", how=self._find(own, key, rest))
        elif kind == b"S":
            for to in [number] if number else list(self.nodes):
                self._message(to, rest)
        elif kind == b"L":
            self.leases[own] = (time.monotonic() + for_ms / 1000, rest)
            for to in list(self.nodes):
                self._message(to, rest)
        elif kind == b"E":
            self.leases.pop(own, None)
        elif kind == b"A":
            for end, lease in list(self.leases.values()):
                if end > time.monotonic():
                    self._message(own, lease)
        elif kind == b"I":
            self.relay = self.relay or key
            reply(b"I", key=self.relay)
        else:
            self._table(kind, reply, number, key, rest, lengths)
        return own

    def _claim(self, own, key, how, epoch, serial):
        before = self.devices.get(key, (0, 0, 0))
        if before[0] == own:
            serial = max(serial, before[2])
        now = before
        if how == JOIN:
            now = (own, max(epoch, before[1]) + 1, serial)
        elif not before[0] or (before[1], before[0]) < (epoch, own):
            now = (own, epoch, serial)
        elif before[0] == own:
            now = (*before[:2], serial)
        if now[0] == own:
            self.devices[key] = now
        return before, now

    def _find(self, own, key, message):
        owner = self.devices.get(key, (0,))[0]
        if owner and owner == own:
            return OURS
        if self.leases.get(owner, (0,))[0] <= time.monotonic():
            return NOBODY
        self._message(owner, message)
        return SENT

    def _message(self, to, message):
        if to in self.nodes:
            with contextlib.suppress(OSError):
                self.nodes[to].sendall(HEAD.pack(b"M", 0, 0, 0, 0, 0, 0, bytes(32)) + message)

    def _table(self, kind, reply, since, key, rest, lengths):
        table = self.tables.setdefault(rest[:NAME], {})
        row = rest[NAME:NAME + lengths[0]]
        instead = rest[NAME + lengths[0]:]
        stored = table.get(key, (0, b""))[1]
        if kind == b"P":
            if not stored or stored[:8] < row[:8] or stored == instead:
                self.changes += 1
                table[key] = (self.changes, row)
            reply(b"P", key=key, rest=table[key][1])
        elif kind == b"D":
            if stored and stored[:8] <= row[:8]:
                del table[key]
        else:
            assert kind == b"G", kind
            news = sorted((change, key, row) for key, (change, row) in table.items()
                          if change > since)
            last = max((change for change, _ in table.values()), default=0)
            for _, changed, text in news[:PAGE]:
                reply(b"r", key=changed, rest=text)
            reply(b"G", how=len(news) > PAGE, serial=last,
                  number=news[:PAGE][-1][0] if news else since)
