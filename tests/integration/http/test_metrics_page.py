# SPDX-License-Identifier: MPL-2.0
"""modules/METRICS.md agrees with the metric tables, and other pages with it."""

import re

import metrics_page
from relay_server import ROOT


def test_the_page_of_metrics_is_current():
    want = metrics_page.page()
    assert metrics_page.PAGE.read_text() == want, (
        "modules/METRICS.md is old: run tests/integration/tools/metrics_page.py"
    )


def test_the_metrics_that_stand_for_those_of_the_pools_server_exist():
    """And every metric that it has is in the table."""
    text = (ROOT / "conf" / "MIGRATION.md").read_text()
    known = set(re.findall(r"^\| `(strelaysrv_\w+)`", metrics_page.PAGE.read_text(), re.MULTILINE))
    named = set(re.findall(r"strelaysrv_\w+", text))
    assert named and named <= known, named - known
    of_pool = {"uptime", "pending_session_keys", "active_sessions", "connections", "proxies",
               "bytes_proxied", "go_routines", "session_rate", "global_rate", "build_info",
               "location_info"}
    assert of_pool == set(re.findall(r"^\| `relay_(\w+)` \|", text, re.MULTILINE))
