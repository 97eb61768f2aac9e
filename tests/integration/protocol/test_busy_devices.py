# SPDX-License-Identifier: MPL-2.0
"""Strangers send data with which a device waits for more.  It must still take other sessions."""

import contextlib

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from one_by_one import ANSWER, HELLO, LARGE_PART, WHOLE_RECORD, OneByOne, Strangers, drip, visit
from relay_client import ProtocolConnection, SessionConnection, reset
from waiting import Deadline, pace, wait_for

MODULES = ["log", "bounds", "relay", "status", "probe"]
GOOD = "127.0.1."
BAD = "127.0.2."
#: A session that lasts longer makes friends.
FRIENDS_AFTER = 35


@pytest.fixture
def server(module_server):  # noqa: F811
    return module_server(MODULES, sections={"bounds": {"exempt": "127.0.0.1"}})


def count(server, name):
    return int(server.probe()[f"metric relay.{name}"])


@contextlib.contextmanager
def beset(server, identities, sources, says):
    """The device of identities[0], which strangers keep busy."""
    begun = count(server, "session_joins.second")
    with Strangers(server, identities[0], identities[1:9],
                   [f"{BAD}{number + 1}" for number in range(sources)],
                   4 if sources == 1 else 1, says):
        wait_for(lambda: count(server, "session_joins.second") > begun, "a stranger to be served")
        yield


@pytest.mark.parametrize("says", [LARGE_PART, WHOLE_RECORD, drip],
                         ids=["large-part", "whole-record", "drip"])
@pytest.mark.parametrize("sources", [1, 8])
def test_new_devices_get_through(server, identities, sources, says):
    """The good device is served as soon as each source of strangers has had its turn."""
    with OneByOne(server, identities[0]), beset(server, identities, sources, says):
        wait_for(lambda: visit(server, identities[10], identities[0], GOOD + "1"), "a first visit",
                 Deadline(4 * Deadline().seconds))
        for number in range(2, 5):
            assert visit(server, identities[9 + number], identities[0], f"{GOOD}{number}")
    assert count(server, "sessions_given_up.turn") >= sources


@contextlib.contextmanager
def session(server, identity, target, source):
    with ProtocolConnection(server.address, identity, source=source) as client, \
            SessionConnection(server.address, source=source) as end:
        key = client.ask(rp.ConnectRequest(target.id)).key
        end.join(key).send_bytes(HELLO)
        assert end.receive_bytes(len(ANSWER)) == ANSWER
        yield
        reset(end.sock)


def test_a_device_that_had_a_session_gets_through_at_once(server, identities):
    with OneByOne(server, identities[0]):
        with session(server, identities[10], identities[0], GOOD + "1"):
            pace(FRIENDS_AFTER + 1)
        server.wait_for_status(lambda s: s["numActiveSessions"] == 0, "the session to end")
        with beset(server, identities, 8, LARGE_PART):
            for _ in range(4):
                assert visit(server, identities[10], identities[0], GOOD + "1")
