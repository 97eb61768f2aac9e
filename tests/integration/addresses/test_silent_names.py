# SPDX-License-Identifier: MPL-2.0
"""A name server that never answers delays nothing: no device, session, reload or stop."""

import contextlib
import json
import re
import signal

import pytest

import name_server
from name_server import names  # noqa: F401
from pairing import Invited, check_both_ways
from pool_double import HOUR, Authority, Pool, says
from relay_server import Program, RelayServer
from waiting import wait_for

pytestmark = name_server.needed

MODULES = "modules = { log, relay, pool-join, rate-limit, status }\n"
URL = "https://pool.test/endpoint"


@pytest.fixture
def start_asking(names, tmp_path, relay_keys, monkeypatch):
    """Starts our relay in a namespace with only this name server."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with contextlib.ExitStack() as servers:

        def start(*args, conf=""):
            file = tmp_path / "names.conf"
            file.write_text(MODULES + conf)
            program = Program("ours", 1)
            command = [*names.prefix(), program.path, "-conf", str(file), "-keys", str(relay_keys),
                       "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0", *args]
            server = RelayServer(program, command, tmp_path)
            servers.callback(server.finish)
            # With ext-address, the URI does not contain the listen address.
            server._listen = server.wait_for_log(r"core: listening on (\S+)").group(1)
            return server.wait_until_serving()

        yield start


def told_port_and_address(server, one, two):
    with Invited(server, one, two) as invited:
        return ".".join(map(str, invited.to_asker.address[12:])), invited.to_asker.port


def check_service(server, identities):
    """Devices join and open a session, and the status page answers."""
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())
    assert server.status()["numConnections"] >= 0


def test_nobody_waits_while_a_pool_is_looked_up(start_asking, names, identities):
    server = start_asking("-pools", URL, "-pool-join.timeout", "10m")
    names.wait_until_asked("pool.test")
    check_service(server, identities)
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("core: reloaded")
    check_service(server, identities)
    assert server.status()["pools"][0]["state"] == "joining", "it was not the end of the wait"
    assert server.stop() == 0
    assert "Failed" not in server.log()


def test_a_pool_whose_name_is_not_found_is_asked_again(start_asking, names):
    server = start_asking("-pools", URL, "-pool-join.timeout", "1s")
    failed = rf"warning pool-join: Failed to join pool {URL}: Resolving timed out.*; again in (1m\S*|5\ds)"
    server.wait_for_log(failed)
    assert server.status()["pools"][0]["lastError"] == "Timeout was reached"
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: len(re.findall(failed.replace("(1m", "(?:[12]m"), server.log())) == 2, server.log)


def test_the_module_may_leave_while_a_pool_is_looked_up(start_asking, names, tmp_path, identities):
    server = start_asking("-pools", URL, "-pool-join.timeout", "10m")
    names.wait_until_asked("pool.test")
    (tmp_path / "names.conf").write_text(MODULES.replace("pool-join, ", ""))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("module pool-join stops")
    check_service(server, identities)


def test_a_silent_name_server_delays_the_start_by_seconds_only(start_asking, names, identities):
    server = start_asking("-pools=", conf='relay { ext-address = "relay.test:443" }\n')
    server.wait_for_log("warning relay: ext-address: cannot look up relay.test: the name server is "
                        "silent; the last known address stays, tries again in 30s")
    assert server.uri.startswith("relay://relay.test:443/")
    with Invited(server, *identities[:2]) as invited:
        assert (invited.to_asker.address, invited.to_asker.port) == (b"", 443), "what was dialled"
    assert server.stop() == 0


def test_the_name_of_the_relay_is_looked_up_until_it_is_found(start_asking, names, tmp_path,
                                                             relay_keys, identities):
    names.impatient()
    authority = Authority(tmp_path)
    pool = Pool(authority, relay_keys, says(200, json.dumps({"evictionIn": HOUR})))
    server = start_asking(
        "-pools", pool.url, "-pool-join.ca-file", authority.file,
        conf='relay {\n  ext-address = "relay.test:443"\n  ext-address-lookup = 1s\n}\n')
    failed = "warning relay: ext-address: cannot look up relay.test: .*; the last known address stays"
    wait_for(lambda: len(re.findall(failed, server.log())) >= 3, server.log)
    server.wait_for_log("Joined pool")
    names.address = "192.0.2.1"
    server.wait_for_log("ext-address: relay.test has another address now")
    assert told_port_and_address(server, *identities[:2]) == ("192.0.2.1", 443)
    assert pool.wait_for_requests(2).url == server.uri, "the pool hears of it, though it is the same"
    pool.close()
