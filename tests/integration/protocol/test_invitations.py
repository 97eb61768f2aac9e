# SPDX-License-Identifier: MPL-2.0
"""Many devices and strangers request one device.  Strangers waste its time; good devices still get
their session."""

import concurrent.futures
import contextlib
import signal

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from one_by_one import HELLO, OneByOne, Strangers, visit
from relay_client import ProtocolConnection, SessionConnection
from waiting import Deadline, wait_for

MODULES = ["log", "bounds", "relay", "status", "probe"]
GOOD = "127.0.1."
BAD = "127.0.2."
MANY = 24


@pytest.fixture(params=[1, 2])
def server(module_server, request):  # noqa: F811
    """Only the targets' address is exempt, so the others of 127.0.0.0/8 are separate sources."""
    return module_server(MODULES, workers=request.param,
                         sections={"bounds": {"exempt": "127.0.0.1"}})


def count(server, name):
    return int(server.probe()[f"metric relay.{name}"])


def wait_until_busy(server, strangers):
    """Waits until the device has an invitation from the strangers and more are queued."""
    wait_for(lambda: strangers.asked and count(server, "session_joins.second"),
             "a stranger to be served")


@pytest.mark.parametrize("says", [b"", HELLO[:2]], ids=["silent", "half-way"])
def test_one_stranger_does_not_make_a_device_unreachable(server, identities, says):
    with OneByOne(server, identities[0]) as device, \
            Strangers(server, identities[0], identities[1:2], [BAD + "1"], 4, says) as strangers:
        wait_until_busy(server, strangers)
        for number in range(2):
            assert visit(server, identities[10 + number], identities[0], GOOD + str(number + 1))
        assert device.served >= 2
    assert count(server, "sessions_given_up.turn") >= 1
    server.wait_for_log("a device was busy with a session that came to nothing")


def test_nor_do_many(server, identities):
    sources = [BAD + str(number) for number in range(1, MANY + 1)]
    with OneByOne(server, identities[0]), \
            Strangers(server, identities[0], identities[1:9], sources) as strangers:
        wait_until_busy(server, strangers)
        served = sum(visit(server, identities[10 + number], identities[0],
                           GOOD + str(number + 1)) for number in range(4))
    assert served == 4


def test_strangers_who_begin_a_handshake_have_one_turn_each(module_server,  # noqa: F811
                                                             identities):
    """At first the server cannot tell them from good devices.  After a useless session they come
    last."""
    server = module_server(MODULES, sections={"bounds": {"exempt": "127.0.0.1"}})
    sources = [BAD + str(number) for number in range(1, 17)]
    with OneByOne(server, identities[0]), \
            Strangers(server, identities[0], identities[1:9], sources, 1, HELLO[:2]) as strangers:
        wait_until_busy(server, strangers)
        wait_for(lambda: visit(server, identities[10], identities[0], GOOD + "1"), "a first visit",
                 Deadline(4 * Deadline().seconds))
        for number in range(2, 6):
            assert visit(server, identities[9 + number], identities[0], GOOD + str(number))


@pytest.mark.limits
def test_good_devices_that_come_together_are_all_served(server, identities):
    """Each gets its invitation at once, and no session is ended to make room."""
    with OneByOne(server, identities[0]) as device, \
            concurrent.futures.ThreadPoolExecutor(16) as pool:
        visits = [pool.submit(visit, server, identities[1 + number], identities[0],
                              GOOD + str(number + 1)) for number in range(16)]
        assert all(one.result() for one in visits)
        assert device.served == 16
    assert count(server, "sessions_given_up.turn") == 0
    assert count(server, "invitations_waiting") == 0


def test_good_devices_behind_one_address_are_all_served(server, identities):
    with OneByOne(server, identities[0]), \
            concurrent.futures.ThreadPoolExecutor(3) as pool:
        visits = [pool.submit(visit, server, identities[1 + number], identities[0], GOOD + "1")
                  for number in range(9)]
        assert all(one.result() for one in visits)


def ask(server, identity, target, source):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.ConnectRequest(target.id))


@pytest.mark.parametrize("same", ["asker", "source"])
def test_few_invitations_are_kept_of_one_asker_or_source(server, identities, same):
    """The device joins no session.  At most four invitations are kept for each source and each
    asker."""
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for number in range(10):
            if same == "asker":
                ask(server, identities[1], identities[0], f"{BAD}{number + 1}")
            else:
                ask(server, identities[1 + number], identities[0], BAD + "1")
        assert count(server, "pending_keys") == 2 * 4
        assert count(server, "sessions_given_up.invitations") == 6


def test_a_line_has_a_bound(module_server, identities):  # noqa: F811
    server = module_server(MODULES, sections={
        "bounds": {"exempt": "127.0.0.1"}, "relay": {"invitations-per-device": 8}})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for number in range(20):
            answer = ask(server, identities[1 + number % 10], identities[0],
                         f"{BAD}{number + 1}")
            assert isinstance(answer, rp.SessionInvitation)
        assert count(server, "pending_keys") == 2 * 8


def test_who_asks_again_and_again_gives_up_its_own(module_server, identities):  # noqa: F811
    """Sessions that the device requested earlier and has not joined yet are kept."""
    server = module_server(MODULES, sections={
        "bounds": {"exempt": "127.0.0.1"}, "relay": {"invitations-per-device": 8}})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        good = ask(server, identities[1], identities[0], GOOD + "1")
        for number in range(28):
            ask(server, identities[2 + number % 7], identities[0], f"{BAD}{number % 7 + 1}")
        with SessionConnection(server.address, source=GOOD + "1") as end:
            end.join(good.key)


def test_a_session_that_goes_well_is_not_held_against_its_source(server, identities):
    """The device takes no other invitation while it answers in the session.  More invitations
    follow when it has had time for a handshake, in order."""
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(ProtocolConnection(server.address, identities[0])).join()
        asked = ask(server, identities[1], identities[0], GOOD + "1")
        one = stack.enter_context(SessionConnection(server.address, source=GOOD + "1"))
        other = stack.enter_context(SessionConnection(server.address))
        one.join(asked.key)
        other.join(device.invitation().key)
        other.send_bytes(bytes(4096))
        one.receive_bytes(4096)
        begun = ask(server, identities[2], identities[0], BAD + "1")
        half = stack.enter_context(SessionConnection(server.address, source=BAD + "1"))
        half.join(begun.key).send_bytes(HELLO)
        assert device.invitation().from_id == identities[2].id
        ask(server, identities[1], identities[0], GOOD + "1")
        ask(server, identities[3], identities[0], BAD + "2")
        assert [device.invitation().from_id for _ in range(2)] == [
            identities[1].id, identities[3].id]
        assert count(server, "sessions_given_up.turn") == 0
        other.send_bytes(HELLO)
        assert one.receive_bytes(len(HELLO)) == HELLO


def test_what_waits_is_sent_before_the_device_is_sent_away(start_ours, identities):
    """During a drain, the device gets the queued invitations before it is disconnected."""
    server = start_ours("-drain-spread", "0s")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for number in range(3):
            ask(server, identities[1 + number], identities[0], None)
        server.send_signal(signal.SIGUSR1)
        invited = {device.invitation().from_id for _ in range(3)}
        assert invited == {identity.id for identity in identities[1:4]}
        device.expect_last(rp.RelayFull())
