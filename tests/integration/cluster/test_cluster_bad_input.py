# SPDX-License-Identifier: MPL-2.0
"""What somebody else writes into the Redis of a cluster, or publishes there: a clear message, and
nobody is disturbed."""

import codecs
import os
import pathlib
import random
import re
import socket

import pytest

import cluster_messages as cm
import device_id
import faults
import relay_protocol as rp
from cluster_nodes import (  # noqa: F401
    NOT_FOUND, ask, join, meet, redis, start_nodes, start_redis, wait_until_found,
)
from relay_client import ProtocolConnection
from relay_server import free_port
from waiting import PATIENCE, wait_for

FLOOD = 100_000


def rejected(node, reason):
    return node.metric("rejected_total", f'{{reason="{reason}"}}')


def served(nodes, asker, device):
    """The device, at the first node, is found from both."""
    for node in nodes:
        assert meet(node, asker, device) == nodes[0].address


# Messages.


@pytest.mark.parametrize("what, reason", [
    (lambda ghost: b"", "short"),
    (lambda ghost: b"garbage", "short"),
    (lambda ghost: b"\x10" + b"\xff" * 511, "generation"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease() + bytes(513)), "short"),
    (lambda ghost: b"\x20" + ghost.seal(cm.LEASE, cm.lease())[1:], "version"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease())[:-1] + b"\0", "forged"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease("")), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease("a b")), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease(state=3)), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease()[:-1]), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease(), sender=0), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease(), counter=0), "malformed"),
    (lambda ghost: ghost.seal(cm.LEASE, cm.lease(), counter=1 << 56), "malformed"),
    (lambda ghost: ghost.seal(77, b"whatever"), "unknown"),
    (lambda ghost: ghost.seal(77, b"whatever", version=0x1f), "unknown"),
], ids=["empty", "garbage", "all-ones", "oversized", "newer-major", "forged", "no-name", "bad-name",
        "bad-state", "cut-off", "sender-0", "counter-0", "counter-8", "unknown-type", "newer-type"])
def test_a_message_that_is_none_is_counted_and_dropped(start_nodes, redis, relay_keys,  # noqa: F811
                                                       identities, what, reason):
    nodes = start_nodes(2)
    ghost = cm.Ghost(redis, relay_keys)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        assert ghost.publish(what(ghost)) == 2
        for node in nodes:
            node.wait_for_metric("rejected_total", 1, f'{{reason="{reason}"}}')
        served(nodes, identities[1], device)
    for node in nodes:
        assert node.count(r"a message of the cluster was dropped \(" + reason) == (
            reason != "unknown")


def test_a_node_of_the_next_version_is_understood(start_nodes, redis, relay_keys,  # noqa: F811
                                                  identities):
    """It sends more fields than we know."""
    nodes = start_nodes(1)
    ghost = cm.Ghost(redis, relay_keys)
    seal = ghost.seal
    ghost.seal = lambda kind, body=b"", to=0, **options: seal(
        kind, body + b"new fields", to, version=0x11, **options)
    ghost.live(name="newer")
    nodes[0].wait_for_log(r"node newer \(\w+\) is up")
    target = cm.Ghost(redis, relay_keys).incarnation.to_bytes(8, "big") * 4
    redis.ask("SET", b"st:{relay}:d:" + target,
              ghost.incarnation.to_bytes(8, "big") + (1).to_bytes(8, "big") + bytes(8))
    redis.ask("SET", f"st:{{relay}}:node:{ghost.incarnation:016x}", "x", "PX", 60000)
    client = ProtocolConnection(nodes[0].address, identities[0])
    client.send(rp.ConnectRequest(target))
    _, sender, _, body = ghost.wait_for(cm.ASK)
    number, key = body[:8], b"k" * 32
    ghost.say(cm.ANSWER, number + b"\0" + cm.place("192.0.2.9", 4321) + cm.place() + key
              + bytes(32), to=sender)
    with client:
        answer = client.receive_answering_pings()
    assert (answer.key, bytes(answer.address), answer.port) == (
        key, socket.inet_aton("192.0.2.9"), 4321)
    ghost.stop()
    nodes[0].wait_for_log(r"node newer \(\w+\) is gone")


def test_messages_that_are_played_again_change_nothing(start_nodes, redis, relay_keys,  # noqa: F811
                                                       identities):
    """Whoever can listen has recorded all that two nodes say, and says it again, also when one of
    them is gone."""
    nodes = start_nodes(2)
    recorder = cm.Ghost(redis, relay_keys)
    with socket.create_connection(("127.0.0.1", redis.port), PATIENCE) as sock:
        sock.sendall(b"PSUBSCRIBE st:{relay}:*\r\n")
        stream = sock.makefile("rb")
        for _ in range(6):
            stream.readline()
        with join(nodes[0], identities[0]) as device:
            nodes.wait_until_claimed(1)
            served(nodes, identities[1], device)
            recorded = []
            while not any(message[1] == cm.ANSWER for _, message in recorded):
                recorded.append(_published(stream))
            before = [node.metric("answered_total", '{end="invited"}') for node in nodes]
            for _ in range(2):
                for channel, message in recorded:
                    redis.ask("PUBLISH", channel, message)
            for node in nodes:
                wait_for(lambda node=node: node.metric("replayed_total") >= 2,
                         "the messages to be known")
            assert [node.metric("answered_total", '{end="invited"}') for node in nodes] == before
            served(nodes, identities[1], device)
    nodes[1].kill()
    nodes[0].wait_for_log(r"node node-2 \(\w+\) is gone")
    for channel, message in recorded:
        redis.ask("PUBLISH", channel, message)
    recorder.publish(b"the last one")
    nodes[0].wait_for_metric("rejected_total", 1, '{reason="short"}')
    assert nodes[0].metric("nodes", '{state="open"}') == 1
    assert nodes[0].count(r"node node-2 \(\w+\) is up") == 1


def test_who_reads_in_redis_learns_no_session_key(start_nodes, redis, identities):  # noqa: F811
    """Nor who asks, and from where."""
    nodes = start_nodes(2)
    with socket.socket(socket.AF_UNIX) as sock, join(nodes[0], identities[2]) as device:
        sock.settimeout(PATIENCE)
        sock.connect(str(redis.socket))
        sock.sendall(b"MONITOR\r\n")
        nodes.wait_until_claimed(1)
        invited = [wait_until_found(nodes[1], identities[0], identities[2]), device.invitation()]
        redis.ask("ECHO", "the end")
        seen = b""
        while b"the end" not in seen:
            seen += sock.recv(65536)
    seen = codecs.escape_decode(seen)[0]
    assert identities[2].id in seen, "the device, as the name of a key"
    for one in invited:
        assert len(one.key) == 32 and one.key not in seen
    assert identities[0].id not in seen


def _published(stream):
    """(channel, message) of a pattern's push."""
    assert stream.readline() == b"*4\r\n"
    parts = [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(4)]
    return parts[2], parts[3]


@pytest.mark.parametrize("kind", ["garbage", "forged", "real"])
def test_a_flood_of_messages_leaves_local_service_alone(start_nodes, redis, relay_keys,  # noqa: F811
                                                        identities, kind):
    nodes = start_nodes(2)
    ghost = cm.Ghost(redis, relay_keys)
    chance = random.Random(kind)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        with socket.create_connection(("127.0.0.1", redis.port), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            replies = sock.makefile("rb")
            channel = ghost.channel().encode()
            met = 0
            for _ in range(FLOOD // 1000):
                many = []
                for _ in range(1000):
                    message = {"garbage": lambda: chance.randbytes(46 + chance.randrange(300)),
                               "forged": lambda: ghost.seal(cm.ASK, bytes(91))[:-4] + b"fake",
                               "real": lambda: ghost.seal(cm.LEASE, cm.lease())}[kind]()
                    many.append(b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (
                        len(channel), channel, len(message), message))
                sock.sendall(b"".join(many))
                if met % 10 == 0:
                    assert meet(nodes[0], identities[1], device) == nodes[0].address
                met += 1
                for _ in range(1000):
                    assert replies.readline()[:1] == b":"
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        nodes.wait_until_they_know_each_other() if kind != "real" else None
        wait_until_found(nodes[1], identities[1], identities[0])
    for node in nodes:
        # Once in a while is enough for the log.
        assert node.count("a message of the cluster was dropped") <= 12


# Nodes that are wrong.


def test_two_nodes_with_one_name_are_warned_of(start_nodes, identities):
    nodes = start_nodes(2, cluster={"node": "twin"})
    for node in nodes:
        node.wait_for_log("another node has this node's name, twin, too: set node")
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        served(nodes, identities[1], device)


def test_a_foreign_relay_is_named(start_nodes, redis, identities):  # noqa: F811
    """Another relay's cluster has the same name in the same database."""
    redis.ask("SET", "st:{relay}:relay", identities[5].id)
    nodes = start_nodes(1, wait=False)
    line = nodes[0].wait_for_log("the cluster relay is of the relay (.*), and this one is")
    assert line.group(1) == device_id.to_text(identities[5].id)
    with join(nodes[0], identities[0]) as device:
        assert meet(nodes[0], identities[1], device) == nodes[0].address
    assert redis.size() == 1


@pytest.mark.skipif(faults.sanitized(), reason="sanitizers do not work with libfaketime")
def test_clocks_that_are_ten_minutes_apart_do_no_harm(start_nodes, identities):
    faketime = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    environments = [{"LD_PRELOAD": str(faketime), "FAKETIME": by,
                     "DONT_FAKE_MONOTONIC": "1"} for by in ("-5m", "+5m")]
    nodes = start_nodes(1, env={**os.environ, **environments[0]})
    start_nodes(1, env={**os.environ, **environments[1]})
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        served(nodes, identities[1], device)
    for node in nodes:
        assert not node.count("dropped|lease was over|is gone")


# A Redis that is wrong.


def test_a_wrong_password_is_named(start_nodes, start_redis, tmp_path, identities):  # noqa: F811
    password = tmp_path / "password"
    password.write_text("wrong\n")
    server = start_redis("requirepass right", port=free_port())
    nodes = start_nodes(1, wait=False, servers=server.address, cluster={"password-file": password})
    nodes[0].wait_for_log(r"the registry cannot be reached \(127.0.0.1:\d+: it refuses the "
                          "password: WRONGPASS")
    nodes[0].wait_for_metric("registry_reachable", 0)
    with join(nodes[0], identities[0]) as device:
        assert meet(nodes[0], identities[1], device) == nodes[0].address


@pytest.mark.parametrize("key", ["nodes", "relay", "device"])
def test_a_key_with_somebody_elses_value_is_named(start_nodes, redis, identities,  # noqa: F811
                                                  key):
    name = b"st:{relay}:" + (b"d:" + identities[0].id if key == "device" else key.encode())
    redis.ask(*(("SET", name, "text") if key == "nodes" else ("SADD", name, "text")))
    nodes = start_nodes(2, wait=False)
    with join(nodes[0], identities[0]) as device:
        nodes[0].wait_for_log("a key of this cluster has somebody else's value; use another "
                              "database or another name")
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        redis.ask("DEL", name)
        nodes.wait_until_they_know_each_other()
        wait_until_found(nodes[1], identities[1], identities[0])


def test_an_entry_that_is_none_is_replaced_by_nobody(start_nodes, redis, identities):  # noqa: F811
    """A string of another length."""
    name = b"st:{relay}:d:" + identities[0].id
    redis.ask("SET", name, "too short")
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes[0].wait_for_log("somebody else's value.*the entry of a device has 9 bytes, not 24")
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        redis.ask("DEL", name)
        wait_until_found(nodes[1], identities[1], identities[0])


def test_other_keys_in_the_database_stay(start_nodes, redis, identities):  # noqa: F811
    others = {b"somebody:%d" % number for number in range(100)} | {b"st:{other}:relay", b"st:relay:x"}
    for key in others:
        redis.ask("SET", key, "else")
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        served(nodes, identities[1], device)
    nodes.wait_until_claimed(0)
    for node in nodes:
        node.stop()
    kept = {b"st:{relay}:relay", b"st:{relay}:nodes"}
    wait_for(lambda: set(redis.list("KEYS", "*")) == others | kept,
             lambda: f"other keys alone to stay: {set(redis.list('KEYS', '*')) ^ others ^ kept}")


def test_a_redis_that_is_full_is_named(start_nodes, redis, identities):  # noqa: F811
    nodes = start_nodes(2)
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        for node in nodes:
            node.wait_for_log("it is at its maxmemory and stores nothing more")
        # No lease can be renewed.
        nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone")
        assert nodes[1].metric("registry_reachable") == 1
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        with join(nodes[1], identities[2]) as other:
            assert meet(nodes[1], identities[1], other) == nodes[1].address
            assert meet(nodes[0], identities[1], device) == nodes[0].address
            redis.ask("CONFIG", "SET", "maxmemory", "0")
            nodes.wait_until_they_know_each_other()
            nodes.wait_until_claimed(2)
            served(nodes, identities[1], device)
            assert wait_until_found(nodes[0], identities[1], identities[2])


def test_a_policy_that_forgets_is_warned_of(start_nodes, start_redis):  # noqa: F811
    server = start_redis("maxmemory-policy allkeys-lru", "maxmemory 100mb", port=free_port())
    nodes = start_nodes(1, servers=server.address)
    nodes[0].wait_for_log("has the maxmemory-policy allkeys-lru and may forget devices; set it to "
                          "noeviction")


@pytest.mark.parametrize("command, text", [
    ("EVALSHA", "it refuses scripts (EVALSHA): ERR unknown command"),
    ("SCRIPT", "it refuses scripts (SCRIPT LOAD): ERR unknown command"),
    ("ROLE", "does not allow ROLE, so a replica is noticed only when something is written"),
    ("SUBSCRIBE", "unknown command"),
])
def test_a_command_that_is_renamed_is_named(start_nodes, start_redis, identities,  # noqa: F811
                                            command, text):
    server = start_redis(f"rename-command {command} hidden", port=free_port())
    nodes = start_nodes(1, wait=False, servers=server.address)
    nodes[0].wait_for_log(re.escape(text))
    with join(nodes[0], identities[0]) as device:
        assert meet(nodes[0], identities[1], device) == nodes[0].address


def test_a_server_that_is_no_redis_is_named(start_nodes, identities):
    """Our own relay's port: it closes the connection, or says something else."""
    nodes = start_nodes(1, wait=False, servers="127.0.0.11:1")
    nodes[0].wait_for_log(r"the registry cannot be reached \(127.0.0.11:1: Connection refused")
    done, log = nodes[0].again(servers="%s:%d" % nodes[0].address)
    assert done, log
    nodes[0].wait_for_log("the registry cannot be reached|an answer has an unexpected form|"
                          "it closed the connection")
    with join(nodes[0], identities[0]) as device:
        assert meet(nodes[0], identities[1], device) == nodes[0].address


def test_who_writes_to_redis_cannot_keep_a_device_from_its_own_node(start_nodes, redis,  # noqa: F811
                                                                    identities):
    """The entries of devices carry no proof: a false one makes the device unreachable from other
    nodes until its node checks it; at its node it is found all the time."""
    nodes = start_nodes(2, sections={"relay": {"park-asks": "0"}})
    name = b"st:{relay}:d:" + identities[0].id
    with join(nodes[0], identities[0]) as device:
        nodes.wait_until_claimed(1)
        redis.ask("SET", name, b"\1" * 8 + b"\xff" * 8 + bytes(8))
        assert ask(nodes[1], identities[1], identities[0]) == NOT_FOUND
        assert meet(nodes[0], identities[1], device) == nodes[0].address
        # The next join cannot go above that epoch.  It takes the entry all the same.
    nodes.wait_until_claimed(0)
    with join(nodes[0], identities[0]) as device:
        served(nodes, identities[1], device)
