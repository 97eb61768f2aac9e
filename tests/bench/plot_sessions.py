# SPDX-License-Identifier: MPL-2.0
"""Draws throughput, CPU and p99 by the number of sessions as SVG: a curve for each subject."""

import math

import plot
import rows

WIDTH = 860
LEFT, RIGHT = 80, 30
HEIGHT = 150  # of one diagram
SPACE = 62  # between two
MARK = 3  # radius


def _x(count):
    """Equal ratios of numbers have equal distances."""
    first, last = math.log(rows.SESSIONS[0]), math.log(rows.SESSIONS[-1])
    return LEFT + (math.log(count) - first) / (last - first) * (WIDTH - LEFT - RIGHT)


def _curve(points, colour):
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{MARK}" fill="{colour}"/>'
                    for x, y in points)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>{marks}'


def _axes(top, most, unit):
    bottom = top + HEIGHT
    parts = [f'<path d="M{LEFT},{top} V{bottom} H{WIDTH - RIGHT}" fill="none" '
             f'stroke="{plot.TEXT}" stroke-width="1"/>',
             plot.text(LEFT - 8, top + 4, f"{rows.number(most)} {unit}", 10, "end"),
             plot.text(LEFT - 8, bottom, "0", 10, "end")]
    parts += [plot.text(_x(count), bottom + 14, f"{count:,}", 10, "middle")
              for count in rows.SESSIONS]
    return parts


def _diagram(results, top, key, unit):
    """The curves of one figure."""
    curves = {}
    for subject in rows.SUBJECTS:
        values = ((count, results.median(f"sessions{count}.{key}", subject))
                  for count in rows.SESSIONS)
        curves[subject] = [(count, value) for count, value in values if value is not None]
    most = max((value for curve in curves.values() for _, value in curve), default=0) or 1
    parts = _axes(top, most, unit)
    for subject, curve in curves.items():
        if curve:
            parts.append(_curve([(_x(count), top + HEIGHT * (1 - value / most))
                                 for count, value in curve], plot.COLOURS[subject]))
    return parts


def draw(results, machine):
    """The drawing as SVG text."""
    y = 26
    parts = [plot.text(10, y, "By the number of sessions", 15, weight="bold")]
    y += 24
    parts += plot.legend(y, LEFT)
    for key, title, unit, more in rows.BY_SESSIONS:
        y += 30
        better = "more" if more else "less"
        parts.append(plot.text(10, y, f"{title}; {better} is better", 13, weight="bold"))
        y += 12
        parts += _diagram(results, y, key, unit)
        y += HEIGHT + SPACE - 30
    y += 14
    parts.append(plot.text(10, y, plot.footnote(machine, plot.MADE_BY), 10))
    return plot.whole(parts, WIDTH, y + 12)
