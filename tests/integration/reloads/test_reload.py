# SPDX-License-Identifier: MPL-2.0
"""SIGHUP: modules are added and removed, options change, and connections stay."""

import shutil
import time

import pytest

from broken_modules import BROKEN, STAGES
from module_server import folder_of, module_server  # noqa: F401
from pairs import connect_pair, swap
from streams import CheckedStream
from waiting import pace, wait_for


def test_removed_module_is_gone_and_comes_back(module_server):
    server = module_server(["probe", "counter"])
    assert server.page("/counter") == (200, "tick\n")
    wait_for(lambda: int(server.probe()["metric counter.ticks.worker"]) > 10, "ticks")
    assert server.probe()["service counter"] == "4711"

    server.configure(["probe"])
    assert server.reload()[0]
    assert server.page("/counter")[0] == 404
    seen = server.probe("counter.step")
    assert not [name for name in seen if name.startswith("metric counter")]
    assert "service counter" not in seen
    assert seen["option step"] == "none"

    server.configure(["counter", "probe"])
    assert server.reload()[0]
    assert server.page("/counter") == (200, "tick\n")
    again = server.probe()
    assert again["service counter"] == "4711"
    assert int(again["metric counter.ticks.worker"]) > 10, "counters must not go backwards"
    assert int(again["metric counter.delays"]) > 10


def test_timers_of_a_removed_module_stop(module_server):
    server = module_server(["probe", "counter"])
    ticks = int(server.probe()["metric counter.ticks.worker"])
    begin = time.monotonic()
    server.configure(["probe"])
    assert server.reload()[0]
    pace(1.0)
    server.configure(["probe", "counter"])
    assert server.reload()[0]
    more = int(server.probe()["metric counter.ticks.worker"]) - ticks
    running = time.monotonic() - begin - 1.0
    assert more <= 2 * running / 0.005 + 2, f"{more} ticks in {running:.3f} s"


def test_module_takes_the_place_of_another(module_server):
    """Both modules have the same service and route.  One reload replaces the first by the
    second."""
    server = module_server(["probe", "counter"], installed=["probe", "counter", "heir", "failing"])
    server.configure(["probe", "heir"])
    assert server.reload()[0]
    assert server.page("/counter") == (200, "heir\n")
    assert server.probe()["service counter"] == "4712"
    assert "heir: found no service" in server.log()
    server.configure(["probe", "counter", "failing"], {"failing": {"at": "worker-start"}})
    assert not server.reload()[0]
    assert server.page("/counter") == (200, "heir\n")
    assert server.probe()["service counter"] == "4712"
    server.configure(["probe", "counter"])
    assert server.reload()[0]
    assert server.page("/counter") == (200, "tick\n")
    assert server.probe()["service counter"] == "4711"


def test_options_change_on_every_thread(module_server):
    server = module_server(["probe", "counter"])
    server.configure(["probe", "counter"], {"counter": {"step": 1000, "word": "tock"}})
    done, log = server.reload()
    assert done
    assert 'option counter.step changes from "1" to "1000"' in log
    assert 'option counter.word changes from "tick" to "tock"' in log
    assert "counter: reload: tock" in log
    assert server.page("/counter") == (200, "tock\n")
    seen = server.probe("counter.step")
    assert seen["option step"] == "1000" and seen["metric counter.step"] == "1000"
    before = int(seen["metric counter.ticks.worker"])
    wait_for(lambda: int(server.probe()["metric counter.ticks.worker"]) >= before + 2000,
             "workers that count by thousands")


def test_reload_without_a_change_still_tells_modules(module_server):
    server = module_server(["trace"])
    done, log = server.reload()
    assert done and "no option has changed" in log
    assert server.transcript("trace")[-2:] == ["check", "reload"]


def test_secrets_are_not_shown(module_server):
    server = module_server(["counter"], sections={"counter": {"password": "first-secret"}})
    server.configure(["counter"], {"counter": {"password": "second-secret"}})
    done, log = server.reload()
    assert done
    assert "option counter.password changes" in log
    assert "-secret" not in server.log()


def test_what_needs_a_restart_is_told_each_time(module_server):
    server = module_server(["probe", "counter"])
    server.configure(["probe", "counter"], {"counter": {"room": "2KiB"}})
    for _ in range(2):
        done, log = server.reload()
        assert done
        assert 'option counter.room changes from "1KiB" to "2KiB": this needs a restart' in log
        assert "no option has changed" not in log
    assert server.probe("counter.room")["option room"] == "1024", "the value in force"
    server.configure(["probe", "counter"])
    done, log = server.reload()
    assert done and "needs a restart" not in log


def test_a_module_that_starts_anew_takes_what_needs_a_restart(module_server):
    server = module_server(["probe", "counter"])
    server.configure(["probe"], {"counter": {"room": "2KiB"}})
    assert server.reload()[0]
    server.configure(["probe", "counter"], {"counter": {"room": "2KiB"}})
    done, log = server.reload()
    assert done and "needs a restart" not in log
    assert server.probe("counter.room")["option room"] == "2048"


def test_debug_can_be_switched_on(module_server):
    server = module_server(["log", "echo-pair"], debug="no")
    server.configure(["log", "echo-pair"], debug="yes")
    assert server.reload()[0]
    with server.connect() as connection:
        connection.sendall(b"\x16is no handshake")
        connection.recv(100)
    server.wait_for_log(" debug core: ")


def test_essential_module_cannot_be_removed(module_server):
    server = module_server(["keeper", "counter"])
    server.configure(["counter"])
    done, log = server.reload()
    assert not done
    assert "module keeper serves clients that stay connected; it cannot be removed" in log
    server.configure(["counter", "keeper"])
    assert server.reload()[0]


def unchanged(server):
    """Checks that the server runs as before."""
    seen = server.probe("counter.step")
    assert seen["option step"] == "1"
    assert seen["service counter"] == "4711"
    assert server.page("/counter") == (200, "tick\n")
    assert server.page("/failing")[0] == 404
    assert "metric failing.things" not in seen
    ticks = int(seen["metric counter.ticks.worker"])
    wait_for(lambda: int(server.probe()["metric counter.ticks.worker"]) > ticks, "ticks")


@pytest.mark.parametrize("text", [
    None, "", "modules = { counter, probe", "modules = { counter, probe, nowhere }",
    "modules = { counter, probe, counter }", "modules = { counter, probe }\nnonsense = 1",
    "modules = { counter, probe }\ncounter { step = 0 }",
    "modules = { counter, probe }\ncounter { stepp = 2 }", "\0\1\2",
])
def test_wrong_file_leaves_all_as_it_was(module_server, text):
    server = module_server(["counter", "probe"])
    if text is None:
        server.conf.unlink()
    elif text == "":
        server.conf.unlink()
        server.conf.mkdir()
    else:
        server.conf.write_text(text)
    done, log = server.reload()
    assert not done
    assert "error core: " in log
    unchanged(server)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_module_leaves_all_as_it_was(module_server, name):
    server = module_server(["counter", "probe"], installed=["counter", "probe", name])
    server.configure(["probe", "counter", name], {"counter": {"step": 7}})
    done, log = server.reload()
    assert not done
    assert f"module {name} cannot be used" in log
    unchanged(server)


@pytest.mark.parametrize("stage", STAGES)
def test_failing_module_leaves_all_as_it_was(module_server, stage):
    server = module_server(["counter", "probe"], installed=["counter", "probe", "failing", "trace"])
    server.configure(["probe", "counter", "trace", "failing"],
                     {"counter": {"step": 7}, "failing": {"at": stage}})
    for _ in range(3):
        done, log = server.reload()
        assert not done
        assert f"module failing: fails at {stage}" in log
        unchanged(server)
    log = server.transcript("trace")
    assert log.count("init") == log.count("fini")
    assert log.count("start") == log.count("stop")
    assert log.count("worker_start") == log.count("worker_stop")


@pytest.mark.parametrize("stage", STAGES)
def test_failing_module_that_is_not_required(module_server, stage):
    server = module_server(["counter", "probe"], installed=["counter", "probe", "failing"])
    server.configure(["counter", "probe", "failing"],
                     {"failing": {"at": stage, "required": "no"}})
    done, log = server.reload()
    assert done
    assert f"warning core: module failing: fails at {stage}; it is not required" in log
    unchanged(server)
    # The next reload tries the failed module again.
    server.configure(["counter", "probe", "failing"])
    assert server.reload()[0]
    assert server.page("/failing")[0] == 200


def test_running_module_that_objects_leaves_all_as_it_was(module_server):
    server = module_server(["counter", "probe", "failing"],
                           sections={"failing": {"required": "no"}})
    server.configure(["counter", "probe", "failing"],
                     {"counter": {"step": 7}, "failing": {"at": "check", "required": "no"}})
    done, log = server.reload()
    assert not done
    assert "module failing: fails at check" in log
    assert server.probe("counter.step")["option step"] == "1"


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_under_load_loses_no_byte(module_server, workers):
    others = ["trace", "counter", "probe"]
    server = module_server(["echo-pair"], installed=["echo-pair", *others], workers=workers,
                           args=["-debug=false"])
    pairs = [connect_pair(server) for _ in range(6)]
    streams = [CheckedStream(*pair) for pair in pairs]
    streams += [CheckedStream(b, a) for a, b in pairs]
    for number in range(12):
        modules = [["counter", "echo-pair", "probe"], ["echo-pair", "probe"],
                   ["trace", "echo-pair", "counter"]][number % 3]
        server.configure(modules, {"counter": {"step": number + 1}})
        assert server.reload()[0]
    for stream in streams:
        stream.finish()
    swap_new = connect_pair(server)
    swap(*swap_new, b"and on")
    assert "error trace" not in server.log()


def test_many_reloads_leave_nothing_behind(module_server):
    server = module_server(["probe"], installed=["probe", "counter", "trace", "failing"])
    server.configure(["probe", "counter", "trace"])
    server.reload()
    server.configure(["probe"])
    server.reload()
    open_before = server.descriptors()
    for number in range(30):
        server.configure(["probe", "counter", "trace"] if number % 2 else ["probe"])
        assert server.reload()[0]
    server.configure(["probe"])
    assert server.reload()[0]
    server.wait_for_descriptors(open_before)


def test_new_file_of_a_module_needs_a_restart(module_server, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(folder_of("counter") / "counter.so", copy)
    server = module_server(["counter"], args=["-module-dir", copy])
    shutil.copy(folder_of("counter") / "counter.so", copy / "new")
    (copy / "new").rename(copy / "counter.so")
    done, log = server.reload()
    assert done
    assert "counter.so has changed; its new code needs a restart" in log
    assert server.page("/counter") == (200, "tick\n")


def test_module_that_appears_can_be_enabled(module_server, tmp_path):
    modules = tmp_path / "more"
    modules.mkdir()
    server = module_server([], args=["-module-dir", modules])
    shutil.copy(folder_of("counter") / "counter.so", modules)
    server.configure(["counter"])
    assert server.reload()[0]
    assert server.page("/counter") == (200, "tick\n")
    (modules / "counter.so").unlink()
    assert server.reload()[0], "a module that runs needs its file no more"
    server.configure([])
    assert server.reload()[0]
    server.configure(["counter"])
    done, log = server.reload()
    assert not done
    assert "module counter is not there" in log
