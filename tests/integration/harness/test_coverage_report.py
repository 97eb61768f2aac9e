# SPDX-License-Identifier: MPL-2.0
"""The report of the stages never-run and coverage: limits, and exceptions that are checked."""

import fnmatch
import importlib.util
import re
import sys

import pytest

from relay_server import ROOT


@pytest.fixture
def report(monkeypatch):
    folder = ROOT / "tests" / "coverage"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("coverage_report", folder / "report.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.listed = module.PARSERS
    monkeypatch.setattr(module, "PARSERS", ("core/room/reader.c",))
    yield module
    sys.modules.pop("gcov_counts", None)


def lines(run, count):
    return dict(enumerate([1] * run + [0] * (count - run)))


def test_functions_that_never_ran_are_named_with_their_line(report):
    functions = {("core/a.c", 3, "runs"): 2, ("core/a.c", 9, "never"): 0,
                 ("tests/testutil/b.c", 1, "not_asked"): 0}
    assert report.never_run(functions, set()) == ["core/a.c:9 never"]


def test_a_function_that_is_built_twice_has_run_if_one_of_both_has(report):
    functions = {("core/a.c", 3, "either"): 0, ("core/a.c", 9, "either"): 1}
    assert report.never_run(functions, set()) == []


def test_an_exception_for_a_function_must_be_needed(report):
    functions = {("core/a.c", 3, "runs"): 2, ("core/a.c", 9, "never"): 0}
    excepted = report.Exceptions("# a comment\n\nfunction core/a.c never no memory for gcov\n")
    assert report.never_run(functions, excepted.functions) == []
    assert report.never_run(functions, {("core/a.c", "runs"), ("core/b.c", "gone")}) == [
        "core/a.c:9 never",
        "core/a.c runs: the exception is not needed: it runs",
        "core/b.c gone: the exception is not needed: there is no such function",
    ]


@pytest.mark.parametrize("line", ["function core/a.c never", "lines core/a.c 80", "x a b c"])
def test_an_exception_without_a_reason_is_an_error(report, line):
    with pytest.raises((AssertionError, ValueError)):
        report.Exceptions(line)


@pytest.mark.parametrize("others, reader, wrong", [
    ((90, 100), (95, 100), []),
    ((89, 100), (95, 100), ["core/room: 89.0 % of the lines of its other files, less than 90 %"]),
    ((90, 100), (94, 100), ["core/room: 94.0 % of the lines of its parsers, less than 95 %"]),
])
def test_a_room_is_judged_by_its_parsers_and_its_other_files(report, others, reader, wrong):
    counts = {"core/room/other.c": lines(*others), "core/room/reader.c": lines(*reader)}
    assert report.coverage(counts, {}) == wrong


READER = {"core/room/reader.c": lines(10, 10)}


def test_no_file_hides_among_the_others_of_its_room(report):
    counts = {**READER, "core/room/large.c": lines(1000, 1000), "core/room/bare.c": lines(7, 10)}
    assert report.coverage(counts, {}) == ["core/room/bare.c: 70.0 %, less than 75 %"]
    assert report.coverage(counts, {"core/room/bare.c": 70.0}) == []


def test_an_excepted_file_is_judged_by_itself(report):
    counts = {**READER, "core/room/a.c": lines(95, 100), "core/room/b.c": lines(80, 100)}
    assert report.coverage(counts, {"core/room/b.c": 80.0}) == []
    assert report.coverage(counts, {"core/room/b.c": 81.0}) == [
        "core/room/b.c: 80.0 %, less than the 81 % of its exception"]


@pytest.mark.parametrize("excepted, fault", [
    ("core/room/a.c", "the exception is not needed: with it core/room is above its limit"),
    ("core/room/gone.c", "the exception is not needed: there is no such file"),
])
def test_an_exception_for_a_file_must_be_needed(report, excepted, fault):
    counts = {**READER, "core/room/a.c": lines(95, 100)}
    assert report.coverage(counts, {excepted: 80.0}) == [f"{excepted}: {fault}"]


def test_an_exception_that_allows_much_more_than_is_needed_is_an_error(report):
    counts = {**READER, "core/room/a.c": lines(70, 100)}
    assert report.coverage(counts, {"core/room/a.c": 60.0}) == [
        "core/room/a.c: the exception says 60 %, and 70.0 % ran"]


def test_a_parser_that_is_listed_exists(report):
    assert report.coverage({"core/room/a.c": lines(1, 1)}, {}) == [
        "core/room/reader.c: there is no such file"]


#: What fuzzers are built with besides the readers themselves.
HELPERS = {
    "core/base/err.c", "modules/access/watch.c", "modules/cluster/nodes/node_choice.c",
    "modules/cluster/nodes/node_table.c", "modules/cluster/redis/faults.c",
    "modules/nat/external_address.c", "modules/nat/gateways.c", "modules/nat/host.c",
    "modules/nat/pinhole.c", "modules/nat/port.c", "modules/nat/refusal.c",
    "modules/nat/schedule.c", "modules/pool-join/request.c", "modules/shared/address_reach.c",
    "modules/shared/curl_loop.c", "modules/shared/standing_timer.c",
    "tests/testutil/client_error.c", "tests/testutil/nearness.c",
}


def test_what_is_fuzzed_is_a_parser(report):
    """A new reader that gets a fuzzer has the limit of parsers, too."""
    text = "".join((ROOT / "tests" / "fuzz" / name).read_text()
                   for name in ("CMakeLists.txt", "readers.cmake"))
    sources = set(re.findall(r"(?:core|modules|tests/testutil)/[\w/-]+\.c\b", text))
    assert len(sources) > 40
    others = {source for source in sources
              if not any(fnmatch.fnmatch(source, pattern) for pattern in report.listed)}
    assert others == HELPERS
