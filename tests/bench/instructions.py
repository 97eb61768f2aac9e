#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints the server's instructions for a join and for a session set-up, counted by valgrind's
callgrind.

    instructions.py STRELAYSRV...

The figure of one join is the difference between a run with many and one with few, so that a start
and a stop do not count.  The runs of the servers take turns.  The kernel's work is not counted."""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

import certificates  # noqa: E402
import relay_client  # noqa: E402
import relay_protocol as rp  # noqa: E402
import waiting  # noqa: E402

FEW, MANY, ROUNDS = 10, 60, 3
waiting.PATIENCE = relay_client.PATIENCE = 300


@contextlib.contextmanager
def counted(program, folder, total):
    """A server, and its address; appends its instructions to the list when it has ended."""
    conf = folder / "conf"
    conf.write_text("modules = { log, bounds, access, relay }\n")
    process = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "-conf", conf,
         "-keys", folder, "-listen", "127.0.0.1:0", "-status-srv", "", "-workers", "1", "-pools", "",
         "-sandbox=false"], stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        found = re.search(r"URI: relay://127.0.0.1:(\d+)", line)
        if found:
            break
    else:
        sys.exit("".join(lines))
    rest = threading.Thread(target=lambda: lines.extend(process.stderr))
    rest.start()
    try:
        yield "127.0.0.1", int(found[1])
    finally:
        process.terminate()
        process.wait(300)
        rest.join()
    own = rf"=={process.pid}== Collected : (\d+)"
    total.append(int(re.search(own, "".join(lines))[1]))


def joins(address, identities, count):
    for _ in range(count):
        with relay_client.ProtocolConnection(address, identities[0]) as device:
            device.join()


def setups(address, identities, count):
    with relay_client.ProtocolConnection(address, identities[0]).join() as device:
        for _ in range(count):
            with relay_client.ProtocolConnection(address, identities[1]) as asker:
                keys = asker.request(identities[0].id).key, device.invitation().key
            sides = [relay_client.SessionConnection(address).join(key) for key in keys]
            sides[0].send_bytes(b"x")
            assert sides[1].receive_bytes(1) == b"x"
            for side in sides:
                side.close()


def of_one(program, load, identities):
    total = []
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder, \
                counted(program, pathlib.Path(folder), total) as address:
            load(address, identities, count)
    return (total[1] - total[0]) / (MANY - FEW)


def main():
    identities = certificates.make(), certificates.make()
    for load in (joins, setups):
        found = {program: [] for program in sys.argv[1:]}
        for _ in range(ROUNDS):
            for program, figures in found.items():
                figures.append(of_one(program, load, identities))
        first = min(next(iter(found.values())))
        for program, figures in found.items():
            print(f"{load.__name__}: {min(figures):,.0f} to {max(figures):,.0f} "
                  f"({min(figures) / first - 1:+.2%}) {program}", flush=True)


if __name__ == "__main__":
    main()
