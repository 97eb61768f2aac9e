# SPDX-License-Identifier: MPL-2.0
"""Memory is short while a pool is told of the relay."""

import json

import faults
from joining import MODULES, authority, make_pool, start_joining  # noqa: F401
from pool_double import HOUR, says
from waiting import wait_for

pytestmark = faults.needs_memory

SEED, MOST = 32, 24
ENDED = r"info pool-join: Joined pool|warning pool-join: Failed to join pool"


def change_address(server, number):
    """The pool is told of another address at once, if the reload succeeds."""
    server.conf.write_text(
        MODULES + f'relay {{ ext-address = "192.0.2.7:{10000 + number}" }}\n')
    return server.reload()[0]


def test_whatever_allocation_fails(start_joining, make_pool, tmp_path):  # noqa: F811
    """Each request ends: the relay joins, or says why not. It goes on."""
    fault = faults.Faults(tmp_path)
    pool = make_pool(says(200, json.dumps({"evictionIn": HOUR})))
    server = start_joining(pool, env=fault.environment)
    server.wait_for_log(ENDED)
    for number in range(2):  # the first one loads what is needed once
        fault.begin(faults.MEMORY, thread=server.pid)
        assert change_address(server, number)
        server.wait_for_count(ENDED, number + 2)
    count, ended, failed = fault.end(), 3, 0
    for number in faults.sample(count, MOST, SEED):
        fault.begin(faults.MEMORY, number, thread=server.pid)
        done = change_address(server, number)
        ended += done
        wait_for(lambda: server.count(ENDED) >= ended,
                 lambda: f"a result after allocation {number} has failed; the log: {server.log()}")
        fault.end()
        failed += fault.failed
    assert failed
    before = server.count("info pool-join: Joined pool")
    assert change_address(server, count + 1)
    server.wait_for_count("info pool-join: Joined pool", before + 1)
