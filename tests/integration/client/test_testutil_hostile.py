# SPDX-License-Identifier: MPL-2.0
"""Relays that lie, stall or send invalid data.  The client fails with an error message and never
crashes."""

import random
import re
import socket
import struct

import pytest

import certificates
import device_id
import relay_protocol as rp
import testutil
from relay_double import RelayDouble, lying_header, trickle
from testutil import Keys, Tool
from waiting import SLOWNESS

GARBAGE = random.Random(1).randbytes(5000)
TIMEOUT = f"{int(500 * SLOWNESS)}ms"


def name(value):
    """A short test ID, because bytes make unreadable ones."""
    return f"{len(value)}-bytes" if isinstance(value, bytes) else str(value)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def identity():
    return certificates.make(name="strelaysrv")


@pytest.fixture
def double(identity, tmp_path):
    """double(serve, ...) starts a relay double that runs `serve` for each connection."""
    doubles = []

    def start(serve, tls=True, **options):
        options.setdefault("identity", identity if tls else None)
        doubles.append(RelayDouble(serve, folder=tmp_path / "double", **options))
        return doubles[-1]

    yield start
    for one in doubles:
        one.close()


def check(uri, keys, failure, step):
    """-test must fail at this step for this reason, and print only ASCII."""
    result = testutil.run("-test", "-relay", uri, "-keys", keys.folder, "-timeout", TIMEOUT)
    assert result.code == 1, result
    assert result.out.splitlines()[-1] == "FAIL", result
    assert re.search(rf"^{step} +failed after \S+ ms \({failure}\)", result.out, re.M), result
    assert all(" " <= c <= "~" or c == "\n" for c in result.out), repr(result.out)
    return result


# Before TLS


def test_a_port_that_is_closed(double, keys):
    one = double(lambda stream: None, tls=False)
    one.close()
    check(one.uri, keys, "unreachable", "tcp")


def test_silence_instead_of_tls(double, keys):
    one = double(lambda stream: one.ended.wait(), tls=False)
    check(one.uri, keys, "timeout", "tls")


def test_the_end_instead_of_tls(double, keys):
    check(double(lambda stream: None, tls=False).uri, keys, "tls", "tls")


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\xff\xff",
                                  b"\x15\x03\x03\x00\x02\x02\x28", GARBAGE], ids=name)
def test_garbage_instead_of_tls(double, keys, data):
    def serve(stream):
        stream.send_bytes(data)
        stream.receive_some()

    check(double(serve, tls=False).uri, keys, "tls", "tls")


def test_tls_a_byte_at_a_time(double, keys):
    one = double(lambda stream: trickle(stream, b"\x16\x03\x03\x10\x00" + bytes(4096), one.ended),
                 tls=False)
    check(one.uri, keys, "timeout", "tls")


def test_no_alpn(double, keys):
    result = check(double(lambda stream: stream.receive(), alpn=()).uri, keys, "tls", "tls")
    assert "bep-relay" in result.out


def test_a_wrong_id(double, keys):
    one = double(lambda stream: stream.receive())
    check(one.uri + f"?id={keys.id}", keys, "wrong_id", "tls")


# The answer to the join


def answer(data):
    """Receives the join request and sends these bytes."""
    def serve(stream):
        assert isinstance(stream.receive(), rp.JoinRelayRequest)
        stream.send_bytes(data)
        stream.receive_some()
    return serve


@pytest.mark.parametrize("data, failure", [
    (GARBAGE[:100], "bad_message"),
    (b"\0" * 12, "bad_message"),
    (lying_header(4, -1), "bad_message"),
    (lying_header(4, -(1 << 31)), "bad_message"),
    (lying_header(4, (1 << 31) - 1), "bad_message"),
    (lying_header(4, 1025), "bad_message"),
    (lying_header(99, 0), "bad_message"),
    (lying_header(4, 4) + bytes(4), "bad_message"),
    (rp.frame(4, struct.pack(">iI", 0, 0xFFFFFFFC)), "bad_message"),
    (rp.encode(rp.response(rp.WRONG_TOKEN)), "wrong_token"),
    (rp.encode(rp.response(rp.ALREADY_CONNECTED)), "already_connected"),
    (rp.encode(rp.response(rp.UNEXPECTED_MESSAGE)), "refused"),
    (rp.encode(rp.Response(-5, "\x1b[2J\x07\r\n%s%n\u00e9")), "refused"),
    (rp.encode(rp.Response(7, "x" * 1000)), "refused"),
    (rp.encode(rp.RelayFull()), "full"),
    (rp.encode(rp.SessionInvitation(b"i" * 32, b"k" * 32, b"", 1, True)), "bad_message"),
    (rp.encode(rp.JoinRelayRequest("x")), "bad_message"),
], ids=name)
def test_answers_to_the_join(double, keys, data, failure):
    check(double(answer(data)).uri, keys, failure, "join")


def test_no_answer_to_the_join(double, keys):
    check(double(answer(b"")).uri, keys, "timeout", "join")


def test_an_answer_that_is_cut_off(double, keys):
    def serve(stream):
        stream.receive()
        stream.send_bytes(rp.encode(rp.response(rp.SUCCESS))[:-3])

    check(double(serve).uri, keys, "closed", "join")


def test_an_answer_a_byte_at_a_time(double, keys):
    one = double(lambda stream: trickle(stream, rp.encode(rp.Response(0, "x" * 1000)), one.ended))
    check(one.uri, keys, "timeout", "join")


def test_pings_are_no_answer(double, keys):
    def serve(stream):
        stream.receive()
        while not one.ended.wait(0.02):
            stream.send(rp.Ping())

    one = double(serve)
    check(one.uri, keys, "timeout", "join")


def test_an_answer_in_pieces_among_pings(double, keys):
    """The answer comes in pieces between pings, which is unusual but valid.  No invitation
    comes."""
    def serve(stream):
        if isinstance(stream.receive(), rp.ConnectRequest):
            stream.send(rp.response(rp.NOT_FOUND))
            return
        stream.send(rp.Ping())
        assert stream.receive() == rp.Pong()
        for byte in rp.encode(rp.Pong()) + rp.encode(rp.response(rp.SUCCESS)):
            stream.send_bytes(bytes([byte]))
        one.ended.wait()

    one = double(serve)
    result = check(one.uri, keys, "not_found", "invitation")
    assert result.err.count("trying again") == 2, result


# Invitations


def inviting(message):
    """Answers every join with success, and every request with the same answer."""
    def serve(stream):
        if isinstance(stream.receive(), rp.ConnectRequest):
            stream.send(message)
            return
        stream.send(rp.response(rp.SUCCESS))
        stream.receive_some()
    return serve


@pytest.mark.parametrize("from_id, address, port, failure", [
    (b"x" * 32, b"", 1, "bad_message"),  # another device than asked for
    (b"x" * 31, b"", 1, "bad_message"),
    (None, b"", 0, "bad_message"),
    (None, b"12345", 1, "bad_message"),
    (None, b"1" * 32, 1, "bad_message"),
], ids=name)
def test_bad_invitations(double, keys, from_id, address, port, failure):
    from_id = from_id or keys.raw_id
    one = double(inviting(rp.SessionInvitation(from_id, b"k" * 32, address, port, False)))
    check(one.uri, keys, failure, "invitation")


def test_only_one_of_two_invitations(double, keys):
    one = double(inviting(rp.SessionInvitation(keys.raw_id, b"k" * 32, b"", 1, False)))
    check(one.uri, keys, "timeout", "invitation")


def run_join(uri, keys, *args):
    return Tool("-join", "-relay", uri, "-keys", keys.folder, "-timeout", TIMEOUT, *args)


@pytest.mark.parametrize("message, why", [
    (rp.encode(rp.RelayFull()), "full"),
    (rp.encode(rp.response(rp.SUCCESS)), "no place there"),
    (rp.encode(rp.SessionInvitation(b"i", b"k", b"", 1, True)), "device ID of 1 bytes"),
    (rp.frame(6, b"\xff" * 20), "cannot be read"),
    (GARBAGE[:12], "no message"),
    (b"", "ended the connection"),
], ids=name)
def test_what_ends_a_join(double, keys, message, why):
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        stream.send_bytes(message)
        if message:
            stream.receive_some()

    tool = run_join(double(serve).uri, keys)
    tool.expect(1)
    tool.wait_for(f"Lost relay: .*{why}")
    tool.finish()


def invitations(port, count):
    """Lets a device join, and invites it to sessions at this port."""
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        for number in range(count):
            stream.send(rp.SessionInvitation(bytes([number]) * 32, b"k" * 32, b"", port, False))
        stream.receive_some()
    return serve


def test_an_invitation_that_leads_nowhere_is_told(double, keys):
    """The next one is followed."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else gets this port, and nobody listens there
        tool = run_join(double(invitations(silent.getsockname()[1], 2)).uri, keys)
        tool.wait_for("Failed to join session with .*refused", count=2)
        tool.process.terminate()
        tool.expect(0)
        tool.finish()


def test_only_so_many_invitations_wait(double, keys):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = double(invitations(silent.getsockname()[1], 40))
        tool = run_join(one.uri, keys, "-timeout", "60s")
        tool.wait_for("Dropped an invitation from .* 16 are waiting")
        assert len([line for line in tool.lines() if "Received invitation" in line]) == 17
        tool.process.terminate()
        tool.wait()
        tool.finish()


def test_a_relay_that_falls_silent(double, keys):
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        stream.send(rp.Ping())
        one.ended.wait()

    one = double(serve)
    tool = run_join(one.uri, keys, "-network-timeout", "300ms")
    tool.expect(1)
    tool.wait_for("Lost relay: .*nothing was heard")
    tool.finish()


def test_a_flood_of_pings_is_answered_one_by_one(double, keys):
    count = 2000
    answered = []

    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        for _ in range(count // 100):
            stream.send_bytes(rp.encode(rp.Ping()) * 100)
            answered.extend(stream.receive() for _ in range(100))

    tool = run_join(double(serve).uri, keys)
    tool.expect(1)
    tool.finish()
    assert answered == [rp.Pong()] * count


def test_pings_whose_answers_are_not_read(double, keys):
    """The client gives up; its buffer must not grow without limit."""
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        while not one.ended.is_set():
            stream.send_bytes(rp.encode(rp.Ping()) * 1000)

    one = double(serve)
    tool = run_join(one.uri, keys)
    tool.expect(1)
    tool.wait_for("does not read|reset|Broken pipe")
    tool.finish()


def test_a_flood_of_invitations_is_bounded(double, keys):
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        invitation = rp.SessionInvitation(b"i" * 32, b"k" * 32, b"", plain.address[1], True)
        stream.send_bytes(rp.encode(invitation) * 40)
        one.ended.wait()

    plain = double(lambda stream: plain.ended.wait(), tls=False)
    one = double(serve)
    tool = run_join(one.uri, keys, "-timeout", "60s")
    tool.wait_for("Dropped an invitation")
    one.ended.set()
    tool.wait_for("Lost relay")
    tool.finish()
    text = "\n".join(tool.lines())
    assert text.count("Received invitation") == 17 and text.count("Dropped") == 1, text


# Sessions


TARGET = b"t" * 32


def relay_to(plain):
    """A relay that invites to a session at the address of the double `plain`."""
    def serve(stream):
        if isinstance(stream.receive(), rp.ConnectRequest):
            stream.send(rp.SessionInvitation(TARGET, b"k" * 32, b"", plain.address[1], False))
    return serve


def ask(one, keys):
    return testutil.run("-connect", device_id.to_text(TARGET), "-relay", one.uri, "-keys",
                        keys.folder, "-timeout", TIMEOUT)


@pytest.mark.parametrize("data, why", [
    (GARBAGE[:64], "no message"),
    (rp.encode(rp.response(rp.NOT_FOUND)), "not found"),
    (rp.encode(rp.response(rp.ALREADY_CONNECTED)), "already connected"),
    (rp.encode(rp.Ping()), "no place there"),
    (lying_header(4, -1), "no message"),
    (rp.encode(rp.response(rp.SUCCESS))[:-1], "ended the connection"),
    (b"", "ended the connection"),
], ids=name)
def test_answers_to_a_session(double, keys, data, why):
    plain = double(lambda stream: (stream.receive(), stream.send_bytes(data)), tls=False)
    one = double(relay_to(plain))
    result = ask(one, keys)
    assert result.code == 1 and why in result.err, result


def test_a_session_a_byte_at_a_time(double, keys):
    plain = double(lambda stream: trickle(
        stream, rp.encode(rp.Response(0, "x" * 1000)), plain.ended), tls=False)
    one = double(relay_to(plain))
    result = ask(one, keys)
    assert result.code == 1 and "did not answer in time" in result.err, result


def half_close_and_vanish(stream):
    """Ends one direction, and later the connection without telling the client's TCP."""
    stream.receive()
    stream.send(rp.response(rp.SUCCESS))
    stream.sock.shutdown(socket.SHUT_WR)
    stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)


def test_a_session_that_is_given_up_without_a_word(double, keys):
    """The other direction has ended, stdin is silent, and no more data comes."""
    plain = double(half_close_and_vanish, tls=False)
    tool = Tool("-connect", device_id.to_text(TARGET), "-relay", double(relay_to(plain)).uri,
                "-keys", keys.folder, "-network-timeout", "2s")
    tool.expect(1)
    tool.wait_for("Finished: .*cut off before stdin had ended")
    tool.finish()


def test_a_quiet_session_lives_on(double, keys):
    """A session may be silent for longer than the timeout, which is for relays that do not
    answer."""
    def serve(stream):
        stream.receive()
        stream.send(rp.response(rp.SUCCESS))
        plain.ended.wait(3)
        stream.send_bytes(b"late")

    plain = double(serve, tls=False)
    result = testutil.run("-connect", device_id.to_text(TARGET), "-relay",
                          double(relay_to(plain)).uri, "-keys", keys.folder, "-network-timeout",
                          "1s")
    assert result.code == 0 and result.out == "late", result


def test_bytes_behind_the_answer_are_the_peers(double, keys):
    def reply(stream):
        assert stream.receive() == rp.JoinSessionRequest(b"k" * 32)
        stream.send_bytes(rp.encode(rp.response(rp.SUCCESS)) + b"first bytes\0")

    plain = double(reply, tls=False)
    one = double(relay_to(plain))
    result = ask(one, keys)
    assert result.code == 0 and result.out == "first bytes\0", result
