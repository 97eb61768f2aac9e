# SPDX-License-Identifier: MPL-2.0
"""Real Syncthing devices at different nodes of the example of conf/cluster: real Redis, haproxy, and
three relays.  Nodes die, drain and come back, and Redis too, while the devices sync.  With LONG=1 they
sync 10,000 small files and 200 MiB, and Redis stands still for 30 s as well."""

import contextlib
import os
import signal
import time

import pytest

import cluster_example
from cluster_example import NODES
from open_folder import folder  # noqa: F401
from skip_unless import can_run
from two_devices import (
    BIG, MEBI, SMALL_FILES, check_equal, fill, hashes, make_pair, wait_for_connection, wait_for_sync,
)
from waiting import PATIENCE, Deadline, wait_for

LONG = os.environ.get("LONG")
#: Of each part: there are four, and five with LONG.
FILES, LARGE = (2000, 40 * MEBI) if LONG else (SMALL_FILES, BIG)
STANDSTILL = 30  # seconds

pytestmark = can_run("CLUSTER", cluster_example.why_not())


@pytest.fixture
def example(folder, plain_program):  # noqa: F811
    with cluster_example.running(folder / "cluster", plain_program) as started:
        yield started


def sync(one, other, name, seed):
    """New files of one, the part number `seed`, reach the other."""
    fill(one.folder, name, seed, FILES, LARGE)
    one.scan()
    files = seed * (FILES + 1)
    wait_for_sync((one, other), files, patience=8 if LONG else 2)
    check_equal(one, other, files)
    assert len(hashes(other.folder)) == files


@contextlib.contextmanager
def standing_still(pid):
    """A process that does nothing for that time, or longer."""
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
        wait_for(lambda: time.monotonic() - began >= STANDSTILL, "the time to be over",
                 Deadline(2 * STANDSTILL))
    finally:
        os.kill(pid, signal.SIGCONT)


def part(example, other):
    """The two devices are at different nodes: the other one joins again until they are."""
    def wait_for_devices(count):
        wait_for(lambda: sum(example.devices(name) for name in NODES) == count,
                 f"{count} joined devices", Deadline(4 * PATIENCE))

    for _ in range(10):
        wait_for_devices(2)
        if max(example.devices(name) for name in NODES) == 1:
            return
        other.listen_anew(between=lambda: wait_for_devices(1))
    raise AssertionError("haproxy gives both devices to one node, ten times in a row")


def test_devices_sync_while_nodes_and_redis_come_and_go(example, make_device):
    one, other = make_pair(make_device, example.uri)
    for device in (one, other):
        device.start()
    wait_for_connection(one, other)
    part(example, other)
    sync(one, other, "first", 1)

    lost = example.node_with_a_device()
    example.kill(lost)
    for device in (one, other):
        device.listen_anew()
    wait_for_connection(one, other, patience=4)
    sync(one, other, "killed", 2)
    example.run("start", lost)
    example.wait_until_all_are_open()

    os.kill(example.pid("redis"), signal.SIGKILL)
    sync(one, other, "without", 3)  # a session goes on
    example.run("start")
    example.wait_until_all_are_open()

    if LONG:
        with standing_still(example.pid("redis")):
            sync(one, other, "still", 4)
        example.wait_until_all_are_open()

    drained = example.node_with_a_device()
    os.kill(example.pid(drained), signal.SIGUSR1)
    wait_for_connection(one, other, patience=14 if LONG else 4)
    sync(one, other, "drained", 5 if LONG else 4)
