# SPDX-License-Identifier: MPL-2.0
"""The sandbox: what a module may and may not do, at the start, after a reload and an upgrade.

The module `tempter` tries what is forbidden when it starts.  It is there three times: it declares
nothing, that it needs nothing, and what it needs."""

import ctypes
import os
import pathlib
import platform
import re
import signal
import sys

import pytest

import faults
import upgrading
from control_client import control_folder, controlled, told  # noqa: F401
from device_id import to_text
from module_server import ModuleServer, module_server  # noqa: F401
from privileges import why_no_packets
from relay_server import ROOT, Program, RelayServer
from skip_unless import can_run
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for

OURS = Program("ours", 2)
REFUSED, MISSING = "Operation not permitted", "Function not implemented"
DENIED = "Permission denied"
#: What every set refuses.
ALWAYS = {"trace": REFUSED, "memory": REFUSED, "mount": REFUSED, "namespace": REFUSED,
          "clone": REFUSED, "bpf": REFUSED}
#: What a module that declares that it needs nothing more cannot do either.
ITS_OWN = {**ALWAYS, "program": REFUSED, "packets": REFUSED, "raw": REFUSED, "family": REFUSED,
           "netlink": MISSING, "user": MISSING, "type": MISSING, "future": MISSING,
           "own-socket": "done"}
_LANDLOCK_VERSION = 444, None, 0, 1


def has_socketcall():
    """Whether glibc makes all sockets by one call, whose arguments no filter sees."""
    return platform.machine() in ("i386", "i486", "i586", "i686", "s390x")


#: What conf/SECURITY.md says of such machines.
KINDS_OF_SOCKETS = {"packets", "raw", "family", "netlink"}


def has_landlock():
    return ctypes.CDLL(None, use_errno=True).syscall(*_LANDLOCK_VERSION) > 0


def why_not():
    if faults.sanitized():
        return "a build with a sanitizer has none"
    program = pathlib.Path(OURS.path).read_bytes()
    return None if b"libseccomp.so" in program else "the server has no sandbox in this build"


pytestmark = can_run("THE SANDBOX", why_not())


def threads(server):
    """The interesting fields of /proc/PID/status of each thread."""
    found = []
    for task in os.listdir(f"/proc/{server.pid}/task"):
        text = pathlib.Path(f"/proc/{server.pid}/task/{task}/status").read_text(encoding="ascii")
        found.append({name: value for name, value in re.findall(r"^(\w+):\t(.*)$", text, re.M)
                      if name in ("NoNewPrivs", "Seccomp")})
    return found


def metrics(server):
    _, text = server.page("/metrics")
    return tuple(int(re.search(rf"^strelaysrv_core_sandbox_{name} (\d+)$", text, re.M).group(1))
                 for name in ("calls", "files"))


def results(server, module):
    return dict(line.split(": ", 1) for line in server.transcript(module))


def check(found, wanted):
    assert {name: found[name] for name in wanted} == wanted


def files(tmp_path, module):
    """The section of a tempter: files in a folder of the system, and a device."""
    return {module: {"file": "/usr/strelaysrv-tempter", "device": tmp_path / "device",
                     "written": tmp_path / "written"}}


def test_each_thread_has_it(module_server):  # noqa: F811
    server = module_server(["log", "relay", "prometheus"])
    server.wait_for_log("sandbox: system calls: the server's own set; files: ")
    found = threads(server)
    assert len(found) >= 3 and {"NoNewPrivs": "1", "Seccomp": "2"} == found[0], found
    assert all(one == found[0] for one in found), found
    assert metrics(server) == (2, 2 if has_landlock() else 0)


def test_off(module_server):  # noqa: F811
    server = module_server(["log", "relay", "prometheus"], sandbox="off")
    server.wait_for_log("sandbox: off: so it is configured")
    assert {one["Seccomp"] for one in threads(server)} == {"0"}
    assert metrics(server) == (0, 0)
    assert not [text for text in upgrading.child_stats(server.pid) if upgrading.LAUNCHER in text]


#: Runs a command in which seccomp(2) fails, as in some containers.
REFUSE = """
import ctypes, os, sys
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x7FFF0000)))
number = library.seccomp_syscall_resolve_name(b"seccomp")
assert library.seccomp_rule_add(context, ctypes.c_uint32(0x00050001), number, 0) == 0
assert library.seccomp_load(context) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_where_the_kernel_refuses_it(relay_keys, tmp_path):
    upgrading.adopt_orphans()
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, relay }\n")
    server = RelayServer(OURS, [sys.executable, "-c", REFUSE, OURS.path, "-conf", str(conf), "-keys",
                                str(relay_keys), "-listen", "127.0.0.1:0", "-status-srv="],
                         tmp_path)
    server.wait_for_log("warning core: sandbox: off: cannot filter system calls: " + REFUSED)
    server.wait_for_log("ready, with modules:")
    old = server.pid
    server.send_signal(signal.SIGUSR2)
    new = int(server.wait_for_log(r"process (\d+) serves; this one").group(1))
    wait_for(lambda: not upgrading.is_there(old), "the old process to end")
    os.kill(new, signal.SIGTERM)
    os.waitpid(new, 0)


def test_a_module_cannot_do_what_is_forbidden(module_server, tmp_path):  # noqa: F811
    module = "tempter-confined"
    server = module_server(["log", "relay", "status", module], sections=files(tmp_path, module))
    found = results(server, module)
    seen = KINDS_OF_SOCKETS if has_socketcall() else ()
    check(found, {name: what for name, what in ITS_OWN.items() if name not in seen})
    assert found["written-file"] == "done" and found["device"] == MISSING
    if has_landlock() and os.geteuid() == 0:
        assert found["system-file"] == DENIED
    assert server.get("/healthz")[0] == 200, "the server does not go on"


def test_a_module_gets_what_it_declares(module_server, tmp_path):  # noqa: F811
    module = "tempter-needs"
    server = module_server(["log", "relay", module], sections=files(tmp_path, module))
    found = results(server, module)
    check(found, {**ALWAYS, "program": "done", "netlink": "done", "user": MISSING})
    if not why_no_packets():
        check(found, {"packets": "done", "raw": "done"})


def test_a_module_that_declares_nothing_gets_the_wide_set(module_server, tmp_path):  # noqa: F811
    server = module_server(["log", "relay", "prometheus", "tempter"],
                           sections=files(tmp_path, "tempter"))
    server.wait_for_log("sandbox: module tempter does not say which system calls it needs, so a "
                        "wide set is allowed")
    check(results(server, "tempter"), {**ALWAYS, "program": "done", "user": "done",
                                       "netlink": "done", "future": MISSING})
    assert metrics(server) == (1, 1 if has_landlock() else 0)
    if has_landlock() and os.geteuid() == 0:
        assert results(server, "tempter")["device"] == DENIED


@pytest.mark.parametrize("module, why", [
    ("tempter", "it does not say which system calls it needs"),
    ("tempter-needs", "it needs to start programs")])
def test_a_reload_cannot_widen_it(module_server, tmp_path, module, why):  # noqa: F811
    server = module_server(["log", "relay"], installed=[module])
    server.configure(["log", "relay", module], files(tmp_path, module))
    server.reload()
    server.wait_for_log(rf"module {module}: {why}, and the sandbox of this process allows no more "
                        r"than at its start; a restart or an upgrade \(SIGUSR2\) does")
    server.wait_for_log("core: not reloaded")
    assert not results(server, module)
    server.configure(["log", "relay", "status"])
    server.reload()
    server.wait_for_log("reloaded, with modules: log, relay, status")


def test_an_upgrade_widens_it(module_server, tmp_path):  # noqa: F811
    upgrading.adopt_orphans()
    module = "tempter-needs"
    server = module_server(["log", "relay"], installed=[module])
    old = server.pid
    server.configure(["log", "relay", module], files(tmp_path, module))
    server.send_signal(signal.SIGUSR2)
    new = int(server.wait_for_log(r"process (\d+) serves; this one").group(1))
    try:
        check(results(server, module), {**ALWAYS, "program": "done"})
        parents = [text.split()[0] for text in upgrading.child_stats(old)]
        assert str(new) in parents, "the new process is no child of the old one"
        status = pathlib.Path(f"/proc/{new}/status").read_text(encoding="ascii")
        assert "Seccomp:\t2" in status and "Seccomp_filters:\t1" in status, status
    finally:
        wait_for(lambda: not upgrading.is_there(old), "the old process to end")
        os.kill(new, signal.SIGTERM)
        os.waitpid(new, 0)


def test_upgrades_of_upgrades(start_upgrading):  # noqa: F811
    """Sandboxes do not pile up: the kernel refuses more than 16 layers of Landlock."""
    server = start_upgrading("-drain-spread", "0s")
    for _ in range(2):
        server.upgrade()
    status = pathlib.Path(f"/proc/{server.serving}/status").read_text(encoding="ascii")
    assert "Seccomp_filters:\t1" in status, status


def launcher_of(server):
    return next(int(text.split()[0]) for text in upgrading.child_stats(server.pid)
                if upgrading.LAUNCHER in text)


def test_the_launcher_keeps_nothing_and_ends_with_the_server(relay_keys, tmp_path):
    server = ModuleServer(tmp_path, relay_keys, ["log", "relay"])
    server.wait_for_log("ready, with modules:")
    launcher = launcher_of(server)
    assert sorted(map(int, os.listdir(f"/proc/{launcher}/fd"))) == [0, 1, 2, 3]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGINT):
        os.kill(launcher, number)
    assert upgrading.is_there(launcher)
    server.process.kill()
    wait_for(lambda: not upgrading.is_there(launcher), "the launcher to end")
    server.wait_for_exit()


def test_without_the_launcher_an_upgrade_fails_and_the_server_goes_on(module_server):  # noqa: F811
    server = module_server(["log", "relay", "status"])
    launcher = launcher_of(server)
    os.kill(launcher, signal.SIGKILL)
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log(rf"upgrade failed: cannot start .*the process that starts programs, "
                        rf"{launcher}, does not answer")
    assert server.get("/healthz")[0] == 200


@can_run("LANDLOCK", None if has_landlock() and os.geteuid() == 0 else "needs root and Landlock")
def test_files_that_are_written_stay_writable_and_no_others(module_server, tmp_path):  # noqa: F811
    module = "tempter-confined"
    sections = files(tmp_path, module)
    sections[module]["written"] = "/usr/share/strelaysrv-tempter"
    server = module_server(["log", "relay", module], sections=sections)
    check(results(server, module), {"system-file": DENIED, "written-file": "done"})
    server.configure(["log", "relay", module, "csv-exporter"], {
        **sections, "csv-exporter": {"file": "/usr/lib/strelaysrv-tempter.csv"}})
    server.reload()
    server.wait_for_log(r'module csv-exporter: file = "/usr/lib/strelaysrv-tempter.csv": the '
                        r"sandbox of this process lets it write nothing in that folder; a "
                        r"restart or an upgrade \(SIGUSR2\) does")
    server.wait_for_log("core: not reloaded")


@can_run("LANDLOCK", None if has_landlock() and os.geteuid() == 0 else "needs root and Landlock")
def test_bans_are_kept_in_a_folder_of_the_system(controlled, identities):  # noqa: F811
    bans = pathlib.Path(f"/usr/share/strelaysrv-bans-{os.getpid()}")
    bans.write_text("new\n")
    try:
        server = controlled(modules=["log", "relay", "access", "control"],
                            sections={"access": {"bans": str(bans)}})
        told(server, "ban", to_text(identities[0].id))
        assert to_text(identities[0].id) in bans.read_text()
    finally:
        bans.unlink()


@pytest.mark.parametrize("module", sorted(path.name for path in (ROOT / "modules").iterdir()
                                          if (path / "CMakeLists.txt").exists()))
def test_each_module_of_ours_declares_what_it_needs(module):
    """One that does not gives the whole process the wide set; a file that it writes, and no option
    names, cannot be in a folder of the system."""
    text = "".join(path.read_text() for path in (ROOT / "modules" / module).rglob("*.c"))
    assert re.search(r"\.flags = .*\bRELAY_CONFINED\b", text)
    writes = re.search(r"\brelay_file_(replace|append)", text)
    assert not writes or "RELAY_OPTION_WRITTEN" in text, "no option for what it writes"
