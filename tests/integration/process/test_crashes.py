# SPDX-License-Identifier: MPL-2.0
"""What is said when the process ends by a fault, an abort, or a call of exit() and the like: whose code it was."""

import re

import pytest

from module_server import ModuleServer

MODULE = r"module crash-ways 2\.5"
#: {how the module ends it: (exit code, what is said)}; None: by a signal
WAYS = {
    "own-thread": (None, rf"SIGSEGV at address 0x[0-9a-f]+, on thread \d+, in {MODULE}$"),
    "own-thread-library": (None, rf"SIGSEGV .*, on thread \d+, in a thread of {MODULE}$"),
    "raw-thread": (None, rf"SIGSEGV .*, on thread \d+, in {MODULE}$"),
    "raw-thread-library": (None, rf"SIGSEGV .*, on thread \d+, called by {MODULE}$"),
    "raw-thread-exit": (7, rf"something called exit\(7\), on thread \d+, called by {MODULE}$"),
    "raw-thread-_exit": (7, rf"something called _exit\(7\), on thread \d+, in {MODULE}$"),
    "event": (None, rf"SIGSEGV at address 0x[0-9a-f]+, on worker 0, in {MODULE}$"),
    "event-library": (None, rf"SIGSEGV .*, on worker 0, called by {MODULE}$"),
    "exit": (7, rf"something called exit\(7\), on worker 0, in {MODULE}$"),
    "_exit": (7, rf"something called _exit\(7\), on worker 0, in {MODULE}$"),
    "_Exit": (7, rf"something called _Exit\(7\), on worker 0, in {MODULE}$"),
    "quick_exit": (7, rf"something called quick_exit\(\), on worker 0, in {MODULE}$"),
    "abort": (None, rf"SIGABRT, raised by itself, on worker 0, in {MODULE}$"),
    "close": (None, r"SIGABRT, raised by itself, on worker 0: the server's own descriptor was "
                    r"closed, by whom is not known$"),
}


@pytest.fixture
def dying(tmp_path, relay_keys):
    servers = []

    def start(modules, **options):
        servers.append(ModuleServer(tmp_path, relay_keys, modules, workers=1, **options))
        servers[-1].wait_for_log("core: ready")
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.wait_for_exit()


@pytest.mark.parametrize("how", WAYS)
def test_it_says_whose_code_it_was(dying, how):
    server = dying(["log", "crash-ways"], sections={"crash-ways": {"how": how}})
    code, want = WAYS[how]
    with server.connect():
        got = server.wait_for_exit()
    assert (got == code) if code else (got != 0), got
    if how == "event-library" and "AddressSanitizer" in server.log():
        return  # its own frames are between the library and the module
    assert re.search("strelaysrv: .*" + want, server.log(), re.MULTILINE), server.log()
    assert "in the server itself" not in server.log()


def test_an_end_in_order_is_no_call_of_exit(dying):
    server = dying(["log", "status"])
    assert server.stop() == 0
    assert "called exit" not in server.log()


def test_the_end_of_a_child_is_not_reported(dying):
    server = dying(["log", "status", "crash-ways"], sections={"crash-ways": {"how": "child-_exit"}})
    with server.connect():
        server.wait_for_log("child ended")
    assert server.stop() == 0
    assert "something called" not in server.log()
