# SPDX-License-Identifier: MPL-2.0
"""Sessions that have not begun: when strangers request too many, the source with most loses
some."""

import contextlib

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairing import check_both_ways
from relay_client import ProtocolConnection, SessionConnection

MODULES = ["log", "bounds", "relay", "status", "probe"]
NOT_FOUND = rp.response(rp.NOT_FOUND)
GOOD, OTHER = "127.0.1.1", "127.0.1.2"
#: Few sources, so that a few identities are enough.
BAD = ["127.0.0.66", "127.0.0.67"]


@pytest.fixture(params=[1, 2])
def crowded(module_server, request):  # noqa: F811
    """Only the targets' address is exempt, so the others of 127.0.0.0/8 are separate sources."""

    def start(modules=MODULES, **relay):
        named = {name.replace("_", "-"): value for name, value in relay.items()}
        return module_server(modules, workers=request.param, sections={
            "bounds": {"exempt": "127.0.0.1"}, "relay": named})

    return start


def ask(server, identity, target, source):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.ConnectRequest(target.id))


def given_up(server, bound):
    return int(server.probe()[f"metric relay.sessions_given_up.{bound}"])


def knows(server, key):
    """Whether the key is valid; this uses it up."""
    with SessionConnection(server.address) as guest:
        return guest.ask(rp.JoinSessionRequest(key)) == rp.response(rp.SUCCESS)


@contextlib.contextmanager
def joined(server, identities):
    """Joined devices that can be requested."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(ProtocolConnection(server.address, identity)).join()
               for identity in identities]


def test_a_full_table_has_room_for_a_newcomer(crowded, identities):
    server = crowded(pending_sessions=12)
    with joined(server, identities[:6]) as targets:
        first = ask(server, identities[10], identities[5], GOOD)
        for number in range(30):  # from many device IDs, since they cost nothing
            answer = ask(server, identities[6 + number % 10], identities[number % 5],
                         BAD[number % 2])
            assert isinstance(answer, rp.SessionInvitation)
        late = ask(server, identities[11], identities[5], OTHER)
        assert isinstance(late, rp.SessionInvitation), "a newcomer found no room"
        promised = {first.key: targets[5].invitation(), late.key: targets[5].invitation()}
        for key, invitation in promised.items():
            with SessionConnection(server.address) as one, \
                    SessionConnection(server.address) as two:
                check_both_ways(one.join(key), two.join(invitation.key))
    assert given_up(server, "pending-sessions") == 30 + 2 - 12
    assert server.probe()["metric relay.connect_requests.full"] == "0"
    server.wait_for_log("a bound on pending sessions was reached")


def test_a_source_that_wants_too_many_gives_up_its_own(crowded, identities):
    server = crowded(pending_per_source=3)
    with joined(server, identities[:5]):
        good = ask(server, identities[9], identities[0], GOOD)
        bad = [ask(server, identities[5 + number], identities[number], BAD[0])
               for number in range(4)]
        assert not knows(server, bad[0].key)
        assert all(knows(server, invitation.key) for invitation in [good, *bad[1:]])
    assert given_up(server, "pending-per-source") == 1


def test_the_half_of_one_that_was_given_up_is_told(crowded, identities):
    server = crowded(pending_per_source=1)
    with joined(server, identities[:2]):
        first = ask(server, identities[5], identities[0], BAD[0])
        with SessionConnection(server.address) as half:
            half.join(first.key)
            ask(server, identities[6], identities[1], BAD[0])
            half.expect_close()


def test_an_exempt_address_is_no_source(crowded, identities):
    server = crowded(pending_per_source=1)
    with joined(server, identities[:3]):
        answers = [ask(server, identities[5 + number], identities[number], "127.0.0.1")
                   for number in range(3)]
        assert all(knows(server, answer.key) for answer in answers)


def test_without_bounds_loopback_is_exempt(crowded, identities):
    server = crowded(modules=["log", "relay", "status", "probe"], pending_per_source=1)
    with joined(server, identities[:3]):
        answers = [ask(server, identities[5 + number], identities[number], BAD[0])
                   for number in range(3)]
        assert all(knows(server, answer.key) for answer in answers)


def test_a_reload_says_anew_who_is_exempt(crowded, identities):
    server = crowded(pending_per_source=1)
    server.configure(MODULES, {"bounds": {"exempt": "127.0.0.0/8"},
                               "relay": {"pending-per-source": 1}})
    done, news = server.reload()
    assert done, news
    with joined(server, identities[:2]):
        answers = [ask(server, identities[5 + number], identities[number], BAD[0])
                   for number in range(2)]
        assert all(knows(server, answer.key) for answer in answers)
