# SPDX-License-Identifier: MPL-2.0
"""Only needed modules, and their libraries, are loaded."""

import os
import re
from pathlib import Path

import pytest

from pool_double import Authority, Pool
from relay_server import run
from waiting import wait_for

TWO = "modules = { log, relay }\n"


def mapped(server):
    """Names of the shared objects that the process has mapped."""
    maps = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
    return {Path(path).name for path in re.findall(r"(/\S+\.so[.\d]*)$", maps, re.MULTILINE)}


def has_curl(server):
    return any(name.startswith("libcurl") for name in mapped(server))


@pytest.fixture
def begin(start, plain_program, tmp_path):
    conf = tmp_path / "opened.conf"

    def one(text, *args, **options):
        conf.write_text(text)
        server = start(plain_program, "-conf", conf, *args, **options)
        server.conf = conf
        return server

    return one


def test_modules_that_are_not_named_are_not_opened(begin):
    found = mapped(begin(TWO))
    assert {"log.so", "relay.so"} <= found
    assert not {"prometheus.so", "statsd.so", "status.so", "nat.so"} & found


def test_a_relay_that_joins_no_pool_loads_no_http_client(start, plain_program):
    server = start(plain_program)
    assert "pool-join.so" in mapped(server)
    assert not has_curl(server)


def test_a_section_opens_its_module(begin):
    assert "statsd.so" in mapped(begin(TWO + "statsd { required = yes }\n"))


def test_a_reload_opens_what_has_been_named(begin):
    server = begin(TWO)
    server.conf.write_text("modules = { log, relay, prometheus }\n")
    server.reload()
    server.wait_for_log("reloaded, with modules: log, relay, prometheus")
    assert "prometheus.so" in mapped(server)


def test_flags_of_modules_that_do_not_run_are_known(begin):
    server = begin(TWO, "-statsd.interval", "5s", "-global-rate", "1000")
    server.wait_for_log("-statsd.interval has no effect: the module statsd does not run")
    server.wait_for_log("-global-rate has no effect: the module rate-limit does not run")


def test_names_may_come_from_the_environment(begin):
    server = begin('modules = { log, relay, "${THIRD}" }\n',
                   env={**os.environ, "THIRD": "prometheus"})
    server.wait_for_log("ready, with modules: log, relay, prometheus")


def test_names_may_stand_in_another_file(begin, tmp_path):
    (tmp_path / "more.conf").write_text("modules += { prometheus }\n")
    server = begin(TWO + 'include("more.conf")\n')
    server.wait_for_log("ready, with modules: log, relay, prometheus")


def test_hints_know_the_modules_that_were_not_opened(begin):
    server = begin(TWO)
    server.conf.write_text("modules = { log, relay, promtheus }\n")
    server.reload()
    server.wait_for_log('modules names "promtheus"; did you mean "prometheus"?')
    server.conf.write_text(TWO + "statds { }\n")
    server.reload()
    server.wait_for_log('section "statds" belongs to no module .*; did you mean "statsd"?')


@pytest.fixture
def pool(tmp_path, relay_keys):
    authority = tmp_path / "authority"
    authority.mkdir()
    one = Pool(Authority(authority), relay_keys)
    yield one
    one.close()


def test_the_http_client_is_loaded_for_the_first_pool(begin, pool):
    server = begin("modules = { log, relay, pool-join }\n")
    assert not has_curl(server)
    server.stop()
    server = begin("modules = { log, relay, pool-join }\n", pools=pool.url)
    wait_for(lambda: has_curl(server), "libcurl")


@pytest.fixture
def without_curl(tmp_path):
    """An environment in which libcurl cannot be loaded."""
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "libcurl.so.4").write_text("no library")
    return {**os.environ, "LD_LIBRARY_PATH": str(libraries)}


def test_a_missing_http_client_names_its_package(begin, without_curl):
    server = begin("modules = { log, relay, pool-join }\n", env=without_curl,
                   pools="https://localhost:1/endpoint")
    server.wait_for_log(r"Failed to join pool \S+: .*cannot load libcurl: .*libcurl\.so\.4.*"
                        "; install libcurl4.*again in")
    assert server.running()


def test_what_only_the_http_client_can_judge_is_not_guessed(plain_program, without_curl):
    done = run(plain_program, "-check", "-pools", "https://[::1]:1/endpoint", env=without_curl)
    assert done.returncode == 1
    assert "pools: cannot load libcurl" in done.stderr and "install libcurl4" in done.stderr
