# SPDX-License-Identifier: MPL-2.0
"""The main tests of the cluster once more, on Valkey, which Debian 13 has."""

import shutil

import pytest

from cluster_nodes import redis, start_nodes, start_redis  # noqa: F401
from skip_unless import can_run
from test_cluster import (  # noqa: F401
    test_a_device_of_another_node_is_found, test_a_device_that_has_left_is_not_found,
    test_a_redis_that_hangs_holds_nobody_up, test_an_unknown_device_is_not_found,
    test_devices_of_a_killed_node_are_not_found_and_come_back,
    test_entries_that_redis_has_lost_are_claimed_again,
    test_local_service_goes_on_without_redis,
)

pytestmark = can_run(
    "NODES ON VALKEY", None if shutil.which("valkey-server") else "needs valkey-server")


@pytest.fixture(autouse=True)
def valkey(monkeypatch):
    monkeypatch.setenv("REGISTRY", "valkey")


def test_it_is_valkey(redis):  # noqa: F811
    assert "valkey_version:" in redis.call("INFO", "server")
