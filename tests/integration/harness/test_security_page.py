# SPDX-License-Identifier: MPL-2.0
"""conf/SECURITY.md: each promise names tests, and they exist."""

import re

import budget_table
from relay_server import ROOT

PAGE = (ROOT / "conf" / "SECURITY.md").read_text(encoding="utf-8")
TEST = re.compile(r"`((?:test_|unit-)\w+)`")


def test_every_promise_names_a_test():
    table = re.compile(r"^\| promise \| held by \|\n\|---\|---\|\n((?:\|.*\n)+)", re.M)
    attackers = [part for part in re.split(r"^##+ ", PAGE, flags=re.M) if part.startswith("A ")]
    assert attackers and all(table.search(part) for part in attackers), "each has a table"
    tables = table.findall(PAGE)
    for row in "".join(tables).splitlines():
        assert TEST.search(row), row


def test_the_tests_exist():
    named = set(TEST.findall(PAGE))
    assert named
    missing = {name for name in named if not budget_table.is_there(name)}
    assert not missing, f"no such tests: {missing}"
