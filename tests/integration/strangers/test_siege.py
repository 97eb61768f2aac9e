# SPDX-License-Identifier: MPL-2.0
"""Strangers attack for a moment, one attack after the other, while good clients join, open
sessions, transfer checked bytes and scrape.  The good clients succeed, the server holds no more
than the table of budgets allows, the table's counters grow, and soon after the attack the server is
as before.

The attacks, and the program that plays them, are in tests/siege; its long form compares. How the
suite plays them is in tools/siege_trials.py. Under a sanitizer, where everything takes several
times as long and as much, only the last two of these are looked at, with fewer sources and
connections."""

import math
import os
import sys

import pytest

import budget_table
import gateway
from budget_table import ATTACKS, COUNTER, WHAT
from relay_server import ROOT
from siege_trials import KIB, LAN_TRIALS, MIB, TRIALS
from skip_unless import can_run
from waiting import SLOWNESS, wait_for

sys.path.insert(0, str(ROOT / "tests" / "siege"))

import siege  # noqa: E402

#: A build with a sanitizer: see SLOWNESS in tests/run.sh.
SLOW = SLOWNESS > 1
FEW_SOURCES = 8
#: Then each attack is played once, in the first of its ways.
PLAYED = list({trial.name: trial for trial in reversed(TRIALS)}.values()) if SLOW else TRIALS

#: {counter of the control socket: the test that moves it}
CONTROL = {
    'strelaysrv_control_connections_ended_total{reason="room"}':
        "test_two_hundred_clients_that_never_read",
    'strelaysrv_control_connections_ended_total{reason="line"}':
        "test_half_lines_and_long_lines_are_refused",
    'strelaysrv_control_connections_ended_total{reason="time"}':
        "test_two_hundred_clients_that_never_read",
    'strelaysrv_control_connections_ended_total{reason="unread"}':
        "test_a_client_that_does_not_read_holds_little_and_is_ended",
    "strelaysrv_relay_events_lost_total":
        "test_a_follower_that_does_not_read_loses_events_and_is_told",
}
#: {counter of a proxy's connections: the test that moves it}
PROXIES = {
    'strelaysrv_core_proxy_connections_total{result="room"}':
        "test_who_waits_longest_makes_room",
    'strelaysrv_core_proxy_connections_total{result="time"}':
        "test_a_header_must_come_in_time",
    'strelaysrv_core_proxy_connections_total{result="long"}':
        "test_what_names_no_client_is_closed_and_counted",
}
#: {counter of wormhole-transit: the test that moves it}
TRANSIT = {
    'strelaysrv_wormhole_transit_clients_total{result="slow"}': "test_lines_and_waits_have_an_end",
    'strelaysrv_wormhole_transit_clients_total{result="bad_handshake"}':
        "test_a_bad_handshake_is_answered_and_closed",
    'strelaysrv_wormhole_transit_bounds_reached_total{bound="waiting"}':
        "test_those_that_wait_are_bounded",
    'strelaysrv_wormhole_transit_bounds_reached_total{bound="waiting-per-source"}':
        "test_those_that_wait_are_bounded",
    'strelaysrv_wormhole_transit_bounds_reached_total{bound="waiting-per-token"}':
        "test_of_a_token_the_oldest_give_way",
}
#: {counter of decisions that take time: the test that moves it}
QUESTIONS = {
    'strelaysrv_core_questions_refused_total{by="source"}':
        "test_a_source_has_a_bound_and_others_go_on",
    'strelaysrv_core_questions_refused_total{by="device"}': "test_a_device_has_a_bound",
    'strelaysrv_core_questions_settled_total{result="no_answer"}':
        "test_a_join_without_an_answer_is_told_that_the_relay_is_full",
    'strelaysrv_admission_failures_total{reason="source-full"}':
        "test_a_source_has_a_quarter_of_the_queue",
    'strelaysrv_admission_failures_total{reason="queue-full"}':
        "test_the_newest_is_refused_if_the_queue_is_full",
    'strelaysrv_quota_names_total{result="replaced"}': "test_names_without_end",
}
#: {counter: (why no attack of some seconds moves it, the test that does)}
NOT_PLAYED = {
    "strelaysrv_bounds_forgotten_total": (
        "takes 262,144 sources with a handshake each within a minute", "unit-ledger"),
    'strelaysrv_core_http_ends_total{reason="unread_bytes"}': (
        "takes answers that are larger than those of any module: the kernel takes the others",
        "unit-http_conns"),
    'strelaysrv_core_http_ends_total{reason="idle"}': ("takes 80 s", "unit-http_conns"),
    **{f'strelaysrv_relay_remote_requests_total{{result="{result}"}}': (
        "is of other relays of a cluster, which no server has by default", test)
       for result, test in (("full", "test_what_a_far_asker_may_have_is_bounded"),
                            ("elsewhere", "test_many_invitations_to_other_relays_all_arrive"))},
    **{counter: ("is of the control socket, which strangers do not reach", test)
       for counter, test in CONTROL.items()},
    **{counter: ("is of connections that only a trusted proxy can open", test)
       for counter, test in PROXIES.items()},
    **{counter: ("is of a module that no server loads by default", test)
       for counter, test in TRANSIT.items()},
    **{counter: ("takes a module that takes its time, which no server has by default", test)
       for counter, test in QUESTIONS.items()},
}


def test_every_attack_is_played():
    assert {trial.name for trial in TRIALS} == set(siege.attacks(siege.attacker()))
    assert {trial.name for trial in LAN_TRIALS} == set(siege.attacks(siege.attacker(), "lan"))


def test_attacks_move_the_counters_of_their_rows():
    """Each counter of a row must grow in a trial of one of its attacks."""
    trials = TRIALS + LAN_TRIALS
    rows = budget_table.rows(budget_table.raw())
    for row in rows:
        attacks = budget_table.names(row[ATTACKS])
        moved = {counter for trial in trials if trial.name in attacks for counter in trial.moves}
        for counter in budget_table.counters(row):
            assert counter in moved or counter in NOT_PLAYED, (
                f"{row[WHAT]}: no trial of {attacks} moves {counter}")
            assert not (counter in moved and counter in NOT_PLAYED), f"{counter} is played"
    named = "".join(row[COUNTER] for row in rows).replace('"', "")
    for trial in trials:
        for counter in trial.moves:
            assert counter.replace('"', "") in named, f"{trial}: no row names {counter}"


def test_what_is_not_played_has_a_test():
    for counter, (_, test) in NOT_PLAYED.items():
        assert budget_table.is_there(test), f"{counter}: no test {test}"
    named = {counter for row in budget_table.rows(budget_table.raw())
             for counter in budget_table.counters(row)}
    assert set(NOT_PLAYED) <= named, "a counter that no row names"


def too_many(outcome, kind, share):
    """Whether so many failures had a probability below 1 in 100 if the required share were reached.

    The short form has some thirty tries of each kind; the long form measures the shares."""
    failed, tries = outcome.failed(kind), outcome.done(kind) + outcome.failed(kind)
    at_least = sum(math.comb(tries, n) * (1 - share) ** n * share ** (tries - n)
                   for n in range(failed, tries + 1))
    return at_least < 0.01


def _good_clients_get_done(trial, outcome, told):
    for kind in ("join", "meet") if trial.joins else ():
        assert outcome.done(kind) and not too_many(outcome, kind, trial.joins), f"{kind}: {told}"
    if trial.joins:
        assert outcome.done("transfer") and not too_many(outcome, "transfer", 0.95), told
    # The relay may end a session whose device keeps others waiting, but no byte is lost.
    assert set(outcome.good["transfer_failed_by"]) <= {"closed", "reset", "timeout"}, told
    assert outcome.done("scrape") and not too_many(outcome, "scrape", 0.95), f"scrapes: {told}"
    assert outcome.done("echo") and not outcome.failed("echo"), told


def _little_is_held(trial, outcome, told):
    held = outcome.last if trial.settled else outcome.most
    assert outcome.most.rss - outcome.before.rss <= trial.process_bytes, f"memory: {told}"
    assert held.kernel - outcome.before.kernel <= trial.kernel_bytes, (
        f"memory of the kernel: {told}")
    assert outcome.most.descriptors <= trial.descriptors, f"descriptors: {told}"
    if trial.sockets:
        assert held.sockets - outcome.before.sockets <= trial.sockets, f"sockets: {told}"


def _all_is_as_before(server, outcome, told):
    before, after = outcome.before, outcome.after
    assert after.others <= before.others, f"descriptors after the end: {told}"
    assert after.sockets <= before.sockets, f"sockets after the end: {told}"
    assert after.kernel <= before.kernel + 64 * KIB, f"kernel memory after the end: {told}"
    # A sanitizer keeps freed memory, to detect its use.
    assert SLOW or after.rss <= before.rss + 8 * MIB, f"memory after the end: {told}"
    wait_for(lambda: server.status()["numConnections"] <= 1 and
             server.status()["numActiveSessions"] == 0,
             lambda: f"nobody to be there any more: {server.status()}")


def _judge(trial, server, outcome):
    assert not outcome.crashed, f"{outcome.crashed}; the log:\n{server.log()}"
    told = f"{outcome}\n{server.log()[-2000:]}"
    if not SLOW:
        _good_clients_get_done(trial, outcome, told)
        _little_is_held(trial, outcome, told)
    assert not trial.exceeded(outcome), f"{trial.exceeded(outcome)}: {told}"
    # With too few connections, an attack reaches no bound.
    for counter in () if SLOW and trial.slow_open else trial.must_move(outcome):
        assert outcome.counted.get(counter), f"{counter} has not moved: {told}"
    _all_is_as_before(server, outcome, told)


@pytest.mark.parametrize("trial", PLAYED, ids=str)
def test_siege(start, plain_program, tmp_path, trial):
    conf = tmp_path / "siege.conf"
    conf.write_text(siege.BARE_CONFIGURATION if trial.bare else siege.CONFIGURATION)
    server = start(plain_program, "-conf", conf, "-token", siege.TOKEN, *trial.args,
                   descriptors=trial.descriptors)
    attack = trial.attack if "@" in trial.attack or not SLOW else f"{trial.attack}@{FEW_SOURCES}"
    _judge(trial, server, siege.lay(
        server, attack, trial.seconds, siege.attacker(), "/metrics",
        attack_open=SLOW and trial.slow_open or trial.open, meanwhile=trial.meanwhile))


@can_run("PORT MAPPINGS", gateway.why_not())
@pytest.mark.parametrize("trial", LAN_TRIALS, ids=str)
def test_siege_from_the_local_network(start, plain_program, tmp_path, trial):
    """A hostile host of the local network, while good clients do the same as above."""
    conf = tmp_path / "siege.conf"
    conf.write_text(siege.LAN_CONFIGURATION)
    with gateway.networks(tmp_path, f"{os.getpid()}-siege") as nets:
        nets.at("gateway", "ip", "addr", "add", f"{gateway.NEIGHBOUR}/24", "dev", "inner")
        own = gateway.NEIGHBOUR if trial.attack == "lan-stranger" else gateway.INNER

        def play():
            server = start(plain_program, "-conf", conf, "-token", siege.TOKEN, *trial.args,
                           listen="0.0.0.0:22067", descriptors=trial.descriptors)
            _judge(trial, server, siege.lay(
                server, trial.attack, trial.seconds, siege.attacker(), "/metrics",
                elsewhere=nets.prefix("gateway"), own=own))

        nets.call("relay", play)
