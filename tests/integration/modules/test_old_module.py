# SPDX-License-Identifier: MPL-2.0
"""A module that was built with headers from before answers that come later (API 1.6), see
tests/modules/old-module.c."""

import subprocess

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection, SessionConnection
from relay_server import free_port
from waiting import PATIENCE, wait_for
from wormhole import Client

NOT_FOUND = rp.response(rp.NOT_FOUND)
WORKERS = pytest.mark.parametrize("workers", [1, 2])


class Served:
    """The relay's protocol at the first address, that of old-module at `port`."""

    def __init__(self, start, workers, modules=(), deny="", late=None):
        self.port = free_port()
        self.modules = ["log", "probe", *modules, "relay", "old-module"]
        self.sections = {
            'listener "old"': {"address": f"127.0.0.1:{self.port}", "protocol": "old-module"},
            "old-module": {"deny": deny}, "late-one": late or {}}
        if not modules:
            del self.sections["late-one"]
        self.server = start(self.modules, workers=workers, sections=self.sections)

    def number(self, metric):
        return int(self.server.probe()[f"metric {metric}"])

    def joins(self, identity):
        return ProtocolConnection(self.server.address, identity).join()

    def check_its_end(self):
        """After what a test did, nothing beyond the end of its descriptor was called."""
        assert self.server.stop() == 0
        assert "called beyond its end" not in self.server.log()


@pytest.fixture
def old(module_server):  # noqa: F811
    def start(workers=2, **options):
        return Served(module_server, workers, **options)

    return start


def joined(port, token):
    client = Client(port, token)
    assert client.receive(7) == b"joined\n"
    return client


@WORKERS
def test_it_decides_about_peers_and_sessions(old, identities, workers):
    served = old(workers)
    with served.joins(identities[0]) as device, \
            ProtocolConnection(served.server.address, identities[1]) as asker:
        invited = asker.request(identities[0].id)
        server_side = device.invitation()
        with SessionConnection(served.server.address) as one, \
                SessionConnection(served.server.address) as two:
            one.join(invited.key)
            two.join(server_side.key)
            one.send_bytes(b"twelve bytes")
            assert two.receive_bytes(12) == b"twelve bytes"
    served.server.wait_for_count("old-module: conn_close", 4)
    log = served.server.transcript("old-module")
    for line in ("conn_accept", 'token ""', "try_join", "peer_join", "try_connect", "peer_connect",
                 "conn_settled", "session_open", "sent 0 4"):
        assert line in log, f"no {line} in {log}"
    assert log.count("session_open") == 1
    assert sum(line.startswith("session_close") and line.endswith(" 1 calls")
               for line in log) == 1
    assert served.number("old-module.sent") == 12
    served.check_its_end()


@pytest.mark.parametrize("hook", ["try_join", "peer_join"])
def test_it_may_refuse_a_join(old, identities, hook):
    served = old(deny=hook)
    with ProtocolConnection(served.server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect_last(NOT_FOUND)
    assert served.number("relay.joins.refused") == 1


@pytest.mark.parametrize("hook", ["try_connect", "peer_connect"])
def test_it_may_refuse_a_request(old, identities, hook):
    served = old(deny=hook)
    with served.joins(identities[0]), \
            ProtocolConnection(served.server.address, identities[1]) as asker:
        asker.send(rp.ConnectRequest(identities[0].id))
        asker.expect_last(NOT_FOUND)
    assert served.number("relay.connect_requests.refused") == 1


def test_nobody_is_looked_for_elsewhere(old, identities):
    """What follows in memory is no hook that finds devices."""
    served = old()
    with ProtocolConnection(served.server.address, identities[0]) as asker:
        asker.send(rp.ConnectRequest(identities[1].id))
        asker.expect_last(NOT_FOUND)
    served.check_its_end()


@WORKERS
def test_its_own_protocol_works(old, workers):
    served = old(workers)
    for _ in range(10):  # on any worker
        with joined(served.port, b"one!") as one, joined(served.port, b"two!") as two:
            one.send(b"across and")
            assert two.receive(10) == b"across and"
            two.send(b"back")
            assert one.receive(4) == b"back"
    served.server.wait_for_count("old-module: conn_close", 20)
    served.check_its_end()


def test_its_own_filters_guard_its_protocol(old):
    served = old(deny="peer_join")
    with Client(served.port, b"one!") as client:
        assert client.rest() == b"denied old-denial\n"
    served.server.wait_for_log("old-module: failed 0")


@WORKERS
def test_whom_it_moves_counts_as_settled(old, workers):
    """As its headers said; since API 1.8 a connection stays a stranger until it is settled."""
    served = old(workers)
    with joined(served.port, b"one!"):
        wait_for(lambda: served.number("core.strangers") == 0, "nobody to be a stranger")
        served.server.wait_for_count("old-module: conn_settled", 1)


def test_a_module_that_would_wait_refuses_there(old):
    served = old(modules=["late-one"])
    with Client(served.port, b"one!") as client:
        assert client.rest() == b"denied cannot-wait\n"
    served.server.wait_for_log("late-one: no ticket")


def test_it_is_asked_after_one_that_waits(old, identities):
    served = old(modules=["late-one"], deny="peer_join")
    with ProtocolConnection(served.server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        wait_for(lambda: served.number("core.questions.join") == 1, "the join to wait")
        assert "peer_join" not in served.server.transcript("old-module")
        assert served.server.page("/late-one?pass")[0] == 200
        client.expect_last(NOT_FOUND)
    served.server.wait_for_log("old-module: peer_join")


def test_a_reload_is_prepared_with_its_files(old):
    served = old()
    served.sections["old-module"]["deny"] = "conn_open"
    served.server.configure(served.modules, served.sections)
    assert served.server.reload()[0]
    assert ["prepares with 16", "commits conn_open"] == [
        line for line in served.server.transcript("old-module") if "s " in line]
    with Client(served.port, b"one!") as client:
        assert client.rest() == b""
    served.check_its_end()


def test_its_advice_is_shown_by_a_check(old):
    served = old()
    command = [*served.server.command, "-check"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "advice of an old module" in checked.stdout + checked.stderr
    assert "called beyond" not in checked.stdout + checked.stderr
