# SPDX-License-Identifier: MPL-2.0
"""A clock that is wrong at the start, as on boards without a battery, and that jumps when it is
set; and jumps of a day in both directions."""

import pathlib
import time

import pytest
from cryptography import x509

import faults
import relay_protocol as rp
from control_client import control_folder, controlled, told  # noqa: F401
from device_id import to_text
from exposition import parse
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection
from skip_unless import can_run
from waiting import wait_for

LIBRARY = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
DAY = 24 * 3600
CONF = """modules = {{ log, bounds, relay, quota, rate-limit, status, prometheus }}
quota {{ state-required = no  day = 1GB  time-zone = UTC  count = relayed  state-file = "{}" }}
"""


def why_not():
    if faults.sanitized():
        return "sanitizers do not work with libfaketime"
    return None if LIBRARY else "there is no libfaketime"


pytestmark = can_run("WRONG CLOCKS", why_not())


class Clock:
    """The wall clock of a server; its other clocks are right."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.environment = {
            "LD_PRELOAD": str(LIBRARY[0]), "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
            "TZ": "UTC", "PATH": "/usr/bin:/bin",
        }

    def set(self, text):
        beside = self.file.with_suffix(".new")
        beside.write_text(text + "\n")
        beside.rename(self.file)


@pytest.fixture
def clocked(start, our_program, tmp_path):
    """A server with new keys that starts in 1970; its folder of keys; its clock."""
    clock = Clock(tmp_path)
    clock.set("@1970-01-01 00:05:00")
    conf = tmp_path / "relay.conf"
    conf.write_text(CONF.format(tmp_path / "quota.state"))
    keys = tmp_path / "fresh-keys"
    keys.mkdir()
    server = start(our_program, "-conf", conf, keys=keys, env=clock.environment)
    return server, keys, clock


def started(server):
    family = parse(server.get("/metrics")[2].decode())["strelaysrv_core_start_time_seconds"]
    return next(iter(family.samples.values()))


def used(server):
    return server.status()["quota"]["dayBytes"]


def test_a_clock_that_is_set_breaks_nothing(clocked, identities):
    server, _, clock = clocked
    assert started(server) < DAY
    with Invited(server, *identities[:2]) as invited:
        sides = invited.join_both()
        check_both_ways(*sides)
        wait_for(lambda: used(server), "the bytes to be counted")
        for text, shift in (("+0", 0), ("-1d", -DAY), ("+1d", DAY), ("+0", 0)):
            clock.set(text)
            assert 0 <= server.status()["uptimeSeconds"] < 3600
            now = time.time() + shift
            wait_for(lambda: abs(started(server) - now) < 3600,
                     lambda: f"the start to be told as {now}: {started(server)}")
            check_both_ways(*sides)
            invited.target.check_alive()
            with ProtocolConnection(server.address, identities[2]) as device:
                device.join()
            done, news = server.reload()
            assert done and time.strftime("%Y-%m-%d", time.gmtime(now)) in news, news
        assert 0 < used(server) < 1000
    assert server.count(r" (error|warning) (?!quota: \S+ does not exist|core: .* held up the "
                        "control thread)") == 0, server.log()


def test_a_certificate_that_is_made_then_is_valid_later(clocked):
    _, keys, _ = clocked
    certificate = x509.load_pem_x509_certificate((keys / "cert.pem").read_bytes())
    assert certificate.not_valid_before.year == 1970
    assert certificate.not_valid_after.year >= 2045


def test_a_token_that_has_expired_ends_when_the_clock_is_set(
        start, our_program, tmp_path, identities):
    clock = Clock(tmp_path)
    clock.set("@1970-01-01 00:05:00")
    names, conf = tmp_path / "names", tmp_path / "relay.conf"
    names.write_text("old:of-old expires=2000-01-01\nnew:of-new expires=2099-12-31\n")
    conf.write_text("modules = { log, bounds, relay, access, rate-limit, status }\n"
                    f'access {{ named-tokens = "{names}" }}\n')
    server = start(our_program, "-conf", conf, "-ping-interval", "1s", env=clock.environment)

    def answer_to(token):
        with ProtocolConnection(server.address, identities[2]) as device:
            return device.ask(rp.JoinRelayRequest(token))

    tokens = ("of-old", "of-new")
    old, new = (ProtocolConnection(server.address, identity) for identity in identities[:2])
    with old, new:
        for device, token in zip((old, new), tokens):
            assert device.ask(rp.JoinRelayRequest(token)) == rp.response(rp.SUCCESS)
        clock.set("+0")
        assert old.receive_answering_pings() == rp.RelayFull()
        old.expect_close()
        new.check_alive()
    assert answer_to("of-old") == rp.response(rp.WRONG_TOKEN)
    assert answer_to("of-new") == rp.response(rp.SUCCESS)
    clock.set("@1999-12-31 00:00:00")
    assert [answer_to(token) for token in tokens] == [rp.response(rp.SUCCESS)] * 2


def test_a_ban_lasts_as_long_when_the_clock_is_set(
        controlled, control_folder, identities):  # noqa: F811
    """Neither by its set clock nor by a jump of a day is somebody free who is banned for an hour,
    and the file has the end by the new clock."""
    clock = Clock(control_folder)
    clock.set("@1970-01-01 00:05:00")
    bans = control_folder / "bans"
    bans.write_text("new\n")
    server = controlled(modules=["log", "relay", "access", "status", "control"],
                        sections={"access": {"bans": str(bans)}}, env=clock.environment)

    def answer():
        with ProtocolConnection(server.address, identities[0]) as device:
            return device.ask(rp.JoinRelayRequest())

    def end_in_file():
        return int(bans.read_text().split()[-1])

    told(server, "ban", to_text(identities[0].id), "for", "1h")
    assert end_in_file() < DAY
    for text, shift in (("+0", 0), ("+1d", DAY), ("-1d", -DAY), ("+0", 0)):
        clock.set(text)
        assert answer() == rp.response(rp.NOT_FOUND)
        wait_for(lambda: 0 < end_in_file() - time.time() - shift <= 3600, "the file to be written")
    told(server, "unban", to_text(identities[0].id))
    assert answer() == rp.response(rp.SUCCESS)
