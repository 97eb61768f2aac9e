# SPDX-License-Identifier: MPL-2.0
"""Checks that tests and their tools are in the folders that tests/README.md names."""

import re

from relay_server import ROOT

TESTS = ROOT / "tests"


def test_no_test_imports_another():
    """Shared code belongs into a tool, because Python does not find pytest's test files."""
    importing = re.compile(r"^\s*(?:from|import) test_", re.MULTILINE)
    found = [path for path in TESTS.rglob("*.py") if importing.search(path.read_text())]
    assert not found, found


def test_tests_are_in_folders_and_tools_are_not_tests():
    assert not list((TESTS / "integration").glob("test_*.py"))
    assert not list((TESTS / "integration" / "tools").glob("test_*.py"))


def test_each_topic_with_sockets_is_run_with_few_descriptors():
    """Some tests of each are marked `limits`; configuration and harness open no connections."""
    topics = {path for path in (TESTS / "integration").iterdir() if list(path.glob("test_*.py"))}
    marked = {path.parent for path in (TESTS / "integration").rglob("test_*.py")
              if "\n@pytest.mark.limits\n" in path.read_text()}
    assert {path.name for path in topics - marked} == {"configuration", "harness"}


def test_unit_tests_are_in_the_folder_of_a_room_or_module():
    """Each test is in the folder of what it tests; ctest calls it `unit-NAME`."""
    houses = {path.name for top in ("core", "modules") for path in (ROOT / top).iterdir()
              if path.is_dir()} | {"networks", "testutil"}
    folders = {path.parent.name for path in (TESTS / "unit").rglob("test_*.c")}
    assert folders <= houses, folders - houses
