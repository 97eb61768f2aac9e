# SPDX-License-Identifier: MPL-2.0
"""Tests the test tools: they notice a server that crashes, leaks, or has a sanitizer report."""

import pytest

import relay_server
from relay_server import Program
from waiting import Deadline, wait_for

FAKE = """#!/bin/sh
trap 'exit {code}' TERM
echo 'URI: relay://127.0.0.1:1/?id=X&statusAddr=127.0.0.1%3A1' >&2
echo '{line}' >&2
{action}
while :; do sleep 0.1; done
"""


@pytest.fixture
def start_fake(tmp_path, monkeypatch):
    """start_fake(...) starts a script instead of our server."""

    def start(line="all is well", code=0, action=""):
        script = tmp_path / "fake"
        script.write_text(FAKE.format(line=line, code=code, action=action))
        script.chmod(0o755)
        monkeypatch.setenv("STRELAYSRV", str(script))
        return relay_server.start(Program("ours"), tmp_path)

    return start


def test_a_clean_server_is_fine(start_fake):
    start_fake().finish()


@pytest.mark.parametrize("line", [
    "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
    "==1==ERROR: LeakSanitizer: detected memory leaks",
    "relay.c:7:3: runtime error: signed integer overflow",
    "WARNING: ThreadSanitizer: data race (pid=1)",
])
def test_a_sanitizers_report_is_noticed(start_fake, line):
    server = start_fake(line)
    server.wait_for_log("Sanitizer|runtime error")
    with pytest.raises(AssertionError, match="reports"):
        server.finish()


def test_a_bad_exit_code_is_noticed(start_fake):
    with pytest.raises(AssertionError, match="ended after SIGTERM with 23"):
        start_fake(code=23).finish()


def test_a_server_that_dies_during_the_test_is_noticed(start_fake):
    server = start_fake(action="kill -SEGV $$")
    server.wait_for_exit()
    with pytest.raises(AssertionError, match="ended during the test with -11"):
        server.finish()


def test_a_descriptor_that_stays_open_is_noticed(start_fake):
    server = start_fake(action="exec 9</dev/null; echo opened >&2")
    server.wait_for_log("opened")
    with pytest.raises(AssertionError, match="open descriptors at most"):
        server.wait_for_descriptors(0, Deadline(0.1))
    server.finish()


def test_a_wait_that_is_given_up_says_for_what():
    with pytest.raises(AssertionError, match="waiting for the impossible"):
        wait_for(lambda: False, "the impossible", Deadline(0.05))


def test_a_missing_program_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("STRELAYSRV", str(tmp_path / "nothing-here"))
    with pytest.raises(AssertionError, match="nothing-here.*build it"):
        relay_server.start(Program("ours"), tmp_path)
