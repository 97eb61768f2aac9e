#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Joins about which the module admission must ask an endpoint.

    STRELAYSRV=build/strelaysrv waiting_joins.py [JOINS] [OPTION=VALUE...]
    STRELAYSRV=build/strelaysrv waiting_joins.py together [JOINS] [OPTION=VALUE...]
    STRELAYSRV=build/strelaysrv waiting_joins.py hold [JOINS] [OPTION=VALUE...]

The first prints what becomes of so many at once if the endpoint answers after 50 ms, and how long
they waited.  In the second all handshakes are over before all joins are sent: how long each join
took by the clients' clock, without the module, with it, and with the module bounds, too.  The
third prints what each takes while all of them wait, and when they have joined.  Options are those
of the module; answer-timeout is the server's.  The devices come from 250 addresses, and begin
their handshakes at once, in the second 64 at a time."""

import asyncio
import contextlib
import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

from module_server import ModuleServer  # noqa: E402
from relay_server import module_folder  # noqa: E402

DELAY = 0.05
BODY = b'{"allow": true, "cache-for": 0}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def serve(port, released):
    async def answer(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
                await asyncio.sleep(DELAY)
                while not released.is_set():
                    await asyncio.sleep(DELAY)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run():
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def resident(server):
    text = pathlib.Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"Rss:\s+(\d+)", text)[1])


def probe(server, name):
    return int(server.probe().get(f"metric {name}", 0))


def start_load(server, command, count, *words, parallel=None):
    return subprocess.Popen(
        [module_folder().parent / "tests/bench/relay-load", command, "--relay",
         "%s:%d" % server.address, "--devices", str(count), "--parallel", str(parallel or count),
         "--client-timeout", "120", "--limit", "240", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def percentile(server, part):
    """The bound of the histogram below which that part of the questions took, in seconds."""
    text = server.page("/metrics")[1]
    rows = re.findall(r'question_duration_seconds_bucket\{what="join",le="(\S+)"\} (\d+)', text)
    return next(bound for bound, below in rows if int(below) >= part * int(rows[-1][1]))


def print_numbers(server, names):
    for name, number in server.probe().items():
        if re.match(f"metric ({names})", name) and number != "0":
            print(f"  {name.removeprefix('metric ')} {number}")


def at_once(server, count):
    load = start_load(server, "joins", count)
    print(load.communicate()[0].strip())
    print(f"waited: half up to {percentile(server, 0.5)} s, 99 % up to {percentile(server, 0.99)} s")
    print_numbers(server, "admission.failures|core.questions|relay.joins")


def together(options, timeout, count):
    for title, modules in [("no module asks", []), ("admission", ["admission"]),
                           ("admission, bounds", ["bounds", "admission"])]:
        with running(modules, options, timeout) as server:
            load = start_load(server, "joins", count, "--together", parallel=64)
            told = json.loads(load.communicate()[0])
            times = ", ".join(f"{name} {told[f'join_{name}_us'] / 1000:,.1f} ms"
                              for name in ("p50", "p99", "max"))
            print(f"{title}: {told['joined']:,} of {count:,} joined; of these {times}")
            print_numbers(server, "admission.failures|core.questions_(refused|settled)"
                                  "|core.room_made|bounds.reached")


def held(server, count, released):
    before = resident(server)
    load = start_load(server, "idle", count)
    end = time.monotonic() + 50
    while time.monotonic() < end and probe(server, "core.questions.join") < count:
        time.sleep(0.1)
    waits, taken = probe(server, "core.questions.join"), resident(server) - before
    released.set()
    print(load.stdout.readline().strip())
    print(f"{waits} waited, {taken / max(waits, 1):,.0f} bytes each with TLS; "
          f"joined: {(resident(server) - before) / count:,.0f} bytes each")
    load.communicate()


@contextlib.contextmanager
def running(modules, options, timeout):
    """A server with these modules.  Loopback counts for bounds, as other addresses do."""
    sections = {"admission": options, "bounds": {"exempt": ["192.0.2.1"]},
                "relay": {"ping-interval": "20m", "network-timeout": "40m",
                          "message-timeout": "20m"}}
    names = ["log", "status", "prometheus", "probe", *modules, "relay"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = ModuleServer(
            folder, folder, names, workers=2, installed=["probe"], answer_timeout=timeout,
            sections={name: section for name, section in sections.items() if name in names})
        server.wait_for_log("ready, with modules:")
        yield server
        server.process.terminate()
        server.process.wait(60)


def main():
    words = sys.argv[1:]
    how = words.pop(0) if words[:1] in (["hold"], ["together"]) else ""
    hold = how == "hold"
    count = int(words.pop(0)) if words and words[0].isdigit() else 10_000
    options = dict(word.split("=", 1) for word in words)
    if hold:
        options = {"timeout": "60s", "connections": "64", "queue": "16384"} | options
    timeout = options.pop("answer-timeout", "60s" if hold else "1.5s")
    released = multiprocessing.Event()
    if not hold:
        released.set()
    port, theirs = multiprocessing.Pipe()
    endpoint = multiprocessing.Process(target=serve, args=(theirs, released), daemon=True)
    endpoint.start()
    options["url"] = f"http://127.0.0.1:{port.recv()}/"
    if how == "together":
        together(options, timeout, count)
        return
    with running(["admission"], options, timeout) as server:
        if hold:
            held(server, count, released)
        else:
            at_once(server, count)


if __name__ == "__main__":
    main()
