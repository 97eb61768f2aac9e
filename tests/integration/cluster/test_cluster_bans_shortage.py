# SPDX-License-Identifier: MPL-2.0
"""Memory is short at a node that shares bans and a quota: whatever fails, all agree in the end."""

import pytest

import faults
from cluster_nodes import join, redis, session, start_nodes, start_redis  # noqa: F401
from control_client import metric, shown, told
from device_id import to_text
from waiting import wait_for

pytestmark = faults.needs_memory

MOST = 24


@pytest.fixture
def fault(tmp_path):
    return faults.Faults(tmp_path)


@pytest.fixture
def nodes(start_nodes, fault, tmp_path):
    """Memory is short at the first one only."""
    for number, env in enumerate((fault.environment, None)):
        (tmp_path / f"bans-{number}").write_text("new\n")
        sections = {"access": {"shared": "yes", "bans": tmp_path / f"bans-{number}"},
                    "quota": {"month": "100MB", "count": "relayed", "time-zone": "UTC",
                              "shared": "yes", "state-required": "no",
                              "state-file": tmp_path / f"quota-{number}.state"}}
        nodes = start_nodes(1, modules=("access", "quota"), sections=sections,
                            **({"env": env} if env else {}))
    return nodes


def banned(node):
    return {row["device"] for row in shown(node, "bans")}


def used(node):
    return metric(node, 'strelaysrv_quota_used_bytes{period="month"}')


def fails(fault, number, act):
    """That allocation from now on fails, and the next one; act() is at the other node."""
    fault.begin(faults.MEMORY, number, 2)
    act()
    # Each look at the state file of the quota has some.
    wait_for(lambda: fault.failed >= 2, "memory to be short")
    fault.end()


def test_bans_of_another_node(nodes, fault, identities):
    """A ban is told to it, and then the end of that ban."""
    name = to_text(identities[0].id)
    for number in range(1, MOST + 1):
        command, wanted = ("ban", {name}) if number % 2 else ("unban", set())
        fails(fault, number, lambda command=command: told(nodes[1], command, name))
        wait_for(lambda wanted=wanted: banned(nodes[0]) == wanted,
                 lambda wanted=wanted: f"{wanted}: {banned(nodes[0])}; {nodes[0].log()}")
    for node in nodes:
        wait_for(lambda node=node: node.metric("shared_unstored") == 0, "all to be told")


def test_what_is_used(nodes, fault, identities):
    """At both, while memory is short at one of them."""
    def use(node):
        with join(node, identities[0]) as device:
            for end in session(node, identities[1], device):
                end.close()

    for number in range(1, MOST + 1):
        fails(fault, number, lambda: use(nodes[1]))
    use(nodes[0])
    wait_for(lambda: 0 < used(nodes[0]) == used(nodes[1]),
             lambda: f"one sum: {used(nodes[0])}, {used(nodes[1])}")
