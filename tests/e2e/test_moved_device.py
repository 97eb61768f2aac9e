# SPDX-License-Identifier: MPL-2.0
"""A real Syncthing moves to another network, and the relay does not see the end of its old
connection.

Uses three network namespaces: one for the relay and the peer, and two for the device, before and
after it moves."""

import contextlib
import os
import subprocess

import pytest

import certificates
import gateway
import own_network
import relay_server
from relay_server import free_port
from skip_unless import can_run
from waiting import Deadline, pace, wait_for

pytestmark = can_run("DEVICES THAT MOVE", gateway.why_not())

RELAY = "10.77.0.1"
SYNCTHING_RESTS = 15  # seconds; longer than Syncthing waits between two attempts to connect


class Places:
    """The namespaces `home` and `away`, each linked to the current one."""

    def __init__(self):
        self.names = {place: f"relay-{place}-{os.getpid()}" for place in ("home", "away")}

    def build(self):
        gateway.run("ip", "addr", "add", f"{RELAY}/32", "dev", "lo")
        for number, (place, name) in enumerate(self.names.items(), 1):
            net = f"10.77.{number}"
            gateway.run("ip", "netns", "add", name)
            gateway.run("ip", "link", "add", place, "type", "veth", "peer", "name", "eth0",
                        "netns", name)
            gateway.run("ip", "addr", "add", f"{net}.1/24", "dev", place)
            gateway.run("ip", "link", "set", place, "up")
            inside = self.prefix(place)
            gateway.run(*inside, "ip", "addr", "add", f"{net}.2/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                gateway.run(*inside, "ip", "link", "set", device, "up")
            gateway.run(*inside, "ip", "route", "add", "default", "via", f"{net}.1")

    def prefix(self, place):
        return ["ip", "netns", "exec", self.names[place]]

    def call(self, place, function):
        return gateway.call_in(f"/run/netns/{self.names[place]}", function)

    @staticmethod
    def cut(place):
        """Cuts the link, so that not even the end of a connection arrives."""
        gateway.run("ip", "link", "set", place, "down")

    def close(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def places():
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        own_network.make()
        with contextlib.closing(Places()) as built:
            built.build()
            yield built
    finally:
        own_network.go_back(before)


@pytest.fixture
def relay(places, tmp_path, plain_program):  # pylint: disable=redefined-outer-name,unused-argument
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    with contextlib.ExitStack() as servers:
        server = relay_server.start(plain_program, tmp_path, "-debug", listen=f"{RELAY}:0",
                                    keys=keys)
        servers.callback(server.finish)
        yield server


def connected(device, peer):
    """Newer versions tell a moment after the connection when it began: until then, year 1."""
    found = device.connection(peer)
    begun = not found.get("startedAt", "").startswith("0001-")
    return found if found.get("connected") and begun else None


def wait_for_connection(device, peer):
    return wait_for(lambda: connected(device, peer), device.log,
                    Deadline(2 * Deadline().seconds))


def test_it_is_connected_again_once_and_for_good(places, relay, make_device):
    moving, peer = make_device("moving"), make_device("peer")
    # Only the moving device dials, so there is at most one connection.
    moving.configure(relay.uri, peer, relay.uri)
    peer.configure(relay.uri, moving, f"tcp://127.0.0.1:{free_port()}")
    peer.start()
    moving.start(places.prefix("home"), lambda body: places.call("home", body))
    wait_for_connection(peer, moving)
    places.cut("home")
    moving.kill()
    # The restarted peer has forgotten the old connection, and takes the first new one.
    peer.restart()
    moving.start(places.prefix("away"), lambda body: places.call("away", body))
    first = wait_for_connection(peer, moving)
    relay.wait_for_log("replaced by a newer connection")
    deadline = Deadline(SYNCTHING_RESTS)
    while not deadline.passed():
        now = connected(peer, moving)
        assert now and now["startedAt"] == first["startedAt"], f"{first}, {now}:\n{peer.log()}"
        pace(0.2)
    assert relay.count("replaced by a newer connection") == 1
