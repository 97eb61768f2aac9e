# SPDX-License-Identifier: MPL-2.0
"""The module nat with a real miniupnpd, in network namespaces without a route to the outside."""

import contextlib
import ipaddress
import json
import os
import re
import signal
import urllib.parse
import urllib.request

import pytest

import certificates
import gateway
import upgrading
from gateway_double import GatewayDouble
from pool_double import HOUR, Authority, Pool
from relay_client import ProtocolConnection, SessionConnection
from relay_server import Program, RelayServer
from skip_unless import can_run
from waiting import PATIENCE, Deadline, wait_for

pytestmark = can_run("PORT MAPPINGS", gateway.why_not())

PORT = 22067  # of a namespace of its own
KINDS = {
    "upnp": ["enable_upnp=yes", "enable_natpmp=no"],
    "natpmp": ["enable_upnp=no", "enable_natpmp=yes"],
}


@pytest.fixture(params=list(KINDS))
def nets(request, tmp_path):
    tag = f"{os.getpid()}-{request.param}"
    with gateway.networks(tmp_path, tag, *KINDS[request.param]) as built:
        yield built


@contextlib.contextmanager
def starting(nets, tmp_path, relay_keys):
    """Returns a function that starts the relay behind the gateway."""
    conf = tmp_path / "nat.conf"
    with contextlib.ExitStack() as servers:

        def start(*args, pools=(), status=("-status-srv", ""), head=""):
            conf.write_text(head + text(PORT, pools))
            program = Program("ours", 1)
            command = [*nets.prefix("relay"), program.path, "-conf", str(conf),
                       "-keys", str(relay_keys), *status,
                       "-nat", "-nat-timeout", "8", *args]
            server = RelayServer(program, command, tmp_path)
            server.conf = conf
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def text(port, pools=()):
    urls = ", ".join(f'"{url}"' for url in pools)
    return (f'listen = {{ ":{port}" }}\nmodules = {{ log, relay, nat, pool-join, rate-limit, status }}\n'
            f"nat {{ check = 1s }}\npool-join {{ pools = {{ {urls} }} }}\n")


@pytest.fixture
def start_inside(nets, tmp_path, relay_keys):
    with starting(nets, tmp_path, relay_keys) as start:
        yield start


def wait_for_uri(server, host):
    return server.wait_for_log(rf"URI: (relay://{host}:\d+/\S*)", Deadline(90)).group(1)


def address_of(uri):
    url = urllib.parse.urlsplit(uri)
    return url.hostname, url.port


def told_by(invitation):
    """The address as text.  Invitations contain IPv4 as ::ffff:a.b.c.d."""
    assert len(invitation.address) == 16, invitation
    address = ipaddress.IPv6Address(bytes(invitation.address))
    return str(address.ipv4_mapped or address), invitation.port


def meet(address, want=None):
    """Two outside devices open a session at the address in their invitations."""
    one, two = certificates.make(), certificates.make()
    with ProtocolConnection(address, one) as joined, ProtocolConnection(address, two) as asking:
        joined.join()
        invited = asking.request(one.id)
        called = joined.invitation()
        for invitation in (invited, called):
            told = told_by(invitation)
            assert told == (want or address), invitation
        # The device stays joined meanwhile, because its sessions end with its connection.
        with SessionConnection(told) as first, SessionConnection(told) as second:
            first.join(invited.key)
            second.join(called.key)
            first.send_bytes(b"through the gateway")
            assert second.receive_bytes(19) == b"through the gateway"


@pytest.mark.limits
def test_a_client_outside_reaches_a_session(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    address = address_of(wait_for_uri(server, gateway.OUTER))
    assert address == (gateway.OUTER, PORT), "the same port is asked for first"
    nets.call("client", lambda: meet(address))
    assert server.stop() == 0
    nets.wait_for_mapping(False)


def status_seen_at(uri):
    """The page at the status address that a URI tells."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))
    with urllib.request.urlopen(f"http://{query['statusAddr']}/status", timeout=PATIENCE) as page:
        return json.load(page)


def test_the_status_address_is_mapped_where_asked(nets, start_inside):
    nets.start_gateway()
    server = start_inside("-status-srv", ":22070", "-nat.status", "-ext-status", "192.0.2.1:80")
    told = rf"URI: (relay://{gateway.OUTER}:{PORT}/\S*statusAddr=11\.22\.33\.1%3A\d+)"
    uri = server.wait_for_log(told, Deadline(90)).group(1)
    server.wait_for_log(r"maps port \d+ of 11\.22\.33\.1 to the status address")
    page = nets.call("client", lambda: status_seen_at(uri))
    assert page["numActiveSessions"] == 0
    nets.call("client", lambda: meet((gateway.OUTER, PORT)))
    assert server.stop() == 0
    nets.wait_for_mapping(False)


def refuse_by_quota(server, asked):
    """A reload that the module nat takes, and the module quota, which is asked after it, not."""
    state = server.conf.parent / "quota.state"
    more = 'quota {{\n  day = 1TB\n  state-required = no\n  state-file = "{}"\n}}\n'
    modules = "rate-limit, status"
    for conf, path, taken in [(text(PORT), state, True), (asked, "/proc/quota.state", False)]:
        server.conf.write_text(conf.replace(modules, modules + ", quota") + more.format(path))
        done, log = server.reload()
        assert done == taken, log


def test_a_reload_maps_it_and_takes_it_back(nets, start_inside):
    nets.start_gateway()
    server = start_inside("-status-srv", ":22070")
    told = wait_for_uri(server, gateway.OUTER)
    assert "statusAddr=%3A22070" in told, "nobody has asked for more"
    asked = text(PORT).replace("nat {", "nat { status = yes")
    refuse_by_quota(server, asked)
    assert nets.mappings().count("dnat") == 1, "a reload that was refused changes nothing"
    server.conf.write_text(asked)
    assert server.reload()[0]
    uri = server.wait_for_log(r"URI: (relay://\S*statusAddr=11\.22\.33\.1%3A\d+)", Deadline(90))
    nets.call("client", lambda: status_seen_at(uri.group(1)))
    server.conf.write_text(text(PORT))
    assert server.reload()[0]
    wait_for(lambda: re.findall(r"URI: (\S+)", server.log())[-1] == told, server.log)
    wait_for(lambda: nets.mappings().count("dnat") == 1, nets.mappings, Deadline(90))


def test_a_status_address_that_moves_is_mapped_anew(nets, start_inside):
    nets.start_gateway()
    head = 'status-srv = ":{}"\n'
    server = start_inside("-nat.status", status=(), head=head.format(22070))
    told = r"URI: (relay://\S*statusAddr=(11\.22\.33\.1%3A\d+))"
    first = server.wait_for_log(told, Deadline(90)).group(2)
    server.conf.write_text(head.format(22071) + text(PORT))
    assert server.reload()[0]
    wait_for(lambda: re.findall(told, server.log())[-1][1] != first, server.log, Deadline(90))
    nets.call("client", lambda: status_seen_at(re.findall(told, server.log())[-1][0]))


def test_a_port_for_proxies_is_not_mapped(nets, start_inside):
    nets.start_gateway()
    server = start_inside("-proxy-listen", f":{PORT}", "-proxy-from", gateway.RELAY)
    server.wait_for_log("maps no port: .*only proxies may connect to it")


def test_a_port_for_proxies_is_not_mapped_beside_one_of_a_protocol(nets, start_inside, tmp_path):
    """Nobody is told the latter."""
    nets.start_gateway()
    conf = tmp_path / "protocol.conf"
    conf.write_text('''modules = { log, wormhole-transit, relay, nat }
listen = { ":%d" }
listener "wormhole" {
  address = ":4001"
  protocol = wormhole-transit
}
''' % PORT)
    server = start_inside("-proxy-listen", f":{PORT}", "-proxy-from", gateway.RELAY,
                          "-conf", str(conf))
    server.wait_for_log("maps no port: .*only proxies may connect to it")


def test_a_status_address_that_nobody_could_reach_is_not_mapped(nets, start_inside):
    nets.start_gateway()
    server = start_inside("-status-srv", "127.0.0.1:22070", "-nat.status")
    server.wait_for_log("maps no port for the status address: ")
    assert "statusAddr=127.0.0.1%3A22070" in wait_for_uri(server, gateway.OUTER)


def test_it_serves_before_there_is_a_gateway_and_finds_it_later(nets, start_inside):
    server = start_inside()
    assert server.uri.startswith("relay://0.0.0.0:22067/")
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
    """The old mapping is deleted.  Clients hear of the new port, and the URI is never without
    one."""
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.wait_for_mapping()
    server.conf.write_text(text(PORT + 1))
    assert server.reload()[0]
    uri = server.wait_for_log(rf"URI: (relay://{gateway.OUTER}:{PORT + 1}/\S*)", Deadline(90))
    wait_for(lambda: f":{PORT}\n" not in nets.mappings() + "\n", nets.mappings, Deadline(90))
    nets.call("client", lambda: meet(address_of(uri.group(1))))
    assert server.count(r"URI: relay://0.0.0.0:") == server.count(r"URI: relay://0.0.0.0:22067/"), server.log()
    assert server.count("the mapped port is lost") == 0
    assert server.stop() == 0
    nets.wait_for_mapping(False)


def test_the_end_tells_no_other_address(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    assert server.stop() == 0
    assert server.log().count("URI: ") == 2, "what stood there before, and the mapped one"


def test_a_silent_gateway_delays_the_end_by_seconds_only(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.silence()
    assert server.stop() == 0


def test_a_second_signal_does_not_wait_for_a_silent_gateway(nets, start_inside, monkeypatch):
    # The process exits at once, and ThreadSanitizer would report the threads that still run.
    options = os.environ.get("TSAN_OPTIONS", "")
    monkeypatch.setenv("TSAN_OPTIONS", f"{options} report_thread_leaks=0")
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.silence()
    server.send_signal(signal.SIGTERM)
    server.wait_for_log("core: stopping")
    assert server.stop() == 0


def test_a_reload_does_not_wait_for_a_silent_gateway(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    wait_for_uri(server, gateway.OUTER)
    nets.wait_for_mapping()
    nets.silence()
    server.conf.write_text("modules = { log, relay, status }\n")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("core: reloaded")
    assert server.held_up() == 0, server.log()
    wait_for(lambda: re.findall("URI: (relay://[^?]*)", server.log())[-1] == f"relay://0.0.0.0:{PORT}/",
             server.log)
    nets.wake()
    nets.wait_for_mapping(False)


@pytest.fixture
def pool_outside(nets, tmp_path, relay_keys):
    """A pool that accepts a relay only if its invitations contain the address of its URI."""

    def behave(request):
        try:
            meet(address_of(request.url))
        except Exception as error:  # noqa: BLE001: whatever it is, a pool says it
            request.answer(500, f"test failed: {error!r}")
        else:
            request.answer(200, json.dumps({"evictionIn": HOUR}))

    authority = Authority(tmp_path)
    pool = nets.call("client", lambda: Pool(authority, relay_keys, behave, host=gateway.CLIENT))
    pool.authority = authority
    yield pool
    pool.close()


def test_another_address_of_the_gateway_is_told_to_pools_at_once(nets, start_inside, pool_outside):
    nets.start_gateway()
    server = start_inside("-pool-join.ca-file", pool_outside.authority.file,
                          pools=[pool_outside.url])
    joined = rf"Joined pool {pool_outside.url}, rejoining in 48m0s \(from {gateway.RELAY}:"
    server.wait_for_log(joined, Deadline(90))
    assert pool_outside.requests[0].source == gateway.OUTER, "it is behind the gateway"
    nets.new_address()
    uri = wait_for_uri(server, gateway.OUTER_NEW)
    wait_for(lambda: len(re.findall(joined, server.log())) == 2, server.log, Deadline(90))
    # The pool refuses a relay that is not reachable yet.  The relay then asks once more.
    first, *later = [address_of(request.url)[0] for request in pool_outside.requests]
    assert first == gateway.OUTER and set(later) == {gateway.OUTER_NEW}
    assert pool_outside.requests[-1].url == uri


# NAT-PMP gateways choose another port themselves.
@pytest.mark.parametrize("nets", ["upnp"], indirect=True)
def test_a_port_of_somebody_else_is_left_to_them(nets, start_inside):
    nets.at("relay", "ip", "addr", "add", f"{gateway.NEIGHBOUR}/24", "dev", "eth0")
    nets.start_gateway()
    neighbour = start_inside("-listen", f"{gateway.NEIGHBOUR}:{PORT}")
    assert address_of(wait_for_uri(neighbour, gateway.OUTER))[1] == PORT
    server = start_inside("-listen", f"{gateway.RELAY}:{PORT}")
    address = address_of(wait_for_uri(server, gateway.OUTER))
    assert address[1] != PORT
    nets.call("client", lambda: meet(address))


def test_an_upgrade_keeps_the_mapping(nets, start_inside):
    """The old process must not delete the mapping, because the new process uses it."""
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


@pytest.fixture
def nets6(tmp_path):
    """Networks with IPv6 and a UPnP gateway."""
    with gateway.networks(tmp_path, f"{os.getpid()}-v6", *KINDS["upnp"]) as built:
        built.add_ipv6()
        yield built


@pytest.fixture
def start_inside6(nets6, tmp_path, relay_keys):
    with starting(nets6, tmp_path, relay_keys) as start:
        yield start


def wait_for_pinhole(nets, server, address=gateway.RELAY6):
    server.wait_for_log(rf"UPnP pinhole: port {PORT} of {address} is open", Deadline(90))
    assert len(nets.pinholes()) == 1, nets.pinholes()


def test_a_client_outside_reaches_a_session_by_ipv6(nets6, start_inside6):
    nets6.start_gateway()
    server = start_inside6()
    wait_for_pinhole(nets6, server)
    nets6.call("client", lambda: meet((gateway.RELAY6, PORT)))
    assert address_of(wait_for_uri(server, gateway.OUTER)) == (gateway.OUTER, PORT), "IPv4 first"
    nets6.call("client", lambda: meet((gateway.OUTER, PORT)))
    nets6.wait_for_mapping()
    assert server.stop() == 0
    wait_for(lambda: not nets6.pinholes(), nets6.pinholes)
    nets6.wait_for_mapping(False)


def test_the_status_address_has_a_pinhole_of_its_own(nets6, start_inside6):
    nets6.start_gateway("deny 0-65535 0.0.0.0/0 0-65535")
    server = start_inside6("-status-srv", ":22070", "-nat.status")
    uri = server.wait_for_log(r"URI: (relay://\S*statusAddr=%5B2001\S*%5D%3A22070)", Deadline(90))
    wait_for(lambda: len(nets6.pinholes()) == 2, nets6.pinholes, Deadline(90))
    nets6.call("client", lambda: status_seen_at(uri.group(1)))


def test_without_a_port_the_uri_names_the_pinhole(nets6, start_inside6):
    nets6.start_gateway("deny 0-65535 0.0.0.0/0 0-65535")
    server = start_inside6()
    wait_for_pinhole(nets6, server)
    server.wait_for_log("no port is mapped: UPnP AddPortMapping")
    address = address_of(wait_for_uri(server, rf"\[{gateway.RELAY6}\]"))
    assert address == (gateway.RELAY6, PORT)
    nets6.call("client", lambda: meet(address))


def test_a_pinhole_that_the_gateway_has_forgotten_is_made_again(nets6, start_inside6):
    nets6.start_gateway()
    server = start_inside6()
    wait_for_pinhole(nets6, server)
    nets6.reboot_gateway()
    wait_for(nets6.pinholes, "the pinhole", Deadline(90))
    nets6.call("client", lambda: meet((gateway.RELAY6, PORT)))


def test_another_ipv6_address_of_the_relay_is_told(nets6, start_inside6):
    nets6.start_gateway()
    server = start_inside6()
    wait_for_pinhole(nets6, server)
    nets6.renumber_relay()
    server.wait_for_log(rf"UPnP pinhole: port {PORT} of {gateway.RELAY6_NEW} is open", Deadline(90))
    nets6.call("client", lambda: meet((gateway.RELAY6_NEW, PORT)))


def test_a_gateway_may_insist_on_the_address_that_asks(nets6, start_inside6):
    """The relay's address on its default route differs from the one on the route to the gateway."""
    nets6.start_gateway()
    nets6.at("relay", "ip", "addr", "add", f"{gateway.RELAY6_NEW}/64", "dev", "eth0", "nodad")
    nets6.at("relay", "ip", "-6", "route", "replace", "default", "via", gateway.INNER6,
             "src", gateway.RELAY6)
    nets6.at("relay", "ip", "-6", "route", "replace", "2001:db8:0:2::/64", "dev", "eth0",
             "src", gateway.RELAY6_NEW)
    server = start_inside6()
    wait_for_pinhole(nets6, server, gateway.RELAY6_NEW)
    nets6.call("client", lambda: meet((gateway.RELAY6_NEW, PORT)))


def test_a_refused_pinhole_is_told_with_its_reason(nets6, start_inside6):
    """miniupnpd refuses pinholes for privileged ports."""
    nets6.start_gateway()
    server = start_inside6("-listen", ":443")
    server.wait_for_log(r"warning nat: no IPv6 pinhole is mapped: UPnP AddPinhole: "
                        r".*\(606\); tries again", Deadline(90))
    assert not nets6.pinholes()


def test_pinholes_are_for_addresses_that_serve_the_world(nets6, start_inside6):
    nets6.start_gateway()
    server = start_inside6("-listen", f"{gateway.RELAY}:{PORT}")
    wait_for_uri(server, gateway.OUTER)
    assert "pinhole" not in server.log()


def test_ipv6_alone_maps_no_port(nets6, start_inside6):
    nets6.start_gateway()
    server = start_inside6("-protocol", "tcp6")
    server.wait_for_log("maps no port: the relay listens on no IPv4 address")
    wait_for_pinhole(nets6, server)
    assert "dnat" not in nets6.mappings()


def test_without_ipv6_nobody_is_warned(nets, start_inside):
    nets.start_gateway()
    server = start_inside()
    server.wait_for_log("info nat: no IPv6 pinhole is mapped: there is no IPv6 route to the Internet")


@pytest.fixture
def make_double(nets6):
    """A gateway double with the answers that the test chooses."""
    with contextlib.ExitStack() as doubles:

        def make(**answers):
            double = GatewayDouble(nets6, **answers)
            doubles.callback(double.close, nets6)
            return double

        yield make


def test_a_pinhole_may_be_asked_for_by_ipv4(make_double, start_inside6):
    double = make_double()
    server = start_inside6("-nat-lease", "0")
    server.wait_for_log(f"UPnP pinhole: port {PORT} of {gateway.RELAY6} is open")
    asked = double.fields("AddPinhole")
    assert (asked["InternalClient"], asked["InternalPort"], asked["Protocol"], asked["LeaseTime"]) == (
        gateway.RELAY6, str(PORT), "6", "86400"), "no lease is longer than a day"
    wait_for(lambda: double.count("GetPinholePackets") > 1, "looks at it")
    assert server.stop() == 0
    assert double.fields("DeletePinhole") == {"UniqueID": "4711"}


def test_without_a_firewall_there_is_nothing_to_open(make_double, start_inside6):
    double = make_double(GetFirewallStatus={"FirewallEnabled": 0, "InboundPinholeAllowed": 0})
    server = start_inside6()
    server.wait_for_log(f"UPnP pinhole: port {PORT} of {gateway.RELAY6} is open")
    assert server.stop() == 0
    assert not double.count("AddPinhole") and not double.count("DeletePinhole")


def test_a_gateway_that_allows_no_pinholes_is_told_of(make_double, start_inside6):
    make_double(GetFirewallStatus={"FirewallEnabled": 1, "InboundPinholeAllowed": 0})
    start_inside6().wait_for_log("no IPv6 pinhole is mapped: the gateway lets nobody open a pinhole")


@pytest.mark.parametrize("address", ["", "127.0.0.1", "0.0.0.0", "239.1.1.1", "999.1.1.1",
                                     "11.22.33.1\nURI: relay://x", "x" * 4000])
def test_an_address_that_is_none_is_not_told(make_double, start_inside6, address):
    make_double(GetExternalIPAddress={"NewExternalIPAddress": address}, GetFirewallStatus=401,
                AddPinhole=606)
    server = start_inside6()
    server.wait_for_log(f"UPnP maps port {PORT}")
    assert {match for match in re.findall("URI: (relay://[^?]*)", server.log())} == {
        f"relay://0.0.0.0:{PORT}/"}


def test_a_gateway_behind_a_gateway_is_warned_of(make_double, start_inside6):
    make_double(GetExternalIPAddress={"NewExternalIPAddress": "192.168.1.7"})
    start_inside6().wait_for_log("192.168.1.7 is a private address: there is another gateway")


def test_a_gateway_that_knows_no_leases_is_asked_without(make_double, start_inside6):
    double = make_double(
        AddPortMapping=lambda fields: {} if fields["NewLeaseDuration"] == "0" else 725)
    start_inside6().wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    assert double.fields("AddPortMapping")["NewInternalClient"] == gateway.RELAY


@pytest.mark.parametrize("answer", [b"", b"<", b"\0" * 5000, b"<?xml " + b"<a>" * 20000, 501],
                         ids=["nothing", "a beginning", "zeroes", "depth", "an error"])
def test_junk_maps_nothing_and_does_no_harm(make_double, start_inside6, answer):
    double = make_double(**dict.fromkeys(
        ("AddPortMapping", "GetExternalIPAddress", "AddPinhole", "GetFirewallStatus"), answer))
    server = start_inside6()
    server.wait_for_log("no port is mapped: UPnP ")
    server.wait_for_log("no IPv6 pinhole is mapped: UPnP AddPinhole")
    assert double.count("AddPinhole") and server.running()


def test_a_relay_on_loopback_maps_nothing(start, plain_program, tmp_path):
    conf = tmp_path / "nat.conf"
    conf.write_text("modules = { log, relay, nat, rate-limit, status }\n")
    server = start(plain_program, "-conf", conf, "-nat")
    server.wait_for_log("maps no port: the relay listens on no IPv4 address")
