# SPDX-License-Identifier: MPL-2.0
"""The example exporters that push: csv-exporter and statsd."""

import socket

import pytest

from exported import Tally, receiver, rows, statsd_section  # noqa: F401
from module_server import module_server  # noqa: F401
from pairs import connect_pair, swap
from relay_server import ROOT
from waiting import wait_for

TRAFFIC = "core.session_traffic"


def relayed(server, size=1000):
    """Relays 2 * size + 2 bytes."""
    swap(*connect_pair(server), b"x" * size)


@pytest.mark.parametrize("module, most", [("csv-exporter", 125), ("statsd", 125)])
def test_the_examples_are_short(module, most):
    lines = (ROOT / "modules" / module / f"{module}.c").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith(("/*", " *"))]
    assert len(code) <= most, f"{module}: {len(code)} lines"


def test_csv_has_every_metric_round_by_round(module_server, tmp_path):  # noqa: F811
    file = tmp_path / "relay.csv"
    server = module_server(["log", "status", "probe", "echo-pair", "csv-exporter"], sections={
        "csv-exporter": {"file": file, "interval": "1s"}})
    relayed(server)
    wait_for(lambda: [n for _, name, n in rows(file) if name == TRAFFIC and n == 2002], "2002 bytes")
    names = {name for _, name, _ in rows(file)}
    probed = {key.split()[1] for key in server.probe() if key.startswith("metric ")}
    assert names == probed
    times = [time for time, name, _ in rows(file) if name == TRAFFIC]
    assert times == sorted(times)


def test_csv_says_what_is_wrong_and_goes_on(module_server, tmp_path):  # noqa: F811
    folder = tmp_path / "later"
    server = module_server(["log", "csv-exporter"], sections={
        "csv-exporter": {"file": folder / "relay.csv", "interval": "1s"}})
    server.wait_for_log("warning csv-exporter: .*relay.csv: No such file")
    server.wait_for_log("a timer of module csv-exporter failed")
    folder.mkdir()
    server.wait_for_log("the timer of module csv-exporter works again")
    assert rows(folder / "relay.csv")


def test_statsd_tells_what_was_added(module_server, receiver):  # noqa: F811
    server = module_server(["log", "echo-pair", "statsd"], sections=statsd_section(receiver))
    tally = Tally(receiver)
    relayed(server)
    tally.take_until(lambda: tally.counters.get(TRAFFIC) == 2002, "2002 bytes")
    pair = connect_pair(server)
    swap(*pair, b"x" * 50)
    tally.take_until(lambda: tally.counters.get(TRAFFIC) == 2104, "102 more")
    tally.take_until(lambda: tally.gauges.get("core.sessions", 0) >= 1, "a session")
    assert tally.gauges["core.module_up.statsd"] == 1


def test_statsd_counters_survive_modules_that_come_and_go(module_server, receiver):  # noqa: F811
    both = ["log", "counter", "echo-pair", "statsd"]
    server = module_server(both, sections=statsd_section(receiver))
    tally = Tally(receiver)
    tally.take_until(lambda: tally.counters.get("counter.ticks.worker", 0) > 0, "ticks")
    relayed(server)
    server.configure(["log", "echo-pair", "statsd"], statsd_section(receiver))
    assert server.reload()[0]
    server.configure(both, statsd_section(receiver))
    assert server.reload()[0]
    relayed(server)
    tally.take_until(lambda: tally.counters.get(TRAFFIC, 0) >= 4004, "4004 bytes")
    assert tally.counters[TRAFFIC] == 4004


def test_statsd_does_not_mind_that_nobody_listens(module_server):  # noqa: F811
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        section = statsd_section(sock)
    server = module_server(["log", "echo-pair", "statsd"], sections=section)
    relayed(server)
    assert "warning statsd" not in server.log()


def test_statsd_tells_of_a_host_that_is_none(module_server):  # noqa: F811
    server = module_server(["log", "statsd"], sections={
        "statsd": {"host": "no host", "required": "no"}})
    server.wait_for_log("warning statsd: cannot look up no host: ")
