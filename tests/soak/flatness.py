# SPDX-License-Identifier: MPL-2.0
"""Whether a series of measurements is flat: a straight line through it, and the line's error."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Trend:
    """`slope` is per second, `error` its standard error, `seconds` the length of the series."""

    slope: float
    error: float
    seconds: float
    mean: float

    @property
    def grown(self):
        """How much the line rises from the beginning to the end, and the error of that."""
        return self.slope * self.seconds, self.error * self.seconds

    def certainly_above(self, most):
        """Whether it has grown by more than `most`, so that chance explains it in one of 40
        cases at best."""
        grown, error = self.grown
        return grown - 2 * error > most

    def might_hide(self, most):
        """The growth over the whole series that would have been noticed for certain."""
        return most + 4 * self.error * self.seconds


def trend(times, values):
    """The line of least squares. The error allows for each value being similar to the one
    before."""
    count = len(times)
    assert count == len(values) and count >= 3, f"{count} measurements are too few"
    at, mean = sum(times) / count, sum(values) / count
    spread = sum((t - at) ** 2 for t in times)
    slope = sum((t - at) * (v - mean) for t, v in zip(times, values)) / spread
    rests = [v - mean - slope * (t - at) for t, v in zip(times, values)]
    squares = sum(r * r for r in rests)
    error = math.sqrt(squares / (count - 2) / spread)
    alike = sum(a * b for a, b in zip(rests, rests[1:])) / squares if squares else 0
    alike = min(0.9, max(0.0, alike))
    return Trend(slope, error * math.sqrt((1 + alike) / (1 - alike)), times[-1] - times[0], mean)
