# SPDX-License-Identifier: MPL-2.0
"""Each call of the module cluster's registry that can fail is failed at each place, one place at a
time, while it connects in TLS, claims, finds, sends and ends.  Nothing crashes or hangs; as soon as
nothing fails any more, it is back.

A run tests a sample of the places, another one each day; FAULTS_ALL and FAULTS_SEED are as in
test_call_sites.py."""

import datetime
import os
import random

import pytest

import call_sites
import certificates
import faults
from redis_server import start_redis  # noqa: F401
from registry_driver import Driver
from relay_server import free_port
from waiting import PATIENCE, Deadline, wait_for

pytestmark = faults.needs_memory

SEED = os.environ.get("FAULTS_SEED") or datetime.date.today().isoformat()
#: How many cases a sample has of the registry's own places, and of all.
MOST = 12


@pytest.fixture
def redis(start_redis, tmp_path):
    certificates.make(name="localhost").write(tmp_path / "keys")
    port = free_port()
    server = start_redis(f"tls-port {port}", f"tls-cert-file {tmp_path}/keys/cert.pem",
                         f"tls-key-file {tmp_path}/keys/key.pem", "tls-auth-clients no",
                         "requirepass right", port=free_port())
    server.cli = ["-a", "right"]
    server.tls_port = port
    return server


class Trial:
    """One registry after the other in a process whose calls fail."""

    def __init__(self, sites, redis, ca):
        self.driver = Driver(env=sites.environment)
        self.redis = redis
        self.ways = {
            "plain": [f"127.0.0.1:{redis.port}"], "name": [f"localhost:{redis.port}"],
            "path": [redis.socket], "tls": [f"localhost:{redis.tls_port}", "tls=1", f"ca={ca}"],
        }
        self.turn = 0

    def open(self, way):
        """Whether it could be opened."""
        self.turn += 1
        server, *settings = self.ways[way]
        self.driver.do("open a", self.turn, f"server={server}", "password=right", "answer=300",
                       "connect=300", *settings)
        return "opened" in self.driver.wait(("a opened", "a error"))

    def requests(self):
        """All kinds; each may be refused or remain without a result."""
        for words in ("join a dev 0", "check a dev 3", "find a dev 1 hello", "send a 0 x",
                      "lease a lease 9000", "lease_all a", "identify a relay", "joins a 0 100",
                      "release a dev", "lease_end a"):
            self.driver.do(words)
        self.driver.do("counts a")
        self.driver.wait("a counts")
        self.driver.forget("a join")

    def run(self, way, failed):
        """All of it, or as far as it goes."""
        if not self.open(way):
            return False
        end = Deadline(2)
        while not end.passed() and not failed() and not self.driver.take("a back"):
            self.driver.pause()
        self.requests()
        self.redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        end = Deadline(0.5)
        while not end.passed() and not self.driver.take("a back"):
            self.driver.pause()
        return True

    def works(self):
        """In the end it does."""
        end = Deadline(PATIENCE)
        number = 0
        while True:
            number += 1
            self.driver.do(f"join a works{self.turn}-{number} 0")
            if self.driver.wait(("a join 0", "a join -1")) == "a join 0":
                line = self.driver.wait(f"a claimed works{self.turn}-{number}.")
                if not line.endswith(" 0:0"):
                    return
            assert not end.passed(), self.driver.seen("a log")[-3:] + self.driver.seen("a away")
            self.driver.pause()

    def close(self):
        self.driver.do("close a")
        self.driver.wait("a closed")
        self.driver.forget()


def _can_fail(site):
    if site.object == "registry-driver":
        # The driver's own calls; and a timer that is pending needs nothing (standing_timer.h).
        return site.call not in ("read", "fflush") and \
            (site.call, site.function) not in (
                ("event_add", "standing_timer_set"), ("event_add", "fired"))
    if site.object.startswith("libevent"):
        return site.call not in ("read", "write", "event_assign")
    if site.object.startswith(("libcrypto", "libssl")):
        return site.call in ("CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_memdup")
    return True


def _cases(sites, chance):
    found = []
    for site in filter(_can_fail, sites):
        found.append((site, {"first": 1, "value": chance.randrange(3)}))
        found.append((site, {"first": chance.randint(1, site.hits), "value": chance.randrange(3)}))
        if site.call != "epoll_wait":  # which no system fails for ever
            found.append((site, {"length": call_sites.FOREVER, "value": 0}))
    if os.environ.get("FAULTS_ALL"):
        return found
    own = [case for case in found if case[0].object == "registry-driver"]
    return chance.sample(own, min(MOST, len(own))) + chance.sample(found, min(MOST, len(found)))


@pytest.mark.parametrize("way", ["plain", "name", "path", "tls"])
def test_each_call_of_the_registry_fails(redis, tmp_path, way):
    sites = call_sites.CallSites(tmp_path)
    trial = Trial(sites, redis, tmp_path / "keys" / "cert.pem")
    try:
        assert trial.run(way, lambda: False)  # what is set up for the first time
        trial.works()
        trial.close()
        sites.begin()
        assert trial.run(way, lambda: False)
        trial.works()
        trial.close()
        sites.end()
        cases = list(_cases(sites.called(), random.Random(f"{SEED} {way}")))
        assert cases
        for site, how in cases:
            what = f"{site} {how}, FAULTS_SEED={SEED}"
            try:
                sites.begin(site, **how)
                opened = trial.run(way, sites.failed)
                sites.end()
                if opened:
                    trial.works()
                    trial.close()
            except (AssertionError, OSError) as error:
                raise AssertionError(what) from error
    finally:
        sites.end()
        trial.driver.finish()


def test_requests_of_one_turn_are_one_write(redis, tmp_path):
    sites = call_sites.CallSites(tmp_path)
    driver = Driver(env=sites.environment)
    try:
        driver.open_and_wait("a", 1, redis.socket, password="right", answer=60000)
        sites.begin()
        driver.do("joins a 0 100")
        wait_for(lambda: len(driver.seen("a claimed")) == 100, "all claims")
        sites.end()
        # Besides those of two or three signs of life.
        assert 1 <= sum(site.hits for site in sites.called() if site.call == "send") < 10
    finally:
        driver.finish()
