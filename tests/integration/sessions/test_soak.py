# SPDX-License-Identifier: MPL-2.0
"""A short run of the soak test; tests/soak/soak.py runs it for hours."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "soak"))

import soak  # noqa: E402


def test_churn_leaves_nothing_behind(start_ours):
    server = start_ours(*soak.SERVER_OPTIONS)
    churn = soak.soak(server, seconds=18, threads=4)
    assert churn.bytes > 0
    missing = {ending.__name__ for ending in soak.ENDINGS} - set(churn.counts)
    assert not missing, f"ways to end a session that did not occur: {missing}"
