# SPDX-License-Identifier: MPL-2.0
"""Listen addresses: address families, several addresses, and the URI that clients get."""

import socket

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection

HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
FAMILIES = {
    "tcp": {socket.AF_INET, socket.AF_INET6},
    "tcp4": {socket.AF_INET},
    "tcp6": {socket.AF_INET6},
}


def joins(address, identity):
    try:
        with ProtocolConnection(address, identity) as client:
            return client.ask(rp.JoinRelayRequest()) == rp.response(rp.SUCCESS)
    except ConnectionRefusedError:
        return False


def check_families(server, identities, want):
    port = server.address[1]
    got = {
        family for (family, host), identity in zip(HOSTS.items(), identities)
        if joins((host, port), identity)
    }
    assert got == want, f"families: got {got}, want {want}"


@pytest.mark.limits
def test_both_families_are_served(start_any, identities):
    check_families(start_any(listen=":0", pick_ports=True), identities, set(HOSTS))


@pytest.mark.parametrize("protocol", FAMILIES)
def test_a_protocol_stands_for_its_families(start_ours, identities, protocol):
    """The reference listens on both families whatever -protocol says."""
    server = start_ours("-protocol", protocol, listen=":0")
    check_families(server, identities, FAMILIES[protocol])


def test_a_protocol_that_is_none_is_fatal(start_ours):
    with pytest.raises(AssertionError, match="the server has ended"):
        start_ours("-protocol", "udp")


def test_every_worker_shares_the_port(start_ours, identities):
    """The kernel spreads connections over the workers.  A device on one worker must find a device
    on another."""
    server = start_ours()
    joined = [ProtocolConnection(server.address, identity).join() for identity in identities[:10]]
    for target in joined:
        for asker in identities[10:14]:
            with ProtocolConnection(server.address, asker) as client:
                client.request(target.identity.id)
            assert target.invitation().from_id == asker.id
    for target in joined:
        target.close()


def test_two_addresses_are_served_and_told_by_family(start_ours, identities):
    server = start_ours(listen="127.0.0.1:0,[::1]:0")
    ports = {}
    for host in ("127.0.0.1", "::1"):
        line = server.wait_for_log(rf"listening on \[?{host}\]?:(\d+)")
        ports[host] = int(line.group(1))
    with ProtocolConnection(("::1", ports["::1"]), identities[0]) as target:
        target.join()
        with ProtocolConnection(("127.0.0.1", ports["127.0.0.1"]), identities[1]) as asker:
            to_asker = asker.request(identities[0].id)
        to_target = target.invitation()
    assert to_asker.address == b"\0" * 10 + b"\xff\xff" + socket.inet_aton("127.0.0.1")
    assert to_target.address == socket.inet_pton(socket.AF_INET6, "::1")


@pytest.mark.limits
def test_sessions_join_over_either_family(start_any, identities):
    server = start_any(listen=":0", pick_ports=True)
    with Invited(server, identities[0], identities[1]) as invited:
        check_both_ways(*invited.join_both())
    assert joins(("::1", server.address[1]), identities[2])
