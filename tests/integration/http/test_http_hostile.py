# SPDX-License-Identifier: MPL-2.0
"""Hostile requests to the status address: endless ones, many at once, and clients that do not
read."""

import contextlib
import re
import socket
import subprocess
import threading
import time

import pytest

from http_client import (ask, counter, dial, read_all, read_answer, request, with_metrics)
from waiting import PATIENCE, SLOWNESS, wait_for

BAD = "127.0.0.66"
MEBI = 1 << 20
#: By how much the process may grow; sanitizers keep freed memory.
SLACK = (8 if SLOWNESS <= 1 else 64) * MEBI


def resident(server):
    """Resident memory of the server in bytes."""
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


@pytest.fixture
def scraped(start_ours, tmp_path):
    return with_metrics(start_ours, tmp_path)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "TRACE", "PUT"])
@pytest.mark.parametrize("begin, piece", [
    ("Transfer-Encoding: chunked\r\n\r\n", b"0"), ("Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ("Transfer-Encoding: chunked\r\n\r\n0\r\n", b"Trailer: x\r\n"), ("", b"x"),
    ("", b"x: y\r\n"), ("A: ", b"x"), ("Content-Length: 9999999\r\n\r\n", b"x")],
    ids=["digits", "extension", "trailers", "name", "fields", "value", "body"])
def test_nothing_without_end_is_read(ours, method, begin, piece):
    """The server closes long before it has read everything."""
    memory = resident(ours)
    with dial(ours.status_address, BAD) as sock:
        sock.sendall(f"{method} /status HTTP/1.1\r\nHost: x\r\n{begin}".encode())
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 16 * MEBI:
                sent += sock.send(piece * (65536 // len(piece)))
    assert sent < 16 * MEBI, "it went on reading"
    assert resident(ours) < memory + SLACK
    assert ours.get("/healthz")[0] == 200


def test_many_without_end_take_neither_memory_nor_the_thread(ours):
    memory, stop = resident(ours), threading.Event()

    def send():
        while not stop.is_set():
            with contextlib.suppress(OSError), dial(ours.status_address, BAD) as sock:
                sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(200):
                    sock.sendall(b"0" * 16384)

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            assert ours.get("/healthz")[0] == 200
        assert resident(ours) < memory + SLACK
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.limits
@pytest.mark.parametrize("count", [5, 400])
def test_pipelined_requests_are_answered_in_order(ours, count):
    paths = [("/healthz", 200), ("/nowhere", 404), ("/status", 200)]
    with dial(ours.status_address) as sock:
        asked = [paths[n % 3] for n in range(count)]
        whole = b"".join(request(path) for path, _ in asked)
        sender = threading.Thread(target=sock.sendall, args=(whole,))
        sender.start()
        data = b""
        while data.count(b"HTTP/1.1 ") < count or not data.endswith(b"\n"):
            more = sock.recv(65536)
            assert more, f"closed after {data.count(b'HTTP/1.1 ')} answers"
            data += more
        sender.join()
        assert re.findall(rb"HTTP/1\.1 (\d+) ", data) == [b"%d" % code for _, code in asked]


@pytest.mark.parametrize("lines, code", [(0, 200), (2, 200), (4, 200), (5, 400), (4000, 400)])
def test_few_empty_lines_may_come_before_a_request(ours, lines, code):
    with dial(ours.status_address, BAD) as sock:
        sock.sendall(b"\r\n" * lines + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(sock)[0] == code


def test_empty_lines_without_end_are_not_read(ours):
    with dial(ours.status_address, BAD) as sock:
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 16 * MEBI:
                sent += sock.send(b"\r\n" * 32768)
    assert sent < 16 * MEBI, "it went on reading"
    assert ours.get("/healthz")[0] == 200


@pytest.mark.limits
def test_one_in_pieces_is_read(ours):
    with dial(ours.status_address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for byte in b"\r\n" + request("/healthz"):
                sock.sendall(bytes([byte]))
            assert read_answer(sock)[0] == 200


def test_a_scraper_in_a_loop_leaves_the_thread_to_others(scraped):
    """The scraper is slowed down; a health check from elsewhere is not."""
    stop = threading.Event()
    answers = []

    def scrape():
        with dial(scraped.status_address, BAD) as sock:
            while not stop.is_set():
                sock.sendall(request("/metrics"))
                answers.append(read_answer(sock)[0])

    threads = [threading.Thread(target=scrape) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: counter(scraped, "http_requests_total", result="delayed") >= 20, "a delay")
        before, began = scraped.cpu_seconds(), time.monotonic()
        wait_for(lambda: ask(scraped.status_address, "/healthz")[0] == 200 and
                 time.monotonic() > began + 2, "two seconds")
        share = (scraped.cpu_seconds() - before) / (time.monotonic() - began)
        assert share < 0.6, f"strangers take {share:.0%} of a processor"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(answers) == {200}, "slower, but answered"


def test_pipelined_scrapes_are_bounded_like_others(scraped):
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            sock = stack.enter_context(dial(scraped.status_address, BAD))
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.send(request("/metrics") * 300)
        assert scraped.get("/healthz")[0] == 200
        memory = resident(scraped)
        assert scraped.get("/healthz")[0] == 200
        assert resident(scraped) < memory + SLACK


def kernel_memory(port):
    """Kernel memory of each connection of the server's port in bytes (ss(8), skmem)."""
    table = subprocess.run(["ss", "-Htnm", "sport", "=", f":{port}"], capture_output=True,
                           text=True, check=True, timeout=PATIENCE).stdout
    found = re.findall(r"skmem:\(r(\d+),rb\d+,t(\d+),tb\d+,f(\d+),w(\d+)", table)
    return [int(r) + max(int(t), int(f) + int(w)) for r, t, f, w in found]


def test_answers_that_nobody_reads_are_bounded(scraped):
    """The process and the kernel hold one answer for each connection, however many were
    requested."""
    count, ask_for = 40, 200
    size = len(scraped.get("/metrics")[2])
    memory = resident(scraped)
    with contextlib.ExitStack() as stack:
        for number in range(count):
            sock = stack.enter_context(dial(scraped.status_address, f"127.0.0.{60 + number}"))
            sock.setblocking(False)
            for _ in range(10):
                with contextlib.suppress(BlockingIOError):
                    sock.send(request("/metrics") * (ask_for // 10))
                assert scraped.get("/healthz")[0] == 200
        held = kernel_memory(scraped.status_address[1])
        assert len(held) >= count
        assert max(held) < 400 << 10, f"{max(held)} bytes for one connection"
        assert resident(scraped) < memory + count * size + SLACK


def test_polls_that_close_lose_nothing_of_others(ours):
    """A descriptor number that is closed and reused belongs to the new connection at once."""
    failures, stop = [], threading.Event()

    def in_pieces():
        while not stop.is_set():
            with dial(ours.status_address) as sock:
                for piece in (b"GET /heal", b"thz HTTP/1.1\r\n", b"Host: x\r\n\r\n"):
                    sock.sendall(piece)
                    time.sleep(0)
                sock.settimeout(PATIENCE)
                if read_answer(sock)[0] != 200:
                    failures.append("an answer is missing")

    threads = [threading.Thread(target=in_pieces) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(1500):
            with dial(ours.status_address) as sock:
                sock.sendall(request("/healthz", Connection="close"))
                assert read_all(sock).startswith(b"HTTP/1.1 200 ")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_half_a_request_is_told_that_it_took_too_long(scraped):
    """After 10 seconds, even if single bytes arrive meanwhile."""
    with dial(scraped.status_address, BAD) as slow, dial(scraped.status_address, BAD) as silent:
        slow.settimeout(0.5)
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        answer = b""
        began = time.monotonic()
        while not answer and time.monotonic() < began + PATIENCE:
            slow.sendall(b"A: b\r\n")
            with contextlib.suppress(TimeoutError):
                answer = slow.recv(1000)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert b"Connection: close" in answer
        assert read_all(silent) == b"", "who says nothing is told nothing"
    wait_for(lambda: counter(scraped, "http_ends_total", reason="request_time") == 2, "the counter")
