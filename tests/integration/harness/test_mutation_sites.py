# SPDX-License-Identifier: MPL-2.0
"""Where the stage mutations plants faults, what they are, and which tests it runs."""

import fnmatch
import importlib.util
import sys

import pytest

from relay_server import ROOT


@pytest.fixture
def load():
    """load(name): a module of tests/mutations."""
    loaded = []

    def module(name):
        path = ROOT / "tests" / "mutations" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"mutation_{name}", path)
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        loaded.append(spec.name)
        spec.loader.exec_module(found)
        return found

    yield module
    for name in loaded:
        sys.modules.pop(name)


@pytest.fixture
def find(load):
    """find(body, result): {(kind, what the body becomes)} of a function with this body."""
    sites = load("sites")

    def found(body, result="static int"):
        head, tail = f"{result} f(int a, int b)\n{{\n\t", "\n}\n"
        return {(site.kind, site.apply(head + body + tail)[len(head):-len(tail)])
                for site in sites.find("core/a.c", head + body + tail)}

    return found


@pytest.mark.parametrize("body, kind, changed", [
    ("if (a < b)", "comparison", "if (a <= b)"),
    ("if (a == b)", "comparison", "if (a != b)"),
    ("if (a < b)", "condition", "if (!(a < b))"),
    ("if (f(a, (b)))", "condition", "if (!(f(a, (b))))"),
    ("a = b && a;", "operator", "a = b || a;"),
    ("a = b + a;", "operator", "a = b - a;"),
    ("free(a);", "call", "(void)0;"),
    ("(void)g(a,\n\t\tb);", "call", "(void)0;"),
    ("a = 7;", "off-by-one", "a = 8;"),
    ("return 0;", "return", "return -1;"),
    ("return -1;", "return", "return 0;"),
    ("return a < b;", "return", "return !(a < b);"),
    ("return a;", "return", "return (a) + 1;"),
    ("a->b += a;", "statement", "(void)0;"),
    ("b++;", "statement", "(void)0;"),
    ("break;", "statement", "(void)0;"),
])
def test_a_fault_of_each_kind(find, body, kind, changed):
    assert (kind, changed) in find(body)


def test_pointers_and_truth_values_are_returned_wrong(find):
    assert ("return", "return NULL;") in find("return a;", "static char *")
    assert ("return", "return !(a);") in find("return a;", "bool")


@pytest.mark.parametrize("body", [
    "/* if (a < b) */", "int a;", "f2(a)", "return;", "// a = 1;", "x: ;",
])
def test_nothing_is_planted_elsewhere(find, body):
    assert find(body) == set()


def test_what_is_between_quotation_marks_is_left_alone(find):
    assert {kind for kind, _ in find('g("a == 1;");')} == {"call"}


def test_equal_changes_in_a_file_are_told_apart(find):
    assert len(find("free(a);\n\tfree(a);")) == 2


def test_each_source_has_tests_that_fit(load):
    topics = load("topics")
    sources = [str(path.relative_to(ROOT)) for folder in ("core", "modules")
               for path in (ROOT / folder).rglob("*.c")]
    assert [source for source in sources if not topics.tests_for(source)] == []
    assert {test for source in sources for test in topics.tests_for(source)
            if not (ROOT / test).exists()} == set()
    for patterns, _ in topics.TOPICS:
        for pattern in patterns.split():
            assert fnmatch.filter(sources, pattern), pattern
