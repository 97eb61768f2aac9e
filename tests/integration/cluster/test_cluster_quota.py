# SPDX-License-Identifier: MPL-2.0
"""The quota of all nodes of a cluster together."""

import contextlib
import re

import pytest

import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    join, redis, session, start_nodes, start_redis,
)
from control_client import told
from relay_client import ProtocolConnection
from waiting import wait_for

MEGA = 1000 * 1000
PART = MEGA // 10
ROWS = b"st:{relay}:rows:quota"


@pytest.fixture
def counting(start_nodes, tmp_path):
    """counting(COUNT, OPTION=VALUE) starts nodes that count together; `instead`: the node that the
    new one is a new process of."""
    def start(count, instead=None, wait=True, reach=True, **options):
        nodes = start_nodes(0, wait=False)
        for _ in range(count):
            number = nodes.index(instead) if instead else len(nodes)
            section = {"month": "10MB", "count": "relayed", "time-zone": "UTC", "shared": "yes",
                       "state-required": "no", "save-interval": "1s",
                       "state-file": tmp_path / f"quota-{number}.state",
                       **{name.replace("_", "-"): value for name, value in options.items()}}
            nodes = start_nodes(1, wait, modules=("quota",), sections={"quota": section},
                                cluster={"node": instead.name} if instead else None)
        if instead:
            nodes[-1].name = instead.name
            nodes[-1].wait_for_metric("registry_reachable", int(reach))
        return nodes

    return start


def quota(node, name, label='{period="month"}'):
    _, _, body = node.get("/metrics")
    found = re.search(rf"^strelaysrv_quota_{name}{re.escape(label)} (\S+)$", body.decode(),
                      re.MULTILINE)
    assert found, body.decode()
    return int(float(found.group(1)))


def used(node):
    return quota(node, "used_bytes")


def own(node):
    """What it has used itself; two numbers of different times are none."""
    while True:
        both, others = used(node), quota(node, "others_bytes")
        if both == used(node):
            return both - others


def relay(node, identities, size):
    """That many bytes and a few more pass in a session of that node; returns what it has used."""
    before = own(node)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(join(node, identities[0]))
        one, other = (stack.enter_context(end) for end in session(node, identities[1], device))
        for _ in range(size // PART):
            one.send_bytes(bytes(PART))
            other.receive_bytes(PART)
        wait_for(lambda: own(node) >= before + size, "the bytes to be counted")
    return own(node)


def wait_for_sum(nodes, wanted):
    for node in nodes:
        wait_for(lambda node=node: used(node) == wanted,
                 lambda node=node: f"{wanted} bytes at {node.name}, there are {used(node)}; "
                 f"its log:\n{node.log()}")


def refuses(node, identity):
    with ProtocolConnection(node.address, identity) as client:
        return client.ask(rp.JoinRelayRequest()) == rp.RelayFull()


def test_all_nodes_stop_at_their_sum(counting, identities):
    """None of them has used it up alone."""
    nodes = counting(3)
    sums = [relay(node, identities, 3 * MEGA) for node in nodes[:2]]
    wait_for_sum(nodes, sum(sums))
    assert not any(refuses(node, identities[5]) for node in nodes)
    sums.append(relay(nodes[2], identities, 4 * MEGA))
    wait_for_sum(nodes, sum(sums))
    for node in nodes:
        node.wait_for_log("the traffic is used up")
        assert refuses(node, identities[5])
        assert quota(node, "nodes", "") == 2
    assert "counted together with 2 other nodes" in told(nodes[0], "quota")


def test_without_the_option_each_node_counts_alone(counting, identities):
    nodes = counting(2, shared="no")
    sums = [relay(node, identities, MEGA) for node in nodes]
    assert sums == [used(node) for node in nodes]
    assert "counted together" not in told(nodes[0], "quota")


def test_redis_is_away_and_comes_back_empty(counting, redis, identities):  # noqa: F811
    """Each node goes on with what it knows; later the sum is right."""
    nodes = counting(2)
    sums = [relay(node, identities, MEGA) for node in nodes]
    wait_for_sum(nodes, sum(sums))
    redis.kill()
    for node in nodes:
        node.wait_for_metric("registry_reachable", 0)
    later = [relay(node, identities, 2 * MEGA) for node in nodes]
    assert [used(node) for node in nodes] == [later[0] + sums[1], later[1] + sums[0]]
    redis.start()
    wait_for_sum(nodes, sum(later))
    nodes[0].wait_for_metric("shared_unstored", 0)


def test_what_a_dead_node_has_used_still_counts(counting, redis, identities):  # noqa: F811
    """Also when Redis has lost it; and its next process goes on with it."""
    nodes = counting(2, save_interval="1m")
    first = relay(nodes[0], identities, MEGA)
    wait_for_sum(nodes, first)
    nodes[0].kill()
    redis.kill()
    nodes[1].wait_for_metric("registry_reachable", 0)
    redis.start()
    nodes[1].wait_for_metric("registry_reachable", 1)
    second = relay(nodes[1], identities, MEGA)
    assert used(nodes[1]) == first + second
    # Its file is from before: what it has told is known.
    nodes = counting(1, instead=nodes[0], wait=False)
    wait_for_sum(nodes[1:], first + second)
    wait_for(lambda: own(nodes[2]) == first, "the node to know what it has used")
    third = relay(nodes[2], identities, MEGA)
    wait_for_sum(nodes[1:], second + third)


def test_a_start_without_redis_knows_what_others_had_used(counting, redis, tmp_path,  # noqa: F811
                                                          identities):
    nodes = counting(2)
    first = relay(nodes[1], identities, MEGA)
    wait_for_sum(nodes, first)
    wait_for(lambda: str(first) in (tmp_path / "quota-0.state").read_text(), "the file")
    redis.kill()
    nodes[0].kill()
    nodes = counting(1, instead=nodes[0], wait=False, reach=False)
    wait_for_sum(nodes[2:], first)


def test_a_node_without_its_file_counts_anew(counting, tmp_path, identities):
    """What it had used is another node's now."""
    nodes = counting(2)
    first = relay(nodes[0], identities, MEGA)
    wait_for_sum(nodes, first)
    nodes[0].kill()
    (tmp_path / "quota-0.state").unlink()
    nodes = counting(1, instead=nodes[0], wait=False)
    second = relay(nodes[2], identities, MEGA)
    assert second < 2 * MEGA
    wait_for_sum(nodes[1:], first + second)


def test_a_copy_of_the_file_on_another_machine_is_another_node(counting, tmp_path, identities):
    """It counts too much rather than too little."""
    nodes = counting(1)
    first = relay(nodes[0], identities, MEGA)
    wait_for(lambda: f"node-1 0 0\n" in (tmp_path / "quota-0.state").read_text()
             and str(first) in (tmp_path / "quota-0.state").read_text(), "the file")
    (tmp_path / "quota-1.state").write_text((tmp_path / "quota-0.state").read_text())
    nodes = counting(1)
    wait_for_sum(nodes, 2 * first)


def test_foreign_values_under_its_keys(counting, redis, identities):  # noqa: F811
    """A value of a wrong type: it counts alone and says so.  Rows that no node has written do not
    count, and give way to those that one has, whatever their rank."""
    assert redis.ask("SET", ROWS, "a text") == b"+OK\r\n"
    nodes = counting(2)
    sums = [relay(node, identities, MEGA) for node in nodes]
    nodes[0].wait_for_log("a key of this cluster has somebody else's value")
    assert [used(node) for node in nodes] == sums
    assert redis.ask("DEL", ROWS) == b":1\r\n"
    wait_for_sum(nodes, sum(sums))
    for key in redis.list("HKEYS", ROWS.decode()):
        if len(key) == 32:
            assert redis.ask("HSET", ROWS, key, b"\xff" * 52) == b":0\r\n"
    assert redis.ask("HSET", ROWS, b"x" * 32, b"\xff" * 52) == b":1\r\n"
    sums[0] = relay(nodes[0], identities, MEGA)
    wait_for_sum(nodes, sum(sums))
    assert nodes[0].metric("shared_forged_total") >= 1
    nodes[0].wait_for_log("a row of the table quota has another key")


def test_without_a_cluster_the_option_is_warned_of(start_nodes, tmp_path, identities):
    section = {"month": "10MB", "shared": "yes", "state-required": "no",
               "state-file": tmp_path / "quota.state"}
    node = start_nodes(1, wait=False, alone=True, modules=("quota",),
                       sections={"quota": section})[0]
    node.wait_for_log("shared: the module cluster is not enabled")
    assert "the module cluster is not enabled" in told(node, "quota")
    assert not refuses(node, identities[0])
