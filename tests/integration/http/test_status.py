# SPDX-License-Identifier: MPL-2.0
"""/status, as pools and existing dashboards read it."""

import contextlib
import datetime
import json
import platform
import re
import socket

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways, check_relayed, settle
from relay_client import ProtocolConnection
from waiting import wait_for

STRINGS = ["version", "buildHost", "buildUser", "buildDate", "startTime", "goVersion", "goOS",
           "goArch"]
INTEGERS = ["uptimeSeconds", "numPendingSessionKeys", "numActiveSessions", "numConnections",
            "numProxies", "bytesProxied", "goMaxProcs", "goNumRoutine"]
OTHERS = ["kbps10s1m5m15m30m60m", "options"]
OPTIONS = {
    "network-timeout": 120, "ping-interval": 60, "message-timeout": 60, "per-session-rate": 0,
    "global-rate": 0, "provided-by": "",
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


def test_every_field_has_its_type(start, each_program):
    status = start(each_program).status()
    missing = {*STRINGS, *INTEGERS, *OTHERS} - set(status)
    assert not missing, f"missing: {sorted(missing)}"
    for name in STRINGS:
        assert isinstance(status[name], str), f"{name}: got {status[name]!r}, want text"
    for name in INTEGERS:
        assert type(status[name]) is int, f"{name}: got {status[name]!r}, want an integer"
    rates = status["kbps10s1m5m15m30m60m"]
    assert len(rates) == 6, f"got {rates}, want six rates"
    assert all(type(rate) is int for rate in rates), f"got {rates}, want integers"
    got = {name: status["options"][name] for name in OPTIONS}
    assert got == OPTIONS
    for name, value in OPTIONS.items():
        assert type(status["options"][name]) is type(value), f"{name}: {got[name]!r}"
    assert isinstance(status["options"]["pools"], list)


def test_integers_are_written_as_integers(start, each_program):
    """Go cannot decode 1.0 or 1e3 into an int64."""
    _, _, body = start(each_program).get("/status")
    numbers = re.findall(r"^\s*(?:\"\w[^\"]*\": )?([-+.\deE]+),?$", body.decode(), re.M)
    assert len(numbers) >= len(INTEGERS) + 6
    assert all(re.fullmatch(r"-?\d+", number) for number in numbers), f"got {numbers}"


def test_keys_are_sorted_and_indented_by_four(start, each_program):
    _, _, body = start(each_program).get("/status")
    want = json.dumps(json.loads(body), indent=4, sort_keys=True, ensure_ascii=False)
    assert body.decode().rstrip("\n") == want


def test_no_field_of_the_reference_is_missing(start, plain_program, reference_program):
    got = start(plain_program).status()
    want = start(reference_program).status()
    assert set(got) >= set(want)
    assert set(got["options"]) >= set(want["options"])


def test_the_headers_are_those_of_an_open_endpoint(start, each_program):
    code, headers, _ = start(each_program).get("/status")
    assert code == 200
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Content-Type"].partition(";")[0] == "application/json"


@pytest.mark.parametrize("path", ["/", "/status/", "/statusx", "/Status", "/../status/../x",
                                  "/favicon.ico", "/status/x"])
def test_other_paths_are_not_found(start, plain_program, path):
    code, _, _ = start(plain_program).get(path)
    assert code == 404, f"{path}: got {code}, want 404"


@pytest.mark.parametrize("path", ["/", "/status/", "/favicon.ico"])
def test_the_reference_does_not_find_them_either(start, each_program, path):
    assert start(each_program).get(path)[0] == 404


def test_a_query_is_ignored(start, each_program):
    code, _, body = start(each_program).get("/status?cachebust=17")
    assert code == 200
    assert "numProxies" in json.loads(body)


def test_options_tell_what_was_set(start, each_program):
    options = start(each_program, "-network-timeout", "90s", "-ping-interval", "1h",
                    "-message-timeout", "5m", "-provided-by", "me").status()["options"]
    got = {name: options[name] for name in
           ("network-timeout", "ping-interval", "message-timeout", "provided-by")}
    want = {"network-timeout": 90, "ping-interval": 3600, "message-timeout": 300,
            "provided-by": "me"}
    assert got == want


def test_options_of_modules_that_do_not_run_are_0(start, plain_program, tmp_path):
    conf = tmp_path / "few.conf"
    conf.write_text("modules = { relay, status }\n")
    options = start(plain_program, "-conf", conf).status()["options"]
    assert (options["global-rate"], options["per-session-rate"], options["pools"]) == (0, 0, [])


def test_text_is_escaped_for_json(start, each_program):
    text = 'say "hi"\\ \u00fc'
    assert start(each_program, "-provided-by", text).status()["options"]["provided-by"] == text


def test_a_private_relay_has_an_empty_list_of_pools(start, plain_program):
    got = start(plain_program).status()["options"]["pools"]
    assert got == [], f"pools: got {got}, want []"


def test_the_start_time_has_nanoseconds_and_a_zone(start, each_program):
    before = datetime.datetime.now(datetime.timezone.utc)
    text = start(each_program).status()["startTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d)", text), text
    got = datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text))
    assert before <= got <= datetime.datetime.now(datetime.timezone.utc), f"got {text}"


def test_the_uptime_grows(start, each_program):
    server = start(each_program)
    assert server.status()["uptimeSeconds"] >= 0
    server.wait_for_status(lambda s: s["uptimeSeconds"] >= 1, "a second to pass")


def test_the_machine_is_named_as_go_names_it(start_ours, our_program):
    status = start_ours().status()
    assert status["goOS"] == "linux"
    machine = platform.machine()
    assert status["goArch"] == ARCHITECTURES.get(machine, machine)
    assert re.search(r"gcc|clang", status["goVersion"], re.I), status["goVersion"]
    assert status["goMaxProcs"] == our_program.workers
    assert status["goNumRoutine"] > our_program.workers


@pytest.mark.limits
def test_connections_and_sessions_are_counted(server, identities):
    def check(**want):
        server.wait_for_status(lambda s: {name: s[name] for name in want} == want, f"{want}")

    check(numConnections=0, numPendingSessionKeys=0, numActiveSessions=0, numProxies=0)
    with Invited(server, identities[0], identities[1]) as invited:
        check(numConnections=1, numPendingSessionKeys=2, numActiveSessions=0)
        asker = invited.join_asker()
        check(numPendingSessionKeys=1)
        settle(server)
        target = invited.join_target()
        check(numConnections=1, numPendingSessionKeys=0, numActiveSessions=1, numProxies=2)
        check_both_ways(asker, target)
        asker.close()
        target.close()
        check(numActiveSessions=0, numProxies=0)
    check(numConnections=0)


def test_each_relayed_byte_is_counted_once(server, identities):
    want = 0
    with contextlib.ExitStack() as stack:
        for asker, target in zip(identities[:3], identities[3:6]):
            invited = stack.enter_context(Invited(server, asker, target))
            both = invited.join_both()
            for size in (1, 999, 70000):
                check_relayed(*both, b"x" * size)
                check_relayed(*reversed(both), b"y" * size)
                want += 2 * size
        server.wait_for_status(lambda s: s["bytesProxied"] == want, f"bytesProxied {want}")


def test_requests_and_responses_are_no_relayed_bytes(server, identities):
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        server.wait_for_status(lambda s: s["numActiveSessions"] == 1, "one session")
        assert server.status()["bytesProxied"] == 0


def test_the_count_of_bytes_survives_its_sessions(server, identities):
    seen = 0
    for number in range(5):
        with Invited(server, identities[0], identities[1]) as invited:
            check_relayed(*invited.join_both(), b"x" * 1000)

        def look(status, want=1000 * (number + 1)):
            nonlocal seen
            assert status["bytesProxied"] >= seen, f"went back from {seen}: {status}"
            seen = status["bytesProxied"]
            return seen == want

        server.wait_for_status(look, f"{1000 * (number + 1)} bytes")


def test_it_can_be_switched_off(start, each_program, identities):
    server = start(each_program, status="")
    ports = server.listening_ports()
    assert ports == {server.address[1]}, f"listens on {ports}, want the relay's port only"
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


@pytest.mark.limits
def test_strangers_who_dawdle_keep_nobody_waiting(start, plain_program, identities):
    server = start(plain_program)
    with contextlib.ExitStack() as stack:
        for start_of_request in (b"", b"GET", b"GET /status HTTP/1.1\r\nHost:", b"\x16\x03\x01"):
            sock = stack.enter_context(socket.create_connection(server.status_address))
            sock.sendall(start_of_request)
        assert server.status()["numConnections"] == 0
        with ProtocolConnection(server.address, identities[0]) as client:
            client.join()
            assert server.status()["numConnections"] == 1


@pytest.mark.parametrize("request_bytes", [b"\0" * 100, b"GET\r\n\r\n", b"G" * 100000,
                                           b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                                           b"POST /status HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
                         ids=["zeros", "short", "long", "long-path", "negative-length"])
def test_junk_on_the_status_port_harms_nobody(start, plain_program, request_bytes):
    server = start(plain_program)
    with socket.create_connection(server.status_address) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(request_bytes)
    assert server.status()["numConnections"] == 0


def test_it_tells_no_token(start, plain_program, identities):
    server = start(plain_program, "-token", "the-right-token", "-debug")
    for token in ("the-wrong-token", "the-right-token"):
        with ProtocolConnection(server.address, identities[0]) as client:
            client.ask(rp.JoinRelayRequest(token))
            _, _, body = server.get("/status")
            assert b"the-right-token" not in body
            assert b"the-wrong-token" not in body


def test_it_tells_no_client(start, plain_program, identities):
    server = start(plain_program)
    with ProtocolConnection(server.address, identities[0], source="127.0.0.99") as client:
        client.join()
        _, _, body = server.get("/status")
    assert b"127.0.0.99" not in body


def test_health_is_good_while_it_serves(ours):
    code, headers, body = ours.get("/healthz")
    assert (code, body) == (200, b"ok\n")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.limits
def test_a_relay_that_is_full_of_devices_is_not_healthy(start_ours, identities):
    """The next device is refused, although the limit is not exceeded."""
    server = start_ours("-max-connections", "2")
    with contextlib.ExitStack() as devices:
        for identity in identities[:2]:
            assert server.get("/healthz")[0] == 200
            devices.enter_context(ProtocolConnection(server.address, identity)).join()
        with ProtocolConnection(server.address, identities[2]) as third:
            assert third.ask(rp.JoinRelayRequest(None)) == rp.RelayFull()
        assert server.get("/healthz")[0] == 503


def test_health_is_bad_over_the_limit(start_ours, identities):
    server = start_ours("-max-connections", "2")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        wait_for(lambda: server.get("/healthz")[::2] == (503, b"over limits\n"), "trouble")
        assert server.get("/status")[0] == 200
    wait_for(lambda: server.get("/healthz")[0] == 200, "health")
