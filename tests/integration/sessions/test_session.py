# SPDX-License-Identifier: MPL-2.0
"""Session mode: joining with a key, and what happens when a side or a device disconnects."""

import struct

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways, check_relayed, settle
from relay_client import ProtocolConnection, SessionConnection, reset
from waiting import PATIENCE

UNEXPECTED = {
    "ping": rp.Ping(),
    "pong": rp.Pong(),
    "join": rp.JoinRelayRequest(),
    "response": rp.response(rp.SUCCESS),
    "connect": rp.ConnectRequest(b"i" * 32),
    "invitation": rp.SessionInvitation(b"f" * 32, b"k" * 32, b"", 1, False),
    "relay-full": rp.RelayFull(),
}


@pytest.fixture
def invited(server, identities):
    with Invited(server, identities[0], identities[1]) as both:
        yield both


@pytest.fixture
def invited_by_ours(ours, identities):
    with Invited(ours, identities[0], identities[1]) as both:
        yield both


@pytest.mark.limits
@pytest.mark.parametrize("target_first", [False, True], ids=["asker-first", "target-first"])
def test_both_sides_join_and_talk(invited, target_first):
    if target_first:
        target = invited.join_target()
        settle(invited.server)
        asker = invited.join_asker()
    else:
        asker, target = invited.join_both()
    check_both_ways(asker, target)
    invited.server.wait_for_status(
        lambda s: (s["numActiveSessions"], s["numProxies"], s["numPendingSessionKeys"])
        == (1, 2, 0), "one active session with two proxies, and no pending key",
    )


@pytest.mark.limits
@pytest.mark.parametrize("key", [b"x" * 32, b"\0" * 32, b"x" * 31, b"x"],
                         ids=["32-bytes", "zeros", "31-bytes", "1-byte"])
def test_an_unknown_key_is_not_found(server, key):
    with SessionConnection(server.address) as client:
        client.send(rp.JoinSessionRequest(key))
        client.expect_last(rp.response(rp.NOT_FOUND))


def test_an_empty_key_is_not_found(server):
    with SessionConnection(server.address) as client:
        client.send(rp.JoinSessionRequest(b""))
        client.expect_last(rp.response(rp.NOT_FOUND))


def test_a_prefix_of_a_key_is_not_found(invited):
    with SessionConnection(invited.server.address) as client:
        client.send(rp.JoinSessionRequest(invited.to_asker.key[:28]))
        client.expect_last(rp.response(rp.NOT_FOUND))
    check_both_ways(*invited.join_both())


@pytest.mark.parametrize("paired", [False, True], ids=["half-joined", "paired"])
def test_a_key_works_once(invited, paired):
    asker = invited.join_asker()
    settle(invited.server)
    if paired:
        target = invited.join_target()
    with SessionConnection(invited.server.address) as third:
        third.send(rp.JoinSessionRequest(invited.to_asker.key))
        third.expect_last(rp.response(rp.NOT_FOUND))
    if not paired:
        target = invited.join_target()
    check_both_ways(asker, target)


@pytest.mark.parametrize("message", UNEXPECTED.values(), ids=UNEXPECTED)
def test_any_other_message_is_refused(server, message):
    with SessionConnection(server.address) as client:
        client.send(message)
        client.expect_last(rp.response(rp.UNEXPECTED_MESSAGE))


def test_a_join_with_a_token_is_refused_in_session_mode(ours):
    with SessionConnection(ours.address) as client:
        client.send(rp.JoinRelayRequest("token"))
        client.expect_last(rp.response(rp.UNEXPECTED_MESSAGE))


def test_a_key_that_was_asked_for_in_protocol_mode_still_works(invited, identities):
    with ProtocolConnection(invited.server.address, identities[2]) as client:
        client.send(rp.JoinSessionRequest(invited.to_asker.key))
        client.expect_last(rp.response(rp.UNEXPECTED_MESSAGE))
    check_both_ways(*invited.join_both())


@pytest.mark.parametrize("payload", [b"x", b"first data" * 100], ids=["1-byte", "1000-bytes"])
def test_request_and_first_data_may_share_a_segment(invited, payload):
    asker = invited.connect()
    asker.send_bytes(rp.encode(rp.JoinSessionRequest(invited.to_asker.key)) + payload)
    asker.expect(rp.response(rp.SUCCESS))
    settle(invited.server)
    target = invited.join_target()
    assert target.receive_bytes(len(payload)) == payload
    check_both_ways(asker, target)


def test_data_that_looks_like_messages_is_relayed(invited):
    asker, target = invited.join_both()
    looks = b"".join(map(rp.encode, UNEXPECTED.values())) + b"\x16\x03\x01" + b"\0" * 64
    check_relayed(asker, target, looks)
    check_relayed(target, asker, looks)


def test_a_key_expires(start_ours, identities):
    server = start_ours("-message-timeout", "1s")
    with Invited(server, identities[0], identities[1]) as invited:
        server.wait_for_status(lambda s: s["numPendingSessionKeys"] == 0, "the keys to expire")
        for invitation in (invited.to_asker, invited.to_target):
            with SessionConnection(server.address) as client:
                client.send(rp.JoinSessionRequest(invitation.key))
                client.expect_last(rp.response(rp.NOT_FOUND))


def test_a_half_that_nobody_joins_is_closed(start_any, identities):
    server = start_any("-message-timeout", "2s")
    with Invited(server, identities[0], identities[1]) as invited:
        half = invited.join_asker()
        half.expect_close()
        with SessionConnection(server.address) as late:
            late.send(rp.JoinSessionRequest(invited.to_target.key))
            late.expect_last(rp.response(rp.NOT_FOUND))


@pytest.mark.limits
def test_a_half_that_leaves_makes_no_session(invited_by_ours):
    """The other half gets the same end as if they had been paired."""
    invited_by_ours.join_asker().close()
    target = invited_by_ours.connect()
    target.send(rp.JoinSessionRequest(invited_by_ours.to_target.key))
    answer = target.receive()
    assert answer.code in (rp.SUCCESS, rp.NOT_FOUND), f"got {answer}"
    target.expect_close()


@pytest.mark.parametrize("who", ["target", "asker"])
def test_the_end_of_a_joined_device_ends_its_active_sessions(server, identities, who):
    with ProtocolConnection(server.address, identities[0]).join() as asker:
        with Invited(server, identities[0], identities[1]) as invited:
            both = invited.join_both()
            check_both_ways(*both)
            (invited.target if who == "target" else asker).close()
            for connection in both:
                connection.expect_close()


def test_the_end_of_a_device_leaves_the_sessions_of_others_alone(server, identities):
    with ProtocolConnection(server.address, identities[2]).join() as leaving:
        with Invited(server, identities[0], identities[1]) as invited:
            both = invited.join_both()
            leaving.close()
            server.wait_for_status(lambda s: s["numConnections"] == 1, "one connection")
            check_both_ways(*both)


def test_the_end_of_a_connection_that_only_asked_ends_no_session(server, identities):
    with Invited(server, identities[0], identities[1]) as invited:
        both = invited.join_both()
        with ProtocolConnection(server.address, identities[0]) as client:
            client.request(identities[1].id)
            client.expect_close()
        with ProtocolConnection(server.address, identities[0]) as client:
            client.check_alive()
        invited.target.invitation()
        check_both_ways(*both)
        invited.target.check_alive()


@pytest.mark.limits
def test_sessions_of_the_same_devices_are_separate(ours, identities):
    with Invited(ours, identities[0], identities[1]) as invited:
        first = invited.join_both()
        with ProtocolConnection(ours.address, identities[0]) as client:
            keys = [client.request(identities[1].id).key, invited.target.invitation().key]
        second = [invited.connect().join(key) for key in keys]
        check_relayed(first[0], first[1], b"first")
        check_relayed(second[0], second[1], b"second")
        first[0].close()
        first[1].expect_close()
        check_both_ways(*second)


@pytest.mark.parametrize("target_ends", [False, True], ids=["asker-ends", "target-ends"])
def test_an_end_of_file_is_passed_on_while_the_other_way_goes_on(invited_by_ours, target_ends):
    both = invited_by_ours.join_both()
    ending, going_on = reversed(both) if target_ends else both
    ending.send_bytes(b"last words")
    ending.end_sending()
    got = going_on.receive_to_end()
    assert got == b"last words", f"before the end-of-file: got {got}"
    for _ in range(3):
        check_relayed(going_on, ending, b"an answer" * 50000)
    going_on.end_sending()
    ending.expect_end_of_file()
    invited_by_ours.server.wait_for_status(
        lambda s: (s["numActiveSessions"], s["numProxies"]) == (0, 0), "the session to end"
    )


def test_an_end_of_file_before_the_other_side_joined_is_passed_on(invited_by_ours):
    asker = invited_by_ours.join_asker()
    asker.send_bytes(b"all I have to say")
    asker.end_sending()
    target = invited_by_ours.join_target()
    got = target.receive_to_end()
    assert got == b"all I have to say", f"got {got}"
    check_relayed(target, asker, b"heard")


@pytest.mark.limits
def test_a_reset_ends_both_sides(invited_by_ours):
    asker, target = invited_by_ours.join_both()
    check_both_ways(asker, target)
    reset(asker.sock)
    target.expect_close()
    invited_by_ours.server.wait_for_status(
        lambda s: (s["numActiveSessions"], s["numProxies"]) == (0, 0), "the session to end"
    )


def test_a_reset_under_load_ends_both_sides(invited_by_ours):
    asker, target = invited_by_ours.join_both()
    asker.sock.settimeout(0)
    try:
        while True:
            asker.sock.send(b"x" * 65536)  # until all buffers are full
    except BlockingIOError:
        pass
    reset(target.sock)
    asker.sock.settimeout(PATIENCE)
    asker.expect_close()


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_broken_session_request_is_closed(ours, size):
    with SessionConnection(ours.address) as client:
        client.send_bytes(rp.frame(rp.JoinSessionRequest.TYPE,
                                   struct.pack(">I", 32) + b"k" * size))
        client.expect_close()


def test_a_guessed_key_leaves_a_line_for_who_looks(start_ours):
    server = start_ours("-debug")
    with SessionConnection(server.address) as client:
        client.send(rp.JoinSessionRequest(b"k" * 32))
        client.expect_last(rp.response(rp.NOT_FOUND))
    server.wait_for_log("debug relay: refused: an unknown session key .*127.0.0.1")
