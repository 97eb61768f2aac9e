# SPDX-License-Identifier: MPL-2.0
"""Handshakes that have waited for so long that their clients have given up."""

import contextlib
import functools
import selectors

import floods
from budget_table import constant
from http_client import counter, with_metrics
from relay_client import ProtocolConnection, TlsBytes
from suspending import suspended
from waiting import pace, wait_for

LATE_S = constant("WAIT_MAX_US") / 1e6
#: More than a worker serves before it is stopped; it is, when so many have an answer.
MANY, SERVED = 400, 10
TRIES = 3


def wait_until_some_are_served(strangers):
    with selectors.DefaultSelector() as answers:
        for sock in strangers:
            answers.register(sock, selectors.EVENT_READ)
        wait_for(lambda: len(answers.select(0)) >= SERVED, "the first answers")


def late(server):
    return counter(server, "handshake_failures_total", kind="late")


def test_who_has_waited_for_too_long_is_not_served(start, plain_program, tmp_path, identities):
    """The hellos of many strangers arrive at once, so most wait for their turn.  The server then
    does nothing for longer than a handshake may wait: it ends those, and serves who comes next."""
    server = with_metrics(functools.partial(start, plain_program), tmp_path, "-workers", "1")
    hello = TlsBytes(identities[0]).client_hello()
    for _ in range(TRIES):
        with contextlib.ExitStack() as stack:
            strangers = [floods.greet(server.address, source, b"")
                         for source in floods.sources(MANY)]
            assert all(strangers)
            for sock in strangers:
                stack.enter_context(contextlib.closing(sock))
            for sock in strangers:
                sock.send(hello)
            wait_until_some_are_served(strangers)
            with suspended(server):
                pace(LATE_S + 0.2)
            with ProtocolConnection(server.address, identities[1]) as client:
                client.join()
            if late(server):
                break
        pace()
    assert late(server), "all were served before it stopped"
