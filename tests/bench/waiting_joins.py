#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints what becomes of many joins at once about which the module admission must ask, and what
those that wait take.

    STRELAYSRV=build/strelaysrv waiting_joins.py [JOINS] [OPTION=VALUE...]

Options are those of the module; answer-timeout is the server's.  The endpoint answers after 50 ms.
All devices are connected before the first asks to join."""

import asyncio
import datetime
import multiprocessing
import pathlib
import re
import ssl
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

import relay_protocol as rp  # noqa: E402
from module_server import ModuleServer  # noqa: E402

DELAY = 0.05
BODY = b'{"allow": true, "cache-for": 0}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
KINDS = {rp.encode(rp.response(rp.SUCCESS)): "admitted", rp.encode(rp.RelayFull()): "refused"}


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


class Identities:
    """Many certificates of one key."""

    def __init__(self, folder):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([])
        self.file = folder / "identity.pem"
        self.text = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())

    def context(self, number):
        certificate = (
            x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
            .public_key(self.key.public_key()).serial_number(1000 + number)
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2040, 1, 1)).sign(self.key, hashes.SHA256()))
        self.file.write_bytes(self.text + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["bep-relay"])
        context.load_cert_chain(self.file)
        return context


def resident(server):
    text = pathlib.Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"Rss:\s+(\d+)", text)[1])


async def connect(server, folder, count):
    identities = Identities(folder)
    streams = []
    for first in range(0, count, 50):
        streams += await asyncio.gather(*[
            asyncio.open_connection(*server.address, ssl=identities.context(number))
            for number in range(first, min(first + 50, count))])
    return streams


async def join(server, streams):
    """[(seconds since it was sent, message)], and the most that waited, with their memory."""
    most = (0, 0)
    before = resident(server)

    async def one(reader, writer):
        sent = time.monotonic()
        writer.write(rp.encode(rp.JoinRelayRequest("")))
        head = await reader.readexactly(rp.HEADER.size)
        body = await reader.readexactly(rp.parse_header(head)[1])
        return time.monotonic() - sent, head + body

    tasks = [asyncio.create_task(one(*stream)) for stream in streams]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.1)
        waits = int(server.probe()["metric core.questions.join"])
        if waits > most[0]:
            most = waits, resident(server) - before
    return [task.result() for task in tasks], most


def report(answers, most, server):
    for message, kind in KINDS.items():
        times = sorted(seconds for seconds, got in answers if got == message)
        if times:
            print(f"{kind}: {len(times)}, after {times[len(times) // 2]:.2f} s (median), "
                  f"{times[int(len(times) * 0.99)]:.2f} s (p99)")
    if most[0]:
        print(f"at most {most[0]} waited, {most[1] / most[0]:,.0f} bytes each")
    for name, number in server.probe().items():
        if re.match(r"metric (admission.failures|core.questions_(settled|refused))", name) and number != "0":
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

        async def run():
            streams = await connect(server, folder, count)
            answers, most = await join(server, streams)
            report(answers, most, server)

        asyncio.run(run())
        server.process.terminate()
        server.process.wait(60)


if __name__ == "__main__":
    main()
