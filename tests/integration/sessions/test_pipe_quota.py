# SPDX-License-Identifier: MPL-2.0
"""A user whose pipes already hold as much as fs.pipe-user-pages-soft allows: the kernel gives small
pipes only, and the server copies."""

import os
import pathlib
import subprocess
import sys

import pytest

from exposition import parse, value
from flows import MEBI, check_flows, flow
from open_folder import folder  # noqa: F401
from pairing import Invited
from privileges import why_no_other_user
from relay_server import start
from skip_unless import can_run
from waiting import wait_for

SOFT = pathlib.Path("/proc/sys/fs/pipe-user-pages-soft")
#: No other process of the machine has this ID, nor do other tests.
UID = 64717
AS_USER = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
#: Makes pipes until they are small; its input's end ends it.
HOLDER = """
import fcntl, os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
for i in range(%d):
    if fcntl.fcntl(os.pipe()[0], fcntl.F_GETPIPE_SZ) < 32768:
        print("full", flush=True)
        break
sys.stdin.read()
"""


def why_not():
    if why_no_other_user():
        return why_no_other_user()
    return None if int(SOFT.read_text()) else "the kernel has no such limit"


pytestmark = can_run("QUOTAS OF PIPES", why_not())


@pytest.fixture
def full_quota():
    most = int(SOFT.read_text()) + 16
    with subprocess.Popen([*AS_USER, sys.executable, "-S", "-c", HOLDER % most], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:
        told = holder.stdout.readline()
        assert told == "full\n", told
        yield holder
        holder.stdin.close()


@pytest.fixture
def server(our_program, folder, full_quota):  # noqa: F811
    keys = folder / "keys"
    keys.mkdir()
    os.chown(keys, UID, UID)
    conf = folder / "relay.conf"
    conf.write_text("modules = { log, relay, status, prometheus }\n")
    server = start(our_program, folder, "-conf", conf, keys=keys, prefix=AS_USER)
    yield server
    server.finish()


def refused(server):
    return value(parse(server.get("/metrics")[2].decode()), "strelaysrv_core_pipes_refused_total")


def pipes(server):
    """The descriptors of pipes, without those of the log."""
    found = 0
    for link in os.scandir(f"/proc/{server.pid}/fd"):
        found += int(link.name) > 2 and os.readlink(link.path).startswith("pipe:")
    return found


def test_what_pipes_do_not_take_is_copied(server, identities):
    before = pipes(server)
    with Invited(server, *identities[:2]) as invited:
        asker, target = invited.join_both()
        check_flows([flow(asker, target, 16 * MEBI, 1), flow(target, asker, 16 * MEBI, 2)])
        wait_for(lambda: refused(server) >= 1, "the refusals to be counted")
        assert pipes(server) == before
    assert server.count("warning core: the kernel gives no pipes, or only small ones") == 1
