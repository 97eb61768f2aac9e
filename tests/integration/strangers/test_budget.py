# SPDX-License-Identifier: MPL-2.0
"""The table of what a stranger can spend: one in the code, the same in modules/README.md, and
all that it names is there. Run as a program it writes the page's table anew."""

import re
import subprocess
import sys

import pytest

from relay_server import ROOT, Program, module_folder

PAGE = ROOT / "modules" / "README.md"
BEGIN, END = "<!-- budget: made by tests/integration/strangers/test_budget.py -->\n", "<!-- end -->\n"
PLACE, WHAT, CONNECTION, SOURCE, ALL, BY, COUNTER, BOUNDS, TESTS, ATTACKS = range(10)


def program():
    return module_folder().parent / "tests" / "siege" / "relay-siege"


def table():
    return subprocess.run([program(), "budget"], capture_output=True, text=True,
                          check=True).stdout


def rows():
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in table().splitlines()[2:]]


def names(column):
    return {name for row in rows() for name in re.findall(r"`([^`]+)`", row[column])}


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            yield path.read_text(encoding="utf-8")


def test_the_page_has_the_table_of_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table(), (
        "run: /usr/bin/python3 tests/integration/strangers/test_budget.py")


def test_all_columns_are_filled():
    assert rows()
    for row in rows():
        assert len(row) == 10, row
        assert all(row[column] for column in (PLACE, WHAT, CONNECTION, SOURCE, ALL, COUNTER,
                                              BOUNDS, TESTS)), row


def test_options_and_constants_are_there(relay_keys, tmp_path):
    listed = subprocess.run([Program("ours").path, "-modules", "-keys", relay_keys],
                            cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    sample = (ROOT / "conf" / "strelaysrv.conf").read_text(encoding="utf-8")
    code = "\n".join(sources("core", "modules", "include"))
    for name in names(BY):
        if name.isupper():
            assert re.search(rf"^#define\s+{name}\b", code, re.MULTILINE), f"no constant {name}"
            continue
        section, _, option = name.rpartition(".")
        if section:
            of_module = re.search(rf"^{section} \d.*?(?=^\S|\Z)", listed, re.M | re.S)
            assert of_module and f"\n    {option} = " in of_module.group(), f"no option {name}"
        else:
            assert re.search(rf"^#? ?{option} = ", sample, re.MULTILINE), f"no option {name}"


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
    code = "\n".join(path.read_text(encoding="utf-8")
                     for path in (ROOT / "tests" / "integration").rglob("test_*.py"))
    for name in names(TESTS):
        assert f"\ndef {name}(" in code, f"no test {name}"
    listed = subprocess.run([program(), "list"], capture_output=True, text=True,
                            check=True).stdout
    attacks = {line.partition("\t")[0] for line in listed.splitlines()}
    assert names(ATTACKS) == attacks, "each attack is of a row, and each named one exists"


@pytest.mark.parametrize("row", ["unknown", "joined", "session", "status", "gateway"])
def test_each_place_has_rows(row):
    assert any(row in cells[PLACE] for cells in rows())


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    sys.exit(0)
