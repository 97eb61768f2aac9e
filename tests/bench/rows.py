# SPDX-License-Identifier: MPL-2.0
"""The rows of the table: what each compares, the target ratio, and the format."""

import dataclasses
import statistics
from typing import Optional

SUBJECTS = ("ours", "reference", "haproxy", "direct")

#: Kinds of targets: ours relative to the reference, or an absolute value of ours.
RATIO = "x reference"
VALUE = "value"
BEFORE = "x without"


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    more_is_better: bool
    target: Optional[float] = None
    aim: Optional[float] = None
    meant: str = RATIO
    #: A second target, ours relative to the reference, for rows with an absolute target.
    ratio_target: Optional[float] = None
    #: The aim, if it is a part of what no relay reaches.
    limit_aim: Optional[float] = None
    plotted: bool = False


#: The numbers of sessions for the figures by their number.
SESSIONS = (1, 4, 16, 64, 250, 1000)

#: What is measured for each of them: key, title, unit, whether more is better.
BY_SESSIONS = (
    ("rate", "throughput of bulk", "GiB/s", True),
    ("cpu", "relay CPU of bulk", "s/GiB", False),
    ("p99", "64 B there and back, p99", "µs", False),
)


def _bulk(key, title, rate, rate_aim, cpu, cpu_aim, plotted=False, limit_aim=None):
    return [
        Row(f"{key}.rate", f"{title}: throughput", "GiB/s", True, rate, rate_aim,
            plotted=plotted, limit_aim=limit_aim),
        Row(f"{key}.cpu", f"{title}: relay CPU", "s/GiB", False, cpu, cpu_aim, plotted=plotted),
        Row(f"{key}.system", f"{title}: CPU of the whole machine", "s/GiB", False),
    ]


#: Configurations whose modules limit nothing, with their names in the table.
COSTS = {
    "rate-limit": "rate-limit without a limit",
    "rate-limit-high": "rate-limit far above the load",
    "quota": "quota", "access": "access", "bounds": "bounds",
}


def _uneven(key, title):
    return [
        Row(f"{key}.rate", f"{title}: throughput", "GiB/s", True),
        Row(f"{key}.balance", "... CPU of the threads, least/most", "", True,
            0.85 if key == "gathered" else None, None, VALUE),
    ]


def _by_sessions():
    return [Row(f"sessions{count}.{key}", f"{count} sessions: {title}", unit, more)
            for count in SESSIONS for key, title, unit, more in BY_SESSIONS]


def _behind(key, title):
    """Without targets: most of the work is haproxy's."""
    return [
        *_bulk(f"{key}8", f"{title}: bulk, 8 sessions", None, None, None, None),
        Row(f"{key}.join.rate", f"{title}: joins", "1/s", True),
        Row(f"{key}.join.cpu", "... relay CPU per join", "ms", False),
    ]


def _cost(key, title):
    return [
        Row(f"cost.{key}.rate", f"with {title}: bulk, 8 sessions, throughput", "x without", True,
            0.95, 0.98, BEFORE),
        Row(f"cost.{key}.cpu", "... relay CPU", "x without", False, 1.1, 1.03, BEFORE),
        Row(f"cost.{key}.setup", "... session set-up, relay CPU", "x without", False, 1.1, 1.03,
            BEFORE),
    ]


ROWS = [
    *_bulk("bulk1", "bulk, 1 session", 1.8, None, 0.40, 0.30, plotted=True, limit_aim=0.9),
    *_bulk("bulk8", "bulk, 8 sessions", 1.4, None, 0.60, 0.50, limit_aim=0.9),
    *_bulk("bulk64", "bulk, 64 sessions", 1.4, None, 0.60, 0.50, plotted=True, limit_aim=0.9),
    *_bulk("bulk64both", "bulk, 64 sessions both ways", None, None, None, None),
    Row("bulk64.fairness", "bulk, 64 sessions: slowest/fastest", "", True, 0.9, 0.97, VALUE),
    *_bulk("small64", "16 KiB writes, 64 sessions", 1.2, 1.3, 0.65, 0.50),
    Row("pingpong100.rate", "64 B there and back, 100 sessions: rate", "1/s", True, 1.5, 1.8,
        plotted=True),
    Row("pingpong100.p50", "64 B there and back, 100 sessions: p50", "µs", False),
    Row("pingpong100.p99", "64 B there and back, 100 sessions: p99", "µs", False, 0.30, 0.20,
        plotted=True),
    Row("pingpong1.p50", "64 B there and back, 1 session: p50", "µs", False, 1.0, 0.7),
    Row("pingpong1.cpu", "64 B there and back, 1 session: relay CPU", "µs", False, 0.9),
    Row("beside8.p99", "64 B there and back beside 8 bulk sessions: p99", "µs", False, 0.2, 0.1,
        plotted=True),
    Row("beside8.bulk", "... and what the bulk sessions carry meanwhile", "GiB/s", True),
    *_bulk("pinned1", "a CPU for the relay, one for the load: bulk, 1 session", None, None, None,
           None),
    *_bulk("pinned64", "a CPU for the relay, one for the load: bulk, 64 sessions", None, None, None,
           None),
    Row("pinned100.rate", "a CPU for the relay, one for the load: 64 B, 100 sessions: rate", "1/s",
        True),
    Row("pinned100.p99", "... p99", "µs", False),
    *_uneven("gathered", "4 heavy of 16 sessions, that begin on one thread"),
    *_uneven("spread", "4 heavy of 16 sessions, spread over threads"),
    Row("uneven.ratio", "throughput of those that begin on one thread, divided by that if spread",
        "", True, 0.9, None, VALUE),
    Row("setups16.cpu", "session set-up, 16 at a time: relay CPU", "ms", False, 0.65, 0.5,
        plotted=True),
    Row("setups1.cpu", "session set-up, one by one: relay CPU", "ms", False, 0.65, 0.5),
    Row("atonce.failed", "set-ups failed of those where both sides join at once", "%", False,
        0, 0, VALUE),
    Row("storm.rate", "reconnect storm: joins", "1/s", True, 1.3, 1.6, plotted=True),
    Row("storm.cpu", "reconnect storm: relay CPU per join", "ms", False, 0.75, 0.6, plotted=True),
    Row("storm.slowest", "reconnect storm: slowest join", "ms", False),
    Row("storm.failed", "reconnect storm: joins failed", "", False, 0, 0, VALUE),
    Row("p384.rate", "joins, all keys on P-384", "1/s", True),
    Row("p384.cpu", "... relay CPU per join", "ms", False),
    Row("own.rate", "joins, each relay with the key it makes itself", "1/s", True, 1.3, 1.6),
    Row("own.cpu", "... relay CPU per join", "ms", False, 0.75, 0.6),
    Row("own16.cpu", "... session set-up, 16 at a time: relay CPU", "ms", False, 0.65, 0.5),
    Row("own1.cpu", "... session set-up, one by one: relay CPU", "ms", False, 0.65, 0.5),
    *_behind("front", "behind haproxy"),
    *_behind("proxied", "behind haproxy, ours with PROXY protocol"),
    *_bulk("transit1", "transit relay: bulk, 1 session", None, None, None, None),
    *_bulk("transit8", "transit relay: bulk, 8 sessions", None, None, None, None),
    Row("transit.rss", "transit relay: memory per client that waits", "KiB", False),
    Row("transit.rate", "transit relay: clients that meet one that waits, one by one", "1/s", True),
    Row("transit.cpu", "... relay CPU", "ms", False),
    Row("device.rss", "memory per joined device", "KiB", False, 5, 2.5, VALUE,
        ratio_target=0.4, plotted=True),
    Row("bulk64.rss", "memory per active bulk session beyond idle", "KiB", False, 16, None, VALUE,
        plotted=True),
    Row("bulk64.kernel", "kernel TCP memory of 64 bulk sessions, all ends", "MiB", False),
    Row("idle.cpu", "CPU for the devices, all idle, a ping a minute", "ms/s", False, 0.5, 0.2,
        plotted=True),
    Row("silent.ratio", "good client's join among silent connections", "x without", False,
        1.5, 1.1, BEFORE),
    Row("silent.time", "... its time among them", "ms", False),
    *[row for key, title in COSTS.items() for row in _cost(key, title)],
    Row("limit.global", "global limit, 4 sessions: missed by, over 10 s", "%", False, 2, 0.5,
        VALUE),
    Row("limit.global.fairness", "... slowest/fastest", "", True, 0.96, 0.99, VALUE),
    Row("limit.session", "limit of each of 4 sessions: missed by, over 10 s", "%", False, 2, 0.5,
        VALUE),
    Row("limit.session.fairness", "... slowest/fastest", "", True, 0.96, 0.99, VALUE),
    *_by_sessions(),
    Row("start.time", "start to first answer", "ms", False, 0.5),
    Row("size", "program and modules, stripped", "MB", False, 1.0, None, VALUE, plotted=True),
]


class Results:
    """The measured values, by row and subject."""

    def __init__(self):
        self.values = {}
        self.notes = []

    def add(self, key, subject, value):
        self.values.setdefault(key, {}).setdefault(subject, []).append(value)

    def median(self, key, subject):
        values = self.values.get(key, {}).get(subject)
        return statistics.median(values) if values else None

    def ratio(self, key):
        ours, reference = self.median(key, "ours"), self.median(key, "reference")
        if ours is None or not reference:
            return None
        return ours / reference

    def of_limit(self, key):
        """Ours divided by no relay."""
        ours, limit = self.median(key, "ours"), self.median(key, "direct")
        return ours / limit if ours is not None and limit else None

    def aim_reached(self, row):
        if row.limit_aim is None:
            return self.reached(row, row.aim)
        share = self.of_limit(row.key)
        return None if share is None else share >= row.limit_aim

    def judged(self, row):
        """The number that is compared with the target; None if it was not measured."""
        return self.ratio(row.key) if row.meant == RATIO else self.median(row.key, "ours")

    def reached(self, row, target):
        """Whether the target is reached; None without target or figure."""
        number = self.judged(row)
        if target is None or number is None:
            return None
        good = number >= target if row.more_is_better else number <= target
        if row.ratio_target is not None and target == row.target:
            ratio = self.ratio(row.key)
            good = good and ratio is not None and ratio <= row.ratio_target
        return good


def number(value):
    """Formats with three significant digits."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:.{digits}f}"


def _goal(row, target):
    if target is None:
        return ""
    sign = "≥" if row.more_is_better else "≤"
    factor = " ×" if row.meant == RATIO else ""
    text = f"{sign} {target:g}{factor}"
    if row.ratio_target is not None and target == row.target:
        text += f", ≤ {row.ratio_target:g} ×"
    return text


def _verdict(results, row):
    reached = results.reached(row, row.target)
    if reached is None:
        return ""
    if not reached:
        return "NO"
    return "aim" if results.aim_reached(row) else "yes"


def _aim(row):
    return f"≥ {row.limit_aim:g} × direct" if row.limit_aim is not None else _goal(row, row.aim)


def table(results):
    """A Markdown table that is also readable as plain text."""
    head = ["what", "unit", *SUBJECTS, "ratio", "of direct", "target", "aim", "reached"]
    lines = [head]
    for row in ROWS:
        if row.key not in results.values:
            continue
        ratio = results.ratio(row.key) if row.meant != BEFORE else None
        limit = results.of_limit(row.key)
        lines.append([
            row.title, row.unit, *(number(results.median(row.key, s)) for s in SUBJECTS),
            f"{number(ratio)} ×" if ratio is not None else "",
            f"{number(limit)} ×" if limit is not None else "",
            _goal(row, row.target), _aim(row), _verdict(results, row),
        ])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    out = []
    for line in lines:
        cells = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
        cells += [cell.rjust(width) for cell, width in zip(line[2:], widths[2:])]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def as_json(results):
    """All values, medians, ratios and results."""
    rows = []
    for row in ROWS:
        if row.key not in results.values:
            continue
        rows.append({
            "key": row.key, "title": row.title, "unit": row.unit,
            "more_is_better": row.more_is_better, "target": row.target, "aim": row.aim,
            "target_is": row.meant, "ratio_target": row.ratio_target,
            "ratio": results.ratio(row.key), "of_direct": results.of_limit(row.key),
            "limit_aim": row.limit_aim, "reached": results.reached(row, row.target),
            "aim_reached": results.aim_reached(row),
            "median": {s: results.median(row.key, s) for s in results.values[row.key]},
            "values": results.values[row.key],
        })
    return rows
