# SPDX-License-Identifier: MPL-2.0
"""The module rate-limit: rates over seconds, sharing among sessions, reload, and no lost bytes.

Rates are measured over seconds and compared with tolerance, because a busy machine may be slow.
They must never exceed the limit."""

import contextlib
import itertools

import pytest

import device_id
import relay_protocol as rp
import wormhole
from flows import check_flows, flow
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from proxy_sender import Proxied, version2
from relay_client import MessageStream, dial
from relay_server import free_port, run
from streams import (KILO, MEGA, UNDER, Stream, check_rate, rates, smoothest, smoothness)
from waiting import wait_for


def text_id(identity):
    return device_id.to_text(identity.id)


@pytest.fixture
def pours(identities):
    """pours(server, n) opens n sessions; returns their pairs of ends."""
    with contextlib.ExitStack() as stack:

        def open_sessions(server, count, first=0):
            ends = []
            for i in range(count):
                one, other = identities[first + 2 * i], identities[first + 2 * i + 1]
                invited = stack.enter_context(Invited(server, one, other))
                ends.append(invited.join_both())
            return ends

        yield open_sessions


def test_the_global_limit_holds_for_all_sessions_together(start_ours, pours):
    server = start_ours("-global-rate", 4 * MEGA)
    streams = [Stream(*ends) for ends in pours(server, 4)]
    got = rates(streams)
    check_rate(sum(got), 4 * MEGA, "all together")
    for one in got:
        assert one >= 4 * MEGA / 4 * (0.8 - UNDER), f"shares are unequal: {got}"


def test_what_one_does_not_want_others_get(start_ours, pours):
    """One session uses little and gets it all; two greedy ones share the rest."""
    server = start_ours("-global-rate", 4 * MEGA)
    modest, *greedy = pours(server, 3)
    streams = [Stream(*modest, rate=200 * KILO), *(Stream(*ends) for ends in greedy)]
    small, one, other = rates(streams)
    assert small >= 200 * KILO * (0.7 - UNDER), f"the modest one got {small:.0f}"
    check_rate(small + one + other, 4 * MEGA, "all together")
    assert 0.6 < one / other < 1.6, f"greedy ones: {one:.0f} and {other:.0f}"


def test_each_session_has_its_limit(start_ours, pours):
    server = start_ours("-per-session-rate", 1 * MEGA)
    for got in rates([Stream(*ends) for ends in pours(server, 3)]):
        check_rate(got, MEGA)


def test_both_directions_share_a_limit_and_none_starves(start_ours, pours):
    server = start_ours("-per-session-rate", 2 * MEGA)
    [(one, other)] = pours(server, 1)
    there, back = rates([Stream(one, other), Stream(other, one)])
    check_rate(there + back, 2 * MEGA, "both directions")
    assert 0.5 < there / back < 2, f"directions: {there:.0f} and {back:.0f}"


@pytest.mark.limits
@pytest.mark.parametrize("flags", [["-global-rate", 8 * MEGA], ["-per-session-rate", 4 * MEGA],
                                   ["-rate-limit.per-device", 4 * MEGA]],
                         ids=["global", "session", "device"])
def test_no_byte_is_lost_under_a_limit(start_ours, pours, flags):
    server = start_ours(*flags)
    flows = []
    for i, (one, other) in enumerate(pours(server, 2)):
        flows += [flow(one, other, 3 * MEGA + i, 2 * i), flow(other, one, MEGA + 7, 2 * i + 1)]
    check_flows(flows)


@pytest.mark.parametrize("flags", [
    ["-global-rate", 3 * MEGA], ["-per-session-rate", 400 * KILO],
    ["-rate-limit.per-device", MEGA]], ids=["global", "session", "device"])
def test_traffic_under_a_limit_is_smooth(start_ours, pours, flags):
    """Almost every tenth of a second has bytes, and none has those of half a second."""
    server = start_ours(*flags)
    streams = [Stream(*ends) for ends in pours(server, 3)]
    wait_for(lambda: all(s.got > 300 * KILO for s in streams), "the first burst to be over")
    for stream in streams:
        share, largest, seen = smoothest(stream, good=lambda s, l: s >= 0.7 and l <= 5)
        assert share >= 0.7, f"{share:.0%} of the windows carry bytes: {seen}"
        assert largest <= 5, f"a window carries {largest:.1f} times the mean: {seen}"


def test_bursts_would_be_noticed():
    """Checks the measurement: sleeping for a second and then sending at once is not smooth."""
    share, largest = smoothness([1000 * KILO] + [0] * 9 + [1000 * KILO] + [0] * 9)
    assert share == 0.1 and largest == 10


def test_low_rates_let_something_through(start_ours, pours):
    server = start_ours("-per-session-rate", 2000)
    [(one, other)] = pours(server, 1)
    check_both_ways(one, other)
    check_flows([flow(one, other, 3000, 1, biggest=700)])


def test_a_device_is_limited_in_all_its_sessions(start_ours, identities):
    server = start_ours("-rate-limit.per-device", MEGA)
    with contextlib.ExitStack() as stack:
        streams = [
            Stream(*stack.enter_context(Invited(server, asker, target)).join_both())
            for asker, target in [(identities[0], identities[1]), (identities[0], identities[2]),
                                  (identities[3], identities[4])]
        ]
        first, second, other = rates(streams)
        check_rate(first + second, MEGA, "the device in both its sessions")
        check_rate(other, MEGA, "another device")


def test_exempt_devices_have_no_limit(start_ours, identities, pours):
    server = start_ours("-per-session-rate", 100 * KILO, "-global-rate", 200 * KILO,
                        "-rate-limit.exempt", text_id(identities[0]))
    [(one, other)] = pours(server, 1)
    check_flows([flow(one, other, 20 * MEGA, 1)])  # this would take minutes if it were limited


def test_weights_are_shares(start_ours, identities, pours):
    server = start_ours("-global-rate", 4 * MEGA,
                        "-rate-limit.weights", f"{text_id(identities[0])}=3")
    heavy, light = rates([Stream(*ends) for ends in pours(server, 2)])
    check_rate(heavy + light, 4 * MEGA, "both")
    assert 2 < heavy / light < 4.5, f"{heavy:.0f} and {light:.0f}, want 3 to 1"


@pytest.mark.parametrize("hub_asks", [True, False], ids=["asks", "is asked"])
def test_devices_share_before_their_sessions_do(start_ours, identities, hub_asks):
    """Twelve sessions of one device leave half of the rate to one session of another device."""
    server = start_ours("-global-rate", 4 * MEGA)
    hub, *others = identities[:15]
    with contextlib.ExitStack() as stack:
        streams = []
        for other in others[:12]:
            pair = (hub, other) if hub_asks else (other, hub)
            if hub_asks or not streams:
                invited = stack.enter_context(Invited(server, *pair))
            else:  # it has joined already
                invited.asker = other
                invited.ask()
            streams.append(Stream(*invited.join_both()))
        alone = stack.enter_context(Invited(server, *others[12:14]))
        streams.append(Stream(*alone.join_both()))
        *many, one = rates(streams)
    check_rate(sum(many) + one, 4 * MEGA, "all together")
    assert one >= 4 * MEGA / 2 * (0.7 - UNDER), f"the other device got {one:.0f}"


def test_sources_share_before_their_devices_do(start_ours, identities):
    """Eight pairs of devices at one address leave half of the rate to a pair at another address."""
    server = start_ours("-global-rate", 4 * MEGA, "-bounds.exempt", "192.0.2.1")
    with contextlib.ExitStack() as stack:
        streams = []
        for i in range(9):
            invited = stack.enter_context(Invited(server, *identities[2 * i:2 * i + 2]))
            source = "127.0.0.66" if i < 8 else "127.0.0.67"
            streams.append(Stream(invited.join_asker(source=source),
                                  invited.join_target(source=source)))
        *many, one = rates(streams)
    check_rate(sum(many) + one, 4 * MEGA, "all together")
    assert one >= 4 * MEGA / 2 * (0.7 - UNDER), f"the other source got {one:.0f}"


def clients(host):
    """The headers with which a proxy names one client after the other of that host."""
    return (version2((host, port)) for port in itertools.count(1))


@pytest.fixture
def proxied(start_ours, tmp_path):
    """A server with two addresses for proxies, the second of them for Magic Wormhole."""
    def begin(**options):
        fronts = [("127.0.0.1", free_port()) for _ in range(2)]
        text = "modules = { log, bounds, wormhole-transit, relay, rate-limit }\n"
        for (host, port), protocol in zip(fronts, ("", "wormhole-transit"), strict=True):
            text += f'listener "to{port}" {{\n\taddress = "{host}:{port}"\n\tproxy = yes\n' \
                f'\tproxy-from = "127.0.0.1"\n\tprotocol = "{protocol}"\n}}\n'
        text += "rate-limit {\n" + "".join(f"\t{k} = {v}\n" for k, v in options.items()) + "}\n"
        (tmp_path / "proxied.conf").write_text(text)
        return start_ours("-conf", tmp_path / "proxied.conf"), *fronts

    return begin


def test_behind_a_proxy_the_clients_are_the_sources(proxied, identities):
    """The proxy's address is exempt, and would be no source; eight pairs at one told address leave
    half of the rate to a pair at another."""
    server, front, _ = proxied(**{"global": 4 * MEGA})
    many_are, one_is = clients("198.51.100.7"), clients("203.0.113.9")
    with contextlib.ExitStack() as stack:

        def side(header, key):
            stream = stack.enter_context(Proxied(front, header))
            stream.send(rp.JoinSessionRequest(key))
            stream.expect(rp.response(rp.SUCCESS))
            return stream

        streams = []
        for i in range(9):
            invited = stack.enter_context(Invited(server, *identities[2 * i:2 * i + 2]))
            headers = many_are if i < 8 else one_is
            streams.append(Stream(side(next(headers), invited.to_asker.key),
                                  side(next(headers), invited.to_target.key)))
        *many, one = rates(streams)
    check_rate(sum(many) + one, 4 * MEGA, "all together")
    assert one >= 4 * MEGA / 2 * (0.7 - UNDER), f"the other client got {one:.0f}"


def test_behind_a_proxy_peers_without_ids_are_limited_by_client(proxied):
    """They have the limit of a device: two pairs at one told address together."""
    _, _, front = proxied(**{"per-device": MEGA})
    with contextlib.ExitStack() as stack:

        def pair(headers):
            token = wormhole.new_token()
            ends = [stack.enter_context(MessageStream(dial(front))) for _ in range(2)]
            for end in ends:
                end.send_bytes(next(headers) + wormhole.line(token, wormhole.new_side()))
            assert [end.receive_bytes(3) for end in ends] == [b"ok\n"] * 2
            return Stream(*ends)

        one_client = clients("198.51.100.7")
        first, second, other = rates(
            [pair(one_client), pair(one_client), pair(clients("203.0.113.9"))])
    check_rate(first + second, MEGA, "the client in both its sessions")
    check_rate(other, MEGA, "another client")


@pytest.mark.parametrize("options, message", [
    (["-rate-limit.weights", "me=3"], '"me"'),
    (["-rate-limit.exempt", "me"], "exempt: \"me\""),
    (["-rate-limit.burst", "5ms"], "burst"),
])
def test_wrong_options_are_named(start_ours, our_program, tmp_path, options, message):
    result = run(our_program, "-keys", str(tmp_path), "-listen", "127.0.0.1:0", "-status-srv=",
                 "-pools=", "-check", *options)
    assert result.returncode != 0
    assert message in result.stderr, result.stderr


def serve_with_file(module_server, workers, **section):  # noqa: F811
    return module_server(["log", "relay", "rate-limit", "status", "probe"], workers=workers,
                         sections={"rate-limit": section})


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_changes_running_sessions(module_server, identities, workers):  # noqa: F811
    server = serve_with_file(module_server, workers)

    def change(**section):
        server.configure(["log", "relay", "rate-limit", "status", "probe"],
                         {"rate-limit": section})
        done, news = server.reload()
        assert done, news

    with contextlib.ExitStack() as stack:
        streams = [
            Stream(*stack.enter_context(
                Invited(server, identities[2 * i], identities[2 * i + 1])).join_both())
            for i in range(2)
        ]
        wait_for(lambda: all(s.got > 30 * MEGA for s in streams), "traffic without a limit")
        change(**{"global": "2MB/s"})
        check_rate(sum(rates(streams, warm_up=2)), 2 * MEGA, "after the first reload")
        change(**{"global": "2MB/s", "per-session": "500kB/s"})
        check_rate(sum(rates(streams, warm_up=2)), MEGA, "after the second")
        before = sum(s.got for s in streams)
        change()
        wait_for(lambda: sum(s.got for s in streams) > before + 60 * MEGA,
                 "traffic without a limit again")


def test_metrics_tell_what_is_held_back(module_server, identities):  # noqa: F811
    server = serve_with_file(module_server, 2, **{"per-session": "200kB/s", "global": "9MB/s"})
    with Invited(server, identities[0], identities[1]) as invited:
        check_flows([flow(*invited.join_both(), 400 * KILO, 1)])
    seen = server.probe()
    assert int(seen["metric rate-limit.held_back.session"]) > 0
    assert seen["metric rate-limit.global_rate"] == str(9 * MEGA)
    wait_for(lambda: server.probe()["metric rate-limit.shares"] == "0", "all shares given back")


def test_without_a_limit_nobody_is_asked(module_server, identities):  # noqa: F811
    server = serve_with_file(module_server, 2)
    with Invited(server, identities[0], identities[1]) as invited:
        check_flows([flow(*invited.join_both(), 4 * MEGA, 1)])
        assert server.probe()["metric rate-limit.shares"] == "0"
    assert server.probe()["metric rate-limit.held_back.session"] == "0"


def test_the_module_may_come_and_go_under_traffic(module_server, identities):  # noqa: F811
    server = module_server(["log", "relay", "status"], installed=["rate-limit"])
    limit = {"rate-limit": {"global": "40MB/s", "per-device": "30MB/s"}}
    with Invited(server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        flows = [flow(one, other, 40 * MEGA, 1), flow(other, one, 40 * MEGA, 2)]
        for modules in [["log", "relay", "rate-limit", "status"], ["log", "relay", "status"]] * 2:
            server.configure(modules, limit)
            done, news = server.reload()
            assert done, news
            with Invited(server, identities[2], identities[3]) as others:
                check_both_ways(*others.join_both())
        check_flows(flows)
