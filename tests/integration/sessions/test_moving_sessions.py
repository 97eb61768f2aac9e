# SPDX-License-Identifier: MPL-2.0
"""Sessions that move from worker to worker every few milliseconds (the test module mover): no byte
is lost, every end is noticed, limits hold, and whoever knows a session's id finds it."""

import contextlib

import pytest

import relay_protocol as rp
from control_client import (MODULES, control_folder, controlled, metric, shown,  # noqa: F401
                            told)
from flows import MEBI, check_flows, flow
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection, SessionConnection, dial, reset
from streams import KILO, MEGA, UNDER, Stream, check_rate, rates
from waiting import SLOWNESS, wait_for

WORKERS = 3


@pytest.fixture
def restless(controlled):  # noqa: F811
    """restless(...) starts a server whose sessions move all the time."""

    def start(interval="2ms", more=(), sections=None, **options):
        return controlled(
            modules=[*MODULES, "access", "bounds", "prometheus", "mover", *more],
            workers=WORKERS, sections={"mover": {"interval": interval}, **(sections or {})},
            **options)

    yield start


def moves(server):
    return metric(server, "strelaysrv_core_session_moves_total")


def counted(server, what, kind):
    return metric(server, f'strelaysrv_ledger_{what}_total{{kind="{kind}"}}')


def check_ids(server):
    """Messages to sessions have found them."""
    wait_for(lambda: metric(server, "strelaysrv_mover_found_total") > 20, "messages by id")
    assert metric(server, "strelaysrv_mover_lost_total") == 0


def sessions(stack, server, identities, count):
    ends = []
    for i in range(count):
        invited = stack.enter_context(
            Invited(server, identities[2 * i], identities[2 * i + 1]))
        ends.append(invited.join_both())
    return ends


@pytest.mark.limits
def test_no_byte_is_lost(restless, identities):
    """Bulk in pipes, small messages, and what a slow reader leaves in queues."""
    server = restless()
    size = int(24 * MEBI / SLOWNESS)
    with contextlib.ExitStack() as stack:
        ends = sessions(stack, server, identities, 4)
        streams = []
        for number, (one, other) in enumerate(ends[:2]):
            streams.append(flow(one, other, size, 4 * number))
            streams.append(flow(other, one, size, 4 * number + 2))
        streams.append(flow(*ends[2], 256 * KILO, 60, biggest=64))
        for _ in range(int(300 / SLOWNESS)):
            check_both_ways(*ends[3])
        check_flows(streams)
        wait_for(lambda: moves(server) > 100, "more moves")
        assert metric(server, "strelaysrv_mover_arrivals_total") >= 100
        check_ids(server)
        for one, other in ends:  # half-closes go on working
            one.end_sending()
            other.expect_end_of_file()
            other.send_bytes(b"last")
            other.close()
            assert one.receive_to_end() == b"last"
        wait_for(lambda: server.status()["numActiveSessions"] == 0, "no session")


def test_every_end_is_noticed(restless, identities):
    """Sessions begin and end all the time, in all ways."""
    server = restless("1ms", ["ledger"])
    rounds = int(60 / SLOWNESS)
    with contextlib.ExitStack() as stack:
        invited = stack.enter_context(Invited(server, identities[0], identities[1]))
        for number in range(rounds):
            if number:
                invited.ask()
            before = moves(server)
            one, other = invited.join_both()
            wait_for(lambda before=before: moves(server) > before, "a move")
            one.send_bytes(bytes(100_000))
            if number % 3 == 0:
                reset(one.sock)
            elif number % 3 == 1:
                one.close()
                assert len(other.receive_to_end()) == 100_000
            else:
                other.receive_bytes(100_000)
                reset(other.sock)
                one.expect_close()
            other.close()
            one.close()
        wait_for(lambda: server.status()["numActiveSessions"] == 0, "no session")
    wait_for(lambda: counted(server, "begun", "connection")
             == counted(server, "ended", "connection"), "an end of each connection")
    assert counted(server, "begun", "session") == counted(server, "ended", "session") == rounds
    assert metric(server, "strelaysrv_mover_lost_total") == 0


def test_reloads_meet_every_session_once(restless, identities):
    """A module comes and goes; it is told of each session once."""
    server = restless("1ms")
    base = [*MODULES, "access", "bounds", "prometheus", "mover"]
    control = {"control": {"socket": str(server.socket)}}
    with contextlib.ExitStack() as stack:
        ends = sessions(stack, server, identities, 4)
        streams = [flow(one, other, int(16 * MEBI / SLOWNESS), 70 + 2 * number)
                   for number, (one, other) in enumerate(ends)]
        for number in range(6):
            server.configure([*base[:-1], *(["quota"] if number % 2 == 0 else []), "mover"],
                             {**control, "mover": {"interval": f"{1 + number}ms"},
                              "rate-limit": {"per-session": f"{200 + number}MB/s"},
                              "quota": {"state-required": "no"}})
            server.reload()
        check_flows(streams)
        before = moves(server)
        wait_for(lambda: moves(server) > before + 20, "moves after the reloads")
        check_ids(server)


def test_an_operator_finds_them(restless, identities):
    server = restless()
    with contextlib.ExitStack() as stack:
        ends = sessions(stack, server, identities, 3)
        names = {row["session"] for row in shown(server, "sessions")}
        assert len(names) == 3
        before = moves(server)
        wait_for(lambda: moves(server) > before + 50, "moves")
        for _ in range(20):  # all are listed, under the same numbers
            assert {row["session"] for row in shown(server, "sessions")} == names
        first = sorted(names)[0]
        told(server, "kick", first)
        wait_for(lambda: {row["session"] for row in shown(server, "sessions")} == names - {first},
                 "two sessions")
        # The sessions of a device end with it.
        for device in shown(server, "devices"):
            told(server, "kick", device["device"])
        wait_for(lambda: shown(server, "sessions") == [], "no session")
        for end in (end for pair in ends for end in pair):
            end.receive_to_end()


def test_limits_hold_and_are_shared(restless, identities):
    server = restless("5ms", sections={"rate-limit": {"global": "4MB/s"}})
    with contextlib.ExitStack() as stack:
        streams = [Stream(*ends) for ends in sessions(stack, server, identities, 4)]
        before = moves(server)
        got = rates(streams)
        assert moves(server) > before + 50
    check_rate(sum(got), 4 * MEGA, "all together")
    for one in got:
        assert one >= 4 * MEGA / 4 * (0.8 - UNDER), f"shares are unequal: {got}"


def test_traffic_goes_on_counting_for_a_name(restless, identities, tmp_path):
    """A module that turns its hooks on for a session does so on each worker."""
    names = tmp_path / "names"
    names.write_text("alice:of-alice\n")
    server = restless("1ms", sections={"access": {"named-tokens": str(names)}})
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(ProtocolConnection(server.address, identities[0]))
        target.send(rp.JoinRelayRequest("of-alice"))
        target.expect(rp.response(rp.SUCCESS))
        with ProtocolConnection(server.address, identities[1]) as asker:
            keys = [asker.request(identities[0].id).key, target.invitation().key]
        one, other = (stack.enter_context(SessionConnection(server.address)).join(key)
                      for key in keys)
        size = 0
        while moves(server) < 50:
            one.send_bytes(bytes(1000))
            assert other.receive_bytes(1000) == bytes(1000)
            size += 1000
        name = 'strelaysrv_access_token_traffic_bytes_total{name="alice"}'
        wait_for(lambda: metric(server, name) == size, lambda: f"{size} bytes of alice")


def test_sessions_that_an_older_module_knows_stay(controlled):  # noqa: F811
    server = controlled(modules=["log", "control", "prometheus", "old-module", "mover"],
                        workers=WORKERS, sections={"mover": {"interval": "1ms"}})
    with contextlib.ExitStack() as stack:
        one, other = (stack.enter_context(dial(server.address)) for _ in range(2))
        for client in (one, other):
            client.sendall(b"good")
            assert client.recv(7) == b"joined\n"
        one.sendall(b"0123")
        assert other.recv(4) == b"0123"
        check_ids(server)
        assert moves(server) == 0


def test_a_stop_ends_them(restless, identities):
    server = restless("1ms")
    with contextlib.ExitStack() as stack:
        ends = sessions(stack, server, identities, 4)
        wait_for(lambda: moves(server) > 20, "moves")
        for one, _ in ends:
            one.send_bytes(b"before the stop")
        for _, other in ends:
            assert other.receive_bytes(15) == b"before the stop"
        server.stop()
        for one, other in ends:
            one.receive_to_end()
            other.receive_to_end()
