# SPDX-License-Identifier: MPL-2.0
"""The module wormhole-transit: where its behaviour is that of Debian's transit relay."""

import os
import socket

import pytest

from module_server import module_server  # noqa: F401
from relay_server import free_port
from waiting import wait_for
from wormhole import (
    Client, DebianTransit, OurTransit, answered, both_ways, line, new_side, new_token, pair,
)

MODULES = ["log", "bounds", "wormhole-transit", "relay", "prometheus"]


def section(port, **more):
    return {'listener "wormhole"': {"address": f"127.0.0.1:{port}", "protocol": "wormhole-transit",
                                    **more}}


@pytest.fixture(params=["ours-1", "ours-2", "debian"])
def transit(request, tmp_path):
    if request.param == "debian":
        relay = DebianTransit(tmp_path)
        request.addfinalizer(relay.stop)
        return relay
    start = request.getfixturevalue("module_server")
    port = free_port()
    server = start(MODULES, workers=int(request.param[-1]), installed=[], sections=section(port))
    return OurTransit(server, port)


@pytest.mark.parametrize("sides", [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_two_with_one_token_meet(transit, sides):
    token = new_token()
    first = Client(transit.port, line(token, new_side() if sides[0] else None))
    with first, Client(transit.port, line(token, new_side() if sides[1] else None)) as last:
        answered(first, last)
        both_ways(first, last, os.urandom(100_000))


def test_the_line_may_come_in_pieces(transit):
    token = new_token()
    text = line(token, new_side())
    with Client(transit.port, line(token)) as first, Client(transit.port) as last:
        last.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(text)):
            last.send(text[at:at + 1])
        answered(first, last)


def test_the_same_side_does_not_meet_itself(transit):
    token, side = new_token(), new_side()
    with Client(transit.port, line(token, side)) as one, Client(transit.port, line(token, side)) as two:
        if transit.name == "ours":  # one may come to another worker, which is slower
            wait_for(lambda: transit.waiting() == 2, "both to wait")
        with Client(transit.port, line(token, new_side())) as other:
            answered(other)
            ends = sorted((one.answer(), two.answer()))
            assert ends == [b"", b"ok\n"], "one is redundant and is closed"


def test_tokens_that_differ_in_case_do_not_meet(transit):
    token = "a" + new_token()[1:]
    with Client(transit.port, line(token)) as one, Client(transit.port, line("A" + token[1:])) as two:
        with Client(transit.port, line(token)) as three:
            answered(one, three)
        assert two.is_silent()


BAD = {
    "empty": b"\n",
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "case": b"Please relay " + b"a" * 64 + b"\n",
    "short-token": b"please relay " + b"a" * 63 + b"\nxx",
    "sign-in-token": b"please relay " + b"a" * 63 + b"-\n",
    "long-token": b"please relay " + b"a" * 65 + b"\n" + b"b" * 40,
    "short-side": b"please relay " + b"a" * 64 + b" for side " + b"b" * 15 + b"\nxx",
    "long-side": b"please relay " + b"a" * 64 + b" for side " + b"b" * 17 + b"\n",
    "no-side": b"please relay " + b"a" * 64 + b" for side \n",
    "return": b"please relay " + b"a" * 64 + b"\r\n" + b"b" * 40,
    "return-after-side": b"please relay " + b"a" * 64 + b" for side " + b"b" * 16 + b"\r\n",
    "zero-in-side": b"please relay " + b"a" * 64 + b" for side " + b"b" * 15 + b"\0\n",
    "two-spaces": b"please  relay " + b"a" * 64 + b"\n",
    "nothing-behind-side": b"please relay " + b"a" * 64 + b" for side\n",
    "a-byte-order-mark": b"\xef\xbb\xbfplease relay " + b"a" * 64 + b"\n",
    "tab": b"please relay\t" + b"a" * 64 + b"\n",
    "binary": bytes(range(256)),
    "zeros": b"please relay " + bytes(64) + b"\n" + b"b" * 40,
    "endless": b"p" * 5000,
    "umlaut": b"please relay " + "ä".encode() * 32 + b"\n" + b"b" * 40,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_handshake_is_answered_and_closed(transit, name):
    with Client(transit.port, BAD[name]) as client:
        assert client.rest() == b"bad handshake\n"
    if transit.name == "ours":
        assert transit.ended("bad_handshake") == 1


IMPATIENT = {
    "a-byte": b"x",
    "many": b"x" * 5000,
    "a-second-line": line("b" * 64),
    "an-empty-line": b"\n",
}


@pytest.mark.parametrize("side", [None, "c" * 16])
@pytest.mark.parametrize("name", IMPATIENT)
def test_who_sends_on_with_the_line_is_impatient(transit, name, side):
    with Client(transit.port, line(new_token(), side) + IMPATIENT[name]) as client:
        assert client.rest() == b"impatient\n"
    if transit.name == "ours":
        assert transit.ended("impatient") == 1


@pytest.mark.parametrize("name", IMPATIENT)
def test_who_sends_on_while_it_waits_is_impatient(transit, name):
    token = new_token()
    with Client(transit.port, line(token)) as client:
        if transit.name == "ours":
            wait_for(lambda: transit.waiting() == 1, "a client that waits")
        else:
            transit.settled()
        client.send(IMPATIENT[name])
        assert client.rest() == b"impatient\n"
    with Client(transit.port, line(token)) as one, Client(transit.port, line(token)) as two:
        answered(one, two)


def test_who_leaves_is_forgotten(transit):
    token = new_token()
    for leave in (Client.close, Client.reset, Client.end_sending):
        client = Client(transit.port, line(token))
        if transit.name == "ours":
            wait_for(lambda: transit.waiting() == 1, "a client that waits")
        else:
            transit.settled()
        leave(client)
        if transit.name == "ours":
            wait_for(lambda: transit.waiting() == 0, "its end")
        else:
            transit.settled()
    one, two = pair(transit.port, token)
    both_ways(one, two)


@pytest.mark.parametrize("leave", ["close", "reset", "end_sending"])
def test_who_leaves_right_after_its_line_is_forgotten(transit, leave):
    tokens = [new_token() for _ in range(30)]
    leavers = []
    for token in tokens:
        leavers.append(Client(transit.port, line(token)))
        getattr(leavers[-1], leave)()
    if transit.name == "ours":
        wait_for(lambda: transit.waiting() == 0, "the end of all")
    else:
        transit.settled()
    for token in tokens:
        one, two = pair(transit.port, token)
        both_ways(one, two)
        one.close()
        two.close()


def test_many_meet_at_once(transit):
    tokens = [new_token() for _ in range(60)]
    ones = [Client(transit.port, line(token, new_side())) for token in tokens]
    twos = [Client(transit.port, line(token, new_side())) for token in reversed(tokens)]
    for number, (one, two) in enumerate(zip(ones, reversed(twos), strict=True)):
        answered(one, two)
        both_ways(one, two, b"%d." % number)
    for one, two in zip(ones, reversed(twos), strict=True):
        one.close()
        assert two.rest() == b""
        two.close()


def test_a_session_ends_with_either_end(transit):
    one, two = pair(transit.port)
    one.send(b"last words")
    one.close()
    assert two.rest() == b"last words"
    one, two = pair(transit.port)
    two.reset()
    assert one.rest() == b""
