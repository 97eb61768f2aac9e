# SPDX-License-Identifier: MPL-2.0
"""A disk that answers writes with EIO: the operator reads why, nothing half written stays, and when
the disk works again what was missing is written."""

import re
import signal

import pytest

import call_sites
import faults
import relay_server
from exposition import parse, value
from pairing import Invited, check_both_ways
from waiting import wait_for

pytestmark = faults.needs_memory  # the same library as for memory


@pytest.fixture
def sites(tmp_path):
    return call_sites.CallSites(tmp_path)


@pytest.fixture
def begin(start, our_program, tmp_path, sites):
    def begin_one(text):
        conf = tmp_path / "relay.conf"
        conf.write_text(text)
        return start(our_program, "-conf", conf, env=sites.environment)

    return begin_one


def serve(server, identities):
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())


def place(sites, call, is_it):
    """The place of that call, for which is_it(site), that was run since sites.begin()."""
    sites.end()
    site, = [site for site in sites.called() if site.call == call and is_it(site)]
    return site


def writes_files(site):
    return site.function == "file_write_all"


def test_the_log(begin, sites, tmp_path, identities):
    """Records are dropped and counted, and the file later says how many."""
    file = tmp_path / "relay.log"
    # The URI is read from stderr, so the log moves to the file later.
    server = begin("modules = { log, relay, status, prometheus }\n")
    (tmp_path / "relay.conf").write_text(
        "modules = { log, relay, status, prometheus }\n"
        f'log {{ target = file file = "{file}" level = debug }}\n')
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: file.exists() and "core: reloaded" in file.read_text(), "the log to move")
    sites.begin()
    serve(server, identities)
    write = place(sites, "write", lambda site: site.object == "log.so")
    sites.begin(write, length=call_sites.FOREVER)

    def dropped():
        serve(server, identities)
        found = parse(server.get("/metrics")[2].decode())
        return value(found, "strelaysrv_core_log_dropped_total")

    wait_for(dropped, "records to be dropped")
    server.wait_for_log("log: cannot write to the file: Input/output error")
    assert sites.end()

    def told():
        serve(server, identities)
        return "records could not be written here" in file.read_text()

    wait_for(told, "the loss to be told in the file")
    assert all(line[:2] == "20" for line in file.read_text().splitlines() if line)


def test_the_state_of_the_quota(begin, sites, tmp_path, identities):
    (tmp_path / "disk").mkdir()
    state = tmp_path / "disk" / "state"
    sites.begin()
    server = begin("modules = { log, relay, status, quota }\n"
                   f'quota {{ day = 1GB state-required = no state-file = "{state}" '
                   "save-interval = 1s }\n")
    serve(server, identities)
    wait_for(state.exists, "the first state")
    before = state.read_bytes()
    sites.begin(place(sites, "write", writes_files), length=call_sites.FOREVER)

    def told():
        serve(server, identities)
        return server.count("quota: cannot write .*state: Input/output error")

    wait_for(told, "the reason")
    assert state.read_bytes().splitlines()[0] == before.splitlines()[0], "half a state"
    used = server.status()["quota"]["dayBytes"]
    assert sites.end()

    def stored():
        """The file has each byte once; it counts twice, since it was received and sent."""
        return 2 * int(re.search(r"^day \d+ (\d+)$", state.read_text(), re.M)[1])

    wait_for(lambda: stored() >= used, "the state to be written later")
    assert sorted(path.name for path in state.parent.iterdir()) == ["state"], "a file is left"


def test_new_keys(sites, our_program, tmp_path):
    """The server does not start, says why, and leaves no half key."""
    def launch(keys, **options):
        keys.mkdir()
        return relay_server.start(our_program, tmp_path, keys=keys, env=sites.environment,
                                  **options)

    sites.begin()
    launch(tmp_path / "good").finish()
    sites.begin(place(sites, "write", writes_files), length=call_sites.FOREVER)
    keys = tmp_path / "bad"
    server = launch(keys, wait=False)
    assert server.wait_for_exit() == 1, server.log()
    assert server.count("(cert|key).pem.*Input/output error"), server.log()
    assert sites.end() and not list(keys.iterdir())
