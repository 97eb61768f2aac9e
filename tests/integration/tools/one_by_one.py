# SPDX-License-Identifier: MPL-2.0
"""A device that serves its invitations one by one, as Syncthing does, and strangers who abuse that.

Syncthing joins the session of an invitation, waits at most 10 s for a handshake, and only then
takes the next invitation.  Here the handshake is one word and its answer; a whole TLS record, such
as a ClientHello, gets the server's first messages, which have to be followed by that word."""

import contextlib
import threading
import time
import types

import relay_protocol as rp
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import pace

HANDSHAKE_SECONDS = 10
HELLO, ANSWER = b"hello", b"and to you"
RECORD = b"\x16\x03\x01"

#: The beginning of a record of 16 KiB.
LARGE_PART = RECORD + b"\x40\x00\x01\x00\x3f\xfc" + bytes(4300)
#: A whole record, after which more must follow.
WHOLE_RECORD = RECORD + b"\x01\x00" + bytes(256)
#: What a TLS server sends before the client has proved its identity.
_FIRST_MESSAGES = bytes(2000)


def drip():
    """A record that comes byte by byte."""
    yield RECORD + b"\x40\x00"
    while True:
        yield b"\x01"


class OneByOne:
    """A joined device, in a thread, that serves one invitation after the other."""

    def __init__(self, server, identity):
        self.server, self.identity = server, identity
        self.connection = ProtocolConnection(server.address, identity).join()
        self.connection.sock.settimeout(0.2)
        self.served = 0
        self._stopped = threading.Event()
        self._ends = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        self.connection.close()
        for end in self._ends:
            end.close()

    def _run(self):
        while not self._stopped.is_set():
            try:
                message = self.connection.receive()
            except AssertionError:  # no invitation came
                continue
            except (Closed, OSError):
                return
            if message == rp.Ping():
                self.connection.send(rp.Pong())
            elif isinstance(message, rp.SessionInvitation):
                with contextlib.suppress(Closed, OSError, AssertionError):
                    self._serve(message)

    def _serve(self, invitation):
        end = SessionConnection(self.server.address)
        self._ends.append(end)
        end.sock.settimeout(HANDSHAKE_SECONDS)
        until = time.monotonic() + HANDSHAKE_SECONDS
        try:
            end.join(invitation.key)
            while (head := _receive(end, len(HELLO), until)) != HELLO:
                assert head.startswith(RECORD)
                _receive(end, int.from_bytes(head[3:], "big"), until)
                end.send_bytes(_FIRST_MESSAGES)
            self.served += 1
            end.send_bytes(ANSWER)
        except BaseException:
            end.close()
            raise


def _receive(end, size, until):
    """As many bytes, if they come until that time."""
    data = b""
    while len(data) < size:
        end.sock.settimeout(max(until - time.monotonic(), 0.001))
        part = end.receive_some(size - len(data))
        if not part:
            raise Closed("end of the session")
        data += part
    return data


def visit(server, identity, target, source=None):
    """Requests the device as a good device does, with Syncthing's timeout; whether it was
    served."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(ProtocolConnection(server.address, identity, source=source))
        answer = client.ask(rp.ConnectRequest(target.id))
        assert isinstance(answer, rp.SessionInvitation), f"no invitation: {answer}"
        end = stack.enter_context(SessionConnection(server.address, source=source))
        end.sock.settimeout(HANDSHAKE_SECONDS)
        try:
            end.join(answer.key).send_bytes(HELLO)
            return end.receive_bytes(len(ANSWER)) == ANSWER
        except (Closed, OSError, AssertionError):
            return False


class Strangers:
    """Strangers, each with its own source address.  Each requests the device, joins its half, and
    sends `says`: bytes, or a function that returns a generator of what is sent in each round.  The
    generator is sent what has been received, and raises Closed to leave.

    Each holds `each` sessions; when one ends, it requests another."""

    def __init__(self, server, target, identities, sources, each=2, says=b""):
        self.server, self.target, self.says = server, target, says
        self.asked = 0
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(identities[number % len(identities)],
                                                     source, each))
            for number, source in enumerate(sources)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, identity, source, each):
        ends = []
        while not self._stopped.is_set():
            ends = [one for one in ends if self._lives(*one)]
            while len(ends) < each:
                try:
                    ends.append(self._begin(identity, source))
                except (Closed, OSError, AssertionError):
                    break
            pace(0.3)
        for end, _ in ends:
            end.close()

    def _begin(self, identity, source):
        with ProtocolConnection(self.server.address, identity, source=source) as client:
            answer = client.ask(rp.ConnectRequest(self.target.id))
            assert isinstance(answer, rp.SessionInvitation), answer
            self.asked += 1
        end = SessionConnection(self.server.address, source=source).join(answer.key)
        says = self.says() if callable(self.says) else iter([self.says])
        end.send_bytes(next(says))
        end.sock.setblocking(False)
        return end, says

    @staticmethod
    def _lives(end, says):
        received = b""
        try:
            with contextlib.suppress(BlockingIOError):
                received = end.sock.recv(65536)
                if not received:
                    raise Closed("end of the session")
            with contextlib.suppress(BlockingIOError):
                _go_on(end, says, received)
            return True
        except (Closed, OSError):
            end.close()
            return False


def _go_on(end, says, received):
    try:
        if isinstance(says, types.GeneratorType):
            end.sock.send(says.send(received))
    except StopIteration:
        pass  # silence from here on
