# SPDX-License-Identifier: MPL-2.0
"""Hostile answers to the module nat, from gateways and from hosts that pretend to be gateways; see
test_nat.py."""

import contextlib
import os
import pathlib
import re
import socket
import sys
import threading

import pytest

import gateway
import gateway_double
import sandbox
from gateway_double import GatewayDouble, Talk
from pmp_double import PmpDouble
from relay_server import Program, RelayServer
from service_unit import UNIT, why_no_sandbox
from skip_unless import can_run
from waiting import PATIENCE, Deadline, wait_for

pytestmark = can_run("PORT MAPPINGS", gateway.why_not())

PORT = 22067
STRANGER = gateway.NEIGHBOUR
MEBI = 1 << 20
#: By how many bytes the server's memory may grow, whatever it receives.
GROWTH = 6 * MEBI


@pytest.fixture
def nets(tmp_path):
    with gateway.networks(tmp_path, f"{os.getpid()}-hostile") as built:
        built.at("gateway", "ip", "addr", "add", f"{STRANGER}/24", "dev", "inner")
        yield built


@pytest.fixture
def make_double(nets):
    with contextlib.ExitStack() as doubles:

        def make(kind=GatewayDouble, **options):
            double = kind(nets, **options)
            doubles.callback(double.close, nets)
            return double

        yield make


class Inside(RelayServer):
    """The relay behind the gateway."""

    def __init__(self, nets, folder, keys, args=(), wrapper=()):
        conf = pathlib.Path(folder) / "nat.conf"
        conf.write_text(f'listen = {{ "0.0.0.0:{PORT}" }}\nmodules = {{ log, relay, nat, rate-limit, '
                        'status, prometheus }\nnat { check = 1s }\n')
        program = Program("ours", 1)
        self.nets = nets
        super().__init__(program, [
            *nets.prefix("relay"), *wrapper, program.path, "-conf", str(conf), "-keys", str(keys),
            "-status-srv", "127.0.0.1:22070", "-nat", "-nat-timeout", "4", *args], folder)

    def peak(self):
        """Peak memory in bytes of the server and the processes that it has started."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) * 1024

    def refused(self, reason):
        code, _, body = self.nets.call("relay", lambda: self.get("/metrics"))
        assert code == 200
        found = re.search(rf'nat_refused_total{{reason="{reason}"}} (\d+)', body.decode())
        assert found, body.decode()
        return int(found.group(1))

    def wait_until_refused(self, reason):
        """The line is logged before the refusal is counted."""
        wait_for(lambda: self.refused(reason) > 0, lambda: f"a refusal to be counted: {reason}")

    def uris(self):
        return re.findall(r"URI: (relay://[^?]*)", self.log())


@pytest.fixture
def inside(nets, tmp_path, relay_keys):
    with contextlib.ExitStack() as servers:

        def start(*args, wrapper=()):
            server = Inside(nets, tmp_path, relay_keys, args, wrapper)
            servers.callback(server.finish)
            server.wait_for_log(r"URI: (relay://\S+)")
            server.uri = server.wait_for_log(r"URI: (relay://\S+)").group(1)
            return server

        yield start


def head(*lines):
    return "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", "Content-Type: text/xml", *lines, "")
                   ).encode()


XML = b'<?xml version="1.0"?><root>' + b"<a>" * 20000
#: The beginning of an answer, what is repeated after it, and the reason of the refusal.
ENDLESS = {
    "without-a-length": (head(), XML, "size"),
    "a-length-of-2-GiB": (head("Content-Length: 2147483647"), XML, "size"),
    "chunks": (head("Transfer-Encoding: chunked"), b"8000\r\n" + b"<" * 0x8000 + b"\r\n", "size"),
    "tiny-chunks": (head("Transfer-Encoding: chunked"), b"1\r\n<\r\n" * 4096, "size"),
    "one-chunk": (head("Transfer-Encoding: chunked"), b"7fffffff\r\n" + XML, "size"),
    "a-head": (b"HTTP/1.1 200 OK\r\n", b"X-Line: more\r\n" * 1000, "size"),
    "a-byte-a-second": (head("Content-Length: 1000"), b"<", "time"),
    "a-head-a-byte-a-second": (b"HTTP/1.1 200", b" ", "time"),
}
TEXTS = {"size": "192.168.77.1 sends more than", "time": "192.168.77.1 takes too long to answer"}


def make_talk(name):
    first, again, why = ENDLESS[name]
    return Talk(first, again, 1 if why == "time" else 0), why


@pytest.mark.parametrize("name", ENDLESS)
def test_a_description_without_end(make_double, inside, name):
    """The relay refuses the description with a reason, in time and with little memory.  Then it
    tries again."""
    talk, why = make_talk(name)
    double = make_double(describe=talk)
    server = inside()
    before = server.peak()
    server.wait_for_log(rf"no port is mapped: {TEXTS[why]}.*; NAT-PMP: no answer; tries again")
    server.wait_for_log(f"warning nat: refused: {TEXTS[why]}")
    assert server.peak() - before < GROWTH
    assert server.refused(why) == talk.began
    double.describe = gateway_double._DEVICE
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")


@pytest.mark.parametrize("name", ["without-a-length", "chunks", "a-byte-a-second"])
@pytest.mark.parametrize("action", ["AddPortMapping", "GetExternalIPAddress"])
def test_an_answer_without_end(make_double, inside, name, action):
    talk, why = make_talk(name)
    double = make_double(**{action: talk})
    server = inside("-nat-timeout", "12")  # enough for a slow machine
    before = server.peak()
    server.wait_for_log(rf"no port is mapped: UPnP {action}: {TEXTS[why]}.*; NAT-PMP: no answer")
    assert server.peak() - before < GROWTH
    server.wait_until_refused(why)
    double.answers[action] = gateway_double.GOOD[action]
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")


def test_a_gateway_that_stalls_after_it_has_mapped(make_double, inside):
    """The check of the mapping ends in time as well.  The mapping counts until its lease ends."""
    double = make_double()
    server = inside()
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    double.answers["GetSpecificPortMappingEntry"] = make_talk("a-byte-a-second")[0]
    server.wait_for_log("no port is mapped: UPnP GetSpecificPortMappingEntry: .*takes too long")
    assert server.uris()[-1] == f"relay://{gateway.OUTER}:{PORT}/"


def test_a_stranger_who_answers_faster_is_not_believed(make_double, inside):
    stranger = make_double(host=STRANGER,
                           GetExternalIPAddress={"NewExternalIPAddress": "11.22.33.66"})
    server = inside()
    server.wait_for_log(f"warning nat: refused: {STRANGER} says it is a gateway")
    server.wait_for_log("no port is mapped: no UPnP gateway answers")
    make_double()
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    assert not stranger.described and not stranger.asked
    server.wait_until_refused("stranger")


def test_a_stranger_with_many_answers_does_not_hide_the_gateway(make_double, inside):
    """The gateway answers after the stranger has sent more answers than a search reads."""
    stranger = make_double(host=STRANGER)
    stranger.copies = 4000
    double = make_double()
    double.first = lambda _: stranger.answered.wait(PATIENCE)
    server = inside()
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    server.wait_until_refused("stranger")
    assert "11.22.33.66" not in server.log()


def test_another_gateway_can_be_named(make_double, inside):
    named = make_double(host=STRANGER)
    make_double(GetExternalIPAddress={"NewExternalIPAddress": "11.22.33.66"})
    server = inside("-nat.gateway", STRANGER)
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")
    assert named.asked and "11.22.33.66" not in server.log()


def test_it_needs_no_rights(make_double, inside):
    """The module needs no rights, neither to read routes nor to open sockets; see -user."""
    make_double()
    server = inside("-user", "nobody")
    server.wait_for_log(f"UPnP maps port {PORT} of {gateway.OUTER}")


@pytest.mark.skipif(why_no_sandbox() is not None, reason=f"{why_no_sandbox()}")
@pytest.mark.parametrize("kind", [GatewayDouble, PmpDouble], ids=["upnp", "nat-pmp"])
def test_the_services_system_call_filter_lets_it_map(make_double, inside, kind):
    make_double(kind)
    server = inside(wrapper=(sys.executable, sandbox.__file__, str(UNIT)))
    server.wait_for_log(f"maps port {PORT} of {gateway.OUTER}")


class Victim:
    """A service on the relay's own machine that counts its connections."""

    def __init__(self, nets):
        self.came = 0
        self.sock = nets.call("relay", lambda: socket.create_server(("127.0.0.1", 0)))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                self.sock.accept()[0].close()
                self.came += 1

    @property
    def url(self):
        return "http://127.0.0.1:{}/".format(self.sock.getsockname()[1])

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()


@pytest.fixture
def victim(nets):
    victim = Victim(nets)
    yield victim
    victim.close()


def elsewhere(url):
    """Returns descriptions of a gateway that name URLs of another host."""
    return {
        "control": gateway_double._DEVICE.replace(
            "<controlURL>/ports<", f"<controlURL>{url}ports<"),
        "base": gateway_double._DEVICE.replace("<device>", f"<URLBase>{url}</URLBase><device>", 1),
    }


@pytest.mark.parametrize("how, where", [
    ("location", "loopback"), ("location", "stranger"), ("location", "a-name"),
    ("control", "loopback"), ("control", "stranger"), ("base", "loopback")])
def test_a_gateway_sends_us_to_nobody_else(make_double, inside, victim, how, where):
    stranger = make_double(host=STRANGER)
    url = {"loopback": victim.url, "a-name": "http://localhost/",
           "stranger": "http://{}:{}/".format(*stranger.http.server_address)}[where]
    double = make_double()
    if how == "location":
        double.location = url
    else:
        double.describe = elsewhere(url)[how]
    server = inside()
    server.wait_for_log(f"warning nat: refused: {gateway.INNER} .* another host, {url}")
    server.wait_for_log("no port is mapped: ")
    server.wait_until_refused("elsewhere")
    assert not victim.came and not stranger.described and not stranger.asked


@pytest.mark.parametrize("given, reason, text", [
    ({"port": 0}, "port", "the gateway maps port 0 to port 22067"),
    ({"lease": 0}, "lease", "the gateway maps the port for 0 s only"),
    ({"lease": 1}, "lease", "the gateway maps the port for 1 s only")], ids=str)
def test_a_mapping_that_is_none(make_double, inside, given, reason, text):
    double = make_double(PmpDouble, **given)
    server = inside()
    server.wait_for_log(f"no port is mapped: no UPnP gateway answers; NAT-PMP: {text}")
    server.wait_until_refused(reason)
    assert server.refused(reason) == 1
    assert server.uris() == [f"relay://0.0.0.0:{PORT}/"]
    double.port, double.lease = PORT, 3600
    server.wait_for_log(f"NAT-PMP maps port {PORT} of {gateway.OUTER}")


def test_nat_pmp_is_heard_from_the_gateway_only(make_double, inside):
    double = make_double(PmpDouble, mouth=STRANGER, address="11.22.33.66")
    server = inside()
    server.wait_for_log("NAT-PMP: no answer; tries again")
    assert double.asked and server.uris() == [f"relay://0.0.0.0:{PORT}/"]


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "10.1.2.3"])
def test_an_address_that_nobody_reaches_is_refused(make_double, inside, address):
    make_double(PmpDouble, address=address)
    server = inside()
    server.wait_for_log(f"NAT-PMP maps port {PORT} of {address}")
    server.wait_for_log(f"warning nat: refused: {address} is ")
    server.wait_until_refused("address")
    assert server.refused("address") == 1
    assert set(server.uris()) == {f"relay://0.0.0.0:{PORT}/"}


def test_an_address_that_changes_all_the_time_is_told_rarely(make_double, inside):
    double = make_double()
    turn = iter(range(10 ** 6))
    double.answers["GetExternalIPAddress"] = lambda _: {
        "NewExternalIPAddress": f"11.22.33.{next(turn) % 200 + 1}"}
    server = inside()
    server.wait_for_log("warning nat: refused: the gateway's address or port changes too often")
    before = len(server.uris())
    asked = double.count("GetExternalIPAddress")
    wait_for(lambda: double.count("GetExternalIPAddress") > asked + 3, "more looks", Deadline(60))
    assert len(server.uris()) == before <= 5
    server.wait_until_refused("change")
