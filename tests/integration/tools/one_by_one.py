# SPDX-License-Identifier: MPL-2.0
"""A device that serves its invitations one by one, as Syncthing does, and strangers who abuse that.

Syncthing joins the session of an invitation, waits at most 10 s for a handshake, and only then
takes the next invitation.  Here the handshake is one word and its answer."""

import contextlib
import threading

import relay_protocol as rp
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import pace

HANDSHAKE_SECONDS = 10
HELLO, ANSWER = b"hello", b"and to you"


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
        try:
            end.join(invitation.key)
            assert end.receive_bytes(len(HELLO)) == HELLO
            self.served += 1
            end.send_bytes(ANSWER)
        except BaseException:
            end.close()
            raise


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
    sends `says`.

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
            ends = [end for end in ends if self._lives(end)]
            while len(ends) < each:
                try:
                    ends.append(self._begin(identity, source))
                except (Closed, OSError, AssertionError):
                    break
            pace(0.3)
        for end in ends:
            end.close()

    def _begin(self, identity, source):
        with ProtocolConnection(self.server.address, identity, source=source) as client:
            answer = client.ask(rp.ConnectRequest(self.target.id))
            assert isinstance(answer, rp.SessionInvitation), answer
            self.asked += 1
        end = SessionConnection(self.server.address, source=source).join(answer.key)
        if self.says:
            end.send_bytes(self.says)
        return end

    @staticmethod
    def _lives(end):
        end.sock.setblocking(False)
        try:
            if end.sock.recv(1):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        end.close()
        return False
