# SPDX-License-Identifier: MPL-2.0
"""The module cluster's registry in a real Redis: claims and their epochs, finds, messages, leases,
the relay's ID; what the server is warned of."""

import pytest

from redis_server import start_redis  # noqa: F401
from registry_driver import driver, padded  # noqa: F401
from waiting import wait_for

pytestmark = pytest.mark.usefixtures("start_redis")

LARGEST = 2**64 - 1


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture
def two(driver, redis):
    """The driver with two registries, a (incarnation 1) and b (incarnation 2)."""
    driver.open_and_wait("a", 1, redis.address)
    driver.open_and_wait("b", 2, redis.address)
    return driver


def _entry(redis, device, owner, epoch):
    """Stores an entry as another node or another version would have."""
    code = "return redis.call('SET', KEYS[1], struct.pack('>I4I4I4I4I4I4', " \
           f"{owner >> 32}, {owner & 0xffffffff}, {epoch >> 32}, {epoch & 0xffffffff}, 0, 0))"
    assert redis.call("EVAL", code, 1, f"st:{{test}}:d:{padded(device)}") == "OK"


def test_each_join_gets_the_device_with_a_higher_epoch(two):
    assert two.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    assert two.ask("join", "b", "dev", 0) == ["1:1", "2:2"]
    assert two.ask("join", "b", "dev", 0) == ["2:2", "2:3"]
    assert two.ask("join", "a", "dev", 9) == ["2:3", "1:10"]
    assert two.ask("join", "b", "dev", 4) == ["1:10", "2:11"]


def test_a_check_gets_the_device_if_it_is_newer(two, redis):
    assert two.ask("check", "a", "dev", 5) == ["0:0", "1:5"]
    # Ours already; then the other's, older and newer.
    assert two.ask("check", "a", "dev", 5) == ["1:5", "1:5"]
    assert two.ask("check", "b", "dev", 4) == ["1:5", "1:5"]
    assert two.ask("check", "b", "dev", 6) == ["1:5", "2:6"]
    # With equal epochs the higher incarnation has it, whoever is asked first.
    assert two.ask("check", "a", "dev", 6) == ["2:6", "2:6"]
    assert two.ask("check", "a", "other", 6) == ["0:0", "1:6"]
    assert two.ask("check", "b", "other", 6) == ["1:6", "2:6"]
    # An entry of nobody is none, whatever its epoch.
    _entry(redis, "empty", 0, 100)
    assert two.ask("check", "a", "empty", 3) == ["0:100", "1:3"]


def test_an_entry_lasts_for_an_hour_after_its_last_check(two, redis):
    key = f"st:{{test}}:d:{padded('dev')}"
    two.ask("join", "a", "dev", 5)
    for how, node, least, most in (("check", "b", 0, 100), ("check", "a", 3500, 3600)):
        assert redis.call("EXPIRE", key, 100) == "1"
        two.ask(how, node, "dev", 1 if node == "b" else 6)
        assert least < int(redis.call("TTL", key)) <= most, node


@pytest.mark.parametrize("stored,after", [
    (2**32 - 1, 2**32), (2**53 - 1, 2**53), (2**53, 2**53 + 1), (2**53 + 1, 2**53 + 2),
    (2**63 - 1, 2**63), (LARGEST - 1, LARGEST), (LARGEST, LARGEST)])
def test_epochs_are_exact(two, redis, stored, after):
    _entry(redis, "dev", 2**64 - 7, stored)
    assert two.ask("join", "a", "dev", 0) == [f"{2**64 - 7}:{stored}", f"1:{after}"]
    assert two.ask("join", "b", "new", stored) == ["0:0", f"2:{after}"]


def test_checks_compare_neighbours_of_large_epochs(two, redis):
    for epoch in (2**53 + 1, 2**32, LARGEST):
        _entry(redis, "dev", 7, epoch)
        assert two.ask("check", "a", "dev", epoch - 1) == [f"7:{epoch}"] * 2
        _entry(redis, "dev", 7, epoch - 1)
        assert two.ask("check", "a", "dev", epoch) == [f"7:{epoch - 1}", f"1:{epoch}"]
    # And of incarnations, in both halves.
    two.open_and_wait("c", 2**53 + 2, redis.address)
    _entry(redis, "dev", 2**53 + 1, 5)
    assert two.ask("check", "c", "dev", 5) == [f"{2**53 + 1}:5", f"{2**53 + 2}:5"]
    _entry(redis, "dev", 2**53 + 3, 5)
    assert two.ask("check", "c", "dev", 5) == [f"{2**53 + 3}:5"] * 2


def test_only_the_owner_releases(two, redis):
    two.ask("join", "a", "dev", 0)
    two.ask("release", "b", "dev")
    two.done("b")
    assert two.ask("check", "a", "dev", 1) == ["1:1", "1:1"]
    two.ask("release", "a", "dev")
    assert two.ask("find", "a", "dev", 1, "x") == "nobody"
    assert redis.call("EXISTS", f"st:{{test}}:d:{padded('dev')}") == "0"


@pytest.mark.parametrize("first", [1, 2**32 - 1, 2**53, 2**63 - 1])
def test_a_late_release_leaves_a_later_claim_alone(two, first):
    """Also one that a check has found there, and one that a late claim has changed since."""
    two.ask("join", "a", "dev", 0, first)
    two.ask("join", "a", "dev", 0, first + 1)
    two.ask("release", "a", "dev", first)
    assert two.ask("check", "a", "dev", 2, first + 3) == ["1:2", "1:2"]
    two.ask("release", "a", "dev", first + 2)
    assert two.ask("join", "a", "dev", 0, first) == ["1:2", "1:3"]
    two.ask("release", "a", "dev", first + 2)
    two.done("a")
    # Of another node, which counts for itself.
    assert two.ask("join", "b", "dev", 0, first) == ["1:3", "2:4"]
    two.ask("release", "a", "dev", first + 9)
    two.ask("release", "b", "dev", first)
    two.done("b")
    assert two.ask("check", "a", "dev", 1, first + 9) == ["0:0", "1:1"]


def test_a_find_sends_to_an_owner_whose_lease_lives(two):
    assert two.ask("find", "a", "dev", 1, "hello") == "nobody"
    two.ask("join", "b", "dev", 0)
    assert two.ask("find", "a", "dev", 2, "no-lease") == "nobody"
    two.ask("lease", "b", "lease-of-b", 60000)
    two.done("b")
    assert two.ask("find", "a", "dev", 3, "hello") == "sent"
    assert two.ask("find", "b", "dev", 4, "own") == "ours"
    two.wait("b received hello")
    two.ask("lease_end", "b")
    two.done("b")
    assert two.ask("find", "a", "dev", 5, "late") == "nobody"
    assert not two.seen("received no-lease") + two.seen("received own") + two.seen("received late")


def test_messages_go_to_one_or_to_all(two):
    two.ask("send", "a", 2, "to-b")
    two.wait("b received to-b")
    two.ask("send", "b", 1, "to-a")
    two.wait("a received to-a")
    two.ask("send", "a", 0, "to-all")
    two.wait("b received to-all")
    wait_for(lambda: two.seen("a received to-all"), "its own message to all")
    assert [line for line in two.lines if line in ("a received to-b", "b received to-a")] == []
    assert two.counts("a")["messages"] == 2
    # One of each size; a larger one is not taken, nor from others.
    two.ask("send", "a", 2, "x" * 512)
    assert len(two.wait("b received x")) == len("b received ") + 512
    two.refuses("send", "a", 2, "x" * 513)
    two.refuses("find", "a", "dev", 1, "x" * 513)


def test_foreign_messages_do_no_harm(two, redis):
    # Its reader says what is wrong with it.
    assert redis.call("PUBLISH", "st:{test}:all", "y" * 513) == "2"
    two.wait("b received y")
    assert redis.call("PUBLISH", f"st:{{test}}:to:{2:016x}", "") == "1"
    redis.call("PUBLISH", "st:{test}:all", "good")
    two.wait("b received good")
    assert two.counts("b")["reply"] == 0


def test_leases_are_told_and_listed_until_they_are_over(two, redis):
    two.ask("lease", "b", "lease-1", 60000)
    two.wait("a received lease-1")
    two.ask("lease", "a", "lease-2", 300)
    two.wait("a received lease-2")
    wait_for(lambda: redis.call("EXISTS", f"st:{{test}}:node:{1:016x}") == "0", "its end")
    two.ask("join", "a", "dev", 0)
    assert two.ask("find", "b", "dev", 1, "x") == "nobody"
    two.open_and_wait("c", 3, redis.address)
    two.ask("lease_all", "c")
    two.wait("c received lease-1")
    assert two.ask("identify", "c", "relay") == "relay"
    assert not two.seen("c received lease-2")
    # What is over has been forgotten, too.
    assert redis.call("SMEMBERS", "st:{test}:nodes") == f"{2:016x}"


def test_all_leases_of_many_nodes_are_listed(driver, redis):
    # More than one page, some of them over.
    code = "for i = 1, 700 do local n = string.format('%016x', i) " \
           "redis.call('SADD', 'st:{test}:nodes', n) " \
           "if i > 100 then redis.call('SET', 'st:{test}:node:' .. n, 'L' .. i) end end"
    redis.call("EVAL", code, 1, "st:{test}:nodes")
    driver.open_and_wait("a", 1, redis.address)
    driver.ask("lease_all", "a")
    wait_for(lambda: len(set(driver.seen("a received L"))) == 600, "all leases")
    assert redis.call("SCARD", "st:{test}:nodes") == "600"


def test_the_first_relay_names_the_cluster(two):
    assert two.ask("identify", "a", "first") == "first"
    assert two.ask("identify", "b", "second") == "first"


def test_clusters_and_databases_are_apart(two, redis):
    two.ask("join", "a", "dev", 0)
    two.open_and_wait("c", 3, redis.address, name="else")
    two.open_and_wait("d", 4, redis.address, database=5)
    assert two.ask("join", "c", "dev", 0) == ["0:0", "3:1"]
    assert two.ask("join", "d", "dev", 0) == ["0:0", "4:1"]
    assert two.ask("join", "b", "dev", 0) == ["1:1", "2:2"]


def test_many_claims_of_one_turn_are_answered_in_their_order(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=60000)
    driver.do("joins", "a", 0, 5000)
    driver.wait("a joins 5000")
    for i in (0, 1, 2500, 4999):
        driver.wait(f"a claimed {padded(str(i))} 0:0 1:1")
    claimed = [line.split()[2].rstrip(".") for line in driver.seen("a claimed ")]
    assert claimed == [str(i) for i in range(5000)]


def test_what_is_asked_last_is_sent_before_it_closes(two, redis):
    two.ask("join", "a", "dev", 0)
    two.ask("lease", "a", "lease", 60000)
    two.wait("b received lease")
    two.process.stdin.write("release a dev\nlease_end a\nsend a 2 farewell\nclose a\n")
    two.wait("a closed")
    two.wait("b received farewell")
    assert redis.call("KEYS", "*:d:*") == "" and redis.call("KEYS", "*:node:*") == ""


def test_the_queue_has_a_bound(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=60000)
    driver.do("joins", "a", 0, 20000)
    taken = int(driver.wait("a joins ").split()[-1])
    assert 10000 < taken < 20000
    driver.wait(f"a claimed {padded(str(taken - 1))} ")
    assert driver.counts("a")["refused"] == 20000 - taken
    assert driver.ask("join", "a", "another", 0) == ["0:0", "1:1"]


def test_counts_are_those_of_what_was_done(two):
    before = two.counts("a")
    two.ask("join", "a", "dev", 0)
    after = two.counts("a")
    # A sign of life may have come in between.
    assert 1 <= after["commands"] - before["commands"] <= 5
    assert after["connects"] == 1 and after["waiting"] == 0
    assert after["rtt"] > 0 and after["mean"] > 0


@pytest.mark.parametrize("policy,told", [
    ("allkeys-lru", True), ("volatile-ttl", True), ("noeviction", False)])
def test_eviction_is_warned_of(driver, start_redis, policy, told):
    redis = start_redis(f"maxmemory-policy {policy}")
    driver.open_and_wait("a", 1, redis.address)
    assert bool(driver.seen(f"maxmemory-policy {policy}")) == told


@pytest.mark.parametrize("words,why", [
    ("server=localhost:0", "is no server"), ("server=host:70000", "is no server"),
    ("server=::1", "is no server"), ("name=x", "no server is named"),
    ("server=/s name=a{b}", "the name of a cluster"), ("server=/s user=x", "no password"),
    ("server=/s ca=/x", "it is for TLS"), ("server=/s database=-1", "out of range"),
    ("server=/s tls=1 ca=/nowhere", "cannot read certificates")])
def test_wrong_settings_are_named(driver, words, why):
    driver.do("open a 1", words)
    assert why in driver.wait("a error")
