# SPDX-License-Identifier: MPL-2.0
"""The control socket during an upgrade: the new process has it, and the old one is reached, too."""

import signal

from control_client import answer, control_folder, ctl, rows, told  # noqa: F401
from pairing import Invited, check_both_ways
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for


def configuration(folder):
    return 'modules = { log, relay, status, control }\ncontrol { socket = "%s" }\n' % (folder / "s")


def process(server, *words):
    return rows(answer(server, "status", *words))[0]


def test_the_new_process_has_the_socket(start_upgrading, control_folder, identities):  # noqa: F811
    server = start_upgrading(conf=configuration(control_folder), prefix=())
    old = server.serving
    with Invited(server, identities[0], identities[1]) as invited:
        pair = invited.join_both()
        said = told(server, "upgrade")
        assert "a new process serves" in said
        server.wait_for_count("core: ready, with modules", 2)
        wait_for(lambda: process(server)["process"] != old, "the new process at the socket")
        new = process(server)["process"]
        server.generations.append(new)
        wait_for(lambda: (control_folder / "s.draining").exists(), "the old process's socket")
        found = process(server, "-draining")
        assert found["process"] == old and found["sessions"] == 1
        assert found["state"] == "drains, another process serves"
        check_both_ways(*pair)
    server.exit_code(old)
    assert not (control_folder / "s.draining").exists()
    assert process(server)["process"] == new


def test_a_failed_upgrade_is_reported_and_leaves_the_socket(start_upgrading,  # noqa: F811
                                                            control_folder):  # noqa: F811
    server = start_upgrading(conf=configuration(control_folder))
    server.replace_program("#!/bin/sh\nexit 3\n")
    done = ctl(server, "upgrade")
    assert done.returncode == 1 and "not upgraded" in done.stderr, done
    assert process(server)["process"] == server.serving
    server.restore_program()


def test_a_new_process_that_dies_gives_the_socket_back(start_upgrading, control_folder):  # noqa: F811
    server = start_upgrading(conf=configuration(control_folder))
    old = server.serving
    _, new = server.upgrade()
    wait_for(lambda: process(server)["process"] == new, "the new process at the socket")
    server.signal(signal.SIGKILL, new)
    server.wait_for_log("serves again")
    server.generations.remove(new)
    wait_for(lambda: process(server)["process"] == old, "the old process at the socket")
    assert not (control_folder / "s.draining").exists()
