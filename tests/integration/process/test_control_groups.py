# SPDX-License-Identifier: MPL-2.0
"""The limits of a control group, as containers and services have them."""

import os
import pathlib
import re

import pytest
from skip_unless import can_run

MEMORY = 64 * 1024 * 1024

#: (file of a group, its text), by what the kernel calls the version of the hierarchy.
FILES = {
    "cgroup": {"cpu": [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "50000")],
               "memory": [("memory.limit_in_bytes", str(MEMORY))]},
    "cgroup2": {"cpu": [("cpu.max", "50000 100000")], "memory": [("memory.max", str(MEMORY))]},
}


def hierarchies():
    """{controller: (kind, folder of this process's group)}, for those that can be limited."""
    found = {}
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    groups = [line.split(":", 2) for line in
              pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    for line in mounts:
        before, _, after = line.partition(" - ")
        kind, *_, options = after.split()
        for name in ("cpu", "memory"):
            controllers = options.split(",") if kind == "cgroup" else [name]
            group = next((path for _, names, path in groups
                          if name in names.split(",") or (kind == "cgroup2" and not names)), None)
            if kind not in FILES or name not in controllers or group is None or name in found:
                continue
            folder = pathlib.Path(before.split()[4] + group)
            if (folder / FILES[kind][name][-1][0]).exists() or kind == "cgroup":
                found[name] = (kind, folder)
    return found


def why_not():
    missing = {"cpu", "memory"} - set(hierarchies())
    if missing:
        return f"this machine has no group for {', '.join(sorted(missing))}"
    for _, folder in hierarchies().values():
        try:
            (folder / f"strelaysrv-try-{os.getpid()}").mkdir()
            (folder / f"strelaysrv-try-{os.getpid()}").rmdir()
        except OSError as err:
            return f"no group can be made: {err}"
    return None


pytestmark = can_run("CONTROL GROUPS", why_not())


@pytest.fixture
def group():
    """Makes a group with the limit of a controller, and gives its file of processes."""
    made = []

    def make(controller):
        kind, parent = hierarchies()[controller]
        folder = parent / f"strelaysrv-test-{os.getpid()}"
        folder.mkdir()
        made.append(folder)
        for name, text in FILES[kind][controller]:
            (folder / name).write_text(text)
        return folder / "cgroup.procs"

    yield make
    for folder in made:
        folder.rmdir()


@pytest.fixture
def limited(start, plain_program, group):
    """A server that starts in a group with the limit of a controller."""

    def run(controller, *args, **environment):
        prefix = ("sh", "-c", 'echo $$ > "$0" && exec "$@"', group(controller))
        return start(plain_program, *args, prefix=prefix, env={**os.environ, **environment})

    return run


def test_workers_follow_the_quota_of_the_cpu(limited):
    server = limited("cpu")
    line = server.wait_for_log(r"1 worker, because of (\S+)").group(1)
    assert line.endswith(("cpu.cfs_quota_us", "cpu.max"))
    server.stop()


def test_an_operators_number_counts(limited):
    server = limited("cpu", "-workers", "3", "-debug")
    assert "because of" not in server.log()
    server.stop()


def test_the_hint_for_go_counts(limited):
    server = limited("cpu", GOMAXPROCS="3")
    server.wait_for_log("3 workers, because of GOMAXPROCS")
    server.stop()


def test_connections_follow_the_memory(limited):
    server = limited("memory")
    limit, why = server.wait_for_log(r"Connection limit (\d+): (.*)").groups()
    assert int(limit) == MEMORY // 2 // (32 * 1024)
    assert re.search(r"memory\.(limit_in_bytes|max) allows", why)
    server.stop()
