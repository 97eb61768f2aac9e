# SPDX-License-Identifier: MPL-2.0
"""What an upgrade waits for may hang: the keys, the program, a file of a module, a worker.  The
server goes on meanwhile: it answers, ends when it is told to, and says what it waited for."""

import contextlib
import signal

import pytest

import certificates
from hanging import mount  # noqa: F401
from module_server import ModuleServer, folder_of
from relay_server import module_folder
from upgrading import STUB, Upgrading, adopt_orphans, children
from waiting import SLOWNESS, wait_for

#: Seconds after which a file that does not answer is given up.
GIVEN_UP = 10
FAILED = "error core: upgrade failed: {why}; this process goes on as before"
STATE = 'modules = {{ log, relay, status, quota }}\nquota {{ day = 1GB state-required = no state-file = "{state}" }}\n'


@pytest.fixture
def begin(tmp_path, our_program, mount, monkeypatch, relay_keys):  # noqa: F811
    """A server that can be upgraded, whose program is in tmp_path, or on the mount."""
    for name in ("LD_PRELOAD", "HANG_BELOW", "HANG_WHILE"):
        monkeypatch.setenv(name, mount.environment[name])
    with contextlib.ExitStack() as servers:

        def one(folder=tmp_path, keys=relay_keys, more=(), **options):
            folders = ",".join(map(str, [module_folder(), *more]))
            server = Upgrading(our_program, folder, keys,
                               ["-drain-spread", "0s", "-module-dir", folders], **options)
            servers.callback(server.finish)
            servers.callback(mount.answer)
            return server.wait_until_serving()

        yield one


@pytest.fixture(params=["keys", "program"])
def hanging(request, begin, mount):  # noqa: F811
    """A server that upgrades, and what hangs there."""
    if request.param == "keys":
        keys = certificates.make(name="strelaysrv").write(mount.folder / "keys")
        server, path = begin(keys=keys), keys
    else:
        server = begin(mount.folder)
        path = server.binary
    mount.hang()
    server.signal(signal.SIGUSR2)
    mount.wait_until_held()
    return server, path


def is_healthy(server):
    code, _, body = server.get("/healthz")
    return (code, body.strip()) == (200, b"ok")


def held_up(server):
    """How many calls have held up a thread. With a sanitizer a busy machine does that itself."""
    return SLOWNESS == 1 and server.count(
        "held up the control thread|has not run its loop|control thread has been")


def test_it_fails_and_names_what_hangs(hanging, mount):  # noqa: F811
    server, path = hanging
    assert is_healthy(server)
    server.signal(signal.SIGUSR2)
    server.wait_for_log("no upgrade: one is under way")
    server.wait_for_log(FAILED.format(why=f"{path} has not answered for {GIVEN_UP} s"))
    assert is_healthy(server) and not held_up(server)
    assert server.count("started process") == 0
    mount.answer()
    wait_for(lambda: not children(server.serving), "no process that was started late")
    server.upgrade()
    assert is_healthy(server)


def test_a_stop_does_not_wait_for_it(hanging):
    server, _ = hanging
    server.signal(signal.SIGTERM)
    assert server.exit_code(server.serving) == 0
    assert server.count("upgrade failed|second signal") == 0


def test_a_drain_calls_it_off(hanging):
    server, _ = hanging
    server.signal(signal.SIGUSR1)
    server.wait_for_log("no upgrade: the server was told to drain")
    assert server.exit_code(server.serving) == 0
    assert server.count("drained: the last session has ended") == 1


def test_a_reload_comes_after_it(hanging, mount):  # noqa: F811
    server, _ = hanging
    server.signal(signal.SIGHUP)
    server.wait_for_log("an upgrade is under way: the reload will follow it")
    mount.answer()
    server.wait_for_log(r"process \d+ serves")
    server.generations.append(children(server.serving)[0][0])
    server.wait_for_log("core: reloaded")


def test_a_state_that_hangs_does_not_prevent_it(begin, mount, tmp_path):  # noqa: F811
    """The new process must read what the old one has counted; but it has no more of it than what
    was written before."""
    server = begin(conf=STATE.format(state=mount.folder / "quota.state"))
    mount.hang()
    server.signal(signal.SIGUSR2)
    mount.wait_until_held()
    assert is_healthy(server)
    told = "warning core: upgrade: the file of module quota does not answer; the new process may"
    assert server.count(told) == 0, "/healthz had to wait for the file"
    server.wait_for_log(told)
    mount.answer()
    server.wait_for_log(r"process \d+ serves")
    server.generations.append(children(server.serving)[0][0])
    assert server.count("drain of module quota held up the control thread") == 0


@pytest.fixture
def stuck(tmp_path, relay_keys):
    """A server whose worker 0 hangs while the file `hold` is there."""
    adopt_orphans()
    hold = tmp_path / "hold"
    server = ModuleServer(tmp_path, relay_keys, ["log", "status", "prometheus", "stuck-worker"],
                          sections={"stuck-worker": {"file": hold}})
    server.wait_for_log("core: ready")
    server.hold = hold
    yield server
    hold.unlink(missing_ok=True)
    if server.running():
        server.finish()


def take_hold(server):
    server.hold.touch()
    wait_for(server.hold.with_name("hold.held").exists, "worker 0 to hang")


@pytest.mark.parametrize("number, begun, refused", [
    (signal.SIGHUP, "core: reloading", "no reload while a worker hangs"),
    (signal.SIGUSR2, "core: got SIGUSR2", "core: no upgrade: worker 0 has been in module"),
], ids=["reload", "upgrade"])
def test_a_worker_that_hangs_holds_nothing_up(stuck, number, begun, refused):
    take_hold(stuck)
    stuck.send_signal(number)
    stuck.wait_for_log(begun)
    assert stuck.page("/healthz")[0] in (200, 503)
    assert stuck.count(refused) == 0, "/healthz had to wait for the worker"
    stuck.wait_for_log(refused)


@pytest.mark.parametrize("number, begun", [(signal.SIGHUP, "core: reloading"),
                                           (signal.SIGUSR2, "core: got SIGUSR2")],
                         ids=["reload", "upgrade"])
def test_a_stop_while_it_is_asked(stuck, number, begun):
    """The stop finds by itself that the worker hangs."""
    take_hold(stuck)
    stuck.send_signal(number)
    stuck.wait_for_log(begun)
    stuck.send_signal(signal.SIGTERM)
    assert stuck.wait_for_exit() == 1
    assert stuck.count("no reload|no upgrade") == 0
    assert stuck.count("the server exits without waiting") == 1


def test_a_worker_that_hangs_before_the_sockets_change_hands(begin, tmp_path):
    hold, go = tmp_path / "hold", tmp_path / "go"
    server = begin(conf=f'modules = {{ log, relay, status, stuck-worker }}\n'
                        f'stuck-worker {{ file = "{hold}" }}\n',
                   more=[folder_of("stuck-worker")])
    server.hold = hold
    server.replace_program(STUB + f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
                           "channel.send(READY)\ntime.sleep(1000)\n")
    server.signal(signal.SIGUSR2)
    server.wait_for_log("upgrade: started process")
    take_hold(server)
    go.touch()
    server.wait_for_log("upgrade failed: the new process cannot take over: a worker of the old "
                        "process hangs; this one, .*, goes on as before")
    assert server.get("/healthz")[0] in (200, 503)
    hold.unlink()
    wait_for(lambda: not children(server.serving), "the new process to end")
    server.restore_program()
    go.unlink()
    server.upgrade()
    assert is_healthy(server)


@pytest.mark.parametrize("when", ["switching", "serving", "kept"])
def test_a_worker_that_hangs_after_the_sockets_changed_hands(begin, tmp_path, when):
    """The new process fails, or stays: the server waits for no worker that would accept again, or
    close its sockets.  And two signals end it at once."""
    hold, go, done, left = (tmp_path / name for name in ("hold", "go", "done", "left"))
    server = begin(conf=f'modules = {{ log, relay, status, stuck-worker }}\n'
                        f'stuck-worker {{ file = "{hold}" }}\n',
                   more=[folder_of("stuck-worker")])
    server.hold = hold
    serve = "" if when == "switching" else "channel.send(SERVING)\n"
    keep = (f"channel.send(KEEP)\nwhile channel.recv(64)[:1] not in (LEFT, b''): pass\nopen({str(left)!r}, 'w')\nos._exit(0)\n"
            if when == "kept" else "os._exit(7)\n")
    server.replace_program(
        STUB + f"KEEP, LEFT = b'\\4', b'\\5'\nchannel.send(READY)\nassert channel.recv(9) == GO\n{serve}"
        f"open({str(done)!r}, 'w')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n{keep}")
    server.signal(signal.SIGUSR2)
    wait_for(done.exists, "the message GO")
    if serve:
        server.wait_for_log("serves; this one, .*, drains")
    take_hold(server)
    go.touch()
    if when == "kept":
        wait_for(left.exists, "the message that the server has left")
    else:
        server.wait_for_log("upgrade failed: the new process ended with code 7")
        assert server.get("/healthz")[0] in (200, 503)
    server.signal(signal.SIGINT)
    server.signal(signal.SIGTERM)
    assert server.exit_code(server.serving) == 0
    assert server.count("the server exits without waiting") == 0
