# SPDX-License-Identifier: MPL-2.0
"""-ctl devices, sessions, show and kick: what is here, on all workers, and how it is ended."""

import contextlib

import pytest

import device_id
from control_client import (  # noqa: F401
    MODULES, control_folder, controlled, ctl, shown, told, answer, rows,
)
from pairing import Invited, check_both_ways, check_relayed
from relay_client import ProtocolConnection
from relay_server import free_port
from waiting import wait_for
from wormhole import both_ways, pair


def name_of(identity):
    return device_id.to_text(identity.id)


def joined(stack, server, identity):
    client = stack.enter_context(ProtocolConnection(server.address, identity))
    client.join()
    return client


@pytest.mark.parametrize("workers", [1, 3])
def test_devices_are_listed_with_their_addresses(controlled, identities, workers):  # noqa: F811
    server = controlled(workers=workers)
    assert shown(server, "devices") == []
    with contextlib.ExitStack() as stack:
        for identity in identities:
            joined(stack, server, identity)
        found = {row["device"]: row for row in shown(server, "devices")}
        assert set(found) == {name_of(identity) for identity in identities}
        for row in found.values():
            assert row["address"].startswith("127.0.0.1:") and 0 <= row["worker"] < workers
            assert row["age"] >= row["idle"] >= 0 and row["sessions"] == 0
        ages = [row["age"] for row in shown(server, "devices", "by", "age")]
        assert ages == sorted(ages, reverse=True)
        text = told(server, "devices").splitlines()
        assert text[0].split()[:2] == ["device", "address"] and len(text) == 21
    wait_for(lambda: shown(server, "devices") == [], "no devices")


@pytest.mark.parametrize("workers", [1, 3])
def test_sessions_are_listed_and_counted_for_their_devices(controlled, identities,  # noqa: F811
                                                           workers):
    server = controlled(workers=workers)
    with contextlib.ExitStack() as stack:
        for i in range(0, 6, 2):
            invited = stack.enter_context(Invited(server, identities[i], identities[i + 1]))
            one, other = invited.join_both()
            for _ in range(i + 1):
                check_relayed(one, other, b"x" * 1000)
        found = shown(server, "sessions", "by", "bytes")
        sums = [row["sent"] + row["other sent"] for row in found]
        assert sums == [5000, 3000, 1000]
        assert {name_of(identities[4]), name_of(identities[5])} == {
            found[0]["device"], found[0]["other device"]}
        devices = {row["device"]: row for row in shown(server, "devices")}
        for i in (1, 3, 5):  # who was asked for; the others have not joined
            row = devices[name_of(identities[i])]
            assert (row["sessions"], row["bytes"]) == (1, 1000 * (i // 2 * 2 + 1))


def test_any_unambiguous_beginning_of_an_id_will_do(controlled, identities):  # noqa: F811
    server = controlled()
    with contextlib.ExitStack() as stack:
        for identity in identities:
            joined(stack, server, identity)
        full = name_of(identities[3])
        for text in (full, full.lower(), full.replace("-", ""), full[:14]):
            device = rows(answer(server, "show", text))
            assert [row["device"] for row in device] == [full]
        done = ctl(server, "show", "11111111")
        assert done.returncode == 1 and "no device that is here begins with" in done.stderr
        assert "an ID has letters, the digits 2 to 7, and dashes" in done.stderr
        done = ctl(server, "kick", "9.99")
        assert done.returncode == 1 and 'no session that is here has the number "9.99"' in done.stderr
        same = {}
        for identity in identities:
            same.setdefault(name_of(identity)[0], []).append(identity)
        several = next(letter for letter, found in same.items() if len(found) > 1)
        done = ctl(server, "kick", several)
        assert done.returncode == 1 and "several devices begin with" in done.stderr, done
        assert len(shown(server, "devices")) == len(identities)


@pytest.mark.parametrize("workers", [1, 3])
def test_kick_ends_a_device_and_its_sessions_and_nobody_else(controlled, identities,  # noqa: F811
                                                             workers):
    server = controlled(workers=workers)
    with contextlib.ExitStack() as stack:
        pairs = []
        for i in (0, 2):
            invited = stack.enter_context(Invited(server, identities[i], identities[i + 1]))
            pairs.append(invited.join_both())
        told(server, "kick", name_of(identities[1])[:20])
        pairs[0][0].receive_to_end()
        wait_for(lambda: len(shown(server, "sessions")) == 1, "one session")
        assert name_of(identities[1]) not in {
            row["device"] for row in shown(server, "devices")}
        check_both_ways(*pairs[1])
        (session,) = shown(server, "sessions")
        assert told(server, "kick", session["session"]) == (
            f"ended the session {session['session']}\n")
        wait_for(lambda: shown(server, "sessions") == [], "no session")
        assert name_of(identities[3]) in {row["device"] for row in shown(server, "devices")}
    server.wait_for_log("command: kick ")


@pytest.fixture(params=[1, 3])
def two_protocols(request, controlled):  # noqa: F811
    """The server, and the port at which it serves another protocol than the relay's."""
    port = free_port()
    server = controlled(
        modules=["log", "wormhole-transit", "relay", "control"], workers=request.param,
        sections={'listener "other"': {"address": f"127.0.0.1:{port}",
                                       "protocol": "wormhole-transit"}})
    return server, port


def address_of(client):
    return "{}:{}".format(*client.sock.getsockname())


def test_sessions_of_other_protocols_are_listed(two_protocols, identities):
    server, port = two_protocols
    pairs = [pair(port) for _ in range(5)]
    for i, (one, other) in enumerate(pairs):
        both_ways(one, other, bytes(1000 * (i + 1)))
    with Invited(server, identities[0], identities[1]) as invited:
        check_relayed(*invited.join_both(), b"x" * 100)
        found = shown(server, "sessions", "by", "bytes")
        assert [row["protocol"] for row in found] == ["wormhole-transit"] * 5 + ["relay"]
        assert [row["sent"] for row in found[:5]] == [5000, 4000, 3000, 2000, 1000]
        for row, sides in zip(found, reversed(pairs)):
            assert row["device"] is row["other device"] is None
            assert {row["address"], row["other address"]} == {address_of(side) for side in sides}
            assert 0 <= row["idle"] <= row["age"] and row["rate"] > 0
        assert found[5]["device"] and found[5]["other device"]
        text = told(server, "sessions").splitlines()
        assert text[0].split()[-1] == "protocol" and text[1].split()[-1] == "wormhole-transit"
        # Without devices their places show the addresses.
        busy = next(table for table in answer(server, "top")["tables"]
                    if table["title"] == "sessions")
        column = [one["name"] for one in busy["columns"]].index("device")
        assert {row[column] for row in busy["rows"]} >= {row["address"] for row in found[:5]}
    for one, other in pairs:
        one.close()
        other.close()
    wait_for(lambda: shown(server, "sessions") == [], "no sessions")


def test_sessions_of_other_protocols_are_found_and_ended(two_protocols):
    server, port = two_protocols
    pairs = [pair(port) for _ in range(3)]
    for one, other in pairs:
        both_ways(one, other)
    session = next(row for row in shown(server, "sessions")
                   if address_of(pairs[1][0]) in (row["address"], row["other address"]))
    (table,) = answer(server, "show", session["session"])["tables"]
    assert table["title"] == "sessions" and len(table["rows"]) == 1
    (table,) = answer(server, "show", "127.0.0.1")["tables"]
    assert len(table["rows"]) == 3
    # The zeros in the place of an ID are no device.
    done = ctl(server, "kick", "AAAAAAA")
    assert done.returncode == 1 and "no device that is here begins with" in done.stderr
    told(server, "kick", session["session"])
    assert pairs[1][0].rest() == pairs[1][1].rest() == b""
    wait_for(lambda: len(shown(server, "sessions")) == 2, "two sessions")
    both_ways(*pairs[0])
    both_ways(*pairs[2])


def test_wrong_words_show_the_usage(controlled):  # noqa: F811
    server = controlled()
    for words in (["devices", "by"], ["devices", "by", "colour"], ["sessions", "by", "size"],
                  ["show"], ["kick"], ["kick", "a", "b"]):
        done = ctl(server, *words)
        assert done.returncode == 2 and f"usage: {words[0]}" in done.stderr, done
