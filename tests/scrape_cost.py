# SPDX-License-Identifier: MPL-2.0
"""Measures how much throughput and CPU ten scrapes a second cost a relay under full load.

    /usr/bin/python3 tests/scrape_cost.py [BUILD-FOLDER] [ROUNDS]      build, 5"""

import http.client
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
INTERVAL = 0.1


def serve(folder):
    """A relay with every metric at /metrics: (process, its port, its status port)."""
    pathlib.Path(folder, "relay.conf").write_text("modules = { log, relay, status, prometheus }\n")
    process = subprocess.Popen(
        [build / "strelaysrv", "-conf", f"{folder}/relay.conf", "-keys", folder, "-pools=",
         "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    ports = {}
    for line in process.stderr:
        found = re.search(r"core: (listening on|status address:) \S+:(\d+)", line)
        if found:
            ports[found[1]] = int(found[2])
        if "ready, with modules" in line:
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process, ports["listening on"], ports["status address:"]


def load(process, port):
    done = subprocess.run(
        [build / "tests" / "bench" / "relay-load", "throughput", "--relay", f"127.0.0.1:{port}",
         "--sessions", "4", "--seconds", "2", "--server-pid", str(process.pid)],
        capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def scrape(port, stop, times):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while not stop.wait(INTERVAL):
        begin = time.monotonic()
        connection.request("GET", "/metrics")
        assert connection.getresponse().read()
        times.append(time.monotonic() - begin)


def measure(scraped, process, port, status, times):
    stop = threading.Event()
    scraper = threading.Thread(target=scrape, args=(status, stop, times))
    if scraped:
        scraper.start()
    result = load(process, port)
    stop.set()
    if scraped:
        scraper.join()
    return result["gib_per_s"], result["server_cpu_s"] / result["gib"]


with tempfile.TemporaryDirectory() as folder:
    process, port, status = serve(folder)
    found, times = {False: [], True: []}, []
    try:
        load(process, port)  # warms up
        for round_ in range(rounds):
            # In turns, so that other load on the machine affects both equally.
            for scraped in (False, True) if round_ % 2 else (True, False):
                found[scraped].append(measure(scraped, process, port, status, times))
    finally:
        process.terminate()
        process.wait()

for scraped, title in ((False, "not scraped"), (True, f"scraped every {INTERVAL * 1000:.0f} ms")):
    rates, cpu = zip(*found[scraped])
    print(f"{title:22} {statistics.median(rates):6.3f} GiB/s ({min(rates):.3f} to {max(rates):.3f})"
          f"   {statistics.median(cpu):.4f} CPU s/GiB")
print(f"{len(times)} scrapes, median {statistics.median(times) * 1000:.1f} ms")
