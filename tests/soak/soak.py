# SPDX-License-Identifier: MPL-2.0
"""Soak test: opens and ends sessions in every way, checks every byte, and checks that nothing is
left.

    python3 tests/soak/soak.py --hours 8             starts build/strelaysrv (or $STRELAYSRV)
    python3 tests/soak/soak.py --seconds 60 --threads 4
"""

import argparse
import collections
import contextlib
import os
import pathlib
import random
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

import certificates  # noqa: E402
import relay_protocol as rp  # noqa: E402
import relay_server  # noqa: E402
from relay_client import Closed, ProtocolConnection, SessionConnection, dial, reset  # noqa: E402
from waiting import SLOWNESS, wait_for  # noqa: E402

#: Short, so that sessions often end by a timeout.
TIMEOUT = 3 * SLOWNESS
SERVER_OPTIONS = ("-network-timeout", f"{TIMEOUT:g}s", "-message-timeout", f"{TIMEOUT:g}s",
                  "-ping-interval", f"{TIMEOUT / 3:g}s")

#: How much resident memory may grow after the warm-up, in KiB. At some 100 sessions a second, a
#: leak of a hundred bytes for each exceeds it within minutes.
GROWTH_KIB = 4096

#: Two descriptors for each direction of a session, and one more pipe that is about to be closed.
PIPES_PER_THREAD = 8

BIGGEST = 1 << 20
_BLOCK = random.Random(1).randbytes(4 * BIGGEST)


class Way:
    """One direction of a session: sends bytes and checks them."""

    def __init__(self, source, sender, receiver):
        self.sender, self.receiver = sender, receiver
        self.size = source.choice((1, 100, 5000, 70_000, BIGGEST, 2 * BIGGEST))
        start = source.randrange(len(_BLOCK) - self.size)
        self.data = memoryview(_BLOCK)[start : start + self.size]
        self.cut = source.choice((1000, 20_000, BIGGEST))

    def send(self):
        cut = max(self.cut, self.size // 50)
        for at in range(0, self.size, cut):
            self.sender.send_bytes(self.data[at : at + cut])

    def receive(self):
        got = self.receiver.receive_bytes(self.size)
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

    def __init__(self, address, source, identities, host):
        self.source = source
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
        ways = [Way(self.source, one, other), Way(self.source, other, one)]
        joins = [_threaded(way.send) for way in ways] + [_threaded(ways[0].receive)]
        ways[1].receive()
        for join in joins:
            join()
        return sum(way.size for way in ways)


def _ends(connection):
    """The connection must end here, by end-of-file or a reset, without further bytes."""
    connection.expect_close()


def clean(meeting):
    """Both sides close."""
    moved = meeting.exchange()
    meeting.close()
    return moved


def resets(meeting):
    """One side resets; the other side notices at once."""
    moved = meeting.exchange()
    reset(meeting.ends[0].sock)
    _ends(meeting.ends[1])
    return moved


def resets_midway(meeting):
    """One side resets while the other sends as fast as it can."""
    def send_until_closed():
        try:
            while True:
                meeting.ends[1].send_bytes(_BLOCK[:65536])
        except Closed:
            pass

    join = _threaded(send_until_closed)
    got = len(meeting.ends[0].receive_bytes(100_000))
    reset(meeting.ends[0].sock)
    join()
    return got


def half_closes(meeting):
    """One side sends everything and its end; then the other side answers."""
    one, other = meeting.ends
    way = Way(meeting.source, one, other)
    join = _threaded(way.send)
    way.receive()
    join()
    one.end_sending()
    other.expect_end_of_file()
    back = Way(meeting.source, other, one)
    join = _threaded(back.send)
    back.receive()
    join()
    other.end_sending()
    one.expect_end_of_file()
    return way.size + back.size


def times_out(meeting):
    """Both sides are silent until the relay ends the session."""
    moved = meeting.exchange()
    for end in meeting.ends:
        _ends(end)
    return moved


def device_lost(meeting):
    """The device disconnects from the relay, which ends its session."""
    moved = meeting.exchange()
    reset(meeting.target.sock)
    for end in meeting.ends:
        _ends(end)
    return moved


def vanishes(meeting):
    """Both sides and the device reset at once."""
    moved = meeting.exchange()
    for connection in (*meeting.ends, meeting.target):
        reset(connection.sock)
    return moved


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


def strangers(address, source, _, host):
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

    def __init__(self, address, threads, seed):
        self.address = address
        self.seed = seed
        self.counts = collections.Counter()
        self.bytes = 0
        self.error = None
        self._lock = threading.Lock()
        self._threads = threads
        self._identities = [
            [certificates.make() for _ in range(12)] for _ in range(threads)
        ]

    def run(self, seconds):
        """Runs for this time; raises the first error of any thread."""
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(number, end), daemon=True)
            for number in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seed += self._threads
        if self.error:
            raise self.error

    def _work(self, number, end):
        source = random.Random(self.seed + number)
        host = f"127.0.0.{2 + number}"
        turn = 0
        try:
            while time.monotonic() < end and not self.error:
                # Other identities than in the last round, whose end the relay may not have noticed
                # yet.
                pool = self._identities[number]
                pair = [pool[turn % len(pool)], pool[(turn + 1) % len(pool)]]
                turn += 2
                self._one(source, pair, host)
        except BaseException as error:  # raised by run()
            self.error = self.error or error

    def _one(self, source, pair, host):
        drawn = source.random()
        if drawn < 0.15:
            other = strangers if drawn < 0.1 else half_a_session
            other(self.address, source, pair, host)
            self._count(other.__name__, 0)
            return
        ending = source.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        meeting = Meeting(self.address, source, pair, host)
        try:
            moved = ending(meeting)
        except BaseException as error:
            raise AssertionError(f"{ending.__name__}: {error!r}") from error
        finally:
            meeting.close()
        self._count(ending.__name__, moved)

    def _count(self, name, moved):
        with self._lock:
            self.counts[name] += 1
            self.bytes += moved


def rss_kib(server):
    text = pathlib.Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return int(text.partition("Rss:")[2].split()[0])


def is_sanitized(server):
    """Sanitizers keep freed memory, so growth means nothing."""
    maps = pathlib.Path(f"/proc/{server.pid}/maps").read_text()
    return any(name in maps for name in ("libasan", "libtsan", "libclang_rt"))


def descriptors(server):
    """The number of sockets, and of other descriptors (pipes that are kept for reuse)."""
    sockets = others = 0
    for link in os.scandir(f"/proc/{server.pid}/fd"):
        try:
            is_socket = os.readlink(link.path).startswith("socket:")
        except FileNotFoundError:
            continue
        sockets, others = sockets + is_socket, others + (not is_socket)
    return sockets, others


def wait_until_quiet(server, baseline, threads):
    """Waits until all client sockets are closed and there are no more pipes than were needed at
    once."""
    wait_for(
        lambda: descriptors(server)[0] <= baseline[0],
        lambda: f"{baseline[0]} sockets at most; there are {descriptors(server)[0]}",
    )
    others = descriptors(server)[1]
    most = baseline[1] + PIPES_PER_THREAD * threads
    assert others <= most, f"descriptors beside sockets: got {others}, want at most {most}"


def soak(server, seconds, threads=8, seed=1, say=lambda text: None):
    """Runs the churn; then checks that descriptors and memory have returned to their level.
    Returns the Churn."""
    baseline = descriptors(server)
    churn = Churn(server.address, threads, seed)
    churn.run(min(600, seconds / 3))
    wait_until_quiet(server, baseline, threads)
    warm = rss_kib(server)
    say(f"warm: {sum(churn.counts.values())} rounds, {warm} KiB")
    end = time.monotonic() + seconds * 2 / 3
    while (left := end - time.monotonic()) > 0:
        churn.run(min(600, left))
        wait_until_quiet(server, baseline, threads)
        say(f"{sum(churn.counts.values())} rounds, {churn.bytes / 2**30:.2f} GiB checked, "
            f"{sum(descriptors(server))} descriptors, {rss_kib(server)} KiB")
    grown = rss_kib(server) - warm
    if not is_sanitized(server):
        assert grown <= GROWTH_KIB, (
            f"memory: got {grown} KiB more than after the warm-up ({warm} KiB), "
            f"want at most {GROWTH_KIB}"
        )
    return churn


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hours", type=float, help="instead of --seconds")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    return parser.parse_args()


def main():
    args = arguments()
    seconds = args.hours * 3600 if args.hours else args.seconds
    print(f"seed {args.seed}, {seconds:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = relay_server.start(
            relay_server.Program("ours"), pathlib.Path(folder), *SERVER_OPTIONS)
        try:
            churn = soak(server, seconds, args.threads, args.seed,
                         lambda text: print(text, flush=True))
        finally:
            server.finish()
    for name, count in churn.counts.most_common():
        print(f"{count:8} {name}")


if __name__ == "__main__":
    main()
