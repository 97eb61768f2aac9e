# SPDX-License-Identifier: MPL-2.0
"""Every wait of the tests.  One deadline bounds polling and socket timeouts."""

import os
import time

#: Factor for all timeouts in slow runs (sanitizers, a loaded machine).
SLOWNESS = float(os.environ.get("TEST_SLOWNESS", "1"))

#: Seconds until a wait fails.  A bound, never a measurement.
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
    """Yields the processor between two checks of a condition."""
    time.sleep(seconds)


def wait_for(condition, what, deadline=None):
    """Returns the first true value of condition(); fails with `what` after the deadline.

    `what` is a text, or a function that returns one and can include the last state."""
    deadline = deadline or Deadline()
    while True:
        value = condition()
        if value:
            return value
        if deadline.passed():
            text = what() if callable(what) else what
            raise AssertionError(f"gave up after {deadline.seconds:.0f} s waiting for {text}")
        pace()
