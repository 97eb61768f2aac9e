# SPDX-License-Identifier: MPL-2.0
"""The module nat with a real miniupnpd, in network namespaces; nothing leaves them."""

import contextlib
import os
import signal
import urllib.parse
import warnings

import pytest

import certificates
import gateway
import upgrading
from relay_client import ProtocolConnection, SessionConnection
from relay_server import Program, RelayServer
from waiting import Deadline, wait_for

WHY_NOT = gateway.why_not()
if WHY_NOT:
    warnings.warn(f"NAT IS NOT TESTED: this machine {WHY_NOT}")
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=f"NAT IS NOT TESTED: {WHY_NOT}")

PORT = 22067  # of a namespace of its own
KINDS = {
    "upnp": ["enable_upnp=yes", "enable_natpmp=no"],
    "natpmp": ["enable_upnp=no", "enable_natpmp=yes"],
}


@pytest.fixture(params=list(KINDS))
def nets(request, tmp_path):
    tag = f"{os.getpid()}-{request.param}"
    with gateway.networks(tmp_path, tag, *KINDS[request.param]) as built:
        built.kind = request.param
        yield built


@pytest.fixture
def start_inside(nets, tmp_path, relay_keys):
    """Starts the relay behind the gateway."""
    conf = tmp_path / "nat.conf"
    conf.write_text(text(PORT))
    with contextlib.ExitStack() as servers:

        def start(*args):
            program = Program("ours", 1)
            command = [*nets.prefix("relay"), program.path, "-conf", str(conf),
                       "-keys", str(relay_keys), "-status-srv", "",
                       "-nat", "-nat-timeout", "8", *args]
            server = RelayServer(program, command, tmp_path)
            server.conf = conf
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def text(port):
    return (f'listen = {{ ":{port}" }}\nmodules = {{ log, relay, nat, rate-limit, status }}\n'
            "nat { check = 1s }\n")


def wait_for_uri(server, host):
    return server.wait_for_log(rf"URI: (relay://{host}:\d+/\S*)", Deadline(90)).group(1)


def address_of(uri):
    url = urllib.parse.urlsplit(uri)
    return url.hostname, url.port


def meet(address, want=None):
    """Two devices outside meet in a session, where the invitations say."""
    one, two = certificates.make(), certificates.make()
    with ProtocolConnection(address, one) as joined, ProtocolConnection(address, two) as asking:
        joined.join()
        invited = asking.request(one.id)
        called = joined.invitation()
    for invitation in (invited, called):
        told = (".".join(map(str, invitation.address[12:])), invitation.port)
        assert len(invitation.address) == 16 and told == (want or address), invitation
    with SessionConnection(told) as first, SessionConnection(told) as second:
        first.join(invited.key)
        second.join(called.key)
        first.send_bytes(b"through the gateway")
        assert second.receive_bytes(19) == b"through the gateway"


def test_a_client_outside_reaches_a_session(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    address = address_of(wait_for_uri(server, gateway.OUTER))
    assert address == (gateway.OUTER, PORT), "the same port is asked for first"
    nets.call("client", lambda: meet(address))
    assert server.stop() == 0
    nets.wait_for_mapping(False)


def test_it_serves_before_there_is_a_gateway_and_finds_it_later(nets, start_inside):
    server = start_inside()
    assert server.uri.startswith("relay://:22067/")
    server.wait_for_log("no port is mapped: .*; tries again")
    nets.start_gateway()
    wait_for_uri(server, gateway.OUTER)


def test_a_gateway_that_was_reset_is_asked_again(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.wait_for_mapping()
    nets.reboot_gateway()
    wait_for(lambda: "dnat" in nets.mappings(), nets.mappings, Deadline(90))
    nets.call("client", lambda: meet((gateway.OUTER, PORT)))


def test_another_address_of_the_gateway_is_told(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.new_address()
    address = address_of(wait_for_uri(server, gateway.OUTER_NEW))
    nets.call("client", lambda: meet(address))


def test_a_port_that_moves_is_mapped_anew(nets, start_inside):
    """The old one is taken back; clients hear of the new one, and never of none."""
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.wait_for_mapping()
    server.conf.write_text(text(PORT + 1))
    assert server.reload()[0]
    uri = server.wait_for_log(rf"URI: (relay://{gateway.OUTER}:{PORT + 1}/\S*)", Deadline(90))
    wait_for(lambda: f":{PORT}\n" not in nets.mappings() + "\n", nets.mappings, Deadline(90))
    nets.call("client", lambda: meet(address_of(uri.group(1))))
    assert server.count(r"URI: relay://:") == server.count(r"URI: relay://:22067/"), server.log()
    assert server.count("the mapped port is lost") == 0
    assert server.stop() == 0
    nets.wait_for_mapping(False)


def test_a_port_of_somebody_else_is_left_to_them(nets, start_inside):
    if nets.kind != "upnp":
        pytest.skip("NAT-PMP gateways choose another port themselves")
    nets.at("relay", "ip", "addr", "add", f"{gateway.NEIGHBOUR}/24", "dev", "eth0")
    nets.start_gateway()
    neighbour = start_inside("-listen", f"{gateway.NEIGHBOUR}:{PORT}")
    assert address_of(wait_for_uri(neighbour, gateway.OUTER))[1] == PORT
    server = start_inside("-listen", f"{gateway.RELAY}:{PORT}")
    address = address_of(wait_for_uri(server, gateway.OUTER))
    assert address[1] != PORT
    nets.call("client", lambda: meet(address))


def test_an_upgrade_keeps_the_mapping(nets, start_inside):
    """The old process must not take back what the new one has, too."""
    upgrading.adopt_orphans()
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.wait_for_mapping()
    old = upgrading.children(server.pid)[0][0] if upgrading.children(server.pid) else server.pid
    os.kill(old, signal.SIGUSR2)
    new = int(server.wait_for_log(r"process (\d+) serves; this one").group(1))
    try:
        wait_for(lambda: server.log().count(f"maps port {PORT}") == 2, "the new mapping",
                 Deadline(90))
        wait_for(lambda: not upgrading.is_there(old), "the old process to end")
        nets.wait_for_mapping()
        nets.call("client", lambda: meet((gateway.OUTER, PORT)))
    finally:
        os.kill(new, signal.SIGTERM)
        wait_for(lambda: not upgrading.is_there(new), "the new process to end")
    nets.wait_for_mapping(False)


def test_a_relay_on_loopback_maps_nothing(start, plain_program, tmp_path):
    conf = tmp_path / "nat.conf"
    conf.write_text("modules = { log, relay, nat, rate-limit, status }\n")
    server = start(plain_program, "-conf", conf, "-nat")
    server.wait_for_log("maps no port: the relay listens on no IPv4 address")
