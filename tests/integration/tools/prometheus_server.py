# SPDX-License-Identifier: MPL-2.0
"""Debian's Prometheus server on loopback, and promtool."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from relay_server import ROOT, free_port
from waiting import PATIENCE, SLOWNESS, wait_for


def promtool(*args, **options):
    assert shutil.which("promtool"), "no promtool: install the package prometheus"
    done = subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True,
                          check=False, timeout=PATIENCE, **options)
    assert done.returncode == 0, f"promtool {args}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Prometheus:
    """A Prometheus server that scrapes one relay."""

    def __init__(self, folder, target, prefix=()):
        assert shutil.which("prometheus"), "no prometheus: install the package of that name"
        self.port = free_port()
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            if SLOWNESS <= 1 else "global: {scrape_interval: 2s, scrape_timeout: 2s}\n")
        with (folder / "prometheus.yml").open("a") as conf:
            conf.write("scrape_configs:\n- job_name: relay\n  static_configs:\n"
                       f"  - targets: ['{target[0]}:{target[1]}']\n"
                       f"rule_files: ['{ROOT}/conf/alerts.yml']\n")
        promtool("check", "config", folder / "prometheus.yml")
        self.process = subprocess.Popen(
            [*map(str, prefix), "prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except (urllib.error.URLError, ConnectionError):
            return None  # the server does not listen yet

    def query(self, expression):
        """[(labels, number)]"""
        data = self.get("query", query=expression)
        return [(r["metric"], float(r["value"][1])) for r in data["result"]] if data else []

    def wait_for(self, expression, number):
        wait_for(lambda: [v for _, v in self.query(expression) if v == number],
                 lambda: f"{expression} to be {number}; it is {self.query(expression)}")


@pytest.fixture
def prometheus(tmp_path, request):
    started = []

    def start_one(target, prefix=()):
        folder = tmp_path / "prometheus"
        folder.mkdir()
        started.append(Prometheus(folder, target, prefix))
        return started[-1]

    yield start_one
    for server in started:
        server.process.terminate()
        server.process.wait(PATIENCE)
