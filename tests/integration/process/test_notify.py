# SPDX-License-Identifier: MPL-2.0
"""Notifications to the service manager (sd_notify): ready, reloading, stopping, status,
watchdog."""

import contextlib
import os
import signal
import socket
import time

import pytest

from module_server import ModuleServer
from relay_client import ProtocolConnection
from relay_server import Program, run
from service_manager import Manager
from waiting import PATIENCE, Deadline, pace, wait_for

OURS = Program("ours", 2)


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    address = (str(tmp_path / "notify") if request.param == "path"
               else f"\0relay-notify-{os.getpid()}-{time.monotonic_ns()}")
    manager = Manager(address)
    yield manager
    manager.socket.close()


@pytest.fixture
def path_manager(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.socket.close()


def environment(manager, **more):
    return {**os.environ, "NOTIFY_SOCKET": manager.name, **more}


@pytest.fixture
def serve(start):
    """serve(manager, *args, ...) starts our server with this manager's socket."""
    return lambda manager, *args, env=None, **options: start(
        OURS, *args, env=environment(manager, **(env or {})), **options)


def test_ready_is_told_when_it_serves(serve, manager):
    server = serve(manager, wait=False)
    message, _ = manager.wait_for("READY=1", READY="1")
    server.wait_until_serving()
    assert message["MAINPID"] == str(server.pid)
    assert message["STATUS"] == "connected devices: 0, sessions: 0"
    socket.create_connection(server.address, timeout=PATIENCE).close()


def test_nothing_is_told_where_it_cannot_serve(path_manager, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(OURS, "-listen", f"127.0.0.1:{taken.getsockname()[1]}", "-status-srv=",
                   "-pools=", "-keys", str(tmp_path), env=environment(path_manager))
    assert done.returncode == 1 and "in use" in done.stderr
    assert path_manager.read() == []


def test_stopping_is_told(serve, path_manager):
    server = serve(path_manager)
    server.send_signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0
    path_manager.wait_for("STOPPING=1", STOPPING="1", STATUS="stopping.*")
    assert "READY" not in path_manager.read()[-1]


def test_the_numbers_are_told_when_they_change(serve, path_manager, identities):
    server = serve(path_manager, env={"WATCHDOG_USEC": "2000000"})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        _, at = path_manager.wait_for("one device", STATUS="connected devices: 1, sessions: 0")
    path_manager.wait_for("no device", STATUS="connected devices: 0, sessions: 0", since=at)


class Reloadable(ModuleServer):
    """A server with a manager and a configuration file."""

    def __init__(self, folder, keys, manager, modules=("log",), sections=None, **env):
        before = dict(os.environ)
        os.environ.update(environment(manager, **env))
        try:
            super().__init__(folder, keys, list(modules), sections=sections)
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.wait_for_log("core: ready")


@pytest.fixture
def reloadable(tmp_path, relay_keys, path_manager):
    with contextlib.ExitStack() as servers:

        def start(**options):
            server = Reloadable(tmp_path, relay_keys, path_manager, **options)
            servers.callback(server.finish)
            return server

        yield start


@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_a_reload_is_told_from_its_begin_to_its_end(reloadable, path_manager, good):
    server = reloadable()
    _, ready = path_manager.wait_for("READY=1", READY="1")
    before_us = time.monotonic_ns() // 1000
    if not good:
        server.conf.write_text("workers = many\n")
    assert server.reload()[0] == good
    begin, at = path_manager.wait_for("RELOADING=1", RELOADING="1", since=ready + 1)
    assert before_us <= int(begin["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    path_manager.wait_for("READY=1", READY="1", since=at + 1)


# The watchdog.


def test_signs_of_life_come_often_enough(serve, path_manager):
    serve(path_manager, env={"WATCHDOG_USEC": "2000000"})
    path_manager.wait_for("READY=1", READY="1")
    wait_for(lambda: path_manager.count("WATCHDOG") >= 4, "signs of life")


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "often"},
                                  {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}],
                         ids=["none", "zero", "nonsense", "of-another"])
def test_no_signs_of_life_where_nobody_asks(serve, path_manager, more):
    server = serve(path_manager, env=more)
    path_manager.wait_for("READY=1", READY="1")
    assert server.stop() == 0
    assert path_manager.count("WATCHDOG") == 0


def test_a_worker_that_hangs_ends_the_signs_of_life(reloadable, path_manager, tmp_path):
    hold = tmp_path / "hold"
    server = reloadable(modules=("log", "stuck-worker"),
                        sections={"stuck-worker": {"file": hold}}, WATCHDOG_USEC="3000000")
    wait_for(lambda: path_manager.count("WATCHDOG") >= 1, "a sign of life")
    hold.touch()
    try:
        server.wait_for_log(r"error core: worker 0 has not run its loop for \d+ ms: the service "
                            r"manager is no longer told that all is well")
        told = path_manager.count("WATCHDOG")
        pace(1.0)  # longer than the watchdog's interval
        assert path_manager.count("WATCHDOG") == told
    finally:
        hold.unlink()
    wait_for(lambda: path_manager.count("WATCHDOG") > told, "signs of life to come back")


# Faults of the manager.


@pytest.mark.parametrize("name", ["relative", "@", "/" + "x" * 200])
def test_an_address_that_is_none_ends_the_start(tmp_path, name):
    done = run(OURS, "-listen", "127.0.0.1:0", "-status-srv=", "-pools=", "-keys", str(tmp_path),
               env={**os.environ, "NOTIFY_SOCKET": name})
    assert done.returncode == 1
    assert "NOTIFY_SOCKET is" in done.stderr


def test_a_manager_that_is_gone_is_told_once_and_no_matter(start, tmp_path):
    server = start(OURS, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "gone")})
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("core: reloaded")
    assert server.log().count("cannot tell the service manager anything") == 1


def test_a_manager_that_does_not_read_holds_nothing_up(start, path_manager):
    """The manager's socket accepts a few messages only."""
    server = start(OURS, env=environment(path_manager))
    for n in range(50):
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: server.log().count("core: reloaded") > n, "a reload", Deadline())
    assert server.log().count("cannot tell the service manager anything") == 1
    assert server.stop() == 0


def test_check_and_help_tell_nothing(path_manager, tmp_path):
    for flag in ("-check", "-modules", "-help", "-version"):
        run(OURS, flag, "-pools=", "-keys", str(tmp_path), env=environment(path_manager))
    assert path_manager.read() == []
