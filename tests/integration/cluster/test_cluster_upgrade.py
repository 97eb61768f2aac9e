# SPDX-License-Identifier: MPL-2.0
"""A node of a cluster is upgraded while devices are there, sessions run and others ask."""

import contextlib
import threading

import pytest

import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    LEASE, NOT_FOUND, ask, hold, join, meet, redis, start_nodes, start_redis, wait_until_found,
    within,
)
from control_client import shown
from pairing import check_both_ways, told
from relay_client import Closed, ProtocolConnection, SessionConnection
from relay_protocol import SessionInvitation
from upgrading import Upgrading
from waiting import wait_for

CONF = """
modules = {{ log, relay, status, prometheus, control, cluster }}
drain-spread = {spread}
listener "main" {{ address = "127.0.0.21:0" }}
status-srv = "127.0.0.1:0"
control {{ socket = "{folder}/control.sock" }}
relay {{
  park-asks = 0
  message-timeout = 2s
}}
cluster {{
  servers = "{servers}"
  node = "upgraded"
  lease = {lease}
}}
"""


@pytest.fixture
def start_upgraded(tmp_path, relay_keys, redis, our_program):  # noqa: F811
    """A node that can be upgraded."""
    with contextlib.ExitStack() as stack:

        def start(spread="1h", servers=None):
            folder = tmp_path / "upgraded"
            folder.mkdir()
            node = Upgrading(our_program, folder, relay_keys, conf=CONF.format(
                folder=folder, servers=servers or redis.address, lease=LEASE, spread=spread))
            stack.callback(node.finish)
            node.wait_until_serving()
            node.name = "upgraded"
            node.wait_for_log("node upgraded of the cluster relay")
            return node

        yield start


def states(node):
    """(name, state) of each process that a node knows."""
    return sorted((row["node"], row["state"]) for row in shown(node, "cluster"))


def both_known(node):
    wait_for(lambda: states(node) == [("node-1", "open"), ("upgraded", "open")],
             lambda: f"both nodes to be known: {states(node)}")


def claimed(redis, identity):  # noqa: F811
    """Waits until other nodes find a device."""
    wait_for(lambda: redis.ask("EXISTS", b"st:{relay}:d:" + identity.id) == b":1\r\n",
             "the claim")


class Device(threading.Thread):
    """Serves its invitations, and joins again as soon as it is sent away."""

    def __init__(self, node, identity):
        super().__init__(daemon=True)
        self.node, self.identity = node, identity
        self.connection = join(node, identity)
        self.connection.sock.settimeout(0.2)
        self.joins = 1
        self.ends = []
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            try:
                message = self.connection.receive()
            except AssertionError:  # nothing came
                continue
            except Closed:
                message = rp.RelayFull()
            if message == rp.Ping():
                self.connection.send(rp.Pong())
            elif isinstance(message, SessionInvitation):
                self.ends.append(SessionConnection(told(message)).join(message.key))
            elif message == rp.RelayFull():
                self.connection.close()
                self.connection = join(self.node, self.identity)
                self.connection.sock.settimeout(0.2)
                self.joins += 1

    def stop(self):
        self.ended.set()
        self.join()
        for end in (self.connection, *self.ends):
            end.close()


def test_a_device_is_found_all_the_time(start_nodes, start_upgraded, identities):
    """It is sent away by the old process and joins the new one.  While it is at neither it is not
    found, which does not last for longer than a request waits."""
    nodes = start_nodes(1)
    node = start_upgraded(spread="2s")
    both_known(nodes[0])
    others = [join(node, one) for one in identities[1:4]]
    device = Device(node, identities[0])
    try:
        assert met(nodes[0], identities[5], device)
        old, _ = node.upgrade()
        asks = 0
        while asks < 5 or device.joins == 1:
            assert met(nodes[0], identities[5], device)
            asks += 1
        for other in others:
            other.close()
        node.exit_code(old)
        assert met(nodes[0], identities[5], device)
    finally:
        device.stop()
    assert device.joins == 2
    for one in (node, nodes[0]):
        assert not one.count("another node has this node's name")


def met(node, asker, device):
    """An asker is invited, and can talk with the device."""
    before = len(device.ends)
    answer = within(1.5, "a device of a node that is upgraded is found",
                    lambda: invited(ask(node, asker, device.identity)))
    with SessionConnection(told(answer)).join(answer.key) as end:
        wait_for(lambda: len(device.ends) > before, "the device to come")
        check_both_ways(end, device.ends[-1])
        device.ends[-1].close()
    return True


def invited(answer):
    return answer if isinstance(answer, SessionInvitation) else None


def serves(device, asker_node, node, other, asker):
    """Whether a device is found, and what it asks for, too.  The drain sends the first ones away at
    once, and the next ones much later."""
    try:
        place = meet(asker_node, asker, device)
        device.send(rp.ConnectRequest(other.identity.id))
        to_device = device.invitation()
    except (Closed, AssertionError):
        return False
    assert place == asker_node.address
    return hold(to_device, other.invitation(), node) == asker_node.address


def test_the_next_session_is_held_elsewhere(start_nodes, start_upgraded, redis,  # noqa: F811
                                            identities):
    """Of a device that is still at the old process, while a session there goes on."""
    nodes = start_nodes(1)
    node = start_upgraded()
    both_known(nodes[0])
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(join(node, one)) for one in identities[:4]]
        sessions = []
        for device in devices:
            claimed(redis, device.identity)
            with ProtocolConnection(nodes[0].address, identities[6]) as client:
                to_asker = client.request(device.identity.id)
            sessions.append([stack.enter_context(SessionConnection(told(one)).join(one.key))
                             for one in (to_asker, device.invitation())])
        node.upgrade()
        wait_for(lambda: states(nodes[0]) == [
            ("node-1", "open"), ("upgraded", "draining"), ("upgraded", "open")],
            lambda: f"both processes to be known: {states(nodes[0])}")
        other = stack.enter_context(join(nodes[0], identities[8]))
        nodes[0].wait_for_metric("unclaimed", 0)
        assert any(serves(device, nodes[0], node, other, identities[7]) for device in devices)
        for ends in sessions:
            check_both_ways(*ends)


def test_devices_move_to_the_new_process(start_nodes, start_upgraded, redis,  # noqa: F811
                                         identities):
    """Each is found wherever it is, before, while and after the old process ends."""
    nodes = start_nodes(1)
    node = start_upgraded(spread="500ms")
    both_known(nodes[0])
    with contextlib.ExitStack() as stack:
        for one in identities[:4]:
            device = stack.enter_context(join(node, one))
            claimed(redis, one)
            assert meet(nodes[0], identities[5], device) == node.address
        old, _ = node.upgrade()
        devices = [stack.enter_context(join(node, one)) for one in identities[:4]]
        node.exit_code(old)
        wait_for(lambda: states(nodes[0]) == [("node-1", "open"), ("upgraded", "open")],
                 lambda: f"the old process to be gone: {states(nodes[0])}")
        for device in devices:
            assert meet(nodes[0], identities[5], device) == node.address
        with join(nodes[0], identities[7]) as other:
            nodes[0].wait_for_metric("unclaimed", 0)
            assert meet(node, identities[5], other) == nodes[0].address


def test_asks_of_the_old_process_are_answered(start_nodes, start_upgraded, identities):
    """It is sent the answer, not the process of the same name."""
    nodes = start_nodes(1)
    node = start_upgraded()
    both_known(nodes[0])
    with join(nodes[0], identities[0]) as device, \
            ProtocolConnection(node.address, identities[5]) as client:
        client.check_alive()
        wait_until_found(node, identities[6], identities[0])
        device.invitation()
        node.upgrade()
        client.send(rp.ConnectRequest(identities[0].id))
        answer = client.receive_answering_pings()
        assert isinstance(answer, SessionInvitation), answer
        assert hold(answer, device.invitation(), node) == nodes[0].address


def test_both_nodes_are_upgraded_one_after_the_other(start_nodes, start_upgraded, identities):
    """A rolling upgrade: a device at the other node is found by the new process at once."""
    nodes = start_nodes(1)
    node = start_upgraded()
    both_known(nodes[0])
    with join(nodes[0], identities[0]) as device:
        wait_until_found(node, identities[6], identities[0])
        device.invitation()
        for _ in range(2):
            node.upgrade()
            wait_until_found(node, identities[6], identities[0])
            device.invitation()
        assert ask(node, identities[6], identities[9]) == NOT_FOUND
