# SPDX-License-Identifier: MPL-2.0
"""/metrics, checked with promtool and scraped by a real Prometheus server."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest

import exposition
import faults
from module_server import module_server  # noqa: F401
from pairing import Invited, check_relayed
from pairs import connect_pair, swap
from prometheus_server import promtool
from relay_server import ROOT
from waiting import PATIENCE, wait_for

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
CONF = "modules = { log, relay, status, prometheus }\n"


@pytest.fixture
def scraped(start_ours, tmp_path):
    """A relay with /metrics."""
    (tmp_path / "relay.conf").write_text(CONF)
    return start_ours("-conf", tmp_path / "relay.conf")


def fetch(server, accept=""):
    url = "http://{}:{}/metrics".format(*server.status_address)
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_promtool_has_nothing_to_say(scraped):
    kind, text = fetch(scraped)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert promtool("check", "metrics", input=text) == ""


def test_both_forms_say_the_same(scraped):
    kind, text = fetch(scraped, OPENMETRICS)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("\n# EOF\n")
    assert "# EOF" not in fetch(scraped)[1]
    plain, opened = exposition.parse(fetch(scraped)[1]), exposition.parse(text)
    assert {re.sub("_total$", "", name) for name in plain} == set(opened)
    for name, family in opened.items():
        assert family.help and family.type, name
        assert not family.unit or name.endswith(family.unit), name


def test_histograms_rise_to_their_count(scraped, identities):
    with Invited(scraped, *identities[:2]) as invited:
        check_relayed(*invited.join_both(), b"x" * 5000)
    scraped.wait_for_status(lambda s: s["numActiveSessions"] == 0, "the end")
    families = exposition.parse(fetch(scraped)[1])
    seen = 0
    for name, family in families.items():
        if family.type != "histogram":
            continue
        series = {}
        for (sample, labels), number in family.samples.items():
            if sample.endswith("_bucket"):
                rest = tuple(label for label in labels if label[0] != "le")
                series.setdefault(rest, []).append((dict(labels)["le"], number))
        for labels, buckets in series.items():
            bounds, counts = zip(*buckets)
            assert [float(bound) for bound in bounds] == sorted(map(float, bounds)), name
            assert bounds[-1] == "+Inf" and list(counts) == sorted(counts), name
            assert counts[-1] == family.samples[name + "_count", labels], name
            seen += counts[-1]
    assert seen > 0


@pytest.mark.limits
def test_joins_and_bytes_are_counted(scraped, identities):
    with Invited(scraped, *identities[:2]) as invited:
        check_relayed(*invited.join_both(), b"x" * 1234)
        scraped.wait_for_status(lambda s: s["bytesProxied"] == 1234, "1234 bytes")
        families = exposition.parse(fetch(scraped)[1])
        assert exposition.value(families, "strelaysrv_relay_devices") == 1
        assert exposition.value(families, "strelaysrv_relay_joins_total", result="ok") == 1
        assert exposition.value(families, "strelaysrv_core_session_traffic_bytes_total") == 1234
        assert exposition.value(families, "strelaysrv_core_sessions") == 1


def test_no_series_names_a_device_or_the_address_of_a_peer(scraped, identities):
    with Invited(scraped, *identities[:2]) as invited:
        check_relayed(*invited.join_both())
        _, text = fetch(scraped)
    own = 'listener="{}:{}"'.format(*scraped.address)
    assert own in text, "a listener without a name"
    assert "127.0.0.1" not in text.replace(own, "")
    assert not re.search(r"[A-Z2-7]{7}-[A-Z2-7]{7}", text)


def test_counters_never_go_back(scraped, identities):
    last = {}
    for _ in range(5):
        with Invited(scraped, *identities[:2]) as invited:
            check_relayed(*invited.join_both(), b"x" * 100)
        for name, family in exposition.parse(fetch(scraped)[1]).items():
            if family.type == "gauge":
                continue
            for key, number in family.samples.items():
                assert number >= last.get(key, 0), f"{name} {key} went back"
                last[key] = number


def test_a_module_that_comes_and_goes_keeps_its_counters(module_server):  # noqa: F811
    both = ["log", "status", "prometheus", "counter"]
    server = module_server(both)

    def ticks():
        families = exposition.parse(fetch(server)[1])
        return exposition.value(families, "strelaysrv_counter_ticks_total", thread="worker")

    before = wait_for(ticks, "ticks")
    server.configure(both[:-1])
    assert server.reload()[0]
    assert "strelaysrv_counter_" not in fetch(server)[1]
    server.configure(both)
    assert server.reload()[0]
    assert ticks() >= before


def test_a_real_prometheus_scrapes_it(scraped, prometheus, identities):
    server = prometheus(scraped.status_address)
    server.wait_for('up{job="relay"}', 1)
    with Invited(scraped, *identities[:2]) as invited:
        check_relayed(*invited.join_both(), b"x" * 4321)
        server.wait_for("strelaysrv_core_sessions", 1)
        server.wait_for("strelaysrv_core_session_traffic_bytes_total", 4321)
        server.wait_for('strelaysrv_relay_joins_total{result="ok"}', 1)
    server.wait_for("strelaysrv_core_session_duration_seconds_count", 1)
    assert server.query("scrape_samples_scraped")[0][1] > 50
    target = server.get("targets")["activeTargets"][0]
    assert target["health"] == "up" and not target["lastError"], target
    metadata = server.get("metadata", metric="strelaysrv_relay_joins_total") or \
        server.get("metadata", metric="strelaysrv_relay_joins")
    assert next(iter(metadata.values()))[0]["type"] == "counter", metadata


def expressions():
    """All PromQL expressions of the dashboard and the alert rules."""
    board = json.loads((ROOT / "conf" / "grafana-dashboard.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    rules = (ROOT / "conf" / "alerts.yml").read_text()
    return found + re.findall(r"^\s+expr: (.*)$", rules, re.MULTILINE)


def test_rules_are_good():
    promtool("check", "rules", ROOT / "conf" / "alerts.yml")


def test_rules_and_dashboard_ask_for_metrics_that_exist(scraped):
    known = {key[0] for family in exposition.parse(fetch(scraped)[1]).values()
             for key in family.samples}
    asked = {name for text in expressions() for name in re.findall(r"\bstrelaysrv_\w+", text)}
    # Metrics of modules that do not run in the scraped relay.
    page = (ROOT / "modules" / "METRICS.md").read_text()
    known |= set(re.findall(r"`(strelaysrv_\w+)`", page))
    known |= {f"{name}_bucket" for name in re.findall(r"`(strelaysrv_\w+)` \| histogram", page)}
    assert asked and asked <= known, f"unknown: {sorted(asked - known)}"


def test_prometheus_understands_the_dashboard(scraped, prometheus):
    server = prometheus(scraped.status_address)
    server.wait_for("up", 1)
    for text in expressions():
        text = text.replace("$__rate_interval", "1m").replace("$job", "relay")
        text = text.replace("$instance", ".*")
        answer = server.get("query", query=text)
        assert answer is not None, f"refused: {text}"
    rules = server.get("rules")["groups"]
    assert rules and all(rule["health"] != "err" for group in rules for rule in group["rules"])


def test_private_routes_leave_the_status_address(start_ours, tmp_path):
    (tmp_path / "relay.conf").write_text(CONF)
    server = start_ours("-conf", tmp_path / "relay.conf", "-private-srv", "127.0.0.1:0")
    port = int(server.wait_for_log(r"private address: 127\.0\.0\.1:(\d+)").group(1))
    assert server.get("/metrics")[0] == 404
    assert server.get("/status")[0] == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        assert "strelaysrv_relay_joins_total" in answer.read().decode()


def test_scrapes_under_load_stop_nothing(module_server):  # noqa: F811
    server = module_server(["log", "status", "prometheus", "echo-pair"])
    first, second = connect_pair(server)
    for _ in range(50):
        swap(first, second, b"x" * 20000)
        exposition.parse(fetch(server)[1])
    families = exposition.parse(fetch(server)[1])
    assert exposition.value(families, "strelaysrv_core_session_traffic_bytes_total") == 2000002


def test_descriptors_are_counted_where_the_kernel_does_not(start, plain_program, tmp_path):
    """Before Linux 6.2, stat(2) does not give the number of open descriptors."""
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, relay, status, prometheus }\n")
    server = start(plain_program, "-conf", conf, env=fault.environment)

    def told():
        page = server.get("/metrics")[2].decode()
        return int(re.search(r"^strelaysrv_core_open_descriptors (\d+)$", page, re.M).group(1))

    told()  # the first answer may open descriptors
    usual = told()
    fault.begin(faults.STAT, 1, length=0)
    counted = told()
    fault.end()
    assert fault.failed, "stat was not asked"
    assert abs(counted - usual) <= 1, (counted, usual)
