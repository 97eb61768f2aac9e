# SPDX-License-Identifier: MPL-2.0
"""The rules for firewalls in conf/port-443, as they are: on a machine that also forwards, and on one
with other users.  What a redirected client is told is in test_came_in.py."""

import contextlib
import pathlib
import pwd
import socket
import subprocess
import sys
import threading

import pytest

import relay_protocol as rp
from proxied_network import (
    CLIENT, PROXY, PROXY6, PROXY_INSIDE, RELAY, RELAY6, proxied_network, why_not,
)
from proxy_sender import version2
from relay_client import NO_SUCH_KEY, MessageStream, dial
from relay_server import Program, RelayServer
from skip_unless import can_run
from waiting import PATIENCE

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "conf" / "port-443"
PROXY_INSIDE6, CLIENT6 = "2001:db8:0:2::1", "2001:db8:0:2::2"
PROXIES_USER, OTHER_USER = "haproxy", "nobody"
WEB_SAYS = b"a web server\n"
KNOCK = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(bytes.fromhex(sys.argv[2]))
    print(sock.recv(1000).hex())
"""


def has_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


needs_firewall = can_run("RULES OF FIREWALLS", why_not("nft"))
needs_user = can_run("THE USER OF HAPROXY",
                     None if has_user(PROXIES_USER) else f"needs the user {PROXIES_USER}")


@pytest.fixture
def network(tmp_path):
    with proxied_network(tmp_path) as built:
        yield built


@pytest.fixture
def start_at(network, tmp_path, relay_keys):
    """start_at(role, *args) starts a relay in that namespace."""
    with contextlib.ExitStack() as servers:

        def start(role, *args):
            program = Program("ours", 1)
            command = [*network.prefix(role), program.path, "-keys", str(relay_keys),
                       "-pools", "", "-status-srv", "", *args]
            server = RelayServer(program, command, tmp_path)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


@contextlib.contextmanager
def web_server(network, role, at):
    """Whoever connects there is told WEB_SAYS."""
    family = socket.AF_INET6 if ":" in at[0] else socket.AF_INET
    listener = network.call(role, lambda: socket.create_server(at, family=family))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as sock:
                    sock.sendall(WEB_SAYS)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def is_relay(at):
    with MessageStream(dial(at)) as guest:
        return guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)


def is_web_server(at):
    with dial(at) as sock:
        return sock.recv(len(WEB_SAYS), socket.MSG_WAITALL) == WEB_SAYS


#: Addresses of the relay, and of its neighbour and its client at the router.
FAMILIES = {4: (RELAY, PROXY, PROXY_INSIDE, CLIENT), 6: (RELAY6, PROXY6, PROXY_INSIDE6, CLIENT6)}


def let_forward(network):
    """The client reaches the relay through what is the proxy in other tests."""
    for role, device, address in (("proxy", "to-client", PROXY_INSIDE6), ("client", "to-proxy", CLIENT6)):
        network.at(role, "ip", "addr", "add", f"{address}/64", "dev", device, "nodad")
    network.at("proxy", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1",
               "net.ipv6.conf.all.forwarding=1")
    for _, router, inside, client in FAMILIES.values():
        network.at("client", "ip", "route", "add", "default", "via", inside)
        network.at("relay", "ip", "route", "add", client, "via", router)


@needs_firewall
def test_what_a_router_only_passes_on_is_not_redirected(network, start_at):
    """The relay runs on the client's router, and a web server is beyond it."""
    let_forward(network)
    network.at("proxy", "nft", "-f", EXAMPLES / "redirect.nft")
    start_at("proxy", "-listen", ":22067")
    for beyond, router, inside, _ in FAMILIES.values():
        with web_server(network, "relay", (beyond, 443)):
            assert network.call("client", lambda: is_web_server((beyond, 443)))
            # From the router itself, too.
            assert network.call("proxy", lambda: is_web_server((beyond, 443)))
            for role in "client", "proxy":
                assert network.call(role, lambda: is_relay((inside, 443)))
            assert network.call("relay", lambda: is_relay((router, 443)))


@needs_firewall
@needs_user
def test_only_the_proxys_user_may_connect(network, start_at):
    at = ("127.0.0.1", 22066)
    start_at("relay", "-listen", ":22067,127.0.0.1:22066", "-proxy-listen", "127.0.0.1:22066",
             "-proxy-from", "127.0.0.1")

    def passes(user):
        """Whether the relay answers a process of that user."""
        done = subprocess.run(
            [*network.prefix("relay"), "setpriv", "--reuid", user, "--clear-groups", "--regid",
             str(pwd.getpwnam(user).pw_gid), sys.executable, "-c", KNOCK, str(at[1]),
             (version2() + rp.encode(NO_SUCH_KEY)).hex()],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        refused = "ConnectionRefusedError" in done.stderr
        assert refused or done.stdout.strip() == rp.encode(rp.response(rp.NOT_FOUND)).hex(), done
        return not refused

    assert passes(OTHER_USER), "without the rules everybody may"
    network.at("relay", "nft", "-f", EXAMPLES / "only-proxy.nft")
    assert passes(PROXIES_USER)
    assert not passes(OTHER_USER)
    assert not passes("root")
    # Devices go on.
    assert network.call("relay", lambda: is_relay(("127.0.0.1", 22067)))
