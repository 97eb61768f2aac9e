# SPDX-License-Identifier: MPL-2.0
"""Each node tells an address of its own: to pools, to other nodes, to devices."""

import os

import pytest

import gateway
from cluster_nodes import redis, start_nodes, start_redis  # noqa: F401
from control_client import shown
from joining import authority, make_pool  # noqa: F401
from pool_double import Listing
from relay_server import Program, RelayServer, free_port, run
from skip_unless import can_run
from waiting import SLOWNESS, Deadline, wait_for

SHARED_NAME = "localhost"
#: Less than a third of the longest lease.
SOON = 15 * SLOWNESS
NAMED = "behind a name that several nodes share"
UNKNOWN = "no address of this node alone is known"


def joining(pool, authority, host):  # noqa: F811
    """The options of a node that joins a pool from its own address."""
    return {"modules": ["pool-join"],
            "sections": {"pool-join": {"pools": pool.url, "ca-file": authority.file, "bind": host}}}


@pytest.fixture
def listing():
    return Listing()


def start_in_pool(start_nodes, make_pool, authority, listing, told):  # noqa: F811
    """Two nodes that join a pool; `told` gives the ext-address of each."""
    pool = make_pool(listing)
    for host in ("127.0.0.11", "127.0.0.12"):
        port = free_port()
        options = joining(pool, authority, host)
        options["sections"]["relay"] = {"ext-address": told(host, port)}
        nodes = start_nodes(1, port=port, **options)
    for node in nodes:
        node.wait_for_log("Joined pool ")
    return nodes, pool


def test_a_pool_lists_each_node_by_its_own_address(start_nodes, make_pool, authority,  # noqa: F811
                                                   listing):
    nodes, pool = start_in_pool(start_nodes, make_pool, authority, listing,
                                lambda host, port: f"{host}:{port}")
    assert set(listing.urls) == {node.address for node in nodes}
    assert len({request.id for request in pool.requests}) == 1
    assert not any(node.count(NAMED) for node in nodes)


def test_a_pool_takes_a_shared_name_for_the_address_of_each_node(
        start_nodes, make_pool, authority, listing):  # noqa: F811
    """So the pool lists both, and still the two sides of a session may reach two nodes."""
    nodes, pool = start_in_pool(start_nodes, make_pool, authority, listing,
                                lambda host, port: f"{SHARED_NAME}:{port}")
    assert {host for host, _ in listing.urls} == {"127.0.0.11", "127.0.0.12"}, pool.requests
    for node in nodes:
        node.wait_for_log(f"ext-address names the host {SHARED_NAME}: {NAMED}")


def test_nodes_that_tell_one_address_are_warned_of(start_nodes):
    address = "192.0.2.1:22067"
    nodes = start_nodes(2, sections={"relay": {"ext-address": address}})
    for node, other in zip(nodes, reversed(nodes)):
        node.wait_for_log(f"the node {other.name} tells the same address as this one")


def test_nodes_of_one_address_and_two_ports_are_not(start_nodes):
    nodes = start_nodes(1, sections={"relay": {"ext-address": "192.0.2.1:22067"}})
    start_nodes(1, sections={"relay": {"ext-address": "192.0.2.1:22068"}})
    wait_for(lambda: [row["ipv4"] for row in shown(nodes[0], "cluster")] ==
             ["192.0.2.1:22067", "192.0.2.1:22068"], "both addresses")
    assert not any(node.count("tells the same address") for node in nodes)


def check(tmp_path, relay_keys, text):
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, relay, nat, cluster }\n"
                    'status-srv = ""\ncluster { node = "one" }\n' + text)
    done = run(Program("ours"), "-check", "-conf", str(conf), "-keys", str(relay_keys))
    assert done.returncode == 0, done.stderr
    return done.stderr


#: What -check says of addresses: text -> whether it warns of a name, and of no address.
CHECKED = {
    'relay { ext-address = "relay.example.org:443" }': (True, False),
    'relay { ext-address = ":443=relay.example.org:443" }': (True, False),
    'relay { ext-address = { "192.0.2.1:443", "[2001:db8::1]:443" } }': (False, False),
    'relay { ext-address = ":443=192.0.2.1:443" }': (False, False),
    'listen = { ":0" }': (False, True),
    'listen = { "0.0.0.0:0", "[::]:0" }': (False, True),
    'listen = { "127.0.0.1:0" }': (False, False),
    'listen = { ":0" } nat { enabled = yes }': (False, False),
}


@pytest.mark.parametrize("text", CHECKED)
def test_check_warns_of_addresses_that_lead_to_other_nodes(tmp_path, relay_keys, text):
    said = check(tmp_path, relay_keys, text)
    assert (NAMED in said, UNKNOWN in said) == CHECKED[text], said


def test_check_says_nothing_of_a_name_where_no_cluster_runs(tmp_path, relay_keys):
    conf = tmp_path / "relay.conf"
    conf.write_text('modules = { log, relay }\nstatus-srv = ""\n'
                    'relay { ext-address = "relay.example.org:443" }\n')
    done = run(Program("ours"), "-check", "-conf", str(conf), "-keys", str(relay_keys))
    assert NAMED not in done.stderr


def test_a_node_that_knows_no_address_of_its_own_says_so(start_nodes):
    nodes = start_nodes(1, host="0.0.0.0")
    nodes[0].wait_for_log(UNKNOWN)


@can_run("PORT MAPPINGS", gateway.why_not())
def test_other_nodes_are_told_what_the_gateway_maps(start_nodes, redis, tmp_path,  # noqa: F811
                                                    relay_keys):
    """At once, and again when it changes; the lease is renewed every 20 s only."""
    conf = tmp_path / "inside.conf"
    conf.write_text(
        f'listen = {{ ":22067" }}\nmodules = {{ log, relay, nat, cluster }}\n'
        f'status-srv = ""\nnat {{ enabled = yes  check = 1s  timeout = 8s }}\n'
        f'cluster {{ servers = "{redis.socket}"  node = "inside"  lease = 60s }}\n')
    [outside] = start_nodes(1)

    def told():
        return next((row["ipv4"] for row in shown(outside, "cluster") if row["node"] == "inside"),
                    None)

    program = Program("ours", 1)
    with gateway.networks(tmp_path, f"{os.getpid()}-cluster", "enable_upnp=yes",
                          "enable_natpmp=no") as nets:
        nets.start_gateway()
        inside = RelayServer(program, [*nets.prefix("relay"), program.path, "-conf", str(conf),
                                       "-keys", str(relay_keys)], tmp_path)
        try:
            for change, address in ((nets.wait_for_mapping, gateway.OUTER),
                                    (nets.new_address, gateway.OUTER_NEW)):
                change()
                inside.wait_for_log(f"URI: relay://{address}:22067/")
                wait_for(lambda: told() == f"{address}:22067",  # noqa: B023
                         lambda: f"the address to be told; it is {told()}", Deadline(SOON))
            assert not inside.count(UNKNOWN)
        finally:
            inside.finish()
