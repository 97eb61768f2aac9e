# SPDX-License-Identifier: MPL-2.0
"""Nodes of a cluster that die, hang, stop, drain, or are cut off: the rows of the failure table in
modules/cluster/README.md, each with the time that it promises."""

import contextlib
import os
import re
import signal
import subprocess

import pytest

import own_network
import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    LEASE_SECONDS, NOT_FOUND, ask, hold, join, meet, redis, session, start_nodes,
    start_redis, wait_until_found, within,
)
from later import Later
from pairing import check_both_ways
from privileges import why_no_network
from relay_client import Closed, ProtocolConnection
from relay_server import free_port
from redis_proxy import start_proxy  # noqa: F401
from skip_unless import can_run


def gone(node, other):
    return node.count(rf"node {other.name} \(\w+\) is gone")


def test_a_killed_node(start_nodes, identities):
    """Its devices are dialled elsewhere, and found by the others at once; those that do not come
    back are not found."""
    nodes = start_nodes(3)
    with contextlib.ExitStack() as stack:
        lost = [stack.enter_context(join(nodes[0], one)) for one in identities[:2]]
        nodes.wait_until_claimed(2)
        nodes[0].kill()
        for device in lost:
            with pytest.raises(Closed):
                device.receive()
        again = stack.enter_context(join(nodes[1], identities[0]))
        within(LEASE_SECONDS, "a device of a killed node is found at its new one",
               lambda: isinstance(ask(nodes[2], identities[5], identities[0]),
                                  rp.SessionInvitation))
        again.invitation()
        within(LEASE_SECONDS, "the others know that a killed node is gone",
               lambda: gone(nodes[1], nodes[0]) and gone(nodes[2], nodes[0]))
        nobody = nodes[2].metric("asks_total", '{end="nobody"}')
        assert ask(nodes[2], identities[5], identities[1]) == NOT_FOUND
        # Redis says so, also when it is asked once more after a wait.
        assert nodes[2].metric("asks_total", '{end="nobody"}') in (nobody + 1, nobody + 2)


def test_an_ask_for_a_device_of_a_node_that_has_just_died(start_nodes, identities):
    """Nobody answers; the asker does not wait for longer than for a device that is not there and
    may come, plus the budget of 0.5 s."""
    nodes = start_nodes(2, sections={"relay": {"park-asks": "0"}})
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        nodes[0].kill()
        within(1, "the answer to a message that is lost",
               lambda: ask(nodes[1], identities[5], identities[0]) == NOT_FOUND)
    assert nodes[1].metric("asks_total", '{end="late"}') == 1 or gone(nodes[1], nodes[0])


def test_a_request_waits_for_a_device_that_was_elsewhere(start_nodes, tmp_path, identities):
    """At a node that has been up for long, and where the device never was: its node has just died."""
    later = Later(tmp_path / "later")
    lease = {"lease": "60s"}  # nobody knows it yet
    nodes = start_nodes(1, cluster=lease)
    start_nodes(1, cluster=lease, env=later.env, sections={"relay": {"park-asks": "10s"}})
    later.move_on(31)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        wait_until_found(nodes[1], identities[5], identities[0])
        nodes[0].kill()
    assert ask(nodes[1], identities[5], identities[6]) == NOT_FOUND
    assert not parked(nodes[1], "in_vain"), "one that nobody has ever had is not waited for"
    with ProtocolConnection(nodes[1].address, identities[5]) as client:
        client.send(rp.ConnectRequest(identities[0].id))
        nodes[1].wait_for_metric("asks_total", 1, '{end="late"}')
        with join(nodes[1], identities[0]) as device:
            assert isinstance(client.receive_answering_pings(), rp.SessionInvitation)
            device.invitation()
    assert parked(nodes[1], "answered") == 1


def parked(node, end):
    """How many requests have waited for their device, by what came of it."""
    _, _, body = node.get("/metrics")
    return int(re.search(rf'^strelaysrv_relay_requests_parked_total{{[^}}]*="{end}"}} (\d+)$',
                         body.decode(), re.MULTILINE).group(1))


def test_a_request_waits_for_the_device_of_a_killed_node(start_nodes, identities):
    """It is parked where it was asked, and answered when the device joins there."""
    nodes = start_nodes(2, sections={"relay": {"park-asks": "10s"}})
    with join(nodes[1], identities[0]):
        pass  # it was here a moment ago, so a request waits for it
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        nodes[0].kill()
    with ProtocolConnection(nodes[1].address, identities[5]) as client:
        client.send(rp.ConnectRequest(identities[0].id))
        with join(nodes[1], identities[0]) as device:
            assert isinstance(client.receive_answering_pings(), rp.SessionInvitation)
            device.invitation()


def test_a_request_waits_where_the_device_was(start_nodes, identities):
    """It comes to another node meanwhile, which is asked when the wait is over."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
    nodes.wait_until_claimed(0)
    with ProtocolConnection(nodes[0].address, identities[5]) as client:
        client.send(rp.ConnectRequest(identities[0].id))
        with join(nodes[1], identities[0]) as device:
            assert hold(client.invitation(), device.invitation(), nodes[0]) == nodes[1].address


def test_a_node_hangs_and_wakes(start_nodes, identities):
    """One device stays with it, another one has moved meanwhile."""
    nodes = start_nodes(3)
    with contextlib.ExitStack() as stack:
        stays = stack.enter_context(join(nodes[0], identities[0]))
        moved = stack.enter_context(join(nodes[0], identities[1]))
        nodes.wait_until_claimed(2)
        nodes[0].send_signal(signal.SIGSTOP)
        try:
            new = stack.enter_context(join(nodes[1], identities[1]))
            within(LEASE_SECONDS, "the others ignore a node that hangs",
                   lambda: gone(nodes[1], nodes[0]) and gone(nodes[2], nodes[0]))
            assert ask(nodes[2], identities[5], identities[0]) == NOT_FOUND
            assert meet(nodes[2], identities[5], new) == nodes[1].address
        finally:
            nodes[0].send_signal(signal.SIGCONT)
        within(LEASE_SECONDS, "its devices are found when it wakes",
               lambda: isinstance(ask(nodes[2], identities[5], identities[0]),
                                  rp.SessionInvitation))
        nodes[0].wait_for_log("this node's lease was over for a while")
        stays.invitation()
        # The old connection does not answer, so the new one wins, and is found all the time.
        while not nodes[0].metric("replaced_total"):
            assert meet(nodes[2], identities[5], new) == nodes[1].address
        with pytest.raises((Closed, AssertionError)):
            while moved.receive() == rp.Ping():
                pass
        assert meet(nodes[0], identities[5], new) == nodes[1].address
        nodes.wait_until_claimed(2)


def test_a_connection_that_lives_stays_when_its_node_wakes(start_nodes, identities):
    """The device came to another node because its own one hung, and answers at both: as on one
    machine, the older connection stays, and the newer one ends."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as old:
        nodes.wait_until_claimed(1)
        nodes[0].send_signal(signal.SIGSTOP)
        try:
            nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
            new = join(nodes[1], identities[0])
        finally:
            nodes[0].send_signal(signal.SIGCONT)
        with new:
            assert old.receive() == rp.Ping()
            old.send(rp.Pong())
            with pytest.raises(Closed):
                while True:
                    new.receive()
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[5], old) == nodes[0].address


def test_a_node_that_stops_is_gone_at_once(start_nodes, identities):
    """Sooner than one that was killed before it."""
    nodes = start_nodes(3)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        nodes[2].kill()
        assert nodes[0].stop() == 0
        within(1, "a node that stops is gone", lambda: gone(nodes[1], nodes[0]))
    assert not gone(nodes[1], nodes[2])
    assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
    nodes[1].wait_for_log(r"node node-3 \(\w+\) is gone")


def places(node, asker, devices):
    """Where sessions with these devices are held.  A drain sends the first device away at once, and
    the next one much later: one that has just been sent away does not count."""
    found = set()
    for device in devices:
        try:
            device.check_alive()
            found.add(meet(node, asker, device))
        except (Closed, AssertionError):
            with pytest.raises((Closed, AssertionError)):
                for _ in range(3):
                    device.check_alive()
    return found


def test_a_node_that_drains(start_nodes, identities):
    """A session there goes on; the next ones are held elsewhere at once, also those for devices
    that are still there and those that they ask for; nobody is refused."""
    nodes = start_nodes(3, drain_spread="1h")
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(nodes[0], one)) for one in identities[:6]]
        there = stack.enter_context(join(nodes[1], identities[6]))
        nodes.wait_until_claimed(7)
        ends = session(nodes[1], identities[10], devices[0])
        for end in ends:
            stack.enter_context(end)
        client = stack.enter_context(ProtocolConnection(nodes[0].address, identities[11]))
        client.check_alive()
        nodes[2].kill()
        nodes[0].send_signal(signal.SIGUSR1)
        within(1, "the others know that a node drains",
               lambda: nodes[1].metric("nodes", '{state="draining"}') == 1)
        assert not gone(nodes[1], nodes[2])
        check_both_ways(*ends)
        assert places(nodes[1], identities[10], devices[1:]) == {nodes[1].address}
        # A client that is still there, or comes there, asks for a device elsewhere, and for one there.
        client.send(rp.ConnectRequest(there.identity.id))
        assert hold(client.invitation(), there.invitation(), nodes[0]) == nodes[1].address
        assert places(nodes[0], identities[10], devices[1:]) == {nodes[1].address}
        assert ask(nodes[0], identities[10], identities[12]) == NOT_FOUND
        check_both_ways(*ends)
        for end in ends:
            end.close()
        assert nodes[0].running()


def test_a_node_that_drains_and_has_lost_the_other_one(start_nodes, identities):
    """When that is back, it holds the sessions."""
    nodes = start_nodes(2, drain_spread="1h")
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(nodes[0], one)) for one in identities[:4]]
        nodes.wait_until_claimed(4)
        nodes[0].send_signal(signal.SIGUSR1)
        nodes[1].wait_for_metric("nodes", 1, '{state="draining"}')
        nodes[1].send_signal(signal.SIGSTOP)
        try:
            nodes[0].wait_for_log(r"node node-2 \(\w+\) is gone")
        finally:
            nodes[1].send_signal(signal.SIGCONT)
        nodes.wait_until_they_know_each_other()
        assert places(nodes[1], identities[10], devices) == {nodes[1].address}


# Messages that are lost.


@pytest.mark.parametrize("kind, name", [(4, "ask"), (5, "answer")])
def test_a_lost_message_is_sent_again(start_nodes, start_proxy, redis, identities,  # noqa: F811
                                      kind, name):
    proxies = [start_proxy(), start_proxy()]
    nodes = start_nodes(1, servers=proxies[0].server)
    start_nodes(1, servers=proxies[1].server)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        proxies[0 if name == "ask" else 1].lose(1, kind)
        with ProtocolConnection(nodes[1].address, identities[1]) as client:
            client.send(rp.ConnectRequest(identities[0].id))
            answer = within(1, f"the answer when an {name} was lost",
                            client.receive_answering_pings)
        assert isinstance(answer, rp.SessionInvitation)
        assert sum(proxy.dropped for proxy in proxies) == 1
        wanted = device.invitation()
        assert wanted.key != answer.key
        assert hold(answer, wanted, nodes[1]) == nodes[0].address
        # It was invited once.
        device.check_alive()


def test_a_message_that_is_lost_twice_is_not_found(start_nodes, start_proxy,  # noqa: F811
                                                   identities):
    proxy = start_proxy()
    nodes = start_nodes(1, servers=proxy.server)
    start_nodes(1, sections={"relay": {"park-asks": "0"}})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        proxy.lose(2, 4)
        answer = within(1, "the answer when both asks were lost",
                        lambda: ask(nodes[1], identities[1], identities[0]))
        assert answer == NOT_FOUND
        assert proxy.dropped == 2
        nodes[1].wait_for_metric("asks_total", 1, '{end="late"}')
        assert meet(nodes[1], identities[1], device) == nodes[0].address


def test_lost_claims_are_told_again(start_nodes, start_proxy, identities):  # noqa: F811
    """The message to the former owner is lost, and the one after."""
    proxy = start_proxy()
    nodes = start_nodes(1, servers=proxy.server)
    start_nodes(1)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        proxy.lose(2, 8)
        with join(nodes[1], identities[0]) as device:
            nodes[0].wait_for_metric("replaced_total", 1)
            assert proxy.dropped == 2
            nodes.wait_until_claimed(1)
            assert meet(nodes[0], identities[1], device) == nodes[1].address


# Partitions.


class Network:
    """Addresses of the loopback interface that can be cut off."""

    def run(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def cut(self, address):
        self.run("route", "add", "blackhole", address, "table", "local")

    def heal(self, address):
        self.run("route", "del", "blackhole", address, "table", "local")


@pytest.fixture
def network():
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        own_network.make()
        yield Network()
    finally:
        own_network.go_back(before)


partition = can_run("NETWORK", why_no_network())


@partition
def test_a_node_that_is_cut_off_from_redis(network, start_redis, start_nodes,  # noqa: F811
                                           identities):
    """It serves its own devices.  The others ignore it after the lease."""
    server = start_redis("bind 127.0.0.1 127.0.0.2 127.0.0.3", port=free_port())
    nodes = start_nodes(1, servers=f"127.0.0.2:{server.port}")
    start_nodes(2, servers=f"127.0.0.3:{server.port}")
    with join(nodes[0], identities[0]) as device, join(nodes[1], identities[1]) as other:
        nodes.wait_until_claimed(2)
        network.cut("127.0.0.2")
        within(LEASE_SECONDS, "a node that is cut off from Redis is ignored",
               lambda: gone(nodes[1], nodes[0]))
        nodes[0].wait_for_log("the registry cannot be reached")
        assert meet(nodes[0], identities[5], device) == nodes[0].address
        assert ask(nodes[0], identities[5], identities[1]) == NOT_FOUND
        assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
        assert meet(nodes[2], identities[5], other) == nodes[1].address
        network.heal("127.0.0.2")
        within(5, "its devices are found when it can reach Redis again",
               lambda: isinstance(ask(nodes[1], identities[5], identities[0]),
                                  rp.SessionInvitation))
        device.invitation()
        nodes.wait_until_they_know_each_other()
        assert meet(nodes[0], identities[5], other) == nodes[1].address


@partition
def test_a_node_that_is_cut_off_from_its_clients(network, start_redis, start_nodes,  # noqa: F811
                                                 identities):
    """It has its lease, and its devices seem to be there.  They dial another node, which has them
    from then on."""
    server = start_redis("bind 127.0.0.1 127.0.0.2 127.0.0.3", port=free_port())
    nodes = start_nodes(3, servers=f"127.0.0.2:{server.port}")
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        network.cut(nodes[0].host)
        with join(nodes[1], identities[0]) as device:
            within(1, "a device is found at the node that it has come to",
                   lambda: isinstance(ask(nodes[2], identities[5], identities[0]),
                                      rp.SessionInvitation))
            device.invitation()
            assert meet(nodes[2], identities[5], device) == nodes[1].address
            network.heal(nodes[0].host)
            within(5, "the connection that is cut off is replaced",
                   lambda: nodes[0].metric("replaced_total") == 1)
            assert meet(nodes[0], identities[5], device) == nodes[1].address
