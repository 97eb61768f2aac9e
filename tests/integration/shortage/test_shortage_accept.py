# SPDX-License-Identifier: MPL-2.0
"""accept(2) fails: the error is counted, no client waits for ever, and the server does not spin."""

import errno
import socket
import time

import pytest

import faults
from relay_client import ProtocolConnection
from waiting import PATIENCE, pace, wait_for

#: The error, its label in the metric, and whether the connection is refused at once.
ERRORS = [
    (errno.EMFILE, "descriptors", True),
    (errno.ENFILE, "descriptors", True),
    (errno.ENOMEM, "memory", False),
    (errno.ENOBUFS, "memory", False),
    (errno.EOPNOTSUPP, "other", False),
]

CONFIGURATION = "modules = { log, bounds, relay, status, prometheus }\n"


@pytest.fixture
def short(start, our_program, tmp_path):
    """A server whose calls can fail, and the control of the faults."""
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "short.conf"
    conf.write_text(CONFIGURATION)
    return start(our_program, "-conf", conf, env=fault.environment), fault


def errors(server, kind):
    """How often accept has failed so far."""
    name = f'strelaysrv_core_accept_errors_total{{kind="{kind}"}} '
    page = server.get("/metrics")[2].decode()
    return next(int(line[len(name):]) for line in page.splitlines() if line.startswith(name))


def is_ended(address):
    with socket.create_connection(address, timeout=PATIENCE) as sock:
        try:
            return sock.recv(1) == b""
        except ConnectionResetError:
            return True


@pytest.mark.limits
@pytest.mark.parametrize("error, kind, at_once", ERRORS, ids=lambda value: str(value))
def test_accept_fails_once(short, identities, error, kind, at_once):
    server, fault = short
    fault.begin(faults.ACCEPT, 1, error=error)
    if at_once:  # the spare descriptor accepts and closes it
        assert is_ended(server.address)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        wait_for(lambda: fault.failed == 1, "a call to fail")
        fault.end()
        assert errors(server, kind) == 1
        client.check_alive()


@pytest.mark.parametrize("error, kind, at_once", ERRORS, ids=lambda value: str(value))
def test_accept_fails_for_a_while(short, identities, error, kind, at_once):
    """The server does not spin: each worker tries a few times a second."""
    server, fault = short
    with ProtocolConnection(server.address, identities[0]) as there_before:
        there_before.join()
        fault.begin(faults.ACCEPT, 1, length=0, error=error)
        begin = time.monotonic()
        waiting = socket.create_connection(server.address, timeout=PATIENCE)
        wait_for(lambda: fault.failed >= 6, "accept to be tried again")
        there_before.check_alive()
        took, tried = time.monotonic() - begin, fault.counted
        fault.end()
        # At most two workers with two calls each (one with the spare descriptor), every 100 ms.
        assert tried <= 8 + took * 10 * 4, f"{tried} calls in {took:.1f} s"
        pace()
        with waiting, ProtocolConnection(server.address, identities[1]) as client:
            client.join()
            client.check_alive()
        assert errors(server, kind) >= 1
