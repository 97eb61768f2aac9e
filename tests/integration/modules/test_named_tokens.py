# SPDX-License-Identifier: MPL-2.0
"""Named tokens of the module access: who may join, who is sent away, and who used how much."""

import contextlib
import hashlib
import json
import re
import signal
import subprocess
import time

import pytest

import relay_protocol as rp
from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, rows, shown, told,
)
from pairing import Invited
from relay_client import ProtocolConnection, SessionConnection
from waiting import PATIENCE, wait_for

SUCCESS, WRONG = rp.response(rp.SUCCESS), rp.response(rp.WRONG_TOKEN)
DIGEST = hashlib.sha256(b"of-bob").hexdigest()
PAST, FUTURE = "2026-01-01", "2099-12-31T23:59Z"


class Named:
    """A server with a file of named tokens."""

    def __init__(self, start, folder, lines, modules=("quota", "access"), workers=2, state="new\n",
                 **relay):
        self.file = folder / "names"
        self.state = folder / "quota.state"
        self.write(lines)
        self.state.write_text(state)
        sections = {"control": {"socket": str(folder / "s")}, "access": {"named-tokens": str(self.file)}, "relay": relay,
                    "quota": {"state-file": str(self.state), "count": "relayed"}}
        names = [*MODULES, *modules, "prometheus", "probe"]
        self.options = {"modules": names, "sections":
                        {name: section for name, section in sections.items() if name in names}}
        self.server = start(workers=workers, installed=["probe", "stuck-control"], **self.options)

    def __getattr__(self, name):
        return getattr(self.server, name)

    def write(self, lines):
        new = self.file.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        new.rename(self.file)

    def change(self, lines):
        self.write(lines)
        assert self.server.reload()[0]

    def number(self, metric):
        return int(self.server.probe()[f"metric access.{metric}"])

    def wait_for_number(self, metric, number):
        wait_for(lambda: self.number(metric) == number,
                 lambda: f"{metric} to be {number}; it is {self.number(metric)}")

    def answer_to(self, identity, token):
        with ProtocolConnection(self.server.address, identity) as client:
            return client.ask(rp.JoinRelayRequest(token))

    def joined(self, identity, token):
        client = ProtocolConnection(self.server.address, identity)
        assert client.ask(rp.JoinRelayRequest(token)) == SUCCESS
        return client


@pytest.fixture
def named(controlled, control_folder):  # noqa: F811
    def start(*lines, **options):
        return Named(controlled, control_folder, lines, **options)

    return start


def sent_away(client):
    """It gets RelayFull at its next ping."""
    assert client.receive_answering_pings() == rp.RelayFull()
    client.expect_close()


def send_through(server, identities, token, size):
    """A session with a device that has joined by that token; `size` bytes are sent in it."""
    with server.joined(identities[0], token) as device, contextlib.ExitStack() as stack:
        with ProtocolConnection(server.address, identities[1]) as asker:
            one = asker.request(identities[0].id)
        other = device.invitation()
        sides = [stack.enter_context(SessionConnection(server.address)).join(invitation.key)
                 for invitation in (one, other)]
        sides[0].send_bytes(bytes(size))
        assert sides[1].receive_bytes(size) == bytes(size)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_name_has_its_token(named, identities, workers):
    server = named("# entries: 4", "alice:of-alice", f"bob:{DIGEST}", f"old:of-old expires={PAST}",
                   f"new:of-new rate=10MB/s weight=3 expires={FUTURE}", workers=workers)
    for token in ("of-alice", "of-bob", "of-new"):
        assert server.answer_to(identities[0], token) == SUCCESS
    for token in ("", "of-old", "alice", DIGEST, "of-alic", "alice:of-alice"):
        assert server.answer_to(identities[0], token) == WRONG
    assert server.number("refused.token") == 5 and server.number("refused.expired") == 1
    server.wait_for_log("a join with (a wrong|an expired) token was refused")


def test_an_expired_token_is_told_apart(named, identities):
    server = named(f"old:of-old expires={PAST}", "new:of-new")
    assert server.answer_to(identities[0], "of-old") == WRONG
    server.wait_for_log("a join with an expired token was refused")
    assert server.number("refused.expired") == 1 and server.number("refused.token") == 0
    states = {row["name"]: row["state"] for row in shown(server, "tokens")}
    assert states == {"old": "expired", "new": "valid"}


def test_lines_that_are_hardly_meant_are_warned_of(named):
    odd = [f"old:{DIGEST} expires={PAST}", "slow:0123456789abcdef rate=5", "short:a", "other:b"]
    server = named(f"fine:0123456789abcdeF rate=1000 expires={FUTURE}")
    assert "warning access: named-tokens" not in server.log()
    server.change(odd)
    checked = subprocess.run([*server.command, "-check"], capture_output=True, text=True,
                             timeout=PATIENCE, check=True).stderr
    for told in (r"1 of the tokens \(the first is of old\) have expired",
                 r"1 of the tokens \(the first is of slow\) have a rate below 1000 bytes per second",
                 r"2 of the tokens \(the first is of short\) have fewer than 16 characters"):
        server.wait_for_log("warning access: named-tokens: " + told)
        assert re.search("warning access: named-tokens: " + told, checked), checked


def test_other_tokens_go_on_working(named, identities, control_folder):  # noqa: F811
    server = named("alice:of-alice")
    (control_folder / "tokens").write_text("in-file\n")
    server.options["sections"]["access"]["tokens"] = ["in-list"]
    server.options["sections"]["access"]["token-file"] = str(control_folder / "tokens")
    server.configure(**server.options)
    assert server.reload()[0]
    for token in ("of-alice", "in-list", "in-file"):
        assert server.answer_to(identities[0], token) == SUCCESS
    assert server.answer_to(identities[0], "other") == WRONG


def test_a_file_without_names_admits_nobody(named, identities):
    server = named("alice:of-alice")
    server.change(["# entries: 0"])
    assert server.answer_to(identities[0], "of-alice") == WRONG
    assert server.answer_to(identities[0], "") == WRONG


def test_who_used_how_much(named, identities):
    server = named("alice:of-alice", "bob:of-bob", "nobody:of-nobody")
    with server.joined(identities[2], "of-bob"):
        send_through(server, identities, "of-alice", 70000)
        server.wait_for_number("token_traffic.alice", 70000)
        assert server.number("token_devices.bob") == 1
        assert server.number("token_traffic.bob") == 0
        wait_for(lambda: {row["name"]: row["used"] for row in
                          _table(answer(server, "quota"), "names")}.get("alice") == 70000,
                 "quota to count them")
        seen = {row["name"]: row for row in shown(server, "tokens")}
        assert set(seen) == {"alice", "bob", "nobody"}
        assert (seen["alice"]["relayed"], seen["alice"]["month by quota"]) == (70000, 70000)
        assert (seen["bob"]["devices"], seen["bob"]["state"]) == (1, "valid")
    server.wait_for_number("token_devices.bob", 0)
    # Strangers do not learn the names.
    assert not set(json.dumps(server.status()).split('"')) & {"alice", "bob", "nobody"}
    # A reload keeps the numbers of a name that stays.
    server.change(["bob:of-bob", "alice:other"])
    assert server.number("token_traffic.alice") == 70000
    assert "metric access.token_traffic.nobody" not in server.probe()
    assert server.server.stop() == 0
    assert "name alice 70000\n" in server.state.read_text()


def _table(found, title):
    tables = [table for table in found["tables"] if table["title"] == title]
    return rows({"tables": tables}) if tables else []


def test_a_used_up_quota_sends_away(named, identities):
    server = named("alice:of-alice quota=50kB", "bob:of-bob quota=1GB", **{"ping-interval": "1s"})
    with server.joined(identities[2], "of-alice") as other, server.joined(identities[3], "of-bob"):
        send_through(server, identities, "of-alice", 70000)
        sent_away(other)
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest("of-alice"))
            client.expect_last(rp.RelayFull())
        assert {row["name"]: row["state"] for row in shown(server, "tokens")} == {
            "alice": "used up", "bob": "valid"}
    assert server.number("refused.quota") >= 2


@pytest.mark.parametrize("used", [0, 1])
def test_names_without_end(named, identities, used):
    """Strangers can have a name counted for each certificate: see what quota.state may have."""
    server = named("alice:of-alice quota=50kB")
    assert server.server.stop() == 0
    state = server.state.read_text().splitlines()[:3]
    server = named("alice:of-alice quota=50kB", state="".join(f"{line}\n" for line in [
        *state, *(f"name device.{number} {used}" for number in range(10000))]))
    send_through(server, identities, "of-alice", 70000)
    wait_for(lambda: server.answer_to(identities[0], "of-alice") != SUCCESS, "the quota to be used up")
    assert int(server.probe()["metric quota.names.replaced"]) == used
    assert ("more than 10000 names have used traffic this month" in server.log()) == bool(used)
    assert server.server.stop() == 0
    names = [line for line in server.state.read_text().splitlines() if line.startswith("name ")]
    assert f"name alice {70000 + used}" in names and len(names) == (10000 if used else 1)


def test_a_quota_that_nobody_counts_is_used_up(named, identities):
    server = named("alice:of-alice quota=1GB", "bob:of-bob rate=1MB/s", modules=["access"])
    server.wait_for_log("named tokens with a quota are refused: the module quota is not enabled")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest("of-alice"))
        client.expect_last(rp.RelayFull())
    assert server.answer_to(identities[0], "of-bob") == SUCCESS


@pytest.mark.parametrize("end", ["removed", "expired"])
def test_a_name_that_has_ended_leaves_at_the_next_ping(named, identities, end):
    server = named("alice:of-alice", "bob:of-bob", **{"ping-interval": "1s"})
    with server.joined(identities[0], "of-alice") as leaves, \
            server.joined(identities[1], "of-bob") as stays:
        server.change(["bob:of-bob"] + ([f"alice:of-alice expires={PAST}"] if end == "expired"
                                        else []))
        sent_away(leaves)
        for _ in range(3):
            assert stays.receive() == rp.Ping()
            stays.send(rp.Pong())
    assert server.answer_to(identities[0], "of-alice") == WRONG


def test_a_name_is_revoked_at_once(named, identities):
    server = named("alice:of-alice", "bob:of-bob")
    with server.joined(identities[0], "of-alice") as one, \
            server.joined(identities[1], "of-alice") as two, \
            server.joined(identities[2], "of-bob") as stays:
        assert "2 of its connections and sessions are ended" in told(server, "revoke", "alice")
        one.expect_close()
        two.expect_close()
        stays.check_alive()
    assert server.answer_to(identities[0], "of-alice") == WRONG
    assert {row["name"]: row["state"] for row in shown(server, "tokens")}["alice"] == "over"
    assert ctl(server, "revoke", "carol").returncode == 1
    assert ctl(server, "revoke").returncode == 2
    # The file still has it.
    server.change(["alice:of-alice", "bob:of-bob"])
    assert server.answer_to(identities[0], "of-alice") == SUCCESS


@contextlib.contextmanager
def running(server, pair, token):
    """Both sides of a session between a device that has joined by that token, and another."""
    with server.joined(pair[0], token) as device, contextlib.ExitStack() as stack:
        keys = invited(server, device, pair[1])
        sides = [stack.enter_context(SessionConnection(server.address)).join(key) for key in keys]
        # Else it could be ended after 3 s, when others ask for the device.
        sides[1].send_bytes(bytes(5000))
        assert sides[0].receive_bytes(5000) == bytes(5000)
        yield device, sides


def invited(server, device, asker):
    """The keys of both."""
    with ProtocolConnection(server.address, asker) as client:
        one = client.request(device.identity.id)
    return one.key, device.invitation().key


@pytest.mark.parametrize("end", ["revoked", "removed", "expired"])
def test_invitations_end_with_the_name(named, identities, end):
    server = named("alice:of-alice", "bob:of-bob",
                   **{"ping-interval": "1m" if end == "revoked" else "1s"})
    with server.joined(identities[0], "of-alice") as device:
        keys = invited(server, device, identities[1])
        own = invited(server, device, identities[0])
        with SessionConnection(server.address).join(keys[0]) as waits:
            if end == "revoked":
                told(server, "revoke", "alice")
                device.expect_close()
            else:
                server.change(["bob:of-bob"] + ([f"alice:of-alice expires={PAST}"] if end == "expired"
                                                else []))
                sent_away(device)
            waits.receive_to_end()
    for key in (keys[1], *own):
        with SessionConnection(server.address) as client:
            client.send(rp.JoinSessionRequest(key))
            assert client.receive() == rp.response(rp.NOT_FOUND)


@pytest.mark.parametrize("end", ["used up", "removed"])
def test_who_may_not_stay_gets_no_new_session(named, identities, end):
    server = named("alice:of-alice quota=50kB", "bob:of-bob", **{"ping-interval": "1s"})
    with running(server, identities, "of-alice") as (device, (one, other)), \
            server.joined(identities[2], "of-bob") as third:
        keys = invited(server, device, identities[3])
        if end == "removed":
            server.change(["bob:of-bob"])
        else:
            one.send_bytes(bytes(70000))
            assert other.receive_bytes(70000) == bytes(70000)
            wait_for(lambda: {row["name"]: row["state"] for row in shown(server, "tokens")}["alice"] == "used up",
                     "the quota to be used up")
        for asker, target in ((3, 0), (0, 2), (0, 0)):
            with ProtocolConnection(server.address, identities[asker]) as client:
                assert client.ask(rp.ConnectRequest(identities[target].id)) == rp.response(rp.NOT_FOUND)
        assert server.number("refused.quota" if end == "used up" else "refused.token") >= 3
        # What it was invited to does not begin; what runs goes on.
        with SessionConnection(server.address) as first, SessionConnection(server.address) as second:
            for client, key in zip((first, second), keys):
                client.send(rp.JoinSessionRequest(key))
            first.receive_to_end()
        one.send_bytes(b"still here")
        assert other.receive_bytes(10) == b"still here"
        device.check_alive()
        third.check_alive()
        one.close()
        other.close()
        sent_away(device)


def held(server):
    return int(server.probe()["metric rate-limit.held_back.device"])


def test_a_rate_counts_from_the_first_session_on(named, identities):
    server = named("slow:of-slow rate=200kB/s")
    for _ in range(5):
        before = held(server)
        send_through(server, identities, "of-slow", 150_000)
        assert held(server) > before


def test_who_has_a_rate_joins_when_it_is_in_force(named, identities):
    """The control thread cannot tell the module rate-limit."""
    server = named("slow:of-slow rate=200kB/s", "fast:of-fast", modules=["access", "stuck-control"])
    hold = server.folder / "hold"
    hold.touch()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("stuck-control: stuck")
    with ProtocolConnection(server.address, identities[0]) as waits:
        waits.send(rp.JoinRelayRequest("of-slow"))
        assert server.answer_to(identities[1], "of-fast") == SUCCESS
        waits.expect_last(rp.RelayFull())
    hold.unlink()
    wait_for(lambda: server.answer_to(identities[0], "of-slow") == SUCCESS, "it to be in force")


def test_who_has_terms_that_are_in_force_joins_at_once(named, identities):
    """While the control thread is held up."""
    server = named("slow:of-slow rate=20MB/s", "much:of-much quota=1GB", "none:of-none",
                   modules=["access", "quota", "stuck-control"])
    hold = server.folder / "hold"
    with server.joined(identities[0], "of-slow") as device:
        hold.touch()
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("stuck-control: stuck")
        device.close()
        # It has just left.
        assert server.answer_to(identities[0], "of-slow") == SUCCESS
        # Its name is counted.
        assert server.answer_to(identities[1], "of-much") == SUCCESS
        assert server.answer_to(identities[1], "of-none") == SUCCESS
    hold.unlink()


def test_a_rate_counts_for_each_device_of_a_name(named, identities):
    """Against a device without a rate in the same server."""
    server = named("slow:of-slow rate=200kB/s", "fast:of-fast")
    took = {}
    for token in ("of-fast", "of-slow"):
        began = time.monotonic()
        send_through(server, identities, token, 150_000)
        took[token] = time.monotonic() - began
    held = server.probe()["metric rate-limit.held_back.device"]
    assert int(held) > 0 and took["of-slow"] > took["of-fast"], (held, took)


@pytest.mark.parametrize("line, why", [
    ("alice", "a line is NAME:TOKEN"),
    ("al ice:x", "a line is NAME:TOKEN"),
    (f"{33 * 'a'}:x", "a line is NAME:TOKEN"),
    ("alice:", "there is no token after the name"),
    (f"alice:{1021 * 'x'}", "longer than 1020 bytes"),
    ("alice:x y", "only rate=, weight=, quota= and expires= may follow"),
    ("alice:x rate=fast", "rate is bytes per second"),
    ("alice:x weight=0", "weight is a number from 1 to 1000"),
    ("alice:x quota=-1", "quota is the bytes of a month"),
    ("alice:x expires=soon", "expires is a day such as"),
    ("alice:x expires=2027-13-01", "expires is a day such as"),
    ("alice:y\nalice:z", "the name alice is in two lines"),
    ("alice:of-bob\nbob:" + DIGEST, "alice and bob have the same token"),
    ("# entries: 2\nalice:x", "has 1 entries, but announces 2"),
], ids=range(14))
def test_a_wrong_line_refuses_the_reload(named, identities, line, why):
    server = named("alice:of-alice")
    server.write([line])
    ok, log = server.reload()
    assert not ok and why in str(log) and "of-bob" not in str(log)
    assert server.answer_to(identities[0], "of-alice") == SUCCESS
