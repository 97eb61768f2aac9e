# SPDX-License-Identifier: MPL-2.0
"""What the module nat selects: one of several gateways of a route, and one of several connections
of a gateway."""

import contextlib
import os

import pytest

import gateway
from gateway_double import DIALLED_SERVICE, PORT_SERVICE, TWO_CONNECTIONS, GatewayDouble
from relay_server import Program, RelayServer
from skip_unless import can_run

pytestmark = can_run("PORT MAPPINGS", gateway.why_not())

PORT = 22067


@pytest.fixture
def nets(tmp_path):
    with gateway.networks(tmp_path, f"{os.getpid()}-choices") as built:
        yield built


@pytest.fixture
def make_double(nets):
    with contextlib.ExitStack() as doubles:

        def make(**options):
            double = GatewayDouble(nets, **options)
            doubles.callback(double.close, nets)
            return double

        yield make


@pytest.fixture
def inside(nets, tmp_path, relay_keys):
    """inside() starts a relay behind the gateway."""
    conf = tmp_path / "nat.conf"
    conf.write_text(f'listen = {{ "0.0.0.0:{PORT}" }}\nmodules = {{ log, relay, nat, rate-limit }}\n')
    with contextlib.ExitStack() as servers:

        def start():
            program = Program("ours", 1)
            server = RelayServer(program, [
                *nets.prefix("relay"), program.path, "-conf", str(conf), "-keys", str(relay_keys),
                "-status-srv", "", "-nat", "-nat-timeout", "4"], tmp_path)
            servers.callback(server.finish)
            return server

        yield start


def test_any_gateway_of_a_route_may_map(nets, make_double, inside):
    """A default route that uses several gateways at the same time (multipath)."""
    nets.at("relay", "ip", "route", "replace", "default", "nexthop", "via", gateway.NEIGHBOUR,
            "nexthop", "via", gateway.INNER)
    make_double()
    inside().wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")


@pytest.mark.parametrize("connected", [DIALLED_SERVICE, PORT_SERVICE])
def test_the_connection_that_is_up_gets_the_port(make_double, inside, connected):
    """Some gateways list one connection for each type of WAN access, of which only one is up."""
    double = make_double(describe=TWO_CONNECTIONS)
    down = ({DIALLED_SERVICE, PORT_SERVICE} - {connected}).pop()
    double.answers[down, "GetStatusInfo"] = {"NewConnectionStatus": "Disconnected"}
    inside().wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    assert {service for service, action in double.called if action == "AddPortMapping"} == {
        connected}
