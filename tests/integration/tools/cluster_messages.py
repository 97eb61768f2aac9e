# SPDX-License-Identifier: MPL-2.0
"""Messages between nodes as modules/cluster/messages/ describes them, and a node that a test plays."""

import hashlib
import hmac
import os
import socket
import struct
import threading

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from waiting import PATIENCE, wait_for

(LEASE, HELLO, GOODBYE, ASK, ANSWER, PREPARE, PREPARED, CLAIMED, ALIVE) = range(1, 10)
OPEN, CLOSED, DRAINING = range(3)
INVITED, ABSENT, REFUSED, FULL, ERROR = range(5)  # how an ANSWER or PREPARED ends
VERSION = 0x10
_TAG = 16


def keys_of(folder, cluster="relay", generation=1):
    """The keys of messages and of their bodies, from the key.pem in that folder."""
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    number = key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big")
    return tuple(HKDF(hashes.SHA256(), 32, b"strelaysrv derived key 1",
                      f"cluster\0{what} of {cluster}, generation {generation}".encode())
                 .derive(b"EC\0" + number) for what in ("messages", "bodies of messages"))


def place(host="", port=0):
    """An address, or none."""
    if not host:
        return bytes(19)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = socket.inet_pton(family, host)
    return bytes([len(address)]) + address.ljust(16, b"\0") + struct.pack(">H", port)


def lease(name="ghost", answers=0, v4=("192.0.2.9", 22067), state=OPEN, lease_ms=3000, sessions=0):
    return (name.encode().ljust(64, b"\0") + place(*v4) + place()
            + struct.pack(">BIQQIQ", state, sessions, 0, 0, lease_ms, answers))


class Ghost:
    """Who knows the key and can publish: a node that says what a test wants."""

    def __init__(self, redis, folder, cluster="relay", generation=1, keys=None):
        self.redis, self.cluster, self.generation = redis, cluster, generation
        self.keys = keys or keys_of(folder, cluster, generation)
        self.incarnation = int.from_bytes(os.urandom(8), "big") | 1
        self.counter = 0
        self.heard = []  # (type, sender, counter, body)
        self._stop = threading.Event()
        self._listening = None

    def channel(self, incarnation=0):
        return f"st:{{{self.cluster}}}:" + (f"to:{incarnation:016x}" if incarnation else "all")

    def body(self, sender, counter, body):
        """The same encrypted, or decrypted."""
        block = struct.pack(">QQ", sender, counter << 8 & (1 << 64) - 1)
        return Cipher(algorithms.AES(self.keys[1]), modes.CTR(block)).encryptor().update(body)

    def seal(self, kind, body=b"", to=0, version=VERSION, counter=None, sender=None):
        if counter is None:
            self.counter += 1
            counter = self.counter
        sender = self.incarnation if sender is None else sender
        sealed = struct.pack(">BBIQQQ", version, kind, self.generation, sender, to, counter)
        sealed += self.body(sender, counter, body)
        return sealed + hmac.digest(self.keys[0], sealed, hashlib.sha256)[:_TAG]

    def publish(self, message, to=0):
        """How many have got it."""
        answer = self.redis.ask("PUBLISH", self.channel(to), message)
        assert answer.startswith(b":"), answer
        return int(answer[1:])

    def say(self, kind, body=b"", to=0, **options):
        return self.publish(self.seal(kind, body, to, **options), to)

    def live(self, **facts):
        """Takes part: answers every HELLO by a lease, until stop()."""
        sock = socket.create_connection(("127.0.0.1", self.redis.port), PATIENCE)
        sock.sendall(f"SUBSCRIBE {self.channel()} {self.channel(self.incarnation)}\r\n".encode())
        stream = sock.makefile("rb")
        sock.settimeout(PATIENCE)
        for _ in range(2):
            self._value(stream)
        self._listening = threading.Thread(target=self._listen, args=(sock, stream, facts),
                                           daemon=True)
        self._listening.start()
        self.say(LEASE, lease(**facts))
        return self

    @staticmethod
    def _value(stream):
        """One push: a list of three."""
        assert stream.readline() == b"*3\r\n"
        parts = []
        for _ in range(3):
            line = stream.readline()
            parts.append(stream.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line)
        return parts

    def _listen(self, sock, stream, facts):
        try:
            while not self._stop.is_set():
                message = self._value(stream)[2]
                _, kind, _, sender, to, counter = struct.unpack_from(">BBIQQQ", message)
                if sender == self.incarnation:
                    continue
                self.heard.append((kind, sender, counter,
                                   self.body(sender, counter, message[30:-_TAG])))
                if kind == HELLO:
                    self.say(LEASE, lease(answers=counter, **facts), to=sender)
                elif kind == LEASE and to == 0:
                    self.say(LEASE, lease(**facts))
        except (OSError, AssertionError, ValueError):
            pass
        finally:
            sock.close()

    def wait_for(self, kind):
        """The first message of that type."""
        return wait_for(lambda: next((one for one in self.heard if one[0] == kind), None),
                        f"a message of type {kind}; heard: {[one[0] for one in self.heard]}")

    def stop(self):
        self._stop.set()
        self.say(GOODBYE)
        self.redis.ask("PUBLISH", self.channel(), b"x" * 46)
