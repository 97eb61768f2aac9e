# SPDX-License-Identifier: MPL-2.0
"""Strangers whose sessions end and who do not close must not cost others a session's last bytes."""

import contextlib
import os

import pytest

import relay_protocol as rp
from exposition import parse, value
from pairing import Invited
from relay_client import dial
from waiting import pace, wait_for

KIBI = 1024
LEFT = 192 * KIBI
#: A worker's places, and how many of them a source gets; see core/peers/linger_places.h.
PLACES, PART = 1024, 64


@pytest.fixture
def server(start_ours, tmp_path):
    conf = tmp_path / "linger.conf"
    conf.write_text('modules = { log, relay, status, prometheus, bounds }\n'
                    'bounds { exempt = { "127.0.0.0/24" } }\n')
    return start_ours("-conf", conf)


def metric(server, name, **labels):
    return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_core_{name}", **labels)


def guess_a_key(server, source):
    """Gets an answer and the end, and does not close."""
    stays = dial(server.address, source=source)
    stays.sendall(rp.encode(rp.JoinSessionRequest(os.urandom(32))))
    return stays


@pytest.mark.parametrize("sources", [1, 24])
def test_strangers_who_stay_cost_nobody_the_last_bytes(server, identities, sources):
    """One source fills its own share of the places; many sources fill all places."""
    workers = server.program.workers
    with Invited(server, *identities[:2]) as invited, contextlib.ExitStack() as stack:
        slow = invited.join_target(source="127.0.0.9", receive_buffer=4 * KIBI)
        one = invited.join_asker(source="127.0.0.8")
        one.send_bytes(bytes(LEFT))
        slow.end_sending()
        one.close()
        wait_for(lambda: metric(server, "sessions") == 0, "its end")
        got = 0
        for i in range(workers * (PLACES + 500)):
            stack.enter_context(guess_a_key(server, f"127.64.0.{1 + i % sources}"))
            if i % 64 == 0:
                got += len(slow.sock.recv(KIBI))
        lingering = metric(server, "connections_lingering")
        while part := slow.sock.recv(KIBI):
            got += len(part)
            pace(0.001)
    assert got == LEFT
    # Besides the reader, those who asked may linger for a moment.
    assert lingering <= workers * (PART if sources == 1 else PLACES) + 4, lingering
    assert metric(server, "lingering_refused_total",
                  by="source" if sources == 1 else "places") > 0


def test_who_is_refused_a_place_gets_the_answer(server):
    """The bound takes the wait for the peer, not the answer itself."""
    with contextlib.ExitStack() as stack:
        for _ in range(2 * PART * server.program.workers):
            stack.enter_context(guess_a_key(server, "127.64.0.1"))
        wait_for(lambda: metric(server, "lingering_refused_total", by="source") > 0, "the bound")
        late = stack.enter_context(guess_a_key(server, "127.64.0.1"))
        late.settimeout(10)
        answer = late.makefile("rb").read()
        assert answer == rp.encode(rp.Response(rp.NOT_FOUND, rp.RESPONSE_TEXT[rp.NOT_FOUND])), answer
