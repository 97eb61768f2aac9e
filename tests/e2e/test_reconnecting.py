# SPDX-License-Identifier: MPL-2.0
"""Two connected devices lose their relay at the same time.  Whoever is back first asks for the
other; Syncthing asks again only ten minutes after an answer `not found`."""

import os
import signal
import time

import pytest

from two_devices import make_joined_and_dialling, wait_for_connection
from waiting import pace, wait_for

#: For measurements: how often, and the longest time of one, in seconds.
ROUNDS = int(os.environ.get("RECONNECT_ROUNDS", "1"))
LONGEST = float(os.environ.get("RECONNECT_LONGEST", "60"))
PARK = os.environ.get("RECONNECT_PARK", "1.5s")


def is_connected(device, peer):
    """Newer versions tell a moment later when the connection began: until then, year 1."""
    found = device.connection(peer)
    return (found.get("connected") and found["type"].startswith("relay")
            and not found["startedAt"].startswith("0001-"))


def time_until_connected(devices, since):
    """Seconds; None: more than LONGEST.  `since` are the times at which the old ones began."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST:
        pairs = zip(devices, reversed(devices), since)
        if all(is_connected(device, peer) and device.connection(peer)["startedAt"] != old
               for device, peer, old in pairs):
            return time.monotonic() - began
        pace(0.1)
    return None


@pytest.mark.parametrize("number", range(ROUNDS))
def test_devices_are_connected_again(start_upgrading, make_device, number, record_property):
    """The new process of an upgrade has the sockets already when the old one is ended, as a
    service manager has them that restarts the relay."""
    relay = start_upgrading("-relay.park-asks", PARK)
    devices = make_joined_and_dialling(make_device, relay.uri)
    for device in devices:
        device.start()
    wait_for_connection(*devices, patience=4)
    wait_for(lambda: all(is_connected(*pair) for pair in (devices, devices[::-1])), "a beginning")
    since = [device.connection(peer)["startedAt"]
             for device, peer in zip(devices, reversed(devices))]
    old, _ = relay.upgrade()
    os.kill(old, signal.SIGTERM)
    took = time_until_connected(devices, since)
    record_property("seconds", took)
    print(f"connected again after {took} s (round {number}, park-asks {PARK})")
    assert took is not None
