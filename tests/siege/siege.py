# SPDX-License-Identifier: MPL-2.0
"""One run of the siege: a relay, good clients, an attacker, and the check afterwards."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "tools"))

import relay_server  # noqa: E402
import tally  # noqa: E402
from waiting import PATIENCE, SLOWNESS, Deadline, pace, wait_for  # noqa: E402

#: No client of a siege has an address that the module bounds exempts.
CONFIGURATION = """
modules = { log, bounds, relay, rate-limit, status, prometheus }
bounds { exempt = { "127.255.255.254" } }
"""

#: What is always there; prometheus shows the counters, and is no guard.
BARE_CONFIGURATION = "modules = { log, relay, status, prometheus }\n"

#: Looks for a gateway, if the option -nat says so.
LAN_CONFIGURATION = """
modules = { log, bounds, relay, nat, rate-limit, status, prometheus }
bounds { exempt = { "127.255.255.254" } }
"""

#: All clients send this token to our relay, except attackers that guess it.  Debian's Go relay does
#: not support tokens.
TOKEN = "open sesame"

KIB = 1024
MIB = 1024 * KIB
_SAMPLE_S = 0.1


@dataclasses.dataclass(frozen=True)
class Binary(relay_server.Program):
    """A server of ours, given by its path."""

    file: str = ""

    @property
    def path(self):
        return self.file


def attacker(build=None):
    """The path of the program that simulates attackers and good clients."""
    build = build or pathlib.Path(relay_server.Program("ours").path).resolve().parent
    return build / "tests" / "siege" / "relay-siege"


def attacks(program, where="relay"):
    """{name: description} of all attacks on a relay's ports, or with "lan" of those by hosts of its
    local network, in the program's order."""
    lines = subprocess.run([program, "list"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in lines.splitlines()]
    return {name: description for name, place, description in rows if place == where}


@dataclasses.dataclass
class Use:
    """The resources of a relay: memory, descriptors, and the kernel's sockets."""

    rss: int = 0
    descriptors: int = 0
    sockets: int = 0  # including orphaned ones
    kernel: int = 0  # bytes in the queues of these sockets
    pipes: int = 0  # descriptors of pipes, which the server keeps for later sessions

    @property
    def others(self):
        return self.descriptors - self.pipes

    def most(self, other):
        return Use(*(max(pair) for pair in
                     zip(dataclasses.astuple(self), dataclasses.astuple(other))))


_MEMORY = re.compile(r"skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+)")


def control_seconds(server):
    """CPU time so far of the control thread, which serves HTTP; 0 if the server has ended."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/schedstat").read_text()
        return int(text.split()[0]) / 1e9
    return 0


def _pipes(server):
    count = 0
    for entry in os.scandir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(entry.path).startswith("pipe:")
    return count


def use_of(server, pipes=False):
    ports = [server.address[1], server.status_address[1]]
    states = subprocess.run(
        ["ss", "-Htanm", " or ".join(f"sport = :{port}" for port in ports)],
        capture_output=True, text=True, check=True,
    ).stdout
    found = _MEMORY.findall(states)
    status = pathlib.Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return Use(
        rss=int(re.search(r"Rss:\s+(\d+)", status).group(1)) * KIB,
        descriptors=server.descriptors(),
        sockets=len([line for line in states.splitlines()
                     if line and line[0].isupper() and not line.startswith("TIME-WAIT")]),
        kernel=sum(int(part) for parts in found for part in parts),
        pipes=_pipes(server) if pipes else 0,
    )


class _Sampler:
    """Measures a server repeatedly and keeps the maximum."""

    def __init__(self, server):
        self._server = server
        self._end = threading.Event()
        self.most = self.last = Use()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end.wait(_SAMPLE_S):
            with contextlib.suppress(OSError, subprocess.SubprocessError, AttributeError):
                self.last = use_of(self._server)
                self.most = self.most.most(self.last)

    def stop(self):
        self._end.set()
        self._thread.join(PATIENCE)


@dataclasses.dataclass
class Outcome:
    good: dict
    attack: dict
    before: Use
    most: Use
    after: Use
    last: Use  # at the end of the attack, when its limits have taken effect
    counted: dict  # how much each counter has grown
    seconds: float  # of the attack
    control_s: float  # CPU time of the control thread during the attack
    crashed: str = ""

    def done(self, kind):
        return self.good[f"{kind}_done"]

    def failed(self, kind):
        # The load generator counts failed meetings as `failures`.
        return self.good["failures" if kind == "meet" else f"{kind}_failed"]

    def share(self, kind):
        """The share of the actions of one kind that succeeded; 1 if there were none."""
        begun = self.done(kind) + self.failed(kind)
        return self.done(kind) / begun if begun else 1.0


def _start(*command):
    return subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _report(process, timeout):
    out, err = process.communicate(timeout=timeout)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert lines, f"no report (exit code {process.returncode}): {out}{err}"
    return json.loads(lines[-1])


def _kill(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


#: The number of attackers' addresses, unless ATTACK@NUMBER gives another.
SOURCES = 64

#: Attacks that are also run from other numbers of addresses.
CROWDS = [f"{attack}@{sources}" for attack in ("hello-close", "handshake-silent", "handshake-leave")
          for sources in (1, 8, 1000)] + ["one-byte@18", "one-byte-plain@18"]


def counters(server):
    """{name{label="value"}: number} of all metrics of our server; empty for the reference."""
    if not server.program.ours:
        return {}
    lines = server.get("/metrics")[2].decode().splitlines()
    return {name: float(number) for name, _, number in
            (line.rpartition(" ") for line in lines if not line.startswith("#"))}


@contextlib.contextmanager
def _attack(command, number):
    """Runs so many attackers; the value is a function that ends them and returns the report of the
    first."""
    with contextlib.ExitStack() as stack:
        bad = []
        for _ in range(number):
            bad.append(_start(*command))
            stack.callback(_kill, bad[-1])
        for process in bad:
            assert process.stdout.readline() == "begun\n", f"no attack: {process.communicate()}"
        tally.add("attacks", number)

        def end():
            for process in bad:
                process.terminate()
            return [_report(process, PATIENCE) for process in bad][0]

        yield end


def lay(server, name, seconds, program, path, attackers=1, patience=10, settle=15, attack_open=0,
        elsewhere=(), own=None, meanwhile=contextlib.nullcontext):
    """Lays siege to a running server; returns the Outcome.

    `name` is that of an attack, or ATTACK@NUMBER: from so many sources. `attack_open` replaces
    the number of connections that the attack has at a time. `elsewhere` is a command that runs the
    attackers in another network namespace, where they answer at the address `own`. `meanwhile` is what else is done to the server
    during the attack: a context manager, called with the server.
    Attackers keep on until the last good client is done. Then the server is watched until it
    holds no more than before, `settle` seconds at most."""
    where = ["--relay", "%s:%d" % server.address, "--http", "%s:%d" % server.status_address,
             "--server-pid", server.pid,
             *(["--token", TOKEN] if server.program.ours else [])]
    attack, _, sources = name.partition("@")
    command = [*elsewhere, program, attack, *where, "--seconds", seconds + 600, "--sources",
               sources or SOURCES, "--open", attack_open, *(["--own", own] if own else [])]
    with contextlib.ExitStack() as stack:
        good = _start(program, "good", *where, "--seconds", seconds, "--path", path,
                      "--patience", patience * SLOWNESS)
        stack.callback(_kill, good)
        ready = good.stdout.readline().split()
        assert ready[:1] == ["ready"], f"good clients cannot begin: {good.communicate()}"
        counted = counters(server)
        before = use_of(server, pipes=True)
        end = stack.enter_context(_attack([*command, "--target", ready[1]], attackers))
        began, control = time.monotonic(), control_seconds(server)
        with meanwhile(server):
            pace(0.3)  # good clients begin when the attack is running
            sampler = _Sampler(server)
            good.stdin.write("go\n")
            good.stdin.flush()
            done = _report(good, seconds + 3 * patience * SLOWNESS + PATIENCE)
            sampler.stop()
        control = max(0, control_seconds(server) - control)
        took = time.monotonic() - began
        report = end()
    outcome = Outcome(done, report, before, sampler.most, Use(), sampler.last, {}, took, control)
    if server.running():
        outcome.after = _settled(server, before, settle * SLOWNESS)
    if server.running():
        outcome.counted = {name: number - counted.get(name, 0)
                           for name, number in counters(server).items()}
    if not server.running():
        outcome.crashed = f"exit code {server.process.returncode}"
    return outcome


def _settled(server, before, seconds):
    """What is held once it is little more than before, or at the end of the time.

    A sanitizer gives no memory back, because it keeps what is freed to find uses of it."""
    deadline = Deadline(seconds)
    now = Use()
    while server.running():
        with contextlib.suppress(OSError, AttributeError):
            now = use_of(server, pipes=True)
            if (now.others <= before.others and now.sockets <= before.sockets
                    and now.kernel <= before.kernel + 64 * KIB
                    and (SLOWNESS > 1 or now.rss <= before.rss + 4 * MIB)) or deadline.passed():
                break
        pace(0.1)
    return now


def start(program, folder, *args, **options):
    """Starts one of our servers, or the reference, with the siege's configuration."""
    if program.ours:
        conf = pathlib.Path(folder) / "siege.conf"
        conf.write_text(CONFIGURATION)
        args = ("-conf", conf, "-token", TOKEN, *args)
    return relay_server.start(program, folder, *args, **options)


def path_of(program):
    return "/metrics" if program.ours else "/status"
