# SPDX-License-Identifier: MPL-2.0
"""With TEST_COMPLETE=1 a test that is skipped fails, unless the build or the kernel is why.  Where
rights are missing, each has a reason."""

import json
import os
import re
import subprocess
import sys

import pytest

from relay_server import ROOT

TESTS = """
import sys
sys.path.insert(0, {tools!r})
from skips import pytest_runtest_makereport, pytest_terminal_summary
"""
CASES = """
import pytest

@pytest.mark.skipif(True, reason="needs a tool")
def test_by_mark(): pass

def test_by_call(): pytest.skip("cannot make network namespaces")

@pytest.mark.skipif(True, reason="sanitizers bring their own memory functions")
def test_of_the_build(): pass

@pytest.mark.xfail(strict=True)
def test_that_is_known_to_fail(): assert False
"""


@pytest.mark.parametrize("complete, skipped", [("", 3), ("1", 1)], ids=["usual", "complete"])
def test_a_skip_is_a_failure_where_all_must_run(tmp_path, complete, skipped):
    (tmp_path / "conftest.py").write_text(TESTS.format(tools=str(ROOT / "tests/integration/tools")))
    (tmp_path / "test_cases.py").write_text(CASES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "TEST_COMPLETE": complete}, capture_output=True,
        text=True, check=False)
    assert re.search(rf"\b{skipped} skipped", done.stdout), done.stdout
    assert done.returncode == (1 if complete else 0), done.stdout
    bad = set(re.findall(r"^(?:FAILED|ERROR) test_cases.py::(\w+)", done.stdout, re.MULTILINE))
    assert bad == ({"test_by_mark", "test_by_call"} if complete else set()), done.stdout
    assert "1 xfailed" in done.stdout
    if not complete:
        for reason in ("needs a tool", "cannot make network namespaces"):
            assert f"skipped: 1: {reason}\n" in done.stdout, done.stdout


REASONS = """
import json, sys
sys.path.insert(0, {tools!r})
import privileges
print(json.dumps([[getattr(privileges, name)() for name in dir(privileges)
                   if name.startswith("why_no_")], privileges.flags_to_be_seen()]))
"""


def test_without_rights_each_has_a_reason():
    """Root in a container may be root by its number only."""
    before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        before = []  # there are none that could be given up
    done = subprocess.run(
        [*before, sys.executable, "-c", REASONS.format(tools=str(ROOT / "tests/integration/tools"))],
        capture_output=True, text=True, check=True)
    reasons, flags = json.loads(done.stdout)
    assert len(reasons) == 5 and None not in reasons, reasons
    assert flags == ["-core-dumps"]
