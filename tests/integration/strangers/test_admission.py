# SPDX-License-Identifier: MPL-2.0
"""Floods of newcomers, beside which good devices get in."""

import contextlib
import threading

import pytest

import certificates
import floods
import relay_protocol as rp
from floods import Flood
from module_server import module_server  # noqa: F401
from relay_client import Closed, ProtocolConnection, TlsBytes
from waiting import SLOWNESS, Deadline, pace, wait_for

MODULES = ["log", "bounds", "relay", "status", "probe"]
GOOD = "127.0.0.7"
JOINS = 20
#: Devices give up after that.
IN_TIME = 10 * SLOWNESS
ENOUGH = 0.95 * JOINS


@pytest.fixture
def strict(module_server):  # noqa: F811
    """A server to which all of 127.0.0.0/8 are sources."""

    def start(workers, sections=None, **top):
        sections = {"bounds": {}, **(sections or {})}
        sections["bounds"]["exempt"] = "192.0.2.1"
        return module_server(MODULES, workers=workers, sections=sections, **top)

    return start


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


def flooded(server, identities, words, count, manner):
    """The same while a flood goes on, which must have been one."""
    with Flood(server.address, words, count, manner) as flood:
        wait_for(lambda: counted(server, "accepted") > 200, "the flood to begin")
        joined = joins_in_time(server, identities)
    assert flood.said > 500, f"a flood of {flood.said} connections"
    return joined


def counted(server, what):
    """A metric of the server's connections."""
    return int(server.probe()[f"metric core.connections_{what}"])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [1, 8, 64, 1000])
def test_joins_beside_hellos_without_end(strict, identities, workers, count):
    server = strict(workers)
    hello = TlsBytes(identities[0]).client_hello()
    assert flooded(server, identities, hello, count, "leave") >= ENOUGH


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [8, 64])
def test_joins_beside_hellos_that_stay(strict, identities, workers, count):
    server = strict(workers)
    hello = TlsBytes(identities[0]).client_hello()
    assert flooded(server, identities, hello, count, "stay") >= ENOUGH


@pytest.mark.parametrize("words", [b"", b"\x9e", b"\x16"])
def test_a_newcomer_finds_a_descriptor(start_ours, identities, words):
    """Strangers hold as many connections as the server can have, and say no more; the module
    bounds does not see them."""
    server = start_ours("-bounds.opening", "0", descriptors=512)
    with contextlib.ExitStack() as stack:
        joined = stack.enter_context(ProtocolConnection(
            server.address, certificates.make())).join()
        for source in floods.sources(18):
            for _ in range(40):
                sock = floods.greet(server.address, source, words)
                if sock:
                    stack.enter_context(contextlib.closing(sock))
        assert joins_in_time(server, identities) == JOINS
        joined.check_alive()
