# SPDX-License-Identifier: MPL-2.0
"""Upgrades of a server that also serves wormhole-transit: sessions go on, and who waits is passed on
to the new process."""

import os

import pytest

from control_client import metric
from relay_server import free_port
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for
from wormhole import Client, answered, both_ways, line, new_side, new_token, pair

CONF = """modules = {{ log, bounds, access, wormhole-transit, relay, prometheus }}
status-srv = "127.0.0.1:0"
drain-spread = 100ms
listener "main" {{ address = "127.0.0.1:0" }}
listener "wormhole" {{ address = "{host}:{port}"
  protocol = wormhole-transit
  {more} }}
"""


@pytest.fixture
def upgrading(start_upgrading):  # noqa: F811
    def start(more="", host="127.0.0.1"):
        port = free_port()
        return start_upgrading(conf=CONF.format(host=host, port=port, more=more)), port
    return start


def waiting(server):
    page = server.get("/metrics")[2].decode()
    return int(page.split("\nstrelaysrv_wormhole_transit_waiting ")[1].split()[0])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
def test_sessions_go_on_and_who_waits_meets_the_other_one(upgrading, host):
    server, port = upgrading(host=host)
    one, two = pair(port)
    token = new_token()
    with Client(port, line(token, new_side())) as first:
        wait_for(lambda: waiting(server) == 1, "a client that waits")
        server.upgrade()
        with Client(port, line(token, new_side())) as last:
            answered(first, last)
            both_ways(first, last, os.urandom(200_000))
            both_ways(one, two)
            one.close()
            two.close()


def counted(server, name):
    return metric(server, f"strelaysrv_core_{name}")


def test_who_is_passed_on_is_accepted_at_the_listener_once(upgrading):
    """In both processes together.  All connections of each process balance."""
    server, port = upgrading()
    accepted = 'listener_accepted_total{listener="wormhole"}'
    token = new_token()
    with Client(port, line(token, new_side())) as first:
        wait_for(lambda: waiting(server) == 1, "a client that waits")
        assert counted(server, accepted) == 1
        server.upgrade()
        wait_for(lambda: waiting(server) == 1, "the client in the new process")
        assert counted(server, accepted) == 0
        assert counted(server, 'listener_connections{listener="wormhole"}') == 1
        with Client(port, line(token, new_side())) as last:
            answered(first, last)
            assert counted(server, accepted) == 1
            assert counted(server, "connections_accepted_total") == 2


def test_many_that_wait_are_passed_on(upgrading):
    """More than fit into the channel at once."""
    server, port = upgrading()
    tokens = [new_token() for _ in range(500)]
    firsts = [Client(port, line(token)) for token in tokens]
    wait_for(lambda: waiting(server) == 256 or waiting(server) == 500, "those that wait")
    server.upgrade()
    for token, first in zip(tokens, firsts, strict=True):
        with Client(port, line(token)) as last:
            answered(first, last)
            both_ways(first, last, b"%b" % token.encode())
        first.close()


def test_a_line_that_ends_after_the_upgrade(upgrading):
    server, port = upgrading()
    token = new_token()
    text = line(token, new_side())
    keeps_old = pair(port)
    with Client(port, text[:50]) as first:
        wait_for(lambda: 'strelaysrv_core_connections{phase="plain"} 3'
                 in server.get("/metrics")[2].decode(), "three connections")
        server.upgrade()
        with Client(port, line(token, new_side())) as last:
            first.send(text[50:])
            answered(first, last)
            both_ways(first, last)
    for client in keeps_old:
        client.close()


def test_three_upgrades_while_somebody_waits(upgrading):
    server, port = upgrading()
    token = new_token()
    with Client(port, line(token, new_side())) as first:
        for _ in range(3):
            wait_for(lambda: waiting(server) == 1, "a client that waits")
            server.upgrade()
        wait_for(lambda: waiting(server) == 1, "a client that waits")
        assert first.is_silent()
        with Client(port, line(token, new_side())) as last:
            answered(first, last)
            both_ways(first, last)


def test_the_address_that_a_proxy_has_told_is_passed_on(upgrading):
    server, port = upgrading('proxy = yes\n  proxy-from = "127.0.0.1"')
    token = new_token()
    header = b"PROXY TCP4 198.51.100.7 192.0.2.5 1234 4001\r\n"
    with Client(port, header + line(token)) as first:
        wait_for(lambda: waiting(server) == 1, "a client that waits")
        server.upgrade()
        with Client(port, header + line(token)) as last:
            answered(first, last)
            both_ways(first, last)


def test_the_new_process_asks_for_the_address_that_a_proxy_has_told(upgrading):
    server, port = upgrading('proxy = yes\n  proxy-from = "127.0.0.1"')
    denied = b"PROXY TCP4 198.51.100.7 192.0.2.5 1234 4001\r\n"
    other = b"PROXY TCP4 198.51.100.8 192.0.2.5 1234 4001\r\n"
    token = new_token()
    with Client(port, denied + line(new_token())) as first, \
            Client(port, other + line(token)) as second:
        wait_for(lambda: waiting(server) == 2, "two clients that wait")
        server.conf.write_text(server.conf.read_text() +
                               'access { connect-deny = { "198.51.100.7" } }\n')
        server.upgrade()
        assert first.rest() == b""
        with Client(port, other + line(token)) as last:
            answered(second, last)
