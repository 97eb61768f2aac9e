# SPDX-License-Identifier: MPL-2.0
"""The table of budgets in the code equals the one in modules/README.md, its numbers are those of
the code, and everything that it names exists.  As a program, this file writes the table into the
page."""

import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))

import budget_table  # noqa: E402
from budget_table import (ATTACKS, BOUNDS, BY, COUNTER, LIMITS, PLACE, TESTS, constant,  # noqa: E402
                          options, program, rows, table)
from relay_server import ROOT  # noqa: E402

PAGE = ROOT / "modules" / "README.md"
BEGIN, END = "<!-- budget: made by tests/integration/strangers/test_budget.py -->\n", "<!-- end -->\n"


def names(column):
    return {name for row in rows() for name in budget_table.names(row[column])}


def test_the_page_has_the_table_of_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table(), (
        "run: /usr/bin/python3 tests/integration/strangers/test_budget.py")


def test_all_columns_are_filled():
    assert rows()
    for row in rows():
        assert len(row) == 10, row
        assert all(row[column] for column in (PLACE, *LIMITS, COUNTER, BOUNDS, TESTS, ATTACKS)), row


#: Numbers that are no setting: one of a kind, and the lengths of networks.
PLAIN_NUMBERS = r"\{[^}]*\}|/\d+|\b1\b|accept\(2\)|IPv6(?:: 3)?"


def test_numbers_come_from_the_code():
    for row in rows(budget_table.raw()):
        for column in LIMITS:
            bare = re.sub(PLAIN_NUMBERS, "", row[column])
            assert not re.search(r"\d", bare), f"a number by hand: {row[column]}"


def test_numbers_are_of_what_the_row_names():
    """A cell may only use names from the column `set by` of its row or an earlier one."""
    known = set()
    for row in rows(budget_table.raw()):
        known.update(budget_table.names(row[BY]))
        for column in LIMITS:
            for expression in re.findall(r"\{([^}]*)\}", row[column]):
                for name in re.findall(r"[a-z-]+\.[a-z-]+|[A-Z][A-Z0-9_]+", expression.split()[0]):
                    assert name in known, f"{row[BY]} does not name {name}"


def test_options_and_constants_are_there():
    sample = (ROOT / "conf" / "strelaysrv.conf").read_text(encoding="utf-8")
    for name in names(BY):
        if name.isupper():
            constant(name)
        elif "." in name:
            assert name in options(), f"no option {name}"
        else:
            assert re.search(rf"^#? ?{name} = ", sample, re.MULTILINE), f"no option {name}"


def test_counters_are_there():
    page = (ROOT / "modules" / "METRICS.md").read_text(encoding="utf-8")
    for name in names(COUNTER):
        metric, _, value = name.rstrip("}").partition("{")
        line = re.search(rf"^\| `{metric}` .*$", page, re.MULTILINE)
        assert line, f"no metric {metric}"
        label, _, wanted = value.partition("=")
        if label:
            labels = line.group().rpartition(f"`{label}`: ")[2]
            assert f"`{wanted}`" in labels, f"{metric} has no {label} {wanted}"


def test_tests_and_attacks_are_there():
    for name in names(TESTS):
        assert budget_table.is_there(name), f"no test {name}"
    listed = subprocess.run([program(), "list"], capture_output=True, text=True,
                            check=True).stdout
    attacks = {line.partition("\t")[0] for line in listed.splitlines()}
    assert names(ATTACKS) == attacks, "each attack is of a row, and each named one exists"


@pytest.mark.parametrize("row", ["unknown", "joined", "session", "status", "gateway", "control"])
def test_each_place_has_rows(row):
    assert any(row in cells[PLACE] for cells in rows())


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    sys.exit(0)
