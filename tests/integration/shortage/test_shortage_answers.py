# SPDX-License-Identifier: MPL-2.0
"""HTTP answers while memory is short: each is complete, or an error, or the connection ends.  The
next one is complete."""

import http.client

import pytest

import faults

pytestmark = faults.needs_memory

CONFIGURATION = """
modules = { log, bounds, relay, rate-limit, quota, status, prometheus, dashboard }
"""
SEED = 26
MOST = 150


@pytest.mark.parametrize("path", ["/", "/status", "/metrics", "/dashboard", "/dashboard/data"])
def test_answers_without_memory(start, plain_program, tmp_path, path):
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "short.conf"
    conf.write_text(CONFIGURATION)
    server = start(plain_program, "-conf", conf, env=fault.environment)
    fault.begin(faults.MEMORY, thread=server.pid)
    status, _, whole = server.get(path)
    count = fault.end()
    bad = []
    for number in faults.sample(count, MOST, SEED):
        fault.begin(faults.MEMORY, number, thread=server.pid)
        try:
            code, headers, body = server.get(path)
        except (http.client.HTTPException, ConnectionError):
            continue  # the connection ended
        finally:
            fault.end()
        length = int(headers.get("Content-Length", len(body)))
        if code not in (status, 500, 503) or length != len(body):
            bad.append((number, code, length, len(body)))
        if code == 200 and len(body) < len(whole) / 2:
            bad.append((number, code, body[-200:]))
    assert not bad, f"{len(bad)} of {count} allocations: {bad[:5]}"
    assert server.get(path)[0] == status
    assert server.get("/healthz")[0] == 200
