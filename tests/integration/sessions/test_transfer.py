# SPDX-License-Identifier: MPL-2.0
"""Relayed bytes: none is lost, duplicated or reordered, with any chunk sizes and many sessions."""

import contextlib
import hashlib
import random

import pytest

import relay_protocol as rp
from flows import MEBI, Receiver, Sender, check_flows, flow
from pairing import Invited, settle
from relay_client import ProtocolConnection, SessionConnection
from waiting import wait_for


@pytest.mark.limits
def test_tens_of_megabytes_both_ways(server, identities):
    size = 32 * MEBI
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        check_flows([flow(asker, target, size, 1), flow(target, asker, size, 2)])
        server.wait_for_status(lambda s: s["bytesProxied"] == 2 * size, f"{2 * size} bytes")


def test_one_way_only(server, identities):
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        check_flows([flow(target, asker, 16 * MEBI, 3)])


def test_many_small_segments(server, identities):
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.join_both()
        check_flows([flow(asker, target, 64 * 1024, 4, biggest=64),
                     flow(target, asker, 64 * 1024, 5, biggest=64)])


def test_data_sent_before_the_other_side_joined_is_kept(server, identities):
    """More than all buffers hold, so that the sender has to wait for the other side."""
    size = 24 * MEBI
    with Invited(server, identities[0], identities[1]) as invited:
        asker = invited.join_asker()
        sender = Sender(asker, size, 6)
        settle(server)
        target = invited.join_target()
        check_flows([(sender, Receiver(target, size, 7))])


def test_data_of_both_sides_sent_before_the_answer_is_kept(server, identities):
    with Invited(server, identities[0], identities[1]) as invited:
        asker, target = invited.connect(), invited.connect()
        early = random.Random(8).randbytes(20000)
        asker.send_bytes(rp.encode(rp.JoinSessionRequest(invited.to_asker.key)) + early)
        asker.expect(rp.response(rp.SUCCESS))
        settle(server)
        target.send_bytes(rp.encode(rp.JoinSessionRequest(invited.to_target.key)) + early)
        target.expect(rp.response(rp.SUCCESS))
        for connection in (asker, target):
            assert connection.receive_bytes(len(early)) == early


def test_a_slow_receiver_gets_everything(server, identities):
    size = 8 * MEBI
    with Invited(server, identities[0], identities[1]) as invited:
        asker = invited.join_asker()
        settle(server)
        target = invited.join_target(receive_buffer=4096)
        sender = Sender(asker, size, 9)
        receiver = hashlib.sha256()
        left = size
        while left:
            part = target.receive_some(min(left, 32 * 1024))
            assert part, f"end of stream, {left} bytes missing"
            receiver.update(part)
            left -= len(part)
        sender.join()
        assert receiver.digest() == sender.hash.digest(), "bytes differ"


@pytest.mark.limits
def test_many_sessions_at_once(server, identities):
    sessions, devices, size = 40, 10, 256 * 1024
    with contextlib.ExitStack() as stack:
        targets = [
            stack.enter_context(ProtocolConnection(server.address, identity)).join()
            for identity in identities[:devices]
        ]
        keys = []
        for number in range(sessions):
            target = targets[number % devices]
            with ProtocolConnection(server.address, identities[devices]) as asker:
                keys.append((asker.request(target.identity.id).key, target.invitation().key))
        connections = [
            [stack.enter_context(SessionConnection(server.address)) for _ in range(sessions)]
            for _ in range(2)
        ]
        for side in range(2):
            for connection, pair in zip(connections[side], keys):
                connection.join(pair[side])
            settle(server)
        server.wait_for_status(lambda s: s["numActiveSessions"] == sessions, "all sessions")
        flows = []
        for number, (one, other) in enumerate(zip(*connections)):
            flows.append(flow(one, other, size, 100 + 4 * number))
            flows.append(flow(other, one, size, 102 + 4 * number))
        check_flows(flows)


def test_a_session_that_ends_is_forgotten(ours, identities):
    with Invited(ours, identities[0], identities[1]) as invited:
        for _ in range(5):
            with ProtocolConnection(ours.address, identities[0]) as client:
                keys = client.request(identities[1].id).key, invited.target.invitation().key
            one, other = (invited.connect().join(key) for key in keys)
            check_flows([flow(one, other, 100000, 12)])
            one.close()
            other.expect_close()
            other.close()
        wait_for(lambda: ours.status()["numActiveSessions"] == 0, "no active session")
