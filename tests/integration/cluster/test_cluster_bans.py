# SPDX-License-Identifier: MPL-2.0
"""Bans and revoked tokens of all nodes of a cluster together, and lists that differ."""

import hashlib

import pytest

import relay_protocol as rp
from cluster_nodes import join, redis, start_nodes, start_redis  # noqa: F401
from control_client import metric, shown, told
from device_id import to_text
from relay_client import Closed, ProtocolConnection
from waiting import wait_for

MOST = 10000
ROWS, NEWS = b"st:{relay}:rows:bans", b"st:{relay}:news:bans"


@pytest.fixture
def sharing(start_nodes, tmp_path):
    """sharing(COUNT, OPTION=VALUE) starts nodes with the module access; `instead`: the node that
    the new one is a new process of."""
    def start(count, instead=None, wait=True, **options):
        nodes = start_nodes(0, wait=False)
        for _ in range(count):
            number = nodes.index(instead) if instead else len(nodes)
            file = tmp_path / f"bans-{number}"
            if not file.exists():
                file.write_text("new\n")
            section = {"shared": "yes", "bans": file,
                       **{name.replace("_", "-"): value for name, value in options.items()}}
            nodes = start_nodes(1, wait, modules=("access",), sections={"access": section},
                                cluster={"node": instead.name} if instead else None)
        return nodes

    return start


def join_answer(node, identity, token=None):
    with ProtocolConnection(node.address, identity) as client:
        return client.ask(rp.JoinRelayRequest(token) if token else rp.JoinRelayRequest())


def banned(node):
    return {row["device"]: row["ends in"] for row in shown(node, "bans")}


def wait_for_bans(nodes, *identities):
    wanted = {to_text(one.id) for one in identities}
    for node in nodes:
        wait_for(lambda node=node: set(banned(node)) == wanted,
                 lambda node=node: f"{wanted} at {node.name}: {banned(node)}; {node.log()}")


def wait_for_end(connection):
    def ended():
        try:
            connection.check_alive()
        except (Closed, OSError):
            return True
        return False

    wait_for(ended, "the connection to end")


def differ(node):
    return metric(node, "strelaysrv_access_lists_differ")


def test_a_ban_and_its_end_reach_all_nodes(sharing, identities):
    nodes = sharing(3)
    name = to_text(identities[0].id)
    with join(nodes[1], identities[0]) as device, join(nodes[1], identities[1]) as other:
        assert "the other nodes of the cluster are told" in told(nodes[0], "ban", name, "for", "9h")
        wait_for_end(device)
        other.check_alive()
    wait_for_bans(nodes, identities[0])
    assert all(0 < banned(node)[name] <= 9 * 3600 * 1000 for node in nodes)
    for node in nodes:
        assert join_answer(node, identities[0]) == rp.response(rp.NOT_FOUND)
    # Another end of it, and then none.
    told(nodes[1], "ban", name)
    for node in nodes:
        wait_for(lambda node=node: banned(node) == {name: None}, "the ban without an end")
    told(nodes[2], "unban", name)
    wait_for_bans(nodes)
    for node in nodes:
        assert join_answer(node, identities[0]) == rp.response(rp.SUCCESS)
        wait_for(lambda node=node: node.metric("shared_unstored") == 0, "all to be told")


def test_without_the_option_a_ban_is_of_one_node(sharing, identities):
    nodes = sharing(1)
    sharing(1, shared="no")
    name = to_text(identities[0].id)
    assert "other nodes" not in told(nodes[1], "ban", name)
    told(nodes[0], "ban", to_text(identities[1].id))
    wait_for(lambda: not nodes[0].metric("shared_unstored"), "all to be told")
    assert set(banned(nodes[1])) == {name}
    assert join_answer(nodes[1], identities[1]) == rp.response(rp.SUCCESS)
    assert join_answer(nodes[0], identities[0]) == rp.response(rp.SUCCESS)


def test_redis_is_away_and_comes_back_empty(sharing, redis, identities):  # noqa: F811
    """Each ban and each end of one counts in the end."""
    nodes = sharing(2)
    names = [to_text(one.id) for one in identities[:4]]
    told(nodes[0], "ban", names[0])
    told(nodes[0], "ban", names[1])
    wait_for_bans(nodes, *identities[:2])
    redis.kill()
    for node in nodes:
        node.wait_for_metric("registry_reachable", 0)
    assert "when they can be reached" in told(nodes[0], "ban", names[2])
    told(nodes[1], "ban", names[3])
    told(nodes[1], "unban", names[0])
    assert set(banned(nodes[0])) == set(names[:3])
    assert join_answer(nodes[0], identities[2]) == rp.response(rp.NOT_FOUND)
    redis.start()
    wait_for_bans(nodes, *identities[1:4])
    wait_for_bans(sharing(1, wait=False)[2:], *identities[1:4])


def test_a_ban_that_ended_while_a_node_was_away_ends_there(sharing, tmp_path, identities):
    """Its file still has it, and is written anew.  One that is in its file only is told."""
    nodes = sharing(2)
    names = [to_text(one.id) for one in identities[:2]]
    told(nodes[0], "ban", names[0])
    wait_for_bans(nodes, identities[0])
    wait_for(lambda: names[0] in (tmp_path / "bans-1").read_text(), "the file")
    nodes[1].kill()
    told(nodes[0], "unban", names[0])
    (tmp_path / "bans-1").write_text(
        f"strelaysrv bans 1 2\n{names[0]} 0\n{names[1]} 0\n")
    nodes = sharing(1, instead=nodes[1], wait=False)
    wait_for_bans((nodes[0], nodes[2]), identities[1])
    for number in 0, 1:
        wait_for(lambda number=number: (tmp_path / f"bans-{number}").read_text()
                 == f"strelaysrv bans 1 1\n{names[1]} 0\n", "the file")


def test_more_bans_than_there_is_room_for(sharing, tmp_path, identities):
    """As many as one node may have, and one more of another one, which counts when there is
    room."""
    names = sorted(to_text(hashlib.sha256(b"%d" % i).digest()) for i in range(MOST))
    (tmp_path / "bans-1").write_text(
        f"strelaysrv bans 1 {MOST}\n" + "".join(f"{name} 0\n" for name in names))
    nodes = sharing(1)
    told(nodes[0], "ban", to_text(identities[0].id))
    wait_for(lambda: not nodes[0].metric("shared_unstored"), "it to be told")
    sharing(1)
    for node in nodes:
        node.wait_for_log(f"a ban of another node is not in force here: there are {MOST} bans")
    told(nodes[1], "unban", names[0])
    wanted = {to_text(identities[0].id), *names[1:]}
    for node in nodes:
        wait_for(lambda node=node: set(banned(node)) == wanted,
                 lambda node=node: f"all bans; missing {wanted - set(banned(node))}, "
                 f"more {set(banned(node)) - wanted}; {node.log()}")


def test_a_ban_is_there_when_the_node_that_made_it_is_not(sharing, identities):
    nodes = sharing(1)
    told(nodes[0], "ban", to_text(identities[0].id))
    nodes[0].wait_for_metric("shared_unstored", 0)
    nodes[0].kill()
    wait_for_bans(sharing(1, wait=False)[1:], identities[0])


def test_who_writes_to_redis_bans_nobody_and_ends_no_ban(sharing, redis, identities):  # noqa: F811
    """By a row of its own, by one of another device, or by an old one."""
    nodes = sharing(2)
    name = to_text(identities[0].id)
    told(nodes[0], "ban", name)
    wait_for_bans(nodes, identities[0])
    old = redis.list("HVALS", ROWS.decode())
    row = next(value for value in old if len(value) > 40)
    told(nodes[0], "unban", name)
    wait_for_bans(nodes)
    top = 1000
    for key, value in ((identities[0].id, row), (identities[1].id, row),
                       (identities[2].id, b"\xff" * len(row)), (identities[3].id, b"")):
        top += 1
        assert redis.ask("HSET", ROWS, key, value)[:1] == b":"
        assert redis.ask("ZADD", NEWS, top, key)[:1] == b":"
    told(nodes[1], "ban", to_text(identities[4].id))
    wait_for_bans(nodes, identities[4])
    for node in nodes:
        wait_for(lambda node=node: node.metric("shared_forged_total") >= 2, "forged rows")
    # What is ours takes their place, whatever their rank.
    told(nodes[1], "ban", to_text(identities[2].id))
    wait_for_bans(nodes, identities[2], identities[4])
    told(nodes[1], "unban", to_text(identities[2].id))
    wait_for_bans(nodes, identities[4])


def test_foreign_values_under_its_keys(sharing, redis, identities):  # noqa: F811
    assert redis.ask("SET", NEWS, "a text") == b"+OK\r\n"
    nodes = sharing(2)
    told(nodes[0], "ban", to_text(identities[0].id))
    nodes[0].wait_for_log("a key of this cluster has somebody else's value")
    assert join_answer(nodes[0], identities[0]) == rp.response(rp.NOT_FOUND)
    assert join_answer(nodes[1], identities[0]) == rp.response(rp.SUCCESS)
    assert redis.ask("DEL", NEWS) == b":1\r\n"
    wait_for_bans(nodes, identities[0])


def test_a_revoked_token_is_refused_by_all_nodes(sharing, tmp_path, identities):
    """Also by one that starts later; another token of that name is not."""
    words = tmp_path / "names"
    words.write_text("# entries: 2\nalice:the-first-word-of-alice\nbob:the-only-word-of-bob\n")
    nodes = sharing(2, named_tokens=words)
    with ProtocolConnection(nodes[1].address, identities[0]) as alice, \
            ProtocolConnection(nodes[1].address, identities[1]) as bob:
        alice.join("the-first-word-of-alice")
        bob.join("the-only-word-of-bob")
        assert "the other nodes of the cluster are told" in told(nodes[0], "revoke", "alice")
        wait_for_end(alice)
        bob.check_alive()
    for node in nodes:
        assert join_answer(node, identities[0], "the-first-word-of-alice") == rp.response(
            rp.WRONG_TOKEN)
    nodes[1].kill()
    nodes = sharing(1, wait=False, named_tokens=words)
    wait_for(lambda: join_answer(nodes[2], identities[0], "the-first-word-of-alice")
             == rp.response(rp.WRONG_TOKEN), "the token to be refused")
    words.write_text("# entries: 1\nalice:another-word-of-alice\n")
    nodes = sharing(1, wait=False, named_tokens=words)
    wait_for(lambda: not differ(nodes[3]) == 0, "the other nodes to be known")
    assert join_answer(nodes[3], identities[0], "another-word-of-alice") == rp.response(rp.SUCCESS)


def test_lists_that_differ_are_warned_of(sharing, tmp_path, identities):
    words = [tmp_path / f"words-{number}" for number in range(2)]
    for file in words:
        file.write_text("one\ntwo\n")
    nodes = sharing(1, token_file=words[0])
    sharing(1, token_file=words[1])
    told(nodes[0], "ban", to_text(identities[0].id))
    wait_for_bans(nodes, identities[0])
    assert differ(nodes[0]) == differ(nodes[1]) == 0
    words[1].write_text("one\n")
    done, log = nodes[1].reload()
    assert done, log
    for node, other in (nodes, nodes[::-1]):
        wait_for(lambda node=node: differ(node) == 1, "the lists to differ")
        node.wait_for_log("1 other nodes have other lists or tokens, such as " + other.name)
    words[0].write_text("one\n")
    done, log = nodes[0].reload()
    assert done, log
    for node in nodes:
        wait_for(lambda node=node: differ(node) == 0, "the lists to be the same")
        node.wait_for_log("all nodes have the same lists and tokens again")


def test_without_a_cluster_the_option_is_warned_of(start_nodes, identities):
    node = start_nodes(1, wait=False, alone=True, modules=("access",),
                       sections={"access": {"shared": "yes"}})[0]
    node.wait_for_log("shared: the module cluster is not enabled")
    told(node, "ban", to_text(identities[0].id))
    assert join_answer(node, identities[0]) == rp.response(rp.NOT_FOUND)
