# SPDX-License-Identifier: MPL-2.0
"""The module control and its client, strelaysrv -ctl: what an operator sees and does."""

import json
import os
import pty
import re
import socket
import stat
import subprocess
import sys

import pytest

from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, shown, told,
)
from faults import preload
from module_server import ModuleServer, failing_start, module_server  # noqa: F401
from pairing import Invited, check_both_ways
from privileges import UID, why_no_other_user
from relay_server import Program, RelayServer, module_folder, run
from skip_unless import can_run

NO_SERVER, REFUSED = 3, 4


def test_status_says_what_the_server_does(controlled):
    server = controlled(workers=3)
    (status,) = shown(server, "status")
    assert status["state"] == "serves" and status["process"] == server.pid
    assert status["workers"] == 3 and status["sessions"] == 0
    assert status["id"] in server.log()
    text = told(server, "status")
    assert re.search(r"^state +serves$", text, re.MULTILINE), text
    assert re.search(r"^memory +\d+(\.\d)? MiB$", text, re.MULTILINE), text


def test_modules_and_help_list_what_runs(controlled):
    server = controlled()
    assert [row["module"] for row in shown(server, "modules")] == MODULES
    commands = {row["command"].split()[0]: row["module"] for row in shown(server, "help")}
    assert commands["status"] == "control" and commands["log-level"] == "log"
    assert told(server) == told(server, "help")
    assert [row["command"] for row in shown(server, "help", "reload")] == ["reload"]


def test_answers_have_a_version_and_describe_their_tables(controlled):
    found = answer(controlled(), "modules")
    assert found["version"] == 1 and found["code"] == 0 and found["messages"] == []
    (table,) = found["tables"]
    assert table["columns"][4] == {"name": "failures", "unit": "", "align": "right"}
    assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_wrong_commands_are_explained_and_exit_with_2(controlled):
    server = controlled()
    for words, said in ((["statsu"], "did you mean one of: (.*, )?status;"), (["status", "now"], "usage: status"),
                        (["drain", "maybe"], r"usage: drain \[cancel\]"),
                        (["log-level", "loud"], "usage: log-level"), (["help", "x"], "no command")):
        done = ctl(server, *words)
        assert done.returncode == 2 and not done.stdout, (words, done)
        assert re.search(said, done.stderr), done.stderr
    done = ctl(server, "two words")
    assert done.returncode == 2 and "spaces" in done.stderr


def test_reload_says_whether_it_succeeded(controlled):
    server = controlled()
    assert told(server, "reload") == "reloaded\n"
    good = server.conf.read_text()
    server.conf.write_text(good + "nonsense = 3\n")
    done = ctl(server, "reload")
    assert done.returncode == 1 and "not reloaded" in done.stderr, done
    assert "core: not reloaded" in server.log()
    server.conf.write_text(good)
    assert told(server, "reload") == "reloaded\n"


def test_a_drain_begins_and_is_cancelled(controlled, identities):
    server = controlled()
    with Invited(server, identities[0], identities[1]) as invited:
        pair = invited.join_both()
        assert "draining" in told(server, "drain")
        assert shown(server, "status")[0]["state"] == "drains"
        done = ctl(server, "drain")
        assert done.returncode == 1 and "drains already" in done.stderr
        assert "newcomers" in told(server, "drain", "cancel")
        done = ctl(server, "drain", "cancel")
        assert done.returncode == 1 and "does not drain" in done.stderr
        check_both_ways(*pair)


def test_changes_are_logged_with_who_made_them(controlled):
    server = controlled()
    told(server, "log-level", "info")
    line = server.wait_for_log(r"control: command: log-level info user=(\d+) process=\d+")
    assert int(line.group(1)) == os.getuid()
    for shows in (["status"], ["log-level"], ["limit"]):
        told(server, *shows)
    told(server, "log-level", "debug")
    server.wait_for_log("control: command: log-level debug ")
    assert server.count("control: command: ") == 2


def test_changes_are_logged_whatever_the_level_is(controlled):
    """Nobody hides what he changes by what he hides before."""
    server = controlled()
    told(server, "log-level", "error")
    server.wait_for_log("control: command: log-level error ")
    before = server.count(" notice ")
    told(server, "limit", "session", "1MB/s")
    told(server, "limit", "session", "0")
    server.wait_for_log("notice control: command: limit session 0 user=")
    assert server.count(" notice ") == before + 2, server.log()


def test_the_log_level_changes_until_the_next_reload(controlled):
    server = controlled()
    assert "debug and above is logged" in told(server, "log-level", "debug")
    assert shown(server, "log-level") == [{"level": "debug", "configured": "info"}]
    socket.create_connection(server.address).close()
    server.wait_for_log(" debug ")
    told(server, "reload")
    assert shown(server, "log-level") == [{"level": "info", "configured": "info"}]


def test_colours_are_only_for_terminals(controlled):
    server = controlled()
    assert "\033" not in told(server, "status")
    for env, coloured in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
                          ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        subprocess.run([Program("ours").path, "-conf", str(server.conf), "-ctl", "status"],
                       stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, check=True,
                       env={**os.environ, "NO_COLOR": "", **env})
        os.close(theirs)
        text = os.read(ours, 65536)
        os.close(ours)
        assert (b"\033[1m" in text) == coloured, (env, text)


def test_without_a_server_the_client_says_where_it_looked(controlled, control_folder):  # noqa: F811
    server = controlled()
    server.stop()
    assert not server.socket.exists()
    done = ctl(server, "status")
    assert done.returncode == NO_SERVER and str(server.socket) in done.stderr, done
    done = ctl(server, "-draining", "status")
    assert done.returncode == NO_SERVER
    assert f"no process drains after an upgrade: nobody listens here: {server.socket}.draining" in done.stderr
    done = ctl(server, "log-level info")
    assert done.returncode == 2 and "of its own, without spaces: log-level info\n" in done.stderr
    done = run(Program("ours"), "-json")
    assert done.returncode == 2 and "-json and -draining are for -ctl" in done.stderr


def test_a_stale_socket_is_replaced_and_one_in_use_is_not(controlled, control_folder,  # noqa: F811
                                                        failing_start):  # noqa: F811
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(control_folder / "s"))
        stale.listen()
    server = controlled()
    told(server, "status")
    code, log = failing_start(["log", "control"],
                              sections={"control": {"socket": str(server.socket)}})
    assert code == 1 and f"is in use by process {server.pid}" in log, log
    told(server, "status")


def test_a_path_that_cannot_be_taken_is_an_error(control_folder, failing_start):  # noqa: F811
    (control_folder / "file").write_text("mine")
    for path, said in ((control_folder / "file", "exists and is no socket"),
                       (control_folder / "none" / "s", "No such file or directory"),
                       ("relative", "must be a full path"),
                       (control_folder / ("x" * 120), "")):
        code, log = failing_start(["log", "control"], sections={"control": {"socket": str(path)}})
        assert code == 1 and said in log, log
    assert (control_folder / "file").read_text() == "mine"
    code, log = failing_start(["log", "control"], sections={"control": {
        "socket": str(control_folder / "s"), "group": "no such group"}})
    assert code == 1 and 'there is no group "no such group"' in log, log


def test_the_rights_of_a_planted_link_are_not_changed(control_folder, failing_start,  # noqa: F811
                                                      monkeypatch):
    """The socket gets its rights after it was made; others may write to its folder."""
    victim = control_folder / "victim"
    victim.write_text("")
    victim.chmod(0o600)
    monkeypatch.setenv("LD_PRELOAD", preload("planted_link.so"))
    monkeypatch.setenv("PLANTED_LINK", str(victim))
    # The sandbox forbids symlink(2), by which the library plays the other user.
    code, log = failing_start(["log", "control"], sandbox="off", sections={"control": {
        "socket": str(control_folder / "s"), "mode": "0666"}})
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert code == 1 and "s: somebody has put another file in its place" in log, log


def test_without_a_folder_for_it_there_is_one_line_and_no_socket(module_server,  # noqa: F811
                                                                monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")
    server = module_server(MODULES)
    assert server.count("control: no commands by -ctl: ") == 1
    assert server.count("control: ") == 1


def test_control_runs_by_default_and_a_first_start_is_no_fault(tmp_path, relay_keys, control_folder,
                                                               monkeypatch):
    """As a normal user, who cannot write the folder; and with the unit's folder."""
    command = [Program("ours").path, "-keys", str(relay_keys), "-listen", "127.0.0.1:0",
               "-status-srv", "127.0.0.1:0", "-pools=", "-module-dir", str(module_folder())]
    for folder, lines in (("/nowhere", 1), (str(control_folder), 0)):
        monkeypatch.setenv("RUNTIME_DIRECTORY", folder)
        server = RelayServer(Program("ours"), command, tmp_path)
        try:
            server.wait_until_serving()
            assert server.log().count(" control: ") == lines
            assert server.log().count(" info control: no commands by -ctl: ") == lines
            assert not re.search(" (warning|error) control", server.log())
            done = run(Program("ours"), *command[1:], "-ctl", "status")
            assert done.returncode == (NO_SERVER if lines else 0), done
        finally:
            server.finish()


def test_the_folder_of_the_unit_is_used(control_folder, relay_keys, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{control_folder}:/elsewhere")
    server = ModuleServer(control_folder, relay_keys, MODULES)
    try:
        server.wait_for_log("ready, with modules:")
        assert stat.S_ISSOCK((control_folder / "control.sock").stat().st_mode)
        told(server, "status")
    finally:
        server.finish()
    assert not (control_folder / "control.sock").exists()


def test_a_reload_moves_the_socket(controlled, control_folder):  # noqa: F811
    server = controlled()
    server.configure(MODULES, {"control": {"socket": str(control_folder / "t"), "mode": "0600"}})
    done, news = server.reload()
    assert done, news
    assert not server.socket.exists()
    assert stat.S_IMODE((control_folder / "t").stat().st_mode) == 0o600
    told(server, "status")
    # A refused reload leaves the socket as it is.
    server.configure(MODULES, {"control": {"socket": str(control_folder / "t"), "mode": "0660"},
                               "log": {"target": "file", "file": "/nowhere/log"}})
    done, news = server.reload()
    assert not done, news
    assert stat.S_IMODE((control_folder / "t").stat().st_mode) == 0o600
    server.configure(MODULES, {"control": {"socket": str(control_folder / "t"), "mode": "0600"}})
    told(server, "status")
    # Here control has prepared its new socket before another module fails.
    server.configure([*MODULES[1:], "log"], {"control": {"socket": str(control_folder / "u")},
                                             "log": {"target": "file", "file": "/nowhere/log"}})
    done, news = server.reload()
    assert not done and "/nowhere/log" in news, news
    server.configure(MODULES, {"control": {"socket": str(control_folder / "t"), "mode": "0600"}})
    told(server, "status")
    assert sorted(path.name for path in control_folder.iterdir()) == ["strelaysrv.conf", "t"]


@can_run("OTHER USERS", why_no_other_user())
@pytest.mark.parametrize("words", [["-check"], ["-listen", "127.0.0.1:0", "-status-srv="]])
def test_a_folder_without_rights_is_an_error_if_it_was_asked_for(control_folder, words):  # noqa: F811
    control_folder.chmod(0o755)
    own = control_folder / "own"
    own.mkdir()
    os.chown(own, UID, UID)
    command = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", Program("ours").path,
               "-keys", str(own), "-module-dir", str(module_folder()), "-pools="]
    done = subprocess.run([*command, *words, "-control.socket", str(control_folder / "s")],
                          cwd=own, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "Permission denied" in done.stderr, done
    assert str(control_folder / "s") in done.stderr


@can_run("OTHER USERS", why_no_other_user())
def test_others_are_refused_and_members_of_the_group_are_not(controlled, control_folder):  # noqa: F811
    control_folder.chmod(0o755)
    server = controlled(control={"mode": "0666", "group": "daemon"})
    server.conf.chmod(0o644)
    stranger = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    request = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n" \
              "s.sendall(b'status\\n')\nd=b''\nwhile p:=s.recv(9999): d+=p\nprint(d.decode())"
    found = json.loads(subprocess.run([*stranger, sys.executable, "-c", request, str(server.socket)],
                                      capture_output=True, text=True, check=True).stdout)
    assert found["code"] == REFUSED and found["tables"] == []
    assert f"user {UID} may not give commands" in found["messages"][0]
    server.wait_for_log(f"refused a command of user {UID}")
    member = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--groups=daemon"]
    found = json.loads(subprocess.run([*member, sys.executable, "-c", request, str(server.socket)],
                                      capture_output=True, text=True, check=True).stdout)
    assert found["code"] == 0, found
    server.configure(MODULES, {"control": {"socket": str(server.socket), "group": "daemon"}})
    assert told(server, "reload") == "reloaded\n"
    done = subprocess.run([*stranger, sys.executable, "-c", request, str(server.socket)],
                          capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr
