# SPDX-License-Identifier: MPL-2.0
"""conf/cluster/README.md, word for word: the example, the runbook, the configuration of machines."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import urllib.parse

import pytest

import certificates
import cluster_example
import relay_protocol as rp
from cluster_example import NODES, ROOT
from open_folder import folder  # noqa: F401
from privileges import UID, why_no_other_user
from redis_server import start_redis  # noqa: F401
from relay_client import Closed, ProtocolConnection
from relay_server import Program, free_port, run
from skip_unless import can_run
from waiting import wait_for

PAGE = (ROOT / "conf" / "cluster" / "README.md").read_text(encoding="utf-8")
FRONT = ("127.0.0.10", 22067)

example_runs = can_run("CLUSTER", cluster_example.why_not())


@pytest.fixture
def example(folder, plain_program):  # noqa: F811
    with cluster_example.running(folder / "cluster", plain_program) as started:
        yield started


def blocks(mark):
    """The code blocks of the page that contain these words, without their indentation."""
    found = re.findall(r"^( *)```\w*\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found
            if mark in text]


def find_each_other(one, other, address):
    """Whether two devices that come in at that address find each other.  For two seconds haproxy may
    not know that a node is gone or drains."""
    with contextlib.suppress(OSError, Closed), ProtocolConnection(address, one) as joined:
        if joined.ask(rp.JoinRelayRequest(None)) != rp.response(rp.SUCCESS):
            return False
        with ProtocolConnection(address, other) as asking:
            return isinstance(asking.ask(rp.ConnectRequest(one.id)), rp.SessionInvitation)
    return False


def check_found(address=FRONT):
    one, other = certificates.make(), certificates.make()
    wait_for(lambda: find_each_other(one, other, address), "an invitation")


@example_runs
def test_the_commands_of_the_page_work_twice(example):
    [text] = blocks("three-nodes.sh start")
    commands = [line for line in text.splitlines() if "apt-get" not in line]
    assert len(commands) > 5
    for _ in range(2):
        said = [example.say(line) for line in commands]
        uri = urllib.parse.urlsplit(said[0].strip())
        assert (uri.hostname, uri.port) == FRONT
        assert f"id={urllib.parse.parse_qs(uri.query)['id'][0]}" in example.uri, "it keeps its keys"
        assert set(re.findall(r"^(\w+) +open ", said[-2], re.M)) <= set(NODES)
    example.run("start")
    example.wait_until_all_are_open()
    check_found()


@example_runs
@pytest.mark.parametrize("part", ["redis", "haproxy", *NODES])
def test_start_mends_what_has_crashed(example, part):
    example.kill(part)
    assert example.run("start").strip() == example.uri
    example.wait_until_all_are_open()
    check_found()


@example_runs
@can_run("OTHER USERS", why_no_other_user())
def test_any_user_may_start_it(folder, plain_program):  # noqa: F811
    place = folder / "own"
    place.mkdir()
    place.chmod(0o777)
    prefix = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    with cluster_example.running(place / "cluster", plain_program, prefix=prefix) as example:
        assert (place / "cluster").stat().st_uid == UID
        check_found()
        example.run("stop", "two")
        example.run("start")
        example.wait_until_all_are_open()


@example_runs
def test_it_runs_where_a_package_puts_it(folder, plain_program):  # noqa: F811
    """Without a build beside it: the relay is that of PATH, and the folder is at home."""
    examples = shutil.copytree(cluster_example.SCRIPT.parent, folder / "examples" / "cluster")
    programs = folder / "bin"
    programs.mkdir()
    (programs / "strelaysrv").symlink_to(plain_program.path)
    with cluster_example.running(folder / "strelaysrv-cluster", plain_program,
                                 script=examples / "three-nodes.sh",
                                 HOME=str(folder), PATH=f"{programs}:{os.environ['PATH']}",
                                 STRELAYSRV="", CLUSTER=""):
        check_found()


@example_runs
@pytest.mark.parametrize("words, code", [
    (["stat"], 2), ([], 2), (["ctl"], 2), (["start", "four"], 1), (["stop", "four"], 1),
    (["status", "four"], 1), (["ctl", "four", "status"], 1), (["start", "two"], 1)])
def test_wrong_words_start_nothing(folder, plain_program, words, code):  # noqa: F811
    example = cluster_example.Example(folder / "cluster", plain_program)
    done = subprocess.run(["sh", str(example.script), *words], text=True,
                          env=example.environment, capture_output=True, check=False)
    assert done.returncode == code and done.stderr, done
    assert not list(folder.iterdir())


@example_runs
@pytest.mark.parametrize("part, host", [("haproxy", FRONT[0]), ("two", "127.0.0.12")])
def test_a_port_that_is_taken_is_told(example, part, host):
    example.run("stop")
    with socket.create_server((host, FRONT[1])):
        done = example.run("start", check=False)
        assert done == "", "there is no URI"
        assert "in use" in example.log(part)
    assert example.run("start").strip() == example.uri


@example_runs
def test_a_node_less_and_a_node_more(example):
    example.run("ctl", "two", "drain")
    wait_for(lambda: example.status() == {"one": "open", "three": "open"}, "two to end")
    check_found()
    example.run("start", "two")
    example.wait_until_all_are_open()
    check_found()


@example_runs
def test_a_rolling_upgrade(example):
    before = [example.pid(name) for name in NODES]
    for name in NODES:
        example.run("ctl", name, "upgrade")
        check_found()
    assert not set(before) & {example.pid(name) for name in NODES}
    example.wait_until_all_are_open()
    check_found()


@example_runs
def test_another_redis_by_a_reload(example, start_redis):  # noqa: F811
    other = start_redis()
    conf = example.place / "node.conf"
    conf.write_text(conf.read_text().replace("${FOLDER}/redis.sock", str(other.socket)))
    for name in NODES:
        example.run("ctl", name, "reload")
    example.wait_until_all_are_open()
    example.run("stop", "two")
    assert "node:" in other.call("KEYS", "*"), "leases are there"
    check_found()


@pytest.mark.parametrize("variant", ["dns", "haproxy"])
def test_the_configuration_of_a_machine_is_good(tmp_path, relay_keys, variant):
    [node] = blocks("# strelaysrv.conf of 192.0.2.11; ")
    [front] = blocks("# strelaysrv.conf of 192.0.2.11, for haproxy")
    password = tmp_path / "redis-password"
    password.write_text("A-LONG-PASSWORD\n")
    text = front.replace('":22067"', '":0"').replace("192.0.2.11:22066", f"127.0.0.11:{free_port()}")
    conf = tmp_path / "strelaysrv.conf"
    conf.write_text((text if variant == "haproxy" else 'listen = ":0"\n')
                    + node.replace("/etc/strelaysrv/redis-password", str(password)))
    done = run(Program("ours"), "-check", "-conf", str(conf), "-keys", str(relay_keys),
               "-status-srv", "")
    assert done.returncode == 0, done.stderr
    assert " warning " not in done.stderr, done.stderr


def test_the_redis_of_the_page_starts(start_redis):  # noqa: F811
    [text] = blocks("requirepass")
    lines = [line for line in text.splitlines() if not line.startswith("bind")]
    server = start_redis(*lines)
    server.cli = ["--no-auth-warning", "-a", "A-LONG-PASSWORD"]
    assert "noeviction" in server.call("CONFIG", "GET", "maxmemory-policy")
