# SPDX-License-Identifier: MPL-2.0
"""A real gateway, miniupnpd, between two networks that exist for one test only.

outside (client) -- gateway with NAT -- inside (relay); each is a network namespace."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import threading

from waiting import PATIENCE, wait_for

#: miniupnpd refuses to map ports on private and documentation addresses.  These are public, but the
#: namespaces have no route to the outside.
OUTER, CLIENT, OUTER_NEW = "11.22.33.1", "11.22.33.2", "11.22.33.9"
INNER, RELAY, NEIGHBOUR = "192.168.77.1", "192.168.77.2", "192.168.77.3"
#: IPv6 has no NAT; the gateway's firewall only blocks incoming connections.
OUTER6, CLIENT6 = "2001:db8:0:1::1", "2001:db8:0:1::2"
INNER6, RELAY6, RELAY6_NEW = "2001:db8:0:2::1", "2001:db8:0:2::2", "2001:db8:0:2::9"

_NFT = """
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "inner" accept
        jump miniupnpd
    }
    chain miniupnpd { }
    chain prerouting {
        type nat hook prerouting priority -100;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100;
        jump postrouting_miniupnpd
        oifname "outer" masquerade
    }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
"""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=PATIENCE, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
    return done.stdout


def why_not():
    """Why such tests cannot run on this machine, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip", "nft", "miniupnpd", "sysctl"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"needs {tool}"
    name = f"relay-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "cannot make network namespaces"
    run("ip", "netns", "del", name)
    return None


def call_in(namespace, function):
    """Calls the function with its sockets in the network namespace of that file; returns its
    result."""
    result = []

    def body():
        with open(namespace, "rb") as file:
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.setns(file.fileno(), 0x40000000) == 0, ctypes.get_errno()
        try:
            result.append((True, function()))
        except BaseException as error:  # noqa: BLE001: raised again by the caller
            result.append((False, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    good, value = result[0]
    if not good:
        raise value
    return value


class Networks:
    """The three network namespaces and the gateway."""

    def __init__(self, folder, tag, *daemon_options):
        self.folder = pathlib.Path(folder)
        self.names = {role: f"relay-{role}-{tag}" for role in ("client", "gateway", "relay")}
        self.daemon_options = daemon_options
        self.daemon = None

    def at(self, role, *command, **options):
        return run("ip", "netns", "exec", self.names[role], *command, **options)

    def prefix(self, role):
        """The command prefix that runs a command in that namespace."""
        return ["ip", "netns", "exec", self.names[role]]

    def _link(self, role, device, address, gateway_device, gateway_address):
        names = self.names
        run("ip", "link", "add", device, "netns", names[role], "type", "veth",
            "peer", "name", gateway_device, "netns", names["gateway"])
        self.at(role, "ip", "addr", "add", f"{address}/24", "dev", device)
        self.at("gateway", "ip", "addr", "add", f"{gateway_address}/24", "dev", gateway_device)
        self.at(role, "ip", "link", "set", device, "up")
        self.at("gateway", "ip", "link", "set", gateway_device, "up")

    def build(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
        for role in self.names:
            self.at(role, "ip", "link", "set", "lo", "up")
            # Without duplicate address detection, addresses can be used at once.
            self.at(role, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        self._link("client", "eth0", CLIENT, "outer", OUTER)
        self._link("relay", "eth0", RELAY, "inner", INNER)
        self.at("relay", "ip", "route", "add", "default", "via", INNER)
        self.at("gateway", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.at("gateway", "nft", "-f", "-", input=_NFT)

    def add_ipv6(self):
        for role, device, address in (("client", "eth0", CLIENT6), ("gateway", "outer", OUTER6),
                                      ("gateway", "inner", INNER6), ("relay", "eth0", RELAY6)):
            self.at(role, "ip", "addr", "add", f"{address}/64", "dev", device, "nodad")
        self.at("client", "ip", "-6", "route", "add", "default", "via", OUTER6)
        self.at("relay", "ip", "-6", "route", "add", "default", "via", INNER6)
        self.at("gateway", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        self.daemon_options = (*self.daemon_options, "ext_ifname6=outer")

    def start_gateway(self, *options):
        conf = self.folder / "miniupnpd.conf"
        lines = ["ext_ifname=outer", "listening_ip=inner", "http_port=0",
                 # Debian 13's default: a host maps ports for itself only.
                 "min_lifetime=1", "secure_mode=yes", "uuid=682e549f-b731-469e-a6aa-25959c3f076e",
                 "upnp_table_name=filter", "upnp_nat_table_name=filter",
                 "upnp_forward_chain=miniupnpd", "upnp_nat_chain=prerouting_miniupnpd",
                 "upnp_nat_postrouting_chain=postrouting_miniupnpd",
                 *self.daemon_options, *options,
                 "allow 1-65535 192.168.77.0/24 1-65535"]
        conf.write_text("\n".join(lines) + "\n")
        self.log = open(self.folder / "miniupnpd.log", "ab")
        self.daemon = subprocess.Popen(
            [*self.prefix("gateway"), "miniupnpd", "-d", "-f", str(conf),
             "-P", str(self.folder / "miniupnpd.pid")],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def silence(self):
        """The gateway receives requests and does not answer until wake()."""
        self.daemon.send_signal(signal.SIGSTOP)

    def wake(self):
        self.daemon.send_signal(signal.SIGCONT)

    def stop_gateway(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait(PATIENCE)
            self.log.close()
            self.daemon = None

    def reboot_gateway(self):
        """Restarts the gateway, which loses its mappings."""
        self.stop_gateway()
        for chain in ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"):
            self.at("gateway", "nft", "flush", "chain", "inet", "filter", chain)
        self.start_gateway()

    def new_address(self):
        """Never without one: the relay would tell that at once, as it should."""
        self.at("gateway", "sysctl", "-qw", "net.ipv4.conf.outer.promote_secondaries=1")
        self.at("gateway", "ip", "addr", "add", f"{OUTER_NEW}/24", "dev", "outer")
        self.at("gateway", "ip", "addr", "del", f"{OUTER}/24", "dev", "outer")

    def renumber_relay(self):
        """Changes the relay's IPv6 address."""
        self.at("relay", "ip", "addr", "add", f"{RELAY6_NEW}/64", "dev", "eth0", "nodad")
        self.at("relay", "ip", "addr", "del", f"{RELAY6}/64", "dev", "eth0")

    def pinholes(self):
        """The firewall rules that admit IPv6 connections."""
        chain = self.at("gateway", "nft", "-n", "list", "chain", "inet", "filter", "miniupnpd")
        return [line.strip() for line in chain.splitlines() if "@nh,192,128" in line or "ip6" in line]

    def mappings(self):
        return self.at("gateway", "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")

    def wait_for_mapping(self, there=True):
        wait_for(lambda: ("dnat" in self.mappings()) == there,
                 lambda: f"the mapping to be {there}; there is: {self.mappings()}; the gateway: "
                 + (self.folder / "miniupnpd.log").read_text())

    def call(self, role, function):
        """Calls the function with its sockets in that namespace; returns its result."""
        return call_in(f"/run/netns/{self.names[role]}", function)

    def close(self):
        self.stop_gateway()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextlib.contextmanager
def networks(folder, tag, *daemon_options):
    built = Networks(folder, tag, *daemon_options)
    try:
        built.build()
        yield built
    finally:
        built.close()
