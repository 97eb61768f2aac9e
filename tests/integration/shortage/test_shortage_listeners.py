# SPDX-License-Identifier: MPL-2.0
"""Memory is short when a proxy names a client, and when a reload gives an address a name."""

import itertools

import faults
import relay_protocol as rp
from control_client import metric
from proxy_sender import Proxied, version2
from relay_client import NO_SUCH_KEY, Closed, ProtocolConnection
from relay_server import free_port

pytestmark = faults.needs_memory

MODULES = "modules = { log, relay, prometheus }\n"
SEED = 28
MOST = 120
#: More allocations than a connection of a proxy needs.
ENOUGH = 400


def now(server, listener):
    return metric(server, f'strelaysrv_core_listener_connections{{listener="{listener}"}}')


def test_a_client_of_a_proxy_without_memory(start, our_program, tmp_path):
    """It is served or closed, and what was counted for it is counted back."""
    fault = faults.Faults(tmp_path)
    conf, port = tmp_path / "short.conf", free_port()
    conf.write_text(MODULES + f'listener "front" {{ address = "127.0.0.1:{port}"\nproxy = yes\n'
                    'proxy-from = "127.0.0.1" }\n')
    server = start(our_program, "-conf", conf, "-workers", "1", listen=None, env=fault.environment)
    closed = 0
    for number in itertools.count(1):
        fault.begin(faults.MEMORY, number)
        try:
            with Proxied(("127.0.0.1", port), version2()) as guest:
                assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
        except (Closed, OSError):
            closed += 1
        fault.end()
        if not fault.failed:
            break
        assert number < ENOUGH
    assert closed
    with Proxied(("127.0.0.1", port), version2()) as guest:
        assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
        assert now(server, "front") <= 1
    assert metric(server, 'strelaysrv_core_accept_errors_total{kind="memory"}') > 0
    assert metric(server, "strelaysrv_core_proxy_waiting") == 0


def test_a_reload_that_names_an_address_without_memory(start, our_program, tmp_path, identities):
    """All of it is in force, or nothing."""
    fault = faults.Faults(tmp_path)
    conf, port = tmp_path / "short.conf", free_port()
    listed = MODULES + f'listen = {{ "127.0.0.1:{port}" }}\n'
    named = MODULES + f'listener "main" {{ address = "127.0.0.1:{port}"\nmax-connections = 5 }}\n'
    conf.write_text(listed)
    server = start(our_program, "-conf", conf, listen=None, env=fault.environment)
    server.stay_at(("127.0.0.1", port))
    conf.write_text(named)
    # Not in the child that reads the file.
    fault.begin(faults.MEMORY, thread=server.pid)
    assert server.reload()[0]
    count = fault.end()
    refused = 0
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for number in faults.sample(count, MOST, SEED):
            conf.write_text(listed)
            assert server.reload()[0]
            conf.write_text(named)
            fault.begin(faults.MEMORY, number, thread=server.pid)
            done, log = server.reload()
            fault.end()
            where = f"allocation {number}: {log}"
            assert now(server, "main") == done, where
            assert now(server, f"127.0.0.1:{port}") == (not done), where
            refused += not done
        device.check_alive()
    assert refused
