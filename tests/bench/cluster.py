#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Figures of the module cluster: what asks cost that cross nodes, what the module costs a join and
a device, how soon devices of a killed node are served again, and what a million devices need.

Nodes, Redis and the load share this machine's CPUs. What is compared is measured in turn."""

import argparse
import contextlib
import json
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

import certificates  # noqa: E402
import relay_protocol as rp  # noqa: E402
from cluster_nodes import Node, Nodes  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from relay_client import ProtocolConnection  # noqa: E402
from relay_server import free_port, module_folder  # noqa: E402
from waiting import Deadline, wait_for  # noqa: E402

BUILD = module_folder().parent
#: Seconds for all devices of a measurement to join.
LIMIT = 1200


@contextlib.contextmanager
def redis_server():
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(pathlib.Path(folder, "redis"), port=free_port())
        try:
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def cluster(count, redis, lease="10s", leave_out=()):
    """That many nodes; those whose number is in `leave_out` have no module cluster."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        keys = certificates.make(name="strelaysrv").write(folder / "keys")
        nodes = Nodes()
        for number in range(1, count + 1):
            node = Node(folder / f"node-{number}", keys, number, redis.address,
                        cluster={"lease": lease}, workers=2, alone=number in leave_out,
                        sections={"relay": {"park-asks": "0"}})
            stack.callback(node.process.wait)
            stack.callback(node.process.kill)
            nodes.append(node)
        Nodes(node for node in nodes if not node.alone).wait_until_they_know_each_other()
        yield nodes


def load(node, command, *words):
    host, port = node.address
    return subprocess.Popen(
        [BUILD / "tests/bench/relay-load", command, "--relay", f"{host}:{port}",
         "--client-timeout", "120", "--limit", str(LIMIT), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def load_devices(node, command, count):
    return load(node, command, "--devices", str(count), "--parallel", "64")


def resident(node):
    text = pathlib.Path(f"/proc/{node.pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"Rss:\s+(\d+)", text)[1])


def spread(name, values):
    values = sorted(1000 * value for value in values)
    print(f"{name}: {statistics.median(values):.2f} ms, p99 "
          f"{values[int(0.99 * (len(values) - 1))]:.2f} ms")
    return statistics.median(values)


def took(node, identity, target):
    """Seconds from a request to its answer."""
    with ProtocolConnection(node.address, identity) as client:
        begin = time.perf_counter()
        client.ask(rp.ConnectRequest(target.id))
        return time.perf_counter() - begin


def round_trip(redis):
    with socket.create_connection(("127.0.0.1", redis.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.perf_counter()
        sock.sendall(b"PING\r\n")
        sock.recv(16)
        return time.perf_counter() - begin


@contextlib.contextmanager
def scrapes(nodes):
    """/metrics of each node is fetched without a pause meanwhile."""
    over = threading.Event()

    def fetch(node):
        while not over.is_set():
            node.get("/metrics")

    threads = [threading.Thread(target=fetch, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def asks(redis, rounds):
    """An ask for a device of the same node, of another node, of none."""
    here, there, nobody, asker = (certificates.make() for _ in range(4))
    times = {"a device of this node": [], "of another node": [], "of no node": [], "Redis": []}
    with cluster(2, redis) as nodes, contextlib.ExitStack() as stack:
        for node, device in ((nodes[0], here), (nodes[1], there)):
            stack.enter_context(ProtocolConnection(node.address, device)).join()
        nodes.wait_until_claimed(2)
        before = [node.cpu_seconds() for node in nodes]
        for _ in range(rounds):
            for name, target in (("a device of this node", here), ("of another node", there),
                                 ("of no node", nobody)):
                times[name].append(took(nodes[0], asker, target))
            times["Redis"].append(round_trip(redis))
        cpu = [node.cpu_seconds() - old for node, old in zip(nodes, before, strict=True)]
        with scrapes(nodes):
            beside = [took(nodes[0], asker, there) for _ in range(rounds)]
    local = spread("asks for a device of this node", times["a device of this node"])
    remote = spread("asks for one of another node", times["of another node"])
    spread("asks for one of no node", times["of no node"])
    spread("asks for one of another node while both nodes are scraped without a pause", beside)
    ping = spread("a round trip of Redis", times["Redis"])
    print(f"added by the other node: {remote - local:.2f} ms, which is {remote - local - ping:.2f} "
          "ms more than the round trip of Redis")
    print(f"CPU of three asks with their handshakes: {1000 * cpu[0] / rounds:.2f} ms at the "
          f"asker's node, {1000 * cpu[1] / rounds:.2f} ms at the owner's")


def set_up(device, asked, count, name, figures):
    """Requests at one node for sessions with a device of another node, 16 at a time."""
    host, port = asked.address
    told = json.loads(load(device, "setups", "--count", str(count), "--ask-relay",
                           f"{host}:{port}").communicate()[0])
    assert told["done"] == count, told
    figures.setdefault(name, []).append((told["per_s"], told["setup_p50_us"], told["setup_p99_us"]))


def setups(redis, count, rounds):
    """Sessions set up a second: at one node, across two, and that beside scrapes; in turn."""
    figures = {}
    with cluster(2, redis) as nodes:
        for _ in range(rounds):
            set_up(nodes[0], nodes[0], count, "at one node", figures)
            set_up(nodes[0], nodes[1], count, "across two nodes", figures)
            with scrapes(nodes):
                set_up(nodes[0], nodes[0], count, "at one node, scraped", figures)
                set_up(nodes[0], nodes[1], count, "across two nodes, scraped", figures)
    for name, values in figures.items():
        rate, median, late = map(statistics.median, zip(*values, strict=True))
        print(f"sessions set up {name}: {rate:,.0f} a second, {median / 1000:.2f} ms, "
              f"p99 {late / 1000:.2f} ms")


def joins(redis, count, rounds):
    """CPU and rate of joins, with the module and without it, in turn."""
    cpu, rates = {False: [], True: []}, {False: [], True: []}
    for _ in range(rounds):
        for alone in (True, False):
            redis.ask("FLUSHALL")
            with cluster(1, redis, leave_out=(1,) if alone else ()) as nodes:
                before = nodes[0].cpu_seconds()
                begin = time.monotonic()
                told = json.loads(load_devices(nodes[0], "joins", count).communicate()[0])
                rates[alone].append(told["joined"] / (time.monotonic() - begin))
                cpu[alone].append(1000 * (nodes[0].cpu_seconds() - before) / count)
    for name, values in (("joins a second", rates), ("CPU of a join, ms", cpu)):
        with_it, without = statistics.median(values[False]), statistics.median(values[True])
        print(f"{name}: {with_it:.2f} with the module, {without:.2f} without: "
              f"{with_it / without:.2f} x")


def devices(redis, counts, each):
    """Memory and CPU of a device at each of so many nodes."""
    for count in counts:
        redis.ask("FLUSHALL")
        with cluster(count, redis) as nodes:
            empty, before = map(resident, nodes), [node.cpu_seconds() for node in nodes]
            empty = list(empty)
            loads = [load_devices(node, "idle", each) for node in nodes]
            nodes.wait_until_claimed(count * each, Deadline(LIMIT))
            kib = [(resident(node) - old) / each / 1024
                   for node, old in zip(nodes, empty, strict=True)]
            cpu = [1000 * (node.cpu_seconds() - old) / each
                   for node, old in zip(nodes, before, strict=True)]
            print(f"{count} nodes of {each:,} devices: {max(kib):.1f} KiB a device, "
                  f"{max(cpu):.2f} ms of CPU a join")
            for one in loads:
                one.kill()
                one.communicate()


def recovery(redis, count):
    """From the death of a node until its devices are served by another one."""
    redis.ask("FLUSHALL")
    with cluster(2, redis) as nodes:
        first = load_devices(nodes[0], "idle", count)
        nodes.wait_until_claimed(count, Deadline(LIMIT))
        begin = time.monotonic()
        nodes[0].kill()
        first.communicate()
        second = load_devices(nodes[1], "idle", count)
        nodes[1].wait_for_log(r"node node-1 \(\w+\) is gone", Deadline(LIMIT))
        gone = time.monotonic() - begin
        wait_for(lambda: nodes[1].metric("devices") == count and not nodes[1].metric("unclaimed"),
                 "all devices to be claimed", Deadline(LIMIT))
        print(f"a node with {count:,} devices is killed: known after {gone:.1f} s, all devices "
              f"joined and claimed after {time.monotonic() - begin:.1f} s")
        second.kill()
        second.communicate()


def claims(redis, count):
    """One process claims so many devices, twice, and looks up as many."""
    redis.ask("FLUSHALL")
    told = json.loads(subprocess.run(
        [BUILD / "tests/registry/registry-load", redis.address, str(count), str(count)],
        stdout=subprocess.PIPE, text=True, check=True).stdout)
    used = re.search(rb"used_memory:(\d+)", redis_info(redis))[1]
    print(f"{count:,} devices: claimed in {told['claim_s']:.1f} s, again in "
          f"{told['again_s']:.1f} s; {int(used) / 1e6:.0f} MB in Redis, "
          f"{1024 * told['most_kib'] / 1e6:.0f} MB in the process; "
          f"{count / told['find_s']:,.0f} lookups a second, {1e6 * told['find_cpu_s'] / count:.1f} µs "
          "of CPU each")


def redis_info(redis):
    with socket.create_connection(("127.0.0.1", redis.port)) as sock:
        sock.sendall(b"INFO memory\r\n")
        text = b""
        while b"used_memory_human" not in text:
            text += sock.recv(65536)
        return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=300, help="of asks; set-ups of a round")
    parser.add_argument("--devices", type=int, default=1000, help="of each node")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--claims", type=int, default=100000)
    parser.add_argument("--only", choices=["asks", "setups", "joins", "devices", "recovery",
                                           "claims"], nargs="+")
    options = parser.parse_args()

    def wanted(name):
        return not options.only or name in options.only

    with redis_server() as redis:
        if wanted("asks"):
            asks(redis, options.rounds)
        if wanted("setups"):
            setups(redis, options.rounds, 5)
        if wanted("joins"):
            joins(redis, options.devices, 5)
        if wanted("devices"):
            devices(redis, options.nodes, options.devices)
        if wanted("recovery"):
            recovery(redis, options.devices)
        if wanted("claims"):
            claims(redis, options.claims)


if __name__ == "__main__":
    main()
