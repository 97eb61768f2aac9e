# SPDX-License-Identifier: MPL-2.0
"""Loading modules: which are refused, with which message, and that nothing of them stays."""

import re
import shutil
import signal

import pytest

from broken_modules import BROKEN, STAGES
from module_server import (  # noqa: F401
    ModuleServer, failing_start, folder_of, module_server, transcript,
)
from waiting import wait_for

@pytest.mark.parametrize("name", BROKEN)
def test_broken_module_is_refused(failing_start, module_server, name):
    code, log = failing_start(["log", name])
    assert code == 1, f"exit code: got {code}, want 1; the log:\n{log}"
    assert re.search(rf"error core: module {name} cannot be used: \S+/{name}\.so: .*{BROKEN[name]}",
                     log), log
    assert "listening" not in log
    module_server(["log"], installed=[name])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_module_that_nobody_wants_is_no_matter(module_server, name):
    server = module_server(["log"], installed=[name])
    assert name not in server.log()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_module_that_is_not_required_is_left_out(module_server, name):
    sections = {name: {"required": "no"}}
    server = module_server(["log", name], sections=sections)
    assert re.search(rf"warning core: module {name} cannot be used: .*{BROKEN[name]}.*goes on",
                     server.log())


def test_missing_module(failing_start):
    code, log = failing_start(["log", "nowhere"])
    assert code == 1
    assert "module nowhere is not there: no nowhere.so in /" in log


def test_mistyped_module_name_suggests_the_near_one(failing_start):
    code, log = failing_start(["log", "countr"], installed=["counter"])
    assert code == 1
    assert 'did you mean "counter"?' in log


def test_module_named_twice(failing_start):
    code, log = failing_start(["log", "counter", "log"], installed=["counter"])
    assert code == 1
    assert "the option modules names log twice: leave one out" in log


def test_missing_directory(failing_start, tmp_path):
    code, log = failing_start(["log"], args=["-module-dir", tmp_path / "none"])
    assert code == 1
    assert f"cannot read the module directory {tmp_path}/none: No such file" in log


def test_file_that_is_no_shared_object(failing_start, tmp_path):
    (tmp_path / "text.so").write_text("#!/bin/sh\n")
    code, log = failing_start(["text"], args=["-module-dir", tmp_path])
    assert code == 1
    assert re.search(r"module text cannot be used: \S+/text\.so: (file too short|invalid ELF)", log)


def test_first_directory_wins(module_server, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(folder_of("counter") / "counter.so", copy)
    first = folder_of("counter")
    server = module_server(["counter"], args=["-module-dir", f"{first},{copy}"])
    assert f"{copy}/counter.so is left out, since {first}/counter.so comes first" in server.log()


def test_older_module_runs_without_the_hooks_it_does_not_know(module_server):
    server = module_server(["log", "older"])
    server.connect().close()
    server.wait_for_log("older: asked")
    server.stop()
    assert "beyond its end" not in server.log()


def check_failure(log, stage):
    """Checks the calls of a module that failed at that stage, and their order."""
    calls = transcript(log, "failing")
    want = {
        "check": [],
        "init": ["init"],
        "start": ["init", "start", "fini"],
        "worker-start": ["init", "start", "worker_stop 0", "stop", "fini"],
    }[stage]
    assert calls == want, f"got {calls}, want {want}; the log:\n{log}"


@pytest.mark.parametrize("stage", STAGES)
def test_failing_stage_stops_the_start(failing_start, stage):
    code, log = failing_start(["failing"], sections={"failing": {"at": stage}})
    assert code == 1
    assert f"error core: module failing: fails at {stage}" in log
    assert "listening" not in log
    check_failure(log, stage)


@pytest.mark.parametrize("stage", STAGES)
def test_failing_stage_without_a_reason(failing_start, stage):
    code, log = failing_start(["failing"],
                              sections={"failing": {"at": stage, "silently": "yes"}})
    assert code == 1
    assert "and did not say why" in log


@pytest.mark.parametrize("stage", STAGES)
def test_failing_module_that_is_not_required_is_left_out(module_server, stage):
    sections = {"failing": {"at": stage, "required": "no"}}
    server = module_server(["counter", "failing", "probe"], sections=sections)
    assert f"warning core: module failing: fails at {stage}; it is not required" in server.log()
    check_failure(server.log(), stage)
    seen = server.probe("failing.at")
    assert "metric failing.things" not in seen
    assert seen["option at"] == "none"
    assert seen["service counter"] == "4711"
    assert server.page("/failing")[0] == 404
    ticks = int(seen["metric counter.ticks.worker"])
    wait_for(lambda: int(server.probe()["metric counter.ticks.worker"]) > ticks + 10, "ticks")
    assert "its timer runs" not in server.log()


@pytest.mark.parametrize("stage", STAGES)
def test_failing_module_takes_the_others_along_at_start(failing_start, stage):
    code, log = failing_start(["trace", "failing", "counter"],
                              sections={"failing": {"at": stage}})
    assert code == 1
    calls = transcript(log, "trace")
    want = {
        "check": ["check"],
        "init": ["check", "init", "fini"],
        "start": ["check", "init", "start", "stop", "fini"],
        "worker-start": ["check", "init", "start", "worker_start", "worker_start",
                         "worker_stop", "worker_stop", "stop", "fini"],
    }[stage]
    assert calls == want, f"got {calls}, want {want}"


def test_unknown_verdict_refuses_and_is_told_once(module_server):
    server = module_server(["log", "unknown-verdict", "echo-pair"], workers=1)
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(b"hello")
            try:
                assert connection.recv(1) == b""
            except ConnectionResetError:
                pass
    server.wait_for_log(r"error core: module unknown-verdict: conn_accept returned 0")
    assert server.count("returned 0") == 1


def test_sink_that_logs_does_not_feed_itself(module_server):
    server = module_server(["sink-that-logs", "counter"])
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("sink-that-logs: sunk: reloaded")
    server.stop()
    assert "sunk: sunk" not in server.log()


def test_slow_callbacks_are_told_with_the_module(module_server):
    server = module_server(["log", "slow-timer"])
    server.wait_for_log(r"warning core: a timer of module slow-timer held up the control thread")
    assert server.reload()[0]
    server.wait_for_log(r"warning core: reload of module slow-timer held up the control thread")


def test_crash_names_the_module(tmp_path, relay_keys):
    server = ModuleServer(tmp_path, relay_keys, ["log", "crash-in-hook"])
    server.wait_for_log("core: ready")
    with server.connect():
        code = server.wait_for_exit()
    assert code != 0
    assert re.search(r"SIGSEGV.*crash-in-hook 7\.1", server.log()), server.log()


def test_check_runs_no_module(failing_start):
    code, log = failing_start(["trace", "counter"], args=["-check"])
    assert code == 0
    assert "the configuration is good" in log
    assert transcript(log, "trace") == ["check"]


def test_check_finds_what_a_module_objects_to(failing_start):
    code, log = failing_start(["failing"], sections={"failing": {"at": "check"}}, args=["-check"])
    assert code == 1
    assert "module failing: fails at check" in log
