# SPDX-License-Identifier: MPL-2.0
"""Streams through sessions, and measurements of their rate."""

import contextlib
import hashlib
import os
import threading
import time

from waiting import SLOWNESS, pace

KILO = 1000
MEGA = 1000 * 1000

#: By how much a rate may be below and above the option.  A slow machine can only lower it.
UNDER = 0.25 if SLOWNESS == 1 else 0.6
OVER = 0.10


class Stream(threading.Thread):
    """Sends at `rate` bytes a second, or as fast as possible, to a receiver that counts and
    discards."""

    def __init__(self, sender, receiver, rate=None):
        super().__init__(daemon=True)
        self.sender, self.receiver, self.rate = sender, receiver, rate
        self.got = 0
        self.arrivals = []  # (time, bytes)
        threading.Thread(target=self._drain, daemon=True).start()
        self.start()

    def run(self):
        block = bytes(2000 if self.rate else 65536)
        with contextlib.suppress(Exception):  # it ends with the session
            while True:
                self.sender.send_bytes(block)
                if self.rate:
                    pace(len(block) / self.rate)

    def _drain(self):
        with contextlib.suppress(Exception):
            while part := self.receiver.sock.recv(1 << 20):
                self.arrivals.append((time.monotonic(), len(part)))
                self.got += len(part)


class CheckedStream:
    """Sends random bytes from one socket to another until it is stopped."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.bytes = self.received = 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.drain)]
        for thread in self.threads:
            thread.start()

    def send(self):
        while not self.stopped.is_set():
            data = os.urandom(20_000)
            self.sent.update(data)
            self.source.sendall(data)
            self.bytes += len(data)
        self.source.shutdown(1)

    def drain(self):
        while piece := self.sink.recv(1 << 16):
            self.got.update(piece)
            self.received += len(piece)

    def finish(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert self.bytes > 0
        assert self.received == self.bytes, f"{self.received} bytes came of {self.bytes}"
        assert self.got.digest() == self.sent.digest(), "the bytes that came are not those sent"


def rates(streams, seconds=4, warm_up=1.0):
    """Bytes a second of each stream, measured after the initial burst."""
    pace(warm_up)
    begin, before = time.monotonic(), [stream.got for stream in streams]
    pace(seconds)
    took = time.monotonic() - begin
    return [(stream.got - b) / took for stream, b in zip(streams, before)]


def check_rate(got, want, what="rate"):
    assert want * (1 - UNDER) <= got <= want * (1 + OVER), f"{what}: got {got:.0f}, want {want}"


def windows(arrivals, begin, count, width=0.1):
    """The bytes received in each of `count` windows, beginning at a given time."""
    seen = [0] * count
    for when, size in arrivals:
        at = int((when - begin) / width)
        if when >= begin and at < count:
            seen[at] += size
    return seen


def smoothness(seen):
    """The share of windows with data, and the largest window as a multiple of the mean.

    A sender that sleeps and then bursts, once in N windows, gives 1/N and N."""
    mean = sum(seen) / len(seen)
    return sum(map(bool, seen)) / len(seen), max(seen) / mean if mean else float("inf")


def smoothest(stream, count=20, tries=4, good=lambda share, largest: True):
    """The first good try, or the last one.

    A busy machine sometimes delays the measurement; real bursts occur in every try."""
    for _ in range(tries):
        begin = time.monotonic()
        pace(count * 0.1)
        seen = windows(list(stream.arrivals), begin, count)
        share, largest = smoothness(seen)
        if good(share, largest):
            break
    return share, largest, seen
