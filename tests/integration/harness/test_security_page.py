# SPDX-License-Identifier: MPL-2.0
"""conf/SECURITY.md: each promise names tests, and they exist."""

import re

import budget_table
from relay_server import ROOT

PAGE = (ROOT / "conf" / "SECURITY.md").read_text(encoding="utf-8")
TEST = re.compile(r"`((?:test_|unit-)\w+)`")


def test_every_promise_names_a_test():
    tables = re.findall(r"^\| promise \| held by \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.M)
    assert len(tables) == len(re.findall(r"^### A ", PAGE, re.M)), "each attacker has a table"
    for row in "".join(tables).splitlines():
        assert TEST.search(row), row


def test_the_tests_exist():
    named = set(TEST.findall(PAGE))
    assert named
    missing = {name for name in named if not budget_table.is_there(name)}
    assert not missing, f"no such tests: {missing}"
