# SPDX-License-Identifier: MPL-2.0
"""Many sources together use no more of the control thread than they may, and a source that asks
seldom is still answered."""

import contextlib
import os
import statistics
import subprocess
import sys
import time
import warnings

import pytest

from http_client import ask, counter, with_metrics
from relay_server import ROOT
from waiting import PATIENCE, SLOWNESS, wait_for

sys.path.insert(0, str(ROOT / "tests" / "siege"))

import siege  # noqa: E402

CHECKS = 20
#: The flood takes both processors, which the calm has for itself.
SOON = 100


@contextlib.contextmanager
def flood(server, sources):
    """Each source asks again as soon as it is answered."""
    with subprocess.Popen(
            [siege.attacker(), "http-pipelining", "--relay", "%s:%d" % server.address,
             "--http", "%s:%d" % server.status_address, "--seconds", "600",
             "--sources", str(sources), "--open", str(sources)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            yield
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def median_time(server, path):
    """Each client has its own address, which no client of the flood has."""
    times = []
    for number in range(CHECKS):
        began = time.monotonic()
        assert ask(server.status_address, path, f"127.0.1.{1 + number}")[0] == 200
        times.append(time.monotonic() - began)
    return statistics.median(times)


#: Load average above which tests are not able to judge times.
BUSY = os.cpu_count() or 1


@pytest.mark.skipif(SLOWNESS > 1, reason="with a sanitizer the server is too slow for such a flood")
# 1,000 are more than there are places: they are evicted before they use up the time.
@pytest.mark.parametrize("sources, held_back", [
    (64, ("http_requests_total", {"result": "delayed"})),
    (1000, ("http_ends_total", {"reason": "room"}))], ids=["64", "1000"])
def test_many_sources_together_are_held_back_and_who_asks_seldom_is_not(
        start_ours, tmp_path, sources, held_back):
    server = with_metrics(start_ours, tmp_path)
    name, labels = held_back
    paths = ("/metrics", "/healthz")
    calm = [median_time(server, path) for path in paths]
    assert counter(server, name, **labels) == 0
    with flood(server, sources):
        if os.getloadavg()[0] > BUSY:
            warnings.warn("THE SHARES OF A FLOOD ARE NOT TESTED: other load leaves it too little of "
                          "the CPUs; unit-http_sources tests them")
            return
        wait_for(lambda: counter(server, name, **labels) > 2 * sources, "the flood to be held back")
        for before, path in zip(calm, paths):
            assert median_time(server, path) < max(SOON * before, 10), f"{path} beside {sources} sources"
    assert server.running()
