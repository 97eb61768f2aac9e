# SPDX-License-Identifier: MPL-2.0
"""Faults that a server meets during an attack: context managers for siege.lay()."""

import contextlib
import resource
import threading

from budget_table import constant
from http_client import counter
from suspending import suspended
from waiting import PATIENCE, pace, wait_for

#: Longer than a handshake may wait for its turn.
_LATE_S = constant("WAIT_MAX_US") / 1e6 + 0.2

_SHORT_S = _ENOUGH_S = 0.2


@contextlib.contextmanager
def log_unread(server):
    """Nobody reads the log, whose pipe fills."""
    with server.log_unread():
        yield


@contextlib.contextmanager
def asleep(server):
    """As soon as handshakes wait for their turn, the server does nothing for so long that those
    clients give up."""
    wait_for(lambda: counter(server, "handshakes_waited_total"), "handshakes to wait")
    with suspended(server):
        pace(_LATE_S)
    yield


@contextlib.contextmanager
def descriptors_short(server):
    """Every now and then the server may have fewer descriptors than are open, as if other processes
    had taken all that the machine has: accept(2) fails until enough are closed."""
    limit = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    over = threading.Event()

    def run():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            while not over.wait(_ENOUGH_S):
                fewer = server.descriptors() * 3 // 4
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (fewer, limit[1]))
                over.wait(_SHORT_S)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limit)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE)
