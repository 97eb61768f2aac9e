# SPDX-License-Identifier: MPL-2.0
"""Redis goes away, is slow, forgets, fails over: the rows of the failure table that are about it."""

import contextlib
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, start_nodes, start_redis, wait_until_found, within,
)
from later import Later
from redis_proxy import start_proxy  # noqa: F401
from relay_client import Closed
from relay_protocol import SessionInvitation
from relay_server import free_port
from waiting import PATIENCE, wait_for


def is_found(node, asker, target):
    return isinstance(ask(node, asker, target), SessionInvitation)


def entry(server, identity):
    return server.ask("EXISTS", b"st:{relay}:d:" + identity.id) == b":1\r\n"


def follow(server, primary):
    """Makes a server a replica, and waits until it has all."""
    assert server.ask("REPLICAOF", "127.0.0.1", primary.port) == b"+OK\r\n"
    wait_for(lambda: link_is_up(server), "the replica to have all")


def link_is_up(server):
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        sock.sendall(b"INFO replication\r\n")
        stream = sock.makefile("rb")
        return b"master_link_status:up" in stream.read(int(stream.readline()[1:]))


def test_it_is_back_empty(start_nodes, redis, identities):  # noqa: F811
    """All devices are claimed again within seconds."""
    nodes = start_nodes(2)
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(nodes[i % 2], one))
                   for i, one in enumerate(identities[:12])]
        nodes.wait_until_claimed(12)
        redis.kill()
        for node in nodes:
            node.wait_for_metric("registry_reachable", 0)
        redis.start()
        within(5, "all devices are claimed again",
               lambda: all(entry(redis, one) for one in identities[:12]))
        nodes.wait_until_they_know_each_other()
        for i, device in enumerate(devices):
            assert meet(nodes[1 - i % 2], identities[15], device) == nodes[i % 2].address
    for node in nodes:
        assert node.metric("registry_lost_total") == 1


def test_it_is_back_with_old_data(start_nodes, redis, identities):  # noqa: F811
    """From before a device has moved, one has left, and one has come."""
    nodes = start_nodes(2)
    with contextlib.ExitStack() as stack:
        with join(nodes[0], identities[0]), join(nodes[0], identities[1]):
            nodes.wait_until_claimed(2)
            assert redis.ask("SAVE") == b"+OK\r\n"
        nodes.wait_until_claimed(0)
        moved = stack.enter_context(join(nodes[1], identities[0]))
        new = stack.enter_context(join(nodes[1], identities[2]))
        nodes.wait_until_claimed(2)
        # With equal epochs chance decides, and who loses asks its device for a sign of life.
        invited = stack.enter_context(ThreadPoolExecutor(1)).submit(moved.invitation)
        redis.kill()
        redis.start()
        nodes.wait_until_they_know_each_other()
        within(5, "a device is found where it is, and not where it was",
               lambda: is_found(nodes[0], identities[5], identities[0]))
        invited.result()
        assert meet(nodes[0], identities[5], moved) == nodes[1].address
        within(5, "a device is found that has come since",
               lambda: is_found(nodes[0], identities[5], identities[2]))
        new.invitation()
        assert meet(nodes[0], identities[5], new) == nodes[1].address
        assert ask(nodes[1], identities[5], identities[1]) == NOT_FOUND
    nodes.wait_until_claimed(0)
    # The ask for it has shown that it is not there, and its entry is gone.
    wait_for(lambda: not entry(redis, identities[1]), "the old entry to be removed")


def test_it_is_slow(start_nodes, start_proxy, identities):  # noqa: F811
    """Each answer comes after a second: nobody waits for that."""
    proxy = start_proxy()
    nodes = start_nodes(2, servers=proxy.server, sections={"relay": {"park-asks": "0"}})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        proxy.delay = 1
        for node in nodes:
            node.wait_for_metric("registry_reachable", 0)
        assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
        within(1, "a local request while Redis is slow",
               lambda: meet(nodes[0], identities[5], device) == nodes[0].address)
        with join(nodes[1], identities[1]) as other:
            assert meet(nodes[1], identities[5], other) == nodes[1].address
            proxy.delay = 0
            nodes.wait_until_they_know_each_other()
            nodes.wait_until_claimed(2)
            wait_until_found(nodes[0], identities[5], identities[1])
            wait_until_found(nodes[1], identities[5], identities[0])
    assert not any(node.held_up() for node in nodes)


def test_it_is_a_little_slow(start_nodes, start_proxy, identities):  # noqa: F811
    """Within its time."""
    proxy = start_proxy()
    nodes = start_nodes(2, servers=proxy.server)
    proxy.delay = 0.03
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[5], device) == nodes[0].address
    assert not sum(node.metric("registry_lost_total") for node in nodes)


def test_it_says_nothing_more(start_nodes, start_proxy, identities):  # noqa: F811
    """As one behind a network that is gone: no connection ends."""
    proxy = start_proxy()
    nodes = start_nodes(2, servers=proxy.server)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        proxy.silent.set()
        for node in nodes:
            node.wait_for_metric("registry_reachable", 0)
        assert meet(nodes[0], identities[5], device) == nodes[0].address
        proxy.silent.clear()
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        wait_until_found(nodes[1], identities[5], identities[0])


def test_it_forgets_its_scripts(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        redis.ask("SCRIPT", "FLUSH")
        nodes[0].wait_for_log("it has forgotten the scripts, which are sent again")
        nodes.wait_until_they_know_each_other()
        wait_until_found(nodes[1], identities[5], identities[0])


def test_it_has_lost_single_entries(start_nodes, redis, tmp_path, identities):  # noqa: F811
    """Each is checked within four minutes, which pass here in steps that are shorter than a
    lease."""
    later = Later(tmp_path / "later")
    nodes = start_nodes(2, cluster={"lease": "60s"}, sections={"relay": {"park-asks": "0"}},
                        env={**os.environ, **later.env})
    with contextlib.ExitStack() as stack:
        lost = identities[:4]
        devices = [stack.enter_context(join(nodes[0], one)) for one in lost]
        nodes.wait_until_claimed(len(lost))
        for one in lost:
            redis.ask("DEL", b"st:{relay}:d:" + one.id)
        assert ask(nodes[1], identities[5], lost[0]) == NOT_FOUND
        for _ in range(16):
            later.move_on(15)
            checks = nodes[0].metric("claims_total")
            for device in devices:
                device.check_alive()
            assert nodes[0].metric("claims_total") >= checks
        within(1, "all entries are there again after four minutes",
               lambda: all(entry(redis, one) for one in lost))
        assert nodes[0].metric("healed_total") == len(lost)
        assert not nodes[0].count("lease was over")
        wait_until_found(nodes[1], identities[5], lost[0])


def test_all_is_lost_in_silence(start_nodes, redis, tmp_path, identities):  # noqa: F811
    """FLUSHALL: also the leases and the relay's ID."""
    later = Later(tmp_path / "later")
    nodes = start_nodes(2, cluster={"lease": "60s"}, env={**os.environ, **later.env})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.ask("FLUSHALL")
        for _ in range(16):
            later.move_on(15)
            device.check_alive()
        within(1, "the device is found after four minutes",
               lambda: is_found(nodes[1], identities[5], identities[0]))


def test_a_failover_to_a_replica_that_lags(start_nodes, start_redis, start_proxy,  # noqa: F811
                                           identities):
    """The new primary does not know the last device.  It is claimed there at once."""
    first, second = start_redis(port=free_port()), start_redis(port=free_port())
    between = start_proxy(first, replicates=True)
    nodes = start_nodes(2, servers=[first.address, second.address])
    with join(nodes[0], identities[0]) as known:
        nodes.wait_until_claimed(1)
        second.ask("REPLICAOF", "127.0.0.1", between.server.split(":")[1])
        wait_for(lambda: entry(second, identities[0]), "the replica to have all")
        between.silent.set()
        with join(nodes[0], identities[1]) as unknown:
            nodes.wait_until_claimed(2)
            assert not entry(second, identities[1])
            second.ask("REPLICAOF", "NO", "ONE")
            first.ask("REPLICAOF", "127.0.0.1", second.port)
            within(5, "a device that the replica did not know is found",
                   lambda: entry(second, identities[1])
                   and is_found(nodes[1], identities[5], identities[1]))
            unknown.invitation()
            assert meet(nodes[1], identities[5], known) == nodes[0].address
            assert meet(nodes[1], identities[5], unknown) == nodes[0].address


def test_the_primary_dies_and_a_replica_takes_over(start_nodes, start_redis,  # noqa: F811
                                                   identities):
    first, second = start_redis(port=free_port()), start_redis(port=free_port())
    follow(second, first)
    nodes = start_nodes(2, servers=[first.address, second.address])
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        wait_for(lambda: entry(second, identities[0]), "the replica to have all")
        first.kill()
        second.ask("REPLICAOF", "NO", "ONE")
        within(5, "the other server is used",
               lambda: all(node.metric("registry_reachable") for node in nodes)
               and is_found(nodes[1], identities[5], identities[0]))
        device.invitation()
        with join(nodes[1], identities[1]) as new:
            nodes.wait_until_claimed(2)
            assert meet(nodes[0], identities[5], new) == nodes[1].address


def test_sentinel_names_another_primary(start_nodes, start_redis,  # noqa: F811
                                        identities):
    first, second = start_redis(port=free_port()), start_redis(port=free_port())
    follow(second, first)
    sentinel = start_redis.sentinel(first)
    wait_for(lambda: str(second.port) in (sentinel.try_call("SENTINEL", "replicas", "main") or ""),
             "the Sentinel to know the replica")
    nodes = start_nodes(2, servers=f"127.0.0.1:{sentinel.port}",
                        cluster={"sentinel-master": "main"})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        first.kill()
        wait_for(lambda: str(second.port) in (sentinel.try_call(
            "SENTINEL", "get-master-addr-by-name", "main") or ""), "the Sentinel to choose the replica")
        within(5, "the primary that the Sentinel names is used",
               lambda: all(node.metric("registry_reachable") for node in nodes)
               and is_found(nodes[1], identities[5], identities[0]))
        device.invitation()
        assert meet(nodes[1], identities[5], device) == nodes[0].address


def test_two_halves_with_a_primary_each_meet(start_nodes, start_redis, identities):  # noqa: F811
    """A device is in both: once with a connection that has been dead for long."""
    first, second = start_redis(port=free_port()), start_redis(port=free_port())
    nodes = start_nodes(1, servers=[first.address])
    start_nodes(1, wait=False, servers=[second.address])
    for node in nodes:
        node.wait_for_metric("registry_reachable", 1)
        assert node.metric("nodes", '{state="open"}') == 1
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(join(nodes[0], identities[0]))
        other = stack.enter_context(join(nodes[0], identities[1]))
        for _ in range(3):  # its epoch rises
            with join(nodes[1], identities[0]):
                nodes[1].wait_for_metric("devices", 1)
            nodes[1].wait_for_metric("devices", 0)
        new = stack.enter_context(join(nodes[1], identities[0]))
        third = stack.enter_context(join(nodes[1], identities[2]))
        nodes.wait_until_claimed(4)
        assert ask(nodes[1], identities[5], identities[1]) == NOT_FOUND
        second.ask("REPLICAOF", "127.0.0.1", first.port)
        nodes.wait_until_they_know_each_other()
        within(5 + 5, "the connection that does not answer is replaced",
               lambda: nodes[0].metric("replaced_total") == 1)
        nodes.wait_until_claimed(3)
        assert meet(nodes[0], identities[5], new) == nodes[1].address
        assert meet(nodes[1], identities[5], other) == nodes[0].address
        assert meet(nodes[0], identities[5], third) == nodes[1].address
        with pytest.raises(Closed):
            while True:
                old.receive()


def test_a_password_that_changes(start_nodes, redis, tmp_path, identities):  # noqa: F811
    """Redis asks for another one from now on; a reload reads it."""
    password = tmp_path / "password"
    password.write_text("old\n")
    redis.ask("CONFIG", "SET", "requirepass", "old")
    nodes = start_nodes(2, cluster={"password-file": password})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[5], device) == nodes[0].address
        password.write_text("new\n")
        subprocess.run(["redis-cli", "-p", str(redis.port), "-a", "old", "--no-auth-warning",
                        "CONFIG", "SET", "requirepass", "new"], check=True, capture_output=True)
        for node in nodes:
            done, log = node.reload()
            assert done, log
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        wait_until_found(nodes[1], identities[5], identities[0])


def test_it_is_stopped_for_longer_than_a_lease(start_nodes, redis, identities):  # noqa: F811
    """When it goes on, the leases there are over, and are written again at once."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.stop()
        try:
            for node in nodes:
                node.wait_for_log("is gone")
            assert meet(nodes[0], identities[5], device) == nodes[0].address
        finally:
            redis.go_on()
        within(5, "devices are found when Redis goes on",
               lambda: is_found(nodes[1], identities[5], identities[0]))


def test_an_answer_that_nobody_has_asked_for(start_nodes, start_proxy, identities):  # noqa: F811
    """The connection is given up, because no later answer could be trusted."""
    proxy = start_proxy()
    nodes = start_nodes(1, servers=proxy.server)
    start_nodes(1)
    told = []

    def twice(value):
        if told or not value.startswith(b"*3\r\n$6\r\nmaster"):  # to ROLE, each second
            return 1
        told.append(value)
        return 2

    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        proxy.keep = twice
        nodes[0].wait_for_log("the registry cannot be reached .*it answers what was not asked")
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        for node in nodes:
            assert meet(node, identities[1], device) == nodes[0].address
