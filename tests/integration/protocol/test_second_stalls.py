# SPDX-License-Identifier: MPL-2.0
"""A server that stands still twice within ten seconds, while many are connected.

After the first time all time limits come a second later, which is enough to read what has come
meanwhile.  After the second time they do not, and the loop learns of a part of it at a time."""

import contextlib

import pytest

import relay_protocol as rp
from later import Later
from module_server import module_server  # noqa: F401
from pairs import connect_pair, ended
from relay_client import SessionConnection
from suspending import suspended
from waiting import wait_for

MANY = 400
#: Seconds of a time limit, and by how much the clock moves on while the server stands still.
LIMIT, STALL = 6, 7


@pytest.fixture
def later(tmp_path):
    return Later(tmp_path / "later")


def stall(server, later):
    with suspended(server):
        later.move_on(STALL)


def test_guests_that_have_spoken_are_answered(module_server, later):  # noqa: F811
    server = module_server(("log", "relay", "probe"), workers=1, env=later.env, sections={
        "relay": {"guest-timeout": f"{LIMIT}s"}})
    message = rp.encode(rp.JoinSessionRequest(b"key"))

    def guests(count):
        for _ in range(count):
            client = stack.enter_context(SessionConnection(server.address))
            client.send_bytes(message[:1])
            yield client

    with contextlib.ExitStack() as stack:
        first, = guests(1)
        wait_for(lambda: server.probe()["metric core.connections.plain"] == "1", "it to be there")
        stall(server, later)
        assert ended(first.sock)
        many = list(guests(MANY))
        wait_for(lambda: int(server.probe()["metric core.connections.plain"]) == MANY,
                 "all to be there")
        with suspended(server):
            for client in many:
                client.send_bytes(message[1:])
            later.move_on(STALL)
        for client in many:
            client.expect(rp.response(rp.NOT_FOUND))


def test_sessions_that_have_spoken_go_on(module_server, later):  # noqa: F811
    server = module_server(("log", "echo-pair", "probe"), workers=1, env=later.env, sections={
        "echo-pair": {"idle": f"{LIMIT}s"}})
    with contextlib.ExitStack() as stack:

        def pair():
            return [stack.enter_context(sock) for sock in connect_pair(server)]

        first = pair()
        stall(server, later)
        assert ended(first[0])
        many = [pair() for _ in range(MANY)]
        with suspended(server):
            for one, _ in many:
                one.sendall(b"x")
            later.move_on(STALL)
        for _, other in many:
            assert other.recv(1) == b"x"
