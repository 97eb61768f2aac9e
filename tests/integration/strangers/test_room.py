# SPDX-License-Identifier: MPL-2.0
"""In a burst of strangers, the server closes no more connections than it accepts."""

import contextlib

from exposition import parse, value
from relay_client import dial
from suspending import suspended
from waiting import wait_for

SOURCES = 8
COMING = 256
DESCRIPTORS = 128


def test_a_burst_leaves_every_place_taken(start_ours, tmp_path):
    """The whole burst waits at both workers at once, so each may think that the other must make
    room."""
    conf = tmp_path / "room.conf"
    conf.write_text("modules = { log, bounds, relay, status, prometheus }\n")
    server = start_ours("-conf", conf, descriptors=DESCRIPTORS)

    def count(name, **labels):
        return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_core_{name}", **labels)

    def have_come():
        return count("connections_accepted_total") + count("connections_refused_total", by="limit")

    places = count("connection_limit")
    assert SOURCES < places < COMING
    with contextlib.ExitStack() as stack:
        with suspended(server):
            for number in range(COMING):
                stack.enter_context(dial(server.address, source=f"127.0.0.{2 + number % SOURCES}"))
        wait_for(lambda: have_come() == COMING, lambda: f"all to come; {have_come()} have")
        # A reserve of a sixteenth above the limit remains for strangers.
        most = places * 16 // 15 + 1
        wait_for(lambda: count("connections", phase="opening") <= most, "loans to be paid back")
        assert count("connections", phase="opening") >= places
