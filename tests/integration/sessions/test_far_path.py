# SPDX-License-Identifier: MPL-2.0
"""On a path with 100 ms of delay, a session is equally fast in both directions."""

import os
import pathlib
import re
import subprocess
import sys

from privileges import why_no_network
from relay_server import ROOT, Program
from skip_unless import can_run

pytestmark = can_run(
    "LONG PATHS", why_no_network() if os.path.exists("/dev/net/tun") else "needs root, and tun")


def test_receive_buffers_grow_on_a_long_path(plain_program):
    """The far side sends more in a round trip than the initial buffers hold."""
    build = pathlib.Path(Program("ours").path).resolve().parent
    told = subprocess.run(
        [sys.executable, ROOT / "tests/siege/far.py", "--build", build, "--only", "ours",
         "--seconds", "7", "--rounds", "1"], capture_output=True, text=True, timeout=120)
    rates = dict(re.findall(r"^\| (to|from) the far side \| ([0-9.]+) ·", told.stdout, re.M))
    assert set(rates) == {"to", "from"}, told.stdout + told.stderr
    # With buffers of fixed size the rate would be a 25th; other load alone has made it a 6th.
    assert float(rates["from"]) > float(rates["to"]) / 12, told.stdout
