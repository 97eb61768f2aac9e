# SPDX-License-Identifier: MPL-2.0
"""Configurations while memory is short: each is applied completely or refused with a reason.

Without memory libconfuse exits or crashes.  The server must not.  FAULTS_ALL=1 tests every
allocation instead of a sample."""

import concurrent.futures
import errno
import subprocess

import pytest

import faults
from relay_server import Program
from upgrading import children
from waiting import PATIENCE, wait_for

MODULES = "modules = { log, bounds, relay, status, rate-limit }\n"
SEED = 24


def write(folder, rate, items=40):
    """Writes a file and the file that it includes, with the same number in both."""
    (folder / "more.conf").write_text(
        f"rate-limit {{\n  global = {rate}M\n}}\nbounds {{\n  exempt = {{ "
        + ", ".join(f'"10.0.{item}.0/24"' for item in range(items)) + " }\n}\n")
    (folder / "relay.conf").write_text(
        f'{MODULES}include("more.conf")\nrelay {{\n  provided-by = "p{rate}"\n}}\n')
    return folder / "relay.conf"


@faults.needs_memory
def test_check_without_memory(tmp_path, relay_keys):
    conf = write(tmp_path, 3)

    def check(number):
        here = tmp_path / str(number)
        here.mkdir()
        fault = faults.Faults(here)
        fault.begin(faults.MEMORY, number)
        done = subprocess.run(
            [Program("ours").path, "-check", "-conf", conf, "-keys", relay_keys,
             "-listen", "127.0.0.1:0"],
            env=fault.environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return number, done, fault.end()

    _, good, count = check(0)
    assert good.returncode == 0, good.stderr
    bad = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, done, _ in pool.map(check, faults.sample(count, 120, SEED)):
            whole = done.returncode == 0 and done.stdout == good.stdout
            refused = done.returncode == 1 and done.stderr
            # The keys are readable, so the message must not suggest a backup.
            refused = refused and "from a backup" not in done.stderr
            if not whole and not refused:
                bad.append((number, done.returncode, done.stderr[-300:]))
    assert not bad, f"{len(bad)} of a sample of {count} allocations: {bad[:5]}"


@pytest.fixture
def short(start, our_program, tmp_path):
    """A server whose calls can fail, and its configuration file."""
    fault = faults.Faults(tmp_path)
    conf = write(tmp_path, 1)
    server = start(our_program, "-conf", conf, env=fault.environment)
    return server, fault


def in_force(server):
    options = server.status()["options"]
    return options["global-rate"], options["provided-by"]


def wanted(rate):
    return rate * 1000000, f"p{rate}"


@faults.needs_memory
def test_reload_without_memory(short, tmp_path):
    server, fault = short
    write(tmp_path, 2)
    fault.begin(faults.MEMORY)
    assert server.reload()[0]
    count = fault.end()
    rate, ended = 2, 0
    for step, number in enumerate(faults.sample(count, 150, SEED)):
        new = 3 + step % 5
        write(tmp_path, new)
        fault.begin(faults.MEMORY, number)
        done, log = server.reload()
        fault.end()
        if done:
            rate = new
        else:
            assert "error" in log.replace("error core: not reloaded", ""), log
            ended += "cannot read" in log
        assert "from a backup" not in log, f"the keys are good: {log}"
        if "goes on as before" not in log:  # a module could not apply its own part
            assert in_force(server) == wanted(rate), f"allocation {number}: {log}"
    assert ended, "no allocation of libconfuse was among them"
    write(tmp_path, 9)
    assert server.reload()[0]
    assert in_force(server) == wanted(9)
    assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOMEM])
def test_reload_without_a_process(short, tmp_path, error):
    server, fault = short
    write(tmp_path, 2)
    fault.begin(faults.FORK, 1, error=error)
    done, log = server.reload()
    assert fault.end() == 1, "the file was read without a process of its own"
    assert not done and "cannot read" in log, log
    assert in_force(server) == wanted(1)
    assert server.reload()[0]
    assert in_force(server) == wanted(2)


def test_reload_with_a_reader_that_is_stuck(short, tmp_path):
    """As a child that waits for a lock which another thread held at the fork."""
    server, fault = short
    write(tmp_path, 2)
    fault.begin(faults.STUCK, 1)
    done, log = server.reload()
    assert fault.failed == 1, "the file was read without a process of its own"
    fault.end()
    assert done and "is stuck: another one reads it" in log, log
    assert in_force(server) == wanted(2)
    assert not children(server.pid)


@faults.needs_memory
def test_readers_leave_nothing_behind(short, tmp_path):
    """Neither processes nor descriptors, with a good, a wrong and a too large file."""
    server, fault = short
    before = server.descriptors()
    for step, number in enumerate((0, 900, 0, 1000, 1100)):
        write(tmp_path, 2 + step)
        fault.begin(faults.MEMORY, number, length=0)
        server.reload()
        fault.end()
    assert not children(server.pid)
    wait_for(lambda: server.descriptors() <= before,
             lambda: f"{before} descriptors, there are {server.descriptors()}")
