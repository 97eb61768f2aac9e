# SPDX-License-Identifier: MPL-2.0
"""Clients that open and end sessions in every way, check every byte, and count what they send and
receive."""

import collections
import contextlib
import random
import socket
import threading
import time

import certificates
import relay_protocol as rp
from relay_client import Closed, ProtocolConnection, SessionConnection, dial, reset
from waiting import pace

BIGGEST = 1 << 20
_BLOCK = random.Random(1).randbytes(4 * BIGGEST)


class Flow:
    """Bytes of sessions, as their clients count them."""

    def __init__(self):
        self._lock = threading.Lock()
        self.sent = self.received = 0

    def add(self, sent=0, received=0):
        with self._lock:
            self.sent += sent
            self.received += received


class Way:
    """One direction of a session: sends bytes and checks them."""

    def __init__(self, source, sender, receiver, flow):
        self.sender, self.receiver, self.flow = sender, receiver, flow
        self.size = source.choice((1, 100, 5000, 70_000, BIGGEST, 2 * BIGGEST))
        start = source.randrange(len(_BLOCK) - self.size)
        self.data = memoryview(_BLOCK)[start : start + self.size]
        self.cut = source.choice((1000, 20_000, BIGGEST))

    def send(self):
        cut = max(self.cut, self.size // 50)
        for at in range(0, self.size, cut):
            piece = self.data[at : at + cut]
            self.sender.send_bytes(piece)
            self.flow.add(sent=len(piece))

    def receive(self):
        got = self.receiver.receive_bytes(self.size)
        self.flow.add(received=self.size)
        assert got == self.data, f"{self.size} bytes arrived, but not those that were sent"


def _threaded(action):
    """Runs an action in a thread.  Call the result to wait for it and to raise its error."""
    errors = []

    def run():
        try:
            action()
        except BaseException as error:  # raised in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join():
        thread.join()
        if errors:
            raise errors[0]

    return join


class Meeting:
    """Two devices in a session; the target has joined the relay."""

    def __init__(self, address, source, identities, host, flow):
        self.source, self.flow = source, flow
        self.target = ProtocolConnection(address, identities[0], source=host)
        self.ends = []
        try:
            self.target.join()
            with ProtocolConnection(address, identities[1], source=host) as asker:
                invitation = asker.request(identities[0].id)
            keys = [invitation.key, self.target.invitation().key]
            source.shuffle(keys)
            for _ in keys:
                self.ends.append(SessionConnection(address, source=host))
            for end, key in zip(self.ends, keys):
                end.send(rp.JoinSessionRequest(key))
            for end in self.ends:
                end.expect(rp.response(rp.SUCCESS))
        except BaseException:
            self.close()
            raise

    def close(self):
        for connection in (*self.ends, self.target):
            connection.close()

    def exchange(self):
        """Sends bytes in both directions at once and checks them; returns how many."""
        one, other = self.ends
        ways = [Way(self.source, one, other, self.flow), Way(self.source, other, one, self.flow)]
        joins = [_threaded(way.send) for way in ways] + [_threaded(ways[0].receive)]
        ways[1].receive()
        for join in joins:
            join()


def _ends(connection):
    """The connection must end here, by end-of-file or a reset, without further bytes."""
    connection.expect_close()


def clean(meeting):
    """Both sides close."""
    meeting.exchange()
    meeting.close()


def resets(meeting):
    """One side resets; the other side notices at once."""
    meeting.exchange()
    reset(meeting.ends[0].sock)
    _ends(meeting.ends[1])


def resets_midway(meeting):
    """One side resets while the other sends as fast as it can."""
    def send_until_closed():
        with contextlib.suppress(ConnectionError):
            while True:
                meeting.flow.add(sent=meeting.ends[1].sock.send(_BLOCK[:65536]))

    join = _threaded(send_until_closed)
    meeting.flow.add(received=len(meeting.ends[0].receive_bytes(100_000)))
    reset(meeting.ends[0].sock)
    join()


def half_closes(meeting):
    """One side sends everything and its end; then the other side answers."""
    one, other = meeting.ends
    for sender, receiver in ((one, other), (other, one)):
        way = Way(meeting.source, sender, receiver, meeting.flow)
        join = _threaded(way.send)
        way.receive()
        join()
        sender.end_sending()
        receiver.expect_end_of_file()


def times_out(meeting):
    """Both sides are silent until the relay ends the session."""
    meeting.exchange()
    for end in meeting.ends:
        _ends(end)


def device_lost(meeting):
    """The device disconnects from the relay, which ends its session."""
    meeting.exchange()
    reset(meeting.target.sock)
    for end in meeting.ends:
        _ends(end)


def vanishes(meeting):
    """Both sides and the device reset at once."""
    meeting.exchange()
    for connection in (*meeting.ends, meeting.target):
        reset(connection.sock)


#: Each with its weight.  Endings by timeout take long, so they are rare.
ENDINGS = {clean: 6, half_closes: 6, resets: 4, resets_midway: 4, device_lost: 4, vanishes: 3,
           times_out: 1}


def half_a_session(address, source, identities, host):
    """Only one side joins, so the session expires."""
    with ProtocolConnection(address, identities[0], source=host).join() as target:
        with ProtocolConnection(address, identities[1], source=host) as asker:
            key = asker.request(identities[0].id).key
        with SessionConnection(address, source=host).join(key) as end:
            if source.random() < 0.1:
                _ends(end)
        target.close()


def strangers(address, source, host):
    """Connections that neither join nor open a session."""
    sock = dial(address, host)
    try:
        with contextlib.suppress(OSError):  # the relay may close it
            sock.sendall(source.choice((b"", b"\x16", b"GET / HTTP/1.0\r\n\r\n", b"\x9e\x79")))
            if source.random() < 0.5:
                sock.shutdown(socket.SHUT_WR)
    finally:
        (reset if source.random() < 0.5 else type(sock).close)(sock)


class Churn:
    """Threads that open and end sessions, with pauses in which nothing is open."""

    def __init__(self, address, threads, seed, per_second=None, excused=lambda since: False):
        """`excused(since)`: whether a device may have been sent away, or the one that it asks
        for, since that time."""
        self.address = address
        self.seed = seed
        self.counts = collections.Counter()
        self.flow = Flow()
        self.errors = []
        self._lock = threading.Lock()
        self._count_of_threads = threads
        self._every = threads / per_second if per_second else 0
        self._excused = excused
        self._identities = [
            [certificates.make() for _ in range(12)] for _ in range(threads)
        ]

    def begin(self, seconds):
        """Runs for this time in the background; the result waits for the end."""
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(number, end), daemon=True)
            for number in range(self._count_of_threads)
        ]
        for thread in threads:
            thread.start()

        def join():
            for thread in threads:
                thread.join()
            self.seed += self._count_of_threads

        return join

    def _work(self, number, end):
        source = random.Random(self.seed + number)
        host = f"127.0.0.{2 + number}"
        turn = 0
        while time.monotonic() < end and len(self.errors) < 20:
            began = time.monotonic()
            # Other identities than in the last round, whose end the relay may not have noticed yet.
            pool = self._identities[number]
            pair = [pool[turn % len(pool)], pool[(turn + 1) % len(pool)]]
            turn += 2
            try:
                self._one(source, pair, host)
            except Exception as error:  # judged by the caller
                self.errors.append(f"{time.strftime('%H:%M:%S')} {error!r}")
            pace(max(0, began + self._every * source.uniform(0.5, 1.5) - time.monotonic()))

    def _one(self, source, pair, host):
        drawn = source.random()
        if drawn < 0.1:
            strangers(self.address, source, host)
            self._count("strangers")
            return
        began = time.monotonic()
        try:
            if drawn < 0.15:
                half_a_session(self.address, source, pair, host)
                self._count("half_a_session")
                return
            meeting = Meeting(self.address, source, pair, host, self.flow)
        except (OSError, Closed, AssertionError):
            if not self._excused(began):
                raise
            self._count("sent_away")
            return
        ending = source.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        try:
            ending(meeting)
        except Exception as error:
            raise AssertionError(f"{ending.__name__}: {error!r}") from error
        finally:
            meeting.close()
        self._count(ending.__name__)

    def _count(self, name):
        with self._lock:
            self.counts[name] += 1
