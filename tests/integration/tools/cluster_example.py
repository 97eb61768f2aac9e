# SPDX-License-Identifier: MPL-2.0
"""The example of conf/cluster, started as its page says, in a network namespace of its own."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import own_network
from privileges import why_no_network
from waiting import PATIENCE, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "conf" / "cluster" / "three-nodes.sh"
NODES = ("one", "two", "three")


def why_not():
    path = os.environ["PATH"] + ":/usr/sbin"
    missing = [tool for tool in ("redis-server", "haproxy") if not shutil.which(tool, path=path)]
    return f"needs {missing}" if missing else why_no_network()


class Example:
    """What conf/cluster/three-nodes.sh has started."""

    def __init__(self, place, program, prefix=(), script=SCRIPT, **environment):
        self.place = place
        self.script = script
        self.prefix = prefix  # of each command
        self.environment = {**os.environ, "CLUSTER": str(place), "STRELAYSRV": program.path,
                            **environment}

    def run(self, *words, check=True):
        done = subprocess.run([*self.prefix, "sh", str(self.script), *words],
                              env=self.environment, capture_output=True, text=True,
                              timeout=4 * PATIENCE, check=False)
        assert done.returncode == 0 or not check, (words, done.stdout, done.stderr)
        return done.stdout

    def say(self, line):
        """A command as it stands on the page."""
        done = subprocess.run(["sh", "-c", line], cwd=ROOT, env=self.environment, text=True,
                              capture_output=True, timeout=4 * PATIENCE, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
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


@contextlib.contextmanager
def running(place, program, **options):
    """The example with three open nodes, and its URI."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        own_network.make()
        example = Example(place, program, **options)
        with contextlib.ExitStack() as stack:
            stack.callback(example.run, "stop")
            example.uri = example.run("start").strip()
            example.wait_until_all_are_open()
            yield example
    finally:
        own_network.go_back(before)
