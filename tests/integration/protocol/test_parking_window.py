# SPDX-License-Identifier: MPL-2.0
"""For which devices requests wait when the server's own first 30 s are over (park-asks)."""

import select
import threading

import pytest

import relay_protocol as rp
from later import Later
from module_server import folder_of, module_server  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import module_folder
from upgrading import start_upgrading  # noqa: F401
from verdict_endpoint import says
from verdict_server import SUCCESS, asking, endpoint  # noqa: F401
from waiting import wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
WORKERS = pytest.mark.parametrize("workers", [1, 2])
#: Seconds for which a device is expected back, and every device after a start.
WINDOW = 30


@pytest.fixture
def later(tmp_path):
    return Later(tmp_path / "later")


class Parking:
    def __init__(self, server, later):
        self.server, self.later = server, later
        self.address = server.address

    def number(self, name):
        text = self.server.get("/probe")[2].decode()
        return int(dict(line.rsplit(" ", 1) for line in text.splitlines())[f"metric relay.{name}"])

    def wait_for_number(self, name, number):
        wait_for(lambda: self.number(name) == number,
                 lambda: f"{name} to be {number}; it is {self.number(name)}")

    def asks(self, asker, target):
        """A connection whose request waits."""
        client = ProtocolConnection(self.address, asker)
        before = self.number("connect_requests.not_found")
        client.send(rp.ConnectRequest(target.id))
        wait_for(lambda: self.number("requests_waiting") == 1
                 or self.number("connect_requests.not_found") > before, "it to wait")
        assert self.number("requests_waiting") == 1, "it does not wait"
        return client

    def is_told_at_once(self, asker, target):
        with ProtocolConnection(self.address, asker) as client:
            client.send(rp.ConnectRequest(target.id))
            client.expect_last(NOT_FOUND)
        return self.number("requests_parked.in_vain") == 0

    def came_and_left(self, identity):
        with ProtocolConnection(self.address, identity) as device:
            device.join()
        self.wait_for_number("devices", 0)


@pytest.fixture
def parking(module_server, later):  # noqa: F811
    """A server that runs for longer than the window."""

    def start(workers=2):
        server = Parking(module_server(
            ("log", "relay", "probe"), workers=workers, env=later.env,
            sections={"relay": {"park-asks": "10s"}}), later)
        later.move_on(WINDOW + 1)
        return server

    return start


@WORKERS
def test_nobody_is_expected_who_was_not_here(parking, identities, workers):
    assert parking(workers).is_told_at_once(identities[0], identities[1])


@WORKERS
def test_requests_wait_for_who_has_just_left(parking, identities, workers):
    server = parking(workers)
    server.came_and_left(identities[1])
    assert server.is_told_at_once(identities[0], identities[2])
    with server.asks(identities[0], identities[1]) as asker:
        with ProtocolConnection(server.address, identities[1]).join() as device:
            assert device.invitation().from_id == identities[0].id
            assert asker.invitation().from_id == identities[1].id


@WORKERS
def test_who_has_left_is_expected_for_a_time(parking, identities, workers):
    server = parking(workers)
    server.came_and_left(identities[1])
    server.later.move_on(WINDOW - 10)
    with server.asks(identities[0], identities[1]):
        pass
    server.wait_for_number("requests_parked.left", 1)
    server.later.move_on(11)
    assert server.is_told_at_once(identities[0], identities[1])


@WORKERS
@pytest.mark.parametrize("allowed", [True, False])
def test_requests_wait_for_who_is_about_to_join(asking, endpoint, later, identities, workers,  # noqa: F811
                                                allowed):
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=allowed))[1]
    server = asking(what="joins", workers=workers, env=later.env, relay={"park-asks": "10s"})
    later.move_on(WINDOW + 1)
    parking = Parking(server, later)
    with server.asking(identities[1]) as device, \
            parking.asks(identities[0], identities[1]) as asker:
        release.set()
        if allowed:
            device.expect(SUCCESS)
            asker.invitation()
        else:
            device.expect_last(NOT_FOUND)
            assert parking.number("requests_waiting") == 1


@WORKERS
def test_after_an_upgrade_every_device_is_expected(start_upgrading, later, identities,  # noqa: F811
                                                   workers):
    server = Parking(start_upgrading(
        "-relay.park-asks", "10s", "-module-dir", f"{module_folder()},{folder_of('probe')}",
        conf="modules = { log, relay, probe }\n", workers=workers, env=later.env), later)
    later.move_on(WINDOW + 1)
    with ProtocolConnection(server.address, identities[1]).join():
        assert server.is_told_at_once(identities[0], identities[2])
        server.server.upgrade()
    # The new process has never seen it.
    with server.asks(identities[0], identities[1]) as asker:
        with ProtocolConnection(server.address, identities[1]).join() as device:
            assert device.invitation().from_id == identities[0].id
            assert asker.invitation().from_id == identities[1].id
    later.move_on(WINDOW + 1)
    assert server.is_told_at_once(identities[0], identities[2])


@WORKERS
def test_who_waits_in_the_old_process_is_answered_by_an_upgrade(
        start_upgrading, parking, later, identities, workers):  # noqa: F811
    """The device will join the new one, in which a new request waits for it.  In another server,
    which began to wait earlier, it goes on."""
    other = Parking(parking(workers).server, later)
    other.came_and_left(identities[1])
    server = Parking(start_upgrading(
        "-relay.park-asks", "10s", "-module-dir", f"{module_folder()},{folder_of('probe')}",
        conf="modules = { log, relay, probe }\n", workers=workers), later)
    with other.asks(identities[0], identities[1]) as peer:
        with server.asks(identities[0], identities[1]) as asker:
            server.server.upgrade()
            asker.expect_last(NOT_FOUND)
        assert not select.select([peer.sock], [], [], 0)[0], "it was answered when its time was over"
    with server.asks(identities[0], identities[1]) as asker:
        with ProtocolConnection(server.address, identities[1]).join() as device:
            assert device.invitation().from_id == identities[0].id
            assert asker.invitation().from_id == identities[1].id
