# SPDX-License-Identifier: MPL-2.0
"""Privileges: root's rights are given up permanently, and keys cannot be read by others.

Ports below 1024 are bound in network namespaces."""

import contextlib
import os
import pathlib
import pwd
import resource
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import warnings

import pytest

import certificates
import faults
import upgrading
from gateway import call_in
from module_server import ModuleServer, folder_of
from open_folder import folder  # noqa: F401
from privileges import flags_to_be_seen, why_no_network, why_no_other_user, why_no_owner
from relay_server import Program, RelayServer, module_folder, run
from skip_unless import can_run
from waiting import PATIENCE, wait_for

OURS = Program("ours", 2)
#: The user that the server switches to.  No other process of the machine has this ID.
UID, GID = 64701, 64702
USER = ["-user", str(UID), "-group", str(GID)]
ALL_NONE = "0" * 16


def why_not():
    """Why such tests cannot run on this machine, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("unshare", "setpriv", "ip"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"needs {tool}"
    return why_no_network() or why_no_other_user()


as_root = can_run("SERVERS STARTED BY ROOT", why_not())


@pytest.fixture
def keys(folder):
    return hand_over(certificates.make(name="strelaysrv").write(folder / "keys"))


def hand_over(keys, uid=UID, gid=GID):
    """Gives the keys to the user, as an operator does once."""
    for path in (keys, *keys.iterdir()):
        if not why_no_owner():
            os.chown(path, uid, gid)
    return keys


#: Runs a command in a network namespace with loopback, without changing its pid.
ALONE = ["unshare", "-n", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


@pytest.fixture
def serve(folder):
    """serve(conf, *args, ...) starts our server in the folder; it becomes ready, or must fail."""
    with contextlib.ExitStack() as servers:

        def start(conf, *args, keys, prefix=(), modules=(), ready=True, **options):
            (folder / "relay.conf").write_text(conf + "\n")
            folders = [module_folder(), *map(folder_of, modules)]
            command = [*prefix, OURS.path, "-conf", str(folder / "relay.conf"), "-keys", str(keys),
                       "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0", "-pools=",
                       "-workers", "2", *([] if "module-dir" in conf else ["-module-dir", ",".join(map(str, folders))]),
                       *args]
            server = RelayServer(OURS, command, folder, **options)
            servers.callback(server.finish if ready else server.process.kill)
            if ready:
                server.wait_until_serving()
            return server

        yield start


def reload(server):
    """Reloads; returns whether that succeeded."""
    done = server.log().count("core: reloaded") + server.log().count("core: not reloaded")
    good = server.log().count("core: reloaded")
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: server.log().count("core: reloaded")
             + server.log().count("core: not reloaded") > done, "the reload")
    return server.log().count("core: reloaded") > good


def fields(text):
    return {name: value.split() for name, _, value in
            (line.partition(":") for line in text.splitlines())}


def status(server, task=None):
    """The fields of /proc/PID/status, of the process or a thread."""
    folder = pathlib.Path(f"/proc/{server.pid}")
    return fields(((folder / "task" / task if task else folder) / "status").read_text())


def threads(server):
    """The status of each thread, except ThreadSanitizer's own, which is older than main()."""
    found = [status(server, task) for task in os.listdir(f"/proc/{server.pid}/task")]
    if b"__tsan_init" in pathlib.Path(OURS.path).read_bytes():
        own = [one for one in found if one["NoNewPrivs"] == ["0"]]
        assert len(own) <= 1, f"{len(own)} threads have kept their rights, want the sanitizer's"
        found = [one for one in found if one not in own]
    return found


def check_nobody_special(server, uid=UID, gid=GID):
    found = threads(server)
    assert len(found) >= 3, f"want control and two workers at least: {found}"
    for one in found:
        assert one["Uid"] == [str(uid)] * 4, one["Uid"]
        assert one["Gid"] == [str(gid)] * 4, one["Gid"]
        assert one["Groups"] == [], one["Groups"]
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert one[name] == [ALL_NONE], f"{name}: {one[name]}"
        assert one["NoNewPrivs"] == ["1"]


def shake_hands(address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["bep-relay"])
    with socket.create_connection(address, timeout=PATIENCE) as raw:
        with context.wrap_socket(raw) as wrapped:
            return wrapped.getpeercert(True)


@as_root
def test_root_binds_everything_and_becomes_the_user_for_good(serve, keys):
    server = serve("", *USER, "-listen", ":443", "-status-srv", ":80", keys=keys, prefix=ALONE)
    check_nobody_special(server)
    assert server.listening_ports() == {80, 443}
    server.wait_for_log(f"runs as user {UID} and group {GID}")
    space = f"/proc/{server.pid}/ns/net"
    assert call_in(space, lambda: shake_hands(("127.0.0.1", 443)))
    assert call_in(space, server.status)["numConnections"] >= 0
    assert reload(server)
    check_nobody_special(server)


@as_root
def test_an_upgrade_goes_on_without_roots_rights(serve, keys):
    """The new process could not bind these ports; it inherits the sockets."""
    upgrading.adopt_orphans()
    server = serve("", *USER, "-listen", ":443", "-status-srv", ":80", "-drain-spread", "0s",
                   keys=keys, prefix=ALONE)
    space = f"/proc/{server.pid}/ns/net"
    for _ in range(2):
        old = server.pid
        server.send_signal(signal.SIGUSR2)
        new = int(server.wait_for_log(rf"process (\d+) serves; this one, {old}, drains").group(1))
        os.kill(old, signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        server.process = upgrading.Orphan(new)
        check_nobody_special(server)
        assert server.listening_ports() == {80, 443}
        space = f"/proc/{server.pid}/ns/net"
        assert call_in(space, lambda: shake_hands(("127.0.0.1", 443)))
        assert call_in(space, server.status)["numConnections"] >= 0


@as_root
def test_a_user_has_a_name_and_a_group(serve, keys):
    nobody = pwd.getpwnam("nobody")
    hand_over(keys, nobody.pw_uid, nobody.pw_gid)
    server = serve("user = nobody\n", keys=keys)
    check_nobody_special(server, nobody.pw_uid, nobody.pw_gid)


@as_root
def test_new_keys_belong_to_the_user_who_can_start_with_them(serve, folder):
    keys = folder / "new"
    keys.mkdir()
    server = serve("", *USER, keys=keys)
    for name, mode in (("key.pem", 0o600), ("cert.pem", 0o644)):
        info = (keys / name).stat()
        assert (info.st_uid, info.st_gid) == (UID, GID), name
        assert stat.S_IMODE(info.st_mode) == mode
    assert sorted(path.name for path in keys.iterdir()) == ["cert.pem", "key.pem"]
    assert "cannot read" not in server.log()
    again = serve("", *USER, keys=keys, prefix=[
        "setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"])
    assert again.query["id"] == server.query["id"]
    check_capless(again)


def check_capless(server):
    for one in threads(server):
        assert one["CapEff"] == one["CapPrm"] == one["CapAmb"] == [ALL_NONE]
        assert one["NoNewPrivs"] == ["1"]


@as_root
def test_what_modules_open_is_the_users_and_a_reload_can_open_it_again(serve, folder, keys):
    state = folder / "state"
    state.mkdir()
    os.chown(state, UID, GID)
    conf = ("modules = { log, relay, quota, csv-exporter }\n"
            f'log {{ target = file\n file = "{state}/log" }}\n'
            f'quota {{ state-file = "{state}/quota" }}\n'
            f'csv-exporter {{ file = "{state}/csv"\n interval = 1s }}\n')
    server = serve(conf, *USER, keys=keys, ready=False)
    wait_for(lambda: (state / "log").exists() and "core: ready" in (state / "log").read_text(),
             lambda: f"the log file; stderr: {server.log()}")
    (state / "log").rename(state / "log.1")
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: (state / "log").exists() and "core: reloaded" in (state / "log").read_text(),
             "the new log file")
    wait_for((state / "csv").exists, "the metrics")
    assert server.stop() == 0
    assert {path.name for path in state.iterdir()} == {"log", "log.1", "quota", "csv"}
    for path in state.iterdir():
        assert (path.stat().st_uid, path.stat().st_gid) == (UID, GID), path


@as_root
def test_a_port_of_root_that_a_reload_wants_is_told_to_need_a_restart(serve, folder, keys):
    modules = "modules = { log, relay%s }\n"
    server = serve(modules % ", status", *USER, "-status-srv", ":80", keys=keys, prefix=ALONE)
    assert server.listening_ports() >= {80}
    for names in ("", ", status"):
        (folder / "relay.conf").write_text(modules % names)
        assert reload(server)
    server.wait_for_log(r"cannot open the status address :80: Permission denied; the server has "
                        r"given up the rights for that at its start: it needs a restart")
    assert server.running()


@as_root
def test_a_file_that_the_user_cannot_read_is_told_at_once_and_fails_a_reload(
        serve, folder, keys):
    (folder / "relay.conf").touch(mode=0o600)
    hand_over(keys, 0, 0)
    server = serve("modules = { log, relay, status }\n", *USER, keys=keys)
    server.wait_for_log(rf"warning core: the user {UID} cannot read all that a start by root can, "
                        rf"so no reload and no upgrade will succeed: .*relay\.conf")
    server.wait_for_log(rf"the user {UID} cannot read \S+key\.pem .*chown it to the user")
    assert not reload(server)
    assert server.running()
    os.chmod(folder / "relay.conf", 0o644)
    assert reload(server)


@as_root
@pytest.mark.parametrize("what", ["included", "modules", "modules-of-file"])
def test_what_only_the_start_can_read_is_told_once(serve, folder, keys, what):
    text = "modules = { log, relay, status }\n"
    closed = folder / "closed"
    args = []
    if what == "included":
        closed.write_text("drain-timeout = 2h\n")
        text += f'include("{closed}")\n'
    elif what == "modules":
        closed.mkdir()
        args = ["-module-dir", f"{module_folder()},{closed}"]
    else:
        closed.mkdir()
        text += f'module-dir = {{ "{module_folder()}", "{closed}" }}\n'
    closed.chmod(0o700)
    server = serve(text, *USER, *args, keys=keys)
    server.wait_for_log(rf"the user {UID} cannot read all that a start by root can, so no reload "
                        rf"and no upgrade will succeed: .*{closed}")
    assert server.count("no reload and no upgrade") == 1
    assert not reload(server)
    os.chown(closed, UID, GID)
    assert reload(server)


@pytest.mark.parametrize("args, want", [
    (["-user", "no-such-user"], 'there is no user "no-such-user"'),
    (["-user", "nobody", "-group", "no-such-group"], 'there is no group "no-such-group"'),
    (["-user", "root"], 'the user "root" is root'),
    (["-user", "0"], 'the user "0" is root'),
    (["-user", "4294967295"], 'there is no user "4294967295"'),
    (["-user", "-1"], 'there is no user "-1"'),
    (["-user", "64701"], "no user has the number 64701"),
    (["-group", "nogroup"], "the option group needs the option user"),
], ids=lambda value: "" if isinstance(value, str) else " ".join(value))
def test_a_user_that_is_none_ends_the_start(serve, folder, keys, args, want):
    before = sorted(folder.rglob("*"))
    server = serve("", *args, keys=keys, ready=False)
    assert server.wait_for_exit() == 1
    assert want in server.log()
    assert "listening" not in server.log()
    assert sorted(folder.rglob("*")) == sorted([*before, folder / "relay.conf"])


@as_root
def test_a_user_that_only_root_could_become_ends_the_start(serve, keys):
    mere = ["setpriv", "--reuid=64703", "--regid=64703", "--clear-groups"]
    server = serve("", *USER, keys=keys, prefix=mere, ready=False)
    assert server.wait_for_exit() == 1
    assert f"cannot become the user {UID}: only root can" in server.log()


@as_root
def test_a_root_that_may_not_change_ends_the_start(serve, keys):
    server = serve("", *USER, keys=keys, ready=False,
                   prefix=["setpriv", "--bounding-set=-setuid,-setgid"])
    assert server.wait_for_exit() == 1
    assert "cannot leave the groups of root: Operation not permitted" in server.log()


@as_root
def test_capabilities_of_another_user_are_given_up(serve, keys):
    capable = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups",
               "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    server = serve("", "-listen", ":443", "-status-srv", ":80", keys=keys, prefix=[*ALONE, *capable])
    assert server.listening_ports() == {80, 443}
    check_capless(server)


@as_root
def test_who_stays_root_is_told(serve, keys):
    server = serve("", keys=keys)
    server.wait_for_log("notice core: runs as root; with the option user it would not have to")
    assert status(server)["NoNewPrivs"] == ["1"]


# Keys.


@pytest.mark.parametrize("mode, told", [(0o600, False), (0o400, False), (0o640, True),
                                        (0o604, True), (0o620, True)], ids=oct)
def test_a_key_for_others_is_told(start, plain_program, tmp_path, mode, told):
    keys = certificates.make(name="strelaysrv").write(tmp_path / "keys")
    (keys / "key.pem").chmod(mode)
    server = start(plain_program, keys=keys)
    want = f"others than its owner may use {keys}/key.pem (mode {mode:04o})"
    assert (want in server.log()) == told, server.log()
    checked = run(plain_program, "-check", "-pools=", "-keys", str(keys), "-listen", "127.0.0.1:0",
                  "-status-srv=")
    assert checked.returncode == 0 and (want in checked.stderr) == told


# Core dumps.


def core_pattern():
    return pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()


class Crashing(ModuleServer):
    """A server that crashes at its first connection and may write a core file of any size."""

    def __init__(self, folder, keys, *args):
        before = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        try:
            super().__init__(folder, keys, ["log", "crash-in-hook"], args=args)
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, before)
        self.wait_for_log("core: ready")


def can_dump():
    """Whether a crash writes a core file to the current folder."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    return not core_pattern().startswith(("|", "/")) and hard != 0 and not faults.sanitized()


if not can_dump():
    warnings.warn("CORE DUMPS ARE NOT TESTED: none would land in the current folder")


@pytest.mark.skipif(not can_dump(), reason="CORE DUMPS ARE NOT TESTED")
@pytest.mark.parametrize("args, dumped", [([], False), (["-core-dumps"], True)],
                         ids=["default", "core-dumps"])
def test_a_fault_leaves_a_core_file_only_where_that_is_wanted(tmp_path, relay_keys, args, dumped):
    # RelayServer adds the flag where tests could not look into the server without it.
    server = Crashing(tmp_path, relay_keys,
                      *(args or [f"{flag}=false" for flag in flags_to_be_seen()]))
    with server.connect():
        assert server.wait_for_exit() != 0
    assert "fatal signal SIGSEGV" in server.log() and "crash-in-hook 7.1" in server.log()
    found = [path.name for path in tmp_path.iterdir() if path.name.startswith("core")]
    assert bool(found) == dumped, found


@as_root
@pytest.mark.parametrize("more, readable", [([], False), (["-core-dumps"], True)],
                         ids=["default", "core-dumps"])
def test_the_users_other_processes_cannot_look_inside(serve, keys, more, readable):
    server = serve("", *USER, *more, keys=keys)
    look = subprocess.run(
        ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups", "head", "-c1",
         f"/proc/{server.pid}/maps"], capture_output=True, check=False)
    assert (look.returncode == 0) == readable, look.stderr
