# SPDX-License-Identifier: MPL-2.0
"""Fixtures: a relay, ours or the reference, and devices that run the real Syncthing."""

import contextlib
import pathlib
import sys

import pytest

sys.path[:0] = [
    str(pathlib.Path(__file__).resolve().parent),
    str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"),
]

import certificates  # noqa: E402
import own_network  # noqa: E402
import relay_server  # noqa: E402
import selection  # noqa: E402
from selection import plain_program  # noqa: E402,F401
from skips import (  # noqa: E402,F401
    pytest_runtest_makereport, pytest_terminal_summary,
)
import syncthing_device  # noqa: E402
import upgrading  # noqa: E402


def pytest_configure():
    own_network.enter()


def pytest_addoption(parser):
    selection.add_option(parser)


def pytest_generate_tests(metafunc):
    selection.parametrize(metafunc)


def pytest_collection_modifyitems(config, items):
    selection.deselect(config, items)


@pytest.fixture
def start_relay(tmp_path, each_program):
    """start_relay(*args) starts a relay with the same identity each time."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    with contextlib.ExitStack() as servers:

        def start(*args, **options):
            server = relay_server.start(each_program, tmp_path, *args, keys=keys, **options)
            servers.callback(server.finish)
            return server

        yield start


@pytest.fixture
def start_upgrading(tmp_path, plain_program):
    """start_upgrading(*args) starts our relay for tests of upgrades."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    with contextlib.ExitStack() as servers:

        def start(*args):
            server = upgrading.Upgrading(plain_program, tmp_path, keys, args)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


@pytest.fixture
def make_device(tmp_path):
    """make_device(name) makes a device, which is stopped after the test."""
    with contextlib.ExitStack() as devices:

        def make(name):
            device = syncthing_device.Device(tmp_path / name)
            devices.callback(device.stop)
            return device

        yield make
