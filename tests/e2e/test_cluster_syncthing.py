# SPDX-License-Identifier: MPL-2.0
"""Real Syncthing devices at different nodes of the example of conf/cluster: real Redis, haproxy, and
three relays.  Nodes die, drain and come back, and Redis too, while the devices sync."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

import own_network
from open_folder import folder  # noqa: F401
from privileges import why_no_network
from skip_unless import can_run
from two_devices import check_equal, fill, hashes, make_pair, wait_for_connection, wait_for_sync
from waiting import PATIENCE, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODES = ("one", "two", "three")


def why_not():
    path = os.environ["PATH"] + ":/usr/sbin"
    missing = [tool for tool in ("redis-server", "haproxy") if not shutil.which(tool, path=path)]
    return f"needs {missing}" if missing else why_no_network()


pytestmark = can_run("CLUSTER", why_not())


class Example:
    """What conf/cluster/three-nodes.sh has started."""

    def __init__(self, place, program):
        self.place = place
        self.environment = {**os.environ, "CLUSTER": str(place), "STRELAYSRV": program.path}

    def run(self, *words, check=True):
        done = subprocess.run(["sh", str(ROOT / "conf/cluster/three-nodes.sh"), *words],
                              env=self.environment, capture_output=True, text=True,
                              timeout=4 * PATIENCE, check=False)
        assert done.returncode == 0 or not check, (words, done.stdout, done.stderr)
        return done.stdout

    def log(self, name):
        return (self.place / f"{name}.log").read_text(errors="replace")

    def pid(self, name):
        return int((self.place / f"{name}.pid").read_text())

    def status(self):
        """{node: state}, as node one sees them; it fails while Redis is away."""
        return dict(re.findall(r"^(one|two|three)\s+(\w+)", self.run("status", check=False),
                               re.MULTILINE))

    def wait_until_all_are_open(self):
        wait_for(lambda: self.status() == dict.fromkeys(NODES, "open"), "three open nodes")

    def devices(self, name):
        """How many devices have joined a node."""
        done = subprocess.run(
            ["curl", "-s", f"http://127.0.0.1{NODES.index(name) + 1}:22070/metrics"],
            capture_output=True, text=True, timeout=PATIENCE, check=True)
        return int(float(re.search(r"^strelaysrv_relay_devices (\S+)", done.stdout,
                                   re.MULTILINE).group(1)))

    def node_with_a_device(self):
        return wait_for(lambda: next((name for name in NODES if self.devices(name)), None),
                        "a device to join")

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)


@pytest.fixture
def example(folder, plain_program):  # noqa: F811
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        own_network.make()
        started = Example(folder / "cluster", plain_program)
        with contextlib.ExitStack() as stack:
            stack.callback(started.run, "stop")
            started.uri = started.run("start").strip()
            started.wait_until_all_are_open()
            yield started
    finally:
        own_network.go_back(before)


def sync(one, other, name, seed, files):
    """New files of one reach the other.  How many there are now."""
    fill(one.folder, name, seed)
    one.scan()
    wait_for_sync((one, other), files)
    check_equal(one, other, files)


def test_devices_sync_while_nodes_and_redis_come_and_go(example, make_device):
    one, other = make_pair(make_device, example.uri)
    for device in (one, other):
        device.start()
    wait_for_connection(one, other)
    assert sum(bool(example.devices(name)) for name in NODES) == 2, "they are at one node"
    sync(one, other, "first", 1, 501)

    lost = example.node_with_a_device()
    example.kill(lost)
    for device in (one, other):
        device.listen_anew()
    wait_for_connection(one, other, patience=4)
    sync(one, other, "killed", 2, 1002)
    example.run("start", lost)
    example.wait_until_all_are_open()

    os.kill(example.pid("redis"), signal.SIGKILL)
    sync(one, other, "without", 3, 1503)  # a session goes on
    example.run("start")
    example.wait_until_all_are_open()

    drained = example.node_with_a_device()
    os.kill(example.pid(drained), signal.SIGUSR1)
    wait_for_connection(one, other, patience=4)
    sync(one, other, "drained", 4, 2004)
    assert len(hashes(other.folder)) == 2004
