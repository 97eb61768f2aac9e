# SPDX-License-Identifier: MPL-2.0
"""Closes, resets and floods at inconvenient moments."""

import contextlib
import socket
import threading

import pytest
from OpenSSL import SSL

import relay_protocol as rp
from openssl_client import connected, renew_keys
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection, reset
from suspending import suspended
from waiting import Deadline, pace, wait_for


@pytest.fixture
def invited(ours, identities):
    with Invited(ours, identities[0], identities[1]) as pair:
        yield pair


def no_sessions(server):
    server.wait_for_status(lambda s: s["numActiveSessions"] == 0, "the session to end")


def test_connections_that_linger_do_not_outlive_the_server(ours, identities):
    """The leak sanitizer and the exit code show a leak."""
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            guest = stack.enter_context(SessionConnection(ours.address))
            assert guest.ask(rp.JoinSessionRequest(b"x" * 32)) == rp.response(rp.NOT_FOUND)
        device = stack.enter_context(ProtocolConnection(ours.address, identities[0]))
        assert device.ask(rp.ConnectRequest(b"y" * 32)) == rp.response(rp.NOT_FOUND)
        ours.stop()


def test_a_half_is_told_when_the_other_side_is_lost_on_its_way(ours, invited):
    """With two workers, about half of the second sides move to another worker."""
    for _ in range(8):
        first = invited.join_target()
        second = invited.connect()
        with suspended(ours):
            second.send(rp.JoinSessionRequest(invited.to_asker.key))
            reset(second.sock)
        with contextlib.suppress(Closed):
            assert first.receive_some() == b""
        invited.ask()


def test_a_reset_behind_the_last_bytes_ends_both_sides(ours, invited):
    asker, target = invited.join_both()
    check_both_ways(asker, target)
    with suspended(ours):
        asker.send_bytes(b"last")
        reset(asker.sock)
    with contextlib.suppress(Closed):
        assert target.receive_to_end() in (b"", b"last")
    no_sessions(ours)


def test_a_reset_after_the_end_of_one_direction_ends_both(ours, invited):
    asker, target = invited.join_both()
    asker.send_bytes(b"hello")
    asker.end_sending()
    assert target.receive_to_end() == b"hello"
    reset(asker.sock)
    no_sessions(ours)


def test_bytes_behind_urgent_ones_arrive(ours, invited):
    asker, target = invited.join_both()
    with suspended(ours):
        asker.sock.sendall(b"abc")
        asker.sock.send(b"!", socket.MSG_OOB)
        asker.sock.sendall(b"def")
    got = b""
    deadline = Deadline()
    while not got.endswith(b"def") and not deadline.passed():
        got += target.receive_some()
    assert got.replace(b"!", b"") == b"abcdef"


def answer_pings(device, stop):
    with contextlib.suppress(Closed, OSError, AssertionError):
        while not stop.is_set():
            if device.receive() == rp.Ping():
                device.send(rp.Pong())


def push(connection, data):
    with contextlib.suppress(Closed, OSError):
        connection.send_bytes(data)


def test_a_slow_reader_keeps_its_session(start_ours, identities):
    """The server reads nothing from the sender for longer than network-timeout, but bytes still
    leave."""
    server = start_ours("-network-timeout", "2s", "-ping-interval", "1s")
    stop = threading.Event()
    with Invited(server, identities[0], identities[1]) as invited:
        pinged = threading.Thread(target=answer_pings, args=(invited.target, stop), daemon=True)
        pinged.start()
        slow, fast = invited.join_asker(receive_buffer=4096), invited.join_target()
        threading.Thread(target=push, args=(fast, b"z" * 8_000_000), daemon=True).start()
        deadline = Deadline(6)
        got = 0
        while not deadline.passed():
            got += len(slow.sock.recv(1024))
            pace()
        assert got > 0 and server.status()["numActiveSessions"] == 1
        stop.set()


def test_a_silent_owner_is_replaced_whoever_asks_and_gives_up(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as silent:
        silent.join()
        deadline = Deadline()
        while not deadline.passed():
            with ProtocolConnection(ours.address, identities[0]) as impatient:
                impatient.send(rp.JoinRelayRequest())
                impatient.sock.settimeout(3)
                with contextlib.suppress(AssertionError, TimeoutError, Closed):
                    if impatient.receive() == rp.response(rp.SUCCESS):
                        return
    raise AssertionError("a silent owner keeps its place as long as others give up")


def key_update_storm(address, identity, stop):
    """Sends TLS 1.3 KeyUpdates, which OpenSSL processes without returning data.  Reconnects,
    because the server ends such connections."""
    while not stop.is_set():
        with contextlib.suppress(SSL.Error, OSError):
            with connected(address, identity) as connection:
                while not stop.is_set() and renew_keys(connection):
                    pass


def test_a_storm_of_key_updates_holds_up_nobody(start_ours, identities, tmp_path):
    server = start_ours("-workers", "1")
    folder = identities[1].write(tmp_path)
    stop = threading.Event()
    storm = threading.Thread(target=key_update_storm, daemon=True,
                             args=(server.address, folder, stop))
    storm.start()
    server.wait_for_status(lambda s: s["numConnections"] > 0, "the storm to begin")
    try:
        for identity in identities[2:6]:
            with ProtocolConnection(server.address, identity) as client:
                client.join().check_alive()
    finally:
        stop.set()
        storm.join()
