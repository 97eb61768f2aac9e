# SPDX-License-Identifier: MPL-2.0
"""Judges a soak run by its rows, and shows them: a table, and a drawing as SVG."""

import csv
import html
import pathlib

from flatness import trend

#: {column: (what it is, by how much it may grow in a run)}. How many pipes are kept follows from
#: how many were needed at once, and memory from the highest load so far.
SERIES = {
    "rss_kib": ("memory of the process, KiB", 1024),
    "descriptors": ("descriptors without pipes", 2),
    "pipes": ("descriptors of pipes kept for reuse", 16),
    "sockets": ("sockets of its ports", 2),
    "kernel": ("kernel memory of these sockets, bytes", 65536),
}
NAMES = {"upgraded": "upgraded in each cycle", "lasting": "one process"}
_COLOURS = {"upgraded": "#2f81f7", "lasting": "#3fb950"}
_TEXT = "#768390"  # readable on white and on black
#: So many of the first measurements show how the server fills its caches.
_WARM_UP = 0.25
LEAST = 3

_README = pathlib.Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- table: made by soak.py --readme -->", "<!-- end -->"


def read_rows(path):
    with path.open(newline="") as file:
        return [{name: value if name == "site" else float(value)
                 for name, value in row.items()} for row in csv.DictReader(file)]


def by_site(rows):
    found = {}
    for row in rows:
        found.setdefault(row["site"], []).append(row)
    return found


def warm(rows):
    """The rows of a site after its warm-up."""
    return rows[min(int(len(rows) * _WARM_UP), max(0, len(rows) - LEAST)):]


def trends(rows):
    """{(site, column): Trend}"""
    found = {}
    for site, all_rows in by_site(rows).items():
        judged = warm(all_rows)
        for column in SERIES:
            found[site, column] = trend([row["seconds"] for row in judged],
                                        [row[column] for row in judged])
    return found


def verdict(rows):
    """What has grown by more than it may."""
    wrong = []
    for (site, column), line in trends(rows).items():
        what, most = SERIES[column]
        if line.certainly_above(most):
            grown, error = line.grown
            wrong.append(f"{site}: {what}: grown by {grown:.0f} ± {error:.0f} in "
                         f"{line.seconds:.0f} s; want {most} at most")
    for site, all_rows in by_site(rows).items():
        last = all_rows[-1]
        if last["accepted"] != last["closed"]:
            wrong.append(f"{site}: {last['accepted']:.0f} connections accepted, "
                         f"{last['closed']:.0f} closed")
    return wrong


def _amount(number):
    return f"{number:,.0f}" if abs(number) >= 10 or number == int(number) else f"{number:.1f}"


def _counts(all_rows):
    last = all_rows[-1]
    return (f"{last['seconds'] / 60:.0f} min, {len(all_rows)} measurements, "
            f"{_amount(last['processes'])} processes, {_amount(last['reloads'])} reloads, "
            f"{_amount(last['rounds'])} rounds of clients, {_amount(last['attacks'])} attacks; "
            f"connections: {_amount(last['accepted'])} accepted, {_amount(last['closed'])} "
            f"closed; {_amount(last['sessions'])} sessions; bytes: {_amount(last['sent'])} sent, "
            f"{_amount(last['forwarded'])} forwarded, {_amount(last['received'])} received")


def table(rows):
    """The table of the README."""
    lines = []
    sites = by_site(rows)
    for site, all_rows in sites.items():
        lines += [f"- *{NAMES[site]}*: {_counts(all_rows)}."]
    lines += ["", "| at rest | server | mean | growth over the run ± standard error "
              "| slope per hour | most that may be | would surely be noticed | highest under load |",
              "|---|---|---|---|---|---|---|---|"]
    found = trends(rows)
    for column, (what, most) in SERIES.items():
        for site, all_rows in sites.items():
            line = found[site, column]
            grown, error = line.grown
            peak = {"rss_kib": "peak_rss_kib", "kernel": "peak_kernel"}.get(column)
            high = _amount(max(row[peak] for row in all_rows)) if peak else ""
            lines.append(
                f"| {what} | {NAMES[site]} | {_amount(line.mean)} | {grown:+,.1f} ± {error:,.1f} "
                f"| {line.slope * 3600:+,.1f} ± {line.error * 3600:,.1f} | {most:,} "
                f"| {_amount(line.might_hide(most))} | {high} |")
    return "\n".join(lines) + "\n"


# The drawing.

_WIDTH, _LEFT, _PANEL = 860, 80, 120


def _text(x, y, text, size=12, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{_TEXT}">{html.escape(text)}</text>')


def _panel(rows, column, y):
    """One quantity of all sites over time, each with its line."""
    what, _ = SERIES[column]
    sites = by_site(rows)
    longest = max(row["seconds"] for row in rows)
    values = [row[column] for row in rows]
    low, high = min(values), max(values)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    width = _WIDTH - _LEFT - 20

    def x_of(seconds):
        return _LEFT + seconds / longest * width

    def y_of(value):
        return y + _PANEL - (value - low) / (high - low) * _PANEL

    parts = [_text(_LEFT, y - 10, what, 12, weight="bold"),
             _text(_LEFT - 6, y + 5, _amount(high), 10, "end"),
             _text(_LEFT - 6, y + _PANEL, _amount(low), 10, "end"),
             f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{_PANEL}" fill="none" '
             f'stroke="{_TEXT}" stroke-width="0.5"/>']
    for site, all_rows in sites.items():
        colour = _COLOURS[site]
        parts += [f'<circle cx="{x_of(row["seconds"]):.1f}" cy="{y_of(row[column]):.1f}" r="2" '
                  f'fill="{colour}"/>' for row in all_rows]
        judged = warm(all_rows)
        line = trend([row["seconds"] for row in judged], [row[column] for row in judged])
        middle = sum(row["seconds"] for row in judged) / len(judged)
        ends = [(at, line.mean + line.slope * (at - middle))
                for at in (judged[0]["seconds"], judged[-1]["seconds"])]
        points = " ".join(f"{x_of(at):.1f},{min(y + _PANEL, max(y, y_of(value))):.1f}"
                          for at, value in ends)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    return parts


def draw(rows):
    """The drawing as SVG text."""
    y = 26
    parts = [_text(10, y, "Soak: what the server holds at rest, between two times of load", 15,
                   weight="bold")]
    y += 22
    for place, (site, name) in enumerate(NAMES.items()):
        parts.append(f'<circle cx="{_LEFT + 220 * place}" cy="{y - 4}" r="4" '
                     f'fill="{_COLOURS[site]}"/>')
        parts.append(_text(_LEFT + 220 * place + 10, y, name, 11))
    for column in SERIES:
        y += 40
        parts += _panel(rows, column, y)
        y += _PANEL
    y += 20
    longest = max(row["seconds"] for row in rows)
    parts += [_text(_LEFT, y, "0", 10), _text(_WIDTH - 20, y, f"{longest / 60:.0f} min", 10, "end")]
    y += 16
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" '
            f'width="{_WIDTH}" height="{y}" '
            'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">\n'
            "<!-- SPDX-License-Identifier: MPL-2.0; made by tests/soak/report.py -->\n"
            + "\n".join(parts) + "\n</svg>\n")


def write_readme(text, drawing):
    _README.with_name("soak.svg").write_text(drawing)
    page = _README.read_text()
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _README.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}")
