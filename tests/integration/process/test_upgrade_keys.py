# SPDX-License-Identifier: MPL-2.0
"""An upgrade keeps the relay's ID, even if the key files were changed or removed."""

import contextlib
import re
import signal

import pytest

import certificates
from upgrading import Upgrading

FAILED = "core: upgrade failed: .*; this process goes on as before"


@pytest.fixture
def relay(tmp_path, our_program):
    keys = certificates.make(name="strelaysrv").write(tmp_path / "keys")
    with contextlib.ExitStack() as servers:
        server = Upgrading(our_program, tmp_path, keys, ["-drain-spread", "0s"])
        servers.callback(server.finish)
        server.wait_until_serving()
        yield server, keys


def check_failed(server, number, why):
    server.signal(signal.SIGUSR2)
    server.wait_for_count(FAILED, number)
    assert server.count(why) == 1, server.log()
    # An older program would make a new pair, and serve with that.
    assert server.count("core: upgrade: started process") == 0
    assert server.get("/healthz")[0] == 200


def test_a_folder_of_keys_that_is_not_mounted_fails_it(relay):
    server, keys = relay
    was = server.query["id"]
    away = {path.name: path.read_bytes() for path in keys.iterdir()}
    for path in list(keys.iterdir()):
        path.unlink()
    check_failed(server, 1, r"there are no keys in \S+ any more: an upgrade makes no new ones")
    assert not list(keys.iterdir()), "a pair was made"
    certificates.make(name="strelaysrv").write(keys)
    check_failed(server, 2, rf"the keys in \S+ are those of \S+, and the relay is {was}: a new ID "
                            "needs a restart")
    for name, data in away.items():
        (keys / name).write_bytes(data)
    server.upgrade()
    assert server.wait_until_serving().query["id"] == was
    assert "STRELAYSRV_" not in server.log()


def test_every_new_pair_is_told(start, our_program, tmp_path):
    server = start(our_program, keys=tmp_path)
    told = server.wait_for_log(
        rf"core: made a new pair of keys in {re.escape(str(tmp_path))}, since there was none: "
        r"the relay's ID is (\S+)").group(1)
    assert told == server.query["id"]
    again = start(our_program, keys=tmp_path)
    assert again.query["id"] == told and again.count("made a new pair") == 0
