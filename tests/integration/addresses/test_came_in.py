# SPDX-License-Identifier: MPL-2.0
"""Each device is told the address and port at which it came in.  The table of cases is in the
README of the module relay; unit-told_address reads it.  Here is what only real sockets show."""

import contextlib
import pathlib
import re
import socket

import pytest

import relay_protocol as rp
from pairing import check_both_ways, told
from proxied_network import (
    PROXY, PROXY_PRIVATE, RELAY, RELAY6, RELAY_LINK, RELAY_PRIVATE, Dialed, dial_by_connect,
    knowing, proxied_network, why_not,
)
from relay_client import ProtocolConnection, SessionConnection
from relay_server import Program, RelayServer, free_port
from reloading import MODULES, reloadable  # noqa: F401
from skip_unless import can_run

PORT, OTHER_PORT = 22067, 443
REDIRECT = pathlib.Path(__file__).resolve().parents[3] / "conf" / "port-443" / "redirect.nft"
needs_networks = can_run("ADDRESSES OF SEVERAL NETWORKS", why_not())
needs_proxy = can_run("CONNECT PROXIES", why_not("tinyproxy"))
needs_firewall = can_run("REDIRECTED PORTS", why_not("nft"))


def ask(joined_at, asked_at, identities):
    """What the device that joined at one address is told, and what the one that asked at another
    is; and both keys."""
    with ProtocolConnection(joined_at, identities[0]) as joined, \
            ProtocolConnection(asked_at, identities[1]) as asking:
        joined.join()
        to_asker = asking.request(identities[0].id)
        return told(joined.invitation()), told(to_asker)


def listening(addresses, more=""):
    quoted = ", ".join(f'"{address}"' for address in addresses)
    return f'{MODULES}listen = {{ {quoted} }}\nstatus-srv = ""\n{more}'


@pytest.mark.limits
def test_the_two_sides_may_come_in_at_different_ports_and_families(reloadable, identities):  # noqa: F811
    v4, v6 = ("127.0.0.1", free_port()), ("::1", free_port("::1"))
    reloadable(listening([f"127.0.0.1:{v4[1]}", f"[::1]:{v6[1]}"]))
    with ProtocolConnection(v4, identities[0]) as joined, \
            ProtocolConnection(v6, identities[1]) as asking:
        joined.join()
        to_asker = asking.request(identities[0].id)
        to_joined = joined.invitation()
        assert told(to_joined) == v4
        assert told(to_asker) == v6
        with SessionConnection(told(to_joined)) as one, SessionConnection(told(to_asker)) as other:
            one.join(to_joined.key)
            other.join(to_asker.key)
            check_both_ways(one, other)


def test_each_listener_may_have_an_address_of_its_own(reloadable, identities):  # noqa: F811
    one, other = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
    ext = f'relay {{\n  ext-address = {{ "192.0.2.7:443", ":{other[1]}=[2001:db8::7]:444", ' \
          f'"127.0.0.1:{other[1]}=192.0.2.8:445" }}\n}}\n'
    relay = reloadable(listening([f"{host}:{port}" for host, port in (one, other)], ext))
    assert ask(one, other, identities) == (("192.0.2.7", 443), ("192.0.2.8", 445))
    assert relay.server.uri.startswith("relay://192.0.2.7:443/?"), relay.server.uri
    # A reload changes what is told, also to connections that are older.
    done, log = relay.change(listening([f"{host}:{port}" for host, port in (one, other)]))
    assert done, log
    assert ask(one, other, identities) == (one, other)


def test_who_joined_before_a_reload_is_told_where_it_came_in(reloadable, identities):  # noqa: F811
    old, new = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
    relay = reloadable(listening([f"127.0.0.1:{old[1]}"]))
    with ProtocolConnection(old, identities[0]) as joined:
        joined.join()
        done, log = relay.change(listening([f"127.0.0.1:{new[1]}"]))
        assert done, log
        with ProtocolConnection(new, identities[1]) as asking:
            assert told(asking.request(identities[0].id)) == new
        assert told(joined.invitation()) == old


@pytest.mark.parametrize("entries", ["192.0.2.7:443,[2001:db8::7]:444", ":1=192.0.2.9:9,192.0.2.7:443"])
def test_the_uri_has_the_first_entry_for_its_listener(start_ours, entries):
    uri = start_ours("-ext-address", entries, pick_ports=True).uri
    assert uri.startswith("relay://192.0.2.7:443/?"), uri


@pytest.mark.parametrize("entry", ["443", ":443=", "name:443=192.0.2.1:1", ":443=192.0.2.1"])
def test_a_wrong_entry_is_an_error(start_ours, entry):
    with pytest.raises(AssertionError, match="the server has ended"):
        start_ours("-ext-address", f"192.0.2.7:443,{entry}")


# In networks of their own.


@pytest.fixture
def network(tmp_path):
    with proxied_network(tmp_path) as built:
        yield built


@pytest.fixture
def start_there(network, tmp_path, relay_keys):
    """start(listen, *args) starts a relay in its namespace."""
    with contextlib.ExitStack() as servers:

        def start(listen, *args):
            program = Program("ours", 2)
            command = [*network.prefix("relay"), program.path, "-keys", str(relay_keys),
                       "-pools", "", "-status-srv", "", "-listen", listen, *args]
            server = RelayServer(program, command, tmp_path)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def ask_there(network, joined_at, asked_at, identities):
    return network.call("proxy", lambda: ask(joined_at, asked_at, identities))


@needs_networks
def test_a_public_address_is_named_and_a_private_one_is_not(network, start_there, identities):
    start_there(f":{PORT},:{OTHER_PORT}")
    assert ask_there(network, (RELAY, PORT), (RELAY_PRIVATE, OTHER_PORT), identities) == (
        (RELAY, PORT), ("", OTHER_PORT))
    assert ask_there(network, (RELAY6, OTHER_PORT), (RELAY, PORT), identities) == (
        (RELAY6, OTHER_PORT), (RELAY, PORT))


@needs_networks
def test_link_local_addresses_serve_and_are_told_to_nobody(network, start_there, identities):
    server = start_there(f"[{RELAY_LINK}%to-proxy]:{PORT},{RELAY}:{OTHER_PORT}")
    assert server.uri.startswith(f"relay://{RELAY}:{OTHER_PORT}/?"), server.uri

    def ask_over_the_link():
        scope = socket.if_nametoindex("to-relay")
        with ProtocolConnection((RELAY, OTHER_PORT), identities[0]) as joined:
            joined.join()
            sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.connect((RELAY_LINK, PORT, 0, scope))
            with Dialed(sock, identities[1]) as asking:
                asking.send(rp.ConnectRequest(identities[0].id))
                to_asker = asking.receive_answering_pings()
            return told(joined.invitation()), told(to_asker)

    assert network.call("proxy", ask_over_the_link) == ((RELAY, OTHER_PORT), ("", PORT))


@needs_networks
def test_link_local_addresses_alone_leave_the_uri_without_a_host(start_there):
    server = start_there(f"[{RELAY_LINK}%to-proxy]:{PORT}")
    assert server.uri.startswith(f"relay://0.0.0.0:{PORT}/?"), server.uri


@needs_networks
@pytest.mark.parametrize("protocol, reached", [("tcp6", {RELAY6}), ("tcp", {RELAY, RELAY6})])
def test_dual_stack_and_ipv6_alone(network, start_there, identities, protocol, reached):
    start_there(f":{PORT}", "-protocol", protocol)

    def ask_all():
        got = set()
        for host in (RELAY, RELAY6):
            with contextlib.suppress(ConnectionRefusedError):
                assert ask((host, PORT), (host, PORT), identities) == ((host, PORT),) * 2
                got.add(host)
        return got

    assert network.call("proxy", ask_all) == reached


@needs_networks
def test_an_ipv4_client_of_an_ipv6_socket_counts_as_ipv4(network, start_there, identities, tmp_path):
    """In the ranges of access."""
    conf = tmp_path / "access.conf"
    conf.write_text("modules = { log, access, bounds, relay }\n"
                    f'access {{\n  connect-deny = {{ "{PROXY}/32" }}\n}}\n')
    start_there(f":{PORT}", "-conf", str(conf))

    def ask_it():
        with pytest.raises((ConnectionError, OSError)):
            ProtocolConnection((RELAY, PORT), identities[0])
        return ask((RELAY6, PORT), (RELAY6, PORT), identities)

    assert network.call("proxy", ask_it) == ((RELAY6, PORT),) * 2


@needs_networks
def test_ipv4_clients_of_an_ipv6_socket_are_sources_of_their_own(network, start_there, identities):
    """In bounds: as IPv6 addresses, all of them would be in one /64."""
    start_there(f":{PORT}", "-bounds.per-source", "1")

    def join_all():
        with ProtocolConnection((RELAY, PORT), identities[0]) as one, \
                ProtocolConnection((RELAY_PRIVATE, PORT), identities[1]) as other, \
                ProtocolConnection((RELAY6, PORT), identities[2]) as sixth:
            for device in one, other, sixth:
                device.join()
            with pytest.raises((ConnectionError, OSError)):
                ProtocolConnection((RELAY, PORT), identities[3])

    network.call("proxy", join_all)


@needs_firewall
@pytest.mark.parametrize("host", [RELAY, RELAY6])
def test_a_redirected_port_is_the_one_that_is_told(network, start_there, identities, host):
    network.at("relay", "nft", "-f", REDIRECT)
    start_there(f":{PORT}")
    assert ask_there(network, (host, 443), (host, PORT), identities) == ((host, 443), (host, PORT))


@needs_proxy
@pytest.mark.parametrize("in_uri", [RELAY, "relay.test"])
def test_a_client_behind_a_connect_proxy_follows_its_invitation(
        network, start_there, identities, tmp_path, in_uri):
    """As Syncthing from 2.1 on does: it has the proxy connect to what its URI names, joins, is
    asked for by a neighbour of the relay, and has the proxy connect to what the invitation names."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{RELAY} relay.test\n")
    network.start_tinyproxy(*knowing(hosts))
    start_there(f":{PORT}")

    def join():
        return Dialed(dial_by_connect(in_uri, PORT), identities[0])

    with network.call("client", join) as joined:
        joined.send(rp.JoinRelayRequest(None))
        joined.expect(rp.response(rp.SUCCESS))
        with network.call("proxy", lambda: ProtocolConnection((RELAY, PORT), identities[1])) as asking:
            to_asker = asking.request(identities[0].id)
        to_joined = joined.receive_answering_pings()
        assert told(to_joined) == (RELAY, PORT)
        one = network.call("client", lambda: Dialed(dial_by_connect(*told(to_joined))))
        other = network.call("proxy", lambda: SessionConnection(told(to_asker)))
        with one, other:
            for stream, key in ((one, to_joined.key), (other, to_asker.key)):
                stream.send(rp.JoinSessionRequest(key))
                stream.expect(rp.response(rp.SUCCESS))
            check_both_ways(one, other)


OUTSIDE = "198.51.100.7"


@pytest.fixture
def outside(network):
    """A client from outside can reach the relay's private address."""
    network.at("proxy", "ip", "addr", "add", f"{OUTSIDE}/32", "dev", "lo")
    network.at("relay", "ip", "route", "add", f"{OUTSIDE}/32", "via", PROXY_PRIVATE)


def ask_from(network, at, source, identities):
    def ask_it():
        with ProtocolConnection(at, identities[0], source=source) as joined, \
                ProtocolConnection(at, identities[1], source=source) as asking:
            joined.join()
            return told(asking.request(identities[0].id))

    return network.call("proxy", ask_it)


LOST = "is told a port, but no address: if it uses an HTTP or SOCKS proxy"
LOST_OUTSIDE = f"a client that came from outside {LOST}"
LOST_INSIDE = f"a client that came from this machine's own network, or through a gateway or proxy " \
              f"there, {LOST}"


@needs_networks
@pytest.mark.parametrize("ext, came_in, is_told, why", [
    ("", (RELAY_PRIVATE, PORT), ("", PORT), LOST_OUTSIDE),
    (":443", (RELAY_PRIVATE, PORT), ("", 443), LOST_OUTSIDE),
    (":443", (RELAY, PORT), ("", 443), LOST_OUTSIDE),
    ("0.0.0.0:443", (RELAY_PRIVATE, OTHER_PORT), ("", 443), LOST_OUTSIDE),
    ("0.0.0.0:443", (RELAY, OTHER_PORT), (RELAY, 443), None),
    (f"{RELAY}:{PORT}", (RELAY_PRIVATE, PORT), (RELAY, PORT), None),
])
def test_who_is_told_no_address_is_logged(
        network, outside, start_there, identities, ext, came_in, is_told, why):
    """A client from outside: behind a gateway only an ext-address with a host helps."""
    server = start_there(f":{PORT},:{OTHER_PORT}", *(["-ext-address", ext] if ext else []))
    assert ask_from(network, came_in, OUTSIDE, identities) == is_told
    if why:
        server.wait_for_log(f"notice relay: {re.escape(why)}")
        ask_from(network, came_in, OUTSIDE, identities)
        assert server.count(why) == 1
    assert (LOST in server.log()) == bool(why)


@needs_networks
@pytest.mark.parametrize("listen, is_told", [(f":{PORT}", ""), (f"{RELAY_PRIVATE}:{PORT}", RELAY_PRIVATE)])
def test_a_client_or_proxy_in_the_relays_own_network(network, start_there, identities, listen, is_told):
    """A gateway that hides clients looks like a proxy there: the private address is told only if the
    relay listens on it."""
    server = start_there(listen)
    assert ask_from(network, (RELAY_PRIVATE, PORT), PROXY_PRIVATE, identities) == (is_told, PORT)
    if is_told:
        assert LOST not in server.log()
    else:
        server.wait_for_log(f"notice relay: {re.escape(LOST_INSIDE)}")


@needs_proxy
@pytest.mark.parametrize("listen, follows", [(f":{PORT}", False), (f"{RELAY_PRIVATE}:{PORT}", True)])
def test_a_connect_proxy_in_the_relays_own_network(
        network, start_there, identities, tmp_path, listen, follows):
    """The client knows only the relay's name, and its proxy reaches the relay's private address."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{RELAY_PRIVATE} relay.test\n")
    network.start_tinyproxy(*knowing(hosts))
    start_there(listen)
    with network.call("client", lambda: Dialed(dial_by_connect("relay.test", PORT), identities[0])) as joined:
        joined.send(rp.JoinRelayRequest(None))
        joined.expect(rp.response(rp.SUCCESS))
        at = (RELAY_PRIVATE, PORT)
        with network.call("proxy", lambda: ProtocolConnection(at, identities[1])) as asking:
            asking.request(identities[0].id)
        invitation = joined.receive_answering_pings()
        assert told(invitation) == (RELAY_PRIVATE if follows else "", PORT)
        if follows:
            with network.call("client", lambda: Dialed(dial_by_connect(*told(invitation)))) as one:
                one.send(rp.JoinSessionRequest(invitation.key))
                one.expect(rp.response(rp.SUCCESS))


@needs_networks
def test_check_says_that_ext_address_is_missing(network, relay_keys):
    """Where this machine has only a private address towards others, or an entry leaves the host
    out."""
    program = Program("ours", 1)
    command = [program.path, "-check", "-keys", str(relay_keys), "-pools", "", "-listen", ":0"]
    hint = f"has the private address {RELAY_PRIVATE}: clients that use an HTTP or SOCKS proxy"
    left_out = "ext-address has an entry without a host"

    def check(*more):
        done = network.output("relay", *command, *more)
        return hint in done, left_out in done

    network.at("relay", "ip", "route", "add", "default", "via", PROXY_PRIVATE)
    assert check() == (True, False)
    assert check("-ext-address", ":443") == (True, False)
    assert check("-ext-address", "192.0.2.7:443,0.0.0.0:443") == (True, False)
    assert check("-ext-address", "192.0.2.7:443") == (False, False)
    assert check("-ext-address", "[2001:db8::7]:443,192.0.2.7:443") == (False, False)
    # Clients of one listener, or of one family, are told no entry.
    two = "-listen", ":443,:22067", "-ext-address"
    assert check(*two, ":443=192.0.2.7:443") == (True, False)
    assert check(*two, ":443=192.0.2.7:443,192.0.2.7:22067") == (False, False)
    assert check("-ext-address", "[2001:db8::7]:443") == (True, False)
    network.at("relay", "ip", "route", "replace", "default", "via", PROXY)
    assert check() == (False, False)
    for entry in ":443", "0.0.0.0:443", "[::]:443", ":22067=:443":
        assert check("-ext-address", entry) == (False, True)
