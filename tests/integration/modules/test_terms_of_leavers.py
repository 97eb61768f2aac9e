# SPDX-License-Identifier: MPL-2.0
"""Devices with rates and quotas, by the module admission or by a named token, that leave before
what they were invited to begins."""

import contextlib

import pytest

import device_id
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import Closed, ProtocolConnection, SessionConnection
from verdict_endpoint import says
from verdict_server import SUCCESS, asking, endpoint  # noqa: F401
from waiting import wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
WORKERS = pytest.mark.parametrize("workers", [1, 2])


class Terms:
    """A server at which some devices have terms, and others have none."""

    def __init__(self, server, token, free_token):
        self.server = server
        self.token, self.free_token = token, free_token

    def __getattr__(self, name):
        return getattr(self.server, name)

    def metric(self, name):
        return int(self.server.probe()[f"metric {name}"])

    def wait_for_metric(self, name, number):
        wait_for(lambda: self.metric(name) == number,
                 lambda: f"{name} to be {number}; it is {self.metric(name)}")

    def join(self, identity, free=False):
        client = ProtocolConnection(self.address, identity)
        assert client.ask(rp.JoinRelayRequest(
            self.free_token if free else self.token)) == SUCCESS
        return client

    def invited(self, device, asker):
        """The keys of both; the asker has not joined."""
        with ProtocolConnection(self.address, asker) as client:
            return client.request(device.identity.id).key, device.invitation().key

    def answer_to(self, identity):
        with ProtocolConnection(self.address, identity) as client:
            return client.ask(rp.JoinRelayRequest(self.token))


@pytest.fixture
def terms(asking, endpoint, identities, tmp_path):  # noqa: F811
    """terms(by, rate=..., quota=...): by "admission" or by "access".  identities[5] has none."""
    state = tmp_path / "quota.state"
    state.write_text("new\n")
    free = device_id.to_text(identities[5].id)

    def start(by, workers=2, **of):
        sections = {"quota": {"state-file": str(state), "count": "relayed"}}
        modules = ["rate-limit", "quota"]
        if by == "access":
            names = tmp_path / "names"
            words = " ".join(f"{name}={value}" for name, value in of.items())
            names.write_text(f"alice:of-alice {words}\nfree:of-free\n")
            sections["access"] = {"named-tokens": str(names)}
            modules.append("access")
        else:
            endpoint.answer = lambda asked: says(
                allow=True, **({} if asked.json["device"] == free else of))
        server = asking(modules=modules, sections=sections, what="joins", workers=workers)
        return Terms(server, "of-alice" if by == "access" else "",
                     "of-free" if by == "access" else "")

    return start


BY = pytest.mark.parametrize("by", ["admission", "access"])


def carries(server, keys, size):
    """Whether the session of these keys begins; `size` bytes are sent in it."""
    with contextlib.ExitStack() as stack:
        sides = []
        for key in keys:
            sides.append(stack.enter_context(SessionConnection(server.address)))
            if sides[-1].ask(rp.JoinSessionRequest(key)) != SUCCESS:
                return False
        try:
            sides[0].send_bytes(bytes(size))
            assert sides[1].receive_bytes(size) == bytes(size)
        except Closed:
            return False
    return True


@BY
@WORKERS
def test_its_invitations_are_withdrawn(terms, identities, by, workers):
    server = terms(by, workers, rate="200kB/s")
    with server.join(identities[0]) as device:
        keys = server.invited(device, identities[1])
    server.wait_for_metric("relay.devices", 0)
    server.wait_for_metric("relay.pending_keys", 0)
    for key in keys:
        with SessionConnection(server.address) as client:
            client.send(rp.JoinSessionRequest(key))
            client.expect_last(NOT_FOUND)


@BY
def test_a_half_that_waits_for_it_ends(terms, identities, by):
    server = terms(by, rate="200kB/s")
    with server.join(identities[0]) as device:
        keys = server.invited(device, identities[1])
    with SessionConnection(server.address).join(keys[1]) as half:
        half.expect_close()


@BY
def test_its_rate_counts_until_then(terms, identities, by):
    server = terms(by, rate="200kB/s")
    with server.join(identities[0]) as device:
        keys = server.invited(device, identities[1])
    server.wait_for_metric("relay.devices", 0)
    if carries(server, keys, 150_000):
        assert server.metric("rate-limit.held_back.device") > 0


@BY
def test_its_quota_counts_until_then(terms, identities, by):
    server = terms(by, quota="50kB")
    with server.join(identities[0]) as device:
        keys = server.invited(device, identities[1])
    server.wait_for_metric("relay.devices", 0)
    if carries(server, keys, 70_000):
        wait_for(lambda: server.answer_to(identities[0]) == rp.RelayFull(),
                 "the quota to be used up")


@BY
def test_who_comes_back_is_invited_again(terms, identities, by):
    server = terms(by, rate="20MB/s")
    for _ in range(3):
        with server.join(identities[0]) as device:
            assert carries(server, server.invited(device, identities[1]), 1000)
        server.wait_for_metric("relay.devices", 0)


@BY
def test_others_keep_their_invitations(terms, identities, by):
    """Who asks on a connection of its own closes it before its session begins."""
    server = terms(by, rate="20MB/s")
    with server.join(identities[5], free=True) as free, server.join(identities[2]) as stays:
        with server.join(identities[0]) as device:
            lost = server.invited(device, identities[1])
            kept = [server.invited(stays, identities[1]), server.invited(free, identities[2])]
        wait_for(lambda: server.metric("relay.pending_keys") == 4, "two keys to be withdrawn")
        assert not carries(server, lost, 1000)
        # Nothing would count for it.
        free.close()
        server.wait_for_metric("relay.devices", 1)
        withdrawn_by_a_look(server, identities[4], identities[1], left=4)
        for keys in kept:
            assert carries(server, keys, 1000)


def withdrawn_by_a_look(server, identity, asker, left=0):
    """Another device leaves, and a later look at who has left is over; `left` keys stay."""
    with server.join(identity) as device:
        server.invited(device, asker)
    server.wait_for_metric("relay.pending_keys", left)


@BY
@WORKERS
def test_a_rate_holds_until_its_sessions_end(terms, identities, by, workers):
    """Who asks on the connection by which it has joined closes that."""
    server = terms(by, workers, rate="200kB/s")
    device = server.join(identities[0])
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(SessionConnection(server.address)).join(key)
                 for key in server.invited(device, identities[1])]
        # Else it could be ended after 3 s, when others ask for the device.
        sides[1].send_bytes(bytes(5000))
        assert sides[0].receive_bytes(5000) == bytes(5000)
        with server.join(identities[5], free=True) as free:
            key = device.request(identities[5].id).key
            assert carries(server, (key, free.invitation().key), 1000)
        server.wait_for_metric("relay.devices", 0)
        # It is forgotten one look after the one that withdraws its invitations.
        for _ in range(3):
            withdrawn_by_a_look(server, identities[2], identities[1])
        server.change()
        before = server.metric("rate-limit.held_back.device")
        sides[0].send_bytes(bytes(300_000))
        assert sides[1].receive_bytes(300_000) == bytes(300_000)
        assert server.metric("rate-limit.held_back.device") > before
    # Then it is forgotten, and may come back.
    for _ in range(2):
        withdrawn_by_a_look(server, identities[2], identities[1])
    withdrawn_by_a_look(server, identities[0], identities[1])


@pytest.fixture
def renamed(tmp_path):
    """Gives alice's token another rate, without a reload."""
    def write(rate):
        new = tmp_path / "new"
        new.write_text(f"alice:of-alice rate={rate}\nfree:of-free\n")
        new.rename(tmp_path / "names")

    return write


def test_who_left_before_a_reload_comes_back_with_the_new_rate(terms, identities, renamed):
    server = terms("access", rate="200MB/s")
    for rate, slow in (("200kB/s", True), ("100MB/s", False)):
        with server.join(identities[0]):
            renamed(rate)
        server.wait_for_metric("relay.devices", 0)
        server.change()
        before = server.metric("rate-limit.held_back.device")
        with server.join(identities[0]) as device:
            assert carries(server, server.invited(device, identities[1]), 300_000)
        assert (server.metric("rate-limit.held_back.device") > before) == slow
