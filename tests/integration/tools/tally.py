# SPDX-License-Identifier: MPL-2.0
"""Counts what tests have done, for the table at the end of tests/run.sh."""

import os


def add(what, number=1):
    """Adds to what this stage has done so far: one line in the file that TEST_TALLY names."""
    path = os.environ.get("TEST_TALLY")
    if path and number:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{what}\t{number}\n")
