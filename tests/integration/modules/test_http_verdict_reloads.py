# SPDX-License-Identifier: MPL-2.0
"""Answers of an endpoint that was asked before a reload of the module admission, and come after
it."""

import threading

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from verdict_endpoint import Endpoint, says
from verdict_server import SUCCESS, asking, endpoint  # noqa: F401
from waiting import wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
FULL = rp.RelayFull()


@pytest.fixture
def other():
    with Endpoint() as made:
        yield made


def holds(endpoint, answer):  # noqa: F811
    """The endpoint answers when the event, which is returned, is set."""
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), answer)[1]
    return release


def test_who_was_allowed_is_asked_about_soon(asking, endpoint, other, identities):  # noqa: F811
    release = holds(endpoint, says(allow=True, cache_for="1h"))
    other.answer = lambda asked: says(allow=False)
    server = asking(what="joins", relay={"ping-interval": "1s"})
    with server.asking(identities[0]) as client:
        server.change(url=other.url)
        release.set()
        client.expect(SUCCESS)
        assert server.number("cached") == 0
        assert client.receive_answering_pings() == FULL
        client.expect_close()
    assert server.answer_to(identities[0]) == NOT_FOUND
    assert len(endpoint.asked) == 1


def test_who_was_denied_may_ask_again(asking, endpoint, other, identities):  # noqa: F811
    release = holds(endpoint, says(allow=False, cache_for="1h"))
    server = asking(what="joins")
    with server.asking(identities[0]) as client:
        server.change(url=other.url)
        release.set()
        client.expect(NOT_FOUND)
    assert server.answer_to(identities[0]) == SUCCESS


@pytest.mark.parametrize("answer", [says(allow=False), (500, b"", {})], ids=["denied", "failed"])
def test_who_is_here_is_asked_about_again(asking, endpoint, other, identities, answer):  # noqa: F811
    endpoint.answer = lambda asked: says(allow=True, cache_for="100ms")
    server = asking(what="joins", retries=0, breaker_pause="1h", relay={"ping-interval": "1s"})
    with server.joined(identities[0]) as client:
        release = holds(endpoint, answer)
        endpoint.wait_for_questions(2)
        server.change(url=other.url)
        release.set()
        wait_for(lambda: other.asked, "the new endpoint to be asked")
        client.check_alive()
    assert server.number("withdrawn") == 0


def test_a_failure_opens_no_breaker(asking, endpoint, other, identities):  # noqa: F811
    release = holds(endpoint, (500, b"", {}))
    server = asking(what="joins", retries=0, breaker_failures=1, breaker_pause="1h")
    with server.asking(identities[0]) as client:
        server.change(url=other.url)
        release.set()
        client.expect_last(FULL)
    assert server.number("breaker") == 0
    assert server.answer_to(identities[0]) == SUCCESS
