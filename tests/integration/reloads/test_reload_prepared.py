# SPDX-License-Identifier: MPL-2.0
"""The calls of modules during a reload: all prepare, and then all commit or all abandon."""

import signal

import pytest

from module_server import folder_of, module_server  # noqa: F401
from relay_server import module_folder
from upgrading import Upgrading

ONE, TWO, OLD = "prepared-one", "prepared-two", "prepared-old"
EVERYBODY = [ONE, TWO, OLD, "probe", "failing"]


@pytest.fixture
def prepared(module_server):  # noqa: F811
    def start(*modules, **options):
        return module_server([*modules, "probe"], installed=EVERYBODY, **options)

    return start


def calls(server, since=0):
    """All calls of the three modules in order: [("prepared-one", "commit x"), ...]."""
    found = []
    for line in server.log().splitlines():
        for name in (ONE, TWO, OLD):
            if f" notice {name}: " in line:
                found.append((name, line.split(f"{name}: ")[1]))
    return found[since:]


def reload(server, modules, sections):
    """Reloads; returns whether that succeeded, its log, and the calls."""
    since = len(calls(server))
    server.configure([*modules, "probe"], sections)
    done, log = server.reload()
    return done, log, calls(server, since)


def words(*modules, **options):
    return {name: {"word": "two", **options} for name in modules}


def labels(server):
    return {name.removeprefix("metric ") for name in server.probe() if ".labelled." in name}


def test_all_prepare_before_any_commits(prepared):
    server = prepared(ONE, TWO)
    done, _, told = reload(server, [ONE, TWO], words(ONE, TWO))
    assert done
    assert told == [(ONE, "prepare one to two"), (TWO, "prepare one to two"),
                    (ONE, "commit two"), (TWO, "commit two"),
                    (ONE, "reload two"), (TWO, "reload two")]
    assert labels(server) == {f"{ONE}.labelled.two", f"{TWO}.labelled.two"}


def test_who_had_prepared_abandons_when_another_refuses(prepared):
    server = prepared(ONE, TWO)
    sections = words(ONE, TWO)
    sections[TWO]["fail"] = "does not like it"
    done, log, told = reload(server, [ONE, TWO], sections)
    assert not done
    assert f"error core: module {TWO}: does not like it" in log
    assert told == [(ONE, "prepare one to two"), (TWO, "prepare one to two"),
                    (ONE, "abandon one")]
    assert labels(server) == {f"{ONE}.labelled.one", f"{TWO}.labelled.one"}
    done, _, told = reload(server, [ONE, TWO], words(ONE, TWO))
    assert done and told[-1] == (TWO, "reload two")


def test_what_comes_is_undone_when_what_stays_refuses(prepared):
    """Added modules start first, and are stopped again."""
    server = prepared(ONE)
    done, log, told = reload(server, [ONE, TWO], words(ONE, fail="no"))
    assert not done and f"module {ONE}: no" in log
    assert told == [(ONE, "prepare one to two"), (TWO, "stop one")]
    assert labels(server) == {f"{ONE}.labelled.one"}


def test_nothing_is_prepared_when_what_comes_fails(prepared):
    server = prepared(ONE)
    done, _, told = reload(server, [ONE, "failing"],
                           {**words(ONE), "failing": {"at": "start"}})
    assert not done and told == []


def test_who_leaves_is_not_asked(prepared):
    server = prepared(ONE, TWO)
    done, _, told = reload(server, [TWO], words(ONE, TWO))
    assert done
    assert told == [(TWO, "prepare one to two"), (TWO, "commit two"), (TWO, "reload two"),
                    (ONE, "stop one")]


def test_the_servers_own_modules_abandon_too(prepared, tmp_path):
    """Each has prepared something when the last one refuses."""
    modules = ["log", "control", "nat", "bounds", "rate-limit", "relay", TWO]

    def sections(which, **fail):
        return {"control": {"socket": str(tmp_path / f"s{which}")},
                "nat": {"check": f"{which}s"}, TWO: {"word": "two", **fail}}

    server = prepared(*modules, sections=sections(1))
    done, _, told = reload(server, modules, sections(2, fail="does not like it"))
    assert not done
    assert told == [(TWO, "prepare two to two")]
    assert (tmp_path / "s1").is_socket() and not (tmp_path / "s2").exists()


@pytest.mark.parametrize("fails", [True, False], ids=["abandoned", "committed"])
def test_a_timer_of_what_is_abandoned_never_runs(prepared, fails):
    server = prepared(ONE, TWO)
    sections = {**words(ONE, adds="timer"), **words(TWO)}
    sections[TWO]["fail"] = "no" if fails else ""
    done, _, _ = reload(server, [ONE, TWO], sections)
    assert done != fails
    if not fails:
        server.wait_for_log(f"{ONE}: timer two")
        return
    # Only the timer of the next reload runs.  An abandoned timer would have run before it.
    done, _, told = reload(server, [ONE, TWO], {**words(ONE, adds="timer"), **words(TWO)})
    assert done
    server.wait_for_log(f"{ONE}: timer ")
    assert [call for call in calls(server) if call[1].startswith("timer")] == [(ONE, "timer two")]


@pytest.mark.parametrize("what", ["metric", "route", "service", "sink", "alpn"])
def test_nothing_else_can_be_registered(prepared, what):
    """Otherwise an abandoned reload would leave something registered."""
    server = prepared(ONE)
    before = set(server.probe())
    done, log, _ = reload(server, [ONE], words(ONE, adds=what))
    assert not done
    assert f"error core: module {ONE}: cannot add a {what}" in log
    assert "cannot be registered in reload_prepare, only in init" in log
    assert set(server.probe()) == before
    assert server.page("/late")[0] == 404


def test_a_module_built_before_has_reload_only(prepared):
    server = prepared(OLD, ONE)
    done, _, told = reload(server, [OLD, ONE], words(OLD, ONE))
    assert done
    assert told == [(ONE, "prepare one to two"), (ONE, "commit two"),
                    (OLD, "reload two"), (ONE, "reload two")]
    # It cannot refuse.  If another module refuses, it gets no call.
    done, _, told = reload(server, [OLD, ONE], {OLD: {"word": "three", "fail": "no"},
                                                ONE: {"word": "three", "fail": "no"}})
    assert not done and told == [(ONE, "prepare two to three")]


def test_a_stop_waits_for_a_reload_that_has_begun(prepared):
    """Signals are handled by the thread that reloads, so the reload is completed first."""
    server = prepared(ONE, TWO)
    since = len(calls(server))
    server.configure([ONE, TWO, "probe"], words(ONE, TWO, slow="300ms"))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(f"{ONE}: prepare")
    server.send_signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0
    told = calls(server, since)
    assert told == [(ONE, "prepare one to two"), (TWO, "prepare one to two"),
                    (ONE, "commit two"), (TWO, "commit two"),
                    (ONE, "reload two"), (TWO, "reload two"),
                    (TWO, "stop two"), (ONE, "stop two")]


def test_an_upgrade_waits_for_a_reload_that_has_begun(our_program, tmp_path, relay_keys):
    """The new process starts with the configuration that the reload has put into force."""
    folders = f"{module_folder()},{folder_of(ONE)}"
    text = f"modules = {{ {ONE} }}\n{ONE} {{\n word = WORD\n slow = 300ms\n}}\n"
    server = Upgrading(our_program, tmp_path, relay_keys, args=["-module-dir", folders],
                       conf=text.replace("WORD", "one"))
    try:
        server.wait_for_log("ready, with modules:")
        server.conf.write_text(text.replace("WORD", "two"))
        server.signal(signal.SIGHUP)
        server.wait_for_log(f"{ONE}: prepare one to two")
        server.upgrade()
        log = server.log()
        assert log.index(f"{ONE}: commit two") < log.index(" serves; this one, ")
        assert calls(server)[:3] == [(ONE, "prepare one to two"), (ONE, "commit two"),
                                     (ONE, "reload two")]
    finally:
        server.finish()
