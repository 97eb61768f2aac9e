# SPDX-License-Identifier: MPL-2.0
"""Several relays of one cluster, each with a loopback address of its own."""

import contextlib
import re
import time

import pytest

import relay_protocol as rp
from module_server import ModuleServer
from pairing import check_both_ways, told
from redis_server import redis, start_redis  # noqa: F401
from relay_client import ProtocolConnection, SessionConnection
from waiting import SLOWNESS, Deadline, wait_for

#: Short, so that tests need not wait for ten seconds.
LEASE = "3s"
LEASE_SECONDS = 3
#: A busy machine takes so many times as long as the failure table says.
_ROOM = 5
NOT_FOUND = rp.response(rp.NOT_FOUND)


class Node(ModuleServer):
    """One relay of the cluster."""

    def __init__(self, folder, keys, number, servers, modules=(), sections=None, cluster=None,
                 workers=1, host=None, port=0, alone=False, **top):
        folder.mkdir(exist_ok=True)
        self.name = f"node-{number}"
        self.host = host or f"127.0.0.{10 + number}"
        self.options = {"servers": servers, "node": self.name, "lease": LEASE, **(cluster or {})}
        self.sections = {**(sections or {}), **({} if alone else {"cluster": self.options}),
                         "control": {"socket": folder / "control.sock"}}
        self.alone = alone  # without the module
        self.modules = ["log", "relay", *modules, "status", "prometheus", "control",
                        *([] if alone else ["cluster"])]
        super().__init__(folder, keys, self.modules, workers=workers, installed=modules,
                         sections=self.sections, args=("-listen", f"{self.host}:{port}"), **top)

    def again(self, **options):
        """Other options of the module cluster, and a reload."""
        self.options.update(options)
        self.configure(self.modules, self.sections)
        return self.reload()

    def metric(self, name, label=""):
        """A metric of the module cluster."""
        _, _, body = self.get("/metrics")
        pattern = rf"^strelaysrv_cluster_{name}{re.escape(label)} (\S+)$"
        found = re.search(pattern, body.decode(), re.MULTILINE)
        assert found, f"no metric {name}{label}"
        return float(found.group(1))

    def wait_for_metric(self, name, value, label=""):
        wait_for(lambda: self.metric(name, label) == value,
                 lambda: f"{name}{label} of {self.name} to be {value}; it is "
                 f"{self.metric(name, label)}; its log:\n{self.log()}")

    def kill(self):
        self.process.kill()
        self.wait_for_exit()


class Nodes(list):
    """All nodes of a test."""

    def wait_until_they_know_each_other(self):
        for node in self:
            node.wait_for_metric("registry_reachable", 1)
        for node in self:
            wait_for(lambda node=node: sum(node.metric("nodes", f'{{state="{state}"}}') for state
                                           in ("open", "closed", "draining")) == len(self),
                     lambda node=node: f"{node.name} to know all; its log:\n{node.log()}")
        return self

    def wait_until_claimed(self, devices, deadline=None):
        """All devices that have joined are known to all nodes."""
        wait_for(lambda: sum(node.metric("devices") for node in self if node.running()) == devices
                 and not any(node.metric("unclaimed") for node in self if node.running()),
                 lambda: f"{devices} devices to be claimed: "
                 + str([(node.metric("devices"), node.metric("unclaimed")) for node in self
                        if node.running()]), deadline)


@pytest.fixture
def start_nodes(tmp_path, relay_keys, redis):  # noqa: F811
    """start_nodes(count, ...) starts a cluster, and waits until its nodes know each other."""
    with contextlib.ExitStack() as stack:
        nodes = Nodes()

        def finish(node):
            if node.process.poll() == -9:
                return  # the test has killed it
            node.finish()

        def start(count=2, wait=True, keys=relay_keys, servers=None, **options):
            for _ in range(count):
                number = len(nodes) + 1
                node = Node(tmp_path / f"node-{number}", keys, number, servers or redis.address,
                            **options)
                nodes.append(node)
                stack.callback(finish, node)
            for node in nodes:
                node.wait_for_log("core: listening on")
            return nodes.wait_until_they_know_each_other() if wait else nodes

        yield start


def join(node, identity, **options):
    return ProtocolConnection(node.address, identity, **options).join()


def ask(node, identity, target):
    """The answer to a request: an invitation, or a response."""
    with ProtocolConnection(node.address, identity) as client:
        return client.ask(rp.ConnectRequest(target.id))


def wait_until_found(node, identity, target):
    """Asks until the device is found.  The device has as many invitations as it was found."""
    def found():
        answer = ask(node, identity, target)
        return answer if isinstance(answer, rp.SessionInvitation) else None

    return wait_for(found, f"the device to be found at {node.name}")


def meet(asker_node, asker, device):
    """One asks for a device that has joined, both meet, and bytes pass.  Where that was."""
    to_asker, late = _invited(asker_node, asker, device.identity)
    to_device = _last_invitation(device) if late else device.invitation()
    return hold(to_asker, to_device, asker_node)


def _invited(asker_node, asker, target):
    """A busy machine may take longer than the 0.5 s that a request has: then it is made again.
    The invitation, and how many requests were late."""
    before = _late_requests(asker_node)
    for late in range(5):
        answer = ask(asker_node, asker, target)
        if answer != NOT_FOUND or _late_requests(asker_node) - before <= late:
            break
    assert isinstance(answer, rp.SessionInvitation), answer
    return answer, late


def _late_requests(node):
    """0 if it has no module cluster, or no metrics."""
    _, _, text = node.get("/metrics")
    return sum(map(float, re.findall(rb'strelaysrv_cluster_asks_total{end="late"} (\S+)', text)))


def _last_invitation(device):
    """Those before it are of requests that were late."""
    last = device.invitation()
    device.send(rp.Ping())
    while (message := device.receive()) != rp.Pong():
        if message == rp.Ping():
            device.send(rp.Pong())
        elif isinstance(message, rp.SessionInvitation):
            last = message
    return last


def session(asker_node, asker, device):
    """Both ends of a session that has begun."""
    with ProtocolConnection(asker_node.address, asker) as client:
        to_asker = client.request(device.identity.id)
    to_device = device.invitation()
    ends = []
    for invitation in (to_asker, to_device):
        ends.append(SessionConnection(told(invitation)).join(invitation.key))
    check_both_ways(*ends)
    return ends


def hold(to_asker, to_device, asker_node):
    """Both follow their invitations.  Where they meet."""
    places = []
    with contextlib.ExitStack() as stack:
        ends = []
        for invitation in (to_asker, to_device):
            host, port = told(invitation)
            places.append((host or asker_node.address[0], port))
            end = stack.enter_context(SessionConnection(places[-1]))
            ends.append(end.join(invitation.key))
        assert places[0] == places[1], places
        check_both_ways(*ends)
    return places[0]


def within(seconds, what, condition):
    """Waits for a condition that the failure table promises within that time, with room for a busy
    machine.  The time that it took is printed."""
    began = time.monotonic()
    value = wait_for(condition, what, Deadline(_ROOM * SLOWNESS * seconds))
    print(f"FIGURE {time.monotonic() - began:.2f} s, of {seconds} s: {what}")
    return value
