# SPDX-License-Identifier: MPL-2.0
"""What the server has for every protocol holds for the module wormhole-transit."""

import itertools
import json
import time

import pytest

import relay_protocol as rp
from call_sites import CallSites
from control_client import (  # noqa: F401
    answer, control_folder, controlled, ctl, shown, told,
)
from faults import needs_memory
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from proxy_sender import CLIENT, version1, version2
from relay_client import NO_SUCH_KEY, ProtocolConnection, SessionConnection
from relay_server import Program, free_port
from relay_server import run as run_program
from waiting import wait_for
from wormhole import (
    Client, OurTransit, answered, both_ways, line, new_side, new_token, number, pair,
)

MODULES = ["log", "bounds", "wormhole-transit", "relay", "rate-limit", "access", "quota", "status",
           "prometheus"]
OFF = [name for name in MODULES if name != "wormhole-transit"]
QUOTA = {"state-required": "no", "count": "relayed"}


def sections(port, listener=None, **more):
    own = {"address": f"127.0.0.1:{port}", "protocol": "wormhole-transit", **(listener or {})}
    return {'listener "wormhole"': own, "quota": QUOTA, **more}


@pytest.fixture
def transit(module_server):  # noqa: F811
    def start(workers=2, listener=None, modules=MODULES, args=(), env=None, **more):
        port = free_port()
        server = module_server(modules, workers=workers, installed=[], args=args, env=env,
                               sections=sections(port, listener, **more))
        return OurTransit(server, port)
    return start


def waits(transit, count=1):
    wait_for(lambda: transit.waiting() == count, f"{count} clients that wait")


def ends(transit, result, count=1):
    wait_for(lambda: transit.ended(result) == count, f"{count} clients that are {result}")


def test_both_protocols_are_served_and_told_apart_by_the_listener(transit, identities):
    relay = transit()
    one, two = pair(relay.port)
    both_ways(one, two)
    with SessionConnection(relay.server.address) as client:
        assert client.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    with Client(relay.port, rp.frame(3, bytes(36))) as client:
        assert client.rest() == b"bad handshake\n"
    with Client(relay.server.address[1], line(new_token())) as client:
        assert client.rest() == b"", "the relay does not know it"
    uri = relay.server.wait_for_log(r"URI: (relay://\S+)").group(1)
    assert f":{relay.server.address[1]}/" in uri, "nobody is told the other address"
    assert number(relay.server, 'strelaysrv_core_listener_accepted_total{listener="wormhole"}') >= 3
    assert relay.ended("paired") == 2
    assert number(relay.server, "strelaysrv_core_sessions") == 1


def test_tls_is_refused_there(transit, identities):
    relay = transit()
    with pytest.raises(Exception):
        ProtocolConnection(("127.0.0.1", relay.port), identities[0]).join(None)
    ends(relay, "tls")


def test_the_relays_port_is_shared_by_the_first_byte(transit, identities):
    relay = transit(**{"wormhole-transit": {"share-listeners": "yes"}})
    port = relay.server.address[1]
    one, two = pair(port)
    both_ways(one, two)
    with Invited(relay.server, identities[0], identities[1]) as invited:
        check_both_ways(*invited.join_both())
    both_ways(one, two)
    with Client(port, b"please\n") as client:
        assert client.rest() == b"bad handshake\n"


def test_a_private_listener_serves_nobody(transit):
    relay = transit(listener={"private": "yes"})
    with Client(relay.port, line(new_token())) as client:
        assert client.rest() == b""
    ends(relay, "private")


def test_lines_and_waits_have_an_end(transit):
    relay = transit(**{"wormhole-transit": {"line-timeout": "300ms", "wait-timeout": "700ms",
                                            "idle-timeout": "1s"}})
    with Client(relay.port, b"please relay ") as slow, Client(relay.port, line(new_token())) as lonely:
        assert slow.rest() == b"" and lonely.rest() == b""
    ends(relay, "slow")
    ends(relay, "expired")
    one, two = pair(relay.port)
    assert one.rest() == b"" and two.rest() == b""
    assert number(relay.server, 'strelaysrv_core_sessions_closed_total{reason="timeout"}') == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_of_a_token_the_oldest_give_way(transit, workers):
    relay = transit(workers, **{"wormhole-transit": {"waiting-per-token": 4}})
    token, side = new_token(), new_side()
    clients = [Client(relay.port, line(token, side)) for _ in range(40)]
    ends(relay, "bound", 36)
    assert relay.waiting() == 4
    assert relay.count("bounds_reached_total", bound="waiting-per-token") == 36
    with Client(relay.port, line(token, new_side())) as other:
        answered(other)
        assert sorted(client.answer() for client in clients) == [b""] * 39 + [b"ok\n"]
    ends(relay, "redundant", 3)


@pytest.mark.parametrize("option", ["waiting", "waiting-per-source"])
def test_those_that_wait_are_bounded(transit, option):
    relay = transit(bounds={"exempt": "192.0.2.1"}, **{"wormhole-transit": {option: 5}})
    clients = [Client(relay.port, line(new_token())) for _ in range(30)]
    ends(relay, "bound", 25)
    assert relay.waiting() == 5
    assert relay.count("bounds_reached_total", bound=option) == 25
    relay.server.wait_for_log("wormhole-transit: a bound on clients that wait was reached")
    for client in clients:
        client.close()
    waits(relay, 0)


@pytest.mark.parametrize("same", ["token", "side"])
def test_floods_by_the_default_bounds(transit, same):
    """More tokens than may wait, and a side that connects a thousand times."""
    relay = transit()
    token, side = new_token(), new_side()
    count, most = (1000, 16) if same == "side" else (4200, 4096)
    tokens = [token if same == "side" else new_token() for _ in range(count)]
    clients = [Client(relay.port, line(token, side)) for token in tokens]
    # Of 4,096 strangers some give way to newcomers, too.
    wait_for(lambda: relay.ended("bound") + relay.ended("evicted") >= count - most, "room")
    wait_for(lambda: 0 < relay.waiting() <= most, "the bound")
    with Client(relay.port, line(tokens[-1], new_side())) as other:
        answered(other)
        if same == "token":
            answered(clients[-1])
            both_ways(clients[-1], other)
    for client in clients:
        client.close()
    waits(relay, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_who_leaves_while_it_is_matched(transit, workers):
    """Before or after: the other one gets ok and an end, or goes on waiting and meets a third."""
    relay = transit(workers)
    count = 120
    for number_ in range(count):
        token = new_token()
        two = [Client(relay.port, line(token)) for _ in range(2)]
        two[number_ % 2].reset()
        with two[1 - number_ % 2] as stays, Client(relay.port, line(token)) as third:
            try:
                assert stays.answer() == b"ok\n"
            except ConnectionResetError:
                pass  # the end of its session came before it had read the answer
            third.is_silent()
    for name in ("connections{phase=\"plain\"}", "sessions"):
        wait_for(lambda name=name: number(relay.server, f"strelaysrv_core_{name}") == 0, f"no {name}")
    assert relay.waiting() == relay.ended("error") == relay.ended("evicted") == 0
    both_ways(*pair(relay.port))


def test_who_waits_makes_room_for_others(transit, identities):
    """By the bound of strangers: one that waits is none of those that are served."""
    relay = transit(1, bounds={"opening": 8, "exempt": "192.0.2.1"})
    tokens = [new_token() for _ in range(20)]
    clients = [Client(relay.port, line(token)) for token in tokens]
    made = 'strelaysrv_core_room_made_total{for="module"}'
    wait_for(lambda: number(relay.server, made) == 12, "room for newcomers")
    waits(relay, 8)
    # Whoever has sent nothing yet gives way first, so the two of a pair are not opened at once.
    with Client(relay.port, line(tokens[-1])) as last:
        answered(clients[-1], last)
        both_ways(clients[-1], last)
    assert relay.ended("evicted") <= 13
    for client in clients:
        client.close()


def test_a_source_that_asks_too_often_is_refused(transit):
    relay = transit(bounds={"exempt": "192.0.2.1", "asks-per-minute": 3})
    clients = [Client(relay.port, line(new_token())) for _ in range(6)]
    ends(relay, "refused", 3)
    assert number(relay.server, 'strelaysrv_bounds_reached_total{bound="asks-per-minute"}') == 3
    for client in clients:
        client.close()


def test_a_session_that_another_module_refuses(transit):
    """Both have got their answer, and are closed."""
    relay = transit(bounds={"sessions": 1})
    one, two = pair(relay.port)
    both_ways(one, two)
    token = new_token()
    with Client(relay.port, line(token)) as lost, Client(relay.port, line(token)) as other:
        assert lost.rest() == other.rest() == b"ok\n"
    ends(relay, "refused", 2)
    both_ways(one, two)
    one.close()
    two.close()
    wait_for(lambda: number(relay.server, "strelaysrv_core_sessions") == 0, "its end")
    both_ways(*pair(relay.port))
    assert relay.ended("paired") == 4


@needs_memory
def test_a_session_without_memory_is_counted_as_an_error(transit, tmp_path):
    sites = CallSites(tmp_path)
    relay = transit(env=sites.environment)
    sites.begin()
    both_ways(*pair(relay.port))  # the session has begun, not only the answer has come
    sites.end()
    making = next(site for site in sites.called() if site.call == "calloc"
                  and site.function in ("relay_session_pair", "session_make"))
    sites.begin(making)
    token = new_token()
    with Client(relay.port, line(token)) as lost, Client(relay.port, line(token)) as other:
        assert lost.rest() == other.rest() == b"ok\n"
    assert sites.end()
    ends(relay, "error", 2)
    assert relay.ended("refused") == 0 and relay.ended("paired") == 2
    both_ways(*pair(relay.port))


def test_at_the_limit_of_its_listener_nobody_is_paired(transit):
    relay = transit(listener={"max-connections": 2})
    one, two = pair(relay.port)
    both_ways(one, two)  # the session has begun, not only the answer has come
    with Client(relay.port, line(new_token())) as client:
        assert client.rest() == b""
    ends(relay, "full")
    both_ways(one, two)
    relay.server.wait_for_log("max-connections was reached: clients are closed")


@pytest.mark.parametrize("access", [{"connect-deny": "127.0.0.0/8"}, {"connect-allow": "192.0.2.0/24"}])
def test_addresses_are_denied(transit, access):
    relay = transit(access=access)
    with Client(relay.port, line(new_token())) as client:
        assert client.rest() == b""
    assert number(relay.server, 'strelaysrv_access_refused_total{reason="address"}') == 1


@pytest.mark.parametrize("version", [version1, version2])
def test_behind_a_proxy(transit, version):
    relay = transit(listener={"proxy": "yes", "proxy-from": "127.0.0.1"},
                    access={"connect-deny": CLIENT[0]})
    with Client(relay.port, version() + line(new_token())) as client:
        assert client.rest() == b"", "the client's own address counts"
    token = new_token()
    header = version(("198.51.100.8", 1))
    with Client(relay.port, header + line(token)) as one, Client(relay.port, header + line(token)) as two:
        answered(one, two)
        both_ways(one, two)


@pytest.mark.parametrize("option", ["per-session", "global"])
def test_rates_hold(transit, option):
    """Against what the same server does without a limit."""
    relay = transit()
    one, two = pair(relay.port)
    data = bytes(300_000)

    def seconds():
        begin = time.monotonic()
        both_ways(one, two, data)
        return time.monotonic() - begin

    seconds()
    relay.server.configure(MODULES, sections(relay.port, **{"rate-limit": {option: "100kB/s"}}))
    assert relay.server.reload()[0]
    assert seconds() > 2, "six seconds at that rate, without bursts"
    assert number(relay.server, f'strelaysrv_rate_limit_held_back_total{{limit="{option.removeprefix("per-")}"}}') > 0


def test_a_quota_closes_it(transit):
    relay = transit(quota={**QUOTA, "day": "100kB"})
    one, two = pair(relay.port)
    both_ways(one, two, bytes(60_000))

    def refused():
        with Client(relay.port, line(new_token())) as client:
            return client.answer() == b"" and relay.ended("closed") > 0

    # The quota is looked at once a second; a client that comes before waits.
    wait_for(lambda: number(relay.server, "strelaysrv_quota_level") == 2, "the level")
    assert refused()
    both_ways(one, two)


def test_a_reload_turns_it_on_and_off(transit, identities):
    relay = transit(modules=OFF, listener={"protocol": "relay"})
    with pytest.raises(OSError), Client(relay.port, line(new_token())) as client:
        client.send(b"x" * 100)
        assert client.rest() == b""
        raise OSError
    with Invited(relay.server, identities[0], identities[1]) as invited:
        ends_of_relay = invited.join_both()
        for _ in range(2):
            relay.server.configure(MODULES, sections(relay.port))
            assert relay.server.reload()[0]
            one, two = pair(relay.port)
            lonely = Client(relay.port, line(new_token()))
            waits(relay)
            relay.server.configure(OFF, sections(relay.port, {"protocol": "relay"}))
            assert relay.server.reload()[0]
            assert lonely.rest() == b"", "nobody serves it any more"
            both_ways(one, two)
            check_both_ways(*ends_of_relay)


def test_a_reload_changes_times_and_bounds(transit):
    relay = transit()
    one, two = pair(relay.port)
    relay.server.configure(MODULES, sections(
        relay.port, **{"wormhole-transit": {"idle-timeout": "500ms", "waiting": 1}}))
    assert relay.server.reload()[0]
    assert one.rest() == b"" and two.rest() == b""
    clients = [Client(relay.port, line(new_token())) for _ in range(3)]
    ends(relay, "bound", 2)
    for client in clients:
        client.close()


def test_sessions_are_shown_by_protocol(transit, identities):
    relay = transit(modules=[*MODULES, "dashboard"])

    def shows(**sessions):
        """On both pages; a session counts from just after its clients were answered."""
        expected = {name.replace("_", "-"): count for name, count in sessions.items()}

        def shown():
            page = json.loads(relay.server.page("/dashboard.json")[1])["protocols"]
            return ({one["name"]: one["sessions"] for one in page} == expected and
                    relay.server.status()["sessionsByProtocol"] == expected)

        wait_for(shown, lambda: f"{expected} sessions: {relay.server.status()}")

    shows()
    one, two = pair(relay.port)
    shows(wormhole_transit=1)
    with Invited(relay.server, identities[0], identities[1]) as invited:
        invited.join_both()
        more = [pair(relay.port) for _ in range(3)]
        shows(wormhole_transit=4, relay=1)
        assert relay.server.status()["numActiveSessions"] == 5
    for client in (one, two, *itertools.chain(*more)):
        client.close()
    shows()


def test_ctl_shows_and_limits_it(controlled):  # noqa: F811
    port = free_port()
    server = controlled(modules=["log", "wormhole-transit", "relay", "rate-limit", "control",
                                 "prometheus"], sections=sections(port))
    one, two = pair(port)
    both_ways(one, two)
    assert "wormhole-transit" in told(server, "status")
    assert ["wormhole-transit", 1, 0] in rows_of(answer(server, "status"), "protocols")
    (place,) = [row for row in shown(server, "listeners") if row["listener"] == "wormhole"]
    assert place["connections"] == 2
    assert ctl(server, "limit", "global", "100kB/s").returncode == 0
    both_ways(one, two, bytes(100_000))
    assert number(server, 'strelaysrv_rate_limit_held_back_total{limit="global"}') > 0
    one.close()
    two.close()
    wait_for(lambda: ["wormhole-transit", 0, 202_000] in rows_of(answer(server, "status"), "protocols"),
             "the traffic of the session that has ended")


def rows_of(found, title):
    return next((table["rows"] for table in found["tables"] if table["title"] == title), [])


def test_a_refusal_is_logged_with_the_modules_name(transit):
    relay = transit(args=["-debug"])
    with Client(relay.port, b"hello\n") as client:
        assert client.rest() == b"bad handshake\n"
    found = relay.server.wait_for_log(r"debug wormhole-transit: a client is done.*").group(0)
    assert "bad_handshake" in found and "127.0.0.1:" in found


def test_a_drain_lets_sessions_finish(transit):
    relay = transit()
    one, two = pair(relay.port)
    token = new_token()
    half = Client(relay.port, line(token, new_side()))
    waits(relay)
    relay.server.send_signal(10)
    relay.server.wait_for_log("core: drain")
    other = Client(relay.port, line(token, new_side()))
    answered(half, other)
    both_ways(half, other)
    both_ways(one, two)
    for client in (one, two, half, other):
        client.close()
    assert relay.server.wait_for_exit() == 0


CHECKS = {
    "not-named": ('modules = { log, relay }\nlistener "a" { address = ":1"\nprotocol = nothing }\n', 1,
                  'listener a: protocol is "nothing", a module that the option modules does not name'),
    "no-protocol": ('modules = { log, status, relay, wormhole-transit }\n'
                    'listener "a" { address = "127.0.0.1:0" }\n'
                    'listener "b" {\n address = "127.0.0.1:0"\n protocol = log\n}\n', 1,
                    'conf:6: listener b: protocol is "log", a module that serves no connections; '
                    'those that do: relay, wormhole-transit\n'),
    "no-protocol-at-all": ('modules = { log, status }\nlistener "b" {\n address = "127.0.0.1:0"\n'
                           ' protocol = status\n}\n', 1,
                           'conf:5: listener b: protocol is "status", a module that serves no '
                           'connections; no module in modules does\n'),
    "nobody": ("modules = { log, relay, wormhole-transit }\n", 0,
               "no listener has protocol = wormhole-transit"),
    "bound": ("modules = { log, relay, wormhole-transit }\nwormhole-transit { waiting = 0 }\n", 1,
              "waiting"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_check_tells(name, tmp_path, relay_keys):
    text, code, told = CHECKS[name]
    conf = tmp_path / "conf"
    conf.write_text('status-srv = ""\n' + text)
    checked = run_program(Program("ours"), "-conf", conf, "-keys", relay_keys, "-check",
                          *([] if code else ["-listen", "127.0.0.1:0"]))
    assert checked.returncode == code, checked.stderr
    assert told in checked.stderr
