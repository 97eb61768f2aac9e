# SPDX-License-Identifier: MPL-2.0
"""What counts as one source: an IPv4 address on any socket, and an IPv6 /64.

Uses a dual-stack socket in a network namespace with several IPv6 addresses."""

import contextlib
import os
import ssl
import subprocess
import threading
import types

import pytest

import floods
import own_network
import relay_protocol as rp
from good_joins import ENOUGH, counted, joins_in_time
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection, TlsBytes
from skip_unless import can_run
from waiting import PATIENCE, wait_for

HERE = "fd00:ffff::1"
ADDRESSES = [HERE, "fd00:1::1", "fd00:1::2", "fd00:1::ffff:ffff:ffff:ffff", "fd00:1:0:1::1",
             "fd00:2::1"]
SUCCESS = rp.response(rp.SUCCESS)


def apart(function):
    """Runs the test in a thread with its own network namespace, which its servers share."""
    failures = []

    def body():
        try:
            own_network.make()
            for address in ADDRESSES:
                subprocess.run(["ip", "-6", "addr", "add", f"{address}/64", "dev", "lo", "nodad"],
                               check=True, capture_output=True, timeout=PATIENCE)
            function()
        except BaseException as error:  # noqa: BLE001: raised again below
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def why_not():
    try:
        apart(lambda: None)
    except (OSError, subprocess.SubprocessError) as error:
        return f"has no IPv6 in a network namespace: {error}"
    return None if os.geteuid() == 0 else "needs root"


pytestmark = can_run("IPv6 SOURCES", why_not())


@pytest.fixture
def on_all(module_server):  # noqa: F811
    """A server that listens for both families on one socket."""

    def start(**sections):
        modules = ["log", "bounds", "access", "relay", "status", "probe"]
        return module_server(modules, sections=sections, args=["-listen", ":0"])

    return start


@pytest.fixture
def is_open(identities):
    """is_open(server, source, stack): whether a connection from there completes its handshake; it
    stays open."""

    def connect(server, source, stack):
        to = HERE if ":" in source else "127.0.0.1"
        try:
            stack.enter_context(ProtocolConnection(
                (to, server.address[1]), identities[0], source=source))
        except (ConnectionError, ssl.SSLError):
            return False
        return True

    return connect


def test_an_ipv6_network_is_one_source(on_all, is_open):
    def body():
        server = on_all(bounds={"per-source": "2", "exempt": "192.0.2.1"})
        with contextlib.ExitStack() as stack:
            assert is_open(server, "fd00:1::1", stack)
            assert is_open(server, "fd00:1::2", stack)
            assert not is_open(server, "fd00:1::ffff:ffff:ffff:ffff", stack)
            assert is_open(server, "fd00:1:0:1::1", stack)
            assert is_open(server, "fd00:2::1", stack)
            # Three of /64, two of /56, two of /48.
            assert server.probe()["metric bounds.sources"] == "7"

    apart(body)


def test_joins_of_an_ipv6_network_are_counted_together(on_all, identities):
    def join(server, identity, source):
        with ProtocolConnection((HERE, server.address[1]), identity, source=source) as client:
            return client.ask(rp.JoinRelayRequest())

    def body():
        server = on_all(bounds={"joins-per-minute": "2", "exempt": "192.0.2.1"})
        assert join(server, identities[0], "fd00:1::1") == SUCCESS
        assert join(server, identities[1], "fd00:1::2") == SUCCESS
        assert join(server, identities[2], "fd00:1::1") == rp.RelayFull()
        assert join(server, identities[2], "fd00:2::1") == SUCCESS

    apart(body)


def test_ipv4_on_a_socket_for_both_is_ipv4(on_all, is_open):
    def body():
        server = on_all(
            bounds={"per-source": "1", "exempt": "127.0.0.9"},
            access={"connect-deny": ["127.0.0.7", "::ffff:127.0.0.8", "fd00:2::/64"]})
        with contextlib.ExitStack() as stack:
            for source in ("127.0.0.2", "127.0.0.3"):  # not in one /64 of ::ffff:0:0/96
                assert is_open(server, source, stack)
                assert not is_open(server, source, stack)
            assert all(is_open(server, "127.0.0.9", stack) for _ in range(3))
            for denied in ("127.0.0.7", "127.0.0.8", "fd00:2::1"):
                assert not is_open(server, denied, stack)
            assert is_open(server, "fd00:1::1", stack)
            wait_for(lambda: server.probe()["metric access.refused.address"] == "3", "all counted")

    apart(body)


@pytest.mark.parametrize("manner", ["leave", "stay"])
def test_joins_beside_a_site_that_has_many_networks(on_all, identities, manner):
    """A stranger owns a /48 and connects from 1,000 of its /64 networks."""
    def body():
        subprocess.run(["ip", "-6", "route", "add", "local", "fd00:48::/48", "dev", "lo"],
                       check=True, capture_output=True, timeout=PATIENCE)
        server = on_all(bounds={"exempt": "192.0.2.1"})
        hello = TlsBytes(identities[0]).client_hello()
        with floods.Flood((HERE, server.address[1]), hello, 1000, manner) as flood:
            wait_for(lambda: counted(server, "accepted") > 200, "the flood to begin")
            near = types.SimpleNamespace(address=("127.0.0.1", server.address[1]))
            assert joins_in_time(near, identities) >= ENOUGH
        assert flood.said > 200

    apart(body)
