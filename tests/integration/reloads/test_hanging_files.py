# SPDX-License-Identifier: MPL-2.0
"""Files whose mount does not answer hold up neither the status address nor a stop; the reload
that wants them is refused."""

import re
import socket

import pytest

import certificates
from hanging import mount  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import Program, RelayServer, module_folder, run
from reloading import reloadable  # noqa: F401
from waiting import PATIENCE, pace, wait_for

#: Seconds after which a file that does not answer is given up.
GIVEN_UP = 10
LISTEN = 'listen = "127.0.0.1:0"\nstatus-srv = "127.0.0.1:0"\n'
RELAY = LISTEN + 'modules = { log, relay, status, prometheus }\nrelay { token-file = "%s" }\n'


@pytest.fixture
def begin(reloadable, mount):  # noqa: F811
    def one(text, *args):
        return reloadable(text, *args, env=mount.environment)

    return one


def hang_at_reload(relay, mount, text):  # noqa: F811
    """Reloads `text`, some of whose files hang."""
    relay.write(text)
    mount.hang()
    relay.server.send_signal(1)
    mount.wait_until_held()


def is_healthy(relay):
    code, _, body = relay.server.get("/healthz")
    return (code, body.strip()) == (200, b"ok")


def expect_refused(relay, reason):
    relay.server.wait_for_count("core: not reloaded: everything stays as it was", 1)
    assert relay.server.count(reason) == 1, relay.server.log()
    assert relay.server.count(f"{reason}.* held up the control thread") == 0


def expect_reload(relay, text):
    done, log = relay.change(text)
    assert done, log


def test_a_hanging_token_refuses_the_reload(begin, mount):  # noqa: F811
    token = mount.file("token", "secret\n")
    relay = begin(RELAY % token)
    hang_at_reload(relay, mount, RELAY % token)
    assert is_healthy(relay)
    expect_refused(relay, f"error core: module relay: {token} has not answered for {GIVEN_UP} s")
    assert is_healthy(relay)
    assert b"strelaysrv_core_file_hangs_total 1\n" in relay.server.get("/metrics")[2]
    assert relay.server.held_up() == 0
    # Another file is read while the first still hangs.
    other = relay.conf.with_name("other")
    other.write_text("other secret\n")
    expect_reload(relay, RELAY % other)
    assert relay.server.count("devices need a different token now") == 1
    mount.answer()
    expect_reload(relay, RELAY % token)
    wait_for(lambda: b"strelaysrv_core_file_threads 0\n" in relay.server.get("/metrics")[2],
             "the threads to end")


def test_a_stop_does_not_wait_for_a_hanging_file(begin, mount):  # noqa: F811
    token = mount.file("token", "secret\n")
    relay = begin(RELAY % token)
    hang_at_reload(relay, mount, RELAY % token)
    assert relay.server.stop() == 0
    assert relay.server.count("core: not reloaded") == 0


def test_a_second_reload_follows_the_one_that_hangs(begin, mount):  # noqa: F811
    token = mount.file("token", "secret\n")
    relay = begin(RELAY % token)
    hang_at_reload(relay, mount, RELAY % token)
    relay.server.send_signal(1)
    relay.server.wait_for_log("a reload is under way: another one follows")
    mount.answer()
    relay.server.wait_for_count("core: reloaded", 2)


def test_a_hanging_configuration_holds_nothing_up(begin, mount):  # noqa: F811
    conf = mount.file("included.conf", LISTEN)
    text = f'include("{conf}")\nmodules = {{ log, relay, status }}\n'
    relay = begin(text)
    hang_at_reload(relay, mount, text)
    assert is_healthy(relay)
    # It names the file that hangs, not the one that includes it.
    relay.server.wait_for_log(f"warning core: the process that reads {conf} is stuck")
    mount.answer()
    relay.server.wait_for_count("core: reloaded", 1)


@pytest.mark.parametrize("how", ["-check", "start"])
def test_a_hanging_file_is_an_error(how, start, our_program, mount, tmp_path):  # noqa: F811
    token = mount.file("token", "secret\n")
    conf = tmp_path / "relay.conf"
    conf.write_text(RELAY % token)
    mount.hang()
    keys = tmp_path / "keys"
    keys.mkdir()
    certificates.make(name="strelaysrv").write(keys)
    args = ["-conf", str(conf), "-keys", str(keys)]
    if how == "-check":
        args.append("-check")
    done = run(our_program, *args, env=mount.environment)
    assert done.returncode == 1, done.stderr
    assert f"module relay: {token} has not answered for {GIVEN_UP} s" in done.stderr


def copy_keys(mount, relay_keys):  # noqa: F811
    keys = mount.folder / "keys"
    keys.mkdir()
    for name in ("cert.pem", "key.pem"):
        (keys / name).write_bytes((relay_keys / name).read_bytes())
        (keys / name).chmod(0o600)
    return keys


@pytest.mark.parametrize("what", ["configuration", "included", "keys", "modules"])
def test_a_start_tells_what_it_waits_for(mount, relay_keys, tmp_path, what):  # noqa: F811
    """The log is not open yet, and the loops do not run."""
    conf = tmp_path / "relay.conf"
    text = LISTEN + "modules = { log, relay, status }\n"
    keys, folders, file = relay_keys, str(module_folder()), None
    if what == "configuration":
        file = conf = mount.file("relay.conf", text)
    elif what == "included":
        file = mount.file("included.conf", text)
        text = f'include("{file}")\n'
    elif what == "keys":
        file = keys = copy_keys(mount, relay_keys)
    else:
        file = mount.folder / "spare.so"
        file.write_bytes(b"")
        folders += f",{mount.folder}"
    conf.write_text(text)
    mount.hang()
    program = Program("ours", 1)
    server = RelayServer(program, [
        program.path, "-conf", str(conf), "-keys", str(keys), "-module-dir", folders],
        tmp_path, env=mount.environment)
    try:
        server.wait_for_log(f"warning core: the start has waited for {file} for 5 s")
        mount.answer()
        server.wait_for_log("core: ready")
    finally:
        server.finish()


def test_a_hanging_log_file_refuses_the_reload(begin, mount):  # noqa: F811
    file = mount.folder / "relay.log"
    text = LISTEN + "modules = { log, relay, status }\n"
    relay = begin(text)
    file.touch()
    hang_at_reload(relay, mount, text + f'log {{ target = file file = "{file}" }}\n')
    assert is_healthy(relay)
    expect_refused(relay, f"error core: module log: {file} has not answered for {GIVEN_UP} s")


def test_a_hanging_control_socket_refuses_the_reload(begin, mount):  # noqa: F811
    path = mount.folder / "s"
    text = LISTEN + "modules = { log, relay, status, control }\n"
    relay = begin(text + f'control {{ socket = "{mount.folder.parent}/s" }}\n')
    hang_at_reload(relay, mount, text + f'control {{ socket = "{path}" }}\n')
    assert is_healthy(relay)
    expect_refused(relay, f"error core: module control: {path} has not answered for {GIVEN_UP} s")


LOGGED = LISTEN + "modules = { log, relay, status, prometheus }\n"


def begin_logged(begin, mount):  # noqa: F811
    """A server whose log file hangs now, on stderr it has logged its addresses."""
    file = mount.folder / "relay.log"
    relay = begin(LOGGED)
    relay.write(LOGGED + f'log {{ target = file file = "{file}" level = debug }}\n')
    relay.server.send_signal(1)
    wait_for(lambda: file.exists() and "core: reloaded" in file.read_text(), "the new log file")
    mount.hang()
    relay.server.send_signal(1)  # it logs this
    mount.wait_until_held()
    return relay, file


def dropped(relay):
    page = relay.server.get("/metrics")[2].decode()
    return int(float(re.search(r"\nstrelaysrv_core_log_dropped_total (\S+)", page).group(1)))


def fill(relay, lines):
    """Logs so many lines at least, at the level debug: one for each connection without TLS."""
    for _ in range(lines):
        with socket.create_connection(relay.server.address, PATIENCE):
            pass


def test_a_log_file_that_hangs_holds_nothing_up(begin, mount):  # noqa: F811
    relay, file = begin_logged(begin, mount)
    assert is_healthy(relay) and dropped(relay) == 0
    assert relay.server.count("has been in module log") == 0
    pace(GIVEN_UP)
    fill(relay, 1)
    relay.server.wait_for_log(rf"error log: {file} has not answered for \d+ s; up to 1024 KiB of "
                              "records wait for it")
    mount.answer()
    wait_for(lambda: "not reloaded: everything stays as it was" in file.read_text(),
             "what has waited")
    assert dropped(relay) == 0 and is_healthy(relay)


def test_a_stop_does_not_wait_long_for_the_log_file(begin, mount):  # noqa: F811
    relay, file = begin_logged(begin, mount)
    assert relay.server.stop() == 0
    assert relay.server.count(f"error log: {file} does not answer; the last records are lost") == 1, relay.server.log()


def test_hanging_keys_are_told(begin, mount, relay_keys):  # noqa: F811
    keys = copy_keys(mount, relay_keys)
    text = LISTEN + "modules = { log, relay, status }\n"
    relay = begin(text, "-keys", keys)
    hang_at_reload(relay, mount, text)
    assert is_healthy(relay)
    relay.server.wait_for_count("core: reloaded", 1)
    assert relay.server.count(f"{keys} has not answered for {GIVEN_UP} s") == 1


def test_a_hanging_list_leaves_the_old_one(begin, mount):  # noqa: F811
    listed = mount.file("list", "192.0.2.1\n")
    text = LISTEN + ("modules = { log, access, relay, status }\n"
                     f'access {{ connect-deny = {{ "@{listed}" }} }}\n')
    relay = begin(text)
    hang_at_reload(relay, mount, text)
    assert is_healthy(relay)
    expect_refused(relay, f"error core: module access: {listed} has not answered for")
    mount.answer()
    listed.write_text("192.0.2.1\n192.0.2.2\n")
    expect_reload(relay, text)
    assert relay.server.count("2 rules and 0 tokens are in force") == 1


QUOTA = LISTEN + ("modules = { log, relay, status, quota }\n"
                  'quota { state-required = no day = 1GB state-file = "%s" save-interval = 1s }\n')


def test_a_hanging_state_holds_nothing_up(begin, mount):  # noqa: F811
    state = mount.folder / "quota.state"
    relay = begin(QUOTA % state)
    mount.hang()
    mount.wait_until_held()
    relay.server.wait_for_log(f"error quota: {state} has not answered for {GIVEN_UP} s; usage "
                              "since the last write is lost")
    assert is_healthy(relay)
    # The state moves to a mount that answers.
    other = relay.conf.with_name("quota.state")
    expect_reload(relay, QUOTA % other)
    wait_for(other.exists, "the first write")
    assert relay.server.held_up() == 0


def test_a_state_that_can_be_read_and_not_written_refuses_the_reload(reloadable, mount):  # noqa: F811
    state = mount.file("quota.state", "new\n")
    before = mount.folder.parent / "before.state"
    relay = reloadable(QUOTA % before, env={
        **mount.environment, "HANG_BELOW": f"{mount.folder}/.quota.state."})
    hang_at_reload(relay, mount, QUOTA % state)
    relay.server.wait_for_count("core: not reloaded: everything stays as it was", 1)
    assert relay.server.count(f"error core: module quota: {state} does not answer") == 1
    assert state.read_text() == "new\n"


def test_a_start_does_not_fail_because_the_disk_is_slow(start, our_program, mount,  # noqa: F811
                                                        tmp_path, identities):
    """The state can be read, and its first write takes long."""
    state = mount.file("quota.state", "new\n")
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, relay, status, quota }\n"
                    f'quota {{ day = 1GB state-file = "{state}" }}\n')
    mount.hang()
    server = start(our_program, "-conf", conf,
                   env={**mount.environment, "HANG_BELOW": f"{mount.folder}/.quota.state."})
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
    assert state.read_text() == "new\n"
    mount.answer()
    wait_for(lambda: state.read_text() != "new\n", "the first write")
    assert server.count(" error ") == 0, server.log()


def test_a_stop_does_not_wait_long_for_a_hanging_state(begin, mount):  # noqa: F811
    state = mount.folder / "quota.state"
    relay = begin(QUOTA % state)
    mount.hang()
    mount.wait_until_held()
    assert relay.server.stop() == 0
    assert relay.server.count(f"error quota: {state} does not answer") == 1


def test_a_hanging_export_holds_nothing_up(begin, mount):  # noqa: F811
    file = mount.folder / "relay.csv"
    relay = begin(LISTEN + "modules = { log, relay, status, csv-exporter }\n"
                  f'csv-exporter {{ file = "{file}" interval = 1s }}\n')
    wait_for(file.exists, "the first lines")
    mount.hang()
    mount.wait_until_held()
    relay.server.wait_for_log(f"warning csv-exporter: {file}: ")
    assert is_healthy(relay)
    assert relay.server.stop() == 0


def test_a_hanging_module_directory_refuses_the_reload(begin, mount):  # noqa: F811
    file = mount.folder / "spare.so"
    text = LISTEN + "modules = { log, relay, status }\n"
    relay = begin(text, "-module-dir", f"{module_folder()},{mount.folder}")
    file.write_bytes(b"")
    hang_at_reload(relay, mount, text)
    assert is_healthy(relay)
    expect_refused(relay, f"error core: cannot read the modules: {file} has not answered for "
                          f"{GIVEN_UP} s")
    mount.answer()
    expect_reload(relay, text)


def test_hanging_keys_do_not_hang_a_module_that_wants_them(begin, mount, relay_keys):  # noqa: F811
    """pool-join sends them to pools.  The start of a module cannot be continued later, so the
    control thread waits for it, but not long."""
    keys = copy_keys(mount, relay_keys)
    relay = begin(LISTEN + "modules = { log, relay, status }\n", "-keys", keys)
    hang_at_reload(relay, mount, LISTEN + "modules = { log, relay, status, pool-join }\n"
                                          "pool-join { pools = { } }\n")
    expect_refused(relay, f"error core: module pool-join: {keys} does not answer")
    assert is_healthy(relay)
