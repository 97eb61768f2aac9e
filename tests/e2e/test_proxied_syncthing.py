# SPDX-License-Identifier: MPL-2.0
"""A real Syncthing that reaches the relay through a proxy only: one for HTTP CONNECT if it is of
version 2.1 or later, and otherwise one for SOCKS, which earlier ones know."""

import contextlib

import pytest

import certificates
import syncthing_device
from proxied_network import (
    PROXY_INSIDE, PROXY_PORT, RELAY, RELAY_PRIVATE, knowing, proxied_network, why_not,
)
from relay_server import Program, RelayServer
from skip_unless import can_run
from two_devices import check_equal, make_pair, wait_for_connection, wait_for_sync

pytestmark = can_run("SYNCTHING BEHIND A PROXY", why_not("tinyproxy", "microsocks"))

NAME, PORT = "relay.test", 22067


@pytest.fixture
def network(tmp_path):
    with proxied_network(tmp_path) as built:
        yield built


def start_proxy(network, names):
    """Returns its URL."""
    if syncthing_device.version() >= (2, 1):
        network.start_tinyproxy(*names)
        return f"http://{PROXY_INSIDE}:{PROXY_PORT}"
    network.start_socks(*names)
    return f"socks5://{PROXY_INSIDE}:{PROXY_PORT}"


# With a name in the URI, the invitation must name an address, and a private one is not named.
@pytest.mark.parametrize("in_uri, at", [(NAME, RELAY), (RELAY_PRIVATE, RELAY_PRIVATE)],
                         ids=["name", "private-address"])
def test_a_device_behind_a_proxy_syncs_with_one_that_is_not(network, make_device, tmp_path, in_uri, at):
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{at} {NAME}\n")
    program = Program("ours", 2)
    with contextlib.ExitStack() as stack:
        relay = RelayServer(program, [
            *network.prefix("relay"), program.path, "-keys", str(keys), "-pools", "",
            "-status-srv", "", "-listen", f":{PORT}", "-debug"], tmp_path)
        stack.callback(relay.finish)
        relay.wait_until_serving()
        uri = f"relay://{in_uri}:{PORT}/?id={relay.query['id']}"
        inside, outside = make_pair(make_device, uri)
        (inside.folder / "one.bin").write_bytes(b"from behind the proxy")
        (outside.folder / "other.bin").write_bytes(b"from elsewhere")
        url = start_proxy(network, knowing(hosts))
        inside.start(network.prefix("client"), lambda body: network.call("client", body), url)
        outside.start([*knowing(hosts), *network.prefix("proxy")],
                      lambda body: network.call("proxy", body))
        wait_for_connection(inside, outside, patience=2)
        wait_for_sync((inside, outside), 2)
        check_equal(inside, outside, 2)
