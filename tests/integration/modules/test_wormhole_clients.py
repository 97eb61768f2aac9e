# SPDX-License-Identifier: MPL-2.0
"""Real clients of Magic Wormhole, unchanged, through our transit relay; all on loopback."""

import os
import shutil

from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_server import free_port
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for
from wormhole import number
from wormhole_clients import (  # noqa: F401
    by_relay, digest, mailbox, make_large, wait_for_transfer, wormhole,
)

CONF = """modules = {{ log, bounds, wormhole-transit, relay, rate-limit, status, prometheus }}
status-srv = "127.0.0.1:0"
relay {{ network-timeout = 1h }}
listener "main" {{ address = "127.0.0.1:{main}" }}
listener "wormhole" {{
  address = "127.0.0.1:{port}"
  protocol = wormhole-transit }}
"""


def test_a_folder_and_a_large_file_during_reload_and_upgrade(
        start_upgrading, wormhole, tmp_path, identities):  # noqa: F811
    main, port = free_port(), free_port()
    server = start_upgrading(conf=CONF.format(main=main, port=port))
    folder = tmp_path / "a" / "folder"
    folder.mkdir()
    for name in range(20):
        (folder / f"file {name}").write_bytes(os.urandom(10_000 * name))
    make_large(tmp_path / "a" / "large")
    with Invited(server, identities[0], identities[1]) as invited:
        devices = invited.join_both()
        large = wormhole(port, "large", "1-large-file")
        wait_for_transfer(*large)
        server.signal(1)
        server.wait_for_log("core: reloaded")
        server.upgrade()
        small = wormhole(port, "folder", "2-small-folder")
        by_relay(port, *small)
        check_both_ways(*devices)
        by_relay(port, *large)
    got = tmp_path / "b-2-small-folder" / "folder"
    assert {path.name: path.read_bytes() for path in got.iterdir()} == \
        {path.name: path.read_bytes() for path in folder.iterdir()}
    assert digest(tmp_path / "b-1-large-file" / "large") == digest(tmp_path / "a" / "large")
    shutil.rmtree(tmp_path / "a")


def test_at_a_limited_rate(module_server, wormhole, tmp_path):  # noqa: F811
    port = free_port()
    server = module_server(
        ["log", "bounds", "wormhole-transit", "relay", "rate-limit", "prometheus"], installed=[],
        sections={'listener "wormhole"': {"address": f"127.0.0.1:{port}", "protocol": "wormhole-transit"},
                  "rate-limit": {"global": "1MB/s"}})
    (tmp_path / "a" / "file").write_bytes(os.urandom(2_000_000))
    by_relay(port, *wormhole(port, "file", "3-slow-file"))
    assert digest(tmp_path / "b-3-slow-file" / "file") == digest(tmp_path / "a" / "file")
    assert number(server, 'strelaysrv_rate_limit_held_back_total{limit="global"}') > 0
    assert number(server, 'strelaysrv_wormhole_transit_clients_total{result="paired"}') == 2
    wait_for(lambda: number(server, 'strelaysrv_core_module_sessions{module="wormhole-transit"}') == 0,
             "the end of the session")
    assert number(
        server, 'strelaysrv_core_module_session_traffic_bytes_total{module="wormhole-transit"}') > 2_000_000
