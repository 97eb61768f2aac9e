# SPDX-License-Identifier: MPL-2.0
"""Reads the output of exporters: files of csv-exporter, datagrams of statsd, pages of
prometheus."""

import re
import socket
from decimal import Decimal

import pytest

from waiting import PATIENCE, Deadline


def rows(path):
    """[(time, name, number)] from a file of csv-exporter; complete lines only."""
    text = path.read_text() if path.exists() else ""
    found = [line.split(",") for line in text[:text.rfind("\n") + 1].splitlines()]
    return [(int(time), name, Decimal(number)) for time, name, number in found]


@pytest.fixture
def receiver():
    """A StatsD server's socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        yield sock


def statsd_section(receiver):  # pylint: disable=redefined-outer-name
    return {"statsd": {"port": receiver.getsockname()[1], "interval": "100ms", "prefix": "mine"}}


class Tally:
    """What a StatsD server would compute from the datagrams."""

    def __init__(self, receiver):  # pylint: disable=redefined-outer-name
        self._receiver = receiver
        self.counters, self.gauges = {}, {}
        self.times = {}  # how often each name was received

    def take(self):
        packet = self._receiver.recv(65536)
        assert len(packet) <= 1400
        for line in packet.decode().splitlines():
            match = re.fullmatch(r"mine\.(\S+):(-?[\d.]+(?:e[+-]\d+)?)\|([cg])", line)
            assert match, line
            name, number, kind = match.groups()
            self.times[name] = self.times.get(name, 0) + 1
            if kind == "c":
                assert Decimal(number) >= 0, line
                self.counters[name] = self.counters.get(name, 0) + Decimal(number)
            elif number.startswith("-"):  # in StatsD, a sign means a relative change
                self.gauges[name] += Decimal(number)
            else:
                self.gauges[name] = Decimal(number)

    def take_until(self, condition, what):
        deadline = Deadline()
        while not condition():
            assert not deadline.passed(), f"waited for {what}: {self.counters} {self.gauges}"
            self.take()


def key_of(name):
    """Converts MODULE.METRIC.VALUE of other exporters to (MODULE_METRIC, VALUE), the form of
    prometheus."""
    module, metric, *value = name.split(".", 2)
    return f"{module.replace('-', '_')}_{metric}", value[0] if value else None


def openmetrics(text):
    """{(MODULE_METRIC, VALUE): number} from a page of prometheus.  For histograms, the number is
    the count."""
    units = dict(re.findall(r"^# UNIT (\S+) (\S+)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    ends = {"counter": "_total", "gauge": "", "histogram": "_count"}
    found = {}
    for family, kind in kinds.items():
        name = family.removeprefix("strelaysrv_").removesuffix("_" + units.get(family, ""))
        pattern = rf'^{family}{ends[kind]}(?:{{\w+="(.*)"}})? (\S+)$'
        for value, number in re.findall(pattern, text, re.MULTILINE):
            found[name, value or None] = Decimal(number)
    return found
