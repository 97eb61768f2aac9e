# SPDX-License-Identifier: MPL-2.0
"""Starts our relay with pools on loopback."""

import contextlib

import pytest

from pool_double import Authority, Pool

MODULES = "modules = { log, relay, pool-join, rate-limit, status, prometheus }\n"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_pool(authority, relay_keys):
    with contextlib.ExitStack() as pools:

        def make(*behaviours, **options):
            pool = Pool(authority, relay_keys, *behaviours, **options)
            pools.callback(pool.close)
            return pool

        yield make


@pytest.fixture
def start_joining(start, plain_program, authority, tmp_path, monkeypatch):
    """Starts our relay with these pools.  Tests may rewrite its configuration file."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    conf = tmp_path / "pools.conf"

    def start_one(*urls, conf_text="", args=(), **options):
        conf.write_text(MODULES + conf_text)
        texts = [url if isinstance(url, str) else url.url for url in urls]
        options.setdefault("pools", ",".join(texts))
        server = start(plain_program, "-conf", conf, "-pool-join.ca-file", authority.file,
                       *args, **options)
        server.conf = conf
        return server

    return start_one
