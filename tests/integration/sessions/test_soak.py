# SPDX-License-Identifier: MPL-2.0
"""Everything at once for some seconds, with several workers: clients that come and go in every way,
attackers, reloads that put modules in and out, and upgrades.  tests/soak/soak.py does the same for
hours."""

import dataclasses
import pathlib
import sys

import pytest

from selection import WORKERS
from waiting import SLOWNESS

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "soak"))

import churn  # noqa: E402
import flatness  # noqa: E402
import report  # noqa: E402
import soak  # noqa: E402

CYCLES, CYCLE_S = 3, 5
SEED = 1


@pytest.mark.parametrize("upgrades", (True, False), ids=("upgraded", "lasting"))
def test_everything_at_once_leaves_nothing_behind(plain_program, tmp_path, relay_keys, upgrades):
    load = soak.Load(rounds_per_second=20 / SLOWNESS, attack_s=1.5, reload_every_s=0.5)
    site = soak.Site("upgraded" if upgrades else "lasting",
                     dataclasses.replace(plain_program, workers=WORKERS), tmp_path / "site",
                     relay_keys, load, SEED, upgrades)
    try:
        soak.soak([site], CYCLES * CYCLE_S, CYCLE_S * SLOWNESS)
        assert not site.errors, site.errors
        assert len(site.server.generations) == (1 + len(site.rows) if upgrades else 1)
        assert site.server.reloads >= len(site.rows)
        last = site.rows[-1]
        assert last["accepted"] == last["closed"] > 0, last
        assert 0 < last["received"] <= last["forwarded"], last
        counts = site.churn.counts
        assert sum(counts[ending.__name__] for ending in churn.ENDINGS) > 0, counts
        assert last["attacks"] > 0, site.attackers.counts
        if SLOWNESS == 1:  # a sanitizer keeps freed memory
            assert not report.verdict(site.rows), report.table(site.rows)
    finally:
        site.server.finish()


@pytest.mark.parametrize("per_minute, noticed", ((0, False), (40, True)))
def test_a_leak_is_noticed(per_minute, noticed):
    """So many KiB that are lost in each minute of an hour, under noise of 300 KiB."""
    noise = [0, 250, -180, 300, -270, 90, -300, 140, -40, 10] * 6
    times = [60 * minute for minute in range(60)]
    values = [9000 + per_minute * minute + noise[minute] for minute in range(60)]
    line = flatness.trend(times, values)
    assert line.certainly_above(1024) == noticed, line
    assert abs(line.grown[0] - 59 * per_minute) <= 3 * line.grown[1], line


def test_the_error_of_a_slope_allows_for_waves():
    """Values that are like the ones before tell less than as many independent ones."""
    times = list(range(40))
    waves = flatness.trend(times, [(minute // 5) % 2 for minute in times])
    alternating = flatness.trend(times, [minute % 2 for minute in times])
    assert waves.error > 2 * alternating.error, (waves, alternating)
