# SPDX-License-Identifier: MPL-2.0
"""A reload that adds an address and a module while memory is short: all is applied, or nothing."""

import faults
from relay_client import ProtocolConnection, served
from relay_server import free_port

pytestmark = faults.needs_memory

SEED = 27
MOST = 120


def write(conf, ports, modules):
    listen = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    conf.write_text(f"listen = {{ {listen} }}\nmodules = {{ {', '.join(modules)} }}\n")


def test_reload_without_memory(start, our_program, tmp_path, identities):
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "short.conf"
    old, new = free_port(), free_port()
    few, more = ["log", "relay", "status"], ["log", "bounds", "relay", "rate-limit", "status"]
    write(conf, [old], few)
    server = start(our_program, "-conf", conf, listen=None, env=fault.environment)
    server.stay_at(("127.0.0.1", old))
    write(conf, [old, new], more)
    # Not in the child that reads the file; test_shortage_config.py tests that.
    fault.begin(faults.MEMORY, thread=server.pid)
    assert server.reload()[0]
    count = fault.end()
    refused = 0
    with ProtocolConnection(server.address, identities[0]) as there_before:
        there_before.join()
        for number in faults.sample(count, MOST, SEED):
            write(conf, [old], few)
            assert server.reload()[0]
            write(conf, [old, new], more)
            fault.begin(faults.MEMORY, number, thread=server.pid)
            done, log = server.reload()
            fault.end()
            assert served(("127.0.0.1", new)) == done, f"allocation {number}: {log}"
            assert served(("127.0.0.1", old)), f"allocation {number}: {log}"
            refused += not done
        there_before.check_alive()
    assert refused
    assert server.reload()[0] and served(("127.0.0.1", new))
