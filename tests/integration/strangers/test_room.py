# SPDX-License-Identifier: MPL-2.0
"""Strangers make room for newcomers: no more than are needed, and those of whom there are most."""

import contextlib
import functools
import itertools
import select

from http_client import counter, with_metrics
from relay_client import dial
from suspending import suspended
from waiting import wait_for

SOURCES = 8
COMING = 256
DESCRIPTORS = 128
#: In each of them the newcomer comes to either worker.
ROUNDS = 12
MOST_FROM = "127.1.0.1"


def test_a_burst_leaves_every_place_taken(start_ours, tmp_path):
    """The whole burst waits at both workers at once, so each may think that the other must make
    room."""
    server = with_metrics(functools.partial(start_ours, descriptors=DESCRIPTORS), tmp_path,
                          conf="modules = { log, bounds, relay, status, prometheus }\n")
    count = functools.partial(counter, server)

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


def closed(socks):
    """Those that the server has closed; strangers are sent nothing."""
    return select.select(socks, [], [], 0)[0]


def test_room_is_made_by_the_source_that_has_most_on_whichever_worker(start_ours, tmp_path):
    """A source with three connections has two or more on one of two workers, and one at most on the
    other. If the newcomer comes to that one, the first worker makes room."""
    server = with_metrics(functools.partial(start_ours, descriptors=DESCRIPTORS), tmp_path,
                          "-workers", "2")
    count = functools.partial(counter, server)
    sources = (f"127.0.1.{number}" for number in itertools.count(1))
    with contextlib.ExitStack() as stack:

        def come(source):
            return stack.enter_context(dial(server.address, source=source))

        def there(number):
            wait_for(lambda: count("connections", phase="opening") == number, f"{number} to be there")

        others = [come(next(sources)) for _ in range(DESCRIPTORS)]
        wait_for(lambda: count("connections_accepted_total") == DESCRIPTORS, "all to come")
        others = [sock for sock in others if sock not in closed(others)]
        three = []
        for _ in range(ROUNDS):
            while len(three) < 3:
                others.pop().close()
                there(len(others) + len(three))
                three.append(come(MOST_FROM))
                there(len(others) + len(three))
            newcomer = come(next(sources))
            gone = wait_for(lambda: closed(three), "one of the three to make room")
            assert len(gone) == 1 and not closed([*others, newcomer])
            three.remove(gone[0])
            others.append(newcomer)
