# SPDX-License-Identifier: MPL-2.0
"""The end of the server: by signal, with clients, and under load."""

import signal

import pytest

from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_it_with_code_0(start, each_program, number):
    got = start(each_program).stop(number)
    assert got == 0, f"exit code after {number.name}: got {got}, want 0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_all_clients_notice_the_end(start_any, identities, number):
    server = start_any()
    with Invited(server, identities[0], identities[1]) as invited:
        both = invited.join_both()
        check_both_ways(*both)
        server.send_signal(number)
        invited.target.expect_close()
        for connection in both:
            connection.expect_close()
        got = server.wait_for_exit()
    assert got == 0, f"exit code: got {got}, want 0"


def test_the_end_does_not_wait_for_silent_clients(start_ours, identities):
    server = start_ours()
    clients = [SessionConnection(server.address) for _ in range(5)]
    clients.append(ProtocolConnection(server.address, identities[0]))
    got = server.stop()
    assert got == 0, f"exit code: got {got}, want 0"
    for client in clients:
        client.expect_close()
        client.close()


def test_the_end_under_load_is_clean(start_ours, identities):
    server = start_ours()
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        asker.sock.settimeout(0)
        try:
            while True:
                asker.sock.send(b"x" * 65536)  # until all buffers are full
        except BlockingIOError:
            pass
        got = server.stop()
        assert got == 0, f"exit code: got {got}, want 0"
        try:
            while target.receive_some():
                pass  # what had been on its way
        except Closed:
            pass
