# SPDX-License-Identifier: MPL-2.0
"""Throughput and kernel memory of one session over a long, fast path, for this server and the Go
relay.

The path is link-emulator of tests/bench/networks between two network namespaces, because some
kernels have no netem.  One end of the session is beside the relay, the other at the far end of the path.  Needs
root."""

import argparse
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import siege  # noqa: E402

import certificates  # noqa: E402
import relay_protocol as rp  # noqa: E402
import relay_server  # noqa: E402
from pairing import settle  # noqa: E402
from relay_client import ProtocolConnection, SessionConnection  # noqa: E402

HERE, THERE = "10.99.0.1", "10.99.0.2"
CLONE_NEWNET = 0x40000000
BLOCK = 1 << 18
QUEUE = 1 << 22  # bytes
MTU = os.environ.get("MTU", "1500")
_libc = ctypes.CDLL(None, use_errno=True)


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Path:
    """Moves this process into a new network namespace; a second one is at the far end."""

    def __init__(self, build, delay_ms, bits_per_s):
        self.beyond = f"far{os.getpid()}"
        _run("ip", "netns", "add", self.beyond)
        assert _libc.unshare(CLONE_NEWNET) == 0
        self.tool = subprocess.Popen(
            [build / "tests/bench/link-emulator", "link=near,far", f"delay_us={delay_ms * 1000:.0f}",
             f"bits_per_s={bits_per_s:.0f}", f"queue_bytes={QUEUE}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.tool.stdout.readline() == "ready\n"
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "set", "far", "netns", self.beyond)
        for inside, device, address in (((), "near", HERE),
                                        (("-n", self.beyond), "far", THERE)):
            _run("ip", *inside, "link", "set", device, "mtu", MTU, "txqueuelen", "10000", "up")
            _run("ip", *inside, "addr", "add", f"{address}/30", "dev", device)

    def far(self, function):
        """Calls the function in the far namespace; its sockets stay there."""
        result = []

        def body():
            with open(f"/var/run/netns/{self.beyond}") as beyond:
                assert _libc.setns(beyond.fileno(), CLONE_NEWNET) == 0
            result.append(function())

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return result[0]

    def close(self):
        self.tool.communicate()
        subprocess.run(["ip", "netns", "del", self.beyond], check=False)


def _session(server, path):
    """Opens a session; returns the joined device and both ends."""
    near_address, far_address = ("127.0.0.1", server.address[1]), (HERE, server.address[1])
    for _ in range(5):
        target = ProtocolConnection(near_address, certificates.make()).join()
        with ProtocolConnection(near_address, certificates.make()) as client:
            asked = client.request(target.identity.id)
        near = SessionConnection(near_address).join(asked.key)
        settle(server)
        far = path.far(lambda: SessionConnection(far_address))
        if far.ask(rp.JoinSessionRequest(target.invitation().key)) == rp.response(rp.SUCCESS):
            return target, near, far
    raise AssertionError("no session")


def _measure(server, sender, receiver, seconds):
    """(MB/s after the first quarter, peak kernel memory in MiB)."""
    end, moments, most = time.monotonic() + seconds, [], 0
    got = 0
    stop = threading.Event()

    def send():
        block = bytes(BLOCK)
        try:
            while not stop.is_set():
                sender.sock.send(block)
        except OSError:
            pass

    def read():
        nonlocal got
        space = bytearray(4 * BLOCK)
        try:
            while not stop.is_set():
                got += receiver.sock.recv_into(space)
        except OSError:
            pass

    threads = [threading.Thread(target=body, daemon=True) for body in (send, read)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(0.25)
        moments.append((time.monotonic(), got))
        most = max(most, siege.use_of(server).kernel)
    stop.set()
    first, last = moments[len(moments) // 4], moments[-1]
    return (last[1] - first[1]) / (last[0] - first[0]) / 1e6, most / siege.MIB


def _play(program, path, outwards, seconds):
    with tempfile.TemporaryDirectory() as folder:
        server = relay_server.start(program, folder, listen="0.0.0.0:0")
        try:
            _target, near, far = _session(server, path)
            ends = (near, far) if outwards else (far, near)
            return _measure(server, *ends, seconds)
        finally:
            server.process.kill()
            server.wait_for_exit()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--delay", type=float, default=50, help="ms, each way")
    parser.add_argument("--only", choices=("ours", "go"))
    parser.add_argument("--rate", type=float, default=1e9, help="bit/s")
    options = parser.parse_args()
    path = Path(options.build.resolve(), options.delay, options.rate)
    programs = {"go": relay_server.Program("reference"),
                "ours": siege.Binary("ours", file=str(options.build / "strelaysrv"))}
    if options.only:
        programs = {options.only: programs[options.only]}
    print("| direction, MB/s · kernel MiB |", " | ".join(programs), "|")
    print("|---" * (1 + len(programs)) + "|")
    try:
        for outwards in (True, False):
            cells = []
            for program in programs.values():
                rounds = [_play(program, path, outwards, options.seconds)
                          for _ in range(options.rounds)]
                best = max(rounds)
                cells.append(f"{best[0]:.1f} · {best[1]:.1f}")
            print("| to the far side |" if outwards else "| from the far side |",
                  " | ".join(cells), "|", flush=True)
    finally:
        path.close()
    os._exit(0)  # some threads still wait for sockets


if __name__ == "__main__":
    main()
