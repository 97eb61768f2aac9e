# SPDX-License-Identifier: MPL-2.0
"""A relay that a module (such as quota) has closed to new devices: how pools, /healthz, /status and
connected devices notice.  And a relay whose tokens keep it out of pools."""

import contextlib
import json

import pytest

import relay_protocol as rp
from flows import check_flows, flow
from module_server import folder_of, module_server  # noqa: F401
from pairing import Invited, check_both_ways
from pool_double import HOUR, Pool, says
from relay_client import ProtocolConnection
from relay_server import module_folder
from streams import MEGA
from waiting import wait_for

SUCCESS = rp.response(rp.SUCCESS)
NOT_FOUND = rp.response(rp.NOT_FOUND)
#: The state of a pool that is not contacted for now.
LEFT = "resting"
TAKEN = says(200, json.dumps({"evictionIn": HOUR}))


@pytest.fixture
def pool(authority, relay_keys):
    with contextlib.closing(Pool(authority, relay_keys, TAKEN)) as pool:
        yield pool


@pytest.fixture
def pooled(module_server, authority, pool, clock, monkeypatch):  # noqa: F811
    """pooled(modules, **sections) starts a server that joins the pool. server.change() reloads
    it."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    fixed = {"pool-join": {"pools": [pool.url], "ca-file": str(authority.file)}}

    def start(modules, workers=2, **sections):
        folders = f"{folder_of('quota-clock')},{folder_of('closer')},{module_folder()}"
        server = module_server(modules, workers=workers, sections={**fixed, **sections},
                               args=["-module-dir", folders])

        def change(modules, **sections):
            server.configure(modules, {**fixed, **sections})
            done, news = server.reload()
            assert done, news

        server.change = change
        return server

    return start


def quota(**options):
    return {"quota": {"time-zone": "UTC", "count": "relayed", "state-required": "no", **options}}


def spend(server, identities, size=MEGA):
    with Invited(server, identities[0], identities[1]) as invited:
        check_flows([flow(*invited.join_both(), size, 1)])


def join(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.JoinRelayRequest())


def pool_state(server):
    return server.status()["pools"][0]["state"]


def wait_for_pool(server, state):
    wait_for(lambda: pool_state(server) == state, lambda: f"{state}, it is {pool_state(server)}")


ORDERS = [["log", "quota", "relay", "pool-join", "status"],
          ["log", "status", "pool-join", "relay", "quota"]]


@pytest.mark.parametrize("modules", ORDERS, ids=["quota-first", "quota-last"])
def test_the_pool_is_left_until_the_period_turns(pooled, pool, identities, clock,  # noqa: F811
                                                 modules):
    server = pooled(modules, **quota(day="1MB"))
    server.wait_for_log("Joined pool")
    assert server.get("/healthz")[::2] == (200, b"ok\n")
    spend(server, identities)
    server.wait_for_log("joins no pool while the server takes no newcomers: quota")
    assert pool_state(server) == LEFT
    assert server.get("/healthz")[::2] == (503, b"quota\n")
    assert len(pool.requests) == 1
    clock.set("2026-11-23 00:00")
    server.wait_for_log("joins pools again")
    pool.wait_for_requests(2)
    wait_for_pool(server, "joined")
    assert server.get("/healthz")[0] == 200
    assert server.count("PUBLIC") == 1


def test_used_up_from_the_start_no_pool_is_asked(pooled, pool, identities, clock):  # noqa: F811
    server = pooled(ORDERS[1], **quota(day="1MB"))
    spend(server, identities)
    wait_for_pool(server, LEFT)
    server.stop()
    asked = len(pool.requests)
    again = pooled(ORDERS[1], **quota(day="1MB"))
    assert pool_state(again) == LEFT
    assert join(again, identities[2]) == rp.RelayFull()
    assert "PUBLIC" not in again.log() and len(pool.requests) == asked
    clock.set("2026-11-23 00:00")
    again.wait_for_log("Joined pool")
    again.wait_for_log("PUBLIC")


def test_modules_come_and_go_while_it_is_used_up(pooled, pool, identities):
    with_quota, without = ["log", "quota", "relay", "pool-join", "status"], \
        ["log", "relay", "pool-join", "status"]
    server = pooled(with_quota, **quota(day="1MB"))
    spend(server, identities)
    wait_for_pool(server, LEFT)
    server.change(["log", "quota", "relay", "status"], **quota(day="1MB"))
    assert join(server, identities[2]) == rp.RelayFull()
    server.change(with_quota, **quota(day="1MB"))  # the relay is closed when pool-join starts
    assert pool_state(server) == LEFT and len(pool.requests) == 1
    server.change(without)
    wait_for_pool(server, "joined")
    assert join(server, identities[2]) == SUCCESS
    server.change(with_quota, **quota(day="1MB"))  # quota reads the stored count
    wait_for_pool(server, LEFT)
    assert join(server, identities[2]) == rp.RelayFull()
    server.change(with_quota, **quota(day="2MB"))
    wait_for_pool(server, "joined")


def test_the_quota_is_in_status(pooled, identities):
    server = pooled(["log", "status", "quota", "relay"], **quota(day="1MB", month="1GB"))
    assert server.status()["closed"] == ""
    assert server.status()["quota"] == {
        "state": "open", "until": "", "dayBytes": 0, "dayCap": MEGA, "monthBytes": 0,
        "monthCap": 1000 * MEGA}
    spend(server, identities)
    seen = server.wait_for_status(lambda s: s["closed"] == "quota", "the end of the quota")
    assert seen["quota"] == {
        "state": "used up", "until": "2026-11-23T00:00:00Z", "dayBytes": MEGA, "dayCap": MEGA,
        "monthBytes": MEGA, "monthCap": 1000 * MEGA}
    server.change(["log", "status", "relay"])
    assert "quota" not in server.status() and server.status()["closed"] == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_the_idle_are_sent_away_and_the_busy_may_finish(module_server, identities,  # noqa: F811
                                                        workers):
    modules = ["log", "relay", "status", "closer", "probe"]
    sections = {"relay": {"ping-interval": "1s"}}
    server = module_server(modules, workers=workers,
                           sections={**sections, "closer": {"close": "no"}})
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(ProtocolConnection(server.address, i)).join()
                for i in identities[4:8]]
        invited = stack.enter_context(Invited(server, identities[0], identities[1]))
        one, other = invited.join_both()
        server.configure(modules, sections)
        done, news = server.reload()
        assert done, news
        assert join(server, identities[2]) == rp.RelayFull()
        with ProtocolConnection(server.address, identities[2]) as asker:
            asker.send(rp.ConnectRequest(identities[1].id))  # busy, so it stays connected
            asker.expect_last(NOT_FOUND)
        for client in idle:
            client.expect_last(rp.RelayFull())
        assert invited.target.receive() == rp.Ping()
        invited.target.send(rp.Pong())
        check_both_ways(one, other)
        one.end_sending()
        other.expect_end_of_file()
        other.end_sending()
        one.expect_end_of_file()
        invited.target.expect_last(rp.RelayFull())
        seen = server.probe()
        assert seen["metric relay.joins.closed"] == "1"
        assert seen["metric relay.connect_requests.closed"] == "1"
        assert seen["metric relay.devices"] == "0"


def test_what_any_module_says_is_told(module_server):  # noqa: F811
    server = module_server(["log", "relay", "closer", "version", "status"])
    status = server.status()
    assert status["closed"] == "tests"  # the module that closed it first
    assert status["closer"] == {"name": '"closer"\n', "closes": 1, "largest": 2**63 - 1}
    assert isinstance(status["version"], str) and status["version"] != "none"
    server.configure(["log", "relay", "version", "closer", "status"], {"closer": {"close": "no"}})
    done, news = server.reload()
    assert done, news
    assert server.status()["closed"] == "version"
    server.configure(["log", "relay", "status"])
    done, news = server.reload()
    assert done, news
    status = server.status()
    assert status["closed"] == "" and "closer" not in status


def test_a_module_that_fails_closes_nothing(module_server):  # noqa: F811
    server = module_server(["log", "relay", "status"], installed=["closer"])
    server.configure(["log", "relay", "status", "closer"], {"closer": {"fail": "yes"}})
    done, news = server.reload()
    assert not done and "as it was told" in news, news
    assert server.status()["closed"] == ""
    assert server.get("/healthz")[0] == 200


# Tokens of the module access.

PRIVATE = ["log", "access", "relay", "pool-join", "status", "dashboard"]


def page_data(server):
    return json.loads(server.get("/dashboard.json")[2])


@pytest.mark.parametrize("modules", [PRIVATE, PRIVATE[::-1]], ids=["before", "after"])
def test_tokens_of_access_keep_it_out_of_pools(pooled, pool, modules):
    server = pooled(modules, access={"tokens": ["secret-word"]})
    server.wait_for_log("joins no pool: a token is set, so this relay is private")
    assert pool_state(server) == LEFT
    shown = page_data(server)
    assert shown["token"] is True and shown["uri"] == ""
    server.change(modules, access={"tokens": ["secret-word", "secret-other"]})
    assert server.count("a token is set") == 1, "once is enough"
    assert not pool.requests and "PUBLIC" not in server.log()
    for text in (server.log(), json.dumps(server.status()), json.dumps(page_data(server))):
        assert "secret-" not in text
    server.change(modules)
    server.wait_for_log("PUBLIC")
    server.wait_for_log("Joined pool")
    assert page_data(server)["uri"].startswith("relay://")


def test_a_token_file_that_comes_by_a_reload_ends_it(pooled, pool, tmp_path):
    words = tmp_path / "words"
    words.write_text("secret-word\n")
    server = pooled(["log", "relay", "pool-join", "status"])
    server.wait_for_log("Joined pool")
    server.change(["log", "access", "relay", "pool-join", "status"],
                  access={"token-file": str(words)})
    server.wait_for_log("joins no pool: a token is set")
    wait_for_pool(server, LEFT)
    server.change(["log", "relay", "pool-join", "status"])
    wait_for_pool(server, "joined")
    assert server.count("PUBLIC") == 2
