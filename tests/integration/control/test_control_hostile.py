# SPDX-License-Identifier: MPL-2.0
"""Bad input at the control socket: nothing blocks, all is bounded and counted."""

import contextlib
import json
import resource
import socket
import time

import pytest

import relay_server
from call_sites import CallSites
from control_client import (  # noqa: F401
    MODULES, control_folder, controlled, ctl, dial, metric, raw, receive_all, shown, told,
)
from faults import needs_memory
from waiting import PATIENCE, Deadline, wait_for

CLIENTS_MAX = 64
ENDED = 'strelaysrv_control_connections_ended_total{reason="%s"}'


def start(controlled):  # noqa: F811
    return controlled(modules=[*MODULES, "prometheus"])


@pytest.mark.limits
def test_half_lines_and_long_lines_are_refused(controlled):  # noqa: F811
    server = start(controlled)
    found = json.loads(raw(server.socket, b"x" * (1 << 20)))
    assert found["code"] == 2 and "longer than 4096 bytes" in found["messages"][0]
    with dial(server.socket) as client:
        client.sendall(b"stat")
        client.shutdown(socket.SHUT_WR)
        found = json.loads(receive_all(client))
    assert found["code"] == 2 and "no end of line" in found["messages"][0]
    assert metric(server, ENDED % "line") == 2
    told(server, "status")


def test_odd_bytes_are_a_wrong_command(controlled):  # noqa: F811
    server = start(controlled)
    for request in (b"\n", b"  \r\n", b"\0\n", b"\xff\xfe\x1b[2J\n", b'"\\\n', b"a " * 100 + b"\n",
                    b"drain\tcancel\tnow\n", b"help \xc3\n"):
        found = json.loads(raw(server.socket, request))
        assert found["code"] == 2 and found["messages"], (request, found)
    told(server, "status")


def test_a_client_that_only_ends_its_sending_side_gets_its_answer(controlled):  # noqa: F811
    server = start(controlled)
    with dial(server.socket) as client:
        client.sendall(b"status\n")
        client.shutdown(socket.SHUT_WR)
        assert json.loads(receive_all(client))["code"] == 0


def test_only_the_first_command_of_a_connection_counts(controlled):  # noqa: F811
    server = start(controlled)
    data = raw(server.socket, b"status\nreload\nnonsense\n")
    assert data.count(b"\n") == 1 and json.loads(data)["command"] == "status"
    assert "command: reload" not in server.log()


def test_two_hundred_clients_that_never_read(controlled):  # noqa: F811
    server = start(controlled)
    clients = []
    for i in range(200):
        client = dial(server.socket)
        client.sendall((b"help\n", b"hel", b"")[i % 3])
        clients.append(client)
    told(server, "status")
    wait_for(lambda: metric(server, ENDED % "room") >= 200 - CLIENTS_MAX - 67,
             lambda: f"evictions, there are {metric(server, ENDED % 'room')}")
    assert metric(server, "strelaysrv_control_connections") <= CLIENTS_MAX
    # The silent ones end by themselves.
    wait_for(lambda: metric(server, "strelaysrv_control_connections") == 0,
             lambda: f"no clients, {metric(server, 'strelaysrv_control_connections')} are left",
             Deadline(2 * PATIENCE))
    assert metric(server, ENDED % "time") > 0
    for client in clients:
        client.close()


@pytest.mark.limits
def test_clients_that_vanish_leave_nothing(controlled):  # noqa: F811
    server = start(controlled)
    before = server.descriptors()
    for _ in range(100):
        client = dial(server.socket)
        client.sendall(b"modules\n")
        client.close()
    told(server, "status")
    wait_for(lambda: server.descriptors() <= before + 1,
             lambda: f"{before} descriptors, there are {server.descriptors()}")


@needs_memory
def test_without_memory_for_a_client_it_is_closed(controlled, tmp_path):  # noqa: F811
    sites = CallSites(tmp_path)
    server = controlled(env=sites.environment)
    told(server, "status")  # what is set up for the first time is not counted
    sites.begin()
    told(server, "status")
    sites.end()
    places = [site for site in sites.called() if (site.object, site.call) == ("control.so", "calloc")]
    assert places
    for place in places:  # the client itself, and the state of its command
        sites.begin(place)
        data = raw(server.socket, b"status\n")
        assert sites.end()
        assert not data or json.loads(data)["code"] == 1, data
    told(server, "status")


def test_a_module_that_leaves_ends_its_commands(controlled):  # noqa: F811
    server = start(controlled)
    assert ctl(server, "log-level").returncode == 0
    server.configure([name for name in MODULES if name != "log"],
                     {"control": {"socket": str(server.socket)}})
    assert told(server, "reload") == "reloaded\n"
    done = ctl(server, "log-level", "debug")
    assert done.returncode == 2 and 'no command "log-level"' in done.stderr, done


def test_few_descriptors_leave_some_for_commands(controlled, monkeypatch):  # noqa: F811
    monkeypatch.setattr(relay_server, "DESCRIPTORS", 128)
    server = start(controlled)
    with contextlib.ExitStack() as strangers:
        for _ in range(200):
            strangers.enter_context(socket.create_connection(server.address))
        assert shown(server, "status")[0]["connections"] < 128
    # Without any, a client waits: nothing spins, and it gets its answer later.
    most = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, most[1]))
    client = dial(server.socket)
    client.sendall(b"status\n")
    client.settimeout(1)
    with pytest.raises(TimeoutError):
        client.recv(1)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, most)
    client.settimeout(PATIENCE)
    assert json.loads(receive_all(client))["code"] == 0
    client.close()


def test_the_relay_serves_while_clients_flood_the_socket(controlled):  # noqa: F811
    server = start(controlled)
    begun = time.monotonic()
    for _ in range(300):
        assert json.loads(raw(server.socket, b"modules\n"))["code"] == 0
    assert server.get("/healthz")[0] == 200
    assert server.held_up() == 0, time.monotonic() - begun
