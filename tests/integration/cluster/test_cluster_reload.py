# SPDX-License-Identifier: MPL-2.0
"""Options of the module cluster that change while devices are there: one node after the other, and
the module itself."""

import contextlib
import socket
import struct

import pytest

import cluster_messages as cm
import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, start_nodes, start_redis, wait_until_found,
)
from control_client import shown
from module_server import failing_start, module_server  # noqa: F401
from redis_proxy import start_proxy  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import free_port
from waiting import SLOWNESS, wait_for


def rejected(node, reason):
    return node.metric("rejected_total", f'{{reason="{reason}"}}')


def test_the_generation_is_raised_on_one_node_after_the_other(start_nodes, identities):
    """At each step both ways work."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device, join(nodes[1], identities[1]) as other:
        nodes.wait_until_claimed(2)
        for generation in (2, 3):
            for node in nodes:
                done, log = node.again(generation=generation)
                assert done, log
                assert meet(nodes[1], identities[5], device) == nodes[0].address
                assert meet(nodes[0], identities[5], other) == nodes[1].address
    for node in nodes:
        assert not rejected(node, "generation") and not rejected(node, "forged")
        # With a sanitizer, a reload on a busy machine may take longer than a lease.
        assert SLOWNESS > 1 or not node.count("is gone")


def test_a_generation_that_is_skipped_is_named(start_nodes, identities):
    """A node that is two steps ahead is not understood, and does not understand."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        done, log = nodes[0].again(generation=3)
        assert done, log
        nodes[1].wait_for_log(r"dropped \(generation\): a node's generation differs by more than "
                              "one; set the same one on all nodes")
        nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
        assert meet(nodes[0], identities[5], device) == nodes[0].address
        assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
        done, log = nodes[1].again(generation=2)
        assert done, log
        nodes.wait_until_they_know_each_other()
        assert meet(nodes[1], identities[5], device) == nodes[0].address


def test_another_redis(start_nodes, start_redis, redis, identities):  # noqa: F811
    """One node after the other moves there."""
    other = start_redis(port=free_port())
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        for node in nodes:
            done, log = node.again(servers=other.address)
            assert done, log
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        redis.kill()
        assert meet(nodes[1], identities[5], device) == nodes[0].address


def test_another_address(start_nodes, identities):
    """The others tell it to their clients."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        done, log = nodes[0].again(address="192.0.2.1:4321")
        assert done, log
        wait_for(lambda: "192.0.2.1:4321" in [row["ipv4"] for row in shown(nodes[1], "cluster")],
                 "the address to be known")
        with ProtocolConnection(nodes[1].address, identities[5]) as client:
            answer = client.request(identities[0].id)
        assert (bytes(answer.address), answer.port) == (bytes([192, 0, 2, 1]), 4321)
        device.invitation()


def test_the_module_comes_and_goes_while_devices_are_there(start_nodes, identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        modules = list(nodes[0].modules)
        for _ in range(3):
            nodes[0].configure([one for one in modules if one != "cluster"],
                               {"control": nodes[0].sections["control"]})
            done, log = nodes[0].reload()
            assert done, log
            wait_for(lambda: nodes[1].metric("nodes", '{state="open"}') == 1, "it to be gone")
            assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
            assert meet(nodes[0], identities[5], device) == nodes[0].address
            nodes[0].configure(modules, nodes[0].sections)
            done, log = nodes[0].reload()
            assert done, log
            nodes.wait_until_they_know_each_other()
            nodes.wait_until_claimed(1)
            assert meet(nodes[1], identities[5], device) == nodes[0].address


def test_the_module_goes_while_requests_wait_for_it(start_nodes, start_proxy,  # noqa: F811
                                                    identities):
    """The answers would come later.  Each asker gets one, and nobody waits for ever."""
    proxy = start_proxy()
    nodes = start_nodes(1, servers=proxy.server, sections={"relay": {"park-asks": "0"}})
    start_nodes(1)
    modules = list(nodes[0].modules)
    with join(nodes[1], identities[0]), contextlib.ExitStack() as stack:
        nodes.wait_until_claimed(1)
        for _ in range(2):
            proxy.delay = 0.3
            clients = [stack.enter_context(ProtocolConnection(nodes[0].address, one))
                       for one in identities[5:13]]
            for client in clients:
                client.send(rp.ConnectRequest(identities[0].id))
            nodes[0].configure([one for one in modules if one != "cluster"],
                               {"control": nodes[0].sections["control"],
                                "relay": {"park-asks": "0"}})
            done, log = nodes[0].reload()
            assert done, log
            for client in clients:
                answer = client.receive_answering_pings()
                assert answer == NOT_FOUND or isinstance(answer, rp.SessionInvitation), answer
            proxy.delay = 0
            nodes[0].configure(modules, nodes[0].sections)
            done, log = nodes[0].reload()
            assert done, log
            nodes.wait_until_they_know_each_other()
        assert wait_until_found(nodes[0], identities[15], identities[0])


def test_a_reload_that_fails_changes_nothing(start_nodes, identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        right = dict(nodes[0].options)
        for name, value in (("servers", "127.0.0.1:none"), ("address", "relay.example.org:22067"),
                            ("password-file", "/nowhere/password"), ("lease", "1h")):
            done, log = nodes[0].again(**{name: value})
            assert not done, log
            assert name in log
            nodes[0].options.clear()
            nodes[0].options.update(right)
        # This module has agreed already when the server itself has to refuse.
        with socket.create_server((nodes[0].host, 0)) as taken:
            place = "%s:%d" % taken.getsockname()
            nodes[0].configure(nodes[0].modules, {
                **nodes[0].sections, "cluster": {**right, "node": "other"},
                'listener "taken"': {"address": place}})
            done, log = nodes[0].reload()
            assert not done and place in log, log
        assert shown(nodes[0], "cluster")[0]["node"].startswith("node-")
        assert meet(nodes[1], identities[5], device) == nodes[0].address
        done, log = nodes[0].again()
        assert done, log
        assert meet(nodes[1], identities[5], device) == nodes[0].address


@pytest.mark.parametrize("option, value", [
    ("servers", "redis.example.org:0"), ("sentinel-master", "x" * 201),
    ("servers", "redis.example.org:99999"), ("servers", "relative/path"), ("servers", ""),
    ("user", "somebody"), ("password-file", "/nowhere/password"), ("database", "16"),
    ("database", "x"), ("tls", "perhaps"), ("ca-file", "/nowhere/ca.pem"),
    ("name", "a b"),
    ("name", "{x}"), ("name", "x" * 64), ("node", "a/b"), ("address", "relay.example.org:22067"),
    ("address", ["192.0.2.1:1", "192.0.2.2:1"]), ("address", "192.0.2.1"),
    ("address", "[2001:db8::1]:0"), ("address", "2001:db8::1:22067"), ("capacity", "much"),
    ("lease", "500ms"), ("lease", "61s"), ("generation", "0"), ("generation", "-1"),
])
def test_a_wrong_option_is_named(failing_start, option, value):  # noqa: F811
    options = {option: value}
    if option == "ca-file":
        options["tls"] = "yes"
    code, log = failing_start(["relay", "cluster"], installed=[], sections={"cluster": options},
                              args=("-check",))
    assert code != 0
    line = next(line for line in log.splitlines() if " error " in line)
    assert option in line, line
    # Some are told in other units, or with what is missing.
    told = value[0] if isinstance(value, list) else value
    assert told in line or option in ("lease", "user", "servers", "address", "sentinel-master",
                                      "name"), line


def test_certificates_without_tls_are_named(failing_start):  # noqa: F811
    code, log = failing_start(["relay", "cluster"], installed=[],
                              sections={"cluster": {"ca-file": "/nowhere"}}, args=("-check",))
    assert code != 0 and "ca-file: it is for TLS; set tls, too" in log


def test_without_the_module_relay_there_is_nothing_to_find(module_server, redis,  # noqa: F811
                                                           relay_keys):
    server = module_server(["log", "cluster"], installed=[],
                           sections={"cluster": {"servers": redis.address}})
    server.wait_for_log("the module relay does not run: there are no devices to find")
    server.wait_for_log("node .* of the cluster relay")
    # Who asks all the same is answered.
    ghost = cm.Ghost(redis, relay_keys).live()
    _, node, _, _ = ghost.wait_for(cm.LEASE)
    asked = bytes(64) + cm.place("192.0.2.9")
    for kind, answer in ((cm.ASK, cm.ANSWER), (cm.PREPARE, cm.PREPARED)):
        number = struct.pack(">Q", kind)
        assert ghost.say(kind, number + asked, to=node) == 1
        _, sender, _, body = ghost.wait_for(answer)
        assert (sender, body[:9]) == (node, number + bytes([cm.FULL]))
    ghost.stop()
