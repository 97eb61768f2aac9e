# SPDX-License-Identifier: MPL-2.0
"""Addresses of proxy-listen: each connection begins with a header of the PROXY protocol, and counts
as one of the client that the header names."""

import contextlib
import re
import shutil
import subprocess

import pytest

import relay_protocol as rp
from control_client import control_folder, controlled, metric, shown  # noqa: F401
from pairing import check_both_ways, told
from proxy_sender import (
    CLIENT, CLIENT6, FRONT, FRONT6, SIGNATURE, WRONG, Proxied, byte_by_byte, version1, version2,
)
from relay_client import (
    NO_SUCH_KEY, MessageStream, ProtocolConnection, TlsBytes, dial, reset, served,
)
from relay_server import Program, free_port, split_address
from relay_server import run as run_program
from reloading import reloadable  # noqa: F401
from upgrading import start_upgrading  # noqa: F401
from verdict_server import endpoint  # noqa: F401
from waiting import PATIENCE, wait_for

MODULES = "modules = { log, access, bounds, relay, prometheus }\n"
HEADERS = {
    "v1": version1(), "v1-ipv6": version1(CLIENT6, FRONT6), "v2": version2(),
    "v2-ipv6": version2(CLIENT6, FRONT6), "v2-extras": version2(extras=b"\x01\0\x02h2\x04\0\0"),
    "v2-checksum": version2(extras=b"\xee\0\x01x", checksum=True),
}


def text(listen, proxied=None, trusted="127.0.0.0/8", more="", status="127.0.0.1:0"):
    proxied = listen if proxied is None else proxied

    def quoted(words):
        return "{ " + ", ".join(f'"{word}"' for word in words) + " }"

    conf = f'{MODULES}listen = {quoted(listen)}\nstatus-srv = "{status}"\n'
    if proxied:
        conf += f'proxy-listen = {quoted(proxied)}\nproxy-from = {{ "{trusted}" }}\n'
    return conf + more


@pytest.fixture
def front(reloadable):  # noqa: F811
    """front(...) starts a relay all of whose addresses are for proxies, with the options of
    text()."""

    def begin(*args, listen=None, **options):
        listen = listen or [f"127.0.0.1:{free_port()}"]
        relay = reloadable(text(listen, **options), *args)
        relay.at = split_address(listen[0])
        return relay

    return begin


def results(relay, name):
    return metric(relay.server, f'strelaysrv_core_proxy_connections_total{{result="{name}"}}')


def accepted(relay):
    return metric(relay.server, "strelaysrv_core_connections_accepted_total")


@pytest.mark.limits
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_names_the_client_and_where_it_came_in(front, identities, name):
    relay = front("-debug")
    v6 = "ipv6" in name
    with Proxied(relay.at, HEADERS[name], identities[0]) as joined, \
            Proxied(relay.at, version2(("203.0.113.9", 1), ("192.0.2.6", 444)), identities[1]) as asks:
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        asks.send(rp.ConnectRequest(identities[0].id))
        assert told(asks.receive_answering_pings()) == ("192.0.2.6", 444)
        assert told(joined.receive_answering_pings()) == (FRONT6 if v6 else FRONT)
    client = f"[{CLIENT6[0]}]:{CLIENT6[1]}" if v6 else f"{CLIENT[0]}:{CLIENT[1]}"
    relay.server.wait_for_log(f"peer={re.escape(client)}")
    assert results(relay, "client") == 2


@pytest.mark.parametrize("name", HEADERS)
def test_exactly_the_header_is_read(front, identities, name):
    """What follows comes in the same segment, or one byte at a time."""
    relay, header = front(), HEADERS[name]
    with MessageStream(dial(relay.at)) as guest:
        guest.send_bytes(header + rp.encode(NO_SUCH_KEY))
        guest.expect(rp.response(rp.NOT_FOUND))
    with MessageStream(dial(relay.at)) as guest:
        byte_by_byte(guest.sock, header + rp.encode(NO_SUCH_KEY))
        guest.expect(rp.response(rp.NOT_FOUND))
    with MessageStream(dial(relay.at)) as device:
        tls = TlsBytes(identities[0])
        device.send_bytes(header + tls.client_hello())
        tls.handshake(device)
        device.send_bytes(tls.seal(rp.encode(rp.JoinRelayRequest(None))))
        assert tls.receive(device) == rp.response(rp.SUCCESS)
    assert results(relay, "client") == 3


def test_a_header_that_the_client_sends_itself_is_no_header(front):
    """A proxy passes it on behind its own."""
    relay = front(more='access {\n  connect-deny = { "203.0.113.66" }\n}\n')
    with MessageStream(dial(relay.at)) as liar:
        liar.send_bytes(version2(("203.0.113.66", 1)) + version1() + rp.encode(NO_SUCH_KEY))
        liar.expect_close()
    assert accepted(relay) == 1
    with MessageStream(dial(relay.at)) as liar:
        liar.send_bytes(version2() + version1() + rp.encode(NO_SUCH_KEY))
        liar.expect_close()
    closed = metric(relay.server, 'strelaysrv_core_connections_closed_total{reason="protocol"}')
    assert results(relay, "client") == 2 and closed == 1


@pytest.mark.parametrize("name", WRONG)
def test_what_names_no_client_is_closed_and_counted(front, name):
    header, result = WRONG[name]
    relay = front()
    with MessageStream(dial(relay.at)) as wrong:
        wrong.send_bytes(header)
        wrong.expect_close()
    assert results(relay, result) == 1
    assert accepted(relay) == 0
    with Proxied(relay.at, version1()) as guest:
        assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)


@pytest.mark.limits
@pytest.mark.parametrize("part", [b"", b"PROXY TCP4 1.2", SIGNATURE[:5], version2()[:20]])
def test_a_header_must_come_in_time(front, part):
    relay = front()
    with MessageStream(dial(relay.at)) as silent, Proxied(relay.at, version2()) as guest:
        silent.send_bytes(part)
        silent.expect_close()
        # The client's connection is older than that limit now.
        assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    assert results(relay, "time") == 1
    assert accepted(relay) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("part", [b"", b"PROXY ", version2()[:20]])
def test_who_leaves_before_its_header_is_forgotten(front, part, how):
    relay = front()
    before = relay.server.descriptors()
    for _ in range(20):
        with dial(relay.at) as sock:
            sock.sendall(part)
            if how == "reset":
                reset(sock)
    wait_for(lambda: results(relay, "closed") == 20, "all to be closed")
    assert metric(relay.server, "strelaysrv_core_proxy_waiting") == 0
    wait_for(lambda: relay.server.descriptors() <= before + 1, "their descriptors")


def test_who_waits_longest_makes_room(front):
    """A proxy that works sends its header at once, so it is served however many wait."""
    relay = front("-max-connections", "32", "-workers", "1")
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(MessageStream(dial(relay.at))) for _ in range(12)]
        wait_for(lambda: results(relay, "room") == 8, "eight to be closed")
        for stream in silent[:8]:
            stream.expect_close()
        assert metric(relay.server, "strelaysrv_core_proxy_waiting") == 4
        with Proxied(relay.at, version2()) as guest:
            assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)


def test_only_trusted_hosts_may_connect(front):
    relay = front(trusted="192.0.2.0/24")
    with dial(relay.at) as sock:
        stream = MessageStream(sock)
        with contextlib.suppress(ConnectionError):
            sock.sendall(version2())
        stream.expect_close()
    assert results(relay, "untrusted") == 1
    assert accepted(relay) == 0


def test_an_ipv4_proxy_of_an_ipv6_socket_is_trusted_as_ipv4(front):
    port = free_port("::")
    relay = front(listen=[f":{port}"], trusted="127.0.0.1/32")
    with Proxied(("127.0.0.1", port), version2()) as guest:
        assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    with MessageStream(dial(("::1", port))) as other:
        other.expect_close()
    assert results(relay, "untrusted") == 1


def test_guards_see_the_client_and_not_the_proxy(front, identities):
    """access refuses one client; bounds counts each by itself."""
    more = 'access {\n  connect-deny = { "198.51.100.7" }\n}\nbounds {\n  per-source = 2\n}\n'
    relay = front(more=more)
    with MessageStream(dial(relay.at)) as denied:
        denied.send_bytes(version2() + rp.encode(NO_SUCH_KEY))
        denied.expect_close()
    with contextlib.ExitStack() as stack:
        for host in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
            for port, identity in enumerate(identities[:2]):
                device = stack.enter_context(
                    Proxied(relay.at, version1((host, port + 1)), identity))
                device.check_alive()
        third = stack.enter_context(MessageStream(dial(relay.at)))
        third.send_bytes(version1(("203.0.113.1", 9)) + rp.encode(NO_SUCH_KEY))
        third.expect_close()


#: So many that the sides of some are accepted by two workers, and one side moves.
SESSIONS = 12


def test_operators_and_endpoints_are_told_the_client(controlled, endpoint, identities):  # noqa: F811
    """Also when a connection has moved to another worker."""
    at = ("127.0.0.1", free_port())
    server = controlled(
        ["log", "access", "bounds", "quota", "admission", "relay", "control"],
        {"admission": {"url": endpoint.url}, "quota": {"month": "1TB", "state-required": "no"},
         'listener "front"': {"address": f"{at[0]}:{at[1]}", "proxy": "yes", "proxy-from": at[0]}})
    other = ("203.0.113.9", 4)
    with contextlib.ExitStack() as stack:

        def come(client, identity=None):
            return stack.enter_context(Proxied(at, version2(client), identity))

        joined = come(CLIENT, identities[0])
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        assert endpoint.asked[0].json["address"] == CLIENT[0]
        assert shown(server, "devices")[0]["address"] == f"{CLIENT[0]}:{CLIENT[1]}"
        for number in range(SESSIONS):
            asks = come(other, identities[1])
            asks.send(rp.ConnectRequest(identities[0].id))
            keys = [stream.receive_answering_pings().key for stream in (asks, joined)]
            for host, key in zip((other[0], CLIENT[0]), keys, strict=True):
                side = come((host, 1000 + number))
                side.send(rp.JoinSessionRequest(key))
                side.expect(rp.response(rp.SUCCESS))
        assert endpoint.asked[1].json["address"] == other[0]
        rows = shown(server, "sessions")
        assert len(rows) == SESSIONS
        assert all({row["address"].split(":")[0], row["other address"].split(":")[0]}
                   == {CLIENT[0], other[0]} for row in rows), rows


def test_other_addresses_need_no_header(front, identities):
    plain, proxied = (f"127.0.0.1:{free_port()}" for _ in range(2))
    relay = front(listen=[proxied, plain], proxied=[proxied])
    at = split_address(plain)
    with ProtocolConnection(at, identities[0]) as joined, \
            Proxied(split_address(proxied), version2(), identities[1]) as asks:
        joined.join()
        asks.send(rp.ConnectRequest(identities[0].id))
        invitation = asks.receive_answering_pings()
        to_joined = joined.invitation()
        with Proxied(split_address(proxied), version1()) as one, MessageStream(dial(at)) as other:
            for stream, key in ((one, invitation.key), (other, to_joined.key)):
                stream.send(rp.JoinSessionRequest(key))
                stream.expect(rp.response(rp.SUCCESS))
            check_both_ways(one, other)
    # Nobody is told the address that only proxies can use.
    assert relay.server.uri.startswith(f"relay://{plain}/?"), relay.server.uri


def test_a_reload_changes_who_must_send_a_header(front):
    listen = [f"127.0.0.1:{free_port()}"]
    relay = front(listen=listen, proxied=[])
    sockets = set(relay.server.listening_sockets())
    assert served(relay.at)
    with MessageStream(dial(relay.at)) as before:
        relay_is = relay.change(text(listen))
        assert relay_is[0], relay_is[1]
        assert before.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    with MessageStream(dial(relay.at)) as plain:
        plain.send(NO_SUCH_KEY)
        plain.expect_close()
    with Proxied(relay.at, version2()) as guest:
        assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    assert relay.change(text(listen, trusted="192.0.2.1"))[0]
    with MessageStream(dial(relay.at)) as untrusted:
        untrusted.expect_close()
    # What is refused changes nothing.
    done, log = relay.change(text(listen, proxied=["127.0.0.1:1"]))
    assert not done and "is no address of listen" in log, log
    with MessageStream(dial(relay.at)) as untrusted:
        untrusted.expect_close()
    assert relay.change(text(listen, proxied=[]))[0]
    assert served(relay.at)
    assert sockets <= set(relay.server.listening_sockets())


WRONG_OPTIONS = {
    "no-proxies": (["-proxy-listen", ":1"], "proxy-listen needs proxy-from"),
    "no-address": (["-proxy-from", "::1"], "proxy-from needs proxy-listen"),
    "another-address": (["-proxy-listen", ":2", "-proxy-from", "::1"], "is no address of listen"),
    "no-range": (["-proxy-listen", ":1", "-proxy-from", "proxy.example"], "is no address or range"),
    "wide-range": (["-proxy-listen", ":1", "-proxy-from", "10.0.0.0/33"], "is no address or range"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
@pytest.mark.parametrize("check", [True, False], ids=["check", "start"])
def test_wrong_options_are_refused(tmp_path, relay_keys, name, check):
    args, why = WRONG_OPTIONS[name]
    more = ["-check"] if check else []
    done = run_program(Program("ours", 1), "-listen", ":1", "-keys", relay_keys, "-pools", "",
                       "-status-srv", "", *args, *more, cwd=tmp_path)
    assert done.returncode == 1
    assert why in done.stdout + done.stderr


def test_port_0_is_told_to_nobody(front, identities):
    """haproxy's set-dst names no port: the relay knows only that of its own listener."""
    relay = front()
    with Proxied(relay.at, version2(front=(FRONT[0], 0)), identities[0]) as joined, \
            Proxied(relay.at, version1(front=(FRONT6[0], 0), client=CLIENT6), identities[1]) as asks:
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        asks.send(rp.ConnectRequest(identities[0].id))
        assert told(asks.receive_answering_pings()) == (FRONT6[0], relay.at[1])
        assert told(joined.receive_answering_pings()) == (FRONT[0], relay.at[1])


def test_ipv6_is_not_told_to_a_client_with_ipv4(front, identities):
    """A header of IPv6 may name both, with IPv4 as IPv6."""
    relay = front()
    mixed = (f"::ffff:{CLIENT[0]}", CLIENT[1])
    with Proxied(relay.at, version2(mixed, FRONT6), identities[0]) as joined, \
            Proxied(relay.at, version1(mixed, FRONT6), identities[1]) as asks:
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        asks.send(rp.ConnectRequest(identities[0].id))
        for stream in asks, joined:
            assert told(stream.receive_answering_pings()) == ("", FRONT6[1])


EVERYBODY = "has all public addresses of a family"


@pytest.mark.parametrize("trusted, warned", [
    ("0.0.0.0/0", True), ("::/0", True), ("128.0.0.0/1,0.0.0.0/1", True), ("127.0.0.0/8", False)])
def test_who_trusts_everybody_is_warned(front, relay_keys, trusted, warned):
    quoted = trusted.replace(",", '", "')
    relay = front(trusted=quoted)
    assert relay.server.count(f"warning core: proxy-from {EVERYBODY}") == warned
    done = run_program(Program("ours", 1), "-conf", relay.conf, "-keys", relay_keys, "-check")
    assert done.returncode == 0
    assert (EVERYBODY in done.stderr) == warned
    named = f'listener "front" {{\n\taddress = ":0"\n\tproxy = yes\n\tproxy-from = {{ "{quoted}" }}\n}}\n'
    done, log = relay.change(f"{MODULES}{named}")
    assert done
    assert (f"listener front: proxy-from {EVERYBODY}" in log) == warned


# An upgrade.


def test_the_client_goes_back_to_the_old_process_with_its_address(start_upgrading, identities):  # noqa: F811
    """The new process hands guests back that only the old one can know.  The old one refuses a
    client that the new one admits."""
    deny = 'access {\n  connect-deny = { "203.0.113.66" }\n}\n'
    listen = f"127.0.0.1:{free_port()}"
    server = start_upgrading(conf=text([listen], status="", more=deny))
    at = split_address(listen)
    with contextlib.ExitStack() as stack:
        joined = stack.enter_context(Proxied(at, version2(), identities[0]))
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        asks = stack.enter_context(Proxied(at, version1(), identities[1]))
        asks.send(rp.ConnectRequest(identities[0].id))
        keys = [stream.receive_answering_pings().key for stream in (asks, joined)]
        server.conf.write_text(text([listen], status=""))
        server.upgrade()
        denied = stack.enter_context(Proxied(at, version2(("203.0.113.66", 2))))
        denied.send(rp.JoinSessionRequest(keys[0]))
        denied.expect_close()
        sides = []
        for number, key in enumerate(keys):
            side = stack.enter_context(Proxied(at, version2(("203.0.113.1", number + 1))))
            side.send(rp.JoinSessionRequest(key))
            side.expect(rp.response(rp.SUCCESS))
            sides.append(side)
        check_both_ways(*sides)


# Real proxies.

HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend devices
  bind 127.0.0.1:{port}
  default_backend relay
backend relay
  default-server check inter 100ms {option}
  server one 127.0.0.1:{relay}
"""
NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
stream {{
  server {{
    listen 127.0.0.1:{port};
    proxy_pass 127.0.0.1:{relay};
    proxy_protocol on;
  }}
}}
"""
PROXIES = {
    "haproxy-v1": (HAPROXY, ["-db", "-f"], "send-proxy"),
    "haproxy-v2": (HAPROXY, ["-db", "-f"], "send-proxy-v2"),
    "haproxy-v2-checksum": (HAPROXY, ["-db", "-f"], "send-proxy-v2 proxy-v2-options crc32c"),
    "nginx-v1": (NGINX, ["-c"], ""),
}


def accepts(port):
    try:
        dial(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("name", PROXIES)
def test_devices_meet_behind_a_real_proxy(front, identities, tmp_path, name):
    conf, flags, option = PROXIES[name]
    program = shutil.which(name.partition("-")[0], path="/usr/sbin:/usr/bin")
    relay, port = front("-debug"), free_port()
    path = tmp_path / "proxy.conf"
    path.write_text(conf.format(port=port, relay=relay.at[1], folder=tmp_path, option=option))
    process = subprocess.Popen([program, *flags, str(path)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: accepts(port), f"{program} to listen")
        with ProtocolConnection(("127.0.0.1", port), identities[0]) as joined, \
                ProtocolConnection(("127.0.0.1", port), identities[1]) as asking:
            joined.join()
            source = "{}:{}".format(*joined.sock.getsockname())
            to_asker = asking.request(identities[0].id)
            to_joined = joined.invitation()
            # Both use the address that they connected to, at the proxy's port.
            assert told(to_asker) == told(to_joined) == ("", port)
            with MessageStream(dial(("127.0.0.1", port))) as one, \
                    MessageStream(dial(("127.0.0.1", port))) as other:
                for stream, key in ((one, to_joined.key), (other, to_asker.key)):
                    stream.send(rp.JoinSessionRequest(key))
                    stream.expect(rp.response(rp.SUCCESS))
                check_both_ways(one, other)
        relay.server.wait_for_log(f"peer={re.escape(source)}")
        assert results(relay, "bad") == 0
        if "haproxy" in name:
            checks = "check" if "v2" in name else "client"
            wait_for(lambda: results(relay, checks) > 0, "a health check")
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)

