# SPDX-License-Identifier: MPL-2.0
"""Good devices can join during floods of new connections."""

import contextlib

import pytest

import certificates
import floods
from floods import Flood
from good_joins import ENOUGH, JOINS, counted, joins_in_time
from module_server import module_server  # noqa: F401
from relay_client import Closed, ProtocolConnection, SessionConnection, TlsBytes
from waiting import wait_for

MODULES = ["log", "bounds", "relay", "status", "probe"]


@pytest.fixture
def strict(module_server):  # noqa: F811
    """A server that treats each address of 127.0.0.0/8 as a source."""

    def start(workers, sections=None, **top):
        sections = {"bounds": {}, **(sections or {})}
        sections["bounds"]["exempt"] = "192.0.2.1"
        return module_server(MODULES, workers=workers, sections=sections, **top)

    return start


def flooded(server, identities, words, count, manner):
    """Joins during a flood; checks that the flood took place."""
    with Flood(server.address, words, count, manner) as flood:
        wait_for(lambda: counted(server, "accepted") > 200, "the flood to begin")
        joined = joins_in_time(server, identities)
    assert flood.said > 500, f"a flood of {flood.said} connections"
    return joined


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


def test_a_newcomer_finds_a_descriptor_among_halves(start_ours, identities):
    """A requester joins its side of many sessions with a device of its own; the other sides never
    come.  Each side has its own source address, and there are more of them than descriptors."""
    server = start_ours("-bounds.opening", "0", "-relay.invitations-per-asker", "1000",
                        descriptors=256)
    with contextlib.ExitStack() as stack:
        target = certificates.make()
        stack.enter_context(ProtocolConnection(server.address, target)).join()
        halves = []
        for source in floods.sources(230):
            with contextlib.suppress(OSError, Closed, AssertionError):
                with ProtocolConnection(server.address, identities[0], source=source) as asker:
                    key = asker.request(target.id).key
                half = stack.enter_context(SessionConnection(server.address, source=source))
                halves.append(half.join(key))
        assert len(halves) > 150
        assert joins_in_time(server, identities) == JOINS


@pytest.mark.parametrize("words", [b"", b"\x9e", b"\x16"])
def test_a_newcomer_finds_a_descriptor(start_ours, identities, words):
    """Strangers open as many connections as the server can have and stay silent.  The module bounds
    exempts them."""
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
