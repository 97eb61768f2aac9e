# SPDX-License-Identifier: MPL-2.0
"""The module bounds and other limits on strangers: clients from addresses of 127.0.0.0/8 reach each
limit, while two good devices transfer checked bytes."""

import contextlib
import threading

import pytest

import relay_protocol as rp
from flows import MEBI, check_flows, flow
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_client import (Closed, ProtocolConnection, SessionConnection, TlsBytes, dial, reset)
from waiting import pace, wait_for

MODULES = ["log", "bounds", "relay", "rate-limit", "status", "probe"]
SUCCESS = rp.response(rp.SUCCESS)
NOT_FOUND = rp.response(rp.NOT_FOUND)
BAD = "127.0.0.66"


@pytest.fixture
def bounded(module_server):  # noqa: F811
    def start(workers=2, relay=(), rate=0, **options):
        named = {name.replace("_", "-"): value for name, value in options.items()}
        named["exempt"] = "127.0.0.1"
        return module_server(MODULES, workers=workers, sections={
            "bounds": named, "relay": dict(relay), "rate-limit": {"per-session": rate}})

    return start


def reached(server, bound):
    """How often the limit was reached.  If it was, the log must say so."""
    times = int(server.probe()[f"metric bounds.reached.{bound}"])
    if times:
        server.wait_for_log(f"the bound {bound} was reached( left_out=|$)")
    return times


def is_closed(sock):
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def count_open(socks):
    """How many of the sockets the server has not closed."""
    still = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            still += sock.recv(1) != b""
        except BlockingIOError:
            still += 1
        except ConnectionError:
            pass
        sock.settimeout(30)
    return still


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_connections_of_one_source(bounded, identities, workers):
    server = bounded(workers, per_source=5)
    with contextlib.ExitStack() as stack:
        joined = [stack.enter_context(ProtocolConnection(server.address, i, source=BAD)).join()
                  for i in identities[:5]]
        for _ in range(3):
            with contextlib.closing(dial(server.address, source=BAD)) as sock:
                assert is_closed(sock)
        assert reached(server, "per-source") == 3
        with ProtocolConnection(server.address, identities[6], source="127.0.0.67") as other:
            other.join()
        joined[0].close()

        def room():
            with contextlib.suppress(Closed, OSError):
                with ProtocolConnection(server.address, identities[0], source=BAD) as again:
                    return again.ask(rp.JoinRelayRequest()) == SUCCESS

        wait_for(room, "a place to become free")
        joined[1].check_alive()


def test_silent_connections_of_one_source(bounded, identities):
    server = bounded(opening_per_source=4)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))
                 for _ in range(10)]
        wait_for(lambda: count_open(socks) == 4, "all but four to be closed")
        assert reached(server, "opening-per-source") == 6
        with ProtocolConnection(server.address, identities[0], source="127.0.0.67") as other:
            other.join()


def test_those_who_have_said_what_they_want_open_no_more(bounded, identities):
    server = bounded(opening_per_source=1)
    with contextlib.ExitStack() as stack:
        for identity in identities[:4]:
            client = ProtocolConnection(server.address, identity, source=BAD)
            stack.enter_context(client).join()
        with SessionConnection(server.address, source=BAD) as session:
            assert session.ask(rp.JoinSessionRequest(bytes(32))) == NOT_FOUND
    assert reached(server, "opening-per-source") == 0


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_silent_ones_make_room(bounded, identities, workers):
    server = bounded(workers, opening=20)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(dial(server.address)))
                 for _ in range(100)]
        wait_for(lambda: count_open(socks) <= 20, "all but twenty to be closed")
        with ProtocolConnection(server.address, identities[0]) as client:
            client.join().check_alive()
        assert reached(server, "opening") >= 80


@pytest.mark.parametrize("workers", [1, 2])
def test_the_source_that_has_most_makes_room(bounded, workers):
    server = bounded(workers, opening=40)
    with contextlib.ExitStack() as stack:
        few = [stack.enter_context(contextlib.closing(dial(server.address, source=f"127.0.1.{i}")))
               for i in range(1, 6)]
        many = [stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))
                for _ in range(100)]
        wait_for(lambda: count_open(many) <= 35, "all but 35 to be closed")
        assert count_open(few) == len(few)


@pytest.mark.parametrize("words", [b"\x9e", rp.encode(rp.Ping())[:4]])
def test_who_has_begun_to_speak_still_makes_room(bounded, identities, words):
    server = bounded(opening_per_source=4)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))
                 for _ in range(4)]
        for sock in socks:
            sock.sendall(words)
        wait_for(lambda: server.probe()["metric core.connections.plain"] == "4",
                 "all words to be read")
        with contextlib.closing(dial(server.address, source=BAD)) as sock:
            assert is_closed(sock)
        assert count_open(socks) == 4


def join_once(server, identity, source=BAD):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.JoinRelayRequest())


def test_joins_of_one_source(bounded, identities):
    server = bounded(joins_per_minute=3)
    for _ in range(3):
        assert join_once(server, identities[0]) == SUCCESS
    assert join_once(server, identities[0]) == rp.RelayFull()
    assert join_once(server, identities[0], source="127.0.0.67") == SUCCESS
    assert reached(server, "joins-per-minute") == 1


def ask_once(server, identity, target, source=BAD):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.ConnectRequest(target.id))


def test_requests_of_one_source(bounded, identities):
    server = bounded(asks_per_minute=3)
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        for _ in range(3):
            assert isinstance(ask_once(server, identities[1], identities[0]),
                              rp.SessionInvitation)
        assert ask_once(server, identities[1], identities[0]) == NOT_FOUND
        answer = ask_once(server, identities[2], identities[0], source="127.0.0.67")
        assert isinstance(answer, rp.SessionInvitation)
    assert reached(server, "asks-per-minute") == 1


def failing(server, identity, how):
    """Sends a wrong token or requests an absent device; returns the answer."""
    with ProtocolConnection(server.address, identity, source=BAD) as client:
        return client.ask(rp.JoinRelayRequest("guess") if how == "join"
                          else rp.ConnectRequest(bytes(32)))


@pytest.mark.parametrize("how", ["join", "ask"])
def test_requests_that_fail_are_charged_first(bounded, identities, how):
    server = bounded(joins_per_minute=3, asks_per_minute=3, relay={"token": "word"})
    before, beyond = {"join": (rp.response(rp.WRONG_TOKEN), rp.RelayFull()),
                      "ask": (NOT_FOUND, NOT_FOUND)}[how]
    for _ in range(3):
        assert failing(server, identities[0], how) == before
    for _ in range(4):
        assert failing(server, identities[0], how) == beyond
    assert reached(server, f"{how}s-per-minute") == 4


@pytest.mark.parametrize("how", ["join", "ask"])
def test_failures_of_one_source(bounded, identities, how):
    server = bounded(failures_per_minute=3, relay={"token": "word"})
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join("word")
        for _ in range(5):
            failing(server, identities[1], how)
        assert reached(server, "failures-per-minute") == 2
        with ProtocolConnection(server.address, identities[2], source=BAD) as same:
            assert same.ask(rp.JoinRelayRequest("word")) == rp.RelayFull()
        assert ask_once(server, identities[3], identities[0]) == NOT_FOUND
        with ProtocolConnection(server.address, identities[4], source="127.0.0.67") as other:
            other.join("word")
        answer = ask_once(server, identities[5], identities[0], source="127.0.0.67")
        assert isinstance(answer, rp.SessionInvitation)


@pytest.mark.parametrize("modules", [["log", "bounds", "access", "relay", "status", "probe"],
                                     ["log", "access", "bounds", "relay", "status", "probe"]])
def test_guesses_of_another_modules_token_fail_too(module_server, identities, modules):  # noqa: F811
    server = module_server(modules, sections={
        "bounds": {"failures-per-minute": "3", "exempt": ["127.0.0.1"]},
        "access": {"tokens": ["word"]}})
    answers = [failing(server, identities[0], "join") for _ in range(5)]
    assert answers == [rp.response(rp.WRONG_TOKEN)] * 3 + [rp.RelayFull()] * 2
    with ProtocolConnection(server.address, identities[1], source=BAD) as same:
        assert same.ask(rp.JoinRelayRequest("word")) == rp.RelayFull()
    with ProtocolConnection(server.address, identities[2]) as other:
        other.join("word")


def test_who_succeeds_does_not_pay_for_failures(bounded, identities):
    server = bounded(failures_per_minute=2)
    for _ in range(5):
        assert join_once(server, identities[0]) == SUCCESS
    assert reached(server, "failures-per-minute") == 0


def test_sessions_of_one_device(bounded, identities):
    server = bounded(sessions_per_device=2)
    with contextlib.ExitStack() as stack:
        invited = [stack.enter_context(Invited(server, identities[9], identities[i]))
                   for i in range(2)]
        ends = [one.join_both() for one in invited]
        with ProtocolConnection(server.address, identities[2]) as third:
            third.join()
            assert ask_once(server, identities[9], identities[2]) == NOT_FOUND
            assert ask_once(server, identities[2], identities[0]) != NOT_FOUND
        for one, other in ends:
            check_both_ways(one, other)
        ends[0][0].close()
        ends[0][1].close()
        server.wait_for_status(lambda s: s["numActiveSessions"] == 1, "one session to end")
        with Invited(server, identities[9], identities[3]) as again:
            check_both_ways(*again.join_both())
    assert reached(server, "sessions-per-device") == 1


def test_sessions_in_all(bounded, identities):
    server = bounded(sessions=1)
    with Invited(server, identities[0], identities[1]) as first:
        # Both sessions are invited before either begins.  The second one is refused when it begins.
        with Invited(server, identities[2], identities[3]) as second:
            ends = first.join_both()
            late = second.join_asker(), second.connect()
            late[1].send(rp.JoinSessionRequest(second.to_target.key))
            with contextlib.suppress(Closed):
                late[0].receive_to_end()
            assert ask_once(server, identities[4], identities[3]) == NOT_FOUND
            check_both_ways(*ends)
    assert reached(server, "sessions") == 2


def test_pending_sessions_of_one_device(bounded, identities):
    server = bounded(relay={"pending-per-device": 2, "pending-sessions": 3})
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        answers = [ask_once(server, identities[1], identities[0]) for _ in range(3)]
        assert answers[2] == NOT_FOUND
        assert all(isinstance(a, rp.SessionInvitation) for a in answers[:2])
        assert ask_once(server, identities[2], identities[0]) != NOT_FOUND
    assert server.probe()["metric relay.connect_requests.full"] == "1"
    server.wait_for_log("a bound on pending sessions was reached")


def test_loopback_is_no_source_by_default(start_ours, identities):
    server = start_ours("-bounds.per-source", "2", "-bounds.opening-per-source", "1",
                        "-bounds.joins-per-minute", "1")
    with contextlib.ExitStack() as stack:
        for identity in identities[:5]:
            stack.enter_context(ProtocolConnection(server.address, identity)).join()


def test_a_reload_changes_bounds(bounded, identities):
    server = bounded(joins_per_minute=1)
    assert join_once(server, identities[0]) == SUCCESS
    assert join_once(server, identities[0]) == rp.RelayFull()
    server.configure(MODULES, {"bounds": {"joins-per-minute": 0, "exempt": "192.0.2.1"}})
    done, news = server.reload()
    assert done, news
    assert join_once(server, identities[0]) == SUCCESS


def test_lines_of_one_kind_are_few(bounded, identities):
    server = bounded(joins_per_minute=1)
    join_once(server, identities[0])
    for _ in range(20):
        assert join_once(server, identities[0]) == rp.RelayFull()
    assert reached(server, "joins-per-minute") == 20
    server.wait_for_log("the bound joins-per-minute was reached")
    assert server.count("the bound joins-per-minute was reached") <= 5


# Floods of each kind during a transfer.


def silent(server, identities, stack, number):
    for _ in range(20):
        stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))


def half_handshakes(server, identities, stack, number):
    hello = TlsBytes(identities[5]).client_hello()
    for cut in range(1, 20):
        sock = stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))
        sock.sendall(hello[: cut * len(hello) // 20])


def joins_and_leaves(server, identities, stack, number):
    for identity in identities[5:10]:
        join_once(server, identity)


def requests_for_oneself(server, identities, stack, number):
    for identity in identities[5:8]:
        with ProtocolConnection(server.address, identity, source=BAD) as client:
            client.join()
            client.send(rp.ConnectRequest(identity.id))
            with contextlib.suppress(Closed):
                client.receive()


def junk_sessions(server, identities, stack, number):
    for _ in range(10):
        sock = stack.enter_context(contextlib.closing(dial(server.address, source=BAD)))
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n" + bytes(500))
        with SessionConnection(server.address, source=BAD) as session:
            session.send(rp.JoinSessionRequest(bytes(32)))
        reset(dial(server.address, source=BAD))


def slow_readers(server, identities, stack, number):
    """A session whose receiver reads nothing, and a device that does not read its invitations."""
    slow, asker = identities[5 + number], identities[10 + number]
    with ProtocolConnection(server.address, slow, source=BAD, receive_buffer=2048) as device:
        device.join()
        answers = [ask_once(server, asker, slow) for _ in range(3)]
        if answers[0] == NOT_FOUND:
            return
        with SessionConnection(server.address, source=BAD, receive_buffer=2048) as reader, \
                SessionConnection(server.address, source=BAD) as writer:
            reader.join(answers[0].key)
            writer.join(device.invitation().key)
            writer.sock.settimeout(0.3)
            writer.sock.sendall(bytes(20 * MEBI))  # until its buffers are full


#: The counters that each flood must have raised.
FLOODS = {
    silent: ["bounds.reached.opening-per-source"],
    half_handshakes: ["bounds.reached.opening-per-source"],
    joins_and_leaves: ["relay.joins.ok", "bounds.reached.joins-per-minute"],
    requests_for_oneself: ["relay.connect_requests.ok"],
    junk_sessions: ["relay.rejected.bad_magic", "relay.session_joins.unknown_key"],
    slow_readers: ["relay.invitations", "core.sessions_closed.reset"],
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_does_not_stop_a_transfer(bounded, identities, flood, workers):
    # Slow enough that each flood is repeated several times during the transfer.
    server = bounded(workers, rate="12MB/s", opening=50, opening_per_source=20, per_source=60,
                     joins_per_minute=30, asks_per_minute=30,
                     relay={"pending-per-device": 10, "message-timeout": "3s"})
    stop = threading.Event()

    def keep_flooding(number):
        while not stop.is_set():
            with contextlib.ExitStack() as stack, contextlib.suppress(
                    Closed, OSError, AssertionError, EOFError):
                flood(server, identities, stack, number)
                pace(0.1)

    with Invited(server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        flooders = [threading.Thread(target=keep_flooding, args=[i], daemon=True)
                    for i in range(3)]
        for flooder in flooders:
            flooder.start()
        flows = [flow(one, other, 24 * MEBI, 1), flow(other, one, 24 * MEBI, 2)]
        with Invited(server, identities[2], identities[3]) as newcomers:  # others can still connect
            check_both_ways(*newcomers.join_both())
        check_flows(flows)
        stop.set()
        for flooder in flooders:
            flooder.join()
        invited.target.check_alive()
    wait_for(lambda: server.status()["numActiveSessions"] == 0, "all sessions to end")
    seen = server.probe()
    for name in FLOODS[flood]:
        assert int(seen[f"metric {name}"]) > 0, f"a flood without {name}: {seen}"
