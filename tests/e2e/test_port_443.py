# SPDX-License-Identifier: MPL-2.0
"""The examples of conf/port-443: the relay, a web server and its status page at one port, behind
real haproxy and real nginx, for real Syncthing devices, curl, and sessions whose first bytes come
one at a time."""

import contextlib
import json
import pathlib
import re
import subprocess

import pytest

import certificates
import relay_protocol as rp
import relay_server
from open_folder import folder  # noqa: F401
from pairing import check_both_ways, told
from proxy_sender import byte_by_byte
from relay_client import MessageStream, ProtocolConnection, dial
from relay_server import free_port
from two_devices import make_pair, wait_for_connection
from waiting import wait_for

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "port-443"
PAGE = "a page of the web server\n"
#: What nginx would write outside of the test's folder.
NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
"""
NGINX_HTTP = """
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""


class SharedPort:
    """The examples, with free ports instead of theirs, in a folder of the test."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.ports = {number: free_port() for number in (443, 22066, 22070, 8443)}
        self.public = ("127.0.0.1", self.ports[443])
        site = folder / "site"
        site.mkdir()
        (site / "index.html").write_text(PAGE)
        pair = certificates.make(name="web").write(folder / "web-keys")
        self._paths = {
            "/etc/ssl/certs/ssl-cert-snakeoil.pem": pair / "cert.pem",
            "/etc/ssl/private/ssl-cert-snakeoil.key": pair / "key.pem", "/var/www/html": site,
        }
        site.chmod(0o755)

    def example(self, name, **changes):
        """Writes an example with the ports and paths of this test; returns its path."""
        text = (EXAMPLES / name).read_text()
        for number, port in self.ports.items():
            text = re.sub(rf"(?<![0-9]){number}\b", str(port), text)
        for old, new in {**self._paths, **changes}.items():
            text = text.replace(old, str(new))
        path = self.folder / name
        path.write_text(text)
        return path

    def nginx(self, name, text):
        path = self.folder / name
        path.write_text(NGINX.format(folder=self.folder) + text.replace(
            "http {", "http {" + NGINX_HTTP.format(folder=self.folder)))
        return ["nginx", "-g", "daemon off;", "-c", str(path)]

    def commands(self, proxy):
        self.example("web.conf")
        if proxy == "nginx":
            return [self.nginx("front.conf", self.example("nginx.conf").read_text())]
        return [["haproxy", "-db", "-f", str(self.example("haproxy.cfg"))],
                self.nginx("web-only.conf", "events { }\nhttp {\n include web.conf;\n}\n")]

    def start(self, stack, proxy):
        keys = certificates.make(name="strelaysrv").write(self.folder / "relay-keys")
        self.relay = relay_server.start(
            self.program, self.folder, "-conf", self.example("relay.conf"), "-debug", keys=keys,
            listen=f"127.0.0.1:{self.ports[22066]}", status=f"127.0.0.1:{self.ports[22070]}")
        stack.callback(self.relay.finish)
        for command in self.commands(proxy):
            process = subprocess.Popen(command)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        for port in (443, 8443):
            wait_for(lambda port=port: self._accepts(port), f"port {port}")
        return self

    def _accepts(self, number):
        try:
            dial(("127.0.0.1", self.ports[number])).close()
        except ConnectionRefusedError:
            return False
        return True

    def curl(self, path):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*",
             f"https://127.0.0.1:{self.public[1]}{path}"],
            capture_output=True, text=True, check=True, timeout=60)
        return done.stdout


@pytest.fixture(params=["haproxy", "nginx"])
def shared(request, folder, plain_program):  # noqa: F811
    """The processes of nginx are of another user if root has started them."""
    with contextlib.ExitStack() as stack:
        yield SharedPort(folder, plain_program).start(stack, request.param)


def test_devices_sessions_and_a_web_server_share_a_port(shared, make_device):
    uri = f"relay://127.0.0.1:{shared.public[1]}/?id={shared.relay.query['id']}"
    one, other = make_pair(make_device, uri)
    one.start()
    other.start()
    wait_for_connection(one, other, patience=2)
    assert shared.curl("/") == PAGE
    assert json.loads(shared.curl("/status"))["numActiveSessions"] >= 1


def test_the_first_bytes_of_a_session_may_come_one_at_a_time(shared):
    identities = [certificates.make(), certificates.make()]
    with ProtocolConnection(shared.public, identities[0]) as joined, \
            ProtocolConnection(shared.public, identities[1]) as asking:
        joined.join()
        to_asker = asking.request(identities[0].id)
        to_joined = joined.invitation()
        # The relay tells both the port of the proxy.
        assert told(to_joined)[1] == told(to_asker)[1] == shared.public[1]
        with MessageStream(dial(shared.public)) as one, MessageStream(dial(shared.public)) as other:
            for side, invitation in ((one, to_joined), (other, to_asker)):
                byte_by_byte(side.sock, rp.encode(rp.JoinSessionRequest(invitation.key)))
                side.expect(rp.response(rp.SUCCESS))
            check_both_ways(one, other)


def test_who_sends_nothing_is_no_device(shared):
    """It is the web server's, if anybody's, and the relay goes on."""
    with dial(shared.public):
        identity = certificates.make()
        with ProtocolConnection(shared.public, identity) as joined:
            joined.join()
            joined.check_alive()
