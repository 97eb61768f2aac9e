# SPDX-License-Identifier: MPL-2.0
"""What the module endpoint does while this machine lacks memory, threads or sockets: the relays that
it checks are not to blame, and the list stays as it was."""

import contextlib
import http.client
import itertools
import json

import pytest

import device_id
import exposition
import faults
from relay_double import RelayDouble
from waiting import wait_for

SEED, MOST = 41, 20
ANSWERS = "answers, and is listed"


@pytest.fixture
def doubles(tmp_path, identities):
    """Two other relays."""
    with contextlib.ExitStack() as stack:
        found = []
        for i in range(2):
            double = RelayDouble(lambda stream: stream.expect_close(), identities[i], tmp_path / f"double-{i}")
            stack.callback(double.close)
            found.append(f"{double.uri}?id={device_id.to_text(identities[i].id)}")
        yield found


@pytest.fixture
def fault(tmp_path):
    return faults.Faults(tmp_path)


@pytest.fixture
def listing(start, plain_program, fault, tmp_path):
    """A server with such a list; list_only(uri) writes its configuration."""
    conf = tmp_path / "list.conf"

    def list_only(uri, remove_after=1):
        conf.write_text("modules = { log, relay, status, prometheus, endpoint }\nendpoint {\n"
                        f' relays = {{ "{uri}" }}\n check-interval = 1s\n'
                        f" remove-after = {remove_after}\n restore-after = 1\n}}\n")

    list_only("relay://127.0.0.1:9/")
    server = start(plain_program, "-conf", conf, env=fault.environment)
    server.list_only = list_only
    return server


def listed(server):
    return [relay["url"] for relay in json.loads(server.get("/endpoint")[2])["relays"]]


def counted(server, result):
    return exposition.value(exposition.parse(server.get("/metrics")[2].decode()),
                            "strelaysrv_endpoint_checks_total", result=result)


def check_one(server, fault, uri, *how):
    """Lists another relay; the calls of its first check are counted, or one fails."""
    before = server.count(ANSWERS)
    # OpenSSL does not always tell that memory was short, so a check may fail, but only one.
    server.list_only(uri, remove_after=2)
    done, log = server.reload()
    assert done, log
    fault.begin(*how, thread=server.pid)
    server.wait_for_count(ANSWERS, before + 1)
    count = fault.end()
    assert listed(server) == [server.uri, uri]
    return count


@faults.needs_memory
def test_a_check_whatever_allocation_fails(listing, fault, doubles):
    others = itertools.cycle(doubles)
    for _ in range(4):  # the first ones load what is needed once
        count = check_one(listing, fault, next(others), faults.MEMORY)
    gone = listing.count("is not listed any more")
    failed = 0
    for number in faults.sample(count, MOST, SEED):
        check_one(listing, fault, next(others), faults.MEMORY, number)
        failed += fault.failed
    assert failed
    assert listing.count("is not listed any more") == gone, listing.log()


@faults.needs_memory
def test_a_reload_whatever_allocation_fails(listing, fault, doubles):
    def reload(uri, number=0):
        listing.list_only(uri)
        fault.begin(faults.MEMORY, number, thread=listing.pid)
        done, log = listing.reload()
        return done, fault.end(), log

    done, count, log = reload(doubles[0])
    assert done, log
    now, refused = doubles[0], 0
    for number in faults.sample(count, MOST, SEED):
        wanted = doubles[1] if now == doubles[0] else doubles[0]
        done, _, log = reload(wanted, number)
        now = wanted if done else now
        assert listed(listing) == [listing.uri, now], f"allocation {number}: {log}"
        refused += not done
    assert refused


@faults.needs_memory
def test_a_request_whatever_allocation_fails(listing, fault, doubles):
    """It is answered right, or not at all; and so is the next one."""
    check_one(listing, fault, doubles[0], faults.MEMORY)
    want = [listing.uri, doubles[0]]
    for number in range(1, 40):
        fault.begin(faults.MEMORY, number, thread=listing.pid)
        try:
            code, _, body = listing.get("/endpoint")
        except (ConnectionError, http.client.HTTPException):
            code = None
        fault.end()
        assert code in (None, 500) or [relay["url"] for relay in json.loads(body)["relays"]] == want
        assert listed(listing) == want


@pytest.mark.parametrize("kind", [faults.THREAD, faults.SOCKET], ids=["thread", "socket"])
def test_what_is_missing_here_is_not_the_relays_fault(listing, fault, doubles, kind):
    before = counted(listing, "not-made")
    listing.list_only(doubles[0])
    assert listing.reload()[0]
    fault.begin(kind, 1, 1000)
    wait_for(lambda: fault.failed >= 2, "two calls that fail")
    fault.end()
    listing.wait_for_log(ANSWERS)
    assert counted(listing, "not-made") > before
    assert listed(listing) == [listing.uri, doubles[0]]
    assert listing.count(f"{doubles[0].partition('/?')[0].removeprefix('relay://')} is not listed") == 0
