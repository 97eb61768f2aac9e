# SPDX-License-Identifier: MPL-2.0
"""Every wait of the tests: polling and socket timeouts, bounded by one deadline."""

import os
import time

#: Factor by which a slow run (sanitizers, a loaded machine) may take longer.
SLOWNESS = float(os.environ.get("TEST_SLOWNESS", "1"))

#: Seconds after which a wait is given up; a bound, never a measure.
PATIENCE = 30.0 * SLOWNESS

_POLL_INTERVAL = 0.02


class Deadline:
    """A point in time at which a wait is given up."""

    def __init__(self, seconds=None):
        self.seconds = PATIENCE if seconds is None else seconds
        self.end = time.monotonic() + self.seconds

    def remaining(self):
        return max(0.0, self.end - time.monotonic())

    def passed(self):
        return time.monotonic() >= self.end


def pace(seconds=_POLL_INTERVAL):
    """Yields the processor between two looks at a condition."""
    time.sleep(seconds)


def wait_for(condition, what, deadline=None):
    """Returns the first true value of condition(); fails with `what` after the deadline.

    `what` is text, or a function that returns it, so that it can tell the last state."""
    deadline = deadline or Deadline()
    while True:
        value = condition()
        if value:
            return value
        if deadline.passed():
            text = what() if callable(what) else what
            raise AssertionError(f"gave up after {deadline.seconds:.0f} s waiting for {text}")
        pace()
