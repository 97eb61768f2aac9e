# SPDX-License-Identifier: MPL-2.0
"""A start while memory is short: it succeeds completely or fails with an error, and never
crashes."""

import concurrent.futures
import subprocess

import pytest

import faults
from relay_server import Program
from waiting import PATIENCE

pytestmark = faults.needs_memory

SEED = 25
MOST = 60


@pytest.mark.parametrize("flags", [
    ["-version"], ["-help"], ["-modules"], ["-no-such-flag"], ["-workers"],
    ["-module-dir", "/", "-global-rat", "1"],
], ids=lambda flags: flags[0] + (" more" if len(flags) > 1 else ""))
def test_start_without_memory(tmp_path, flags):
    def start(number):
        here = tmp_path / str(number)
        here.mkdir()
        fault = faults.Faults(here)
        fault.begin(faults.MEMORY, number, thread=faults.FIRST_THREAD)
        done = subprocess.run([Program("ours").path, *flags], cwd=here, env=fault.environment,
                              capture_output=True, text=True, errors="replace",
                              timeout=PATIENCE, check=False)
        return number, done, fault.end()

    _, whole, count = start(0)
    bad = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, done, _ in pool.map(start, faults.sample(count, MOST, SEED)):
            # Only the exit code, because the usage text includes the program's folder.
            same = done.returncode == whole.returncode
            failed = done.returncode == 1 and done.stderr
            if not same and not failed:
                bad.append((number, done.returncode, done.stderr[-300:]))
    assert not bad, f"{len(bad)} of {count} allocations: {bad[:5]}"
