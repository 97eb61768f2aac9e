# SPDX-License-Identifier: MPL-2.0
"""ClientHellos from strangers: the server stores and computes little for them, even without the
module bounds."""

import contextlib
import pathlib
import socket

import pytest

import relay_protocol as rp
import tls_messages as tls
from module_server import module_server  # noqa: F401
from relay_client import Closed, MessageStream, ProtocolConnection, TlsBytes, dial
from waiting import SLOWNESS, pace, wait_for

CHANGE_CIPHER_SPEC = bytes.fromhex("140303000101")
MODULES = ["log", "relay", "status", "probe"]
LONGEST = 16384
MANY = 400
KIBI = 1024
MEBI = 1024 * KIBI


@pytest.fixture(params=[1, 2])
def plain(module_server, request):  # noqa: F811
    return module_server(MODULES, workers=request.param)


def failures(server, kind):
    return int(server.probe()[f"metric core.handshake_failures.{kind}"])


def opening(server):
    return int(server.probe()["metric core.connections.opening"])


def check_refused(server, stream, alert=tls.ILLEGAL_PARAMETER):
    got = stream.receive_bytes(len(alert))
    assert got == alert, f"got {got.hex()}, want the alert {alert.hex()}"
    stream.expect_close()
    wait_for(lambda: failures(server, "hello") == 1, "the refusal to be counted")
    server.wait_for_log("refused a TLS handshake: its ClientHello is too long")
    assert "refused a TLS handshake with" not in server.log()


def check_serves(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        client.join().check_alive()


@pytest.mark.parametrize("size", [16384, 1], ids=["one-record", "records-of-a-byte"])
@pytest.mark.parametrize("length", [LONGEST + 1, 131000, 0xFFFFFF])
def test_a_hello_that_announces_too_much_is_refused_at_once(plain, identities, size, length):
    with MessageStream(dial(plain.address)) as stream:
        stream.send_bytes(tls.announcement(length, size))
        check_refused(plain, stream)
    check_serves(plain, identities[0])


def test_its_length_may_arrive_byte_by_byte(plain):
    with MessageStream(dial(plain.address)) as stream:
        for byte in tls.announcement(131000):
            stream.send_bytes(bytes([byte]))
            pace()
        check_refused(plain, stream)


def test_so_many_records_are_refused(plain):
    """A record header of five bytes for each byte makes the total longer than a ClientHello may
    be."""
    data = tls.records(tls.hello_of_length(8000), 1)
    with MessageStream(dial(plain.address)) as stream:
        with contextlib.suppress(Closed):
            stream.send_bytes(data)
            assert stream.receive_some() == tls.ILLEGAL_PARAMETER
    wait_for(lambda: failures(plain, "hello") == 1, "the refusal to be counted")


@pytest.mark.parametrize("length, size", [(LONGEST, 16384), (LONGEST, 512), (300, 1), (2500, 1)])
def test_a_hello_of_this_length_is_answered(plain, length, size):
    with MessageStream(dial(plain.address)) as stream:
        stream.send_bytes(tls.records(tls.hello_of_length(length), size))
        assert stream.receive_some()[0] == tls.HANDSHAKE


def retried(stream, then=b""):
    """Sends a ClientHello without key share, so that the server asks for a second one."""
    stream.send_bytes(tls.records(tls.client_hello(tls.groups(), tls.shares())) + then)
    answer = stream.receive_bytes(5)
    answer = stream.receive_bytes(int.from_bytes(answer[3:], "big"))
    assert tls.RETRY in answer, f"got {answer.hex()}, want a HelloRetryRequest"
    assert stream.receive_bytes(6) == CHANGE_CIPHER_SPEC


@pytest.mark.parametrize("before", [b"", CHANGE_CIPHER_SPEC], ids=["bare", "change-cipher-spec"])
@pytest.mark.parametrize("at_once", [False, True], ids=["answered", "at-once"])
def test_a_second_hello_is_bounded_as_well(plain, before, at_once):
    second = before + tls.announcement(131000)
    with MessageStream(dial(plain.address)) as stream:
        retried(stream, second if at_once else b"")
        if not at_once:
            for byte in second:
                stream.send_bytes(bytes([byte]))
                pace()
        check_refused(plain, stream)


def test_a_second_hello_is_answered(plain):
    with MessageStream(dial(plain.address)) as stream:
        retried(stream)
        second = tls.records(tls.client_hello(tls.groups(), tls.ONE_SHARE))
        stream.send_bytes(CHANGE_CIPHER_SPEC + second[:9])
        pace()
        stream.send_bytes(second[9:])
        assert stream.receive_some()[0] == tls.HANDSHAKE


@pytest.mark.parametrize("first", [b"\x17\x03\x03\x00\x05", b"\x14\x03", b"\x15\x03\x03\x00\x02"],
                         ids=["data", "half", "alert"])
def test_nothing_may_stand_before_a_second_hello(plain, first):
    """Otherwise the server would read the length at a wrong place."""
    with MessageStream(dial(plain.address)) as stream:
        retried(stream)
        stream.send_bytes(first)
        pace()
        with contextlib.suppress(Closed):
            stream.send_bytes(bytes(4) + tls.announcement(131000))
            while stream.receive_some():
                pass
    wait_for(lambda: opening(plain) == 0, "the end of the connection")


def test_nothing_may_stand_within_a_hello(plain):
    with MessageStream(dial(plain.address)) as stream:
        stream.send_bytes(tls.records(b"\x01"))
        stream.send_bytes(bytes.fromhex("15030300020164") + tls.announcement(131000)[:5])
        assert stream.receive_some()[:5] == tls.ILLEGAL_PARAMETER[:5]
        stream.expect_close()
    wait_for(lambda: failures(plain, "other") == 1, "it to be counted")


@pytest.mark.limits
def test_a_hello_in_records_of_one_byte_leads_to_a_join(plain, identities):
    """It takes more reads than one step of the server does."""
    client = TlsBytes(identities[0])
    with MessageStream(dial(plain.address)) as stream:
        stream.send_bytes(tls.records(client.client_hello()[5:], 1))
        client.handshake(stream)
        stream.send_bytes(client.seal(rp.encode(rp.JoinRelayRequest())))
        assert client.receive(stream) == rp.response(rp.SUCCESS)


def test_who_stops_after_three_bytes_costs_nothing_and_is_closed(module_server):  # noqa: F811
    server = module_server(MODULES, sections={"relay": {"message-timeout": "2s"}})
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(MessageStream(dial(server.address))) for _ in range(20)]
        before = server.cpu_seconds()
        for i, stream in enumerate(streams):
            stream.send_bytes(tls.announcement(300)[:3 + i % 4])
        for stream in streams:
            stream.expect_close()
        spent = server.cpu_seconds() - before
    assert spent < 0.5 * SLOWNESS, f"{spent} s of CPU within two seconds"
    wait_for(lambda: failures(server, "timeout") == len(streams), "it to be counted")


def test_who_stops_and_leaves_is_gone_at_once(plain):
    for cut in (1, 3, 6, 50):
        with contextlib.closing(dial(plain.address)) as sock:
            sock.sendall(tls.records(tls.hello_of_length(300))[:cut])
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
    wait_for(lambda: failures(plain, "closed") == 4, "all to be counted")


def resident(server):
    """Resident memory of the process in bytes."""
    fields = pathlib.Path(f"/proc/{server.pid}/statm").read_text().split()
    return int(fields[1]) * 4 * KIBI


@pytest.fixture
def measured(module_server):  # noqa: F811
    if SLOWNESS > 1:
        pytest.skip("a sanitizer's memory says nothing about the server's")
    return module_server(MODULES)


def many(server, data):
    """Opens MANY connections and sends the data on each."""
    for _ in range(MANY):
        sock = dial(server.address)
        with contextlib.suppress(OSError):
            sock.sendall(data)
        yield sock


def settled(server):
    """The server's memory, after it has become idle."""
    pace(0.2)
    last = server.cpu_seconds()

    def idle():
        nonlocal last
        pace(0.2)
        before, last = last, server.cpu_seconds()
        return last == before

    wait_for(idle, "the server to have nothing to do")
    return resident(server)


def test_what_a_hello_announces_is_not_held(measured, identities):
    """The hello announces 131,000 bytes and sends most of them.  A server that buffered them needed
    152 kB for each connection."""
    check_serves(measured, identities[0])
    before = settled(measured)
    data = tls.announcement(131000) + tls.records(bytes(100000))
    with contextlib.ExitStack() as stack:
        for sock in many(measured, data):
            stack.enter_context(contextlib.closing(sock))
        grown = settled(measured) - before
    assert grown < MANY * 8 * KIBI, f"{grown / MANY / KIBI:.1f} KiB for each"


def test_an_unfinished_hello_is_not_held(measured, identities):
    """The data stays in the socket; the process stores only the connection."""
    check_serves(measured, identities[0])
    before = settled(measured)
    with contextlib.ExitStack() as stack:
        for sock in many(measured, tls.records(tls.hello_of_length(LONGEST))[:-1]):
            stack.enter_context(contextlib.closing(sock))
        wait_for(lambda: opening(measured) == MANY, "all to be there")
        grown = settled(measured) - before
    assert grown < MANY * 8 * KIBI, f"{grown / MANY / KIBI:.1f} KiB for each"


def test_memory_goes_back_after_failed_handshakes(measured, identities):
    check_serves(measured, identities[0])
    before = settled(measured)
    with contextlib.ExitStack() as stack:
        for sock in many(measured, tls.records(tls.hello_of_length(1000))):
            stack.enter_context(contextlib.closing(sock))
        wait_for(lambda: opening(measured) == MANY, "all to be there")
        held = settled(measured) - before
    wait_for(lambda: opening(measured) == 0, "all to be gone")
    assert held > 4 * MEBI
    wait_for(lambda: resident(measured) - before < held / 4,
             lambda: f"memory to go back: {resident(measured) - before} of {held} bytes are held")


def test_too_many_key_shares_are_refused(plain):
    """The server looks up each share in the client's list of groups."""
    other = b"\x7f\xff"
    hello = tls.client_hello(tls.groups(other + tls.X25519),
                             tls.shares(*[(other, b"a")] * 20, (tls.X25519, tls.X25519_KEY)))
    with MessageStream(dial(plain.address)) as stream:
        stream.send_bytes(tls.records(hello))
        got = stream.receive_bytes(7)
        assert got == tls.ILLEGAL_PARAMETER, f"got {got.hex()}"
        stream.expect_close()
    plain.wait_for_log("its ClientHello has too many key shares")
    wait_for(lambda: failures(plain, "hello") == 1, "it to be counted")
