# SPDX-License-Identifier: MPL-2.0
"""The stages share the tests: each test is run by at least one of them."""

import pytest

import turns

SEEDS = [f"commit {i}" for i in range(24)]
RELEASE_ONLY = ["tests/integration/shortage/test_a.py::test_b",
                "tests/integration/http/test_a.py::test_b[1.2-reference]"]


def stages(name, seed):
    return {stage for stage in turns.SHARES if turns.has_turn(name, stage, seed)}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["tests/integration/http/test_a.py::test_b[x]",
                                  "tests/e2e/test_a.py::test_b"])
def test_one_build_runs_it(name, seed):
    assert stages(name, seed) & {"protocol", "asan"} in ({"protocol"}, {"asan"})


@pytest.mark.parametrize("seed", SEEDS)
def test_one_worker_or_several(seed):
    one, several = (stages(f"tests/integration/http/test_a.py::test_b[ours-{n}-x]", seed)
                    for n in (1, 2))
    assert ("protocol" in one) != ("protocol" in several)
    assert "protocol" in several or "asan" in several


@pytest.mark.parametrize("name", RELEASE_ONLY)
def test_what_a_sanitizer_leaves_out_is_run(name):
    assert all("protocol" in stages(name, seed) for seed in SEEDS)


def test_another_commit_has_other_parts():
    name = "tests/integration/http/test_a.py::test_b"
    assert {frozenset(stages(name, seed)) for seed in SEEDS} >= {frozenset({"protocol"}),
                                                                 frozenset({"asan", "tsan"})}


def test_without_a_seed_nothing_is_left_out(monkeypatch):
    monkeypatch.delenv("TEST_TURNS", raising=False)
    items = [object()]
    turns.take(None, items)
    assert len(items) == 1
