# SPDX-License-Identifier: MPL-2.0
"""HTTP statuses with which the endpoint of the module admission denies, or fails."""

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from verdict_endpoint import says
from verdict_server import SUCCESS, asking, endpoint  # noqa: F401
from waiting import wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
FULL = rp.RelayFull()


def rejects(asked):
    return 404, b"", {}


def test_a_403_denies_and_is_no_failure(asking, endpoint, identities):  # noqa: F811
    """Else strangers whom the endpoint denies so would open the breaker."""
    server = asking(retries=0, breaker_failures=1, breaker_pause="1h", cache_for="0")
    endpoint.answer = lambda asked: (403, b"", {})
    for _ in range(3):
        assert server.answer_to(identities[0]) == NOT_FOUND
    assert server.number("failures.status") == 0 and server.number("answered.denied") >= 1
    endpoint.answer = lambda asked: says(allow=True)
    assert server.answer_to(identities[1]) == SUCCESS


def test_a_status_that_blames_the_question_opens_no_breaker(asking, endpoint, identities):  # noqa: F811
    """Strangers may be able to cause it."""
    server = asking(retries=2, breaker_failures=2, breaker_pause="100ms", cache=0)
    endpoint.answer = rejects
    for _ in range(3):
        assert server.answer_to(identities[0]) == FULL
    assert len(endpoint.asked) == 3
    # Such an answer of a trial shows that the endpoint answers again.
    endpoint.answer = lambda asked: (429, b"", {})
    for _ in range(2):
        assert server.answer_to(identities[0]) == FULL
    assert server.number("failures.status") == 2 and server.number("breaker") == 2
    endpoint.answer = rejects
    wait_for(lambda: server.answer_to(identities[0]) == FULL and server.number("breaker") == 0,
             "the trial to end well")


@pytest.mark.parametrize("status", [201, 403, 404, 429, 500, 503])
def test_another_status_of_derpers_endpoint_denies(asking, endpoint, identities, status):  # noqa: F811
    """Whatever fail-open says, as derper does; and it is no failure."""
    server = asking(dialect="derper", what="joins", fail_open="yes", retries=0,
                    breaker_failures=1, breaker_pause="1h")
    endpoint.answer = lambda asked: (status, b'{"Allow":true}', {})
    for _ in range(2):
        assert server.answer_to(identities[2]) == NOT_FOUND
    # What the trouble of the endpoint caused counts for this once.
    assert len(endpoint.asked) == (2 if status >= 500 else 1)
    assert server.number("failures.status") == server.number("breaker") == 0
    endpoint.answer = lambda asked: (200, b'{"Allow":true}', {})
    assert server.answer_to(identities[0]) == SUCCESS


@pytest.mark.parametrize(("dialect", "status"), [
    ("derper", 429), ("derper", 500), ("derper", 503), ("iroh", 429), ("iroh", 503)])
def test_trouble_of_the_endpoint_sends_nobody_away(asking, endpoint, identities, dialect, status):  # noqa: F811
    yes = b"true" if dialect == "iroh" else b'{"Allow":true}'
    server = asking(dialect=dialect, what="joins", retries=0, cache_for="100ms",
                    breaker_pause="100ms", relay={"ping-interval": "1s"})
    endpoint.answer = lambda asked: (200, yes, {})
    with server.joined(identities[0]) as client:
        endpoint.answer = lambda asked: (status, b"", {})
        wait_for(lambda: server.number("failures.status") >= 2, "it to be asked about again")
        for _ in range(2):
            assert client.receive() == rp.Ping()
            client.send(rp.Pong())
        server.wait_for_log("no answer about a device, which is therefore kept: status "
                            rf"\(HTTP status {status}\)")
        assert server.number("withdrawn") == 0
        # What it denies by then sends the device away.
        endpoint.answer = lambda asked: (404, b"", {})
        wait_for(lambda: server.number("withdrawn") == 1, "the device to be denied")
        client.expect_last(FULL)


def test_trouble_with_another_join_sends_nobody_away(asking, endpoint, identities):  # noqa: F811
    """The device was admitted without an answer, and its second connection is denied."""
    server = asking(dialect="derper", what="joins", retries=0, fail_open="yes", timeout="100ms",
                    breaker_failures=1000, breaker_pause="1h", relay={"ping-interval": "1s"})
    endpoint.answer = lambda asked: None
    with server.joined(identities[0]) as client:
        endpoint.answer = lambda asked: (503, b"", {})
        assert server.answer_to(identities[0]) == NOT_FOUND
        for _ in range(2):
            assert client.receive() == rp.Ping()
            client.send(rp.Pong())
