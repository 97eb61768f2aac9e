# SPDX-License-Identifier: MPL-2.0
"""The module access: each list, the tokens, the answers, counters and log lines."""

import contextlib

import pytest

import device_id
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection, SessionConnection, dial
from relay_server import run
from waiting import wait_for

MODULES = ["log", "access", "relay", "status", "probe"]
NOT_FOUND = rp.response(rp.NOT_FOUND)
SUCCESS = rp.response(rp.SUCCESS)


@pytest.fixture
def guarded(module_server):  # noqa: F811
    def start(workers=2, args=(), sections=None, **options):
        named = {name.replace("_", "-"): value for name, value in options.items()}
        return module_server(MODULES, workers=workers, args=args,
                             sections={"access": named, **(sections or {})})

    return start


def text(identity):
    return device_id.to_text(identity.id)


def refusals(server, reason):
    return int(server.probe()[f"metric access.refused.{reason}"])


def join(server, identity, token=None, source=None):
    """The answer to a join."""
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.JoinRelayRequest(token))


def ask(server, identity, target, source=None):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.ConnectRequest(target.id))


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_only_listed_devices_join(guarded, identities, workers):
    server = guarded(workers, join_allow=[text(i) for i in identities[:2]])
    assert join(server, identities[0]) == SUCCESS
    assert join(server, identities[1]) == SUCCESS
    with ProtocolConnection(server.address, identities[2]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect_last(NOT_FOUND)
    assert refusals(server, "join") == 1


def test_members_are_reached_by_all(guarded, identities):
    server = guarded(join_allow=[text(identities[0])])
    with Invited(server, identities[5], identities[0]) as invited:
        check_both_ways(*invited.join_both())


def test_what_is_denied_is_never_allowed(guarded, identities):
    server = guarded(join_allow=[text(identities[0])], join_deny=[text(identities[0])])
    assert join(server, identities[0]) == NOT_FOUND


def test_addresses_decide_about_joining(guarded, identities):
    server = guarded(join_deny=["127.0.0.8/29"])
    assert join(server, identities[0], source="127.0.0.9") == NOT_FOUND
    assert join(server, identities[0], source="127.0.0.16") == SUCCESS


def test_a_device_or_an_address_is_enough(guarded, identities):
    server = guarded(join_allow=[text(identities[0]), "127.0.0.9"])
    assert join(server, identities[0]) == SUCCESS
    assert join(server, identities[1], source="127.0.0.9") == SUCCESS
    assert join(server, identities[2]) == NOT_FOUND


def test_who_may_ask(guarded, identities):
    server = guarded(ask_allow=[text(identities[1]), "127.0.0.9"], ask_deny=[text(identities[3])])
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        assert isinstance(ask(server, identities[1], identities[0]), rp.SessionInvitation)
        target.invitation()
        assert ask(server, identities[2], identities[0]) == NOT_FOUND
        answer = ask(server, identities[2], identities[0], source="127.0.0.9")
        assert isinstance(answer, rp.SessionInvitation)
        assert ask(server, identities[3], identities[0], source="127.0.0.9") == NOT_FOUND
    assert refusals(server, "ask") == 2


def test_who_may_be_asked_for(guarded, identities):
    server = guarded(reach_deny=[text(identities[0])])
    with ProtocolConnection(server.address, identities[0]) as hidden:
        hidden.join()
        assert ask(server, identities[1], identities[0]) == NOT_FOUND
    assert refusals(server, "target") == 1


def test_denied_addresses_get_no_handshake(guarded, identities):
    server = guarded(connect_deny=["127.0.0.9"])
    sock = dial(server.address, source="127.0.0.9")
    assert sock.recv(1) == b""
    sock.close()
    assert join(server, identities[0]) == SUCCESS
    assert refusals(server, "address") == 1


def test_one_of_several_tokens(guarded, identities, tmp_path):
    words = tmp_path / "words"
    words.write_text("# who has which\ngamma\n \n\t \t\n")
    server = guarded(tokens=["alpha", "beta"], token_file=str(words))
    for token in ("alpha", "beta", "gamma"):
        assert join(server, identities[0], token) == SUCCESS
    wrong = ("delta", "alph", "alpha\0", "", " ", "\t \t", None)
    for token in wrong:
        assert join(server, identities[0], token) == rp.response(rp.WRONG_TOKEN), token
    assert refusals(server, "token") == len(wrong)


def test_tokens_are_not_logged(guarded, identities):
    server = guarded(tokens=["alphabetagamma"], args=["-debug"])
    join(server, identities[0], "alphabetagamma")
    join(server, identities[0], "deltaepsilon")
    server.wait_for_log("token")
    server.stop()
    assert "alphabetagamma" not in server.log()
    assert "deltaepsilon" not in server.log()


def test_asking_needs_no_token(guarded, identities):
    server = guarded(tokens=["alpha"])
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join("alpha")
        assert isinstance(ask(server, identities[1], identities[0]), rp.SessionInvitation)


def test_files_are_read_anew_and_sessions_stay(guarded, identities, tmp_path):
    members = tmp_path / "members"
    members.write_text(text(identities[0]) + "  # the first\n")
    server = guarded(join_allow=[f"@{members}"])
    assert join(server, identities[2]) == NOT_FOUND
    with Invited(server, identities[1], identities[0]) as invited:
        ends = invited.join_both()
        members.write_text(text(identities[2]) + "\n")
        done, news = server.reload()
        assert done, news
        assert join(server, identities[2]) == SUCCESS
        assert join(server, identities[3]) == NOT_FOUND
        check_both_ways(*ends)
        members.write_text("nonsense\n")
        done, news = server.reload()
        assert not done and f"{members}:1" in news, news
        assert join(server, identities[2]) == SUCCESS
        check_both_ways(*ends)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("later, reason", [
    ("join-deny", "join"), ("join-allow", "join"), ("connect-deny", "address")])
def test_who_is_not_let_in_any_more_is_sent_away(guarded, identities, workers, later, reason):
    """At its next ping, or when its session ends.  All others stay connected."""
    lists = {"join-deny": [text(i) for i in identities[3:5]],
             "join-allow": [text(i) for i in identities[:3]], "connect-deny": ["127.0.0.66"]}
    relay = {"relay": {"ping-interval": "1s"}}
    server = guarded(workers, sections=relay)
    with contextlib.ExitStack() as stack:
        joined = [stack.enter_context(
            ProtocolConnection(server.address, identity, source=source)).join()
            for identity, source in zip(identities, ["127.0.0.1"] * 3 + ["127.0.0.66"] * 2)]
        with ProtocolConnection(server.address, identities[7]) as asker:
            key = asker.request(identities[4].id).key
        one = stack.enter_context(SessionConnection(server.address)).join(key)
        other = stack.enter_context(SessionConnection(server.address))
        other.join(joined[4].invitation().key)
        server.configure(MODULES, {"access": {later: lists[later]}, **relay})
        done, news = server.reload()
        assert done, news
        joined[3].expect_last(rp.RelayFull())
        assert joined[4].receive() == rp.Ping()
        check_both_ways(one, other)
        one.close()
        other.close()
        joined[4].expect_last(rp.RelayFull())
        for client in joined[:3]:
            client.check_alive()
    assert refusals(server, reason) == 2


@pytest.mark.parametrize("option, value, message", [
    ("join-allow", "192.0.2.0/40", "join-allow: "),
    ("connect-deny", "nowhere", "connect-deny: entry 1: this is no address"),
    ("reach-allow", "192.0.2.1", "reach-allow: "),
    ("join-allow", "me", "join-allow: entry 1: this is neither a device ID nor an address"),
    ("token-file", "/nowhere/at/all", "cannot open /nowhere/at/all"),
])
def test_wrong_options_are_named(plain_program, tmp_path, option, value, message):
    conf = tmp_path / "c.conf"
    conf.write_text('modules = { access, relay }\n')
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check",
                 f"-access.{option}", value)
    assert result.returncode != 0
    assert message in result.stderr, result.stderr


def test_a_flood_of_refused_does_no_harm(guarded, identities):
    server = guarded(join_allow=[text(i) for i in identities[:2]], ask_deny=["127.0.0.9"])
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        for _ in range(30):
            assert join(server, identities[2]) == NOT_FOUND
            assert ask(server, identities[2], identities[1], source="127.0.0.9") == NOT_FOUND
        check_both_ways(*ends)
    wait_for(lambda: refusals(server, "join") == 30, "all to be counted")
