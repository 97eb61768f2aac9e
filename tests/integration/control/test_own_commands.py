# SPDX-License-Identifier: MPL-2.0
"""Commands that a module of one's own adds by the public call: long, waiting, odd, endless."""

import json

import pytest

from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, dial, metric, shown, told,
)
from waiting import PATIENCE, Deadline, wait_for


def start(controlled, **options):  # noqa: F811
    return controlled(modules=[*MODULES, "prometheus", "teller"], **options)


def test_a_long_answer_comes_in_portions(controlled):  # noqa: F811
    server = start(controlled)
    found = shown(server, "lines", "50000")
    assert [row["number"] for row in found] == list(range(1, 50001))
    assert server.held_up() == 0, server.log()
    server.wait_for_log("teller: closed after many lines")
    text = told(server, "lines", "3").splitlines()
    assert text[0].split() == ["number", "text"] and text[3].split()[0] == "3" and len(text) == 4


@pytest.mark.parametrize("workers", [1, 3])
def test_a_command_waits_for_the_workers(controlled, workers):  # noqa: F811
    server = start(controlled, workers=workers)
    assert told(server, "workers") == f"{workers} workers\n"


def test_texts_are_cleaned_and_numbers_have_units(controlled):  # noqa: F811
    server = start(controlled)
    done = ctl(server, "odd")
    assert done.returncode == 7
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["text", "bytes", "rate", "time"]
    assert lines[1] == '\\x1b[2J"\\\\x0a\\xffü  1.5 KiB  2.5 MB/s  1h1m1s', lines
    assert lines[2].split() == ["-"] * 4
    assert done.stderr == "second\nthird\n"
    done = ctl(server, "odd", "-json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["more"] and "code" not in first and second["code"] == 7


def test_a_client_that_does_not_read_holds_little_and_is_ended(controlled):  # noqa: F811
    server = start(controlled)
    (before,) = shown(server, "status")
    clients = []
    for _ in range(60):
        client = dial(server.socket)
        client.sendall(b"lines 10000000\n")
        clients.append(client)
    told(server, "modules")
    (after,) = shown(server, "status")
    assert after["memory"] - before["memory"] < 60 * (256 << 10), (before, after)
    assert server.get("/healthz")[0] == 200
    ended = 'strelaysrv_control_connections_ended_total{reason="unread"}'
    wait_for(lambda: metric(server, ended) == 60,
             lambda: f"60 ended, there are {metric(server, ended)}", Deadline(3 * PATIENCE))
    server.wait_for_count("teller: closed after", 60)
    for client in clients:
        client.close()


def test_a_command_without_end_ends_with_its_client(controlled):  # noqa: F811
    server = start(controlled)
    client = dial(server.socket)
    client.sendall(b"forever\n")
    wait_for(lambda: metric(server, "strelaysrv_control_connections") == 1, "the client")
    client.close()
    wait_for(lambda: metric(server, "strelaysrv_control_connections") == 0, "its end")


def test_a_command_whose_module_leaves_is_ended(controlled):  # noqa: F811
    server = start(controlled)
    with dial(server.socket) as client:
        client.sendall(b"forever\n")
        server.configure(MODULES, {"control": {"socket": str(server.socket)}})
        assert told(server, "reload") == "reloaded\n"
        found = json.loads(client.makefile().readline())
    assert found["code"] == 1 and "module of this command has been removed" in found["messages"][0]
