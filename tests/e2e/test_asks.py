# SPDX-License-Identifier: MPL-2.0
"""The effect of the option `asks`, which says who may request a device, on real Syncthing devices.

Syncthing sends requests over a new connection, with the certificate with which it has joined if the
relay is among its listen addresses.  The relay has no token here, because early versions send
none."""

import contextlib

import pytest

import certificates
import relay_server
from two_devices import make_joined_and_dialling, make_pair, wait_for_connection
from waiting import wait_for


@pytest.fixture
def asked_by(tmp_path, plain_program):
    """asked_by(asks) starts a relay with that option."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    with contextlib.ExitStack() as servers:

        def start(asks):
            relay = relay_server.start(plain_program, tmp_path, "-debug", "-relay.asks", asks,
                                       keys=keys)
            servers.callback(relay.finish)
            return relay

        yield start


def test_devices_that_have_joined_may_ask(asked_by, make_device):
    relay = asked_by("joined")
    one, other = make_pair(make_device, relay.uri)
    one.start()
    other.start()
    # A request before both devices have joined fails, and is repeated.
    wait_for_connection(one, other, patience=2)
    assert relay.status()["numConnections"] >= 2


def test_a_device_that_only_dials_is_refused(asked_by, make_device):
    relay = asked_by("joined")
    joined, dialling = make_joined_and_dialling(make_device, relay.uri)
    joined.start()
    relay.wait_for_status(lambda s: s["numConnections"] == 1, "the first device to join")
    dialling.start()
    wait_for(lambda: relay.count("refused: requests a device without") >= 3, relay.log)
    for device, peer in ((joined, dialling), (dialling, joined)):
        assert not device.connection(peer).get("connected")
    assert relay.status()["numPendingSessionKeys"] == 0, "the device was invited"


def test_where_anyone_may_ask_such_a_device_is_served(asked_by, make_device):
    """The Go relay does this."""
    relay = asked_by("anyone")
    joined, dialling = make_joined_and_dialling(make_device, relay.uri)
    joined.start()
    dialling.start()
    wait_for_connection(joined, dialling, patience=2)
