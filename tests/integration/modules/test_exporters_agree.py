# SPDX-License-Identifier: MPL-2.0
"""All exporters show the same numbers, in the unit that the metric's table names."""

import contextlib
import json
import os
import threading
from decimal import Decimal

import pytest

import exported
import relay_protocol as rp
from exported import receiver  # noqa: F401
from installed import build_example
from module_server import folder_of, module_server  # noqa: F401
from pairing import Invited, check_relayed
from relay_client import ProtocolConnection
from relay_server import module_folder
from waiting import Deadline, pace, wait_for

MODULES = ["log", "relay", "bounds", "rate-limit", "quota", "status", "prometheus", "csv-exporter",
           "statsd", "dashboard", "scales", "page", "pipe"]
# Metrics that reading changes: the connection of the request, the file that is written.
ASKER = {"core_file_threads", "core_http_connections", "core_open_descriptors",
         "core_resident_memory", "core_threads"}
STATUS = {
    ("numPendingSessionKeys",): ("relay_pending_keys", None),
    ("numActiveSessions",): ("core_sessions", None),
    ("numConnections",): ("core_connections", "tls"),
    ("bytesProxied",): ("core_session_traffic", None),
    ("quota", "dayBytes"): ("quota_used", "day"),
    ("quota", "dayCap"): ("quota_cap", "day"),
    ("quota", "monthBytes"): ("quota_used", "month"),
    ("quota", "monthCap"): ("quota_cap", "month"),
}
DASHBOARD = {
    ("bytes",): ("core_session_traffic", None),
    ("sessions",): ("core_sessions", None),
    ("devices",): ("relay_devices", None),
    ("pending",): ("relay_pending_keys", None),
    ("joins",): ("relay_joins", "ok"),
    ("limits", "connectionsMost"): ("core_connection_limit", None),
    ("limits", "descriptorsMost"): ("core_descriptor_limit", None),
    ("quota", "level"): ("quota_level", None),
    ("quota", "day"): ("quota_used", "day"),
    ("quota", "dayMost"): ("quota_cap", "day"),
    ("quota", "month"): ("quota_used", "month"),
    ("quota", "monthMost"): ("quota_cap", "month"),
}
# The values of tests/modules/scales.c, in seconds where it has a scale.
SCALES = {
    ("scales_count", "right"): "9007199254740993",
    ("scales_count_ms", "right"): "0.02",
    ("scales_count_us", "right"): "1.234567",
    ("scales_count_minutes", "right"): "1.5",
    ("scales_level", None): "9007199254740993",
    ("scales_level_ms", None): "0.02",
    ("scales_level_us", None): "1.234567",
    ("scales_level_minutes", None): "1.5",
    ("scales_below", None): "-1.5",
    ("scales_size", None): "20",
    ("scales_size_ms", None): "20",
    ("scales_size_us", None): "20",
    ("scales_size_minutes", None): "20",
}


class Reader:
    """Calls take() continuously, so that no data waits in a queue."""

    def __init__(self, take):
        self._take = take
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            self._take()

    def close(self):
        self._stop.set()
        self._thread.join()


class Pipe:
    """Reads the FIFO to which the example `pipe` writes."""

    def __init__(self, path):
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._text = b""

    def take(self):
        try:
            self._text += os.read(self._fd, 65536)
        except BlockingIOError:
            pace()

    def rounds(self):
        text = self._text.decode()
        return split(line.split(" ") for line in text[:text.rfind("\n") + 1].splitlines())

    def close(self):
        os.close(self._fd)


def split(pairs):
    """The complete rounds in a list of (name, number), each round as a dict by key."""
    rounds, first = [], None
    for name, number in pairs:
        first = first or name
        if name == first:
            rounds.append({})
        rounds[-1][exported.key_of(name)] = Decimal(number)
    return rounds[:-1]


def pick(page, fields):
    """The fields of a JSON page under the names that prometheus uses."""
    found = {}
    for path, key in fields.items():
        value = page
        for name in path:
            value = value[name]
        found[key] = Decimal(value)
    return found


class Shown:
    """A server with all exporters."""

    def __init__(self, server, tally, csv, pipe):
        self.server, self.tally, self.csv, self.pipe = server, tally, csv, pipe

    def prometheus(self):
        code, _, body = self.server.get("/metrics", headers={
            "Accept": "application/openmetrics-text"})
        assert code == 200
        return exported.openmetrics(body.decode())

    def _csv_rounds(self):
        return split((name, number) for _, name, number in exported.rows(self.csv))

    @staticmethod
    def _later(rounds):
        """The second round that is completed from now on.  It has also begun later than now."""
        want = len(rounds()) + 2
        return wait_for(lambda: rounds()[want - 1:], f"{want} rounds")[0]

    def csv_exporter(self):
        return self._later(self._csv_rounds)

    def pipe_example(self):
        return self._later(self.pipe.rounds)

    def statsd(self):
        before = dict(self.tally.times)
        # One round may be in the socket already, and another may have begun.
        wait_for(lambda: all(self.tally.times[name] >= before[name] + 3 for name in before),
                 "three rounds")
        both = {**self.tally.counters, **self.tally.gauges}
        return {exported.key_of(name): number for name, number in both.items()}

    def page_example(self):
        lines = self.server.page("/numbers")[1].splitlines()
        return {exported.key_of(name): Decimal(number)
                for name, number in (line.split(" ") for line in lines)}

    def status(self):
        return pick(self.server.status(), STATUS)

    def dashboard(self):
        return pick(json.loads(self.server.page("/dashboard.json")[1]), DASHBOARD)


WHO = ["csv_exporter", "pipe_example", "statsd", "page_example", "status", "dashboard"]


@pytest.fixture
def shown(module_server, receiver, prefix, tmp_path):  # noqa: F811
    for name in ("page", "pipe"):
        build_example(name, prefix, tmp_path)
    tally, pipe = exported.Tally(receiver), Pipe(tmp_path / "pipe")
    sections = {
        **exported.statsd_section(receiver),
        "csv-exporter": {"file": tmp_path / "all.csv", "interval": "1s"},
        "pipe": {"file": tmp_path / "pipe", "interval": "1s"},
        "quota": {"time-zone": "UTC", "day": "10GB", "state-required": "no"},
    }
    folders = f"{module_folder()},{folder_of('scales')},{tmp_path}"
    server = module_server(MODULES, sections=sections, args=["-module-dir", folders])
    with (contextlib.closing(pipe), contextlib.closing(Reader(tally.take)),
          contextlib.closing(Reader(pipe.take))):
        yield Shown(server, tally, tmp_path / "all.csv", pipe)


def disagreements(shown):
    """{(exporter, key): (before, got, after)} of numbers that are not between those of two
    scrapes."""
    odd = {}
    for who in WHO:
        before, got, after = shown.prometheus(), getattr(shown, who)(), shown.prometheus()
        missing = {key for key in before if key not in got} if who not in (
            "status", "dashboard") else set()
        assert not missing, f"{who} lacks {missing}"
        for key, number in got.items():
            least, most = sorted((before[key], after[key]))
            if not least <= number <= most and key[0] not in ASKER:
                odd[who, key] = (before[key], number, after[key])
    return odd


def test_every_exporter_has_the_numbers_of_prometheus(shown, identities):
    with Invited(shown.server, *identities[:2]) as invited:
        check_relayed(*invited.join_both(), b"x" * 54321)
    for identity in identities:
        with ProtocolConnection(shown.server.address, identity) as client:
            client.ask(rp.JoinRelayRequest())
    shown.server.wait_for_status(lambda s: s["numConnections"] == 0, "quiet")
    at_prometheus = shown.prometheus()
    assert at_prometheus["core_handshake_duration", None] >= len(identities)
    for key, number in SCALES.items():
        assert at_prometheus[key] == Decimal(number), key
    odd, deadline = disagreements(shown), Deadline()
    # A gauge may change between two scrapes, but a wrong unit stays wrong.
    while odd and not deadline.passed():
        odd = disagreements(shown)
    assert not odd
