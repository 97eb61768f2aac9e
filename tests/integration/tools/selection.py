# SPDX-License-Identifier: MPL-2.0
"""Which server a test runs on: its parameters, and the option --only."""

import os

import pytest

from relay_server import Program

#: How many workers our server has where it has several.
WORKERS = int(os.environ.get("TEST_WORKERS", "2"))
OURS = [Program("ours", 1), Program("ours", WORKERS)]
REFERENCE = Program("reference")


def add_option(parser):
    """Adds --only once, however many conftest files ask for it."""
    try:
        parser.addoption(
            "--only", choices=("ours", "reference"), help="limit the run to one of the servers"
        )
    except ValueError:
        pass


def parametrize(metafunc):
    """Parametrizes a test: `any_program` is both servers, `our_program` ours with 1 and WORKERS workers,
    `each_program` both with their default of workers."""
    choices = {
        "any_program": [*OURS, REFERENCE],
        "our_program": OURS,
        "each_program": [Program("ours"), REFERENCE],
    }
    for name, programs in choices.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, programs, ids=str, scope="function")


def _program_of(item):
    """The kind of server that a test needs."""
    parameters = getattr(item, "callspec", None)
    for value in parameters.params.values() if parameters else ():
        if isinstance(value, Program):
            return value.kind
    if "reference_program" in item.fixturenames:
        return "ours"  # a comparison: the reference is the yardstick
    return "ours" if "plain_program" in item.fixturenames else None


def deselect(config, items):
    """Removes tests that --only does not select.  Tests of the client always run."""
    only = config.getoption("--only")
    if not only:
        return
    left_out = [item for item in items if _program_of(item) not in (None, only)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def plain_program():
    """Our server with its default number of workers."""
    return Program("ours")


@pytest.fixture
def reference_program():
    return REFERENCE
