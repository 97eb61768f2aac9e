# SPDX-License-Identifier: MPL-2.0
"""The module admission: questions that wait for the endpoint."""

import contextlib
import threading

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection
from verdict_endpoint import says
from verdict_server import SUCCESS, asking, endpoint, hold  # noqa: F401
from waiting import wait_for

FULL = rp.RelayFull()
SOURCES = {"modules": ["bounds"], "sections": {"bounds": {"exempt": ["127.0.0.1"]}}}


def test_the_newest_is_refused_if_the_queue_is_full(asking, endpoint, identities):  # noqa: F811
    hold(endpoint)
    server = asking(connections=1, queue=1)
    with server.asking(identities[0]) as first, \
            ProtocolConnection(server.address, identities[1]) as second:
        second.send(rp.JoinRelayRequest(""))
        server.wait_for_number("queued", 1)
        assert server.number("open") == 1
        assert server.answer_to(identities[2]) == FULL
        assert server.number("failures.queue-full") == 1
        server.wait_for_log("refused: 2 questions wait for the endpoint")
        endpoint.answer = lambda asked: says(allow=True)
        endpoint.ended.set()
        second.expect(SUCCESS)
        first.receive()
    server.wait_for_number("open", 0)


def test_what_nobody_waits_for_any_more_is_not_asked(asking, endpoint, identities):  # noqa: F811
    hold(endpoint)
    server = asking(connections=1, answer_timeout="300ms", timeout="500ms", retries=0)
    with server.asking(identities[0]) as first, \
            ProtocolConnection(server.address, identities[1]) as second:
        second.send(rp.JoinRelayRequest(""))
        first.expect_last(FULL)
        second.expect_last(FULL)
        server.wait_for_number("open", 0)
        server.wait_for_number("queued", 0)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("message", ["join", "ask"])
def test_who_leaves_gives_its_place_in_the_queue_up(asking, endpoint, identities, message):  # noqa: F811
    hold(endpoint)
    server = asking(connections=1)
    with server.asking(identities[0]):
        for identity in identities[1:5]:
            with ProtocolConnection(server.address, identity) as client:
                client.send(rp.JoinRelayRequest("") if message == "join"
                            else rp.ConnectRequest(identities[6].id))
                server.wait_for_number("queued", 1)
            server.wait_for_number("queued", 0)
    assert len(endpoint.asked) == 1


def test_sources_take_turns(asking, endpoint, identities):  # noqa: F811
    """Who asks often waits for its own questions."""
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking(connections=1, **SOURCES)
    with server.asking(identities[0]), contextlib.ExitStack() as stack:
        clients = [queue_up(server, stack, identity, source) for identity, source in [
            *((identity, "127.0.0.5") for identity in identities[1:5]),
            (identities[5], "127.0.0.6")]]
        release.set()
        for client in clients:
            client.expect(SUCCESS)
    assert [asked.json["address"][-1] for asked in endpoint.asked] == list("156555")


def test_who_leaves_takes_only_its_own_question_along(asking, endpoint, identities):  # noqa: F811
    """Numbers of connections are those of a worker."""
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking(connections=1, workers=4, relay={"park-asks": "10ms"})
    with server.asking(identities[0]), contextlib.ExitStack() as stack:
        clients = [queue_up(server, stack, identity, target=identities[7])
                   for identity in identities[1:7] for _ in range(4)]
        for number, client in enumerate(clients[::2], 1):
            client.close()
            wait_for(lambda: server.number("queued") <= len(clients) - number, "it to be dropped")
        assert server.number("queued") == len(clients) // 2
        release.set()
        for client in clients[1::2]:
            client.expect_last(rp.response(rp.NOT_FOUND))
    assert len(endpoint.asked) == 1 + len(clients) // 2


def queue_up(server, stack, identity, source=None, target=None):
    """A client whose question waits for a connection to the endpoint."""
    before = server.number("queued")
    client = stack.enter_context(ProtocolConnection(server.address, identity, source=source))
    client.send(rp.ConnectRequest(target.id) if target else rp.JoinRelayRequest(""))
    server.wait_for_number("queued", before + 1)
    return client


def test_a_retry_takes_its_turn(asking, endpoint, identities):  # noqa: F811
    release = threading.Event()
    asked = []

    def answer(question):
        release.wait()
        asked.append(question.json["address"][-1])
        return (500, b"", {}) if asked == ["5"] else says(allow=True)

    endpoint.answer = answer
    server = asking(connections=1, retries=1, **SOURCES)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(
            ProtocolConnection(server.address, identities[0], source="127.0.0.5"))]
        clients[0].send(rp.JoinRelayRequest(""))
        endpoint.wait_for_questions(1)
        clients.append(queue_up(server, stack, identities[1], "127.0.0.6"))
        clients.append(queue_up(server, stack, identities[2], "127.0.0.7"))
        release.set()
        for client in clients:
            client.expect(SUCCESS)
    assert asked == list("5675")


def test_a_source_has_a_quarter_of_the_queue(asking, endpoint, identities):  # noqa: F811
    hold(endpoint)
    server = asking(connections=1, queue=11, fail_open="yes", **SOURCES)
    with server.asking(identities[0]), contextlib.ExitStack() as stack:
        for identity in identities[1:4]:
            queue_up(server, stack, identity, "127.0.0.5")
        assert server.answer_to(identities[4], source="127.0.0.5") == FULL
        assert server.number("failures.source-full") == 1 and server.number("queued") == 3
        server.wait_for_log("12 questions wait for the endpoint, of which a source may have a quarter")
        queue_up(server, stack, identities[4], "127.0.0.6")
        # The exempt have no share.
        for identity in identities[1:6]:
            queue_up(server, stack, identity, "127.0.0.1")


def test_who_has_most_gives_way(asking, endpoint, identities):  # noqa: F811
    """Four sources cannot keep everybody else out."""
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking(connections=1, queue=8, fail_open="yes", **SOURCES)
    with server.asking(identities[0]), contextlib.ExitStack() as stack:
        crowd = [queue_up(server, stack, identities[number], f"127.0.0.{4 + (number + 1) // 2}")
                 for number in range(1, 9)]
        honest = stack.enter_context(
            ProtocolConnection(server.address, identities[9], source="127.0.0.9"))
        honest.send(rp.JoinRelayRequest(""))
        server.wait_for_number("failures.queue-full", 1)
        assert server.number("queued") == 8
        release.set()
        honest.expect(SUCCESS)
        for oldest in crowd[::2]:
            oldest.expect(SUCCESS)
        newest = [client.receive() for client in crowd[1::2]]
        assert newest.count(FULL) == 1 and newest.count(SUCCESS) == 3


def test_who_is_here_takes_no_place_of_its_source(asking, endpoint, identities):  # noqa: F811
    """Else devices behind an address that are asked about again keep others there out."""
    endpoint.answer = lambda asked: says(allow=True, cache_for="100ms")
    server = asking(connections=1, queue=3, what="joins", **SOURCES)
    with contextlib.ExitStack() as stack:
        for identity in identities[:2]:
            client = stack.enter_context(
                ProtocolConnection(server.address, identity, source="127.0.0.5"))
            assert client.ask(rp.JoinRelayRequest("")) == SUCCESS
        hold(endpoint)
        server.wait_for_number("open", 1)
        server.wait_for_number("queued", 1)
        queue_up(server, stack, identities[2], "127.0.0.5")
    assert server.number("failures.source-full") == 0
