# SPDX-License-Identifier: MPL-2.0
"""What an operator sees in a terminal, command by command, on a relay with 200 devices and 20 sessions.

The screens are kept in the folder screens; with WRITE_SCREENS=1 in the environment they are written.
What differs from run to run is masked, and runs of equal lines are counted."""

import concurrent.futures
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import certificates
import device_id
from cluster_nodes import join, redis, start_nodes, start_redis  # noqa: F401
from control_client import (  # noqa: F401
    MODULES, control_folder, controlled, ctl, metric, rows, shown, told,
)
from pairing import check_relayed
from relay_client import ProtocolConnection, SessionConnection
from relay_server import Program
from upgrading import is_there
from waiting import PATIENCE, wait_for

DEVICES, SESSIONS = 200, 20
TOKEN = "first-secret"
TOP_LINES = 22
FOLDER = pathlib.Path(__file__).parent / "screens"
MASKS = [
    (r"\b[A-Z2-7]{7}(-[A-Z2-7]{7}){7}\b", "DEVICE-ID"),
    (r"\b[A-Z2-7]{7}-[A-Z2-7]{7}\b", "ID-BEGIN"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN"),
    (r"\d+\.\d+(?= +(DEVICE-ID|ID-BEGIN))", "SESSION"),
    (r"(ended the session) \d+\.\d+", r"\1 SESSION"),
    (r"\b(\d+h)?(\d+m)?[\d.]+m?s\b", "TIME"),
    (r"(?m)((?:SESSION|ID-BEGIN|DEVICE-ID) .*?|^ *TIME +\d+ +\d+ +)[\d.]+ [kMG]?B/s", r"\1RATE"),
    (r"(version +</b>).*", r"\1VERSION"),
    (r"(process +</b>).*", r"\1PROCESS"),
    (r"((?:memory|traffic) +</b>).*", r"\1SIZE"),
    (r"(connections +</b>)\d+", r"\1NUMBER"),
    (r"((?:day|month)Bytes +)\d+", r"\1NUMBER"),
    (r"(id +</b>).*", r"\1OWN-ID"),
    (r"(?m)^((?:day|month) +)[\d.]+ \w+", r"\1SIZE"),
    (r"(?m)^([a-z-]+ +[\d.]+ +)1\.\d+(?= +(?:yes|no) )", r"\1API"),
    (r"/tmp/ctl\w+", "FOLDER"),
    (r" {2,}", "  "),
    (r"(?m) +$", ""),
]


def masked(text, *more):
    text = text.replace("\r\n", "\n").replace("\033[1m", "<b>").replace("\033[0m", "</b>")
    text = text.replace("\033", "ESC")
    for pattern, word in (*MASKS, *more):
        text = re.sub(pattern, word, text)
    text = re.sub(r"(?m)^ +TIME", "TIME", text)  # a number stands on the right
    lines = []
    for line, same in itertools.groupby(text.splitlines()):
        count = len(list(same))
        lines.append(line if count == 1 else f"{line}  <- {count} times")
    return "\n".join(lines) + "\n"


def read(terminal):
    assert select.select([terminal], [], [], PATIENCE)[0], "the client writes nothing"
    return os.read(terminal, 65536)


def watch(server, words, until=None, event=lambda: None):
    """What a terminal gets: all of it, or until that function of it is true; then the client is
    interrupted."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
    command = [Program("ours").path, "-conf", str(server.conf), "-ctl", *words]
    data = b""
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs,
                          env={**os.environ, "TERM": "xterm", "NO_COLOR": ""}) as client:
        os.close(theirs)
        if until:
            event()
        with contextlib.suppress(OSError):  # its end
            while not (until and until(data)) and (piece := read(ours)):
                data += piece
        if until:
            client.send_signal(signal.SIGINT)
        client.wait(PATIENCE)
    os.close(ours)
    return data.decode() + (f"exit code {client.returncode}\n" if client.returncode > 0 else "")


class Crowd:
    """The devices, all joined, and sessions of the first ones, each with its number of bytes."""

    def __init__(self, server, stack):
        self.server, self.stack = server, stack
        self.identities = [certificates.make() for _ in range(DEVICES)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.devices = list(pool.map(self.join, self.identities))
        for i in range(SESSIONS):
            self.pair(2 * i, 2 * i + 1, 1000 * (i + 1))

    def join(self, identity):
        return self.stack.enter_context(ProtocolConnection(self.server.address, identity)).join(TOKEN)

    def name(self, i):
        return device_id.to_text(self.identities[i].id)

    def pair(self, asker, target, size):
        with ProtocolConnection(self.server.address, self.identities[asker]) as client:
            to_asker = client.request(self.identities[target].id)
        to_target = self.devices[target].invitation()
        one, other = (self.stack.enter_context(SessionConnection(self.server.address))
                      for _ in range(2))
        one.join(to_asker.key)
        other.join(to_target.key)
        check_relayed(one, other, b"x" * size)

    def end_one(self, i):
        """After somebody else, of whom nobody who follows that device is told."""
        self.come_and_go()
        told(self.server, "kick", self.name(i))

    def come_and_go(self):
        """Someone joins who is kicked."""
        identity = certificates.make()
        wait_for(lambda: metric(self.server, "strelaysrv_control_connections") == 1, "who follows")
        told(self.server, "limit")  # a later command was answered: its own has begun
        with ProtocolConnection(self.server.address, identity) as device:
            device.join(TOKEN)
            told(self.server, "kick", device_id.to_text(identity.id))
            device.expect_close()


def screens(server, crowd):
    """(name, screen) for each command; the order counts."""
    def see(name, *words, masks=(), **options):
        return name, masked(watch(server, words, **options), *masks)

    session = shown(server, "sessions", "by", "bytes")[3]["session"]
    yield see("help", "help")
    yield see("status", "status")
    yield see("modules", "modules")
    yield see("listeners", "listeners", masks=[(r"(?m)^(ADDRESS +)\d+", r"\1NUMBER")])
    yield see("devices", "devices", "by", "bytes")
    yield see("sessions", "sessions", "by", "bytes")
    # The rates decide the order, and are of this run.
    yield see("top", "top", until=lambda data: data.count(b"\n") >= TOP_LINES,
              masks=[(r"[\d.]+ [KMG]iB(?=  RATE)", "BYTES")])
    yield see("show-device", "show", crowd.name(5)[:23])
    yield see("show-session", "show", session)
    yield see("show-address", "show", "192.0.2.1")
    yield see("follow", "follow", until=lambda data: b"left" in data and data.endswith(b"\n"),
              event=crowd.come_and_go)
    yield see("follow-device", "follow", "device", crowd.name(45),
              until=lambda data: b"left" in data and data.endswith(b"\n"),
              event=lambda: crowd.end_one(45))
    yield see("limit-set", "limit", "session", "8Mbit/s")
    yield see("limit-device", "limit", "device", "2MB/s")
    yield see("limit", "limit")
    yield see("kick-session", "kick", session)
    yield see("kick-device", "kick", crowd.name(7))
    yield see("ban", "ban", crowd.name(9)[:23], "for", "1h")
    yield see("bans", "bans")
    yield see("unban", "unban", crowd.name(9)[:15])
    yield see("log-level", "log-level", "warning")
    yield see("quota", "quota")
    yield see("pools", "pools")
    server.wait_for_log("endpoint: 127.0.0.1:9 is not listed any more")
    yield see("endpoint", "endpoint")
    yield see("reload", "reload")
    yield see("drain", "drain")
    yield see("drain-again", "drain")
    yield see("drain-cancel", "drain", "cancel")
    yield see("wrong", "devises")
    # The drain has begun to send devices away.
    yield see("tokens", "tokens", masks=[(r"(?m)^(alice +)\d+", r"\1NUMBER")])
    yield see("revoke", "revoke", "bob")
    yield see("upgrade", "upgrade")


def compare(found, belongs):
    """Compares screens with the kept ones that belong to them, which are returned."""
    if os.environ.get("WRITE_SCREENS"):
        for name, text in found.items():
            (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")
            if belongs(path.stem)}
    assert found.keys() == kept.keys()
    for name, text in found.items():
        assert text == kept[name], f"{name}: {text}"
    return kept


def test_every_command_in_a_terminal(controlled, control_folder):  # noqa: F811
    (control_folder / "bans").write_text("new\n")
    (control_folder / "tokens").write_text(f"alice:{TOKEN} rate=1MB/s quota=10GB\nbob:other\n")
    server = controlled(
        modules=[*MODULES, "access", "quota", "pool-join", "prometheus", "endpoint"], workers=1, drain_spread="1h", sections={
            "access": {"bans": str(control_folder / "bans"),
                       "named-tokens": str(control_folder / "tokens")}, "pool-join": {"pools": []},
            "endpoint": {"relays": ["relay://127.0.0.1:9/"], "remove-after": 1},
            "quota": {"month": "1GB", "state-file": str(control_folder / "quota.state"),
                      "state-required": "no"}})
    with contextlib.ExitStack() as stack:
        found = dict(screens(server, Crowd(server, stack)))
        new = shown(server, "status")[0]["process"]
        text = masked(watch(server, ["status", "-draining"]))
        # Some devices may have been sent away.
        found["status-draining"] = re.sub(r"(devices +</b>)\d+", r"\1NUMBER", text)
    os.kill(new, signal.SIGTERM)  # first: it has the server's stderr
    wait_for(lambda: not is_there(new), "the end of the new process")
    server.stop()
    kept = compare(found, lambda name: not name.startswith("cluster"))
    commands = set(re.findall(r"(?m)^([a-z-]+) ", found["help"])) - {"command"}
    seen = {word for name in kept for word in (name, name.rsplit("-", 1)[0])}
    assert commands <= seen, "a command has no screen"


def begin_session(server, stack):
    """A session that lasts as long as the stack, and the device that has joined for it."""
    target = stack.enter_context(ProtocolConnection(server.address, certificates.make())).join()
    with ProtocolConnection(server.address, certificates.make()) as client:
        keys = [client.request(target.identity.id).key, target.invitation().key]
    for key in keys:
        stack.enter_context(SessionConnection(server.address)).join(key)


def cluster_screens(nodes, redis, device):  # noqa: F811
    """The same for a cluster of two, of which the second one drains; then Redis is away."""
    masks = [(r"127\.0\.0\.1\d:\d+", "ADDRESS"), (r"(?m)TIME$", "HEARD"), (r" +\d+ B/s", " RATE"),
             (r"(cannot be reached: ).*", r"\1WHY")]

    def see(name):
        return name, masked(watch(nodes[0], ["cluster"]), *masks)

    # Without a session the second one would end at once.
    with join(nodes[0], device), contextlib.ExitStack() as stack:
        begin_session(nodes[1], stack)
        nodes.wait_until_claimed(2)
        nodes[0].wait_for_metric("node_sessions", 1, '{node="node-2"}')
        yield see("cluster")
        nodes[1].send_signal(signal.SIGUSR1)
        nodes[0].wait_for_metric("nodes", 1, '{state="draining"}')
        yield see("cluster-draining")
        redis.kill()
        nodes[0].wait_for_metric("registry_reachable", 0)
        wait_for(lambda: len(shown_anyway(nodes[0], "cluster")) == 1, "the other lease to end")
        yield see("cluster-alone")


def shown_anyway(server, command):
    """The rows of a command that fails."""
    return rows(json.loads(ctl(server, command, "-json").stdout))


def test_the_command_of_a_cluster_in_a_terminal(start_nodes, redis):  # noqa: F811
    nodes = start_nodes(2)
    found = dict(cluster_screens(nodes, redis, certificates.make()))
    compare(found, lambda name: name.startswith("cluster"))
