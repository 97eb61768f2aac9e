# SPDX-License-Identifier: MPL-2.0
"""Which of the stages of tests/run.sh runs a test, where they share the tests.

All tests in each build would take over an hour on two CPUs. So a plain run shares them: each test
is run at least once, and of those that two stages can run each gets a part. The parts follow from
a seed, which is the commit: everybody who tests a commit runs the same, and each commit other
parts. `TURNS=all sh tests/run.sh` runs everything in each build.

TEST_TURNS is STAGE:SEED, with one of the stages in SHARES; without it nothing is left out."""

import hashlib
import os
import pathlib
import re

PARTS = 8
#: Which of the parts a stage runs.
SHARES = {"protocol": (0, 1, 2, 3, 4, 5, 6), "asan": (7,), "tsan": (7,)}
#: Folders with tests that a sanitizer skips, and files that its stages leave out.
RELEASE_BUILD = ("process", "shortage")
RELEASE_FILES = ("test_admission", "test_http_shares")
_WORKERS = re.compile(r"\bours-(\d+)\b")
_REFERENCE = re.compile(r"[\[-]reference[\]-]")


def part(name, seed):
    """The part that a test belongs to, whatever its number of workers."""
    text = _WORKERS.sub("ours", name) + seed
    return hashlib.sha256(text.encode()).digest()[0] % PARTS


def _in_release_build(name, mine):
    workers = _WORKERS.search(name)
    if workers:  # the sanitizers run several workers only
        return workers.group(1) == ("2" if mine else "1")
    path = pathlib.PurePath(name.split("::")[0])
    return mine or path.parent.name in RELEASE_BUILD or path.stem in RELEASE_FILES or \
        bool(_REFERENCE.search(name))


def has_turn(name, stage, seed):
    """Whether this stage runs the test of this name (pytest's node ID)."""
    mine = part(name, seed) in SHARES[stage]
    return _in_release_build(name, mine) if stage == "protocol" else mine


def take(config, items):
    """Removes the tests that other stages run."""
    stage, _, seed = os.environ.get("TEST_TURNS", "").partition(":")
    if not stage:
        return
    left_out = [item for item in items if not has_turn(item.nodeid, stage, seed)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
