# SPDX-License-Identifier: MPL-2.0
"""Whether test_cluster.py runs on Valkey, too."""

import shutil

import pytest

from cluster_nodes import redis, start_redis  # noqa: F401
from skip_unless import can_run

pytestmark = can_run(
    "NODES ON VALKEY", None if shutil.which("valkey-server") else "needs valkey-server")


@pytest.fixture(autouse=True)
def valkey(monkeypatch):
    monkeypatch.setenv("REGISTRY", "valkey")


def test_it_is_valkey(redis):  # noqa: F811
    assert "valkey_version:" in redis.call("INFO", "server")
