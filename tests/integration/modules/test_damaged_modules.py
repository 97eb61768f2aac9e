# SPDX-License-Identifier: MPL-2.0
"""Module files that are truncated, overwritten, or built for another machine are refused, and the
server keeps running."""

import os
import re
import signal
import subprocess

import pytest

from module_server import folder_of, module_server  # noqa: F401
from relay_server import ROOT, Program, module_folder, run
from upgrading import children
from waiting import wait_for

OURS = Program("ours", 1)
#: Each file is cut in steps of a twentieth.
PARTS = range(20)
MACHINE, CLASS = 18, 4  # offsets in the header


def whole():
    return (folder_of("counter") / "counter.so").read_bytes()


def cut(part):
    return whole()[:len(whole()) * part // 20]


def zeroed(part):
    text = whole()
    return cut(part).ljust(len(text), b"\0")


def changed(offset, value):
    text = bytearray(whole())
    text[offset] = value
    return bytes(text)


@pytest.fixture
def place(tmp_path):
    """place(bytes) puts a file there at once, as installers do."""
    folder = tmp_path / "damaged"
    folder.mkdir()

    def put(text):
        new = folder / "counter.new"
        new.write_bytes(text)
        new.rename(folder / "counter.so")
        return folder

    return put


def reload_with(server, place, text):
    place(text)
    done, news = server.reload()
    assert server.running(), news
    assert server.get("/healthz")[0] == 200
    return done, news


@pytest.fixture
def server(module_server, place):
    """A server without the module; the next reload enables it."""
    server = module_server(["log", "status"], workers=1, installed=[],
                           args=["-module-dir", f"{module_folder()},{place(b'')}"])
    server.configure(["log", "status", "counter"])
    return server


def test_a_reload_refuses_every_cut_and_takes_the_whole(server, place):
    for text in map(cut, PARTS):
        done, news = reload_with(server, place, text)
        assert not done
        assert "module counter cannot be used: " in news
        assert "it is cut off: " in news or "file too short" in news, news
    assert reload_with(server, place, whole())[0]
    assert "counter" in server.log().splitlines()[-1]


def use_counter(server):
    """Calls the module's code on the control thread, on a worker, and in a reload."""
    assert server.get("/counter")[::2] == (200, b"tick\n")
    with server.connect():
        pass
    server.configure(["log", "status", "counter"], {"counter": {"word": "tock"}})
    assert server.reload()[0]
    assert server.get("/counter")[::2] == (200, b"tock\n")
    assert server.running()


@pytest.mark.parametrize("part", PARTS)
def test_a_reload_survives_zeros(server, place, part):
    """A file with zeros at its end, as after a crash.  Where such a module is accepted, it works."""
    done, news = reload_with(server, place, zeroed(part))
    assert done or "module counter cannot be used: " in news, news
    if not done:
        assert reload_with(server, place, whole())[0]
    use_counter(server)


@pytest.mark.parametrize("text, why", [
    (changed(MACHINE, 8), "it was built for another machine"),
    (changed(CLASS, 1), "it was built for another machine"),
    (b"\0" * 9000, "invalid ELF header"),
], ids=["machine", "class", "only-zeros"])
def test_a_reload_refuses_what_is_of_another_kind(server, place, text, why):
    done, news = reload_with(server, place, text)
    assert not done and why in news, news


def test_a_reload_refuses_what_is_no_file(server, place):
    path = place(b"") / "counter.so"
    for make, unmake in ((os.mkfifo, os.unlink), (os.mkdir, os.rmdir)):
        path.unlink(missing_ok=True)
        make(path)
        done, news = server.reload()
        assert not done and "it is no regular file" in news, news
        unmake(path)


#: A module that needs a library.
NEEDY = """
#include <strelaysrv/module.h>
extern int helper;
static int init(struct relay_ctx *cx, struct relay_err *err)
{
	(void)cx;
	(void)err;
	return helper;
}
RELAY_MODULE = {RELAY_MODULE_INFO("counter", "1", "needs a library"),
	.flags = RELAY_CONFINED, .init = init};
"""


def build(folder, source, name, *flags):
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-I", str(ROOT / "include"), "-o",
                    str(folder / f"{name}.so"), str(folder / f"{name}.c"), *flags], check=True)


def test_a_module_whose_library_is_cut_off(server, tmp_path):
    """The file itself is complete, so only opening it shows the damage."""
    folder = tmp_path / "damaged"
    build(tmp_path, "int helper;", "libhelper")
    build(folder, NEEDY, "counter", "-L", str(tmp_path), "-lhelper", f"-Wl,-rpath,{tmp_path}")
    library = tmp_path / "libhelper.so"
    text = library.read_bytes()
    for part in PARTS[4:]:
        library.write_bytes(text[:len(text) * part // 20])
        done, news = server.reload()
        assert server.running() and server.get("/healthz")[0] == 200
        assert done or "module counter cannot be used: " in news, news
        if done:
            break  # the missing part holds tables that are not needed to run it
    assert "a process that opens it ends by SIG" in server.log()


#: It ends whoever opens it.
DEADLY = """
#include <strelaysrv/module.h>
static volatile int *nowhere;
__attribute__((constructor)) static void die(void)
{
	*nowhere = 1;
}
RELAY_MODULE = {RELAY_MODULE_INFO("counter", "1", "dies")};
"""

def test_a_module_that_ends_whoever_opens_it(server, tmp_path, relay_keys):
    build(tmp_path / "damaged", DEADLY, "counter")
    done, news = server.reload()
    assert server.running() and server.get("/healthz")[0] == 200
    assert not done and "a process that opens it ends by SIGSEGV" in news, news
    # A start has nothing to lose, but says which file it was.
    done = run(OURS, "-module-dir", f"{module_folder()},{tmp_path / 'damaged'}", "-conf",
               str(server.conf), "-keys", str(relay_keys), "-listen", "127.0.0.1:0")
    assert done.returncode != 0
    assert re.search(r"fatal signal SIGSEGV at address 0x0, on the control thread, in a module "
                     r"that is being opened: \S+/damaged/counter\.so$", done.stderr, re.MULTILINE), done.stderr


#: It never opens.
ENDLESS = """
#include <strelaysrv/module.h>
#include <unistd.h>
__attribute__((constructor)) static void wait(void)
{
	for (;;)
		pause();
}
RELAY_MODULE = {RELAY_MODULE_INFO("counter", "1", "hangs")};
"""


@pytest.fixture
def reload_endless(server, tmp_path):
    """A reload that tries to open the module is under way."""
    build(tmp_path / "damaged", ENDLESS, "counter")
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: children(server.pid), "the process that tries to open it")
    return server


def test_a_module_that_hangs_whoever_opens_it_holds_nothing_up(reload_endless):
    server = reload_endless
    assert server.get("/healthz")[0] == 200
    assert server.count("core: not reloaded") == 0, "it was not during the reload"
    server.wait_for_log("core: not reloaded: everything stays as it was")
    assert server.count(r"module counter cannot be used: \S+/damaged/counter\.so: to open it takes "
                        "longer than 10 s") == 1, server.log()
    assert server.held_up() == 0, server.log()


def test_a_stop_does_not_wait_for_a_module_that_hangs(reload_endless):
    assert reload_endless.stop() == 0
    assert reload_endless.count("core: not reloaded") == 0


@pytest.mark.parametrize("flag", ["-check", "-modules"])
def test_check_and_list_go_on_beside_damage(place, flag, relay_keys, tmp_path):
    """The module is not enabled.  It is listed as unusable or not at all, and everything else is
    unchanged."""
    texts = [cut(part) for part in PARTS[1::3]] + [zeroed(part) for part in PARTS[1::3]]
    for text in texts:
        folder = place(text)
        done = run(OURS, flag, "-module-dir", f"{module_folder()},{folder}", "-pools=",
                   "-keys", str(relay_keys), "-listen", "127.0.0.1:0", "-status-srv=")
        assert done.returncode == 0, (len(text), done)
        if flag == "-modules":
            assert "\nrelay 1" in done.stdout and "counter" in done.stdout, done.stdout


def test_a_start_refuses_what_is_cut_off(place, tmp_path, relay_keys):
    for part in (1, 10, 19):
        folder = place(cut(part))
        conf = tmp_path / "start.conf"
        conf.write_text("modules = { log, counter }\n")
        done = run(OURS, "-module-dir", f"{module_folder()},{folder}", "-conf", str(conf),
                   "-keys", str(relay_keys), "-listen", "127.0.0.1:0", "-status-srv=")
        assert done.returncode == 1 and "it is cut off: " in done.stderr, done
