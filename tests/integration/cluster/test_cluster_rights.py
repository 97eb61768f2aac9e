# SPDX-License-Identifier: MPL-2.0
"""A user of Redis with the rights that modules/cluster/README.md lists."""

import re

from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, start_nodes, start_redis,
)
from control_client import shown, told
from device_id import to_text
from redis_rights import denied, make_user, rights
from relay_server import ROOT
from waiting import wait_for


def words(redis):  # noqa: F811
    """The commands that were called so far."""
    lines = redis.call("INFO", "commandstats").split()
    return {line.split(":")[0].removeprefix("cmdstat_") for line in lines if ":" in line}


def test_the_listed_rights_are_enough(start_nodes, redis, tmp_path, identities):  # noqa: F811
    """For all that nodes do: joins, requests, leases, a node that dies, one that stops."""
    cluster = {**make_user(redis, tmp_path), "database": 3}
    nodes = start_nodes(2, cluster=cluster)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[1], device) == nodes[0].address
    nodes.wait_until_claimed(0)
    assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
    nodes[1].kill()
    nodes[0].wait_for_log(r"node node-2 \(\w+\) is gone")
    nodes.remove(nodes[1])
    start_nodes(1, cluster=cluster, host="127.0.0.19")
    wait_for(lambda: "srem" in words(redis), "the dead node to be forgotten")
    assert nodes[1].stop() == 0
    assert denied(redis) == ""
    for node in nodes:
        assert not node.count("does not allow|does not tell|refuses"), node.log()
    assert nodes[0].metric("registry_faults_total", '{kind="rights"}') == 0


def test_they_are_enough_for_shared_bounds(start_nodes, redis, tmp_path, identities):  # noqa: F811
    """A ban, its end, and quotas; and what Redis has lost is written again."""
    for number in range(2):
        (tmp_path / f"bans-{number}").write_text("new\n")
        nodes = start_nodes(1, modules=("access", "quota"), cluster=make_user(redis, tmp_path),
                            sections={
            "access": {"shared": "yes", "bans": tmp_path / f"bans-{number}"},
            "quota": {"shared": "yes", "state-required": "no", "day": "1GB",
                      "state-file": tmp_path / f"quota-{number}.state"}})
    device = to_text(identities[0].id)
    told(nodes[0], "ban", device)
    for node in nodes:
        wait_for(lambda node=node: shown(node, "bans"), "the ban")
    redis.call("FLUSHALL")
    wait_for(lambda: not any(node.metric("shared_unstored") for node in nodes)
             and redis.call("EXISTS", "st:{relay}:rows:bans"), "the ban to be stored again")
    told(nodes[1], "unban", device)
    for node in nodes:
        wait_for(lambda node=node: not shown(node, "bans"), "the end of the ban")
    assert denied(redis) == ""


def test_each_command_of_a_script_is_listed():
    """Some are for what happens after days only."""
    scripts = (ROOT / "modules/cluster/redis/scripts.c").read_text()
    called = {word.lower() for word in re.findall(r"redis\.call\('(\w+)'", scripts)}
    assert len(called) > 10
    assert {f"+{word}" for word in called} <= set(rights())
