# SPDX-License-Identifier: MPL-2.0
"""SIGUSR1: new devices are refused, idle ones are disconnected, and the server exits after the last
session."""

import contextlib
import re
import signal

import pytest

import relay_protocol as rp
from exposition import parse, value
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import wait_for

FULL = "modules = { log, relay, status, prometheus }\n"


@pytest.fixture
def start_draining(start_ours, tmp_path):
    conf = tmp_path / "drain.conf"
    conf.write_text(FULL)

    def start(*args):
        server = start_ours("-conf", conf, *args)
        server.conf = conf
        return server

    return start


def metric(server, name, **labels):
    return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_{name}", **labels)


def drain(server):
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log("core: draining, no newcomers")


def test_without_sessions_it_ends_soon(start_ours):
    server = start_ours()
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log("core: drained: the last session has ended")
    assert server.wait_for_exit() == 0


@pytest.mark.limits
def test_the_idle_are_sent_away_and_then_it_ends(start_ours, identities):
    server = start_ours("-drain-spread", "500ms")
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(server.address, identity)).join()
                   for identity in identities[:8]]
        drain(server)
        for device in devices:
            device.expect(rp.RelayFull())
            device.expect_end_of_file()
            device.close()
        assert server.wait_for_exit() == 0


def test_they_are_sent_away_one_after_the_other(start_ours, identities):
    """With two devices left, the first one's turn comes after half of the hour."""
    server = start_ours("-drain-spread", "1h")
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(server.address, identity)).join()
                   for identity in identities[:6]]
        drain(server)
        wait_for(lambda: server.status()["drain"]["left"] < 6, "the first to be sent away")
        assert server.status()["drain"]["left"] >= 6 - server.program.workers
        gone = 0
        for device in devices:
            try:
                device.send(rp.Ping())
                answer = device.receive_answering_pings()
            except Closed:
                answer = rp.RelayFull()
            assert answer in (rp.Pong(), rp.RelayFull())
            gone += answer == rp.RelayFull()
        assert gone <= server.program.workers


@pytest.mark.limits
def test_newcomers_are_refused_and_counted(start_draining, identities):
    server = start_draining("-drain-spread", "1h")
    with contextlib.ExitStack() as stack:
        for identity in identities[:3]:
            stack.enter_context(ProtocolConnection(server.address, identity)).join()
        drain(server)
        for _ in range(2):
            with ProtocolConnection(server.address, identities[5]) as device:
                device.send(rp.JoinRelayRequest())
                device.expect_last(rp.RelayFull())
        with ProtocolConnection(server.address, identities[5]) as asker:
            asker.send(rp.ConnectRequest(identities[0].id))
            asker.expect_last(rp.response(rp.NOT_FOUND))
        server.wait_for_log(r"relay: new devices are sent away: the server is closed \(draining\)")
        assert metric(server, "relay_joins_total", result="closed") == 2
        assert metric(server, "relay_connect_requests_total", result="closed") == 1


def test_who_asks_is_told(start_draining, identities):
    server = start_draining("-drain-spread", "1h", "-drain-timeout", "2h")
    assert server.get("/healthz")[0] == 200
    assert "drain" not in server.status()
    assert metric(server, "core_draining") == 0
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        server.wait_for_status(lambda seen: seen["numActiveSessions"] == 1, "the session")
        drain(server)
        code, _, text = server.get("/healthz")
        assert (code, text) == (503, b"draining\n")
        told = server.status()["drain"]
        assert told["how"] == "leave" and told["left"] == 2
        assert 3600 < told["secondsLeft"] <= 7200
        assert metric(server, "core_draining") == 1
        assert metric(server, "core_drain_left") == 2
        assert 3600 < metric(server, "core_drain_time_left_seconds") <= 7200
        server.wait_for_log(r"waits for 1 sessions and 1 peers or pending sessions, for 2h0m0s at most")
        server.wait_for_log(r"core: draining: waits for 1 sessions")
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("is draining already: waits for 1 sessions")


@pytest.mark.limits
def test_a_session_goes_on_and_the_end_comes_with_it(start_ours, identities):
    server = start_ours("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        drain(server)
        with ProtocolConnection(server.address, identities[2]) as device:
            device.send(rp.JoinRelayRequest())
            device.expect_last(rp.RelayFull())
        for _ in range(3):
            check_both_ways(asker, target)
        invited.target.check_alive()  # a busy device stays
        asker.close()
        target.expect_close()
        target.close()
        invited.target.expect(rp.RelayFull())
        invited.target.close()
        assert server.wait_for_exit() == 0
        assert "drained: the last session has ended" in server.log()


@pytest.mark.parametrize("joined", [0, 1])
def test_what_was_promised_is_kept(start_ours, identities, joined):
    """A session whose invitations were sent before the drain can still begin."""
    server = start_ours("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = [invited.join_asker()] if joined else []
        drain(server)
        invited.target.expect_last(rp.RelayFull())
        ends += [invited.join_target()] if joined else [invited.join_asker(), invited.join_target()]
        check_both_ways(*ends)
        for end in ends:
            end.close()
        assert server.wait_for_exit() == 0


def test_drain_timeout_ends_what_is_left(start_ours, identities):
    server = start_ours("-drain-timeout", "1s", "-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        drain(server)
        for end in ends:
            end.expect_end_of_file()
            end.close()
        assert server.wait_for_exit() == 0
        assert "drain-timeout has passed: waits for 1 sessions" in server.log()
        assert "drained: what is left is ended" in server.log()


def test_the_longest_drain_timeout_is_a_year(start_draining, identities):
    """In milliseconds it needs more than 32 bits."""
    server = start_draining("-drain-spread", "0s", "-drain-timeout", "8760h")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        check_both_ways(*ends)  # it is told that it has joined before its session begins
        drain(server)
        assert server.count("waits for 1 sessions .*, for 8760h0m0s at most") == 1, server.log()
        left = server.status()["drain"]["secondsLeft"]
        assert 8759 * 3600 < left <= 8760 * 3600
        assert metric(server, "core_drain_time_left_seconds") == pytest.approx(left, abs=3600)
        check_both_ways(*ends)
        ends[0].close()
        ends[1].expect_close()
        ends[1].close()
        invited.target.expect_last(rp.RelayFull())
        invited.target.close()
        assert server.wait_for_exit() == 0
    assert "drained: the last session has ended" in server.log()


def test_drain_timeout_can_be_changed_meanwhile(start_draining, identities):
    server = start_draining("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        drain(server)
        server.conf.write_text(FULL + "drain-timeout = 1s\n")
        server.send_signal(signal.SIGHUP)
        assert server.wait_for_exit() == 0
        assert "option drain-timeout changes from" in server.log()


def test_a_stop_ends_a_drain(start_ours, identities):
    server = start_ours()
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        drain(server)
        assert server.stop() == 0


def test_guests_with_unknown_keys_are_answered(start_ours, identities):
    server = start_ours("-drain-spread", "1h")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        drain(server)
        with SessionConnection(server.address) as guest:
            guest.send(rp.JoinSessionRequest(b"x" * 32))
            guest.expect_last(rp.response(rp.NOT_FOUND))


def test_no_pool_is_joined(start_joining, make_pool, identities):
    pool = make_pool()
    server = start_joining(pool, args=("-drain-spread", "1h"))
    server.wait_for_log("Joined")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        drain(server)
        server.wait_for_log("pool-join: joins no pool while the server takes no newcomers: draining")
        assert [state["state"] for state in server.status()["pools"]] == ["resting"]


def test_operators_modules_are_told(module_server):  # noqa: F811
    server = module_server(["echo-pair", "trace"], drain_timeout="1h")
    ends = [server.connect(), server.connect()]
    ends[0].sendall(b"1")
    ends[1].sendall(b"2")
    assert ends[0].recv(1) == b"2"
    drain(server)
    server.wait_for_count("trace: drain leave", 3)
    # A module that a reload adds is told of the drain.
    server.configure(["echo-pair"], drain_timeout="1h")
    assert server.reload()[0]
    seen = server.count("trace: drain leave")
    server.configure(["echo-pair", "trace"], drain_timeout="1h")
    assert server.reload()[0]
    server.wait_for_count("trace: drain leave", seen + 1)
    for end in ends:
        end.close()
    assert server.wait_for_exit() == 0
    assert not re.search("error", server.log())
