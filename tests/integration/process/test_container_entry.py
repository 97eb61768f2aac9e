# SPDX-License-Identifier: MPL-2.0
"""The entry of the container image: what it takes from the environment, and what it does as
process 1.  Images are built and run by tests/container.sh."""

import os
import signal
import socket
import subprocess

import pytest

from open_folder import folder  # noqa: F401
from pairing import Invited, check_both_ways
from privileges import UID, why_no_other_user
from relay_server import Program, RelayServer, module_folder
from service_manager import Manager
from skip_unless import can_run
from upgrading import children, is_there
from waiting import wait_for

ENTRY = module_folder().parent / "conf" / "container" / "strelaysrv-container"
TELL = ('id -u; id -g; id -G; umask; for name in CapEff CapAmb; do sed -n "s/^$name:\\s*//p" '
        '/proc/self/status; done; sed -n "s/^CapPrm:\\s*//p" /proc/$PPID/status; '
        'stat -c %u:%g "$HOME"; cat no-such-file; exit 3')


def why_no_namespaces():
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"],
                          capture_output=True, check=False)
    return why_no_other_user() or (done.returncode and "cannot make process namespaces") or None


pytestmark = can_run("THE ENTRY OF CONTAINERS", why_no_namespaces())


@pytest.fixture
def entry(folder):  # noqa: F811
    """entry(*words, prefix=, **environment) runs the entry with a program."""
    (folder / "home").mkdir()

    def run(*words, prefix=(), **environment):
        return subprocess.run(
            [*prefix, ENTRY, *(words or ("sh", "-c", TELL))], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(folder / "home"), **environment},
            timeout=60, check=False)

    return run


def told(done):
    assert done.returncode == 3, done
    keys = ("uid", "gid", "groups", "umask", "effective", "ambient", "of_entry", "home")
    return dict(zip(keys, done.stdout.splitlines(), strict=True))


def test_by_default_the_program_is_user_1000_without_any_right(entry):
    seen = told(entry())
    assert (seen["uid"], seen["gid"], seen["groups"], seen["home"]) == ("1000", "1000", "1000", "1000:1000")
    for kind in ("effective", "ambient", "of_entry"):
        assert int(seen[kind], 16) == 0


def test_the_environment_says_who_it_is(entry):
    seen = told(entry(PUID="64701", PGID="64702", UMASK="027", PCAP="cap_net_bind_service=+ep"))
    assert (seen["uid"], seen["gid"], seen["groups"]) == ("64701", "64702", "64702")
    assert seen["umask"] == "0027" and seen["home"] == "64701:64702"
    assert int(seen["effective"], 16) == int(seen["ambient"], 16) == 1 << 10
    assert int(seen["of_entry"], 16) == 0


def test_empty_variables_are_as_if_not_set(entry):
    seen = told(entry(PUID="", PGID="", UMASK="", PCAP=""))
    assert (seen["uid"], seen["gid"], seen["home"]) == ("1000", "1000", "1000:1000")


@pytest.mark.parametrize("text, bits", [
    ("cap_chown,cap_kill+ep", {0, 5}), ("CAP_CHOWN=ep cap_kill+ep cap_chown-p", {5}),
    ("net_bind_service=+eip", {10}), ("cap_chown+i", set()), ("cap_kill=p-e\tcap_chown=e", {0}),
    ("cap_kill+ep cap_kill=", set())])
def test_capabilities_are_written_as_for_setcap(entry, text, bits):
    assert int(told(entry(PCAP=text))["ambient"], 16) == sum(1 << bit for bit in bits)


def test_user_0_stays_root(entry):
    seen = told(entry(PUID="0", PGID="0"))
    assert (seen["uid"], seen["gid"]) == ("0", "0") and int(seen["effective"], 16) > 0


@pytest.mark.parametrize("name, value, why", [
    ("PUID", "me", "write the number of a user"), ("PUID", "-1", "number of a user"),
    ("PUID", "4294967295", "number of a user"), ("PGID", "1x", "number of a group"),
    ("PUID", "99999999999999999999", "number of a user"),
    ("UMASK", "28", "octal"), ("UMASK", "7777", "octal"), ("UMASK", "u=rwx", "octal"),
    ("PCAP", "cap_nonsense+ep", "names of capabilities"), ("PCAP", "cap_chown", "names of cap"),
    ("PCAP", "cap_chown+x", "names of cap"), ("PCAP", "+ep", "names of cap"),
    ("PCAP", "cap_chown,,cap_kill+ep", "names of cap")])
def test_a_wrong_variable_is_an_error_that_names_it(entry, name, value, why):
    done = entry(**{name: value})
    assert done.returncode == 1 and not done.stdout, done
    assert f'{name} is "{value}"' in done.stderr and why in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_capability_that_the_container_has_not_is_named(entry):
    done = entry(PCAP="cap_net_bind_service=+ep",
                 prefix=["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-all"])
    assert done.returncode == 1
    assert "the container has not got cap_net_bind_service, which PCAP names" in done.stderr


def test_root_without_capabilities_stays_and_says_so(entry):
    """cap_drop: ALL without a user."""
    done = entry(prefix=["setpriv", "--bounding-set=-all", "--inh-caps=-all"])
    assert told(done)["uid"] == "0"
    assert "there are no capabilities, so PUID and PGID have no effect; --user 1000:1000" in done.stderr


@pytest.mark.parametrize("group", [0, UID])
def test_another_user_stays_as_it_is(entry, group):
    """user: in a compose file, or any number with group 0, as OpenShift chooses it."""
    done = entry("sh", "-c", "id -u; id -g; umask; exit 3", PUID="1", PGID="2", UMASK="007",
                 PCAP="cap_net_bind_service=+ep", HOME="/",
                 prefix=["setpriv", f"--reuid={UID}", f"--regid={group}", "--clear-groups"])
    assert done.returncode == 3 and done.stdout.split() == [str(UID), str(group), "0007"]
    assert "PCAP has no effect" in done.stderr


@pytest.mark.parametrize("mode, what", [(0o755, "cannot create {}/key.pem for a new key pair"),
                                        (0o711, "cannot open the key directory {}")])
def test_a_volume_that_is_closed_to_the_user_says_to_whom(entry, folder, mode, what):  # noqa: F811
    """OpenShift chooses the number, so that nobody knows it before."""
    (folder / "home").chmod(mode)
    done = entry(Program("ours").path, "-keys", folder / "home", "-pools=", "-listen", "127.0.0.1:0", "-status-srv=",
                 prefix=["setpriv", "--reuid=1000650000", "--regid=0", "--clear-groups"])
    assert done.returncode == 1, done
    assert (what.format(folder / "home") + ": Permission denied; it must be allowed to user 1000650000 or group 0"
            ) in done.stderr, done.stderr


@pytest.mark.parametrize("words, code", [
    (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -KILL $$"], 137), (["/no/such"], 127),
    (["true"], 0)])
def test_the_exit_code_is_that_of_the_program(entry, words, code):
    assert entry(*words).returncode == code


@pytest.mark.parametrize("words", [[""], ["-listen", ":1"]])
def test_a_program_must_be_named(entry, words):
    done = entry(*words)
    assert done.returncode in (2, 127) and done.stderr.startswith("strelaysrv-container: ")


def test_orphans_are_reaped(entry):
    """A zombie that is the entry's child would be there for as long as the container."""
    script = ("(sh -c 'echo done' &) ; tries=0; until [ $tries -gt 500 ]; do tries=$((tries + 1)); "
              "left=$(sed -n 's/^[0-9]* (.*) Z 1 .*/x/p' /proc/[0-9]*/stat 2>/dev/null); "
              "[ -n \"$left\" ] || [ $tries -lt 3 ] || exit 3; sleep 0.02; done; exit 1")
    done = entry("sh", "-c", script, prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    assert done.returncode == 3 and "done" in done.stdout, done


class Contained(RelayServer):
    """A server in a process namespace of its own."""

    def __init__(self, folder, keys, args=(), entry=(ENTRY,), environment=()):  # noqa: F811
        program = Program("ours", 2)
        command = ["env", f"PUID={UID}", f"PGID={UID}", f"HOME={folder}", *environment,
                   "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *map(str, entry),
                   program.path, "-keys", str(keys), "-pools", "", "-listen", "127.0.0.1:0", "-workers", "2",
                   "-drain-spread", "0s", *map(str, args)]
        super().__init__(program, command, folder)

    @property
    def first(self):
        """Process 1, by its number outside."""
        return wait_for(lambda: children(self.process.pid), lambda: "process 1")[0][0]

    def tell(self, number):
        os.kill(self.first, number)


@pytest.fixture
def contained(folder, relay_keys):  # noqa: F811
    servers = []
    keys = folder / "keys"
    subprocess.run(["cp", "-r", relay_keys, keys], check=True)
    subprocess.run(["chown", "-R", f"{UID}:{UID}", folder], check=True)

    def start(*args, **options):
        server = Contained(folder, keys, ("-status-srv", "127.0.0.1:0", *args), **options)
        servers.append(server)
        server.wait_until_serving()
        return server

    yield start
    for server in servers:
        # Not by unshare's end: whoever changes the user is no longer told of it.
        for pid, _ in children(server.process.pid):
            os.kill(pid, signal.SIGKILL)
        if server.running():
            server.process.kill()


def test_a_server_in_it_stops_and_reloads_by_signals_to_process_1(contained):
    server = contained()
    assert "runs as root" not in server.log()
    server.tell(signal.SIGHUP)
    server.wait_for_log("core: reloaded, with modules")
    server.tell(signal.SIGTERM)
    assert server.wait_for_exit() == 0, server.log()


def test_an_upgrade_in_a_container_ends_no_session(contained, identities):
    """The old process ends, and the container does not."""
    server = contained()
    first = server.first
    with Invited(server, *identities[:2]) as invited:
        ends = invited.join_both()
        server.tell(signal.SIGUSR2)
        server.wait_for_log(r"process \d+ serves; this one, \d+, drains")
        check_both_ways(*ends)
        # The new process gets the signals once the upgrade is final.
        old = children(first)[0][0]
        wait_for(lambda: server.count("upgrade: ") and server.status()["numConnections"] >= 0,
                 lambda: "the new process")
    wait_for(lambda: not is_there(old), lambda: f"the end of the old process; {server.log()}")
    assert server.running()
    before = server.count("core: reloaded, with modules")
    server.tell(signal.SIGHUP)
    wait_for(lambda: server.count("core: reloaded, with modules") > before,
             lambda: f"a reload of the new process; {server.log()}")
    assert server.get("/healthz")[0] == 200
    server.tell(signal.SIGUSR2)
    wait_for(lambda: server.count("serves; this one") == 2, lambda: f"a second one; {server.log()}")
    server.tell(signal.SIGTERM)
    assert server.wait_for_exit() == 0, server.log()


def test_a_manager_outside_is_told_but_no_process_number(contained):
    """podman run --sdnotify=container: the number means nothing outside."""
    manager = Manager(f"\0container-{os.getpid()}")
    server = contained(environment=[f"NOTIFY_SOCKET={manager.name}"])
    manager.wait_for("the start", READY="1")
    server.tell(signal.SIGHUP)
    manager.wait_for("a reload", RELOADING="1")
    server.tell(signal.SIGTERM)
    assert server.wait_for_exit() == 0
    manager.wait_for("the end", STOPPING="1")
    assert manager.count("MAINPID") == 0


def test_only_the_server_can_name_its_successor():
    """Others may reach the socket, if the container has the network of the machine."""
    script = "trap 'exit 5' TERM; sleep 300 & echo $! $NOTIFY_SOCKET; wait"
    with subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "env", "PUID=0",
                           "PGID=0", ENTRY, "sh", "-c", script], stdout=subprocess.PIPE, text=True) as outer:
        other, name = outer.stdout.readline().split()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as foreign:
            foreign.sendto(f"MAINPID={other}\n".encode(), "\0" + name[1:])
        os.kill(children(outer.pid)[0][0], signal.SIGTERM)
        assert outer.wait(60) == 5


def test_a_server_that_is_process_1_says_why_there_is_no_upgrade(contained):
    server = contained(entry=())
    server.tell(signal.SIGUSR2)
    server.wait_for_log("no upgrade: this is process 1, and the container ends with it")
    server.tell(signal.SIGTERM)
    assert server.wait_for_exit() == 0


def test_its_health_is_asked_with_the_arguments_of_process_1(contained):
    """The check of the image does not know them."""
    server = contained()
    code, text = 0, ""
    port = server.status_address[1]
    inside = ["nsenter", "--target", str(server.first), "--pid", "--mount"]
    done = subprocess.run([*inside, ENTRY, "-health"], capture_output=True, text=True, check=False)
    code, text = done.returncode, done.stdout + done.stderr
    assert code == 1 and "only the server knows which port" in text, done
    server.tell(signal.SIGTERM)
    assert server.wait_for_exit() == 0
    server = contained("-status-srv", f"127.0.0.1:{port}")
    inside[2] = str(server.first)
    done = subprocess.run([*inside, ENTRY, "-health"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"healthy: 127.0.0.1:{port}: ok\n"), done


def test_health_without_the_entry_as_process_1_says_what_to_do(entry):
    done = entry("-health")
    assert done.returncode == 1 and "process 1 is not strelaysrv-container" in done.stderr
