# SPDX-License-Identifier: MPL-2.0
"""Relays behind one name: devices of one node are found at another."""

import contextlib
import shutil
import signal

import pytest

import certificates
import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, session, start_nodes, start_redis, wait_until_found,
)
from control_client import shown
from relay_client import Closed
from relay_server import free_port
from waiting import PATIENCE, wait_for


@pytest.fixture(autouse=True, params=[kind for kind in ("redis", "valkey")
                                      if shutil.which(f"{kind}-server")])
def registry(request, monkeypatch):
    monkeypatch.setenv("REGISTRY", request.param)


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_a_device_of_another_node_is_found(start_nodes, identities, workers):
    nodes = start_nodes(2, workers=workers)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[1], device) == nodes[0].address
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        nodes[1].wait_for_metric("asks_total", 1, '{end="met"}')
        nodes[0].wait_for_metric("answered_total", 1, '{end="invited"}')


def test_an_unknown_device_is_not_found(start_nodes, identities):
    nodes = start_nodes(2, sections={"relay": {"park-asks": "0"}})
    assert ask(nodes[0], identities[0], identities[1]) == NOT_FOUND
    nodes[0].wait_for_metric("asks_total", 1, '{end="nobody"}')


def test_a_device_that_has_left_is_not_found(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        wait_until_found(nodes[1], identities[1], identities[0])
    nodes.wait_until_claimed(0)
    wait_for(lambda: ask(nodes[1], identities[1], identities[0]) == NOT_FOUND,
             "the device to be gone")


def test_devices_of_a_killed_node_are_not_found_and_come_back(start_nodes, identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        nodes[0].kill()
        nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
    with join(nodes[1], identities[0]) as device:
        assert meet(nodes[1], identities[1], device) == nodes[1].address


def test_local_service_goes_on_without_redis(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.kill()
        for node in nodes:
            node.wait_for_log("the registry cannot be reached")
            node.wait_for_metric("registry_reachable", 0)
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        with join(nodes[1], identities[2]) as other:
            assert meet(nodes[1], identities[1], other) == nodes[1].address
            redis.start()  # it is empty
            nodes.wait_until_they_know_each_other()
            nodes.wait_until_claimed(2)
            assert meet(nodes[1], identities[1], device) == nodes[0].address
            assert meet(nodes[0], identities[1], other) == nodes[1].address


def test_a_redis_that_hangs_holds_nobody_up(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.stop()
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        redis.go_on()
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        wait_until_found(nodes[1], identities[1], identities[0])
    assert not any(node.held_up() for node in nodes)


def test_entries_that_redis_has_lost_are_claimed_again(start_nodes, redis,  # noqa: F811
                                                       identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.kill()
        redis.start()
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[1], device) == nodes[0].address


def test_a_silent_connection_gives_way_to_one_at_another_node(start_nodes, identities):
    """Nothing is read at the old connection, so it does not answer the ping."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        with join(nodes[1], identities[0]) as device:
            nodes[0].wait_for_metric("replaced_total", 1)
            nodes.wait_until_claimed(1)
            assert meet(nodes[0], identities[1], device) == nodes[1].address


def test_a_live_connection_stays_when_its_device_joins_another_node(start_nodes, identities):
    """As on one machine, where the second connection is refused."""
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        with join(nodes[1], identities[0]) as second:
            assert device.receive() == rp.Ping()
            device.send(rp.Pong())
            with pytest.raises(Closed):
                while True:
                    second.receive()
        nodes[0].wait_for_metric("defended_total", 1)
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[1], device) == nodes[0].address


def test_sessions_of_a_draining_node_are_held_elsewhere(start_nodes, identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device, join(nodes[0], identities[2]) as other:
        nodes.wait_until_claimed(2)
        # A session keeps its device where it is.
        with_session = wait_until_found(nodes[1], identities[1], identities[2])
        other.invitation()
        assert with_session
        nodes[0].send_signal(signal.SIGUSR1)
        nodes[1].wait_for_metric("nodes", 1, '{state="draining"}')
        try:
            place = meet(nodes[1], identities[1], device)
        except (Closed, AssertionError):
            # It was sent away before it was asked for: it joins the other node.
            with join(nodes[1], identities[0]) as device_again:
                place = meet(nodes[1], identities[1], device_again)
        assert place == nodes[1].address


def test_a_session_finds_a_holder_although_one_hangs(start_nodes, identities):
    """The asker's node holds it; if that hangs, it asks nobody. So the owner's own client asks."""
    nodes = start_nodes(4, sections={"relay": {"park-asks": "0"}}, drain_spread="1h")
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(join(nodes[0], identities[0]))
        nodes.wait_until_claimed(1)
        # A session keeps its device where it is.
        for end in session(nodes[1], identities[2], device):
            stack.enter_context(end)
        nodes[0].send_signal(signal.SIGUSR1)
        nodes[1].wait_for_metric("nodes", 1, '{state="draining"}')
        for node in nodes[1:3]:
            node.send_signal(signal.SIGSTOP)
        try:
            # Two of three do not answer: each ask goes to up to three, not to one twice in a row.
            wait_for(lambda: isinstance(ask(nodes[0], identities[1], identities[0]),
                                        rp.SessionInvitation), "a holder")
        finally:
            for node in nodes[1:3]:
                node.send_signal(signal.SIGCONT)
        assert device.invitation().port == nodes[3].address[1]


def test_a_node_with_another_key_stays_alone(start_nodes, tmp_path, identities):
    nodes = start_nodes(1)
    keys = certificates.make(name="strelaysrv").write(tmp_path / "other-keys")
    start_nodes(1, wait=False, keys=keys)
    nodes[1].wait_for_log("copy cert.pem and key.pem of the other nodes")
    with join(nodes[1], identities[0]) as device:
        assert meet(nodes[1], identities[1], device) == nodes[1].address
        assert ask(nodes[0], identities[1], identities[0]) == NOT_FOUND
    nodes[1].wait_for_metric("registry_reachable", 0)
    assert not nodes[0].count("dropped")


def test_the_password_is_read_from_a_file(start_nodes, start_redis, tmp_path,  # noqa: F811
                                          identities):
    password = tmp_path / "password"
    password.write_text("right\n")
    server = start_redis("requirepass right", port=free_port())
    nodes = start_nodes(1, servers=server.address, cluster={"password-file": password})
    password.write_text("wrong\n")
    start_nodes(1, wait=False, servers=server.address, cluster={"password-file": password})
    nodes[1].wait_for_log("the registry cannot be reached.*(password|WRONGPASS)")
    with join(nodes[1], identities[0]) as device:
        assert meet(nodes[1], identities[1], device) == nodes[1].address
        password.write_text("right\n")
        done, log = nodes[1].reload()
        assert done, log
        nodes.wait_until_they_know_each_other()
        nodes.wait_until_claimed(1)
        assert meet(nodes[0], identities[1], device) == nodes[1].address


def test_a_unix_socket_does_as_well(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2, servers=str(redis.socket))
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert meet(nodes[1], identities[1], device) == nodes[0].address


def test_the_command_shows_the_nodes(start_nodes):
    nodes = start_nodes(2)
    wait_for(lambda: [row["state"] for row in shown(nodes[0], "cluster")] == ["open", "open"],
             "both nodes to be open")
    rows = {row["node"]: row for row in shown(nodes[0], "cluster")}
    for node in nodes:
        host, port = node.address
        assert rows[node.name]["ipv4"] == f"{host}:{port}"
        assert rows[node.name]["ipv6"] is None


def test_a_node_that_was_stopped_for_long_is_found_again(start_nodes, identities):
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        nodes[0].send_signal(signal.SIGSTOP)
        try:
            nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
            assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        finally:
            nodes[0].send_signal(signal.SIGCONT)
        nodes.wait_until_they_know_each_other()
        wait_until_found(nodes[1], identities[1], identities[0])
        assert device


def test_the_stop_of_a_node_is_known_at_once(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]):
        nodes.wait_until_claimed(1)
        assert nodes[0].stop() == 0
    # Within less than the lease.
    nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
    assert PATIENCE > 0
