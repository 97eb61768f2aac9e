# SPDX-License-Identifier: MPL-2.0
"""The stage mutations on a small server made for this, with a unit test and a black-box test."""

import json
import shutil
import subprocess
import sys

import pytest

from relay_server import ROOT

# A unit test looks at bounded(), a black-box test at say(), and nobody at last().  In a module
# symbols are hidden.
SOURCE = """__attribute__((visibility("hidden"))) int bounded(int n);

int bounded(int n)
{
	return n < 3;
}
"""
FILES = {
    "core/base/bounded.c": SOURCE,
    "core/base/last.c": "int last(int n);\n\nint last(int n)\n{\n\treturn n;\n}\n",
    "core/base/said.c": """#include <stdio.h>
int say(void);

int say(void)
{
	puts("7");
	return 0;
}
""",
    "main.c": "int say(void);\nint last(int n);\nint main(void)\n{\n\treturn say() || !last(1);\n}\n",
    "modules/none.txt": "",
    "tests/unit/base/test_bounded.c": """int bounded(int n);

int main(void)
{
	return !bounded(2) || bounded(3);
}
""",
    "tests/unit/CMakeLists.txt": "add_executable(test_bounded base/test_bounded.c)\n"
                                 "target_link_libraries(test_bounded code)\n",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.18)
project(small LANGUAGES C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
file(WRITE ${CMAKE_BINARY_DIR}/made.c "int made;")
add_library(code STATIC core/base/bounded.c core/base/last.c core/base/said.c
            ${CMAKE_BINARY_DIR}/made.c)
add_executable(strelaysrv main.c)
target_link_libraries(strelaysrv code)
add_subdirectory(tests/unit)
""",
    "tests/integration/conftest.py": """def pytest_addoption(parser):
    parser.addoption("--only")


def pytest_configure(config):
    config.addinivalue_line("markers", "limits: some")
""",
    "tests/integration/configuration/test_wrong_configuration.py": """import os
import subprocess


def test_what_is_said():
    done = subprocess.run([os.environ["STRELAYSRV"]], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (0, "7\\n")
""",
    "tests/integration/modules/test_modules.py": "",
    "tests/mutations/survivors.txt": "# none\n",
}


@pytest.fixture
def small(tmp_path):
    """run(*arguments) runs the stage on the small server: exit code, output, results."""
    if not shutil.which("ninja"):
        pytest.skip("needs ninja")
    root = tmp_path / "small"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, ROOT / "tests/mutations/run.py", "--root", root, "--folder",
             tmp_path / "build", "--processes", "1", *arguments],
            capture_output=True, text=True, check=False)
        assert done.stderr == ""
        kept = tmp_path / "build" / "results.jsonl"
        lines = kept.read_text().splitlines() if kept.exists() else []
        return done.returncode, done.stdout, [json.loads(line) for line in lines]

    run.root = root
    return run


def test_faults_are_noticed_by_the_tests_that_fit(small):
    _, output, first = small("--seconds", "0")
    assert "the time is over" in output and not first
    _, output, units = small("--units")
    assert {(result["verdict"], result["by"]) for result in units} == {
        ("noticed", "test_bounded"), ("not noticed by units", "")}
    assert "not noticed by units: core/base/last.c:5 return: n -> (n) + 1" in output
    code, output, results = small("--passed")
    assert results[:len(units)] == units, "what is known is not tried again"
    by = {result["key"]: (result["verdict"], result["by"]) for result in results}
    assert by["core/base/bounded.c|comparison|\treturn n < 3;|\treturn n <= 3;|0"] == (
        "noticed", "test_bounded")
    assert by["core/base/bounded.c|off-by-one|\treturn n < 3;|\treturn n < 4;|0"] == (
        "noticed", "test_bounded")
    verdict, name = by['core/base/said.c|call|puts("7")|(void)0|0']
    assert verdict == "noticed" and name.endswith("::test_what_is_said")
    assert by["core/base/last.c|return|n|(n) + 1|0"] == (
        "survived", "1 black-box tests")
    change = "core/base/last.c:5 return: n -> (n) + 1"
    assert code == 1 and f"not in tests/mutations/survivors.txt: {change}" in output

    (small.root / "tests/mutations/survivors.txt").write_text(
        f"equivalent {change} | nobody asks it\n")
    code, output, again = small()
    assert (code, again) == (0, results), "what is known is not tried again"
    code, output, again = small("--again")
    assert (code, len(again)) == (0, len(results) + 1), output
    assert (small.root / "core/base/bounded.c").read_text() == SOURCE
