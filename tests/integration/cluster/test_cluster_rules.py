# SPDX-License-Identifier: MPL-2.0
"""What applies to requests between nodes: address families, bounds, rules of other modules, and where
sessions are held."""

import contextlib
import ipaddress
import signal

import pytest

import device_id
import relay_protocol as rp
import relay_server
from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, hold, join, meet, redis, session, start_nodes, start_redis,
    wait_until_found,
)
from control_client import shown
from pairing import check_both_ways
from quota_clock import clock  # noqa: F401
from relay_client import Closed, ProtocolConnection, SessionConnection
from verdict_endpoint import Endpoint, says
from waiting import wait_for


def address_of(invitation):
    text = str(ipaddress.ip_address(bytes(invitation.address)))
    return text, invitation.port


def two_families(start_nodes, count=2):
    """Nodes that listen on all addresses, and tell one of each family."""
    nodes = start_nodes(count, wait=False, host="[::]")
    for number, node in enumerate(nodes, 1):
        port = node.address[1]
        done, log = node.again(address=[f"127.0.0.{number}:{port}", f"[::1]:{port}"])
        assert done, log
    nodes.wait_until_they_know_each_other()
    for node in nodes:
        wait_for(lambda node=node: all(row["ipv6"] for row in shown(node, "cluster")),
                 "the addresses to be known")
    return nodes


def test_a_node_of_one_family_holds_what_one_of_both_cannot(start_nodes, identities):
    """It drains, and no other node has both."""
    nodes = start_nodes(1, wait=False, host="[::]", drain_spread="1h")
    port = nodes[0].address[1]
    done, log = nodes[0].again(address=[f"127.0.0.1:{port}", f"[::1]:{port}"])
    assert done, log
    start_nodes(1, sections={"relay": {"park-asks": "0"}})
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(
            ProtocolConnection(("127.0.0.1", port), identities[0]).join())
        nodes.wait_until_claimed(1)
        # A session keeps its device where it is.
        for end in session(nodes[1], identities[2], device):
            stack.enter_context(end)
        nodes[0].send_signal(signal.SIGUSR1)
        nodes[1].wait_for_metric("nodes", 1, '{state="draining"}')
        assert meet(nodes[1], identities[1], device) == nodes[1].address


@pytest.mark.parametrize("of_asker, of_device", [("127.0.0.1", "::1"), ("::1", "127.0.0.1"),
                                                 ("::1", "::1"), ("127.0.0.1", "127.0.0.1")])
@pytest.mark.parametrize("drains", [False, True], ids=["owner", "elsewhere"])
def test_both_are_told_an_address_of_their_family(start_nodes, identities, of_asker, of_device,
                                                  drains):
    """Also of a third node's, when the owner drains."""
    nodes = two_families(start_nodes)
    owner, other = ((of_device, nodes[0].address[1]), (of_asker, nodes[1].address[1]))
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(owner, one).join())
                   for one in identities[:3]]
        nodes.wait_until_claimed(3)
        holder = nodes[0]
        if drains:
            done, log = nodes[0].again(capacity="1B/s")
            assert done, log
            nodes[0].wait_for_metric("nodes", 2, '{state="open"}')
            busy = stack.enter_context(busy_session(nodes[0], owner, identities[10], devices[1]))
            wait_for(lambda: nodes[0].metric("node_rate_bytes_per_second",
                                             '{node="node-1"}') > busy.least(),
                     "the node to be above its capacity")
            holder = nodes[1]
        with ProtocolConnection(other, identities[5]) as client:
            to_asker = client.request(identities[0].id)
        to_device = devices[0].invitation()
        port = holder.address[1]
        number = nodes.index(holder) + 1
        want = {"127.0.0.1": (f"127.0.0.{number}", port), "::1": ("::1", port)}
        assert address_of(to_asker) == want[of_asker]
        assert told_place(to_device, owner) == (
            want[of_device] if drains else (told_place(to_device, owner)[0], port))
        with SessionConnection((of_asker, port)).join(to_asker.key) as one, \
                SessionConnection((of_device, port)).join(to_device.key) as two:
            one.send_bytes(b"hello")
            assert two.receive_bytes(5) == b"hello"


def told_place(invitation, dialled):
    """The address in an invitation, or the one that was dialled."""
    return address_of(invitation) if any(bytes(invitation.address)) else (
        dialled[0], invitation.port)


class Busy:
    """Bytes pass all the time."""

    def __init__(self, ends):
        self.ends = ends

    def least(self):
        self.ends[0].send_bytes(bytes(10000))
        self.ends[1].receive_bytes(10000)
        return 1


@contextlib.contextmanager
def busy_session(node, address, asker, device):
    with ProtocolConnection(address, asker) as client:
        to_asker = client.request(device.identity.id)
    to_device = device.invitation()
    port = node.address[1]
    with SessionConnection((address[0], port)).join(to_asker.key) as one, \
            SessionConnection((address[0], port)).join(to_device.key) as two:
        yield Busy((one, two))


def test_sessions_beyond_its_capacity_are_held_elsewhere(start_nodes, identities):
    nodes = start_nodes(1, cluster={"capacity": "1B/s"})
    start_nodes(1)
    with join(nodes[0], identities[0]) as device, join(nodes[0], identities[1]) as other:
        nodes.wait_until_claimed(2)
        with busy_session(nodes[0], nodes[0].address, identities[10], other) as busy:
            wait_for(lambda: nodes[0].metric("node_rate_bytes_per_second",
                                             '{node="node-1"}') > busy.least(),
                     "the node to be above its capacity")
            assert meet(nodes[1], identities[5], device) == nodes[1].address


def test_a_node_whose_quota_is_used_up_has_its_sessions_held_elsewhere(start_nodes, tmp_path,
                                                                       identities):
    """Its own pairs, too."""
    quota = {"quota": {"day": "10kB", "state-file": tmp_path / "quota.state",
                       "state-required": "no"}}
    nodes = start_nodes(1, modules=("quota",), sections=quota)
    start_nodes(1)
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(nodes[0], one)) for one in identities[:3]]
        nodes.wait_until_claimed(3)
        busy = stack.enter_context(busy_session(nodes[0], nodes[0].address, identities[10],
                                                devices[2]))
        with contextlib.suppress(Closed):
            busy.least()
        nodes[1].wait_for_metric("nodes", 1, '{state="closed"}')
        left = [device for device in devices[:2] if lives(device)]
        assert left
        for device in left:
            for node in nodes:
                assert meet(node, identities[5], device) == nodes[1].address
        assert ask(nodes[0], identities[5], identities[9]) == NOT_FOUND


def lives(device):
    try:
        device.check_alive()
        return True
    except (Closed, AssertionError):
        return False


def test_nobody_can_hold_a_session_when_all_are_closed(start_nodes, identities):
    """The asker is told so, and the device is not invited."""
    nodes = start_nodes(2, drain_spread="1h", sections={"relay": {"park-asks": "0"}})
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(nodes[0], one)) for one in identities[:4]]
        clients = [stack.enter_context(ProtocolConnection(nodes[1].address, one))
                   for one in identities[4:8]]
        nodes.wait_until_claimed(4)
        for node in nodes:
            node.send_signal(signal.SIGUSR1)
        for node in nodes:
            if node.running():
                with contextlib.suppress(OSError, AssertionError):
                    node.wait_for_log("draining, no newcomers")
        for client, device in zip(clients, devices):
            try:
                client.send(rp.ConnectRequest(device.identity.id))
                answer = client.receive_answering_pings()
            except Closed:
                continue
            assert answer in (NOT_FOUND, rp.RelayFull()), answer


def test_a_full_node_refuses(start_nodes, identities):
    """As on one machine: the device has as many invitations as it may have."""
    nodes = start_nodes(1, sections={"relay": {"pending-per-device": "1"}})
    start_nodes(1, sections={"relay": {"park-asks": "0"}})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        answers = [ask(nodes[1], one, identities[0]) for one in identities[5:9]]
        assert isinstance(answers[0], rp.SessionInvitation)
        assert device.invitation().from_id == identities[5].id
        failed = nodes[1].metric("asks_total", '{end="failed"}')
        assert failed == sum(answer == NOT_FOUND for answer in answers)


@pytest.mark.parametrize("asks", ["joined", "anyone"])
def test_who_may_ask_is_a_rule_of_the_node_where_it_asks(start_nodes, identities, asks):
    nodes = start_nodes(1)
    start_nodes(1, sections={"relay": {"asks": asks}})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        answer = ask(nodes[1], identities[5], identities[0])
        assert (answer == NOT_FOUND) == (asks == "joined")
        with join(nodes[1], identities[6]) as member:
            nodes.wait_until_claimed(2)
            member.send(rp.ConnectRequest(identities[0].id))
            got = member.invitation()
            wanted = device.invitation()
            while wanted.from_id != identities[6].id:
                wanted = device.invitation()
            assert hold(got, wanted, nodes[1]) == nodes[0].address


def test_the_rules_of_the_owner_apply_to_askers_of_other_nodes(start_nodes, identities):
    """A list of devices that may not, at one node only."""
    nodes = start_nodes(1, modules=("access",), sections={"access": {
        "ask-deny": device_id.to_text(identities[5].id)}})
    start_nodes(1)
    with join(nodes[0], identities[0]) as device, join(nodes[1], identities[1]) as other:
        nodes.wait_until_claimed(2)
        assert ask(nodes[1], identities[5], identities[0]) == NOT_FOUND
        nodes[1].wait_for_metric("asks_total", 1, '{end="refused"}')
        nodes[0].wait_for_metric("answered_total", 1, '{end="refused"}')
        assert meet(nodes[1], identities[6], device) == nodes[0].address
        assert meet(nodes[1], identities[5], other) == nodes[1].address


def test_who_may_not_stay_gets_no_session_by_another_node(start_nodes, identities):
    """The owner's web service is asked about its own device, and not about who asks elsewhere."""
    name, denied = device_id.to_text(identities[0].id), []
    with Endpoint(lambda asked: says(allow=asked.json["device"] not in denied,
                                     cache_for="100ms")) as endpoint:
        nodes = start_nodes(1, modules=("admission",), sections={
            "admission": {"url": endpoint.url}, "relay": {"ping-interval": "1s"}})
        start_nodes(1, sections={"relay": {"park-asks": "0"}})
        with join(nodes[0], identities[0]) as device:
            nodes.wait_until_claimed(1)
            ends = session(nodes[1], identities[1], device)  # else its connection ends
            assert {asked.json["device"] for asked in endpoint.asked} == {name}
            denied.append(name)
            wait_for(lambda: ask(nodes[1], identities[2], identities[0]) == NOT_FOUND,
                     "the device to be denied")
            nodes[0].wait_for_metric("answered_total", 1, '{end="refused"}')
            check_both_ways(*ends)
            for end in ends:
                end.close()


def test_a_token_is_asked_for_where_a_device_joins(start_nodes, identities):
    """A device that has joined with it asks for one at another node."""
    nodes = start_nodes(2, sections={"relay": {"token": "word", "asks": "joined"}})
    with ProtocolConnection(nodes[0].address, identities[0]) as device:
        device.join("word")
        nodes.wait_until_claimed(1)
        with ProtocolConnection(nodes[1].address, identities[6]) as stranger:
            assert stranger.ask(rp.JoinRelayRequest("guess")) == rp.response(rp.WRONG_TOKEN)
        with ProtocolConnection(nodes[1].address, identities[6]) as member:
            member.join("word")
            nodes.wait_until_claimed(2)
            member.send(rp.ConnectRequest(identities[0].id))
            assert hold(member.invitation(), device.invitation(), nodes[1]) == nodes[0].address


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_many_devices_and_askers(start_nodes, identities, workers):
    """Each device at each node is found at each other one."""
    nodes = start_nodes(3, workers=workers)
    with contextlib.ExitStack() as stack:
        devices = [(stack.enter_context(join(nodes[i % 3], one)), nodes[i % 3])
                   for i, one in enumerate(identities[:9])]
        nodes.wait_until_claimed(9)
        for device, home in devices:
            for node in nodes:
                assert meet(node, identities[12], device) == home.address


def test_few_descriptors(start_nodes, redis, identities, monkeypatch):  # noqa: F811
    """Clients take all of them, and Redis is lost meanwhile: it is reached again, since the limit
    of connections leaves some."""
    monkeypatch.setattr(relay_server, "DESCRIPTORS", 256)
    nodes = start_nodes(2)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(join(nodes[0], identities[0]))
        nodes.wait_until_claimed(1)
        crowd = contextlib.ExitStack()
        for _ in range(260):
            crowd.enter_context(nodes[0].connect())
        redis.kill()
        for node in nodes:
            node.wait_for_metric("registry_reachable", 0)
        redis.start()
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        crowd.close()
        assert meet(nodes[1], identities[5], device) == nodes[0].address
