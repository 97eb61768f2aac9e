# SPDX-License-Identifier: MPL-2.0
"""The option park-asks: requests for a device that is just reconnecting wait for it."""

import contextlib
import select
import socket
import ssl

import pytest

import relay_protocol as rp
from module_server import folder_of, module_server  # noqa: F401
from relay_client import ProtocolConnection, reset
from relay_server import module_folder
from waiting import PATIENCE, wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
WORKERS = pytest.mark.parametrize("workers", [1, 2])


class Parking:
    def __init__(self, server):
        self.server = server
        self.address = server.address

    def number(self, name):
        return int(self.server.probe()[f"metric relay.{name}"])

    def wait_for_number(self, name, number):
        wait_for(lambda: self.number(name) == number,
                 lambda: f"{name} to be {number}; it is {self.number(name)}")

    def asks(self, identity, target, source=None):
        """A connection whose request waits."""
        before = self.number("requests_waiting")
        client = ProtocolConnection(self.address, identity, source=source)
        client.send(rp.ConnectRequest(target.id))
        self.wait_for_number("requests_waiting", before + 1)
        return client


def close(sock):
    sock.close()


def shut_down(sock):
    """A FIN; the client would still read."""
    sock.shutdown(socket.SHUT_WR)


def notify(sock):
    """close_notify, then a FIN."""
    sock.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        sock.unwrap()
    sock.close()


@pytest.fixture
def parking(module_server):  # noqa: F811
    """Within 30 s of its start, requests for any device wait."""

    def start(workers=2, wait="10s", modules=("log", "relay", "probe"), sections=None, args=()):
        return Parking(module_server(modules, workers=workers, args=args, sections={
            "relay": {"park-asks": wait}, **(sections or {})}))

    return start


@WORKERS
def test_a_request_is_answered_when_the_device_joins(parking, identities, workers):
    server = parking(workers)
    with server.asks(identities[0], identities[1]) as asker:
        with ProtocolConnection(server.address, identities[1]).join() as device:
            assert device.invitation().from_id == identities[0].id
            assert asker.invitation().from_id == identities[1].id
            asker.expect_close()
    assert server.number("requests_parked.answered") == 1
    server.wait_for_number("requests_waiting", 0)


@WORKERS
def test_all_who_wait_are_answered(parking, identities, workers):
    server = parking(workers)
    with contextlib.ExitStack() as stack:
        askers = [stack.enter_context(server.asks(identity, identities[0]))
                  for identity in identities[1:4]]
        device = stack.enter_context(ProtocolConnection(server.address, identities[0])).join()
        for asker in askers:
            asker.invitation()
        assert device.invitation()
    server.wait_for_number("requests_waiting", 0)


def test_a_device_that_does_not_come_is_not_found(parking, identities):
    server = parking(wait="300ms")
    with ProtocolConnection(server.address, identities[0]) as asker:
        asker.send(rp.ConnectRequest(identities[1].id))
        asker.expect_last(NOT_FOUND)
    assert server.number("requests_parked.in_vain") == 1
    assert server.number("connect_requests.not_found") == 1


@WORKERS
@pytest.mark.parametrize("how", [close, shut_down, notify, reset])
def test_who_leaves_while_it_waits_is_forgotten(parking, identities, workers, how):
    server = parking(workers)
    asker = server.asks(identities[0], identities[1])
    with asker.sock if how is not reset else contextlib.nullcontext():
        how(asker.sock)
        server.wait_for_number("requests_parked.left", 1)
    assert server.number("requests_waiting") == 0
    # The device is not invited for it.
    with ProtocolConnection(server.address, identities[1]).join() as device:
        device.check_alive()


@WORKERS
@pytest.mark.parametrize("before", [0, 40])
def test_who_has_left_before_it_waits_is_forgotten(parking, identities, workers, before):
    """Its FIN comes together with its request; not all messages are read at once."""
    server = parking(workers)
    sent = b"".join(rp.encode(message) for message in
                    [rp.Ping()] * before + [rp.ConnectRequest(identities[1].id)])
    with ProtocolConnection(server.address, identities[0]) as asker:
        asker.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        asker.send_bytes(sent)
        asker.sock.shutdown(socket.SHUT_WR)
        server.wait_for_number("requests_parked.left", 1)
    assert server.number("requests_waiting") == 0


def test_without_the_option_the_answer_comes_at_once(parking, identities):
    server = parking(wait="0")
    with ProtocolConnection(server.address, identities[0]) as asker:
        assert asker.ask(rp.ConnectRequest(identities[1].id)) == NOT_FOUND
    assert server.number("requests_parked.in_vain") == 0


def test_the_rules_of_modules_come_first(parking, identities):
    server = parking(modules=("log", "access", "relay", "probe"),
                     sections={"access": {"ask-deny": ["127.0.0.5"]}})
    with ProtocolConnection(server.address, identities[0], source="127.0.0.5") as asker:
        assert asker.ask(rp.ConnectRequest(identities[1].id)) == NOT_FOUND
    assert server.number("requests_parked.in_vain") == 0
    assert server.server.probe()["metric access.refused.ask"] == "1"


@pytest.fixture
def bounded(parking):
    def start(workers=2):
        return parking(workers, modules=("log", "bounds", "relay", "probe"),
                       sections={"bounds": {"exempt": ["127.0.0.1"]}})

    return start


def connect_often(server, stack, count, source, identity):
    return [stack.enter_context(ProtocolConnection(server.address, identity, source=source))
            for _ in range(count)]


def ask_often(server, stack, count, source, identity, targets):
    """Connections with requests for each of the targets in turn."""
    for number, client in enumerate(connect_often(server, stack, count, source, identity)):
        client.send(rp.ConnectRequest(targets[number % len(targets)].id))


def test_a_source_and_a_device_have_bounds(bounded, identities):
    server = bounded()
    with contextlib.ExitStack() as stack:
        ask_often(server, stack, 64, "127.0.0.5", identities[0], identities[1:5])
        server.wait_for_number("requests_waiting", 64)
        refused = ProtocolConnection(server.address, identities[0], source="127.0.0.5")
        with refused:
            assert refused.ask(rp.ConnectRequest(identities[5].id)) == NOT_FOUND
        assert server.number("requests_parked.refused") == 1
        # Others are served.
        with server.asks(identities[0], identities[5], source="127.0.0.6"):
            pass
    server.wait_for_number("requests_waiting", 0)


def test_a_source_has_a_quarter_of_the_places_of_a_device(bounded, identities):
    server = bounded()
    with contextlib.ExitStack() as stack:
        ask_often(server, stack, 17, "127.0.0.5", identities[0], identities[1:2])
        server.wait_for_number("requests_parked.refused", 1)
        assert server.number("requests_waiting") == 16
        honest = stack.enter_context(
            server.asks(identities[2], identities[1], source="127.0.0.6"))
        stack.enter_context(ProtocolConnection(server.address, identities[1])).join()
        honest.invitation()


@WORKERS
def test_who_has_most_of_a_device_gives_up_a_place(bounded, identities, workers):
    server = bounded(workers)
    with contextlib.ExitStack() as stack:
        clients = []
        for last in range(5, 9):
            clients += connect_often(server, stack, 16, f"127.0.0.{last}", identities[0])
        honest, = connect_often(server, stack, 1, "127.0.0.9", identities[2])
        # The handshakes are no part of the time for which requests wait.
        with ProtocolConnection(server.address, identities[1]) as device:
            device.join()
        # Who asks before the server has seen its end is invited to it.
        server.wait_for_number("devices", 0)
        for client in clients:
            client.send(rp.ConnectRequest(identities[1].id))
        server.wait_for_number("requests_waiting", 64)
        honest.send(rp.ConnectRequest(identities[1].id))
        server.wait_for_number("requests_parked.refused", 1)
        assert server.number("requests_waiting") == 64
        ready = select.select([client.sock for client in clients], [], [], PATIENCE)[0]
        refused, = (client for client in clients if client.sock in ready)
        refused.expect_last(NOT_FOUND)
        stack.enter_context(ProtocolConnection(server.address, identities[1])).join()
        honest.invitation()


@WORKERS
def test_all_have_a_bound(parking, identities, workers):
    """Of a module that was built with 8 places instead of 4,096, see unit-parking for these."""
    server = parking(workers, args=["-module-dir", ",".join(map(str, [
        folder_of("few-places"), folder_of("probe"), module_folder()]))])
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.asks(
            identities[0], identities[number], source=f"127.0.0.{number + 1}"))
            for number in range(1, 9)]
        with ProtocolConnection(server.address, identities[0]) as one_more:
            assert one_more.ask(rp.ConnectRequest(identities[9].id)) == NOT_FOUND
        assert server.number("requests_parked.refused") == 1
        assert server.number("connect_requests.not_found") == 1
        assert server.number("requests_waiting") == 8
        clients[0].close()
        server.wait_for_number("requests_waiting", 7)
        asker = stack.enter_context(server.asks(identities[0], identities[9]))
        stack.enter_context(ProtocolConnection(server.address, identities[9])).join()
        asker.invitation()
    assert server.number("requests_parked.refused") == 1


def test_requests_that_wait_count_as_all_do(parking, identities):
    server = parking(modules=("log", "bounds", "relay", "probe"),
                     sections={"bounds": {"exempt": ["127.0.0.1"], "asks-per-minute": 2}})
    with contextlib.ExitStack() as stack:
        for target in identities[1:3]:
            stack.enter_context(server.asks(identities[0], target, source="127.0.0.5"))
        third = stack.enter_context(
            ProtocolConnection(server.address, identities[0], source="127.0.0.5"))
        assert third.ask(rp.ConnectRequest(identities[3].id)) == NOT_FOUND
        assert server.number("requests_waiting") == 2
        assert server.number("requests_parked.refused") == 0
        assert server.number("connect_requests.refused") == 1


def test_a_stop_ends_it(parking, identities):
    server = parking()
    with server.asks(identities[0], identities[1]) as asker:
        assert server.server.stop() == 0
        asker.expect_close()
