# SPDX-License-Identifier: MPL-2.0
"""A relay, its neighbours, and clients that reach it through a CONNECT proxy only.

client -- proxy -- relay; each is a network namespace that exists for one test only, without a way
to the outside.  The relay has a public address, a private one, and IPv6."""

import contextlib
import os
import shutil
import subprocess

from gateway import call_in, run
from relay_client import MessageStream, dial, tls_context
from waiting import PATIENCE, wait_for

RELAY, PROXY = "11.22.33.1", "11.22.33.2"
RELAY_PRIVATE, PROXY_PRIVATE = "10.77.0.1", "10.77.0.2"
RELAY6, PROXY6 = "2001:db8:0:1::1", "2001:db8:0:1::2"
RELAY_LINK, PROXY_LINK = "fe80::1", "fe80::2"
PROXY_INSIDE, CLIENT = "192.168.99.1", "192.168.99.2"
PROXY_PORT = 8888


def why_not(*tools):
    """Why such tests cannot run on this machine, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip", *tools):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"needs {tool}"
    name = f"relay-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "cannot make network namespaces"
    run("ip", "netns", "del", name)
    return None


class ProxiedNetwork:
    def __init__(self, folder):
        self.folder = folder
        self.names = {role: f"relay-{role}-{os.getpid()}" for role in ("client", "proxy", "relay")}
        self.daemons = contextlib.ExitStack()

    def at(self, role, *command, **options):
        return run("ip", "netns", "exec", self.names[role], *command, **options)

    def output(self, role, *command):
        """All that the command writes, however it ends."""
        done = subprocess.run([*self.prefix(role), *command], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    def prefix(self, role):
        return ["ip", "netns", "exec", self.names[role]]

    def call(self, role, function):
        """Calls the function with its sockets in that namespace; returns its result."""
        return call_in(f"/run/netns/{self.names[role]}", function)

    def _link(self, one, other, addresses, their_addresses):
        run("ip", "link", "add", f"to-{other}", "netns", self.names[one], "type", "veth",
            "peer", "name", f"to-{one}", "netns", self.names[other])
        for role, device, mine in ((one, f"to-{other}", addresses),
                                   (other, f"to-{one}", their_addresses)):
            self.at(role, "ip", "link", "set", device, "addrgenmode", "none")
            self.at(role, "ip", "link", "set", device, "up")
            for address in mine:
                width = 64 if ":" in address else 24
                no_wait = ["nodad"] if ":" in address else []
                self.at(role, "ip", "addr", "add", f"{address}/{width}", "dev", device, *no_wait)

    def build(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
        for role in self.names:
            self.at(role, "ip", "link", "set", "lo", "up")
        self._link("relay", "proxy", (RELAY, RELAY_PRIVATE, RELAY6, RELAY_LINK),
                   (PROXY, PROXY_PRIVATE, PROXY6, PROXY_LINK))
        self._link("proxy", "client", (PROXY_INSIDE,), (CLIENT,))

    def start_tinyproxy(self, *prefix):
        conf = self.folder / "tinyproxy.conf"
        conf.write_text(f"Port {PROXY_PORT}\nListen {PROXY_INSIDE}\nTimeout 600\n"
                        f"LogFile \"{self.folder}/tinyproxy.log\"\nLogLevel Info\n")
        self._start(*prefix, *self.prefix("proxy"), "tinyproxy", "-d", "-c", str(conf))

    def start_socks(self, *prefix):
        self._start(*prefix, *self.prefix("proxy"), "microsocks", "-i", PROXY_INSIDE,
                    "-p", str(PROXY_PORT))

    def _start(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.daemons.callback(process.wait)
        self.daemons.callback(process.kill)

        def accepts():
            try:
                self.call("client", lambda: dial((PROXY_INSIDE, PROXY_PORT)).close())
            except ConnectionRefusedError:
                return False
            return True

        wait_for(accepts, f"{command} to listen")

    def close(self):
        self.daemons.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def knowing(hosts):
    """A command prefix with which a command sees this file of hosts."""
    return ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]


@contextlib.contextmanager
def proxied_network(folder):
    built = ProxiedNetwork(folder)
    try:
        built.build()
        yield built
    finally:
        built.close()


def dial_by_connect(host, port):
    """A connection that the proxy makes, as Syncthing asks it to (RFC 9110, 9.3.6)."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sock = dial((PROXY_INSIDE, PROXY_PORT))
    sock.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = sock.recv(1)
        if not part:
            raise ConnectionError(f"the proxy ended it after {head!r}")
        head += part
    if head.split()[1] != b"200":
        sock.close()
        raise ConnectionError(head.decode())
    return sock


class Dialed(MessageStream):
    """A connection in session mode over a connected socket; with an identity, in protocol mode."""

    def __init__(self, sock, identity=None):
        super().__init__(tls_context(identity).wrap_socket(sock) if identity else sock)

