# SPDX-License-Identifier: MPL-2.0
"""HTTP connections that end while their clients have not read their answers: the kernel must not
hold these for minutes, where no bound of the server counts them."""

import contextlib
import functools
import signal
import socket

import pytest

from budget_table import constant
from http_client import counter, dial, read_all, request, with_metrics
from orphaned import orphans
from relay_client import reset
from waiting import wait_for

KIBI = 1024
#: Of these, each with its answers in the kernel's send queue.
COUNT = 200
FEW = 8
#: What the kernel may go on delivering: a last word each, with the kernel's rounding.
OWED_SOCKETS = constant("HTTP_OWED_MOST")
OWED = OWED_SOCKETS * KIBI


@pytest.fixture
def server(start_ours, tmp_path):
    return with_metrics(start_ours, tmp_path, descriptors=1024)


def deaf(stack, server, number, text):
    """A connection that sends this and reads nothing."""
    sock = stack.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.bind((f"127.64.0.{1 + number % 4}", 0))
    sock.connect(server.status_address)
    with contextlib.suppress(ConnectionError):
        sock.sendall(text)
    return sock


def answered(server):
    return counter(server, "http_requests_total", result="answered")


@pytest.mark.parametrize("rest", [b"GET / HTTP/1.1\r\n", b""], ids=["half-a-request", "nothing"])
def test_who_is_evicted_leaves_nothing_in_the_kernel(server, rest):
    port = server.status_address[1]
    with contextlib.ExitStack() as stack:
        for number in range(COUNT):
            deaf(stack, server, number, request("/status") * 10 + rest)
            wait_for(lambda least=10 * (number + 1): answered(server) >= least, "the answers")
        assert sum(counter(server, "http_ends_total", reason=reason)
                   for reason in ("room", "source")) > COUNT // 2
        count, held = orphans(port)
        assert count <= OWED_SOCKETS and held <= OWED, f"{count} orphans hold {held} bytes"
        assert counter(server, "http_cut_total") > COUNT // 2
    wait_for(lambda: orphans(port) == (0, 0), "the kernel to forget them")


def test_who_has_read_all_is_told_that_its_place_is_needed(server):
    """The kernel does not keep the last answer of a closed connection for long either."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(dial(server.status_address, "127.64.1.1"))
        first.sendall(b"GET /healthz HTTP/1.1\r\n")
        for number in range(OWED_SOCKETS - 8):
            sock = stack.enter_context(dial(server.status_address, f"127.64.2.{1 + number}"))
            with contextlib.suppress(ConnectionError):
                sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert read_all(first).startswith(b"HTTP/1.1 503 ")
        assert counter(server, "http_cut_total") == 0
        wait_for(lambda: orphans(server.status_address[1])[1] == 0, "the last words to arrive")


def test_who_resets_after_the_end_leaves_no_connection(server):
    """After the client's end its socket is not watched, and the server waits for it to take what is
    left. It does not wait for a client that is gone."""
    connections = functools.partial(counter, server, "http_connections", address="status")
    with contextlib.ExitStack() as stack:
        text = request("/status") * 10 + request("/status", Connection="close")
        gone = [deaf(stack, server, number, text) for number in range(FEW)]
        wait_for(lambda: answered(server) >= 11 * FEW, "the answers")
        for sock in gone:
            sock.shutdown(socket.SHUT_WR)
        server.get("/healthz")  # so that the server has seen all these ends
        before = connections()
        for sock in gone:
            reset(sock)
        wait_for(lambda: connections() <= before - FEW, "their connections to end")
        # Each would have had 5 s, and then the server would have given up.
        assert counter(server, "http_ends_total", reason="answer_time") == 0


def test_the_end_of_the_server_leaves_nothing_for_long(server):
    port = server.status_address[1]
    with contextlib.ExitStack() as stack:
        for number in range(16):
            deaf(stack, server, number, request("/status") * 10)
            wait_for(lambda least=10 * (number + 1): answered(server) >= least, "the answers")
        server.stop(signal.SIGTERM)
        wait_for(lambda: orphans(port) == (0, 0), "the kernel to forget them")
