# SPDX-License-Identifier: MPL-2.0
"""A server during upgrades: several processes in succession with one log."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import stat
import sys

import pytest

import relay_server
from relay_server import RelayServer, module_folder
from waiting import PATIENCE, Deadline, pace, wait_for

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes this process the reaper of orphans, so that it gets their exit codes."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


#: The process of a server that starts new programs for it, in /proc/PID/stat.
LAUNCHER = "(strelaysrv-next)"


def child_stats(pid):
    """The text of /proc/PID/stat of each child process that was not waited for."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(text)
    return found


def children(pid):
    """(pid, state) of each child process that was not waited for, except the launcher."""
    return [(int(text.split()[0]), text.rpartition(")")[2].split()[0])
            for text in child_stats(pid) if LAUNCHER not in text]


def is_there(pid):
    """Whether the process runs; a zombie does not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


class Orphan:
    """A process inherited from a finished parent, with the interface of subprocess.Popen."""

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            got, status = os.waitpid(self.pid, os.WNOHANG)
            if got:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout):
        wait_for(lambda: self.poll() is not None, f"the end of process {self.pid}",
                 Deadline(timeout))
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)


class Upgrading(RelayServer):
    """`generations` are the processes that have served; the last one is current."""

    def __init__(self, program, folder, keys, args=(), conf="", workers=None, prefix=(),
                 pass_fds=(), env=None):
        adopt_orphans()
        self.folder = pathlib.Path(folder)
        self.conf = self.folder / "upgrade.conf"
        self.conf.write_text(conf or "\n")
        self.binary = self.folder / "relay"
        shutil.copy(program.path, self.binary)
        count = workers or program.workers
        command = [*map(str, prefix), str(self.binary), "-conf", str(self.conf), "-module-dir", str(module_folder()),
                   "-keys", str(keys), "-pools", ""]
        if "listen" not in conf:
            command += ["-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0"]
        if "workers" not in conf and count:
            command += ["-workers", str(count)]
        super().__init__(program, command + list(map(str, args)), self.folder, pass_fds=pass_fds,
                         env=env)
        self.generations = [self.process.pid]
        self.codes = {}

    @property
    def serving(self):
        return self.generations[-1]

    def count(self, pattern):
        return sum(bool(re.search(pattern, line)) for line in self.log().splitlines())

    def wait_for_count(self, pattern, count):
        wait_for(lambda: self.count(pattern) >= count,
                 lambda: f"{count} lines like {pattern!r}; the log:\n{self.log()}")

    def signal(self, number, pid=None):
        os.kill(pid or self.serving, number)

    def upgrade(self):
        """Upgrades the server; returns the pids of the old and the new process."""
        old = self.serving
        told = rf"process (\d+) serves; this one, {old}, drains"
        before, ready = self.count(told), self.count("core: ready, with modules")
        self.signal(signal.SIGUSR2)
        self.wait_for_count(told, before + 1)
        new = int(re.findall(told, self.log())[-1])
        self.generations.append(new)
        self.wait_for_count("core: ready, with modules", ready + 1)
        return old, new

    def replace_program(self, text):
        """Replaces the program file, which the next upgrade starts."""
        self.binary.unlink()
        self.binary.write_text(text)
        self.binary.chmod(self.binary.stat().st_mode | stat.S_IXUSR)

    def restore_program(self):
        self.binary.unlink()
        shutil.copy(self.program.path, self.binary)

    def exit_code(self, pid):
        """Waits until one of the processes ends; returns its exit code."""
        if pid in self.codes:
            return self.codes[pid]
        if pid == self.process.pid:
            self.codes[pid] = self.process.wait(PATIENCE)
            return self.codes[pid]
        deadline = Deadline()
        while not deadline.passed():
            try:
                got, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:  # its parent, the old process, still runs
                got = 0
                if not is_there(pid):
                    return None
            if got:
                self.codes[pid] = os.waitstatus_to_exitcode(status)
                return self.codes[pid]
            pace()
        raise AssertionError(f"process {pid} has not ended; the log:\n{self.log()}")

    def finish(self):
        """Stops all of them, the newest last; fails if something was wrong."""
        for pid in self.generations:
            if pid not in self.codes and is_there(pid):
                os.kill(pid, signal.SIGTERM)
        try:
            codes = {pid: self.exit_code(pid) for pid in self.generations}
        finally:
            for pid in self.generations:
                if is_there(pid):
                    os.kill(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(PATIENCE)
        finding = relay_server._SANITIZER.search(self.log())
        assert not finding, f"{finding.group()}:\n{self.log()}"
        wrong = {pid: code for pid, code in codes.items() if code not in (0, None, -9)}
        assert not wrong, f"exit codes {wrong}; the log:\n{self.log()}"


#: A fake new process that speaks the upgrade protocol; a test appends what it does.
STUB = f"""#!{sys.executable} -S
import os, socket, sys, time
channel = socket.socket(fileno=int(os.environ["STRELAYSRV_CHANNEL"]))
channel.setblocking(True)
READY, GO, SERVING = b"\\1", b"\\2", b"\\3"
"""


@pytest.fixture
def start_upgrading(tmp_path, relay_keys, our_program):
    with contextlib.ExitStack() as servers:

        def start(*args, **options):
            server = Upgrading(our_program, tmp_path, relay_keys, args, **options)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start
