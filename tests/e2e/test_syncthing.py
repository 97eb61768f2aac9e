# SPDX-License-Identifier: MPL-2.0
"""Two real Syncthing devices that can reach each other only through the relay."""

import os
import signal

import certificates
import device_id
from two_devices import (
    BIG, SMALL_FILES, check_equal, fill, hashes, make_pair, wait_for_connection, wait_for_sync,
)
from waiting import pace, wait_for

def test_two_devices_sync_both_ways(start_relay, make_device):
    relay = start_relay()
    one, other = make_pair(make_device, relay.uri)
    size = fill(one.folder, "one", 1) + fill(other.folder, "other", 2)
    one.start()
    other.start()
    wait_for_connection(one, other)
    files = 2 * (SMALL_FILES + 1)
    wait_for_sync((one, other), files)
    check_equal(one, other, files)
    for device, peer in ((one, other), (other, one)):
        got = device.connection(peer)["type"]
        assert got.startswith("relay"), f"connection type: got {got}, want relay-…"
    got = relay.status()["bytesProxied"]
    assert got >= size, f"bytesProxied: got {got}, want {size} at least"

    # A second transfer over the existing connection.
    (one.folder / "late.bin").write_bytes(b"late")
    one.scan()
    wait_for_sync((one, other), files + 1)
    check_equal(one, other, files + 1)


def test_sync_goes_on_after_the_relay_was_restarted(start_relay, make_device):
    relay = start_relay(pick_ports=True)
    one, other = make_pair(make_device, relay.uri, receive_kib=20 * 1024)
    fill(one.folder, "one", 3)
    one.start()
    other.start()
    wait_for_connection(one, other)
    relay.wait_for_status(lambda s: s["bytesProxied"] > BIG // 8, "the transfer to be under way")
    address = f"127.0.0.1:{relay.address[1]}"
    relay.stop()
    got = hashes(other.folder)
    assert "one-big.bin" not in got, "the big file had arrived before the relay was stopped"
    again = start_relay(listen=address)
    assert again.query["id"] == relay.query["id"]
    for device in (one, other):
        device.listen_anew()
    wait_for_connection(one, other)
    wait_for_sync((other,), SMALL_FILES + 1)
    check_equal(one, other, SMALL_FILES + 1)
    assert again.status()["bytesProxied"] > 0, "nothing came through the relay's second life"


def test_an_upgrade_of_the_relay_does_not_disturb_a_transfer(start_upgrading, make_device):
    """The transfer continues through the old process.  Later connections use the new one."""
    relay = start_upgrading("-drain-spread", "1s")
    one, other = make_pair(make_device, relay.uri, receive_kib=20 * 1024)
    fill(one.folder, "one", 4)
    one.start()
    other.start()
    wait_for_connection(one, other)
    relay.wait_for_status(lambda s: s["bytesProxied"] > BIG // 8, "the transfer to be under way")
    before = one.connection(other)
    old, new = relay.upgrade()
    assert "one-big.bin" not in hashes(other.folder), "the transfer was over before the upgrade"
    wait_for_sync((other,), SMALL_FILES + 1)
    check_equal(one, other, SMALL_FILES + 1)
    assert one.connection(other)["startedAt"] == before["startedAt"], "they had to connect anew"

    # Both devices have joined the new process and find each other there.
    relay.wait_for_status(lambda s: s["numConnections"] >= 2, "both devices at the new process")
    os.kill(old, signal.SIGTERM)
    assert relay.exit_code(old) == 0
    (one.folder / "late.bin").write_bytes(b"late")
    # Both dial at once, and may wait twice for each other's Hello, 20 s each.
    wait_for_connection(one, other, patience=4)
    one.scan()
    wait_for_sync((one, other), SMALL_FILES + 2)
    check_equal(one, other, SMALL_FILES + 2)


def test_a_relay_of_another_id_is_refused(start_relay, make_device):
    relay = start_relay()
    stranger = device_id.to_text(certificates.make().id)
    uri = relay.uri.replace(relay.query["id"], stranger)
    assert uri != relay.uri
    one, other = make_pair(make_device, uri)
    one.start()
    other.start()
    for device in (one, other):
        error = wait_for(lambda device=device: device.listener_error(uri),
                         lambda device=device: f"an error of the listener:\n{device.log()}")
        assert "id does not match" in error, f"got {error}"
    for _ in range(20):
        assert not one.connection(other).get("connected"), "connected through a wrong relay"
        status = relay.status()
        assert status["numActiveSessions"] == 0, f"a session through a wrong relay: {status}"
        pace()
