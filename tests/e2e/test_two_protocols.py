# SPDX-License-Identifier: MPL-2.0
"""Two real Syncthing devices and real clients of Magic Wormhole through one process, which is
reloaded and upgraded meanwhile."""

import contextlib

import pytest

import certificates
from relay_server import free_port
from two_devices import SMALL_FILES, check_equal, fill, make_pair, wait_for_connection, wait_for_sync
from upgrading import Upgrading
from waiting import wait_for
from wormhole_clients import (  # noqa: F401
    by_relay, digest, mailbox, make_large, wait_for_transfer, wormhole,
)

CONF = """modules = {{ log, bounds, wormhole-transit, relay, rate-limit, status }}
status-srv = "127.0.0.1:0"
drain-spread = 1s
listener "main" {{ address = "127.0.0.1:0" }}
listener "wormhole" {{
  address = "127.0.0.1:{port}"
  protocol = wormhole-transit
}}
"""


@pytest.fixture
def relay(tmp_path, plain_program):
    """It, and the port of its other protocol."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    port = free_port()
    with contextlib.ExitStack() as servers:
        server = Upgrading(plain_program, tmp_path, keys, conf=CONF.format(port=port))
        servers.callback(server.finish)
        yield server.wait_until_serving(), port


def test_both_go_on_through_a_reload_and_an_upgrade(relay, make_device, wormhole, tmp_path):  # noqa: F811
    server, port = relay
    one, other = make_pair(make_device, server.uri, receive_kib=20 * 1024)
    fill(one.folder, "one", 7)
    make_large(tmp_path / "a" / "large")
    one.start()
    other.start()
    wait_for_connection(one, other, patience=2)
    large = wormhole(port, "large", "1-both-protocols")
    wait_for_transfer(*large)
    wait_for(lambda: server.status()["sessionsByProtocol"].keys() == {"relay", "wormhole-transit"},
             lambda: f"sessions of both: {server.status()}")
    server.signal(1)
    server.wait_for_log("core: reloaded")
    server.upgrade()
    after = wormhole(port, "large", "2-after-upgrade")
    for ends in (large, after):
        by_relay(port, *ends)
    for name in ("b-1-both-protocols", "b-2-after-upgrade"):
        assert digest(tmp_path / name / "large") == digest(tmp_path / "a" / "large")
    wait_for_sync((other,), SMALL_FILES + 1)
    check_equal(one, other, SMALL_FILES + 1)
