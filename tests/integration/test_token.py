# SPDX-License-Identifier: MPL-2.0
"""The token: who may join a private relay, and what is told to those who may not."""

import pytest

import relay_protocol as rp
from relay_client import ProtocolConnection

TOKEN = "open sesame"

WRONG = {
    "another": "open sesamo",
    "a-prefix": "open sesam",
    "a-longer-one": "open sesame!",
    "with-a-zero-byte": "open sesame\0",
    "in-capitals": "OPEN SESAME",
    "empty": "",
    "none": None,
    "very-long": "x" * 1000,
}


@pytest.fixture
def guarded(start_ours):
    return start_ours("-token", TOKEN)


def test_the_right_token_joins(guarded, identities):
    with ProtocolConnection(guarded.address, identities[0]) as client:
        client.join(TOKEN)
        client.check_alive()


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
def test_a_wrong_token_is_refused(guarded, identities, token):
    with ProtocolConnection(guarded.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest(token))
        client.expect_last(rp.response(rp.WRONG_TOKEN))


def test_the_token_is_checked_before_the_place_of_the_device(guarded, identities):
    with ProtocolConnection(guarded.address, identities[0]) as joined:
        joined.join(TOKEN)
        with ProtocolConnection(guarded.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest("wrong"))
            client.expect_last(rp.response(rp.WRONG_TOKEN))
        joined.check_alive()


def test_the_token_is_checked_before_the_limits(start_ours, identities):
    server = start_ours("-token", TOKEN, "-max-connections", "1")
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join(TOKEN)
        with ProtocolConnection(server.address, identities[1]) as client:
            client.send(rp.JoinRelayRequest("wrong"))
            client.expect_last(rp.response(rp.WRONG_TOKEN))


def test_who_asks_needs_no_token(guarded, identities):
    with ProtocolConnection(guarded.address, identities[0]) as joined:
        joined.join(TOKEN)
        with ProtocolConnection(guarded.address, identities[1]) as client:
            client.request(identities[0].id)
        joined.invitation()


def test_without_a_token_any_is_accepted(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.join("whatever")


def test_the_token_may_come_from_a_file(start_ours, identities, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    server = start_ours("-token-file", token_file)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest("wrong"))
        client.expect_last(rp.response(rp.WRONG_TOKEN))
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join(TOKEN)


def test_a_token_file_that_cannot_be_read_is_fatal(start_ours, tmp_path):
    with pytest.raises(AssertionError, match="the server has ended") as failure:
        start_ours("-token-file", tmp_path / "missing-token")
    assert "missing-token" in str(failure.value), "the log does not name the file"
