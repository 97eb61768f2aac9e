# SPDX-License-Identifier: MPL-2.0
"""Good devices that join while attackers are active: counts those that succeed in time."""

import contextlib
import threading

import relay_protocol as rp
from relay_client import Closed, ProtocolConnection
from waiting import SLOWNESS, Deadline, pace

GOOD = "127.0.0.7"
JOINS = 20
#: Devices give up after so many seconds.
IN_TIME = 10 * SLOWNESS
ENOUGH = 0.95 * JOINS


def join_in_time(server, identity, done):
    deadline = Deadline(IN_TIME)
    with contextlib.suppress(OSError, AssertionError, Closed):
        with ProtocolConnection(server.address, identity, source=GOOD) as client:
            if client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS) and \
                    not deadline.passed():
                done.append(identity)


def joins_in_time(server, identities):
    """How many of JOINS good devices get in."""
    done = []
    joins = [threading.Thread(target=join_in_time, args=(server, identity, done), daemon=True)
             for identity in identities[:JOINS]]
    for join in joins:
        join.start()
        pace(0.1)
    for join in joins:
        join.join()
    return len(done)


def counted(server, what):
    """A metric of the server's connections."""
    return int(server.probe()[f"metric core.connections_{what}"])
