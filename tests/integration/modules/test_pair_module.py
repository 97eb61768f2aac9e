# SPDX-License-Identifier: MPL-2.0
"""The example of a protocol, conf/module-template/pair-module.c."""

import pytest

from module_server import folder_of, module_server  # noqa: F401
from relay_server import ROOT, free_port, module_folder
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for
from wormhole import Client, both_ways, number


@pytest.fixture(params=[1, 2])
def served(request, module_server):  # noqa: F811
    """The server, and the port of the protocol."""
    at = free_port()
    server = module_server(["log", "pair-module", "prometheus"], workers=request.param, sections={
        'listener "pairs"': {"address": f"127.0.0.1:{at}", "protocol": "pair-module"},
        "pair-module": {"wait": "8s"}}, installed=["pair-module"])
    return server, at


@pytest.fixture
def port(served):
    return served[1]


def test_those_with_the_same_line_are_connected(port):
    lines = [b"line %d\n" % number for number in range(20)]
    ones = [Client(port, line + b"early") for line in lines]
    twos = [Client(port, line) for line in reversed(lines)]
    for one, two in zip(ones, reversed(twos), strict=True):
        assert two.receive(5) == b"early"
        both_ways(one, two)


def test_who_finds_nobody_is_closed(port):
    with Client(port, b"alone\n") as client:
        assert client.rest() == b""


@pytest.mark.parametrize("sent", [b"x" * 32, b"\0\n"])
def test_what_is_no_line_is_refused(port, sent):
    with Client(port, sent + bytes(64)) as client:
        assert client.rest() == b""


def test_those_that_wait_have_a_bound(served):
    server, port = served
    clients = [Client(port, b"%d\n" % number) for number in range(140)]
    assert all(client.rest() == b"" for client in clients)
    closed = 'strelaysrv_core_connections_closed_total{reason="%s"}'
    assert number(server, closed % "limit") == 12
    assert number(server, closed % "timeout") == 128


def test_who_waits_is_passed_on_by_an_upgrade(start_upgrading):  # noqa: F811
    at = free_port()
    server = start_upgrading(
        "-module-dir", f"{module_folder()},{folder_of('pair-module')}",
        conf="modules = { log, relay, pair-module, prometheus }\n"
        'status-srv = "127.0.0.1:0"\nlistener "main" { address = "127.0.0.1:0" }\n'
        f'listener "pairs" {{ address = "127.0.0.1:{at}"\n protocol = pair-module }}\n')
    with Client(at, b"after the upgrade\n") as one:
        wait_for(lambda: 'strelaysrv_core_connections{phase="plain"} 1'
                 in server.get("/metrics")[2].decode(), "a client that waits")
        server.upgrade()
        with Client(at, b"after the upgrade\n") as two:
            both_ways(one, two)


def test_it_is_short():
    text = (ROOT / "conf" / "module-template" / "pair-module.c").read_text()
    assert text.count("\n") <= 150
