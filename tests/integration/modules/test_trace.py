# SPDX-License-Identifier: MPL-2.0
"""Which hooks a module gets, in which order, and what its memory contains then."""

import socket

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairs import connect_pair, ended, swap
from relay_client import Closed, ProtocolConnection

STARTED = ["check", "init", "start", "worker_start", "ready"]
PAIR = [
    "conn_accept", "conn_open_plain", "conn_accept", "conn_open_plain", "session_open",
    "session_sent 0 5", "session_sent 1 5", "session_close eof", "conn_close eof",
    "conn_close eof",
]
STOPPED = ["worker_stop", "stop", "fini"]


def test_transcript_of_a_session(module_server):
    server = module_server(["trace", "echo-pair"], workers=1)
    first = server.connect()
    server.wait_for_count("trace: conn_accept", 1)
    first.sendall(b"hello")
    server.wait_for_count("trace: conn_open_plain", 1)
    second = server.connect()
    second.sendall(b"world")
    assert first.recv(5) == b"world"
    assert second.recv(5) == b"hello"
    first.close()
    assert second.recv(1) == b""
    second.close()
    server.wait_for_count("trace: conn_close", 2)
    server.stop()
    want = STARTED + PAIR + STOPPED
    got = server.transcript("trace")
    # The order of the two directions is not defined.
    assert sorted(got) == sorted(want) and got[:10] == want[:10] and got[12:] == want[12:], got


def test_connection_that_nobody_takes(module_server):
    server = module_server(["trace"], workers=1)
    with server.connect() as connection:
        connection.sendall(b"hello")
        assert ended(connection)
    server.wait_for_count("trace: conn_close", 1)
    assert server.transcript("trace")[5:] == [
        "conn_accept", "conn_open_plain", "conn_close denied"]


@pytest.mark.parametrize("modules", [["trace", "echo-pair"], ["echo-pair", "trace"]])
@pytest.mark.parametrize("hook", ["conn_accept", "session_open"])
def test_refusal_is_final_and_closes(module_server, modules, hook):
    server = module_server(modules, sections={"trace": {"deny": hook}})
    with server.connect() as first, server.connect() as second:
        for connection in (first, second):
            try:
                connection.sendall(b"hello")
            except OSError:
                pass
        assert ended(first) and ended(second)
    server.wait_for_count("trace: conn_close denied", 2)
    log = server.transcript("trace")
    assert log.count("conn_close denied") == 2
    assert log.count("session_close denied") == (1 if hook == "session_open" else 0)


def test_who_was_not_asked_hears_of_no_end(module_server):
    """A module that comes after the refusing one gets no hook for the connection."""
    server = module_server(["unknown-verdict", "trace", "probe"], workers=1)
    with server.connect() as connection:
        assert ended(connection)
    server.wait_for_log("unknown-verdict: conn_accept returned")
    server.probe()
    assert server.transcript("trace") == STARTED


def test_blocks_stay_with_objects_that_move(module_server):
    server = module_server(["trace", "echo-pair"], workers=4)
    for _ in range(40):
        first, second = connect_pair(server)
        swap(first, second, b"x" * 1000)
        first.close()
        second.close()
    server.wait_for_count("trace: conn_close", 80)
    server.stop()
    assert "error trace" not in server.log()


def test_objects_older_than_the_module_have_no_block(module_server):
    server = module_server(["echo-pair"], installed=["echo-pair", "trace"])
    first, second = connect_pair(server)
    waiting = server.connect()
    waiting.sendall(b"?")
    server.configure(["trace", "echo-pair"])
    assert server.reload()[0]
    swap(first, second, b"hello")
    first.close()
    assert second.recv(1) == b""
    second.close()
    # The connection is older than the module, but its session is new.
    with server.connect() as late:
        late.sendall(b"!")
        assert late.recv(1) == b"?"
    waiting.close()
    server.wait_for_count("trace: session_close", 1)
    server.stop()
    log = server.transcript("trace")
    assert "session_grant: no block" in log and "session_sent: no block" in log
    assert log.count("session_open") == 1
    assert log.count("session_close eof") + log.count("session_close reset") == 1
    assert "error trace" not in server.log()


def test_leaving_module_is_told_of_each_object(module_server):
    server = module_server(["trace", "echo-pair"], workers=1)
    first, second = connect_pair(server)
    third = server.connect()
    third.sendall(b"?")
    server.wait_for_count("trace: conn_open_plain", 3)
    server.configure(["echo-pair"])
    assert server.reload()[0]
    log = server.transcript("trace")
    left = log[log.index("session_close withdrawn"):]
    assert left == ["session_close withdrawn", *["conn_close withdrawn"] * 3,
                    "worker_stop", "stop", "fini"]
    swap(first, second, b"still there")
    third.close()
    first.close()
    second.shutdown(socket.SHUT_RDWR)
    server.stop()
    assert server.transcript("trace") == log


def test_protocol_module_asks_the_others(module_server, identities):
    server = module_server(["trace", "relay"], workers=2,
                           sections={"relay": {"ping-interval": "1s"}})
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join(token="of-mine")
        with ProtocolConnection(server.address, identities[1]) as asker:
            asker.request(identities[0].id)
        server.wait_for_log('token "of-mine"')
        joined.invitation()
        assert joined.receive() == rp.Ping()
    server.wait_for_count("trace: conn_close", 2)
    log = server.transcript("trace")
    for hook in ("conn_open_tls", "peer_join", "peer_connect", "peer_stay"):
        assert hook in log, f"no {hook} in {log}"
    # Of the one that has joined.
    notices = [hook for hook in log if hook in ("peer_join", "peer_joined", "peer_left")]
    assert notices == ["peer_join", "peer_joined", "peer_left"]
    assert "error trace" not in server.log()


def test_refused_join_is_refused(module_server, identities):
    server = module_server(["trace", "relay"], sections={"trace": {"deny": "peer_join"}})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        try:
            answer = client.receive()
            assert answer != rp.response(rp.SUCCESS), answer
        except Closed:
            pass


def test_who_may_not_stay_is_sent_away(module_server, identities):
    server = module_server(["trace", "relay"], sections={
        "trace": {"deny": "peer_stay"}, "relay": {"ping-interval": "1s"}})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join().expect_last(rp.RelayFull())


@pytest.mark.parametrize("modules", [
    ["trace", "rate-limit", "echo-pair"], ["rate-limit", "trace", "echo-pair"]])
def test_who_listens_to_sessions_may_come_and_go(module_server, modules):
    """rate-limit removes its session hooks while it has no limit, which must not affect other
    modules."""
    server = module_server(modules, workers=1)
    for step, rate in enumerate(("0", "1000000", "0")):
        server.configure(modules, {"rate-limit": {"per-session": rate}})
        assert server.reload()[0]
        first, second = connect_pair(server)
        with first, second:
            swap(first, second, bytes(1000))
        server.wait_for_count("trace: session_close", step + 1)
    sent = [int(line.split()[2]) for line in server.transcript("trace")
            if line.startswith("session_sent")]
    assert sum(sent) == 3 * (2 + 2000)
