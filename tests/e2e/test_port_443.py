# SPDX-License-Identifier: MPL-2.0
"""The examples of conf/port-443: the relay, a web server and its status page at one port, behind
real haproxy and real nginx, for real Syncthing devices, curl, and sessions whose first bytes come
one at a time.

The commands of the page run as they are there, in namespaces: of the network, so the ports are
those of the examples; of mounts, so /etc is a copy; and of processes, so all end with the test."""

import contextlib
import functools
import json
import os
import pathlib
import re
import select
import shutil
import subprocess

import pytest

import certificates
import own_network
import relay_protocol as rp
from gateway import call_in, run
from open_folder import folder  # noqa: F401
from pairing import check_both_ways, told
from privileges import why_no_network
from proxy_sender import byte_by_byte
from relay_client import MessageStream, ProtocolConnection, SessionConnection, dial
from skip_unless import can_run
from two_devices import make_pair, wait_for_connection
from waiting import PATIENCE, wait_for

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "port-443"
#: Debian's own page of nginx, which the examples serve.
PAGE = pathlib.Path("/var/www/html/index.nginx-debian.html")
LOCAL, PUBLIC = ("127.0.0.1", 443), ("198.51.100.5", 443)
#: Clients beyond a router: IPv6 it passes on, and its own port 443 it maps to the private address of
#: the relay's machine.
PUBLIC6, MAPPED, PRIVATE = ("2001:db8:1::5", 443), ("203.0.113.1", 443), "10.77.0.5"
CLIENT6, CLIENT = "2001:db8:2::2", "203.0.113.2"
ROUTER_TO_RELAY, ROUTER_TO_CLIENT = ("10.77.0.1", "2001:db8:1::1"), (MAPPED[0], "2001:db8:2::1")
MAPPING = f"""
table ip mapping {{
	chain prerouting {{
		type nat hook prerouting priority dstnat;
		ip daddr {MAPPED[0]} tcp dport {MAPPED[1]} dnat to {PRIVATE}
	}}
}}
"""
#: What the files of the packages run; as it is in their units.
SYSTEMCTL = """#!/bin/sh
test "$1" = restart || exit 1
shift
for unit; do case $unit in
nginx) nginx -g 'daemon on; master_process on;' ;;
haproxy) haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid ;;
strelaysrv)
	. /etc/default/syncthing-relaysrv
	cd '{keys}' && exec strelaysrv -nat=false $STRELAYSRV_OPTS -debug 2>'{log}' ;;
*) exit 1 ;;
esac & done
# As systemd waits for each of these.
until {ready}; do sleep 0.05; done
"""
READY = "grep -q 'URI: relay' '{log}' 2>/dev/null && " \
        "for port in 443 8443 22066; do ss -Hltn sport = :$port | grep -q . || exit 1; done"
INSIDE = """
set -e
mount -t tmpfs none '{place}'
mkdir '{place}/upper' '{place}/work'
mount -t overlay overlay -o 'lowerdir=/etc,upperdir={place}/upper,workdir={place}/work' /etc
for folder in /run /var/log/nginx; do mount -t tmpfs none $folder; done
mkdir -p /etc/ssl/certs /etc/ssl/private
cp '{web}/cert.pem' /etc/ssl/certs/ssl-cert-snakeoil.pem
cp '{web}/key.pem' /etc/ssl/private/ssl-cert-snakeoil.key
export PATH='{tools}':$PATH:/usr/sbin
mkdir '{place}/lib' '{place}/lib-work'
mount -t overlay overlay -o 'lowerdir=/var/lib,upperdir={place}/lib,workdir={place}/lib-work' /var/lib
mkdir -p /var/lib/syncthing/relaysrv /etc/strelaysrv
echo "STRELAYSRV_OPTS='-provided-by=me'" >/etc/default/syncthing-relaysrv
echo 'relay {{ network-timeout = 77s }}' >/etc/strelaysrv/strelaysrv.conf
cd '{examples}'
sh -e '{commands}' >'{said}' 2>&1 || {{ cat '{said}' >&2; exit 1; }}
echo runs
read rest
"""


def commands(name):
    text = (EXAMPLES / "README.md").read_text()
    return re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", text, re.DOTALL).group(1)


def why_not():
    if os.geteuid() != 0:
        return "needs root for namespaces"
    missing = [tool for tool in ("haproxy", "nginx", "nft")
               if not shutil.which(tool, path="/usr/sbin:/usr/bin")]
    return f"needs {missing}" if missing else why_no_network()


class SharedPort:
    """What runs after the commands of the page."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.log, self.said = folder / "relay.log", folder / "said"

    def tool(self, name, text):
        path = self.folder / "tools" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, stack, name):
        keys = certificates.make(name="strelaysrv").write(self.folder / "relay-keys")
        web = certificates.make(name="web").write(self.folder / "web-keys")
        (self.folder / "place").mkdir()
        (self.folder / "commands").write_text(commands(name))
        ready = f"({READY.format(log=self.log)})"
        self.tool("systemctl", SYSTEMCTL.format(keys=keys, log=self.log, ready=ready))
        self.tool("sudo", '#!/bin/sh\nexec "$@"\n')
        self.tool("apt-get", "#!/bin/sh\n")
        self.tool("strelaysrv", f"#!/bin/sh\nexec '{self.program.path}' \"$@\"\n")
        script = INSIDE.format(place=self.folder / "place", web=web, tools=self.folder / "tools",
                               examples=EXAMPLES, commands=self.folder / "commands", said=self.said)
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.stdin.close)
        assert process.stdout.readline() == "runs\n"
        self.processes = os.readlink(f"/proc/{process.pid}/ns/pid_for_children")
        # The last command of the page.
        assert '"numActiveSessions"' in self.said.read_text()
        self.id = re.search(r"URI: relay://0\.0\.0\.0:443/\?id=([^&\s]*)", self.log.read_text()).group(1)
        return self

    def curl(self, url):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*", url],
            capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def users(self, program):
        """Of the processes with that name in the test's namespace."""
        found = set()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(path / "ns" / "pid") == self.processes and \
                        (path / "comm").read_text() == program + "\n":
                    found.add(path.owner())
        return found

    def has_seen(self, sock):
        """Whether the relay's log has the client; it has whoever the proxy has sent there."""
        host, port = sock.getsockname()[:2]
        return f"{f'[{host}]' if ':' in host else host}:{port}" in self.log.read_text()


def sent_to_web_server():
    """Whether a proxy has a connection to the web server of the examples."""
    done = subprocess.run(["ss", "-Htn", "state", "established", "dport = :8443"],
                          capture_output=True, text=True, check=True)
    return bool(done.stdout)


@pytest.fixture(params=["haproxy", "nginx"])
def shared(request, folder, plain_program):  # noqa: F811
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    own_network.make()
    try:
        with contextlib.ExitStack() as stack:
            subprocess.run(["ip", "addr", "add", f"{PUBLIC[0]}/32", "dev", "lo"], check=True)
            yield SharedPort(folder, plain_program).start(stack, request.param)
    finally:
        own_network.go_back(before)


def link(device, addresses, peer, at, peer_device, peer_addresses):
    """Joins this namespace, or the one that `peer` names, with the one that `at` names."""
    here, there = (["-n", peer] if peer else []), ["-n", at]
    run("ip", *here, "link", "add", device, "type", "veth", "peer", "name", peer_device, "netns", at)
    for where, end, theirs in ((here, device, addresses), (there, peer_device, peer_addresses)):
        run("ip", *where, "link", "set", end, "up")
        for address in theirs:
            more = ["64", "nodad"] if ":" in address else ["24"]
            run("ip", *where, "addr", "add", f"{address}/{more[0]}", "dev", end, *more[1:])


def route(addresses, *at):
    for address in addresses:
        run("ip", *at, "route", "add", "default", "via", address)


@pytest.fixture
def beyond(shared):
    """beyond(function) calls it with its sockets in the namespace of the clients."""
    router, clients = (f"relay-443-{role}-{os.getpid()}" for role in ("router", "clients"))
    try:
        for name in (router, clients):
            run("ip", "netns", "add", name)
        link("out", (PRIVATE, PUBLIC6[0]), None, router, "in", ROUTER_TO_RELAY)
        link("out", ROUTER_TO_CLIENT, router, clients, "in", (CLIENT, CLIENT6))
        route(ROUTER_TO_RELAY)
        route(ROUTER_TO_CLIENT, "-n", clients)
        run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1")
        run("ip", "netns", "exec", router, "nft", "-f", "-", input=MAPPING)
        yield lambda function: call_in(f"/run/netns/{clients}", function)
    finally:
        for name in (router, clients):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


pytestmark = can_run("EXAMPLES OF PORT 443", why_not())


def test_devices_sessions_and_a_web_server_share_a_port(shared, make_device):
    one, other = make_pair(make_device, f"relay://{LOCAL[0]}:{LOCAL[1]}/?id={shared.id}")
    one.start()
    other.start()
    wait_for_connection(one, other, patience=2)
    assert shared.curl("https://127.0.0.1/" + PAGE.name) == PAGE.read_text()
    assert json.loads(shared.curl("https://127.0.0.1/status"))["numActiveSessions"] >= 1
    assert "404" in shared.curl("https://127.0.0.1/endpoint"), "the module endpoint does not run"


def test_the_first_bytes_of_a_session_may_come_one_at_a_time(shared):
    """One side came in at a public address, and is told it: behind a CONNECT proxy it can follow."""
    identities = [certificates.make(), certificates.make()]
    with ProtocolConnection(PUBLIC, identities[0]) as joined, \
            ProtocolConnection(LOCAL, identities[1]) as asking:
        joined.join()
        to_asker = asking.request(identities[0].id)
        to_joined = joined.invitation()
        assert (told(to_joined), told(to_asker)) == (PUBLIC, ("", LOCAL[1]))
        with MessageStream(dial(PUBLIC)) as one, MessageStream(dial(LOCAL)) as other:
            for side, invitation in ((one, to_joined), (other, to_asker)):
                byte_by_byte(side.sock, rp.encode(rp.JoinSessionRequest(invitation.key)))
                side.expect(rp.response(rp.SUCCESS))
            check_both_ways(one, other)


#: Where a client comes in -> what it is told.  It came in at a private address behind the mapped
#: port, so it is to use again what it connected to.
IS_TOLD = {PUBLIC6: PUBLIC6, MAPPED: ("", MAPPED[1])}


def test_clients_beyond_a_router_come_in_by_ipv6_and_by_a_mapped_port(shared, beyond):
    with contextlib.ExitStack() as stack:

        def come(kind, at, *args):
            stream = stack.enter_context(beyond(lambda: kind(at, *args)))
            source = CLIENT6 if at == PUBLIC6 else CLIENT
            assert stream.sock.getsockname()[0] == source
            return stream

        for at_joined, at_asker in ((PUBLIC6, PUBLIC6), (PUBLIC6, MAPPED), (MAPPED, PUBLIC6)):
            identities = [certificates.make(), certificates.make()]
            joined = come(ProtocolConnection, at_joined, identities[0])
            joined.join()
            wait_for(lambda: shared.has_seen(joined.sock), "the client's own address in the log")
            asking = come(ProtocolConnection, at_asker, identities[1])
            to_asker = asking.request(identities[0].id)
            to_joined = joined.invitation()
            assert (told(to_joined), told(to_asker)) == (IS_TOLD[at_joined], IS_TOLD[at_asker])
            sides = [come(SessionConnection, at).join(invitation.key)
                     for at, invitation in ((at_joined, to_joined), (at_asker, to_asker))]
            check_both_ways(*sides)


def test_what_the_relay_had_stays_and_it_is_private(shared):
    log = shared.log.read_text()
    assert "providedBy=me" in log and "networkTimeout=1m17s" in log
    assert "joins no pool: `pools` is empty" in log


def ended(socks):
    """Those that the other end has closed or reset."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    return poll.poll(0)


def test_the_proxys_processes_have_no_rights(shared, request):
    """But for one that starts the others."""
    assert shared.users("nginx") == {"root", "www-data"}
    if "haproxy" in request.node.name:
        assert shared.users("haproxy") == {"root", "haproxy"}


def test_a_source_has_500_connections_and_others_go_on(shared):
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(dial(LOCAL, "127.0.0.9")) for _ in range(520)]
        wait_for(lambda: len(ended(many)) >= 20, "the end of those above the limit")
        assert len(ended(many)) == 20
        with ProtocolConnection(LOCAL, certificates.make()) as joined:
            joined.join()


def is_local(address):
    """The kernel adds the route of a new address a little later."""
    done = subprocess.run(["ip", "route", "get", address], capture_output=True, text=True, check=False)
    return done.stdout.startswith("local ")


def test_the_addresses_of_a_network_of_ipv6_are_one_source(shared):
    """With two sources, none would have more than 500."""
    sources = [f"2001:db8:443::{host}" for host in (1, 2)]
    for source in (*sources, PUBLIC6[0]):
        run("ip", "addr", "add", f"{source}/128", "dev", "lo", "nodad")
        wait_for(functools.partial(is_local, source), "its route")
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(dial(PUBLIC6, source)) for _ in range(260) for source in sources]
        wait_for(lambda: len(ended(many)) >= 20, "the end of those above the limit")
        assert len(ended(many)) == 20


def test_who_sends_nothing_reaches_no_relay(shared, request):
    """The relay serves others meanwhile.  haproxy gives it to the web server in the end, nginx closes
    it; what is no TLS goes to the relay from nginx only."""
    behind_haproxy = "haproxy" in request.node.name
    with dial(LOCAL) as silent, dial(LOCAL) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with ProtocolConnection(LOCAL, certificates.make()) as joined:
            joined.join()
            joined.check_alive()
            wait_for(lambda: shared.has_seen(joined.sock), "the device in the log")
        plain.settimeout(PATIENCE)
        assert plain.recv(4096).startswith(b"HTTP/1.1 400") == behind_haproxy
        wait_for(lambda: not sent_to_web_server(), "its end")
        if behind_haproxy:
            wait_for(sent_to_web_server, "haproxy to give up waiting")
            silent.sendall(b"GET / HTTP/1.0\r\n\r\n")
        else:
            wait_for(lambda: shared.has_seen(plain), "what is no TLS in the log")
        silent.settimeout(PATIENCE)
        assert silent.recv(4096).startswith(b"HTTP/1.1 400") == behind_haproxy
        assert not shared.has_seen(silent)
        assert shared.has_seen(plain) != behind_haproxy
