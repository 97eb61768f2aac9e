# SPDX-License-Identifier: MPL-2.0
"""The module quota: levels, the end of a period (with a test clock), kill -9, and errors."""

import os
import signal

import pytest

import relay_protocol as rp
from flows import check_flows, flow
from module_server import folder_of, module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection
from relay_server import module_folder, run
from streams import KILO, MEGA, Stream, check_rate, rates
from waiting import wait_for

MODULES = ["log", "quota", "relay", "rate-limit", "status", "probe"]
SUCCESS = rp.response(rp.SUCCESS)


def section(options):
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return {"quota": {"time-zone": "UTC", "count": "relayed", "state-required": "no", **named}}


@pytest.fixture
def capped(module_server, clock):  # noqa: F811
    def start(workers=2, modules=MODULES, **options):
        folders = f"{folder_of('quota-clock')},{folder_of('probe')},{module_folder()}"
        return module_server(modules, workers=workers, sections=section(options),
                             args=["-module-dir", folders])

    return start


def used(server, period="day"):
    return int(server.probe()[f"metric quota.used.{period}"])


def level(server):
    return int(server.probe()["metric quota.level"])


def wait_for_level(server, wanted):
    wait_for(lambda: level(server) == wanted, lambda: f"level {wanted}, used {used(server)}")


def wait_for_use(server, wanted, period="day"):
    wait_for(lambda: used(server, period) == wanted,
             lambda: f"{wanted} bytes, there are {used(server, period)}")


def spend(server, identities, size):
    with Invited(server, identities[0], identities[1]) as invited:
        check_flows([flow(*invited.join_both(), size, 1)])


def join(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.JoinRelayRequest())


@pytest.mark.parametrize("workers", [1, 2])
def test_newcomers_are_refused_once_all_is_used(capped, identities, workers):
    server = capped(workers, day="3MB")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        check_flows([flow(*ends, 3 * MEGA, 1)])
        server.wait_for_log("the traffic is used up: no newcomers until 2026-11-23 00:00")
        with ProtocolConnection(server.address, identities[2]) as client:
            client.send(rp.JoinRelayRequest())
            client.expect_last(rp.RelayFull())
        with ProtocolConnection(server.address, identities[2]) as client:
            client.send(rp.ConnectRequest(identities[1].id))
            client.expect_last(rp.response(rp.NOT_FOUND))
        check_both_ways(*ends)  # joined devices and the session stay
        invited.target.check_alive()
    seen = server.probe()
    assert seen["metric relay.joins.closed"] == "1"
    assert seen["metric relay.connect_requests.closed"] == "1"
    assert seen["metric quota.cap.day"] == str(3 * MEGA)


def test_a_new_day_opens_again(capped, identities, clock):
    server = capped(day="1MB")
    spend(server, identities, MEGA)
    wait_for_level(server, 2)
    assert join(server, identities[2]) == rp.RelayFull()
    clock.set("2026-11-22 23:59")
    assert level(server) == 2
    clock.set("2026-11-23 00:00")
    server.wait_for_log("traffic is open again")
    assert join(server, identities[2]) == SUCCESS
    assert used(server) == 0
    assert used(server, "month") == MEGA


def test_a_month_begins_at_its_anchor(capped, identities, clock):
    server = capped(month="1MB", anchor_day=25)
    spend(server, identities, MEGA)
    server.wait_for_log("no newcomers until 2026-11-25 00:00")
    clock.set("2026-11-24 23:59")
    assert level(server) == 2
    clock.set("2026-11-25 00:00")
    wait_for_level(server, 0)
    assert used(server, "month") == 0


def test_both_directions_on_the_wire_count_twice(capped, identities):
    server = capped(count="both")
    spend(server, identities, MEGA)
    wait_for_use(server, 2 * MEGA)


def test_a_share_is_throttled(capped, identities, clock):
    server = capped(day="40MB", throttle_at=50, throttle_rate="500kB/s")
    with Invited(server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        check_flows([flow(one, other, 20 * MEGA, 1)])
        server.wait_for_log(r"50 % of the traffic are used: throttled to 500 kB/s until "
                            "2026-11-23 00:00")
        assert server.probe()["metric rate-limit.global_rate"] == str(500 * KILO)
        stream = Stream(one, other)
        check_rate(rates([stream])[0], 500 * KILO)
        clock.set("2026-11-23 00:00")
        server.wait_for_log("traffic is open again")
        before = stream.got
        wait_for(lambda: stream.got > before + 10 * MEGA, "traffic at full speed")


def test_without_rate_limit_it_says_that_nobody_throttles(capped, identities):
    modules = [name for name in MODULES if name != "rate-limit"]
    server = capped(modules=modules, day="2MB", throttle_at=50)
    spend(server, identities, MEGA)
    server.wait_for_log("cannot throttle")


def test_what_was_used_survives_a_kill(capped, identities, clock):
    server = capped(day="9MB", save_interval="1s")
    spend(server, identities, 2 * MEGA)
    state = server.folder / "quota.state"
    wait_for(lambda: f" {2 * MEGA}\n" in state.read_text(), "the file to be written")
    server.process.kill()
    server.process.wait()
    again = capped(day="9MB")
    assert used(again) == 2 * MEGA
    spend(again, identities, MEGA)
    wait_for_use(again, 3 * MEGA)
    again.stop()
    third = capped(day="9MB")
    assert used(third) == 3 * MEGA
    server.stop = lambda: 0  # it was killed on purpose


def test_the_end_of_the_period_may_pass_while_it_is_down(capped, identities, clock):
    server = capped(day="1MB")
    spend(server, identities, MEGA)
    wait_for_level(server, 2)
    server.stop()
    clock.set("2026-11-24 08:00")
    again = capped(day="1MB")
    assert used(again) == 0
    assert used(again, "month") == MEGA
    assert join(again, identities[2]) == SUCCESS


def test_used_up_from_the_start(capped, identities):
    server = capped(day="1MB")
    spend(server, identities, MEGA)
    wait_for_level(server, 2)
    server.stop()
    again = capped(day="1MB")
    wait_for_level(again, 2)
    assert join(again, identities[2]) == rp.RelayFull()


def test_a_reload_raises_the_cap(capped, identities):
    server = capped(day="1MB")
    spend(server, identities, MEGA)
    wait_for_level(server, 2)
    server.configure(MODULES, section({"day": "2MB"}))
    done, news = server.reload()
    assert done, news
    wait_for_level(server, 0)
    assert join(server, identities[2]) == SUCCESS


def test_a_file_that_is_no_state_is_an_error(plain_program, tmp_path):
    (tmp_path / "quota.state").write_text("nonsense\n")
    conf = tmp_path / "c.conf"
    conf.write_text("modules = { quota, relay }\n")
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-listen",
                 "127.0.0.1:0", "-status-srv=", cwd=tmp_path)
    assert result.returncode == 1
    assert "quota.state is no quota state" in result.stderr


def test_a_disk_that_is_gone_is_told_and_survived(capped, identities, tmp_path):
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    disk.mkdir()
    server = capped(day="9MB", save_interval="1s", state_file=str(disk / "quota.state"))
    state = disk / "quota.state"
    disk.rename(elsewhere)
    spend(server, identities, MEGA)
    server.wait_for_log("cannot write .*quota.state: No such file or directory; usage since the last write is lost")
    assert level(server) == 0
    elsewhere.rename(disk)
    wait_for(lambda: f" {MEGA}\n" in state.read_text(), "the file to be written again")
    assert server.count("cannot write .*quota.state") <= 2


@pytest.mark.parametrize("how", ["wait", "reload", "upgrade", "upgrade-of-nonsense"])
def test_a_state_that_is_removed_resets_nothing(capped, identities, how):
    server = capped(day="1MB")
    state = server.folder / "quota.state"
    spend(server, identities, 2 * MEGA)
    wait_for_level(server, 2)
    wait_for(lambda: f" {2 * MEGA}\n" in state.read_text(), "the file")
    state.unlink()
    if how == "upgrade-of-nonsense":
        state.write_text("nonsense\n")
    if how == "reload":
        assert server.reload()[0]
    elif how.startswith("upgrade"):
        server.send_signal(signal.SIGUSR2)
        serves = server.wait_for_log(r"process (\d+) serves; this one, \d+, drains")
    wait_for(lambda: state.exists() and f" {2 * MEGA}\n" in state.read_text(), "the file")
    if "nonsense" not in how:
        server.wait_for_log("quota.state is missing; it is written again with the current usage")
    assert join(server, identities[2]) == rp.RelayFull()
    if how.startswith("upgrade"):
        os.kill(int(serves.group(1)), signal.SIGTERM)  # the fixture ends the old process only
    assert server.count("quota.state does not exist: the usage begins at 0") == 1


def test_a_planted_link_is_not_written_through(capped, identities, tmp_path):
    """Neither at a path beside the file, which could be guessed, nor at its own path."""
    victim = tmp_path / "victim"
    victim.write_text("precious\n")
    for name in ("quota.state", "quota.state.new"):
        (tmp_path / name).symlink_to(victim)
    (tmp_path / "quota.state").unlink()
    server = capped(day="9MB", save_interval="1s")
    (tmp_path / "quota.state").unlink()
    (tmp_path / "quota.state").symlink_to(victim)
    spend(server, identities, MEGA)
    state = tmp_path / "quota.state"
    wait_for(lambda: not state.is_symlink() and f" {MEGA}\n" in state.read_text(), "the file")
    assert victim.read_text() == "precious\n"
    assert (tmp_path / "quota.state.new").is_symlink()
    assert not list(tmp_path.glob(".quota.state.*")), "nothing is left over"


def test_a_reload_moves_the_file(capped, identities):
    server = capped(day="9MB")
    spend(server, identities, MEGA)
    wait_for_use(server, MEGA)
    server.configure(MODULES, section({"day": "9MB", "state-file": "other.state"}))
    done, news = server.reload()
    assert done, news
    other = server.folder / "other.state"
    wait_for(other.exists, "the first write, which the reload does not wait for")
    assert "day " in other.read_text()
    assert f" {MEGA}\n" in other.read_text()
    assert used(server) == MEGA


def test_a_clock_that_jumps_back_forgets_nothing(capped, identities, clock):
    server = capped(day="1MB")
    spend(server, identities, MEGA)
    wait_for_level(server, 2)
    for when in ("2026-11-21 12:00", "1970-01-02 00:00", "2026-11-22 18:00"):
        clock.set(when)
        done, news = server.reload()  # makes the module check its file
        assert done, news
        assert level(server) == 2 and used(server) == MEGA, when


def test_a_folder_that_cannot_be_written_to_is_an_error(plain_program, tmp_path):
    conf = tmp_path / "c.conf"
    conf.write_text('modules = { quota, relay }\nquota { state-file = "/nowhere/quota.state" }\n')
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-listen",
                 "127.0.0.1:0", "-status-srv=", cwd=tmp_path)
    assert result.returncode == 1
    assert "cannot write /nowhere/quota.state" in result.stderr


@pytest.mark.parametrize("option, value, message", [
    ("time-zone", "Mars", "time-zone"), ("anchor-day", "32", "anchor-day"),
    ("throttle-at", "100", "throttle-at"), ("count", "some", "count"),
])
def test_wrong_options_are_named(plain_program, tmp_path, option, value, message):
    conf = tmp_path / "c.conf"
    conf.write_text("modules = { quota, relay }\n")
    result = run(plain_program, "-conf", str(conf), "-check", f"-quota.{option}", value,
                 cwd=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr, result.stderr


def test_the_module_may_leave_while_it_throttles(capped, identities):
    server = capped(day="4MB", throttle_at=25, throttle_rate="100kB/s")
    spend(server, identities, MEGA)
    wait_for_level(server, 1)
    server.configure([name for name in MODULES if name != "quota"], section({}))
    done, news = server.reload()
    assert done, news
    assert server.probe()["metric rate-limit.global_rate"] == "0"
    spend(server, identities, 4 * MEGA)
