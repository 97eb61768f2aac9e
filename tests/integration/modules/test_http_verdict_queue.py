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

FULL = rp.RelayFull()


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
    server = asking(connections=1)
    with server.asking(identities[0]), contextlib.ExitStack() as stack:
        clients = []
        for identity, source in [*((identity, "127.0.0.5") for identity in identities[1:5]),
                                 (identities[5], "127.0.0.6")]:
            clients.append(stack.enter_context(
                ProtocolConnection(server.address, identity, source=source)))
            clients[-1].send(rp.JoinRelayRequest(""))
            server.wait_for_number("queued", len(clients))
        release.set()
        for client in clients:
            client.expect(SUCCESS)
    assert [asked.json["address"][-1] for asked in endpoint.asked] == list("156555")
