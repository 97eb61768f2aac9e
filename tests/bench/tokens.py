#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""What a flood of different tokens does to the module wormhole-transit.

    STRELAYSRV=build/strelaysrv tokens.py [TOKENS]

Connections come from 64 addresses, each with another token; the last 6,000 stay open.  One line for
each tenth of the tokens: how many so far, how many wait, resident memory, and the server's CPU time
for each token; and then what became of them."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "tools"))

from module_server import ModuleServer  # noqa: E402
from relay_server import free_port  # noqa: E402
from token_flood import Flood  # noqa: E402
from wormhole import OurTransit  # noqa: E402

HELD = 6000


def main(count):
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = ModuleServer(
            folder, folder, ["log", "bounds", "wormhole-transit", "relay", "prometheus"], installed=[],
            sections={'listener "wormhole"': {"address": f"127.0.0.1:{port}",
                                              "protocol": "wormhole-transit"}})
        try:
            server.wait_for_log("ready, with modules:")
            flood = Flood(OurTransit(server, port), HELD)
            before = first = flood.measure()
            print(f"{'tokens':>9} {'wait':>5} {'MiB':>6} {'us each':>8}")
            for _ in range(10):
                flood.send(count // 10)
                now = flood.measure()
                print(f"{flood.tokens:>9} {now.waiting:>5} {now.resident / (1 << 20):>6.1f}"
                      f" {1e6 * (now.cpu - before.cpu) / (count // 10):>8.1f}", flush=True)
                before = now
            flood.close()
            print(f"before: {first.resident / (1 << 20):.1f} MiB;",
                  ", ".join(f"{name} {number}" for name, number in flood.measure().ended.items()
                            if number))
        finally:
            server.finish()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000000)
