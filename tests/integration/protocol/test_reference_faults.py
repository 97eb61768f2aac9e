# SPDX-License-Identifier: MPL-2.0
"""Faults of the reference, numbered as in the specification.  Ours has none of them.

Faults 11, 12 and 13 are tested with the modules for rate limits, NAT and pools."""

import contextlib
import resource
import socket
import threading

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection, dial, reset
from waiting import Deadline, wait_for

MEBI = 1 << 20

SILENT = 5000


@contextlib.contextmanager
def own_descriptors(count):
    """Raises this process's descriptor limit during a test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= count, (
        f"this machine allows {hard} descriptors, the test needs {count}"
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def silent_connections(stack, address, count, sources=8):
    """Opens connections that send nothing, from several loopback addresses."""
    return [
        stack.enter_context(dial(address, source=f"127.0.0.{2 + number % sources}"))
        for number in range(count)
    ]


@pytest.mark.parametrize("silent", [6, 200])
def test_fault_01_silent_connections_delay_nobody(ours, identities, silent):
    """The reference needs a second for each, so 200 of them take longer than any timeout here."""
    with contextlib.ExitStack() as stack:
        silent_connections(stack, ours.address, silent)
        with Invited(ours, identities[0], identities[1]) as invited:
            check_both_ways(*invited.join_both())


def test_fault_01_five_thousand_silent_connections_delay_nobody(start_ours, identities):
    with own_descriptors(SILENT + 200), contextlib.ExitStack() as stack:
        server = start_ours()
        silent_connections(stack, server.address, SILENT, sources=100)
        with Invited(server, identities[0], identities[1]) as invited:
            check_both_ways(*invited.join_both())


@pytest.mark.parametrize("key", [b"", b"k"], ids=["empty", "1-byte"])
def test_fault_02_an_empty_key_with_debug_is_harmless(start_ours, identities, key):
    server = start_ours("-debug")
    with SessionConnection(server.address) as client:
        client.send(rp.JoinSessionRequest(key))
        client.expect_last(rp.response(rp.NOT_FOUND))
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


@pytest.mark.parametrize("length", [-1, -4, -12, -1024, -(2**31)])
def test_fault_02_a_negative_length_is_harmless(start_ours, identities, length):
    server = start_ours("-debug")
    for message_type in range(8):
        data = rp.frame(message_type, b"\0" * 64, length=length)
        with SessionConnection(server.address) as client:
            client.send_bytes(data)
            client.expect_close()
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send_bytes(data)
            client.expect_close()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_fault_03_junk_leaves_no_descriptor(ours):
    """The clients stay connected, so the server has to close."""
    ours.status()
    base_line = ours.descriptors()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(SessionConnection(ours.address))
            client.send_bytes(b"GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n")
        ours.wait_for_descriptors(base_line)


def test_fault_03_clients_that_leave_leave_no_descriptor(ours, identities):
    beginnings = [b"", b"\x16", b"\x16\x03\x01\x02\0\x01", b"\x9e\x79", b"junk"]
    ours.status()
    base_line = ours.descriptors()
    for number in range(20):
        with dial(ours.address) as sock:
            sock.sendall(beginnings[number % len(beginnings)])
        with ProtocolConnection(ours.address, identities[number]) as client:
            client.join()
    with Invited(ours, identities[0], identities[1]) as invited:
        check_both_ways(*invited.join_both())
    ours.wait_for_descriptors(base_line)


def busy_share(server, seconds=1.0):
    """The CPU time of a server, as a share of the elapsed time."""
    before = server.cpu_seconds()
    window = Deadline(seconds)
    wait_for(window.passed, "a window of time")
    return (server.cpu_seconds() - before) / seconds


@pytest.mark.parametrize("limit", [128, 512])
def test_fault_04_descriptor_exhaustion_is_survived(start_ours, identities, limit):
    server = start_ours(descriptors=limit)
    base_line = server.descriptors()
    with contextlib.ExitStack() as stack:
        silent_connections(stack, server.address, 2 * limit)
        wait_for(lambda: server.descriptors() > limit // 2, "many descriptors to be in use")
        share = busy_share(server)
        assert share < 0.5, f"at the descriptor limit: got {share:.0%} of a processor in use"
        assert server.running(), f"the server has died:\n{server.log()}"

    def serves():
        try:
            with ProtocolConnection(server.address, identities[0]) as client:
                return client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS)
        except (Closed, OSError):
            return False

    wait_for(serves, "the server to serve again")
    server.wait_for_descriptors(base_line + 2)


def test_fault_04_joined_devices_live_through_descriptor_exhaustion(start_ours, identities):
    server = start_ours(descriptors=128)
    with Invited(server, identities[0], identities[1]) as invited:
        both = invited.join_both()
        with contextlib.ExitStack() as stack:
            silent_connections(stack, server.address, 256)
            for _ in range(3):
                check_both_ways(*both)
                invited.target.check_alive()
        check_both_ways(*both)
        invited.target.check_alive()


@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
def test_fault_05_an_end_is_told_at_once(ours, identities, how):
    """The network timeout is two minutes, longer than a test waits."""
    with Invited(ours, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        if how == "half-close":
            asker.end_sending()
        elif how == "reset":
            reset(asker.sock)
        else:
            asker.close()
        target.expect_close()


def test_fault_06_joining_at_the_same_instant_succeeds(ours, identities):
    """Each side gets success before the first byte of the other side."""
    with ProtocolConnection(ours.address, identities[0]) as target:
        target.join()
        for number in range(50):
            with ProtocolConnection(ours.address, identities[1]) as asker:
                keys = asker.request(identities[0].id).key, target.invitation().key
            got = join_at_once(ours, keys)
            want = [(rp.response(rp.SUCCESS), b"from side %d" % (1 - side)) for side in range(2)]
            assert got == want, f"round {number}: got {got}, want {want}"


def join_at_once(server, keys):
    """Each side sends its request and data in one segment; returns what each side gets."""
    barrier = threading.Barrier(2)
    results = [None, None]

    def join(side, connection):
        try:
            request = rp.encode(rp.JoinSessionRequest(keys[side]))
            barrier.wait()
            connection.send_bytes(request + b"from side %d" % side)
            results[side] = connection.receive(), connection.receive_bytes(11)
        except (Closed, AssertionError, rp.Malformed) as error:  # the test reports it
            results[side] = repr(error)

    with SessionConnection(server.address) as one, SessionConnection(server.address) as other:
        threads = [threading.Thread(target=join, args=both) for both in enumerate((one, other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


@pytest.mark.parametrize("extra", [0, 100, 100000])
def test_fault_07_a_last_response_arrives(ours, identities, extra):
    """Even if unread bytes are still on their way to the server."""
    for _ in range(10):
        with SessionConnection(ours.address) as client:
            request = rp.encode(rp.JoinSessionRequest(b"x" * 32))
            with contextlib.suppress(Closed):
                client.send_bytes(request + b"x" * extra)
            client.expect(rp.response(rp.NOT_FOUND))
            if not extra:
                client.expect_end_of_file()
        with ProtocolConnection(ours.address, identities[0]) as client:
            with contextlib.suppress(Closed):
                client.send_bytes(rp.encode(rp.ConnectRequest(b"x" * 32)) + b"\0" * extra)
            client.expect(rp.response(rp.NOT_FOUND))


def test_fault_07_tls_ends_in_an_orderly_way(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.sock.suppress_ragged_eofs = False
        client.send(rp.ConnectRequest(b"x" * 32))
        client.expect(rp.response(rp.NOT_FOUND))
        client.expect_end_of_file()


def test_fault_07_the_tail_of_a_session_arrives(ours, identities):
    with Invited(ours, identities[0], identities[1]) as invited:
        asker = invited.join_asker()
        target = invited.join_target(receive_buffer=8192)
        sender = threading.Thread(target=lambda: (asker.send_bytes(b"t" * (4 * MEBI)),
                                                  asker.close()))
        sender.start()
        got = target.receive_to_end()
        sender.join()
    assert len(got) == 4 * MEBI, f"got {len(got)} bytes, want {4 * MEBI}"


def test_fault_08_of_two_joins_one_wins_and_stays(ours, identities):
    for number in range(20):
        both = [ProtocolConnection(ours.address, identities[0]) for _ in range(2)]
        answers = {}

        def serve(client, answers=answers):
            with contextlib.suppress(Closed, AssertionError, OSError):
                answers[client] = client.receive_answering_pings()
                client.receive_answering_pings()

        threads = [threading.Thread(target=serve, args=(c,), daemon=True) for c in both]
        for client, thread in zip(both, threads):
            client.send(rp.JoinRelayRequest())
            thread.start()
        wait_for(lambda: len(answers) == 2, "two answers")
        codes = sorted(answer.code for answer in answers.values())
        want = [rp.SUCCESS, rp.ALREADY_CONNECTED]
        assert codes == want, f"round {number}: got codes {codes}, want {want}"
        ours.wait_for_status(lambda s: s["numConnections"] == 1, "the loser to be gone")
        with ProtocolConnection(ours.address, identities[1]) as asker:
            asker.request(identities[0].id)
        for client, thread in zip(both, threads):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(client.sock, socket.SHUT_RDWR)
            thread.join()
            client.close()
        ours.wait_for_status(lambda s: s["numConnections"] == 0, "the winner to be gone")


def test_fault_08_a_dead_connection_does_not_block_its_owner(ours, identities):
    """The server pings the old connection and waits five seconds.  The reference makes the device
    wait two minutes."""
    with ProtocolConnection(ours.address, identities[0]) as dead:
        dead.join()
        with ProtocolConnection(ours.address, identities[0]) as owner:
            owner.join()
            dead.close()
            owner.check_alive()
            with ProtocolConnection(ours.address, identities[1]) as asker:
                asker.request(identities[0].id)
            assert owner.invitation().from_id == identities[1].id


def test_fault_09_unpaired_sockets_count(start_ours, identities):
    """Sides of a session count as joined.  A side whose other side has not come counts as a
    stranger, because anybody can have a device of their own to request."""
    server = start_ours("-max-connections", "2")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_asker()  # half of a session
        with ProtocolConnection(server.address, identities[2]) as client:
            assert client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS)
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        with ProtocolConnection(server.address, identities[2]) as client:
            assert client.ask(rp.JoinRelayRequest()) == rp.RelayFull()


def test_fault_10_no_token_is_written_to_the_log(start_ours, identities):
    server = start_ours("-token", "the-right-token", "-debug")
    for token in ("the-wrong-token", "the-right-token"):
        with ProtocolConnection(server.address, identities[0]) as client:
            client.ask(rp.JoinRelayRequest(token))
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")
    server.stop()
    for token in ("the-wrong-token", "the-right-token"):
        assert token not in server.log(), f"the log tells {token}:\n{server.log()}"


def test_fault_14_a_status_port_in_use_does_not_end_the_relay(start, plain_program, identities):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(plain_program, status=f"127.0.0.1:{port}")
        with ProtocolConnection(server.address, identities[0]) as client:
            client.join()
        server.wait_for_log(f"127\\.0\\.0\\.1:{port}.*in use|in use.*127\\.0\\.0\\.1:{port}")
