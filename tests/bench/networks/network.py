# SPDX-License-Identifier: MPL-2.0
"""Two simulated links between three network namespaces: clients -- relay -- servers.

Both ends reach the relay's address, and through its namespace each other, so connections with and
without a relay take the same two links.  The namespaces exist for this process only."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

CLIENT, RELAY, SERVER = "10.88.1.2", "10.88.0.1", "10.88.2.2"
_NEAR = {"client": "10.88.1.1", "server": "10.88.2.1"}
_FAR = {"client": CLIENT, "server": SERVER}

#: A network is off if packets arrive later than they should by this share of the delay of the whole
#: path, on average, or if so many of them are lost that should not be: this share of what the link
#: loses, or of a loss of 0.1 %.
OFF = 0.05
LEAST_LOSS = 0.001


@dataclasses.dataclass(frozen=True)
class Link:
    """Both directions of a link.  Packets that come while `queue_bytes` wait are dropped; by default
    that is what the link carries in one round trip, or 64 KiB."""

    round_trip_ms: float
    mbit: float
    loss: float = 0.0  # share of the packets, in each direction
    queue_bytes: int = 0
    reorder: float = 0.0  # share of packets that come later by a quarter of the round trip
    mtu: int = 1500

    @property
    def queue(self):
        in_transit = int(self.mbit * 1e6 / 8 * self.round_trip_ms / 1e3)
        return self.queue_bytes or max(in_transit, 65536)

    def arguments(self):
        return [f"delay_us={self.round_trip_ms * 500:.0f}", f"bits_per_s={self.mbit * 1e6:.0f}",
                f"queue_bytes={self.queue}", f"loss_ppm={self.loss * 1e6:.0f}",
                f"reorder_ppm={self.reorder * 1e6:.0f}",
                f"reorder_us={self.round_trip_ms * 250:.0f}"]

    def __str__(self):
        rate = f"{self.mbit / 1000:g} Gbit/s" if self.mbit >= 1000 else f"{self.mbit:g} Mbit/s"
        parts = [f"{self.round_trip_ms:g} ms", rate]
        if self.loss:
            parts.append(f"{self.loss * 100:g} % loss")
        if self.reorder:
            parts.append(f"{self.reorder * 100:g} % reordered")
        return ", ".join(parts)


def why_not(emulator):
    """Why there can be no such network on this machine, or None."""
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if not shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        return "needs ip (iproute2)"
    if not os.access(emulator, os.X_OK):
        return f"no {emulator}: build with BUILD_TESTING=ON"
    name = f"bench-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "cannot make network namespaces"
    try:
        made = subprocess.run(["ip", "netns", "exec", name, "ip", "tuntap", "add", "dev", "try",
                               "mode", "tun"], capture_output=True, text=True, check=False)
        return f"cannot make tun devices: {made.stderr.strip()}" if made.returncode else None
    finally:
        _run("ip", "netns", "del", name)


def faults(report, links):
    """How a network was off from its settings, as texts; none if it may count.

    report: of Network.report(); links: those of the network, in its order."""
    found = []
    lines = report["lines"]
    delay_us = sum(link.round_trip_ms * 500 for link in links)
    for way in ([lines[0], lines[3]], [lines[2], lines[1]]):
        late_us = sum(line["late_mean_us"] for line in way)
        if late_us > OFF * delay_us:
            found.append(f"packets from {way[0]['from']} are {late_us:.0f} µs late, of {delay_us:.0f}")
    for number, line in enumerate(lines):
        link = links[number // 2]
        missing = line["no_room"] + line["unwritten"] + line["device_dropped"]
        if missing > OFF * max(link.loss, LEAST_LOSS) * line["offered"]:
            found.append(f"{line['from']}: {missing} of {line['offered']} packets lost by chance")
    return found


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Network:
    """The namespaces and links; a context manager."""

    _made = 0

    def __init__(self, emulator, client_link, server_link, congestion=None, seed=1):
        Network._made += 1
        tag = f"{os.getpid()}-{Network._made}"
        self.names = {role: f"bench-{role}-{tag}" for role in ("client", "relay", "server")}
        self.links = [client_link, server_link]
        self.emulator = str(emulator)
        self.congestion = congestion
        self.seed = seed
        self._stack = contextlib.ExitStack()
        #: The devices of each line of the emulator, in its order: where it reads.
        self._devices = [("client", "c1"), ("relay", "c0"), ("server", "s1"), ("relay", "s0")]

    def __enter__(self):
        try:
            for name in self.names.values():
                _run("ip", "netns", "add", name)
                self._stack.callback(_run, "ip", "netns", "del", name)
            self._start()
            self._connect("client", self.links[0])
            self._connect("server", self.links[1])
            self._ip("relay", "addr", "add", f"{RELAY}/32", "dev", "lo")
            for role in self.names:
                self._tune(role)
            self._dropped = self._device_drops()
            self.report()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start(self):
        """The devices are made in the relay's namespace, and some of them then leave it."""
        command = [*self.prefix("relay"), self.emulator, f"seed={self.seed}"]
        for devices, link in zip(("c1,c0", "s1,s0"), self.links):
            command += [f"link={devices}", *link.arguments()]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self._stack.callback(self._stop)
        if self.process.stdout.readline() != "ready\n":
            raise OSError("link-emulator does not start")

    def _stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _ip(self, role, *arguments):
        _run("ip", "-n", self.names[role], *arguments)

    def _connect(self, role, link):
        near, far = f"{role[0]}0", f"{role[0]}1"
        self._ip("relay", "link", "set", far, "netns", self.names[role])
        # Of a namespace, the kernel lets only some algorithms be the default; of a route, any.
        control = ("congctl", self.congestion) if self.congestion else ()
        for where, device, address, to in (("relay", near, _NEAR[role], _FAR[role]),
                                           (role, far, _FAR[role], "default")):
            self._ip(where, "link", "set", device, "mtu", str(link.mtu), "txqueuelen", "20000", "up")
            self._ip(where, "addr", "add", f"{address}/32", "dev", device)
            self._ip(where, "route", "add", to, "dev", device, *control)

    def _tune(self, role):
        """Loopback, forwarding, and no memory of earlier connections."""
        self._ip(role, "link", "set", "lo", "up")
        _run(*self.prefix(role), "sh", "-ec", "echo 1 >/proc/sys/net/ipv4/ip_forward; "
             "echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save")

    def prefix(self, role):
        """Begins a command that runs in this namespace."""
        return ["ip", "netns", "exec", self.names[role]]

    def file(self, role):
        return pathlib.Path("/run/netns") / self.names[role]

    def _device_drops(self):
        """Packets that each line's device has dropped since it exists, because nobody read them."""
        found = []
        for role, device in self._devices:
            (facts,) = json.loads(_run("ip", "-n", self.names[role], "-s", "-j", "link", "show", device))
            found.append(facts["stats64"]["tx"]["dropped"])
        return found

    def report(self):
        """What the emulator did since the last report."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        report = json.loads(self.process.stdout.readline())
        dropped = self._device_drops()
        for line, now, before in zip(report["lines"], dropped, self._dropped):
            line["device_dropped"] = now - before
        self._dropped = dropped
        return report

    def faults(self, report):
        return faults(report, self.links)

    def relay_memory_kib(self):
        """Kernel memory of the TCP sockets in the relay's namespace: bytes that wait to be read or
        sent, with their bookkeeping."""
        text = _run("ip", "netns", "exec", self.names["relay"], "ss", "-tmnH")
        return sum(_socket_bytes(part) for part in text.split("skmem:(")[1:]) / 1024


def _socket_bytes(text):
    """rN: received; wN: to be sent; fN: reserved; oN: options; blN: in the backlog."""
    fields = {}
    for field in text.partition(")")[0].split(","):
        fields[field.rstrip("0123456789")] = int(field.lstrip("abcdefghijklmnopqrstuvwxyz") or 0)
    return sum(fields.get(name, 0) for name in ("r", "w", "f", "o", "bl"))


def congestion_controls():
    """Those that the kernel has."""
    path = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    return path.read_text().split() if path.exists() else []
