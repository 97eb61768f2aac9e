# SPDX-License-Identifier: MPL-2.0
"""Strangers do their worst for a moment, one attack after the other, while good clients join,
meet, transfer checked bytes and scrape: they get done, the server holds no more than the table
of budgets allows, and soon after the end it is as before.

The attacks, and the program that plays them, are in tests/siege; its long form compares."""

import dataclasses
import math
import pathlib
import re
import sys

import pytest

from relay_server import ROOT
from waiting import wait_for

sys.path.insert(0, str(ROOT / "tests" / "siege"))

import siege  # noqa: E402
from siege import KIB, MIB  # noqa: E402

SECONDS = 1.5
#: More than any attack needs, and less than the strongest of them wants.
DESCRIPTORS = 4096


@dataclasses.dataclass(frozen=True)
class Bound:
    """What the server may hold under an attack, beside what it held before."""

    rss: int = 32 * MIB
    kernel: int = 32 * MIB
    descriptors: int = DESCRIPTORS
    share: float = 0.95  # of good clients that get done
    transfer: float = 1.0  # of those, of their bytes
    args: tuple = ()


#: A half that only ended its sending may have said all, and stays for message-timeout: it is to
#: be over before the time is in which the server must be as before.
_HALVES = ("-message-timeout", "6s")

#: Where the usual bound is not the right one: see the table of budgets.
BOUNDS = {
    # 4,096 connections that open, of 24 KiB each.
    "silent": Bound(rss=96 * MIB),
    "one-byte": Bound(rss=96 * MIB),
    "one-byte-plain": Bound(rss=96 * MIB),
    # 1,000 connections with 32 KiB in the socket, as the kernel counts them.
    "large-hello": Bound(kernel=64 * MIB),
    "half-hello": Bound(rss=96 * MIB),
    "hello-stay": Bound(rss=160 * MIB),
    "handshake-silent": Bound(rss=96 * MIB),
    "descriptors": Bound(descriptors=512),
    # What the peers' own kernels have taken counts as delivered, so the path of each session may
    # hold 8 MiB each way until it has stalled for 4 s.
    "stalled-readers": Bound(kernel=512 * MIB),
    "full-queues": Bound(kernel=256 * MIB),
    # A session without a byte ends after a second when many wait for the device.
    "ask-victim": Bound(transfer=0.95, args=_HALVES),
    "pending-keys": Bound(args=_HALVES),
}


def _attacks():
    """From the table in the program's source: it may not have been built yet."""
    table = pathlib.Path(ROOT / "tests/siege/attacks.c").read_text()
    return re.findall(r'\.name = "([a-z0-9-]+)"', table)


@pytest.fixture
def besieged(start, plain_program, tmp_path):
    def start_one(bound):
        conf = tmp_path / "siege.conf"
        conf.write_text(siege.CONFIGURATION)
        return start(plain_program, "-conf", conf, "-token", siege.TOKEN, *bound.args,
                     descriptors=bound.descriptors)

    return start_one


def test_the_attacks_are_those_of_the_program():
    assert list(siege.attacks(siege.attacker())) == _attacks()


#: From other numbers of sources than 64, beside which joins are held to the same.
CROWDS = ["hello-close@1", "hello-close@1000", "handshake-silent@8", "handshake-leave@1",
          "handshake-leave@1000", "one-byte@18"]


def too_many(outcome, kind, share):
    """Whether so many failures would be rarer than 1 in 100 if the share were reached.

    There are some thirty of a kind in the short form; the long form has the shares themselves."""
    failed, tries = outcome.failed(kind), outcome.done(kind) + outcome.failed(kind)
    at_least = sum(math.comb(tries, n) * (1 - share) ** n * share ** (tries - n)
                   for n in range(failed, tries + 1))
    return at_least < 0.01


@pytest.mark.parametrize("name", _attacks() + CROWDS)
def test_siege(besieged, name):
    bound = BOUNDS.get(name.partition("@")[0], Bound())
    server = besieged(bound)
    outcome = siege.lay(server, name, SECONDS, siege.attacker(), "/metrics")
    assert not outcome.crashed, f"{outcome.crashed}; the log:\n{server.log()}"
    told = f"{outcome}\n{server.log()[-2000:]}"
    for kind in ("join", "meet", "scrape"):
        assert outcome.done(kind) and not too_many(outcome, kind, bound.share), f"{kind}: {told}"
    assert outcome.done("transfer") and not too_many(outcome, "transfer", bound.transfer), told
    assert outcome.done("echo") and not outcome.failed("echo"), told
    before, most, after = outcome.before, outcome.most, outcome.after
    assert most.rss - before.rss <= bound.rss, f"memory: {told}"
    assert most.kernel - before.kernel <= bound.kernel, f"memory of the kernel: {told}"
    assert most.descriptors <= bound.descriptors, f"descriptors: {told}"
    assert after.descriptors <= before.descriptors, f"descriptors after the end: {told}"
    assert after.sockets <= before.sockets, f"sockets after the end: {told}"
    assert after.kernel <= before.kernel + 64 * KIB, f"kernel memory after the end: {told}"
    assert after.rss <= before.rss + 8 * MIB, f"memory after the end: {told}"
    wait_for(lambda: server.status()["numConnections"] <= 1 and
             server.status()["numActiveSessions"] == 0,
             lambda: f"nobody to be there any more: {server.status()}")
