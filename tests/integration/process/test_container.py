# SPDX-License-Identifier: MPL-2.0
"""A server in a container as they usually are: no capabilities, a root folder that cannot be
written, and a filter that forbids the system calls that Docker's default profile forbids.

It is built from what the machine has: a mount namespace whose mounts are read-only, setpriv, and
missing_calls.py. The filter answers as that profile does, but is a list of what it forbids instead
of what it allows."""

import errno
import subprocess

import pytest

import faults
import missing_calls
from pairing import Invited, check_both_ways
from privileges import UID, why_no_network, why_no_other_user
from open_folder import folder  # noqa: F401
from relay_server import Program, RelayServer, module_folder
from skip_unless import can_run

#: What the profile forbids without capabilities; clone and its flags for new namespaces.
FORBIDDEN = """acct add_key bpf clock_adjtime clock_settime delete_module finit_module fsconfig fsmount
    fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp
    kexec_file_load kexec_load keyctl lookup_dcookie mbind mount mount_setattr move_mount
    move_pages name_to_handle_at open_by_handle_at open_tree perf_event_open pivot_root
    process_vm_readv process_vm_writev ptrace quotactl reboot request_key set_mempolicy setns
    settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup
    clone:0&131072 clone:0&67108864 clone:0&134217728 clone:0&268435456 clone:0&536870912
    clone:0&1073741824""".split()

#: Makes every mount below / read-only, except the folder $STATE.
READ_ONLY = """
set -e
mount --make-rprivate /
mount --bind "$STATE" "$STATE"
for at in / /tmp /var /run /home /root; do
    mountpoint -q $at && mount -o remount,bind,ro $at
done
exec "$0" "$@"
"""


def why_not():
    reason = why_no_other_user() or why_no_network() or missing_calls.why_not()
    if not reason and faults.sanitized():
        return "sanitizers make further system calls"
    return reason


pytestmark = can_run("CONTAINERS", why_not())


@pytest.fixture
def contained(folder, relay_keys):  # noqa: F811
    """contained(keys) starts our server in such a place, as a user, with these keys; `entry`: by
    the entry of the image."""
    servers = []

    def start(keys, command=None, entry=False):
        state = folder / "state"
        state.mkdir()
        for path in (folder, state):
            subprocess.run(["chown", f"{UID}:{UID}", path], check=True)
        program = Program("ours", 2)
        command = command or [
            program.path, "-keys", str(keys or state), "-pools", "", "-listen", "127.0.0.1:0",
            "-status-srv", "127.0.0.1:0", "-workers", "2", "-core-dumps"]
        if entry:
            command = [module_folder().parent / "conf" / "container" / "strelaysrv-container", *command]
        # Root reads missing_calls.py, which may be below a home of its own.
        prefix = ["env", f"STATE={state}", "unshare", "--mount", "sh", "-c", READ_ONLY,
                  *missing_calls.prefix(errno.ENOSYS, ["clone3"]),
                  *missing_calls.prefix(errno.EPERM, FORBIDDEN),
                  "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
                  "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        server = RelayServer(program, [*prefix, *command], folder)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.process.kill()


@pytest.mark.parametrize("fresh, entry", [(False, False), (True, False), (True, True)],
                         ids=["mounted-keys", "new-keys", "entry"])
def test_it_serves_in_a_container(contained, folder, relay_keys, identities, fresh, entry):  # noqa: F811
    keys = None
    if not fresh:
        keys = folder / "keys"
        subprocess.run(["cp", "-r", relay_keys, keys], check=True)
        subprocess.run(["chown", "-R", f"{UID}:{UID}", keys], check=True)
    server = contained(keys, entry=entry)
    server.wait_until_serving()
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())
    server.reload()
    assert server.get("/healthz")[0] == 200
    assert server.count(" error ") == 0, server.log()
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("attempt, error", [
    ("touch {}/x", "Read-only file system"),
    ("unshare -n true", "Operation not permitted")])
def test_the_container_of_that_test_holds(contained, folder, attempt, error):  # noqa: F811
    server = contained(None, ["/bin/sh", "-c", attempt.format(folder)])
    assert server.wait_for_exit() != 0
    assert error in server.log(), server.log()
