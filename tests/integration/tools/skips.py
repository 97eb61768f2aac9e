# SPDX-License-Identifier: MPL-2.0
"""Tests that are skipped where they could run.

Some tests need root, namespaces or tools, and are skipped without them. With TEST_COMPLETE=1,
which tests/run.sh sets where all of that is there, such a skip is a failure: else a tool that is
missing, or a check for it that is wrong, would quietly take tests away."""

import collections
import os

import pytest

COMPLETE = os.environ.get("TEST_COMPLETE") == "1"


def excused(reason):
    """Whether the build, the kernel, or a root of tests/roots is the reason for the skip."""
    return (
        "sanitizer" in reason
        or "already such a root" in reason
        or "VALKEY" in reason  # Debian 12 has no such package
        or "CORE DUMPS" in reason  # /proc/sys/kernel/core_pattern is the machine's
        or ("tun" in reason and not os.path.exists("/dev/net/tun"))
        or ("IPv6" in reason and not os.path.exists("/proc/net/if_inet6"))
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not COMPLETE or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(call.excinfo.value)
    if not excused(reason):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped, but with TEST_COMPLETE=1 it must run: {reason}"


def pytest_terminal_summary(terminalreporter):
    """Counts what was skipped, by reason."""
    reasons = collections.Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reasons[report.longrepr[2] if isinstance(report.longrepr, tuple) else "?"] += 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped: {count}: {reason.removeprefix('Skipped: ')}")
