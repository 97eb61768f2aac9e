# SPDX-License-Identifier: MPL-2.0
"""A flood of different tokens on the module wormhole-transit, by the default bounds.  The figures of
a million are in tests/bench/README.md; tests/bench/tokens.py makes them."""

import pytest

from faults import sanitized
from module_server import module_server  # noqa: F401
from relay_server import free_port
from token_flood import Flood
from waiting import wait_for
from wormhole import OurTransit, both_ways, pair

PART, PARTS, HELD, MOST = 3000, 5, 4600, 4096
#: A sanitizer keeps freed memory for a while.
GROWTH = (64 if sanitized() else 1) << 20


@pytest.fixture
def relay(module_server):  # noqa: F811
    port = free_port()
    server = module_server(["log", "bounds", "wormhole-transit", "relay", "prometheus"], installed=[],
                           sections={'listener "wormhole"': {"address": f"127.0.0.1:{port}",
                                                             "protocol": "wormhole-transit"}})
    return OurTransit(server, port)


def test_tokens_without_end_hold_what_the_bounds_allow(relay):
    """Memory and CPU of a token do not depend on how many there have been, each token is accounted
    for, and others meet meanwhile."""
    one, two = pair(relay.port)
    flood = Flood(relay, HELD)
    found = []
    for _ in range(PARTS):
        flood.send(PART)
        found.append(flood.measure())
        both_ways(one, two)
        both_ways(*pair(relay.port))
    assert max(at.waiting for at in found) <= MOST
    # The table is full after two parts.
    full, last = found[2], found[-1]
    assert last.resident - full.resident < GROWTH, found
    costs = [(after.cpu - before.cpu) / PART for before, after in zip(found, found[1:])]
    assert costs[-1] < 5 * costs[0] + 0.0001, costs
    flood.close()
    wait_for(lambda: relay.waiting() == 0, "none waits")

    def accounted():
        ended = flood.measure().ended
        return sum(ended.values()) - ended["paired"] - ended["bad_handshake"] == flood.tokens

    wait_for(accounted, lambda: f"{flood.tokens} tokens: {flood.measure()}")
    assert flood.measure().ended["error"] == 0
