#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints what becomes of many joins at once about which the module admission must ask, and what
those that wait take.

    STRELAYSRV=build/strelaysrv waiting_joins.py [JOINS] [OPTION=VALUE...]

Options are those of the module; answer-timeout is the server's.  The endpoint answers after 50 ms.
The devices come from 250 addresses, and begin their handshakes at once."""

import asyncio
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


def serve(port):
    async def answer(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
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


def watch(server, load):
    """The most that waited, and their memory, while relay-load runs."""
    most, before = (0, 0), resident(server)
    while load.poll() is None:
        time.sleep(0.1)
        waits = int(server.probe()["metric core.questions.join"])
        if waits > most[0]:
            most = waits, resident(server) - before
    return most


def report(server, most, load):
    print(load.stdout.read().strip())
    print(f"at most {most[0]} waited, {most[1] / max(most[0], 1):,.0f} bytes each with TLS")
    for name, number in server.probe().items():
        if re.match("metric (admission.failures|core.question|relay.joins)", name) and number != "0":
            print(f"  {name.removeprefix('metric ')} {number}")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    options = dict(word.split("=", 1) for word in sys.argv[2:])
    timeout = options.pop("answer-timeout", "1.5s")
    port, theirs = multiprocessing.Pipe()
    endpoint = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    endpoint.start()
    options["url"] = f"http://127.0.0.1:{port.recv()}/"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = ModuleServer(
            folder, folder, ["log", "probe", "admission", "relay"], workers=2,
            installed=["probe"], answer_timeout=timeout,
            sections={"admission": options,
                      "relay": {"ping-interval": "20m", "network-timeout": "40m",
                                "message-timeout": "20m"}})
        server.wait_for_log("ready, with modules:")

        load = subprocess.Popen(
            [module_folder().parent / "tests/bench/relay-load", "joins", "--relay",
             "%s:%d" % server.address, "--devices", str(count), "--parallel", str(count)],
            stdout=subprocess.PIPE, text=True)
        report(server, watch(server, load), load)
        server.process.terminate()
        server.process.wait(60)


if __name__ == "__main__":
    main()
