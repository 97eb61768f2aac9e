# SPDX-License-Identifier: MPL-2.0
"""A server without /proc, as in a chroot or a small container."""

import os
import subprocess
import sys

import pytest

import faults
from exposition import parse
from installed import cache, prefix  # noqa: F401
from pairing import Invited, check_both_ways
from relay_server import Program
from upgrading import Upgrading

RELAY = Program("ours").path

#: Runs a command in which /proc is empty.
WITHOUT = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" "$@"']


def why_not():
    if faults.sanitized():
        return "sanitizers read /proc"
    done = subprocess.run([*WITHOUT, "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip() and f"no mount namespace with an empty /proc: {done.stderr.strip()}"


@pytest.fixture(autouse=True, scope="module")
def needs_a_mount_namespace():
    reason = why_not()
    if reason:
        pytest.skip(reason)


def check_it_serves(server, identities):
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())
    assert server.count("there is no /proc") == 1, server.log()


@pytest.mark.parametrize("how", ["absolute", "relative", "installed"])
def test_it_serves_without_proc(start, tmp_path, our_program, identities, prefix,  # noqa: F811
                                how):
    """Modules are found from the path that the server was started with."""
    installed = prefix / "bin" / "strelaysrv"
    before = {"absolute": [], "relative": ["sh", "-c", f'cd {installed.parent.parent}; shift; '
                                           'exec bin/strelaysrv "$@"', "sh"],
              "installed": ["sh", "-c", f'shift; exec {installed} "$@"', "sh"]}[how]
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, bounds, relay, rate-limit, status, prometheus }\n")
    server = start(our_program, "-conf", conf, prefix=[*WITHOUT, *before])
    check_it_serves(server, identities)
    families = parse(server.get("/metrics")[2].decode())
    assert "strelaysrv_core_start_time_seconds" in families
    for name in ("threads", "open_descriptors", "resident_memory_bytes"):
        assert f"strelaysrv_core_{name}" not in families


def test_where_the_program_is_unknown_the_installed_modules_count(tmp_path):
    """Started by a descriptor, it does not know its path."""
    program = os.open(RELAY, os.O_RDONLY)
    os.set_inheritable(program, True)
    code = (f"import os; os.execve({program}, ['strelaysrv', '-version'], os.environ)")
    done = subprocess.run([*WITHOUT, sys.executable, "-S", "-c", code], pass_fds=[program],
                          capture_output=True, text=True, cwd=tmp_path, check=False)
    os.close(program)
    folder = f"{cache('CMAKE_INSTALL_PREFIX')}/{cache('CMAKE_INSTALL_LIBDIR')}/strelaysrv"
    assert done.returncode == 0 or folder in done.stderr, done.stderr


def test_an_upgrade_without_proc(tmp_path, relay_keys, our_program, identities):
    server = Upgrading(our_program, tmp_path, relay_keys, ("-drain-spread", "0s"), prefix=WITHOUT)
    try:
        server.wait_until_serving()
        check_it_serves(server, identities)
        server.upgrade()
        with Invited(server, *identities[:2]) as invited:
            check_both_ways(*invited.join_both())
    finally:
        server.finish()
