# SPDX-License-Identifier: MPL-2.0
"""A full disk (ENOSPC): the server goes on, the operator reads why, and what was missing is written
when there is room again.

Single calls that fail with ENOSPC or EIO are in test_call_sites.py, disks that are slow or hang in
test_hanging_files.py."""

import re
import signal

import pytest

import relay_server
from exposition import parse, value
from pairing import Invited, check_both_ways
from skip_unless import can_run
from small_disk import SmallDisk, why_not
from waiting import wait_for

pytestmark = can_run("FULL DISKS", why_not())


@pytest.fixture
def disk(tmp_path):
    return SmallDisk(tmp_path / "disk")


@pytest.fixture
def begin(start, our_program, tmp_path, disk):
    """begin(configuration) starts a server that has the disk."""

    def begin(text, **options):
        conf = tmp_path / "relay.conf"
        conf.write_text(text)
        return start(our_program, "-conf", conf, prefix=disk.prefix, **options)

    return begin


def serve(server, identities):
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())


def test_the_log(begin, disk, tmp_path, identities):
    """Records are dropped and counted, and the file later says how many."""
    conf = "modules = { log, relay, status, prometheus }\nlog { target = file file = \"%s\" %s }\n"
    path = disk.path / "relay.log"
    # The URI is read from stderr, so the log moves to the disk later.
    server = begin("modules = { log, relay, status, prometheus }\n")
    (tmp_path / "relay.conf").write_text(conf % (path, "level = debug"))
    server.send_signal(signal.SIGHUP)
    log = disk.seen_by(server) / "relay.log"
    wait_for(lambda: log.exists() and "core: reloaded" in log.read_text(), "the log to move")
    disk.fill(server)

    def dropped():
        serve(server, identities)
        found = parse(server.get("/metrics")[2].decode())
        return value(found, "strelaysrv_core_log_dropped_total")

    wait_for(dropped, "records to be dropped")
    server.wait_for_log("log: cannot write to the file: No space left on device")
    disk.empty(server)

    def told():
        serve(server, identities)
        return "records could not be written here" in log.read_text()

    wait_for(told, "the loss to be told in the file")
    assert all(line[:2] == "20" for line in log.read_text().splitlines() if line)


def test_the_state_of_the_quota(begin, disk, identities):
    server = begin("modules = { log, relay, status, quota }\n"
                   f'quota {{ day = 1GB state-required = no state-file = "{disk.path}/state" '
                   "save-interval = 1s }\n")
    serve(server, identities)
    state = disk.seen_by(server) / "state"
    wait_for(state.exists, "the first state")
    before = state.read_bytes()
    disk.fill(server)

    def told():
        serve(server, identities)
        return server.count("quota: cannot write .*state: No space left on device")

    wait_for(told, "the reason")
    assert state.read_bytes().splitlines()[0] == before.splitlines()[0], "half a state"
    used = server.status()["quota"]["dayBytes"]
    disk.empty(server)

    def stored():
        """The file has each byte once; it counts twice, since it was received and sent."""
        return 2 * int(re.search(r"^day \d+ (\d+)$", state.read_text(), re.M)[1])

    wait_for(lambda: stored() >= used, "the state to be written later")
    assert sorted(path.name for path in state.parent.iterdir()) == ["state"], "a file is left"


def test_new_keys(disk, our_program, tmp_path):
    """The server does not start, says why, and leaves no half key."""
    keys = disk.path / "keys"
    fill = f'head -c 2M /dev/zero > "{disk.path}/filler" 2>/dev/null; mkdir -p "{keys}"; exec "$@"'
    show = f'"$@"; code=$?; ls -A "{keys}" >&2; exit $code'
    server = relay_server.start(our_program, tmp_path, keys=keys, wait=False,
                                prefix=[*disk.prefix, "sh", "-c", fill, "sh", "sh", "-c", show, "sh"])
    assert server.wait_for_exit() == 1, server.log()
    assert server.count("(cert|key).pem.*No space left on device"), server.log()
    assert not server.count("^(cert|key)[.]pem$|^[.]"), server.log()
