# SPDX-License-Identifier: MPL-2.0
"""Fixtures: servers that are started for one test, and are stopped and checked after it."""

import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "tools"))

import certificates  # noqa: E402
import open_folder  # noqa: E402
import own_network  # noqa: E402
import relay_server  # noqa: E402
import selection  # noqa: E402
import spread  # noqa: E402
import turns  # noqa: E402
from installed import prefix  # noqa: E402,F401
from joining import authority, make_pool, start_joining  # noqa: E402,F401
from prometheus_server import prometheus  # noqa: E402,F401
from quota_clock import clock  # noqa: E402,F401
from selection import plain_program, reference_program  # noqa: E402,F401
from skips import (  # noqa: E402,F401
    pytest_runtest_makereport, pytest_terminal_summary,
)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "limits: uses sockets; is run with few descriptors, too (TEST_DESCRIPTORS)")
    open_folder.begin(config)
    own_network.enter()


def pytest_unconfigure(config):
    open_folder.end(config)


def pytest_addoption(parser):
    selection.add_option(parser)


def pytest_generate_tests(metafunc):
    selection.parametrize(metafunc)


def pytest_collection_modifyitems(config, items):
    selection.deselect(config, items)
    turns.take(config, items)
    spread.spread(config, items)


@pytest.fixture(scope="session")
def identities():
    """Twenty identities, made once for all tests, because that is slow."""
    return [certificates.make() for _ in range(20)]


@pytest.fixture(scope="session")
def relay_keys(tmp_path_factory):
    """The keys of the relay under test."""
    return certificates.make(name="strelaysrv").write(tmp_path_factory.mktemp("relay-keys"))


@pytest.fixture
def start(tmp_path, relay_keys):
    """start(program, *args, ...) starts a server.  Each is stopped and checked after the test."""
    with contextlib.ExitStack() as servers:

        def start_one(program, *args, keys=relay_keys, **options):
            server = relay_server.start(program, tmp_path, *args, keys=keys, **options)
            servers.callback(server.finish)
            return server

        yield start_one


@pytest.fixture
def start_any(start, any_program):
    """Starts the server that the test is parametrized with: ours or the reference."""
    return lambda *args, **options: start(any_program, *args, **options)


@pytest.fixture
def start_ours(start, our_program):
    """Starts our server with 1 or 2 workers."""
    return lambda *args, **options: start(our_program, *args, **options)


@pytest.fixture
def server(start_any):
    """A server with default options, ours or the reference."""
    return start_any()


@pytest.fixture
def ours(start_ours):
    """Our server with default options and 1 or 2 workers."""
    return start_ours()
