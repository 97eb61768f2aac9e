# SPDX-License-Identifier: MPL-2.0
"""The token: who may join a private relay, and how others are refused."""

import signal

import pytest

import device_id
import relay_protocol as rp
from module_server import module_server  # noqa: F401
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


@pytest.mark.parametrize("text", [" \n", "\t \t\n", "  \r\n", "\n"])
def test_a_token_of_blanks_is_none(start_ours, tmp_path, text):
    token_file = tmp_path / "token"
    token_file.write_bytes(text.encode())
    with pytest.raises(AssertionError, match="the server has ended") as failure:
        start_ours("-token-file", token_file)
    assert "the first line of" in str(failure.value)


def test_a_reload_says_that_the_token_is_another(start_ours, identities, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    server = start_ours("-token-file", token_file)
    token_file.write_text("another\n")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reloaded, with modules")
    assert "devices need a different token now" in server.log()
    assert "nothing has changed" not in server.log()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join("another")


@pytest.fixture
def closed_to_askers(start_ours):
    return start_ours("-token", TOKEN, "-relay.asks", "joined")


def answer_to(server, identity, target):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.ConnectRequest(target.id))


def test_with_asks_joined_a_stranger_learns_nothing(closed_to_askers, identities):
    server = closed_to_askers
    absent = answer_to(server, identities[1], identities[5])
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join(TOKEN)
        assert answer_to(server, identities[1], identities[0]) == absent
        assert absent == rp.response(rp.NOT_FOUND)
        with ProtocolConnection(server.address, identities[1]) as stranger:
            stranger.send(rp.JoinRelayRequest("wrong"))
            stranger.expect_last(rp.response(rp.WRONG_TOKEN))
        assert answer_to(server, identities[1], identities[0]) == absent
        target.check_alive()  # an invitation would have come before the answer


def test_with_asks_joined_a_joined_device_asks_over_a_new_connection(closed_to_askers,
                                                                      identities):
    server = closed_to_askers
    with ProtocolConnection(server.address, identities[0]) as target, \
            ProtocolConnection(server.address, identities[1]) as asker:
        target.join(TOKEN)
        asker.join(TOKEN)
        answer = answer_to(server, identities[1], identities[0])
        assert isinstance(answer, rp.SessionInvitation)
        assert target.invitation().from_id == identities[1].id
        asker.check_alive()
    # After the target has left, it is not found any more.
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join(TOKEN)
        server.wait_for_status(lambda s: s["numConnections"] == 1, "the asker to be gone")
        assert answer_to(server, identities[1], identities[0]) == rp.response(rp.NOT_FOUND)


def test_with_asks_joined_a_joined_device_asks_over_its_own_connection(closed_to_askers,
                                                                        identities):
    server = closed_to_askers
    with ProtocolConnection(server.address, identities[0]) as target, \
            ProtocolConnection(server.address, identities[1]) as asker:
        target.join(TOKEN)
        asker.join(TOKEN).request(identities[0].id)
        assert target.invitation().from_id == identities[1].id


def test_with_asks_joined_a_device_reaches_itself(closed_to_askers, identities):
    """The pool's check does this."""
    with ProtocolConnection(closed_to_askers.address, identities[0]) as device:
        device.join(TOKEN)
        with ProtocolConnection(closed_to_askers.address, identities[0]) as again:
            again.request(identities[0].id)
        device.invitation()


def test_a_reload_changes_who_may_ask(module_server, identities):  # noqa: F811
    modules = ["log", "relay", "status", "probe"]
    server = module_server(modules)
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        assert isinstance(answer_to(server, identities[1], identities[0]), rp.SessionInvitation)
        server.configure(modules, {"relay": {"asks": "joined"}})
        done, news = server.reload()
        assert done, news
        assert answer_to(server, identities[1], identities[0]) == rp.response(rp.NOT_FOUND)
    assert server.probe()["metric relay.connect_requests.not_joined"] == "1"


def test_who_has_joined_still_needs_a_place_on_the_lists(module_server, identities):  # noqa: F811
    server = module_server(["log", "access", "relay", "status", "probe"], sections={
        "relay": {"asks": "joined"},
        "access": {"ask-allow": device_id.to_text(identities[1].id)}})
    with ProtocolConnection(server.address, identities[0]) as target, \
            ProtocolConnection(server.address, identities[2]) as other:
        target.join()
        other.join()
        for identity in identities[1:3]:  # not joined, and not allowed
            assert answer_to(server, identity, identities[0]) == rp.response(rp.NOT_FOUND)
        with ProtocolConnection(server.address, identities[1]) as allowed:
            allowed.join()
            answer = answer_to(server, identities[1], identities[0])
            assert isinstance(answer, rp.SessionInvitation)


@pytest.mark.parametrize("section", ["relay", "access"])
def test_a_wrong_token_is_told_once(module_server, identities, section):  # noqa: F811
    option = {"token": TOKEN} if section == "relay" else {"tokens": [TOKEN]}
    server = module_server(["log", "access", "relay", "status"], sections={section: option})
    for guess in ("first guess", "second guess"):
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest(guess))
            client.expect_last(rp.response(rp.WRONG_TOKEN))
    server.wait_for_log("warning relay: a join with a wrong token was refused$")
    assert server.count("wrong token") == 1 and server.count("guess") == 0
