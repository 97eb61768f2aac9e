# SPDX-License-Identifier: MPL-2.0
"""Memory is short at a node while it starts, claims, asks, answers, reloads and stops: one allocation
after the other fails.  It goes on, and the next device is found."""

import contextlib
import random

import pytest

import call_sites
import faults
import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    NOT_FOUND, Node, ask, join, meet, redis, start_nodes, start_redis, wait_until_found,
)
from redis_proxy import start_proxy  # noqa: F401
from relay_client import Closed, ProtocolConnection
from waiting import wait_for

pytestmark = faults.needs_memory

SEED, MOST = 21, 40


@pytest.fixture
def fault(tmp_path):
    return faults.Faults(tmp_path)


@pytest.fixture
def nodes(start_nodes, fault):
    """Memory is short at the first one only."""
    found = start_nodes(1, env=fault.environment, sections={"relay": {"park-asks": "0"}})
    return start_nodes(1, sections={"relay": {"park-asks": "0"}}) and found


def cases(fault, run):
    """Counts the allocations of run(), and yields the numbers of those that are to fail."""
    run()  # what is set up for the first time is not counted
    fault.begin(faults.MEMORY)
    run()
    count = fault.end()
    assert count
    return faults.sample(count, MOST, SEED)


def attempt(run):
    """Clients may be refused, but nobody waits for ever."""
    try:
        return run()
    except (Closed, OSError):
        return None
    except AssertionError as error:
        assert "nothing came" not in str(error) and "gave up" not in str(error), error
        return None


def check(nodes, identities):
    """Both find the devices of the other."""
    nodes.wait_until_they_know_each_other()
    wait_for(lambda: sum(node.metric("devices") for node in nodes) == 0, "all devices to leave")
    for here, there in (nodes, nodes[::-1]):
        with join(here, identities[0]):
            wait_until_found(there, identities[1], identities[0])
        wait_for(lambda here=here: here.metric("devices") == 0, "the device to leave")


@pytest.mark.parametrize("length", [1, 3])
def test_a_join(nodes, fault, identities, length):
    """The device is found, or must join again; it is not claimed for ever."""
    def run():
        with join(nodes[0], identities[2]) as device:
            device.check_alive()

    failed = 0
    for number in cases(fault, run):
        fault.begin(faults.MEMORY, number, length)
        attempt(run)
        fault.end()
        failed += fault.failed
    assert failed
    check(nodes, identities)
    wait_for(lambda: not nodes[0].metric("unclaimed"), "all claims")


def test_a_claim_and_its_answer(nodes, fault, redis, identities):  # noqa: F811
    """Whatever fails, a device that has joined is found, and one that has left is not, within seconds
    of when there is memory again."""
    def entry():
        return redis.ask("EXISTS", b"st:{relay}:d:" + identities[2].id) == b":1\r\n"

    def run():
        with join(nodes[0], identities[2]) as device:
            # The connection may end for want of memory, too.
            wait_for(lambda: entry() or device.check_alive(),
                     lambda: f"the claim: {nodes[0].log()[-3000:]}")

    for number in cases(fault, run):
        fault.begin(faults.MEMORY, number)
        attempt(run)
        fault.end()
        wait_for(lambda: nodes[0].metric("devices") == 0 and not entry(), "the device to leave")
    check(nodes, identities)


def test_a_request_for_a_device_elsewhere(nodes, fault, identities):
    """It is answered, by `not found` if need be."""
    answers = set()
    with join(nodes[1], identities[2]) as device:
        wait_until_found(nodes[0], identities[3], identities[2])
        device.invitation()

        def run():
            answer = ask(nodes[0], identities[3], identities[9])
            answers.add(answer)

        for number in cases(fault, run):
            fault.begin(faults.MEMORY, number)
            attempt(run)
            fault.end()
        assert answers <= {NOT_FOUND}
    check(nodes, identities)


def test_a_request_of_another_node(nodes, fault, identities):
    """The owner's memory is short: the asker is answered all the same."""
    with join(nodes[0], identities[2]) as device:
        nodes.wait_until_claimed(1)

        def run():
            with ProtocolConnection(nodes[1].address, identities[3]) as client:
                answer = client.ask(rp.ConnectRequest(identities[2].id))
            assert answer == NOT_FOUND or isinstance(answer, rp.SessionInvitation), answer

        for number in cases(fault, run):
            fault.begin(faults.MEMORY, number)
            run()
            fault.end()
        assert device
    check(nodes, identities)


def test_a_reload(nodes, fault, identities):
    """It is done, or refused as a whole."""
    values = iter(range(1, 1_000_000))

    def run():
        done, log = nodes[0].again(capacity=f"{next(values)}MB/s")
        assert done or "memory" in log or "not reloaded" in log, log

    for number in cases(fault, run):
        fault.begin(faults.MEMORY, number)
        run()
        fault.end()
    done, log = nodes[0].again(generation=2)
    assert done, log
    check(nodes, identities)


def test_a_reload_to_another_server(nodes, fault, start_proxy, identities):  # noqa: F811
    """It may stay alone until the next reload, and says so."""
    servers = [start_proxy().server, nodes[1].options["servers"]] * 100
    turns = iter(servers)

    def run():
        done, log = nodes[0].again(servers=next(turns))
        assert done or "memory" in log or "not reloaded" in log, log
        wait_for(lambda: nodes[0].metric("registry_reachable")
                 or nodes[0].count("this node stays alone"), "Redis or a reason")

    for number in cases(fault, run):
        fault.begin(faults.MEMORY, number)
        attempt(run)
        fault.end()
    done, log = nodes[0].again(servers=nodes[1].options["servers"], generation=2)
    assert done, log
    check(nodes, identities)


def started(tmp_path, relay_keys, redis, sites):  # noqa: F811
    """A node whose calls may fail; it may have ended."""
    node = Node(tmp_path / "node-9", relay_keys, 9, redis.address, env=sites.environment)
    try:
        node.wait_for_log("core: ready")
    except AssertionError:
        node.wait_for_exit()
    return node


def cases_of(sites):
    """Places in the module.  A timer that is always pending is moved without memory."""
    found = [site for site in sites.called() if "cluster" in site.object
             and site.function != "standing_timer_set"]
    assert len(found) > 5, found
    return random.Random(SEED).sample(found, min(MOST, len(found)))


def reaches_redis(node):
    """It does, or says why not."""
    return node.metric("registry_reachable") or node.count(
        "stays alone|out of memory|no memory|cannot be reached")


def end(node):
    if node.running():
        node.kill()
    else:
        assert node.wait_for_exit() != 0 and node.count(" error |memory"), node.log()
    assert node.process.returncode in (1, -9), node.log()


def test_a_start(tmp_path, relay_keys, start_nodes, redis, identities):  # noqa: F811
    """Each call of the module that can fail does so once.  The server does not start, and says why;
    or it serves, and reaches Redis in the end or says why not."""
    nodes = start_nodes(1)
    sites = call_sites.CallSites(tmp_path)
    sites.begin()
    node = started(tmp_path, relay_keys, redis, sites)
    node.wait_for_metric("registry_reachable", 1)
    sites.end()
    end(node)
    for site in cases_of(sites):
        sites.begin(site)
        node = started(tmp_path, relay_keys, redis, sites)
        if node.running():
            wait_for(lambda node=node: reaches_redis(node), f"Redis or a reason: {site}")
        sites.end()
        end(node)
    check_alone(nodes, identities)


def test_each_call_fails(tmp_path, relay_keys, start_nodes, redis, identities):  # noqa: F811
    """While devices join, ask, and are asked for."""
    sites = call_sites.CallSites(tmp_path)
    nodes = start_nodes(1, env=sites.environment, sections={"relay": {"park-asks": "0"}})
    start_nodes(1, sections={"relay": {"park-asks": "0"}})

    def run():
        with join(nodes[0], identities[2]), join(nodes[1], identities[3]):
            for node in nodes:
                for target in identities[2:5]:
                    answer = ask(node, identities[5], target)
                    assert answer == NOT_FOUND or isinstance(answer, rp.SessionInvitation)

    run()
    sites.begin()
    run()
    sites.end()
    for site in cases_of(sites):
        sites.begin(site)
        attempt(run)
        sites.end()
    check(nodes, identities)


def check_alone(nodes, identities):
    with join(nodes[0], identities[0]) as device:
        assert meet(nodes[0], identities[1], device) == nodes[0].address


def test_a_stop(start_nodes, fault, identities):
    """Its goodbye may be lost.  It ends as usual."""
    nodes = start_nodes(1)
    for number in (1, 2, 3, 5, 8, 13):
        start_nodes(1, wait=False, env=fault.environment)
        node = nodes.pop()
        node.wait_for_metric("registry_reachable", 1)
        fault.begin(faults.MEMORY, number, 0)
        code = node.stop()
        fault.end()
        assert code == 0, node.log()
    check_alone(nodes, identities)
