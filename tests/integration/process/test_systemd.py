# SPDX-License-Identifier: MPL-2.0
"""The systemd units: they are valid, hardened, replace Debian's, and the server works under
them."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import warnings

import pytest

import sandbox
from pairing import Invited
from relay_server import ROOT, Program, RelayServer, run
from service_unit import UNIT, command, environment, settings, why_no_sandbox
from skip_unless import can_run

OURS = Program("ours", 2)
SOCKET = ROOT / "conf" / "strelaysrv.socket"
DEBIANS = pathlib.Path("/lib/systemd/system/syncthing-relaysrv.service")
#: What Debian installs as /etc/default/syncthing-relaysrv.
DEFAULTS = "# Default settings for syncthing-relaysrv (strelaysrv).\nNAT=true\n"


def missing(*tools):
    lacking = [tool for tool in tools if not shutil.which(tool)]
    if lacking:
        warnings.warn(f"SYSTEMD UNITS ARE NOT TESTED IN FULL: there is no {lacking[0]}")
    return pytest.mark.skipif(bool(lacking), reason=f"needs {lacking}")


needs_analyze = missing("systemd-analyze")


@needs_analyze
def test_the_units_are_valid(tmp_path):
    """The units name the program, so it must exist."""
    for unit in (UNIT, SOCKET):
        text = unit.read_text().replace("/usr/bin/strelaysrv", OURS.path)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name),
         str(tmp_path / SOCKET.name)], capture_output=True, text=True, check=False)
    # Other units of the machine may have errors.
    findings = [line for line in done.stderr.splitlines() if "strelaysrv" in line]
    assert not findings, findings


@needs_analyze
def test_the_service_is_hardened():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           str(UNIT)], capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level.group(1)) < 2.0, done.stdout


@pytest.mark.skipif(not DEBIANS.exists(), reason=f"there is no {DEBIANS}")
def test_the_service_takes_the_place_of_debians():
    ours, debians = settings(UNIT), settings(DEBIANS)
    for name in ("User", "Group", "WorkingDirectory", "WantedBy"):
        assert ours[name] == debians[name], name
    # Ours passes on more variables.
    assert set(debians["ExecStart"][0].split()) <= set(ours["ExecStart"][0].split())
    assert [path.lstrip("-") for path in ours["EnvironmentFile"]] == debians["EnvironmentFile"]
    assert ours["Alias"] == [DEBIANS.name]


@pytest.mark.skipif(not DEBIANS.exists(), reason=f"there is no {DEBIANS}")
@missing("systemctl")
def test_the_names_of_debians_service_change_hands(tmp_path):
    """The steps of README.md, in a folder that serves as the root directory."""
    def systemctl(*words):
        done = subprocess.run(["systemctl", f"--root={tmp_path}", *words], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr

    # systemctl of Debian 13 looks in /usr/lib only; /lib is a link to it.
    old, new = tmp_path / "usr/lib/systemd/system", tmp_path / "usr/local/lib/systemd/system"
    for folder in (old, new, tmp_path / "etc/systemd/system"):
        folder.mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    shutil.copy(DEBIANS, old)
    systemctl("enable", "syncthing-relaysrv")
    systemctl("disable", "syncthing-relaysrv")
    (old / DEBIANS.name).unlink()
    shutil.copy(UNIT, new)
    systemctl("enable", "strelaysrv")
    for name in ("syncthing-relaysrv.service", "multi-user.target.wants/strelaysrv.service"):
        link = tmp_path / "etc/systemd/system" / name
        assert os.readlink(link) == "/usr/local/lib/systemd/system/strelaysrv.service", name


@pytest.mark.parametrize("text, nat", [
    ("", "false"), (DEFAULTS, "true"), ("NAT=false\n", "false"),
    ('NAT=false\nSTRELAYSRV_OPTS=""\n', "false"),
    ('NAT=no\nSTRELAYSRV_OPTS="-provided-by=me -ping-interval 30s"\n', "no"),
], ids=["no-file", "debians", "without-nat", "empty-options", "options"])
def test_the_settings_of_debian_are_taken(tmp_path, relay_keys, text, nat):
    more = ["-keys", str(relay_keys), "-listen", "127.0.0.1:0", "-status-srv=", "-pools="]
    unit = settings(UNIT)
    given = environment(unit, text)
    check = command(unit, "ExecReload", given)
    assert check == ["-check", *command(unit, "ExecStart", given)]
    done = run(OURS, *check, *more, env={**os.environ, **given})
    assert done.returncode == 0, done.stderr
    enabled = "yes" if nat == "true" else "no"
    assert re.search(rf"\tenabled = {enabled} +# flag -nat$", done.stdout, re.MULTILINE)
    if "provided-by" in text:
        assert re.search(r'provided-by = "me" +# flag -provided-by', done.stdout)


with_sandbox = can_run("SYSTEM CALL FILTERS", why_no_sandbox())


@with_sandbox
def test_the_system_call_filter_lets_the_server_work(tmp_path, relay_keys, identities):
    """A system call that is not allowed would kill the server."""
    conf = tmp_path / "relay.conf"
    text = ("modules = { log, bounds, relay, nat, pool-join, rate-limit, status, control, quota, dashboard,"
            f' csv-exporter, prometheus }}\nlog {{ target = file\n file = "{tmp_path}/log" }}\n')
    conf.write_text(text)
    server = RelayServer(OURS, [
        sys.executable, sandbox.__file__, str(UNIT), OURS.path, "-conf", str(conf), "-keys",
        str(relay_keys), "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0", "-pools=",
        "-workers", "2", "-log.target", "stderr"], tmp_path)
    try:
        server.wait_until_serving()
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        assert "\nSeccomp:\t2\n" in status
        # The server's own filter, besides.
        if b"libseccomp.so" in pathlib.Path(OURS.path).read_bytes():
            server.wait_for_log("sandbox: system calls: the server's own set")
            assert "\nSeccomp_filters:\t2\n" in status
        with Invited(server, identities[0], identities[1]) as invited:
            first, second = invited.join_both()
            data = bytes(1 << 20)  # through pipes (splice) as well
            sender = threading.Thread(target=first.send_bytes, args=(data,))
            sender.start()
            assert second.receive_bytes(len(data)) == data
            sender.join()
        assert server.get("/metrics")[0] == 200
        conf.write_text(text + "debug = yes\n")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("core: reloaded")
    finally:
        code = server.stop()
    assert code == 0, server.log()


@with_sandbox
@pytest.mark.parametrize("code, killed", [
    ("pass", False),
    ("os.nice(5)", True),
    ("socket.socket(socket.AF_INET)", False),
    ("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", True),
    ("mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)", False),
    ("mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)", True),
])
def test_the_sandbox_of_that_test_works(code, killed):
    done = subprocess.run([sys.executable, sandbox.__file__, str(UNIT), sys.executable, "-c",
                           f"import mmap, os, socket; {code}"], capture_output=True, check=False)
    assert done.returncode == (-signal.SIGSYS if killed else 0), done
