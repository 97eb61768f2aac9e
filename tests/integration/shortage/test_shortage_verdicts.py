# SPDX-License-Identifier: MPL-2.0
"""Memory is short while the module admission asks, is answered, or is reloaded."""

import os
import threading

import pytest

import faults
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import Closed, ProtocolConnection
from verdict_endpoint import Endpoint, says
from verdict_server import SUCCESS, asking, endpoint  # noqa: F401
from waiting import PATIENCE, wait_for

pytestmark = faults.needs_memory

SEED, MOST = 31, 80
MODULES = ("rate-limit", "quota")
TERMS = {"allow": True, "rate": "10MB/s", "weight": 2, "quota": "1GB"}


@pytest.fixture
def fault(tmp_path):
    return faults.Faults(tmp_path)


def request_of(kind, identities):
    if kind == "join":
        return rp.JoinRelayRequest("")
    return rp.ConnectRequest(identities[2].id)


def answer(client, request):
    """None: the connection was closed without one."""
    try:
        return client.ask(request)
    except (Closed, OSError):
        return None


def is_at_rest(server):
    return (server.number("queued"), server.number("open")) == (0, 0)


@pytest.mark.parametrize("kind", ["join", "ask"])
@pytest.mark.parametrize("kept", [False, True], ids=["asked", "cached"])
def test_whatever_allocation_fails(asking, endpoint, identities, fault,  # noqa: F811
                                   tmp_path, kind, kept):
    """The device is admitted or refused, and nothing of the question remains."""
    server = asking(workers=1, modules=MODULES, answer_timeout="500ms", timeout="300ms", retries=0,
                    sections={"quota": {"state-file": tmp_path / "q", "state-required": False}},
                    env=fault.environment, breaker_failures=10000)
    endpoint.answer = lambda asked: says(**TERMS, cache_for="1h" if kept else 0)
    request = request_of(kind, identities)
    usual = SUCCESS if kind == "join" else rp.response(rp.NOT_FOUND)
    for _ in range(2):  # the first one loads libraries
        with ProtocolConnection(server.address, identities[0]) as client:
            fault.begin(faults.MEMORY)
            assert client.ask(request) == usual
    count, found, failed = fault.end(), set(), 0
    for number in faults.sample(count, MOST, SEED):
        with ProtocolConnection(server.address, identities[0]) as client:
            fault.begin(faults.MEMORY, number)
            found.add(answer(client, request))
            fault.end()
        failed += fault.failed
    assert failed, count
    assert found <= {usual, None, rp.RelayFull(), rp.response(rp.NOT_FOUND)}, found
    # With terms that are in force, a device joins at once: no question needs memory.
    assert kind == "ask" or kept or rp.RelayFull() in found, found
    wait_for(lambda: is_at_rest(server), "no question is left")
    wait_for(lambda: server.probe()["metric core.questions.join"] == "0", "nobody waits")
    assert kept or server.number("failures.memory") > 0
    with ProtocolConnection(server.address, identities[0]) as client:
        assert client.ask(request) == usual


def threads(server):
    return set(map(int, os.listdir(f"/proc/{server.pid}/task")))


@pytest.fixture
def held(asking, endpoint, fault):  # noqa: F811
    """A server whose endpoint answers when `release` is set; and the thread that asks it."""
    server = asking(workers=1, answer_timeout="1s", retries=0, env=fault.environment)
    with_it = server.modules
    server.modules = [name for name in with_it if name != "admission"]
    server.change()
    before = threads(server)
    server.modules = with_it
    server.change()
    (server.asker,) = threads(server) - before
    server.release = threading.Event()
    endpoint.answer = lambda asked: server.release.wait(PATIENCE) and says(allow=True)
    return server


def lose_the_answer(server, fault):
    before = server.number("failures.memory")
    fault.begin(faults.MEMORY, 1, length=0, thread=server.asker)
    server.release.set()
    server.wait_for_number("failures.memory", before + 1)
    fault.end()
    assert fault.failed


def test_an_answer_that_cannot_be_handed_over(held, identities, fault):
    """Nobody hears of it, and whoever waits is refused when its time is over."""
    with held.asking(identities[0]) as client:
        lose_the_answer(held, fault)
        assert client.receive() == rp.RelayFull()
        client.expect_close()
    assert is_at_rest(held)
    assert held.answer_to(identities[0]) == SUCCESS


def test_a_device_stays_whose_answer_is_lost(held, endpoint, identities, fault):  # noqa: F811
    """It is asked about again."""
    endpoint.answer = lambda asked: says(allow=True, cache_for="100ms")
    with held.joined(identities[0]) as device:
        hanging = threading.Event()

        def answer_late(asked):
            hanging.set()
            return held.release.wait(PATIENCE) and says(allow=True, cache_for="100ms")

        endpoint.answer = answer_late
        assert hanging.wait(PATIENCE)
        lose_the_answer(held, fault)
        count = held.number("asked.again")
        wait_for(lambda: held.number("asked.again") > count, "it is asked about again")
        device.check_alive()


def test_a_reload_without_memory(asking, endpoint, identities, fault):  # noqa: F811
    """The old endpoint is asked, or the new one."""
    server = asking(workers=1, env=fault.environment, cache=0, breaker_failures=10000)
    with Endpoint() as other:
        urls = {endpoint.url: endpoint, other.url: other}
        now, refused = endpoint.url, 0
        fault.begin(faults.MEMORY, thread=server.pid)
        server.change(url=now)
        for number in faults.sample(fault.end(), MOST, SEED):
            wanted = next(url for url in urls if url != now)
            server.options["url"] = wanted
            server.rewrite()
            fault.begin(faults.MEMORY, number, thread=server.pid)
            done, log = server.reload()
            fault.end()
            now = wanted if done else now
            count = len(urls[now].asked)
            assert server.answer_to(identities[0]) == SUCCESS
            assert len(urls[now].asked) == count + 1, f"allocation {number}: {log}"
            refused += not done
    assert refused


def test_whatever_allocation_of_its_thread_fails(held, endpoint, identities, fault):  # noqa: F811
    """Each question is asked by a new connection, which libcurl keeps tables of."""
    held.change(timeout="300ms", breaker_failures=10000)
    status, body, _ = says(allow=True, cache_for=0)
    endpoint.answer = lambda asked: (status, body, {"Connection": "close"})
    for _ in range(2):  # the first one loads libraries
        fault.begin(faults.MEMORY, thread=held.asker)
        assert held.answer_to(identities[0]) == SUCCESS
    count, answers = fault.end(), set()
    for number in range(1, count + 1):
        fault.begin(faults.MEMORY, number, thread=held.asker)
        answers.add(held.answer_to(identities[0]))
        fault.end()
    assert answers == {SUCCESS, rp.RelayFull()}
    assert held.answer_to(identities[0]) == SUCCESS


def test_a_thread_without_any_memory(held, identities, fault):
    """It asks again as soon as there is some."""
    held.release.set()
    fault.begin(faults.MEMORY, 1, length=0, thread=held.asker)
    for _ in range(3):
        assert held.answer_to(identities[0]) == rp.RelayFull()
    fault.end()
    assert fault.failed
    assert held.answer_to(identities[0]) == SUCCESS
