# SPDX-License-Identifier: MPL-2.0
"""Draws the comparison as SVG: bars for ours, the reference, and the connection without relay, if
measured."""

import html

import rows

WIDTH = 860
LABEL = 330  # where bars begin
BARS = 380  # length of the longest
BAR = 11
GAP = 2
SPACE = 12  # between rows
TEXT = "#768390"  # readable on white and on black
COLOURS = {"ours": "#2f81f7", "reference": "#8c959f", "haproxy": "#c69026", "direct": "#3fb950"}
NAMES = {"ours": "this server", "reference": "reference (Go)", "haproxy": "haproxy, TCP",
         "direct": "no relay: the limit"}
TITLE = "A Syncthing relay: this server and others, side by side"
#: What else the CPUs did, and the script.
MADE_BY = ("shared with the load generator", "tests/bench/compare.sh")


def text(x, y, text, size=12, anchor="start", weight="normal"):
    return (f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{TEXT}">{html.escape(text)}</text>')


def _bar(x, y, width, colour):
    return (f'<rect x="{x}" y="{y}" width="{max(width, 1):.1f}" height="{BAR}" rx="2" '
            f'fill="{colour}"/>')


def legend(y, x=LABEL):
    parts = []
    for subject in rows.SUBJECTS:
        parts.append(_bar(x, y - BAR, 14, COLOURS[subject]))
        parts.append(text(x + 19, y - 1, NAMES[subject], 11))
        x += 32 + 6.3 * len(NAMES[subject])
    return parts


def _row(results, row, y):
    """The bars of a row, relative to its longest one, and the position of the next row."""
    values = {s: results.median(row.key, s) for s in rows.SUBJECTS}
    values = {s: v for s, v in values.items() if v is not None}
    longest = max(values.values()) or 1
    height = len(values) * (BAR + GAP)
    parts = [text(LABEL - 10, y + height / 2 + 3, row.title, 12, "end")]
    for subject, value in values.items():
        width = value / longest * BARS
        parts.append(_bar(LABEL, y, width, COLOURS[subject]))
        label = f"{rows.number(value)} {row.unit}".strip()
        bold = "bold" if subject == "ours" else "normal"
        parts.append(text(LABEL + max(width, 1) + 6, y + BAR - 1.5, label, 10, "start", bold))
        y += BAR + GAP
    return parts, y + SPACE


def footnote(machine, made_by):
    return (f"Medians of {machine['rounds']} rounds on {machine['cpus']} CPUs ({machine['cpu']}), "
            f"{made_by[0]}; {machine['date']}; {made_by[1]}")


def whole(parts, width, height):
    """The text of the file."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" '
            'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">\n'
            "<!-- SPDX-License-Identifier: MPL-2.0; made by tests/bench -->\n"
            + "\n".join(parts) + "\n</svg>\n")


def draw(results, machine, table=None, title=TITLE, made_by=MADE_BY):
    """The drawing as SVG text.  table: its rows, by default those of compare.py."""
    y = 26
    parts = [text(10, y, title, 15, weight="bold")]
    y += 24
    parts += legend(y)
    for more, title in ((True, "More is better"), (False, "Less is better")):
        y += 26
        parts.append(text(10, y, title, 13, weight="bold"))
        y += 12
        for row in table or rows.ROWS:
            if row.plotted and row.more_is_better == more and row.key in results.values:
                drawn, y = _row(results, row, y)
                parts += drawn
    y += 10
    parts.append(text(10, y, footnote(machine, made_by), 10))
    return whole(parts, WIDTH, y + 12)
