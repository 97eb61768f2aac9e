# SPDX-License-Identifier: MPL-2.0
"""The status address when it cannot be opened, when accept(2) fails, and when descriptors are
short."""

import contextlib
import errno
import socket

import pytest

import faults
from http_client import ask, counter, dial, read_answer, request, with_metrics
from relay_client import Closed, ProtocolConnection
from waiting import PATIENCE, Deadline, wait_for

#: How many consecutive calls fail.
TIMES = 5


@pytest.mark.parametrize("name", ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"])
def test_a_failed_accept_is_survived(start_ours, tmp_path, identities, name):
    """On the status address and on the relay's."""
    fault = faults.Faults(tmp_path)
    server = with_metrics(start_ours, tmp_path, env=fault.environment)
    kind = "descriptors" if name in ("EMFILE", "ENFILE") else "memory"
    fault.begin(faults.ACCEPT, 1, length=TIMES, error=getattr(errno, name))
    assert ask(server.status_address, "/healthz")[0] == 200
    assert fault.failed == TIMES
    before = counter(server, "accept_errors_total", kind=kind)
    # The second try, with the spare descriptor, is not counted.
    assert TIMES / 2 <= before <= TIMES

    def joins():  # the listener closes waiting connections while it has no descriptor
        with contextlib.suppress(Closed, OSError):
            with ProtocolConnection(server.address, identities[0]) as client:
                client.join()
                return True
        return False

    fault.begin(faults.ACCEPT, 1, length=TIMES, error=getattr(errno, name))
    wait_for(joins, "a join")
    wait_for(lambda: fault.failed > 0, "a call to fail")
    fault.end()
    assert before < counter(server, "accept_errors_total", kind=kind) <= before + fault.failed


def test_a_taken_address_is_opened_when_it_is_free(start, plain_program):
    """The relay starts without the address, and tries to open it every 30 s."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = "{}:{}".format(*other.getsockname())
        server = start(plain_program, status=taken)
        server.wait_for_log(f"cannot open the status address {taken}: Address already in use")
    server.wait_for_log(f"status address: {taken}", Deadline(3 * PATIENCE))
    assert ask(server.status_address, "/healthz")[0] == 200


@pytest.mark.parametrize("limit", [256, 1024])
def test_floods_of_both_ports_leave_a_place_for_a_health_check(start_ours, identities, limit):
    server = start_ours(descriptors=limit)
    with contextlib.ExitStack() as stack:
        for address in (server.address, server.status_address):
            for _ in range(limit + 10):
                sock = stack.enter_context(dial(address, source="127.0.0.66"))
                sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.send(b"GET ")
        for _ in range(10):
            assert ask(server.status_address, "/healthz")[0] in (200, 503)
        assert server.descriptors() < limit
        assert server.running()
    wait_for(lambda: server.get("/healthz")[0] == 200, "health")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_a_flood_of_the_status_port_alone(start_ours, tmp_path):
    """As many connections as a process of this machine may have, some with a request."""
    server = with_metrics(start_ours, tmp_path, descriptors=512)
    with contextlib.ExitStack() as stack:
        for number in range(900):
            sock = stack.enter_context(dial(server.status_address, source="127.0.0.66"))
            with contextlib.suppress(OSError):
                sock.send([b"", b"GET /healthz HTTP/1.1\r\nHost:", request("/healthz")][number % 3])
        assert ask(server.status_address, "/healthz")[0] == 200
        assert counter(server, "http_connections", address="status") <= 32
        assert counter(server, "http_ends_total", reason="source") > 800


def test_who_has_few_connections_keeps_them(start_ours, tmp_path):
    """An exporter and a health check keep working while strangers connect from many addresses."""
    server = with_metrics(start_ours, tmp_path, descriptors=1024)
    with contextlib.ExitStack() as stack:
        good = [stack.enter_context(dial(server.status_address, source=f"127.0.1.{n}"))
                for n in (1, 2)]
        for sock in good:
            sock.sendall(request("/healthz"))
            assert read_answer(sock)[0] == 200
        for number in range(200):
            stack.enter_context(dial(server.status_address, source=f"127.0.0.{60 + number % 5}"))
        for sock in good:
            sock.sendall(request("/healthz"))
            assert read_answer(sock)[0] == 200, "an idle connection had to go"
        assert counter(server, "http_ends_total", reason="room") > 100


def test_programs_of_the_machine_keep_their_places(start_ours, tmp_path):
    """Strangers with one connection each, from more addresses than the limit of connections."""
    server = with_metrics(start_ours, tmp_path, descriptors=1024)
    with contextlib.ExitStack() as stack:
        local = stack.enter_context(dial(server.status_address))
        local.sendall(request("/healthz"))
        assert read_answer(local)[0] == 200
        for number in range(200):
            stranger = dial(server.status_address, source=f"127.0.2.{1 + number}")
            stack.enter_context(stranger)
            stranger.sendall(request("/healthz"))
            assert read_answer(stranger)[0] == 200
        local.sendall(request("/healthz"))
        assert read_answer(local)[0] == 200


def test_strangers_at_one_address_leave_the_other_alone(start_ours, tmp_path):
    server = with_metrics(start_ours, tmp_path, "-private-srv", "127.0.0.1:0", descriptors=512)
    port = int(server.wait_for_log(r"private address: 127\.0\.0\.1:(\d+)").group(1))
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(dial(("127.0.0.1", port)))
        for number in range(300):
            stack.enter_context(dial(server.status_address, source=f"127.0.0.{60 + number % 100}"))
        own.sendall(request("/metrics"))
        status, _, body = read_answer(own)
        assert status == 200
        assert b'strelaysrv_core_http_connections{address="private"} 1' in body
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as another:
            another.sendall(request("/healthz"))
            assert read_answer(another)[0] == 200
