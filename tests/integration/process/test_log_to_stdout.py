# SPDX-License-Identifier: MPL-2.0
"""target = file with file = /dev/stdout, as in containers: the kernel's links to open files."""

import contextlib
import os
import socket
import subprocess

import pytest

from privileges import why_no_owner
from relay_server import Program
from skip_unless import can_run
from waiting import PATIENCE, wait_for

LINKS = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/proc/self/fd/1": 1}


def command(folder, file, *args):
    (folder / "relay.conf").write_text(
        f'modules = {{ log, relay }}\nlog {{\n target = file\n file = "{file}"\n}}\n')
    return [Program("ours", 2).path, "-conf", folder / "relay.conf", "-listen", "127.0.0.1:0",
            "-keys", folder, *args]


@contextlib.contextmanager
def serving(folder, file, **streams):
    process = subprocess.Popen(command(folder, file), cwd=folder, stdin=subprocess.DEVNULL,
                               **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
                                  **streams})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def end(folder, file, *args, **streams):
    """Runs it until it ends by itself."""
    return subprocess.run(command(folder, file, *args), cwd=folder, stdin=subprocess.DEVNULL,
                          check=False, timeout=PATIENCE, **streams)


class Pipe:
    """The reading end, which never waits."""

    def __init__(self):
        self.end, self.start = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.end, False)
        self.seen = b""

    def has(self, text):
        with contextlib.suppress(BlockingIOError):
            self.seen += os.read(self.end, 65536)
        return text in self.seen

    def close(self):
        os.close(self.end)
        os.close(self.start)


@pytest.fixture
def pipe():
    one = Pipe()
    yield one
    one.close()


def stream(file, target):
    return {{1: "stdout", 2: "stderr"}[LINKS[file]]: target}


@pytest.mark.parametrize("file", LINKS)
def test_a_pipe_takes_the_log(tmp_path, pipe, file):
    with serving(tmp_path, file, **stream(file, pipe.start)):
        wait_for(lambda: pipe.has(b"URI: relay://"), lambda: f"the URI, not {pipe.seen!r}")


@pytest.mark.parametrize("gone", [False, True], ids=["named", "deleted"])
def test_a_file_takes_the_log_even_without_a_name(tmp_path, gone):
    path = tmp_path / "out"
    with path.open("w+b") as file:
        if gone:
            path.unlink()
        with serving(tmp_path, "/dev/stdout", stdout=file):
            wait_for(lambda: b"URI: relay://" in os.pread(file.fileno(), 65536, 0), "the URI")
    assert not list(tmp_path.glob("*deleted*"))


def test_a_link_to_that_link_will_do(tmp_path, pipe):
    (tmp_path / "relay.log").symlink_to("/dev/stdout")
    with serving(tmp_path, tmp_path / "relay.log", stdout=pipe.start):
        wait_for(lambda: pipe.has(b"URI: relay://"), lambda: f"the URI, not {pipe.seen!r}")


@pytest.mark.parametrize("args", [[], ["-check"]], ids=["start", "check"])
def test_a_socket_is_refused_and_called_by_its_name(tmp_path, args):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = end(tmp_path, "/dev/stdout", *args, stdout=theirs, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"cannot write /dev/stdout: it is a socket" in done.stderr, done


def test_check_says_yes_to_a_pipe(tmp_path, pipe):
    done = end(tmp_path, "/dev/stdout", "-check", stdout=pipe.start, stderr=subprocess.PIPE)
    assert done.returncode == 0, done


@can_run("LINKS OF OTHERS", why_no_owner())
@pytest.mark.parametrize("args", [[], ["-check"]], ids=["start", "check"])
def test_another_users_link_is_not_followed_and_check_knows(tmp_path, args):
    link = tmp_path / "relay.log"
    link.symlink_to(tmp_path / "victim")
    os.chown(link, 64701, 64702, follow_symlinks=False)
    done = end(tmp_path, link, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"it is another user's link" in done.stderr, done
    assert not (tmp_path / "victim").exists()
