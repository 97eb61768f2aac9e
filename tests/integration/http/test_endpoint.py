# SPDX-License-Identifier: MPL-2.0
"""The list of relays at /endpoint: what it has, what its checks find, and what operators see of it."""

import contextlib
import http.client
import json
import signal
import socket

import pytest

import certificates
import device_id
import exposition
from control_client import control_folder, controlled, shown, told  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection
from relay_double import RelayDouble
from relay_server import free_port
from waiting import PATIENCE, wait_for

MODULES = ["log", "relay", "status", "prometheus", "control", "endpoint"]
#: Checks in quick succession, and no patience with those that fail.
QUICK = {"check-interval": "1s", "remove-after": 1, "restore-after": 1}


@pytest.fixture
def serve(controlled):  # noqa: F811
    """serve(*uris, ...) starts a relay that lists these others, too."""

    def start(*uris, sections=None, modules=MODULES, top=None, **options):
        server = controlled(modules=modules, **(top or {}), sections={
            "endpoint": {**QUICK, "relays": list(uris), **options}, **(sections or {})})
        server.uri = server.wait_for_log(r"URI: (relay://\S+)").group(1)
        return server

    return start


@pytest.fixture
def make_double(tmp_path):
    """make_double(...) makes another relay, whose URI has the ID of `identity`."""
    with contextlib.ExitStack() as doubles:

        def make(behave=lambda stream: stream.expect_close(), identity=None, claimed=None, **options):
            folder = tmp_path / f"double-{len(list(tmp_path.iterdir()))}"
            double = RelayDouble(behave, identity, folder, **options)
            doubles.callback(double.close)
            named = claimed or identity
            double.full_uri = double.uri + (f"?id={device_id.to_text(named.id)}" if named else "")
            return double

        yield make


def listed(server, path="/endpoint"):
    """The URIs of the list."""
    code, headers, body = server.get(path)
    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert headers["Cache-Control"] == "no-store"
    return [relay["url"] for relay in json.loads(body)["relays"]]


def wait_for_list(server, *uris):
    wait_for(lambda: listed(server) == list(uris),
             lambda: f"{uris} in the list; it has {listed(server)}; the log:\n{server.log()}")


def place(uri):
    return uri.removeprefix("relay://").partition("/")[0]


@contextlib.contextmanager
def session(server, identities):
    """A drain does not end as long as this session is there."""
    with Invited(server, *identities[2:4]) as invited:
        check_both_ways(*invited.join_both())
        yield


def metric(server, name, **labels):
    text = server.get("/metrics")[2].decode()
    return exposition.value(exposition.parse(text), f"strelaysrv_endpoint_{name}", **labels)


def test_it_lists_itself_as_announced(serve):
    server = serve()
    assert listed(server) == [server.uri]
    code, headers, body = server.get("/endpoint", method="HEAD")
    assert (code, body) == (200, b"") and int(headers["Content-Length"]) > len(server.uri)
    assert server.get("/endpoint", method="POST")[0] == 405
    assert server.get("/endpoint/")[0] == 404
    assert metric(server, "listed") == metric(server, "listed_itself") == 1


def test_it_is_for_everybody(serve):
    """As /status: at the status address, also if there is a private one."""
    server = serve(top={"private_srv": "127.0.0.1:0"})
    port = int(server.wait_for_log(r"private address: 127\.0\.0\.1:(\d+)").group(1))
    assert listed(server) == [server.uri]
    private = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(private):
        private.request("GET", "/endpoint")
        assert json.loads(private.getresponse().read()) == {"relays": [{"url": server.uri}]}


def test_another_relay_of_ours_is_listed(serve, start, our_program, identities, tmp_path):
    other = start(our_program, keys=identities[0].write(tmp_path / "other"))
    server = serve(other.uri)
    # Before any check has ended as well.
    assert listed(server) == [server.uri, other.uri]
    server.wait_for_log(f"notice endpoint: {place(other.uri)} answers, and is listed")
    assert listed(server) == [server.uri, other.uri]
    assert metric(server, "relays", state="answers") == 1
    # The check takes no place there.
    assert other.status()["numConnections"] == 0


def test_the_reference_relay_is_listed(serve, start, reference_program, identities, tmp_path):
    other = start(reference_program, keys=identities[0].write(tmp_path / "other"))
    server = serve(other.uri)
    server.wait_for_log("answers, and is listed")
    assert listed(server) == [server.uri, other.uri]
    other.stop()
    wait_for_list(server, server.uri)
    server.wait_for_log(f"warning endpoint: {place(other.uri)} is not listed any more: Connection refused")


def silent(stream):
    """Reads what comes until the client has gone, and says nothing."""
    while stream.receive_some():
        pass


#: How it behaves, and what the check says of it.
FAULTS = {
    "other-id": ({"claimed": certificates.make()}, "its ID is [A-Z2-7-]{63}"),
    "no-relay": ({"alpn": ("http/1.1",)}, "it does not speak bep-relay|no application protocol"),
    "silent": ({"identity": None, "behave": silent}, "it does not answer"),
    "no-tls": ({"identity": None, "behave": lambda stream: stream.send_bytes(b"220 ready\r\n" * 9)},
               "wrong version number|record"),
    "unreached": (None, "Connection refused"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_who_does_not_answer_right_is_left_out(serve, make_double, identities, name):
    options, why = FAULTS[name]
    if options is None:
        uri = f"relay://127.0.0.1:{free_port()}/?id={device_id.to_text(identities[0].id)}"
    else:
        uri = make_double(**{"identity": identities[0], **options}).full_uri
    good = make_double(identity=identities[1]).full_uri
    server = serve(uri, good, **{"check-timeout": "1s"})
    wait_for_list(server, server.uri, good)
    server.wait_for_log(f"warning endpoint: {place(uri)} is not listed any more: ({why})")
    results = {"no-relay": ("no-relay", "no-tls")}.get(name, (name,))
    assert any(metric(server, "checks_total", result=result) for result in results)
    assert metric(server, "relays", state="fails") == 1
    itself, bad, well = shown(server, "endpoint")
    assert [row["listed"] for row in (itself, bad, well)] == ["yes", "no", "yes"]
    assert (bad["relay"], bad["state"], well["what is wrong"]) == (place(uri), "fails", "")
    assert bad["what is wrong"] and bad["checked before"] >= 0
    # It is told once, however often it is checked.
    checks = metric(server, "checks_total", result="answers")
    wait_for(lambda: metric(server, "checks_total", result="answers") >= checks + 2, "further checks")
    assert server.count("is not listed any more") == 1


def test_a_relay_comes_back(serve, make_double, start, our_program, identities, tmp_path):
    keys = identities[0].write(tmp_path / "other")
    other = start(our_program, keys=keys, pick_ports=True)
    server = serve(other.uri)
    server.wait_for_count("answers, and is listed", 1)
    assert other.stop() == 0
    wait_for_list(server, server.uri)
    start(our_program, keys=keys, listen=place(other.uri))
    server.wait_for_count("answers, and is listed", 2)
    assert listed(server) == [server.uri, other.uri]


def test_one_lost_check_is_not_enough(serve, make_double):
    taken = []
    double = make_double(behave=taken.append)
    server = serve(double.uri, **{"remove-after": 3})
    server.wait_for_log("is not listed any more")
    assert metric(server, "checks_total", result="no-tls") >= 3
    assert len(taken) >= 3


def test_a_device_that_joins_keeps_what_it_has(serve, identities):
    """The checks are made on the control thread; a silent relay holds up nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        server = serve(f"relay://127.0.0.1:{silent.getsockname()[1]}/", **{"check-timeout": "1m"})
        checked, _ = silent.accept()
        with checked, ProtocolConnection(server.address, identities[0]) as device:
            device.join()
            device.check_alive()
    assert server.held_up() == 0


# This relay.


def test_a_relay_that_drains_is_left_out(serve, make_double, identities):
    other = make_double(identity=identities[1]).full_uri
    server = serve(other)
    own = server.uri
    with session(server, identities):
        told(server, "drain")
        wait_for_list(server, other)
        server.wait_for_log("notice endpoint: this relay is not listed: draining")
        assert metric(server, "listed_itself") == 0
        told(server, "drain", "cancel")
        wait_for_list(server, own, other)
        server.wait_for_log("notice endpoint: this relay is listed again")


def test_a_relay_with_a_token_is_left_out(serve, make_double, identities):
    other = make_double(identity=identities[1]).full_uri
    server = serve(other, sections={"relay": {"token": "geheim"}})
    assert listed(server) == [other]
    server.wait_for_log("this relay is not listed: it needs a token")


def test_a_relay_without_an_address_is_left_out(serve, make_double, identities):
    other = make_double(identity=identities[1]).full_uri
    server = serve(other, sections={"relay": {"ext-address": f"0.0.0.0:{free_port()}"}})
    assert listed(server) == [other]
    server.wait_for_log("this relay is not listed: its URI names no address; set ext-address")
    server.configure(MODULES, {
        "control": {"socket": server.socket}, "relay": {"ext-address": "relay.example.org:443"},
        "endpoint": {"relays": [other]}})
    done, log = server.reload()
    assert done, log
    first, second = listed(server)
    assert first.startswith("relay://relay.example.org:443/?id=") and second == other


def test_a_relay_at_its_limit_is_left_out(serve, make_double, identities):
    other = make_double(identity=identities[1]).full_uri
    server = serve(other, sections={"bounds": {}}, modules=[*MODULES, "bounds"])
    own = server.uri
    server.configure([*MODULES, "bounds"], {
        "control": {"socket": server.socket}, "endpoint": {**QUICK, "relays": [other]}},
        max_connections=1)
    done, log = server.reload()
    assert done, log
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        wait_for_list(server, other)
        server.wait_for_log("this relay is not listed: it has as many connections as it may have")
    wait_for_list(server, own, other)


def test_if_none_is_left_those_that_fail_are_listed(serve, identities):
    """An empty list would stop clients for ten minutes."""
    uris = [f"relay://127.0.0.1:{free_port()}/?id={device_id.to_text(identities[i].id)}"
            for i in range(2)]
    server = serve(*uris)
    own = server.uri
    wait_for_list(server, own)
    with session(server, identities):
        told(server, "drain")
        wait_for_list(server, *uris)
        server.wait_for_log("warning endpoint: no relay is left to list: those that fail are listed")
        assert [row["listed"] for row in shown(server, "endpoint")] == ["no", "yes", "yes"]
        told(server, "drain", "cancel")
        wait_for_list(server, own)
        server.wait_for_log("the list has relays that are fit again")


def test_an_empty_list_is_one_and_is_told(serve):
    server = serve(sections={"relay": {"token": "geheim"}})
    assert server.get("/endpoint")[2] == b'{"relays":[]}'
    server.wait_for_log("warning endpoint: the list is empty: clients come back after ten minutes")


# Changes.


def test_a_reload_changes_the_list(serve, make_double, identities):
    one, other = (make_double(identity=identities[i]).full_uri for i in range(2))
    server = serve(one)
    server.wait_for_count("answers, and is listed", 1)

    def change(*uris):
        server.configure(MODULES, {"control": {"socket": server.socket},
                                   "endpoint": {**QUICK, "relays": list(uris)}})
        return server.reload()

    assert change(other, one)[0]
    assert listed(server) == [server.uri, other, one]
    server.wait_for_count("answers, and is listed", 2)
    assert server.count(f"{place(one)} answers, and is listed") == 1, "it was forgotten"
    done, log = change("relay://127.0.0.1:1/?token=geheim")
    assert not done and "127.0.0.1:1 has a token" in log and "geheim" not in log
    assert listed(server) == [server.uri, other, one]
    assert change()[0]
    assert listed(server) == [server.uri]


def test_the_other_process_of_an_upgrade_lists_as_well(serve, make_double, identities):
    other = make_double(identity=identities[1]).full_uri
    server = serve(other)
    own = server.uri
    before = server.status()["startTime"]
    server.send_signal(signal.SIGUSR2)
    wait_for(lambda: server.status()["startTime"] != before, "the new process")
    assert listed(server) == [own, other]


@pytest.mark.limits
def test_a_request_costs_little_and_makes_no_check(serve, make_double, identities):
    """Strangers may ask as often as for any other page; the relays are not asked more often."""
    asked = []

    def behave(stream):
        asked.append(stream)
        stream.expect_close()

    other = make_double(identity=identities[1], behave=behave).full_uri
    server = serve(other, **{"check-interval": "1h"})
    server.wait_for_log("answers, and is listed")
    for _ in range(200):
        assert listed(server) == [server.uri, other]
    assert len(asked) == metric(server, "checks_total", result="answers") == 1
    assert server.held_up() == 0
