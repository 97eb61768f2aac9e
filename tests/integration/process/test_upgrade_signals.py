# SPDX-License-Identifier: MPL-2.0
"""Signals to both processes while an upgrade is under way, and afterwards."""

import contextlib
import os
import signal
import sys

import pytest

from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection
from upgrading import STUB, children, is_there, start_upgrading  # noqa: F401
from waiting import wait_for


@pytest.fixture
def terminal():
    master, slave = os.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


#: Starts a program as the foreground job of the terminal of that descriptor.
IN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("final", [False, True], ids=["probation", "final"])
def test_a_terminal_interrupts_both(start_upgrading, terminal, identities, final):
    """The new process is in a group of its own until the upgrade is final."""
    master, slave = terminal
    server = start_upgrading("-drain-spread", "0s", "-stop-grace", "0s", "-drain-timeout", "1h",
                             prefix=(sys.executable, "-c", IN_TERMINAL, slave), pass_fds=(slave,))
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()  # keeps the old process
        old, new = server.upgrade()
        if final:
            wait_for(lambda: os.getpgid(new) == os.getpgid(old), "the same group")
        os.write(master, b"\x03")
        assert server.exit_code(old) == 0
        assert server.exit_code(new) in (0, None)
    server.wait_for_count("got SIGINT", 2)
    assert "second signal" not in server.log()


def test_a_stop_of_the_old_process_alone(start_upgrading, identities):
    """An interrupt that is not a terminal's ends only the process that it is sent to."""
    server = start_upgrading("-drain-spread", "0s", "-stop-grace", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        old, _ = server.upgrade()
        server.signal(signal.SIGINT, old)
        assert server.exit_code(old) == 0
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
    assert server.count("got SIGINT") == 1


@pytest.fixture
def stuck(start_upgrading):
    """An upgrade whose new process becomes ready when the file `go` exists."""
    server = start_upgrading("-drain-spread", "0s")
    server.replace_program(STUB + "while not os.path.exists('go'): time.sleep(0.01)\nsys.exit(5)\n")
    server.signal(signal.SIGUSR2)
    server.child = int(server.wait_for_log(r"upgrade: started process (\d+)").group(1))
    return server


def test_a_second_upgrade_meanwhile(stuck):
    stuck.signal(signal.SIGUSR2)
    stuck.wait_for_log("no upgrade: one is under way")
    assert [pid for pid, _ in children(stuck.serving)] == [stuck.child]
    (stuck.folder / "go").touch()
    stuck.wait_for_log("upgrade failed: the new process ended with code 5")


def test_a_reload_meanwhile_comes_after_it(stuck):
    stuck.signal(signal.SIGHUP)
    stuck.wait_for_log("an upgrade is under way: the reload will follow it")
    assert "reloaded" not in stuck.log()
    (stuck.folder / "go").touch()
    stuck.wait_for_log("core: reloaded")


def test_a_stop_meanwhile_ends_both(stuck):
    stuck.signal(signal.SIGTERM)
    assert stuck.exit_code(stuck.serving) == 0
    assert not is_there(stuck.child)


def test_two_stops_meanwhile_end_both(stuck):
    stuck.signal(signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        stuck.signal(signal.SIGINT)
    assert stuck.exit_code(stuck.serving) == 0
    wait_for(lambda: not is_there(stuck.child), "the new process to be gone")


def test_a_drain_meanwhile_calls_it_off(stuck):
    stuck.signal(signal.SIGUSR1)
    stuck.wait_for_log("upgrade failed: the new process was stopped")
    assert stuck.exit_code(stuck.serving) == 0
    assert "drained: the last session has ended" in stuck.log()
    assert not is_there(stuck.child)


def test_no_upgrade_of_a_server_that_drains(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "1h")
    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        server.signal(signal.SIGUSR1)
        server.signal(signal.SIGUSR2)
        server.wait_for_log("no upgrade: the server drains: it was told to end")
        assert not children(server.serving)


def test_signals_to_the_old_one_afterwards(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        old, new = server.upgrade()
        server.signal(signal.SIGUSR2, old)
        server.wait_for_log("no upgrade: another process has taken over: ask that one")
        server.signal(signal.SIGUSR1, old)
        server.wait_for_log("this process drains already")
        server.signal(signal.SIGHUP, old)
        server.wait_for_log("passed on to the new process")
        server.wait_for_log("core: reloaded")
        check_both_ways(*ends)
        server.signal(signal.SIGTERM, old)
        for end in ends:
            end.expect_end_of_file()
            end.close()
        assert server.exit_code(old) == 0
        with ProtocolConnection(server.address, identities[3]) as device:
            device.join()


def test_a_drain_of_the_new_one(start_upgrading, identities):
    """The new process does not wait for the old one's session.  The old process does."""
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        old, new = server.upgrade()
        server.signal(signal.SIGUSR1, new)
        wait_for(lambda: not is_there(new), "the new process to end")
        check_both_ways(*ends)
        server.generations.pop()
        for end in ends:
            end.close()
        assert server.exit_code(old) == 0
