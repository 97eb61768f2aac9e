# SPDX-License-Identifier: MPL-2.0
"""tests/roots/root.sh: where it makes no root it says why, and a run leaves nothing behind.

The root here has a shell and little else, because a Debian takes minutes."""

import functools
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

from privileges import why_no_mounts, why_no_other_user
from relay_server import ROOT, free_port
from waiting import PATIENCE, wait_for

TOOL = ROOT / "tests/roots/root.sh"
INNER = "srv/strelaysrv"

pytestmark = pytest.mark.skipif(
    os.path.exists("/etc/strelaysrv-test-root"), reason="this is already such a root")
needs_root = pytest.mark.skipif(why_no_mounts() is not None, reason=f"{why_no_mounts()}")


def run(folder, *command, before=(), **variables):
    """Runs a command in a root that is cached in the folder."""
    return subprocess.run(
        [*before, "sh", str(TOOL), *command], capture_output=True, text=True, check=False,
        timeout=PATIENCE * 4, env={**os.environ, "DEBIAN_ROOTS": str(folder), **variables})


def assert_not_run(done, reason):
    assert done.returncode == 77, done
    assert re.search(rf"^== NOT RUN in a clean Debian: .*{reason}", done.stderr, re.MULTILINE), done


def copy_program(name, root):
    """With the libraries that it is linked with."""
    path = shutil.which(name)
    files = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    for file in [path, *re.findall(r"(/\S+) \(0x", files)]:
        target = root / file[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


@pytest.fixture
def cached(tmp_path):
    arch = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True,
                          text=True).stdout.strip()
    root = tmp_path / f"trixie-{arch}" / "clean"
    for folder in ("proc", "sys", "dev", "etc", "srv", "var/cache/apt/archives",
                   "var/lib/apt/lists"):
        (root / folder).mkdir(parents=True)
    for name in ("sh", "env", "sleep", "touch", "umount"):
        copy_program(name, root)
    return tmp_path


def left_in(cached):
    return list(cached.glob("trixie-*/run"))


def processes_named(word):
    """The command lines that have the word."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            if word.encode() in line.split(b"\0"):
                found.append(line)
        except OSError:
            pass  # it has ended
    return found


@needs_root
def test_without_a_network_it_says_so(tmp_path):
    done = run(tmp_path, "13", "true", DEBIAN_MIRROR=f"http://127.0.0.1:{free_port()}/debian")
    assert_not_run(done, "does not answer")


@pytest.fixture
def mirror(tmp_path):
    """A mirror that answers."""
    folder = tmp_path / "mirror"
    (folder / "dists/trixie").mkdir(parents=True)
    (folder / "dists/trixie/InRelease").write_text("Suite: trixie\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def write_script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@needs_root
@pytest.mark.parametrize("message, is_network", [
    ("E: Failed to fetch http://x/y.deb  Connection timed out", True),
    ("E: Couldn't download packages: libc6", True),
    ("E: Sub-process /usr/bin/dpkg returned an error code (1)", False)])
def test_a_mirror_that_fails_midway_is_told_from_a_failure(tmp_path, mirror, message, is_network):
    write_script(tmp_path / "bin" / "mmdebstrap", f'echo "{message}" >&2; exit 1')
    done = run(tmp_path, "13", "true", DEBIAN_MIRROR=mirror,
               PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert message in done.stderr
    if is_network:
        assert_not_run(done, "does not deliver")
    else:
        assert done.returncode == 1, done


@needs_root
@pytest.mark.parametrize("has_test, reason", [
    (True, "the kernel runs no programs of"), (False, "needs arch-test")])
def test_a_machine_that_runs_no_programs_of_the_architecture_says_so(
        tmp_path, mirror, has_test, reason):
    tools = tmp_path / "bin"
    write_script(tools / "mmdebstrap", "echo 'E: x can neither be executed natively nor via qemu "
                                       "user emulation with binfmt_misc' >&2; exit 1")
    if has_test:
        write_script(tools / "arch-test", "exit 1")
    # All that root.sh calls, and no arch-test that this machine may have.
    for folder in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        for path in pathlib.Path(folder).iterdir():
            if path.name != "arch-test" and not (tools / path.name).exists():
                (tools / path.name).symlink_to(path)
    other = "armel" if has_test else "s390x"
    done = run(tmp_path, "-a", other, "13", "true", DEBIAN_MIRROR=mirror, PATH=str(tools))
    assert_not_run(done, reason)


def with_tools(cached):
    """The root with what the scripts call in it, but for packages and compilers."""
    root = next(cached.glob("trixie-*/clean"))
    for name in ("cat", "chmod", "date", "grep", "id", "ln", "mkdir", "mktemp", "nproc", "sed",
                 "tail", "timeout", "tr", "wc"):
        copy_program(name, root)
    for folder in ("tmp", "usr/local/bin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/strelaysrv-test-root").touch()
    if not (root / "bin/sh").exists():
        (root / "bin").symlink_to("usr/bin")
    return root


@needs_root
@pytest.mark.parametrize("message, is_network", [
    ("E: Failed to fetch http://x/y.deb  404  Not Found", True),
    ("E: Unable to locate package gcc", False)])
def test_packages_that_do_not_come_are_told_from_those_that_are_none(
        cached, message, is_network):
    root = with_tools(cached)
    write_script(root / "usr/bin/apt-get", f'echo "{message}" >&2; exit 100')
    done = run(cached, "13", "sh", "tests/roots/selection.sh")
    assert message in done.stdout, done
    if is_network:
        assert_not_run(done, "does not deliver")
    else:
        assert (done.returncode, "FAILED: " in done.stdout) == (1, True), done


CTEST_OF_TWO = """case "$*" in
*-N*) echo 'Total Tests: 1'; exit 0 ;;
*unit-args*) echo '2/2 Test  #2: unit-bans ......   Passed    0.02 sec'
	echo '100% tests passed, 0 tests failed out of 1'; exit 0 ;;
esac
echo '1/2 Test  #1: unit-args ......   Passed    0.01 sec'
kill -KILL $PPID"""


@needs_root
def test_the_tests_of_another_machine_go_on_where_they_were_ended(cached):
    root = with_tools(cached)
    write_script(root / "usr/bin/dpkg", "exit 0")
    write_script(root / "usr/bin/apt-get", "exit 0")
    write_script(root / "usr/bin/cmake", "mkdir -p build-s390x")
    write_script(root / "usr/bin/ctest", CTEST_OF_TWO)
    write_script(root / "usr/bin/qemu-s390x", "echo qemu-s390x version 7.2.22")
    write_script(root / "usr/bin/python3", 'echo "a server at $STRELAYSRV"')
    command = ("-k", "one", "13", "sh", "tests/roots/machine.sh", "s390x")
    ended = run(cached, *command)
    assert ended.returncode == 137, ended
    done = run(cached, *command)
    assert done.returncode == 0, done
    assert "not run again, since they have passed: 1\n" in done.stdout, done
    assert "100% tests passed" in done.stdout, done
    assert f"a server at /{INNER}/build-s390x/emulated/strelaysrv\n" in done.stdout, done


@needs_root
def test_without_space_it_says_so(tmp_path):
    small = ["unshare", "--mount", "sh", "-ec",
             f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}"; exec "$@"', "sh"]
    assert_not_run(run(tmp_path, "13", "true", before=small), "GB left")


@pytest.mark.skipif(why_no_other_user() is not None, reason=f"{why_no_other_user()}")
def test_without_the_rights_it_says_so(tmp_path):
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run([*nobody, "sh", "-s", "13", "true"], input=TOOL.read_text(), text=True,
                          capture_output=True, check=False, cwd="/tmp")
    assert_not_run(done, "needs root")


def mounts_here():
    """Other tests make and remove network namespaces at the same time."""
    return [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
            if "/run/netns" not in line]


@needs_root
def test_a_run_has_the_tree_and_leaves_nothing(cached):
    mounts = mounts_here()
    mark = f"{987000 + os.getpid() % 1000}.5"
    done = run(cached, "13", "sh", "-c",
               f"[ -e conf/quickstart.sh ] && sleep {mark} & touch /left; echo at $PWD; exit 7")
    assert (done.returncode, done.stdout) == (7, f"at /{INNER}\n"), done
    assert mounts_here() == mounts
    wait_for(lambda: not processes_named(mark), "what it has started to end")
    assert not left_in(cached)


@needs_root
def test_what_takes_too_long_is_left_out(cached):
    mark = f"{989000 + os.getpid() % 1000}.5"
    done = run(cached, "-t", "2", "13", "sh", "-c", f"trap '' TERM; sleep {mark} & wait; wait")
    assert_not_run(done, "not done after 2 s")
    wait_for(lambda: not processes_named(mark), "what it has started to end")
    assert not left_in(cached)


@needs_root
def test_orphans_are_reaped(cached):
    orphan = "orphan=$(sh -c 'sleep 0 >/dev/null & echo $!'); "
    wait = "tries=0; while [ -d /proc/$orphan ]; do tries=$((tries + 1)); [ $tries -lt 50 ]; sleep 0.1; done"
    assert run(cached, "13", "sh", "-ec", orphan + wait).returncode == 0


@needs_root
def test_a_mirror_that_is_too_slow_is_left_out(tmp_path, mirror):
    write_script(tmp_path / "bin" / "mmdebstrap", "sleep 1000")
    done = run(tmp_path, "-t", "2", "13", "true", DEBIAN_MIRROR=mirror,
               PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert_not_run(done, "it was not made after [12] s")  # what is left of the time


@needs_root
def test_where_mounts_are_not_allowed_it_says_so(tmp_path):
    write_script(tmp_path / "bin" / "mount", "exit 1")
    done = run(tmp_path, "13", "true", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert_not_run(done, "cannot mount")


@needs_root
def test_a_named_root_is_kept_and_others_are_clean(cached):
    is_left = ("13", "sh", "-c", "if [ -e /left ]; then exit 3; fi; touch /left")
    assert [run(cached, *is_left).returncode for _ in range(2)] == [0, 0]
    assert [run(cached, "-k", "one", *is_left).returncode for _ in range(2)] == [0, 3]
    assert run(cached, "-k", "two", *is_left).returncode == 0
    assert not left_in(cached)


@needs_root
def test_an_end_from_outside_leaves_nothing(cached):
    mark = f"{988000 + os.getpid() % 1000}.5"
    tool = subprocess.Popen(["sh", str(TOOL), "13", "sleep", mark],
                            env={**os.environ, "DEBIAN_ROOTS": str(cached)})
    # The command is named by the tool, by unshare, and last by itself alone.
    wait_for(lambda: any(line.startswith(b"sleep\0") for line in processes_named(mark)),
             "the command to run")
    tool.terminate()
    assert tool.wait(PATIENCE) != 0
    wait_for(lambda: not processes_named(mark), "the command to end")
    assert not left_in(cached)
