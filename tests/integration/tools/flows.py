# SPDX-License-Identifier: MPL-2.0
"""Sends and receives many bytes through a session in chunks of random sizes, and compares them."""

import hashlib
import random
import threading

MEBI = 1 << 20


class Sender(threading.Thread):
    """Sends random bytes in chunks of random sizes, and computes their hash."""

    def __init__(self, connection, size, seed, biggest=256 * 1024):
        super().__init__(daemon=True)
        self.connection = connection
        self.size = size
        self.random = random.Random(seed)
        self.biggest = biggest
        self.hash = hashlib.sha256()
        self.error = None
        self.start()

    def run(self):
        block = self.random.randbytes(self.biggest + 997)
        left = self.size
        try:
            while left:
                limit = self.random.choice((16, 1500, self.biggest, self.biggest))
                length = min(left, self.random.randint(1, min(limit, self.biggest)))
                start = self.random.randrange(len(block) - length)
                part = block[start : start + length]
                self.hash.update(part)
                self.connection.send_bytes(part)
                left -= length
        except BaseException as error:  # the test reports it
            self.error = error


class Receiver(threading.Thread):
    """Receives the same number of bytes in chunks of random sizes, and computes their hash."""

    def __init__(self, connection, size, seed):
        super().__init__(daemon=True)
        self.connection = connection
        self.size = size
        self.random = random.Random(seed)
        self.hash = hashlib.sha256()
        self.got = 0
        self.error = None
        self.start()

    def run(self):
        try:
            while self.got < self.size:
                wanted = min(self.size - self.got, self.random.randint(1, 512 * 1024))
                part = self.connection.receive_some(wanted)
                if not part:
                    raise AssertionError(f"end of stream after {self.got} of {self.size} bytes")
                self.hash.update(part)
                self.got += len(part)
        except BaseException as error:  # the test reports it
            self.error = error


def check_flows(flows):
    """Waits for pairs of Sender and Receiver, and compares their hashes."""
    for number, (sender, receiver) in enumerate(flows):
        sender.join()
        receiver.join()
        assert sender.error is None, f"flow {number}, sending: {sender.error!r}"
        assert receiver.error is None, f"flow {number}, receiving: {receiver.error!r}"
        assert receiver.hash.digest() == sender.hash.digest(), f"flow {number}: bytes differ"


def flow(sender, receiver, size, seed, **options):
    return Sender(sender, size, seed, **options), Receiver(receiver, size, seed + 1)
