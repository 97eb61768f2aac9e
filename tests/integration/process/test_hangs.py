# SPDX-License-Identifier: MPL-2.0
"""A thread that hangs in a module is reported, and nothing waits for it for ever."""

import contextlib
import re
import signal

import pytest

from module_server import ModuleServer
from service_manager import Manager
from suspending import suspended
from waiting import Deadline, pace, wait_for

MODULES = ["log", "status", "prometheus", "stuck-worker"]
#: Seconds of silence after which it is told.
HANG = 5
#: So many modules that take 1 s each.
SLOW = range(1, HANG + 2)
IN_MODULE = r"has been in module stuck-worker for \d+ s"


@pytest.fixture
def hold(tmp_path):
    """While this file is there, the module does not return."""
    path = tmp_path / "hold"
    yield path
    path.unlink(missing_ok=True)


def take_hold(hold):
    hold.touch()
    wait_for(hold.with_name("hold.held").exists, "the module to hold a thread up")


@pytest.fixture
def start(tmp_path, relay_keys, hold):
    with contextlib.ExitStack() as servers:

        def one(place="worker", end=None, modules=MODULES, **options):
            server = ModuleServer(tmp_path, relay_keys, modules, sections={
                "stuck-worker": {"file": hold, "in": place}}, **options)
            servers.callback(finish, server, end)
            server.wait_for_log("core: ready")
            return server

        def finish(server, end):
            hold.unlink(missing_ok=True)
            try:
                assert server.stop() == (end or 0), server.log()
            finally:
                server.process.kill()

        yield one


def health(server):
    code, text = server.page("/healthz")
    return code, text.strip()


def metric(server, line):
    return f"strelaysrv_{line}\n" in server.page("/metrics")[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_hangs_is_told_and_holds_up_nothing_else(start, hold, workers):
    server = start(workers=workers)
    assert health(server) == (200, "ok")
    hold.touch()
    server.wait_for_log(rf"error core: worker 0 {IN_MODULE}")
    code, text = health(server)
    assert code == 503 and text.startswith("worker 0 has been in module stuck-worker for "), text
    assert metric(server, 'core_hanging_threads{loop="worker"} 1')
    assert metric(server, 'core_hangs_total{loop="worker"} 1')
    assert metric(server, 'core_module_hangs_total{module="stuck-worker"} 1')
    done, news = server.reload()
    assert not done and "no reload while a worker hangs" in news, news
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("no upgrade: worker 0 has been in module stuck-worker")
    assert health(server)[0] == 503
    hold.unlink()
    server.wait_for_log("notice core: worker 0 runs its loop again, after .* in module stuck-worker")
    assert health(server) == (200, "ok")
    assert metric(server, 'core_hanging_threads{loop="worker"} 0')
    assert server.reload()[0]


def test_a_reload_is_refused_as_soon_as_a_worker_does_not_answer(start, hold):
    """Sooner than it counts as hanging."""
    server = start()
    take_hold(hold)
    assert not server.reload()[0]
    assert "no reload while a worker hangs" in server.log()
    assert server.page("/metrics")[0] == 200


@pytest.mark.parametrize("grace", ["0s", "1s"])
def test_the_end_does_not_wait_for_a_worker_that_hangs(start, hold, grace):
    server = start(end=1, stop_grace=grace)
    take_hold(hold)
    server.send_signal(signal.SIGTERM)
    assert server.wait_for_exit() == 1
    assert "module stuck-worker for " in server.log()
    assert "the server exits without waiting" in server.log()


@pytest.fixture
def manager(tmp_path, monkeypatch):
    manager = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", manager.name)
    yield manager
    manager.socket.close()


def test_a_control_thread_that_hangs_is_told_from_beside_it(start, hold, manager):
    server = start("control")
    hold.touch()
    server.wait_for_log(rf"error core: the control thread {IN_MODULE}: meanwhile HTTP requests")
    manager.wait_for("what hangs", STATUS=f"the control thread {IN_MODULE}")
    hold.unlink()
    server.wait_for_log("the control thread runs its loop again, after .* in module stuck-worker")
    assert health(server) == (200, "ok")
    assert metric(server, 'core_hangs_total{loop="control"} 1')
    assert metric(server, 'core_module_hangs_total{module="stuck-worker"} 1')


@pytest.mark.parametrize("place, thread", [("worker-event", "worker 0"),
                                           ("control-event", "the control thread")])
def test_an_event_of_a_module_that_hangs_is_told_with_its_name(start, hold, place, thread):
    """The module has made it with libevent's functions, so the server did not call it."""
    server = start(place)
    hold.touch()
    server.wait_for_log(rf"error core: {thread} {IN_MODULE}, in an event that the server did not")
    if place == "worker-event":
        code, text = health(server)
        assert code == 503 and text.startswith("worker 0 has been in module stuck-worker for "), text
    hold.unlink()
    server.wait_for_log(rf"{thread} runs its loop again, after .* in module stuck-worker")
    assert health(server) == (200, "ok")
    assert metric(server, 'core_module_hangs_total{module="stuck-worker"} 1')


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGTERM),
                                     (signal.SIGINT, signal.SIGTERM)], ids=["same", "other"])
def test_a_second_signal_ends_it_though_no_loop_turns(start, hold, numbers):
    server = start("control", workers=1)
    take_hold(hold)
    server.send_signal(numbers[0])
    assert not ends_within(server, 0.5)
    server.send_signal(numbers[1])
    assert server.wait_for_exit() == 0
    assert "ends at the second signal" in server.log()


def ends_within(server, seconds):
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not server.running(), "", Deadline(seconds))
        return True
    return False


def test_who_was_suspended_does_not_hang(start):
    """A closed laptop, a migration of a virtual machine, or a debugger suspends the process."""
    server = start()
    with suspended(server):
        pace(HANG + 1.5)
    assert health(server) == (200, "ok")
    assert server.reload()[0]
    assert " core: worker " not in server.log() and "control thread has" not in server.log()


def test_a_worker_that_hangs_amid_a_reload_ends_the_process(start, hold):
    """The reload can neither be finished nor given up. The server waits for a minute."""
    server = start("leaving", end=1)
    hold.touch()
    server.configure(["log", "status"])
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: not server.running(), "the end", Deadline(120))
    assert server.wait_for_exit() == 1
    assert "this process cannot go on without it, and ends" in server.log()


def run_slowly(tmp_path, relay_keys, place, modules, time):
    server = ModuleServer(tmp_path, relay_keys, ["log", *modules], workers=2, sections={
        name: {"in": place, "time": time} for name in modules})
    server.wait_for_log("core: ready")
    assert server.stop() == 0
    return server.log()


@pytest.mark.parametrize("place", ["init", "start", "worker-start", "worker-stop", "stop"])
def test_many_slow_modules_do_not_hang(tmp_path, relay_keys, place):
    """Together they take longer than what counts as hanging, at the start or at the end."""
    log = run_slowly(tmp_path, relay_keys, place, [f"slow-{i}" for i in SLOW], "1s")
    assert " for 5 s" not in log and "runs its loop again" not in log


@pytest.mark.parametrize("place, thread", [("start", "the control thread"),
                                           ("worker-start", "worker 0"),
                                           ("worker-stop", "worker 0"),
                                           ("stop", "the control thread")])
def test_one_module_hangs_at_the_start_or_the_end(tmp_path, relay_keys, place, thread):
    log = run_slowly(tmp_path, relay_keys, place, ["slow-1"], f"{HANG + 2}s")
    assert re.search(f"{thread} has been in module slow-1 for", log), log
    others = {"the control thread", "worker 0", "worker 1"} - {thread}
    if thread == "worker 0":
        others.remove("the control thread")  # it waits for the worker
    assert not any(f"{other} has " in log for other in others), log
