# SPDX-License-Identifier: MPL-2.0
"""What an operator sees of a cluster: metrics of the registry, alerts, the dashboard."""

import json

import pytest

import certificates
from cluster_nodes import join, redis, start_nodes, start_redis  # noqa: F401
from prometheus_server import promtool
from relay_server import ROOT
from relay_server import free_port
from waiting import wait_for


def test_errors_of_redis_are_counted_by_kind(start_nodes, redis, identities):  # noqa: F811
    [node] = start_nodes(1)
    redis.call("CONFIG", "SET", "maxmemory", "1")
    with join(node, identities[0]):
        wait_for(lambda: node.metric("registry_faults_total", '{kind="memory"}'), "a refusal")
        assert node.metric("registry_faults_total", '{kind="rights"}') == 0
        assert node.metric("unclaimed") == 1
        redis.call("CONFIG", "SET", "maxmemory", "0")
        node.wait_for_metric("unclaimed", 0)


def test_the_registrys_counters_never_go_back(start_nodes, start_redis):  # noqa: F811
    [node] = start_nodes(1)
    before = wait_for(lambda: node.metric("registry_commands_total"), "commands")
    assert node.metric("registry_connects_total") == 1
    wait_for(lambda: node.metric("registry_round_trip_seconds") > 0, "an answer")
    assert node.metric("registry_round_trip_seconds") < 10
    done, log = node.again(servers=start_redis(port=free_port()).address)
    assert done, log
    node.wait_for_metric("registry_connects_total", 2)
    assert node.metric("registry_commands_total") > before


def test_what_redis_leaves_unanswered_is_counted(start_nodes, redis):  # noqa: F811
    [node] = start_nodes(1)
    redis.stop()
    with join(node, certificates.make()):
        wait_for(lambda: node.metric("registry_slow_total"), "it to be left alone")
        assert node.metric("registry_unanswered_total") > 0
        assert node.metric("registry_waiting") > 0
        redis.go_on()
        node.wait_for_metric("unclaimed", 0)
        node.wait_for_metric("registry_waiting", 0)


ONE, TWO = '{job="relay",instance="one"}', '{job="relay",instance="two"}'


def name_of(name, labels):
    """The labels of both in one pair of braces."""
    metric, _, more = name.partition("{")
    return f"strelaysrv_cluster_{metric}{labels.removesuffix('}')}" + (f",{more}" if more else "}")


#: alert -> the series that raise it (and no other alert), and those that do not.
ALERTS = {
    "RelayClusterAlone": ([("registry_reachable", ONE, "0x120")],
                          [("registry_reachable", ONE, "1x120")]),
    "RelayClusterSplit": (
        [('nodes{state="open"}', ONE, "1x120"), ('nodes{state="open"}', TWO, "2x120"),
         ('nodes{state="draining"}', TWO, "1x120")],
        [('nodes{state="open"}', ONE, "3x120"), ('nodes{state="open"}', TWO, "2x120"),
         ('nodes{state="draining"}', TWO, "1x120")]),
    "RelayClusterUnclaimed": (
        [("unclaimed", ONE, "30x120"), ("devices", ONE, "1000x120"),
         ("registry_reachable", ONE, "1x120")],
        [("unclaimed", ONE, "3x120"), ("devices", ONE, "1000x120"),
         ("registry_reachable", ONE, "1x120")]),
    "RelayClusterRegistryFaults": ([('registry_faults_total{kind="memory"}', ONE, "0+1x120")],
                                   [('registry_faults_total{kind="busy"}', ONE, "0+1x120")]),
    "RelayClusterRequestsFail": (
        [('asks_total{end="late"}', ONE, "0+10x120"), ('asks_total{end="met"}', ONE, "0+90x120")],
        [('asks_total{end="late"}', ONE, "0+1x120"), ('asks_total{end="nobody"}', ONE, "0+99x120")]),
    "RelayClusterForged": ([('rejected_total{reason="forged"}', ONE, "0x30 1x90")],
                           [('rejected_total{reason="forged"}', ONE, "7x120")]),
    "RelayClusterHalfUpgraded": ([('rejected_total{reason="version"}', ONE, "0+1x120")],
                                 [('rejected_total{reason="version"}', ONE, "0+1x30 30x90")]),
}
#: When it is looked at, in minutes.
AT = {"RelayClusterForged": 35}


def test_every_alert_of_a_cluster_is_tried():
    rules = (ROOT / "conf" / "alerts.yml").read_text()
    assert set(ALERTS) == {line.split()[-1] for line in rules.splitlines()
                           if "alert: RelayCluster" in line}


@pytest.mark.parametrize("raised", [True, False])
@pytest.mark.parametrize("alert", ALERTS)
def test_alerts_are_raised_and_not_raised(tmp_path, alert, raised):
    given = ALERTS[alert][0 if raised else 1]
    rules = ROOT / "conf" / "alerts.yml"
    minutes = AT.get(alert, 110)
    # The number of firing alerts of any name: no other one is raised by these series.
    fires = [{"expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
              "eval_time": f"{minutes}m",
              "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if raised else []}]
    (tmp_path / "try.json").write_text(json.dumps({
        "rule_files": [str(rules)], "evaluation_interval": "1m",
        "tests": [{"interval": "1m",
                   "input_series": [{"series": name_of(name, labels), "values": v}
                                    for name, labels, v in given],
                   "promql_expr_test": fires}]}))
    promtool("test", "rules", tmp_path / "try.json")
