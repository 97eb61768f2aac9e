# SPDX-License-Identifier: MPL-2.0
"""Another module is the registry, instead of Redis: nodes find each other's devices by it."""

import pytest

from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, start_nodes, start_redis,
)
from control_client import shown, told as tell
from device_id import to_text
from registry_broker import Broker
from waiting import wait_for


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path / "broker")
    yield started
    started.stop()


@pytest.fixture
def start_brokered(broker, start_nodes):  # noqa: F811
    """As start_nodes().  Nobody listens where Redis would be."""
    def start(*args, modules=(), sections=None, **options):
        return start_nodes(
            *args, servers=str(broker.path) + "-no-redis", modules=("brokered", *modules),
            sections={"brokered": {"socket": broker.path}, **(sections or {})}, **options)
    return start


@pytest.mark.parametrize("workers", [1, 2])
def test_devices_of_other_nodes_are_found(start_brokered, broker, identities, workers):
    nodes = start_brokered(2, workers=workers)
    with join(nodes[0], identities[0]) as device, join(nodes[1], identities[2]) as other:
        nodes.wait_until_claimed(2)
        assert meet(nodes[1], identities[1], device) == nodes[0].address
        assert meet(nodes[0], identities[1], other) == nodes[1].address
        assert set(broker.devices) == {identities[0].id, identities[2].id}
    nodes.wait_until_claimed(0)
    wait_for(lambda: not broker.devices, lambda: f"an empty broker; it has {broker.devices}")


@pytest.mark.parametrize("empty", [False, True])
def test_the_broker_goes_away_and_comes_back(start_brokered, broker, identities, empty):
    nodes = start_brokered(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        broker.stop()
        for node in nodes:
            node.wait_for_log(r"the registry cannot be reached \(the broker is gone\)")
            node.wait_for_metric("registry_reachable", 0)
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        with join(nodes[1], identities[2]) as other:
            if empty:
                broker.forget()
            broker.start()
            nodes.wait_until_they_know_each_other()
            nodes.wait_until_claimed(2)
            assert meet(nodes[1], identities[1], device) == nodes[0].address
            assert meet(nodes[0], identities[1], other) == nodes[1].address
    for node in nodes:
        assert ("all devices are claimed again" in node.log()) == empty


def test_bans_of_all_nodes_together(start_brokered, broker, identities, tmp_path):
    """Rows of a shared table, and also for a node that comes later and after a loss."""
    def start_one(number):
        file = tmp_path / f"bans-{number}"
        file.write_text("new\n")
        return start_brokered(1, modules=("access",), sections={"access": {
            "shared": "yes", "bans": file}})

    def wait_for_bans(wanted):
        for node in nodes:
            wait_for(lambda node=node: {row["device"] for row in shown(node, "bans")} == wanted,
                     lambda node=node: f"{wanted} at {node.name}; its log:\n{node.log()}")

    names = [to_text(one.id) for one in identities[:2]]
    nodes = start_one(1)
    nodes = start_one(2)
    tell(nodes[0], "ban", names[0], "for", "9h")
    wait_for_bans({names[0]})
    nodes = start_one(3)
    wait_for_bans({names[0]})
    broker.stop()
    tell(nodes[2], "ban", names[1])
    broker.forget()
    broker.start()
    wait_for_bans(set(names))
    tell(nodes[1], "unban", names[0])
    wait_for_bans({names[1]})
