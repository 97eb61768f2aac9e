# SPDX-License-Identifier: MPL-2.0
"""Each command of the load generator produces figures without failures.  The figures are not
checked."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from relay_server import Program
from waiting import PATIENCE, SLOWNESS

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import plot_sessions  # noqa: E402
import rows  # noqa: E402


def load_program():
    path = pathlib.Path(Program("ours").path).resolve().parent / "tests" / "bench" / "relay-load"
    assert os.access(path, os.X_OK), f"no {path}: build with BUILD_TESTING=ON"
    return str(path)


def load(command, *args, target=(), code=0, stdin=""):
    """Runs the load generator; returns its reports (`idle` has two)."""
    line = [load_program(), command, *target, "--client-timeout", str(10 * SLOWNESS),
            "--limit", str(PATIENCE), *map(str, args)]
    done = subprocess.run(line, input=stdin, capture_output=True, text=True,
                          timeout=2 * PATIENCE, check=False)
    assert done.returncode == code, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.fixture
def relay(ours):
    host, port = ours.address
    return ["--relay", f"{host}:{port}", "--server-pid", str(ours.pid)]


WINDOW = ("--seconds", "0.3", "--warmup", "0.1")


def check(report, *positive):
    assert report["failures"] == 0, report
    for name in positive:
        assert report[name] > 0, f"{name}: got {report[name]}, want more than 0: {report}"


@pytest.mark.parametrize("options", [
    ["--sessions", 1], ["--sessions", 8, "--both-ways", "--check"],
    ["--sessions", 64, "--check", "--write-size", 16384]], ids=lambda o: "-".join(map(str, o)))
def test_throughput(relay, options):
    (report,) = load("throughput", *options, *WINDOW, target=relay)
    check(report, "gib", "gib_per_s", "fairness", "seconds", "own_cpu_s", "server_cpu_s",
          "server_rss_kib")


@pytest.mark.parametrize("options, threads", [([], {1}), (["--spread"], {1, 2})],
                         ids=["gathered", "spread"])
def test_heavy_sessions_are_chosen_by_their_thread(start_ours, options, threads):
    """Of 8 sessions on 2 workers, 4 or more are on one of them; by chance it may be all."""
    server = start_ours("-workers", "2")
    host, port = server.address
    (report,) = load("throughput", "--sessions", 8, "--heavy", 3, *options, *WINDOW,
                     target=["--relay", f"{host}:{port}", "--server-pid", str(server.pid)])
    check(report, "gib_per_s", "fairness")
    assert report["heavy"] == 3
    assert report["heavy_threads"] in threads


def test_many_sessions_have_several_devices(relay):
    (report,) = load("pingpong", "--sessions", 260, "--parallel", 64, *WINDOW, target=relay)
    check(report, "round_trips")


def test_rows_are_compared_with_no_relay():
    results = rows.Results()
    for subject, value in (("ours", 9.0), ("reference", 4.5), ("direct", 10.0)):
        results.add("bulk1.rate", subject, value)
        results.add("bulk8.rate", subject, value if subject != "ours" else 8.9)
    (line,) = [line for line in rows.table(results).splitlines() if "bulk, 1 session" in line]
    assert [cell.strip() for cell in line.split("|")[3:-1]] == [
        "9.00", "4.50", "", "10.0", "2.00 ×", "0.90 ×", "≥ 1.8 ×", "≥ 0.9 × direct", "aim"]
    (line,) = [line for line in rows.table(results).splitlines() if "bulk, 8 sessions" in line]
    assert line.split("|")[-2].strip() == "yes"


def test_the_drawing_by_sessions_has_a_curve_for_each_that_was_measured():
    results = rows.Results()
    for count in rows.SESSIONS:
        results.add(f"sessions{count}.rate", "ours", count / 1000)
    for count in (1, 4):
        results.add(f"sessions{count}.rate", "direct", 2.0)
    text = plot_sessions.draw(results, {"rounds": 1, "cpus": 2, "cpu": "A CPU", "date": "today"})
    curves = [line for line in text.splitlines() if line.startswith("<polyline")]
    assert [curve.count("<circle") for curve in curves] == [len(rows.SESSIONS), 2]


def test_throughput_without_a_relay():
    (report,) = load("throughput", "--connect-direct", "--sessions", 4, "--check", *WINDOW)
    check(report, "gib_per_s", "fairness")


@pytest.mark.parametrize("bulk", [0, 2])
def test_pingpong(relay, bulk):
    (report,) = load("pingpong", "--sessions", 10, "--bulk", bulk, "--check", *WINDOW, target=relay)
    check(report, "round_trips", "round_trip_p50_us", "round_trip_p99_us", "server_cpu_s")
    assert report["round_trip_p50_us"] <= report["round_trip_p99_us"] <= report["round_trip_max_us"]


@pytest.mark.parametrize("options", [[], ["--tls12"]], ids=["tls13", "tls12"])
def test_joins(relay, options):
    (report,) = load("joins", "--devices", 50, "--parallel", 10, *options, target=relay)
    check(report, "per_s", "join_p50_us")
    assert report["joined"] == 50


def test_idle_devices_stay_until_stdin_ends(relay):
    joins, idle = load("idle", "--devices", 30, "--silent", 5, target=relay)
    check(joins, "per_s")
    check(idle)
    assert (joins["joined"], idle["joined"], idle["lost"]) == (30, 30, 0)


def test_idle_devices_answer_pings(start_ours):
    server = start_ours("-ping-interval", "100ms", "-network-timeout", "30s")
    process = subprocess.Popen(
        [load_program(), "idle", "--relay", "{}:{}".format(*server.address), "--devices", "3"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        json.loads(process.stdout.readline())
        begun = server.status()["uptimeSeconds"]  # a slow machine took seconds for the joins
        server.wait_for_status(lambda s: s["uptimeSeconds"] >= begun + 2, "two seconds of pings")
        out, _ = process.communicate("", PATIENCE)
    finally:
        process.kill()
        process.wait()
    check(json.loads(out), "pings")


@pytest.mark.parametrize("options", [
    ["--parallel", 1], ["--parallel", 8], ["--parallel", 1, "--both-at-once"]],
    ids=lambda o: "-".join(map(str, o)))
def test_setups(relay, options):
    (report,) = load("setups", "--count", 40, *options, target=relay)
    check(report, "per_s", "setup_p50_us", "server_cpu_s")
    assert report["done"] == 40


def test_setups_whose_requests_go_to_another_relay(relay, start_ours):
    """This one does not know the device."""
    other = "{}:{}".format(*start_ours().address)
    (report,) = load("setups", "--count", 4, "--ask-relay", other, target=relay, code=1)
    assert report["failures_by"] == {"not_found": 4}


def test_failures_are_counted_and_told():
    (report,) = load("setups", "--relay", "127.0.0.1:1", code=2)
    assert report["failures_by"] == {"connect": 1}


def test_an_option_that_a_command_does_not_use_is_refused():
    assert load("joins", "--sessions", 3, target=["--relay", "127.0.0.1:1"], code=2) == []
