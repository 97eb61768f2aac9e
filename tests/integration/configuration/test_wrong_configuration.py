# SPDX-License-Identifier: MPL-2.0
"""Each kind of wrong configuration: a start fails, and a reload changes nothing."""

import shutil

import pytest

from module_server import failing_start, folder_of, module_server  # noqa: F401
from relay_server import run

RUNNING = ["log", "counter", "probe"]
#: A valid beginning that differs from the running configuration.  It must not take effect.
CHANGED = "modules = { log, counter, probe }\ncounter { step = 7 }\nnetwork-buffer = 1KiB\n"


def folder(server_folder):
    (server_folder / "a-folder").mkdir(exist_ok=True)
    return "a-folder"


def loop(server_folder):
    link = server_folder / "a-loop"
    if not link.is_symlink():
        link.symlink_to(link)
    return "a-loop"


def part(server_folder):
    (server_folder / "a-part").write_text("counter {\n  step = no-number\n}\n")
    return "a-part"


def half(server_folder):
    (server_folder / "a-half").write_text(CHANGED[: CHANGED.index("step") + 5])
    return "a-half"


def itself(_):
    return "strelaysrv.conf"


#: The text, or a function that makes it, and the expected log line.
WRONG = {
    "an unknown option": (CHANGED + "nonsense = 1\n", "strelaysrv.conf:4"),
    "a near miss": (CHANGED + "worker = 1\n", "workers"),
    "an unknown section": (CHANGED + "nowhere { a = 1 }\n", "nowhere"),
    "a value out of range": (CHANGED + "pipe-size = 1GiB\n", "pipe-size"),
    "a time below zero": (CHANGED + "drain-timeout = -1s\n", "drain-timeout"),
    "a time beyond a year": (CHANGED + "drain-timeout = 9000h\n", "drain-timeout"),
    "a word that is no choice": (CHANGED + "protocol = udp\n", "udp"),
    "a list that is too long": (CHANGED + "listen = { " + ", ".join(f'":{i}"' for i in range(65))
                                + " }\n", "65"),
    "a brace too few": (CHANGED.replace("step = 7 }", "step = 7"), "strelaysrv.conf"),
    "half a file": (CHANGED[:30], "strelaysrv.conf"),
    "bytes that are no text": ("\0\1\2" + CHANGED, "strelaysrv.conf"),
    "a module that is not there": (CHANGED.replace("probe", "probe, nowhere"), "nowhere"),
    "a module named twice": (CHANGED.replace("probe", "probe, probe"), "twice"),
    "an include that is missing": (CHANGED + 'include("no-such-part")\n', "no-such-part"),
    "an include of a folder": (lambda at: CHANGED + f'include("{folder(at)}")\n', "a-folder"),
    "an include that cannot be opened": (lambda at: CHANGED + f'include("{loop(at)}")\n', "a-loop"),
    "an include that is wrong": (lambda at: CHANGED + f'include("{part(at)}")\n', "a-part:2"),
    "an include of half a file": (lambda at: CHANGED + f'include("{half(at)}")\n', "a-half"),
    "an include of itself": (lambda at: CHANGED + f'include("{itself(at)}")\n', "strelaysrv.conf"),
    "a log file that is a folder": (
        lambda at: CHANGED + f'log {{ target = file  file = "{at / folder(at)}" }}\n', "a-folder"),
    "a log file in no folder": (
        CHANGED + 'log { target = file  file = "/no-such-folder/log" }\n', "/no-such-folder/log"),
}


def text_of(what, at):
    text = WRONG[what][0]
    return text(at) if callable(text) else text


@pytest.mark.parametrize("what", WRONG)
def test_at_the_start(failing_start, tmp_path, monkeypatch, what):  # noqa: F811
    monkeypatch.setattr("module_server.ModuleServer.configure",
                        lambda self, *_, **__: self.conf.write_text(text_of(what, tmp_path)))
    code, log = failing_start(RUNNING)
    assert code == 1, log
    assert WRONG[what][1] in log, log
    assert "ready" not in log and "listening on" not in log


@pytest.mark.parametrize("what", WRONG)
def test_at_a_reload(module_server, tmp_path, what):  # noqa: F811
    server = module_server(RUNNING)
    before = server.descriptors()
    for _ in range(2):
        server.conf.write_text(text_of(what, tmp_path))
        done, log = server.reload()
        assert not done
        assert WRONG[what][1] in log and "error core: " in log, log
        assert "not reloaded: everything stays as it was" in log
        seen = server.probe("counter.step", "network-buffer")
        assert seen["option step"] == "1" and seen["option network-buffer"] == "65536"
    server.wait_for_descriptors(before)
    server.conf.write_text(CHANGED)
    assert server.reload()[0], "once it is right"
    assert server.probe("counter.step")["option step"] == "7"


def test_an_empty_file_is_one_that_is_being_written(module_server):  # noqa: F811
    """With the defaults, a private relay would become public."""
    server = module_server(RUNNING)
    server.conf.write_text("")
    done, log = server.reload()
    assert not done and "strelaysrv.conf is empty" in log
    assert server.probe("counter.step")["option step"] == "1"


@pytest.mark.parametrize("make", [
    lambda file: file.unlink(),
    lambda file: file.write_bytes(b""),
    lambda file: file.write_bytes(file.read_bytes()[:500]),
    lambda file: file.write_bytes(b"\x7fELF" + bytes(1000)),
    lambda file: (file.unlink(), file.mkdir()),
    lambda file: (file.unlink(), file.symlink_to(file)),
], ids=["deleted", "empty", "cut off", "no object", "a folder", "a loop"])
def test_a_module_s_file_that_is_wrong(module_server, tmp_path, make):  # noqa: F811
    """For a module that the reload adds."""
    files = tmp_path / "files"
    files.mkdir()
    folders = f"{files},{folder_of('counter')},{folder_of('probe')}"
    server = module_server(["counter", "probe"], args=["-module-dir", folders])
    shutil.copy(folder_of("heir") / "heir.so", files)
    make(files / "heir.so")
    server.configure(["heir", "probe"], {"counter": {"step": 7}})
    done, log = server.reload()
    assert not done
    assert "module heir cannot be used" in log or "module heir is not there" in log, log
    assert server.page("/counter") == (200, "tick\n")
    assert server.probe("counter.step")["option step"] == "1"


def test_includes_of_includes_have_a_bound_in_all(plain_program, tmp_path):
    """Each of seven files includes the next one ten times: a million in all."""
    for number in range(7):
        text = f'include("f{number + 1}.conf")\n' * 10 if number < 6 else "# the last one\n"
        (tmp_path / f"f{number}.conf").write_text(text)
    (tmp_path / "c.conf").write_text('include("f0.conf")\n')
    result = run(plain_program, "-conf", str(tmp_path / "c.conf"), "-keys", str(tmp_path), "-check")
    assert result.returncode == 1
    assert "include(): more than 1000 times in all" in result.stderr, result.stderr


def test_included_files_have_a_bound_of_bytes_in_all(plain_program, tmp_path):
    (tmp_path / "long.conf").write_text("# a comment\n" * 87000)
    conf = tmp_path / "c.conf"
    conf.write_text('include("long.conf")\n' * 20)
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check")
    assert result.returncode == 1
    assert "c.conf:17: include(): more than 16 MiB in all" in result.stderr, result.stderr
