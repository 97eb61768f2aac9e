# SPDX-License-Identifier: MPL-2.0
"""Two devices before their session: one has joined, the other requests it; both have an invitation
and a socket."""

import contextlib
import ipaddress

import relay_protocol as rp
from relay_client import ProtocolConnection, SessionConnection
from waiting import pace

_REFERENCE_PAUSE = 0.1
_REFERENCE_ATTEMPTS = 5


def told(invitation):
    """(address, port); the address is "" if the client is to use the one it connected to."""
    if not invitation.address:
        return "", invitation.port
    address = ipaddress.ip_address(bytes(invitation.address))
    return str(getattr(address, "ipv4_mapped", None) or address), invitation.port


def settle(server):
    """Waits between the two joins of a session at the reference.

    The reference answers `already connected` to a second join that comes too soon after the answer
    to the first (fault 6), and nothing shows when it is ready."""
    if not server.program.ours:
        pace(_REFERENCE_PAUSE)


class Invited:
    """A joined target, and the invitations that an asker and the target got.

    The target stays joined until the end of the `with`, because its sessions end with its
    connection."""

    def __init__(self, server, asker, target):
        self.server = server
        self.asker = asker
        with contextlib.ExitStack() as stack:
            self.target = stack.enter_context(ProtocolConnection(server.address, target)).join()
            self.ask()
            self._stack = stack.pop_all()

    def ask(self):
        """Gets the invitations of a new session."""
        with ProtocolConnection(self.server.address, self.asker) as client:
            self.to_asker = client.request(self.target.identity.id)
        self.to_target = self.target.invitation()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def connect(self, **options):
        """A connection in session mode that has sent nothing yet."""
        connection = SessionConnection(self.server.address, **options)
        return self._stack.enter_context(connection)

    def join_asker(self, **options):
        return self.connect(**options).join(self.to_asker.key)

    def join_target(self, **options):
        return self.connect(**options).join(self.to_target.key)

    def join_both(self):
        """Both ends of the session, ready to relay.  With the reference this can fail by a race
        (see settle)."""
        for _ in range(1 if self.server.program.ours else _REFERENCE_ATTEMPTS):
            asker, target = self.join_asker(), self.connect()
            settle(self.server)
            answer = target.ask(rp.JoinSessionRequest(self.to_target.key))
            if answer == rp.response(rp.SUCCESS):
                return asker, target
            self.ask()
        raise AssertionError(f"answer to the second join of a session: got {answer}")


def check_relayed(sender, receiver, payload=b"are you there?"):
    """Sends some bytes and checks that they arrive unchanged."""
    sender.send_bytes(payload)
    got = receiver.receive_bytes(len(payload))
    assert got == payload, f"relayed: got {got[:64]}, want {payload[:64]}"


def check_both_ways(one, other):
    check_relayed(one, other)
    check_relayed(other, one)
