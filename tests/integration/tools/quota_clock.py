# SPDX-License-Identifier: MPL-2.0
"""Sets the time of the module quota, by a file that the test module quota-clock reads."""

import calendar
import time

import pytest


class Clock:
    """The time that the module quota uses."""

    def __init__(self, path):
        self.path = path

    def set(self, text):
        beside = self.path.with_suffix(".new")
        beside.write_text(str(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M"))))
        beside.rename(self.path)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    clock = Clock(tmp_path / "clock")
    clock.set("2026-11-22 12:00")
    monkeypatch.setenv("QUOTA_CLOCK", str(clock.path))
    return clock
