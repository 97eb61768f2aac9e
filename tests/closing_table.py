# SPDX-License-Identifier: MPL-2.0
"""The table at the end of tests/run.sh: what each stage did, and what was left out.

    python3 tests/closing_table.py FOLDER [named]

With `named`, the stages were chosen, and the others need no warning. For each stage NAME that was run, FOLDER has NAME.log (its output), NAME.exit (its exit code),
NAME.seconds, and, if it did such things, NAME.ctest (the log of ctest with the output of each unit
test and fuzzer) and NAME.tally (what tests have counted, see integration/tools/tally.py)."""

import collections
import dataclasses
import os
import pathlib
import re
import sys

#: Parts that a plain run leaves out, and how each is run.
PARTS = {
    "asan": "sh tests/run.sh asan",
    "clang": "sh tests/run.sh clang",
    "gcc": "sh tests/run.sh gcc",
    "limits": "sh tests/run.sh limits",
    "protocol": "sh tests/run.sh protocol",
    "style": "sh tests/run.sh style",
    "tsan": "sh tests/run.sh tsan",
    "builds": "all types with both compilers: sh tests/run.sh builds",
    "container": "takes a root: sh tests/run.sh container",
    "coverage": "runs all tests again: sh tests/run.sh coverage",
    "mutations": "takes hours: sh tests/run.sh mutations",
    "never-run": "runs all tests again: sh tests/run.sh never-run",
    "openssl": "sh tests/run.sh openssl",
    "packages": "takes a root: sh tests/run.sh packages",
    "roots": "takes roots: sh tests/run.sh roots",
    "fuzzing": "takes hours: LONG=1 sh tests/run.sh",
    "all faults": "takes hours, a sample was run: FAULTS_ALL=1 sh tests/run.sh",
    "other machines": "take roots and an emulator: ROOTS=i386 sh tests/run.sh roots; also arm64, armel,"
                      " s390x, i386-emulated",
    "soak": "takes hours: python3 tests/soak/soak.py --hours 1.5",
}
#: What includes such a part in a plain run.
_VARIABLES = {"all faults": "FAULTS_ALL"}
_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")
_PYTEST = re.compile(r"^=* ?(?:\d+ \w+(?:, )?)+ in [\d.]+s")
_CTEST = re.compile(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)")
_AGAIN = re.compile(r"^== (\d+) failed beside others: once more, alone")
_LEFT_OUT = re.compile(r"^(?:== )?(NOT RUN.*|\w+: NOT RUN.*|skipped: \d+: .*)")
#: libFuzzer, driver.c, fuzz/run.sh; and programs that count what they simulate.
_INPUTS = re.compile(r"^(?:Done (\d+) runs in|fuzz_\w+: (\d+) inputs from)|, (\d+) inputs$")
_TOLD = re.compile(r"^(\w+): (\d+) (schedules|steps)\b")
#: coverage/report.py, of all lines.
_LINES = re.compile(r"^ *([\d.]+ %) of +\d+  all$")


@dataclasses.dataclass
class Stage:
    """What a stage did."""

    name: str
    code: int
    seconds: int
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    did: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    left_out: list = dataclasses.field(default_factory=list)
    lines: str = "-"

    @property
    def result(self):
        return {0: "ok", 77: "not run"}.get(self.code, "FAILED")

    def read_line(self, line, again):
        """Takes a line of the output; `again` is how many failed tests are run once more."""
        unit = _CTEST.match(line)
        if unit:
            failed, count = map(int, unit.groups())
            self.passed += count - failed
            self.failed += failed
        elif _PYTEST.match(line):
            counts = collections.Counter()
            for number, what in _COUNTS.findall(line):
                counts["failed" if what.startswith("error") else what] += int(number)
            self.passed += counts["passed"]
            self.failed += counts["failed"] - again
            self.skipped += counts["skipped"]
            return 0
        elif _AGAIN.match(line):
            return int(_AGAIN.match(line).group(1))
        elif _LINES.match(line):
            self.lines = _LINES.match(line).group(1)
        elif _LEFT_OUT.match(line) and _LEFT_OUT.match(line).group(1) not in self.left_out:
            self.left_out.append(_LEFT_OUT.match(line).group(1))
        return again


def _read(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _count(stage, lines):
    """What fuzzers and simulations say that they did."""
    for line in lines:
        inputs, told = _INPUTS.search(line), _TOLD.match(line)
        if inputs:
            stage.did["fuzz inputs"] += int(next(filter(None, inputs.groups())))
        if told:
            stage.did[told.group(3)] += int(told.group(2))


def read_stage(folder, name):
    stage = Stage(name, int(_read(folder / f"{name}.exit")[0]),
                  int(_read(folder / f"{name}.seconds")[0]))
    again = 0
    lines = _read(folder / f"{name}.log")
    for line in lines:
        again = stage.read_line(line, again)
    _count(stage, lines)
    _count(stage, _read(folder / f"{name}.ctest"))
    for line in _read(folder / f"{name}.tally"):
        what, _, number = line.partition("\t")
        stage.did[what] += int(number)
    if stage.code not in (0, 77) and not stage.failed:
        stage.failed = 1  # the stage itself
    return stage


def read(folder):
    """The stages in the order in which they ended."""
    exits = sorted(folder.glob("*.exit"), key=lambda path: path.stat().st_mtime_ns)
    return [read_stage(folder, path.stem) for path in exits]


COLUMNS = ("fuzz inputs", "steps", "schedules", "faults", "attacks")


def _line(cells):
    name, result, *numbers = cells
    return f"{name:10} {result:8}" + "".join(f"{number:>13}" for number in numbers)


def table(stages, named=False):
    """The lines of the table, and of the warnings below it."""
    lines = [_line(("stage", "result", "passed", "failed", "skipped", *COLUMNS, "lines run",
                    "seconds"))]
    total = Stage("all", max((stage.code for stage in stages), default=0), 0)
    for stage in stages:
        lines.append(_row(stage))
        total.passed += stage.passed
        total.failed += stage.failed
        total.skipped += stage.skipped
        total.seconds += stage.seconds
        total.did += stage.did
    lines.append(_row(total, ""))
    run = {stage.name for stage in stages if stage.code != 77}
    run |= {name for name, variable in _VARIABLES.items() if os.environ.get(variable)}
    if "coverage" not in run and not named:
        lines.insert(-1, _line(("coverage", "not run here")))
    for stage in stages:
        lines += [f"warning: {stage.name}: {line}" for line in stage.left_out]
    lines += [f"warning: left out: {name}: {how}" for name, how in PARTS.items()
              if name not in run and not named]
    # CI reads this line; where no test was run, it must not say that none was.
    if total.passed or total.failed:
        lines.append(f"{total.passed} passed, {total.failed} failed")
    return lines


def _row(stage, result=None):
    return _line((stage.name, stage.result if result is None else result, stage.passed,
                  stage.failed, stage.skipped,
                  *(stage.did[column] or "-" for column in COLUMNS), stage.lines,
                  stage.seconds))


def main():
    print("\n".join(table(read(pathlib.Path(sys.argv[1])), "named" in sys.argv[2:])))


if __name__ == "__main__":
    main()
