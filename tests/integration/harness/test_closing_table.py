# SPDX-License-Identifier: MPL-2.0
"""The table at the end of tests/run.sh, made from what stages have written."""

import re
import subprocess
import sys

from relay_server import ROOT

sys.path.insert(0, str(ROOT / "tests"))

import closing_table  # noqa: E402

UNIT = """\
 1/3 Test  #1: unit-wheel .........   Passed    0.02 sec
67% tests passed, 1 tests failed out of 3

Total Test time (real) =   7.01 sec
"""
CTEST = """\
fuzz_frame: 20000 inputs from 12 seeds
Done 150 runs in 9 second(s)
connection: 5000 steps in 170 inputs
handover: 2000 schedules, seed 1
"""
FIRST = """\
..F.s [100%]
FAILED tests/integration/x.py::test_a - AssertionError
2 failed, 1203 passed, 4 skipped, 7 deselected in 321.45s (0:05:21)
skipped: 4: no user namespaces
== 2 failed beside others: once more, alone
"""
SECOND = "2 passed in 3.21s\n"


def write(folder, name, code, log, seconds=5, **more):
    for ending, text in {"log": log, "seconds": f"{seconds}\n", "exit": f"{code}\n",
                         **more}.items():
        (folder / f"{name}.{ending}").write_text(text)


def cells(line):
    return re.split(r"  +", line.strip())


def test_each_stage_has_a_line_with_its_counts(tmp_path):
    write(tmp_path, "gcc", 1, UNIT, ctest=CTEST)
    write(tmp_path, "protocol", 0, FIRST + SECOND, 330, tally="faults\t7\nattacks\t1\nfaults\t3\n")
    gcc, protocol = closing_table.read(tmp_path)
    assert (gcc.passed, gcc.failed, gcc.result) == (2, 1, "FAILED")
    assert gcc.did == {"fuzz inputs": 20150, "steps": 5000, "schedules": 2000}
    assert (protocol.passed, protocol.failed, protocol.skipped) == (1205, 0, 4)
    assert protocol.did == {"faults": 10, "attacks": 1}
    lines = closing_table.table([gcc, protocol])
    assert cells(lines[2]) == ["protocol", "ok", "1205", "0", "4", "-", "-", "-", "10", "1", "-",
                               "330"]
    assert cells(lines[3]) == ["coverage", "not run here"]
    assert cells(lines[4])[:3] == ["all", "1207", "1"]
    assert lines[-1] == "1207 passed, 1 failed"


def test_the_share_of_lines_that_were_run_is_a_figure(tmp_path):
    write(tmp_path, "coverage", 0, "  75.0 % of     4  core/x.c\n\n  93.4 % of 24567  all\n")
    lines = closing_table.table(closing_table.read(tmp_path))
    assert cells(lines[1])[-2:] == ["93.4 %", "5"]
    assert not any("not run here" in line for line in lines)


def test_what_still_fails_alone_counts_once(tmp_path):
    write(tmp_path, "protocol", 1, FIRST + "1 failed, 1 passed in 3.21s\n")
    (stage,) = closing_table.read(tmp_path)
    assert (stage.passed, stage.failed) == (1204, 1)


def test_a_stage_without_tests_that_fails_is_a_failure(tmp_path):
    write(tmp_path, "style", 1, "core/x.c: too long\n")
    assert closing_table.table(closing_table.read(tmp_path))[-1] == "0 passed, 1 failed"


def test_what_was_left_out_is_told_with_its_reason(tmp_path):
    write(tmp_path, "protocol", 0, FIRST + SECOND)
    write(tmp_path, "roots", 77, "NOT RUN: Debian 12: no namespaces\n")
    lines = closing_table.table(closing_table.read(tmp_path))
    assert "warning: protocol: skipped: 4: no user namespaces" in lines
    assert "warning: roots: NOT RUN: Debian 12: no namespaces" in lines
    assert any(line.startswith("warning: left out: coverage: ") for line in lines)
    assert any(line.startswith("warning: left out: roots: ") for line in lines)
    assert not any(line.startswith("warning: left out: protocol: ") for line in lines)
    chosen = closing_table.table(closing_table.read(tmp_path), named=True)
    assert not any("left out" in line for line in chosen)


def test_each_line_of_a_script_about_what_was_not_run_is_a_warning(tmp_path):
    """As the scripts write them; run.sh itself tells the end, and is not read."""
    lines = [line for path in (ROOT / "tests").rglob("*.sh") if path.name != "run.sh" or
             path.parent.name == "fuzz" for line in
             re.findall(r'echo "([^"]*(?:NOT RUN|LEFT OUT)[^"]*)"', path.read_text())]
    lines = [line.replace("$name", "frame").replace("$*", "why") for line in lines]
    assert len(lines) >= 7, lines
    write(tmp_path, "roots", 77, "".join(f"{line}\n" for line in lines))
    told = closing_table.table(closing_table.read(tmp_path))
    for line in lines:
        assert "warning: roots: " + line.removeprefix("== ") in told


def test_all_faults_are_left_out_unless_they_are_wanted(tmp_path, monkeypatch):
    for value, told in (("", True), ("1", False)):
        monkeypatch.setenv("FAULTS_ALL", value)
        lines = closing_table.table(closing_table.read(tmp_path))
        assert any(line.startswith("warning: left out: all faults: ") for line in lines) is told


def test_where_no_test_was_run_no_number_is_told(tmp_path):
    write(tmp_path, "roots", 77, "NOT RUN: Debian 12: no namespaces\n")
    assert not closing_table.table(closing_table.read(tmp_path))[-1].startswith("0 passed")


def test_each_stage_of_run_sh_is_a_part():
    text = (ROOT / "tests" / "run.sh").read_text()
    stages = {name.replace("_", "-") for name in re.findall(r"^stage_(\w+)\(\)", text, re.M)}
    assert stages - {"e2e"} == set(closing_table.PARTS) - {
        "soak", "all faults", "other machines"}


def test_run_sh_ends_with_the_table(tmp_path):
    """One stage in a copy of run.sh, whose stages do nothing but fail or pass."""
    text = (ROOT / "tests" / "run.sh").read_text()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "closing_table.py").write_text(
        (ROOT / "tests" / "closing_table.py").read_text())
    text = re.sub(r"^sh conf/install-packages\.sh.*\n\texit 1$", "", text, flags=re.M)
    text = re.sub(r"^stage_(\w+)\(\) \{\n(.*\n)*?\}$",
                  r"stage_\1() {\n\techo '3 passed in 1.00s'\n\t[ \1 != gcc ]\n}", text,
                  flags=re.M)
    (tmp_path / "tests" / "run.sh").write_text(text)
    done = subprocess.run(["sh", "tests/run.sh", "style", "gcc"], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done
    assert lines[-2:] == ["6 passed, 1 failed", "FAILED: gcc"], done
    assert any(re.fullmatch(r"== style took \d+ s", line) for line in lines)
    assert [cells(line)[:2] for line in lines if line.startswith(("style ", "gcc "))] == [
        ["style", "ok"], ["gcc", "FAILED"]]
