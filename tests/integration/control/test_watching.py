# SPDX-License-Identifier: MPL-2.0
"""-ctl follow, top and show: what happens, what is busy, what belongs to an address."""

import contextlib
import json
import os
import pty
import select
import subprocess

import pytest

from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, dial, metric, rows, shown, told,
)
from device_id import to_text
from pairing import Invited, check_relayed
from relay_client import ProtocolConnection, dial as dial_relay
from relay_server import Program
from waiting import PATIENCE, wait_for

FOLLOWERS_MAX = 8


class Follower:
    """A client of `follow`; `events` are the rows it got."""

    def __init__(self, server, *words):
        self.sock = dial(server.socket)
        self.sock.sendall(" ".join(["follow", *words]).encode() + b"\n")
        self.lines = self.sock.makefile()
        self.events, self.messages = [], []

    def until(self, what):
        """Reads until there is an event of that kind; returns the kinds so far."""
        while what not in self.kinds():
            line = self.lines.readline()
            assert line, self.events
            found = json.loads(line)
            self.messages += found["messages"]
            if found["tables"]:
                self.events += rows(found)
        return self.kinds()

    def kinds(self):
        return [event["event"] for event in self.events]


@pytest.fixture
def follow():
    with contextlib.ExitStack() as stack:

        def start(server, *words):
            follower = Follower(server, *words)
            stack.callback(follower.sock.close)
            stack.callback(follower.lines.close)
            # It follows when a command that came later is answered.
            told(server, "limit")
            return follower

        yield start


@pytest.mark.parametrize("workers", [1, 3])
def test_follow_tells_what_happens(controlled, identities, follow, workers):  # noqa: F811
    server = controlled(modules=[*MODULES, "access"], workers=workers)
    follower = follow(server)
    asker, target = (to_text(identity.id) for identity in identities[:2])
    with Invited(server, *identities[:2]) as invited:
        one, other = invited.join_both()
        check_relayed(one, other, b"x" * 1000)
        told(server, "ban", target)
        follower.until("session ends")
        follower.until("left")
    with ProtocolConnection(server.address, identities[1]) as again:
        again.sock.settimeout(PATIENCE)
        with contextlib.suppress(AssertionError):
            again.join()
    kinds = follower.until("ban")
    assert kinds.index("joined") < kinds.index("requests a device") < kinds.index("session begins")
    by_kind = {event["event"]: event for event in follower.events}
    assert by_kind["joined"]["device"] == target
    assert by_kind["requests a device"]["device"] == asker
    assert by_kind["requests a device"]["other device"] == target
    ended = by_kind["session ends"]
    assert {ended["sent"], ended["other sent"]} == {0, 1000} and ended["reason"] == "denied"
    assert {ended["device"], ended["other device"]} == {asker, target}
    assert ended["session"] == by_kind["session begins"]["session"]
    assert by_kind["ban"]["address"].startswith("127.0.0.1:")


@pytest.mark.parametrize("source", ["198.51.100.7", "2001:db8::7"])
def test_follow_tells_of_askers_at_other_relays(controlled, identities, follow, source):  # noqa: F811
    server = controlled([*MODULES, "access", "far-asker"], installed=["far-asker"],
                        sections={"access": {"ask-deny": [to_text(identities[2].id)]}})
    follower = follow(server, "address", source)
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        for asker in identities[1:3]:
            assert server.page(f"/far-asker?invite,1,{asker.id.hex()},{identities[0].id.hex()},"
                               + source)[0] == 200
        follower.until("refused at another relay")
    one, other = follower.events
    assert one["event"] == "requests a device at another relay"
    assert (other["device"], other["reason"]) == (to_text(identities[2].id), "ask")
    for event in follower.events:
        assert event["address"] == source
        assert event["other device"] == to_text(identities[0].id)


def test_follow_one_device_or_address(controlled, identities, follow):  # noqa: F811
    server = controlled()
    names = [to_text(identity.id) for identity in identities[:2]]
    one = follow(server, "device", names[1][:10].lower())
    here = follow(server, "address", "127.0.0.2")
    both = follow(server)
    with ProtocolConnection(server.address, identities[0], source="127.0.0.2") as first, \
            ProtocolConnection(server.address, identities[1]) as second:
        first.join()
        second.join()
        both.until("joined")
    both.until("left")
    for follower, name in ((one, names[1]), (here, names[0])):
        follower.until("left")
        assert {event["device"] for event in follower.events} == {name}
    for words, wrong in ((["device", "x1"], "cannot begin a device ID: an ID has letters"),
                         (["address", "192.0.2.999"], "is no IP address"), (["address", "x:1"], "is no IP"),
                         (["address", "[]:1"], "is no IP address"), (["address", ":"], "is no IP address")):
        done = ctl(server, "follow", *words)
        assert done.returncode == 2 and f'"{words[1]}" {wrong}' in done.stderr, done
    for words in (["follow", "device"], ["follow", "name", "x"], ["top", "now"]):
        assert ctl(server, *words).returncode == 2


def test_a_follower_that_does_not_read_loses_events_and_is_told(controlled, follow):  # noqa: F811
    server = controlled(modules=[*MODULES, "prometheus"],
                        sections={"relay": {"guest-timeout": "100ms"}})
    follower = follow(server)
    before = server.descriptors()
    for _ in range(4000):
        dial_relay(server.address).close()
    wait_for(lambda: server.descriptors() <= before + 50, "the end of the connections")
    assert server.get("/healthz")[0] == 200
    seen = 0
    while not follower.messages:
        seen = len(follower.until("closed"))
        follower.events.clear()
    assert "events were lost" in follower.messages[0], (seen, follower.messages)
    assert metric(server, "strelaysrv_relay_events_lost_total") > 0


def test_followers_are_few_and_leave_nothing(controlled, follow):  # noqa: F811
    server = controlled()
    followers = [follow(server) for _ in range(FOLLOWERS_MAX)]
    done = ctl(server, "follow")
    assert done.returncode == 1 and "follow already" in done.stderr
    for follower in followers:
        follower.lines.close()
        follower.sock.close()
    wait_for(lambda: answer_of_follow(server) is None, "room for another follower")


def answer_of_follow(server):
    """The refusal, or None if it follows."""
    with dial(server.socket) as client:
        client.sendall(b"follow\n")
        client.settimeout(0.5)
        try:
            return client.recv(1000)
        except TimeoutError:
            return None


def test_the_client_prints_events_as_one_table(controlled, identities, follow):  # noqa: F811
    server = controlled()
    words = [Program("ours").path, "-conf", str(server.conf), "-ctl", "follow"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as client:
        both = follow(server)
        while not both.events:
            with ProtocolConnection(server.address, identities[0]) as device:
                device.join()
            both.until("left")
        lines = [client.stdout.readline() for _ in range(3)]
        client.terminate()
        client.wait(PATIENCE)
    assert lines[0].split()[:2] == ["time", "event"]
    assert sum(line.startswith("time ") for line in lines) == 1 and "joined" in "".join(lines)


def test_top_is_one_screen_without_a_terminal_and_refreshes_on_one(controlled,  # noqa: F811
                                                                   identities):
    server = controlled()
    with Invited(server, *identities[:2]) as invited:
        check_relayed(*invited.join_both(), b"x" * 500)
        lines = told(server, "top").splitlines()
        assert lines[0].split() == ["uptime", "devices", "sessions", "rate"]
        assert lines[1].split()[1:3] == ["1", "1"]
        assert answer(server, "top")["screen"]
        ours, theirs = pty.openpty()
        words = [Program("ours").path, "-conf", str(server.conf), "-ctl", "top"]
        with subprocess.Popen(words, stdout=theirs, env={**os.environ, "TERM": "xterm"}) as client:
            text = b""
            for _ in range(60):  # lines, at the least
                if text.count(b"\033[H\033[2J") == 2 or not select.select([ours], [], [], PATIENCE)[0]:
                    break
                text += os.read(ours, 65536)
            client.terminate()
            client.wait(PATIENCE)
        os.close(ours)
        os.close(theirs)
    assert text.count(b"\033[H\033[2J") == 2 and b"other device" in text, text


@pytest.mark.parametrize("workers", [1, 3])
def test_lists_are_in_the_order_that_was_asked_for(controlled, identities, workers):  # noqa: F811
    """Five devices with a session each: what each list is sorted by falls from row to row."""
    server = controlled(workers=workers)
    with contextlib.ExitStack() as stack:
        sizes = {}
        for i, size in zip(range(0, 10, 2), (3000, 1000, 5000, 2000, 4000), strict=True):
            invited = stack.enter_context(Invited(server, *identities[i:i + 2]))
            check_relayed(*invited.join_both(), b"x" * size)
            sizes[to_text(identities[i + 1].id)] = size
        for kind, keys in (("devices", ["bytes", "rate", "age", "idle"]),
                           ("sessions", ["bytes", "rate", "age", "idle"])):
            for key in keys:
                found = shown(server, kind, "by", key)
                sent = [row["bytes"] if kind == "devices" else row["sent"] + row["other sent"]
                        for row in found]
                values = sent if key == "bytes" else [row[key] for row in found]
                assert values == sorted(values, reverse=True), (kind, key, values)
                assert sorted(sent) == sorted(sizes.values())
                # Rates are of the last seconds, in which a slow machine may have sent nothing.
                assert len(set(values)) > 1 or key != "bytes", (kind, key, values)
        order = [row["device"] for row in shown(server, "devices", "by", "age")]
        assert order[0] == to_text(identities[1].id) and order[-1] == to_text(identities[9].id)
        (named,) = [table for table in answer(server, "show", shown(server, "sessions")[0]["session"])
                    ["tables"] if table["title"] == "sessions"]
        assert len(named["rows"]) == 1
        assert len(shown(server, "show", "127.0.0.1")) == 5
        done = ctl(server, "show", "192.0.2.1")
        assert done.returncode == 1 and "is here from 192.0.2.1" in done.stderr
