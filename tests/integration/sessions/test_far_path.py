# SPDX-License-Identifier: MPL-2.0
"""On a path with 100 ms of delay, a session is equally fast in both directions."""

import os
import pathlib
import re
import subprocess
import sys
import warnings

import pytest

from relay_server import ROOT, Program

WHY_NOT = None if os.geteuid() == 0 and os.path.exists("/dev/net/tun") else "needs root, and tun"
if WHY_NOT:
    warnings.warn(f"LONG PATHS ARE NOT TESTED: {WHY_NOT}")
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=f"NOT TESTED: {WHY_NOT}")


def test_receive_buffers_grow_on_a_long_path(plain_program):
    """The far side sends more in a round trip than the initial buffers hold."""
    build = pathlib.Path(Program("ours").path).resolve().parent
    told = subprocess.run(
        [sys.executable, ROOT / "tests/siege/far.py", "--build", build, "--only", "ours",
         "--seconds", "7", "--rounds", "1"], capture_output=True, text=True, timeout=120)
    rates = dict(re.findall(r"^\| (to|from) the far side \| ([0-9.]+) ·", told.stdout, re.M))
    assert set(rates) == {"to", "from"}, told.stdout + told.stderr
    # With buffers of fixed size the rate would be a 25th.
    assert float(rates["from"]) > float(rates["to"]) / 6, told.stdout
