# SPDX-License-Identifier: MPL-2.0
"""The table of guards in modules/README.md: each of its rows is tried against a real server.

As root only: the server runs as another user, who may not read everything."""

import os
import re
import signal

import pytest

import bad_files
from bad_files import BEGIN, END, READERS, STATES
from guard_place import check_shut, make_place, of_identity
from privileges import why_no_other_user
from relay_server import ROOT, Program, RelayServer
from skip_unless import can_run
from upgrading import is_there
from waiting import wait_for

pytestmark = can_run("BAD FILES", why_no_other_user())

PAGE = (ROOT / "modules" / "README.md").read_text()
ROWS = bad_files.rows(PAGE)
GUARDS = {reader.guard: reader for reader in READERS if reader.guard}


def test_the_page_has_every_guard_and_state():
    assert f"{BEGIN}\n{bad_files.table()}{END}" in PAGE, f"put it there:\n{bad_files.table()}"
    assert {state for _, state, *_ in ROWS} >= set(STATES)


def check_action(place, words, action):
    code, said = place.end(*action)
    assert words == "error"
    assert code == 1 and place.reader.file in said, f"{action}: {code} {said}"


def check_reload(place, words, server):
    done, news = server.reload()
    if words == "refused or written anew, the count stays":
        assert done or place.reader.file in news, news
    else:
        assert words == "refused, the old stays"
        assert not done and place.reader.file in news, news


def end_process(pid):
    if is_there(pid):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_there(pid), f"the end of process {pid}")


def check_upgrade(words, server):
    """The pid of the process that serves now, if it is another one."""
    server.send_signal(signal.SIGUSR2)
    failed = "core: upgrade failed: the new process .* goes on as before"
    end = server.wait_for_log(rf"{failed}|core: process (\d+) serves; this one")
    if words == "fails, the old process goes on":
        assert not end.group(1), server.log()
    else:
        assert words == "fails or written anew, the count stays"
    assert end.group(1) or server.running()
    return int(end.group(1)) if end.group(1) else None


@pytest.mark.parametrize("guard, state, on_check, on_start, on_reload, on_upgrade", ROWS)
def test_row(identities, guard, state, on_check, on_start, on_reload, on_upgrade):
    reader, new = of_identity(GUARDS[guard], identities[0]), None
    with make_place(reader) as place:
        server = RelayServer(Program("ours", 2), place.command(), place.folder)
        try:
            server.wait_until_serving()
            check_shut(reader, server, identities[0])
            assert bad_files.put(reader, place.folder, state)
            check_reload(place, on_reload, server)
            check_shut(reader, server, identities[0])
            assert bad_files.put(reader, place.folder, state)
            new = check_upgrade(on_upgrade, server)
            check_shut(reader, server, identities[0])
        finally:
            if new:
                end_process(new)
            server.finish()
        assert bad_files.put(reader, place.folder, state)
        check_action(place, on_check, ("-check",))
        check_action(place, on_start, ())


def test_a_count_stays_when_the_file_is_written_anew(identities):
    reader = GUARDS["`quota.state-file`"]
    with make_place(reader) as place:
        server = RelayServer(Program("ours", 2), place.command(), place.folder)
        try:
            server.wait_until_serving()
            state = place.folder / reader.file
            state.unlink()
            wait_for(state.exists, "the file")
            assert [line.split()[2] for line in state.read_text().splitlines()[1:]] == 2 * [
                str(bad_files.USED)]
            check_shut(reader, server, identities[0])
        finally:
            server.finish()
