# SPDX-License-Identifier: MPL-2.0
"""Requests for a device: which are found, and what the two invitations contain."""

import socket
import threading

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways, settle
from relay_client import ProtocolConnection, SessionConnection

MAPPED = b"\0" * 10 + b"\xff\xff"


def invite(server, asker, target):
    """The invitations of a session that will not begin."""
    with Invited(server, asker, target) as invited:
        return invited.to_asker, invited.to_target


@pytest.mark.limits
def test_the_invitations_describe_one_session(server, identities):
    to_asker, to_target = invite(server, identities[0], identities[1])
    assert to_asker.from_id == identities[1].id
    assert to_target.from_id == identities[0].id
    assert not to_asker.server_socket
    assert to_target.server_socket
    assert len(to_asker.key) == 32
    assert len(to_target.key) == 32
    assert to_asker.key != to_target.key
    for invitation in (to_asker, to_target):
        assert invitation.port == server.address[1]


def test_a_specific_listen_address_is_advertised(server, identities):
    for invitation in invite(server, identities[0], identities[1]):
        assert invitation.address == MAPPED + socket.inet_aton("127.0.0.1")


def check_unspecified(server, identities):
    for invitation in invite(server, identities[0], identities[1]):
        assert invitation.address == b"", f"address: got {invitation.address.hex()}, want none"
        assert invitation.port == server.address[1]


def test_no_listen_address_is_not_advertised(start_any, identities):
    check_unspecified(start_any(listen=":0"), identities)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_an_unspecified_listen_address_is_not_advertised(start_ours, identities, listen):
    """The reference advertises the unspecified address, 16 zero bytes; clients ignore it."""
    check_unspecified(start_ours(listen=listen), identities)


def test_an_ipv6_listen_address_is_advertised(start_any, identities):
    server = start_any(listen="[::1]:0")
    for invitation in invite(server, identities[0], identities[1]):
        assert invitation.address == socket.inet_pton(socket.AF_INET6, "::1")


def check_external(server, identities, address):
    for invitation in invite(server, identities[0], identities[1]):
        got = invitation.address, invitation.port
        assert got == (address, 443), f"address and port: got {got}, want {address} and 443"


@pytest.mark.parametrize("text, address, listen", [
    ("192.0.2.7:443", MAPPED + socket.inet_aton("192.0.2.7"), "127.0.0.1:0"),
    ("[2001:db8::7]:443", socket.inet_pton(socket.AF_INET6, "2001:db8::7"), "[::1]:0"),
    (":443", b"", "127.0.0.1:0"),
])
def test_the_external_address_is_advertised_instead(start_any, identities, text, address, listen):
    check_external(start_any("-ext-address", text, listen=listen, pick_ports=True), identities,
                   address)


def test_an_unspecified_external_address_is_not_advertised(start_ours, identities):
    server = start_ours("-ext-address", "0.0.0.0:443", pick_ports=True)
    check_external(server, identities, b"")


def test_keys_are_never_the_same(server, identities):
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join()
        keys = []
        for identity in identities[1:11]:
            with ProtocolConnection(server.address, identity) as client:
                keys += [client.request(identities[0].id).key, joined.invitation().key]
    assert len(set(keys)) == len(keys), "a key was given twice"


def test_the_asker_is_closed_and_the_target_stays(server, identities):
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join()
        with ProtocolConnection(server.address, identities[1]) as client:
            client.request(identities[0].id)
            client.expect_close()
        joined.invitation()
        joined.check_alive()


@pytest.mark.limits
def test_a_device_that_has_not_joined_is_not_found(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.ConnectRequest(identities[1].id))
        client.expect_last(rp.response(rp.NOT_FOUND))


def test_a_device_that_only_shook_hands_is_not_found(server, identities):
    with ProtocolConnection(server.address, identities[1]) as waiting:
        waiting.check_alive()
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.ConnectRequest(identities[1].id))
            client.expect_last(rp.response(rp.NOT_FOUND))


@pytest.mark.parametrize("size", [0, 1, 31])
def test_an_id_of_another_length_is_not_found(server, identities, size):
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.ConnectRequest(b"\0" * size))
        client.expect_last(rp.response(rp.NOT_FOUND))


def test_a_prefix_of_a_joined_id_is_not_found(server, identities):
    with ProtocolConnection(server.address, identities[0]) as joined:
        joined.join()
        with ProtocolConnection(server.address, identities[1]) as client:
            client.send(rp.ConnectRequest(identities[0].id[:28]))
            client.expect_last(rp.response(rp.NOT_FOUND))


def test_a_device_reaches_itself_over_a_second_connection(server, identities):
    """This is how the pool checks a relay."""
    with Invited(server, identities[0], identities[0]) as invited:
        assert invited.to_asker.from_id == identities[0].id
        assert invited.to_target.from_id == identities[0].id
        check_both_ways(*invited.join_both())


def check_session(server, one, other):
    with SessionConnection(server.address).join(one.key) as first:
        settle(server)
        with SessionConnection(server.address).join(other.key) as second:
            check_both_ways(first, second)


def test_a_joined_device_may_ask_for_another(server, identities):
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        with ProtocolConnection(server.address, identities[1]) as asker:
            asker.join()
            to_asker = asker.request(identities[0].id)
            asker.expect_close()
        to_target = target.invitation()
        check_session(server, to_asker, to_target)
        target.check_alive()


def test_a_joined_device_may_ask_for_itself_on_the_same_connection(ours, identities):
    with ProtocolConnection(ours.address, identities[0]) as client:
        client.join()
        client.send(rp.ConnectRequest(identities[0].id))
        both = sorted((client.invitation(), client.invitation()), key=lambda i: i.server_socket)
        client.expect_close()
    assert [i.server_socket for i in both] == [False, True]
    check_session(ours, *both)


def test_many_who_ask_at_once_are_all_invited(ours, identities):
    askers = identities[1:]
    with ProtocolConnection(ours.address, identities[0]) as target:
        target.join()
        clients = [ProtocolConnection(ours.address, identity) for identity in askers]
        results = {}

        def ask(client):
            results[client.identity.id] = client.request(identities[0].id)

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        seen = [target.invitation().from_id for _ in askers]
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
    assert sorted(seen) == sorted(identity.id for identity in askers)
    assert sorted(results) == sorted(seen)


def test_invitations_reach_a_target_in_spite_of_its_own_requests(server, identities):
    with ProtocolConnection(server.address, identities[0]) as target:
        target.join()
        target.send_bytes(rp.encode(rp.Ping()) * 20)
        with ProtocolConnection(server.address, identities[1]) as client:
            client.request(identities[0].id)
        messages = [target.receive() for _ in range(21)]
    assert messages.count(rp.Pong()) == 20
    assert [m.from_id for m in messages if m != rp.Pong()] == [identities[1].id]
