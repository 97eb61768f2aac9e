# SPDX-License-Identifier: MPL-2.0
"""Real clients of Magic Wormhole, unchanged, through our transit relay; all on loopback."""

import hashlib
import os
import shutil
import subprocess

import pytest

from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from relay_server import free_port
from upgrading import start_upgrading  # noqa: F401
from waiting import PATIENCE, Deadline, wait_for
from wormhole import number

#: Bytes of the one large file; WORMHOLE_BYTES=1073741824 sends 1 GiB.
LARGE = int(os.environ.get("WORMHOLE_BYTES", str(16 << 20)))
#: Seconds until a transfer fails.
TRANSFER = PATIENCE * 2 + LARGE / 1e6

CONF = """modules = {{ log, bounds, wormhole-transit, relay, rate-limit, status, prometheus }}
status-srv = "127.0.0.1:0"
relay {{ network-timeout = 1h }}
listener "main" {{ address = "127.0.0.1:{main}" }}
listener "wormhole" {{
  address = "127.0.0.1:{port}"
  protocol = wormhole-transit }}
"""


@pytest.fixture
def mailbox(tmp_path):
    """The port of a mailbox server, by which clients agree on a token."""
    port = free_port()
    folder = tmp_path / "mailbox"
    folder.mkdir()
    log = folder / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "twisted", "wormhole-mailbox", "--port",
             f"tcp:{port}:interface=127.0.0.1"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(lambda: b"Starting reactor" in log.read_bytes(), "the mailbox server")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Wormhole:
    """`wormhole send` or `receive`, in a folder of its own, by the relay only."""

    def __init__(self, mailbox, transit, folder, *words):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._log = open(folder.with_suffix(".log"), "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            ["/usr/bin/wormhole", "--relay-url", f"ws://127.0.0.1:{mailbox}/v1",
             "--transit-helper", f"tcp:127.0.0.1:{transit}", words[0], "--no-listen",
             "--hide-progress", *words[1:]],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(folder)})

    def text(self):
        self._log.seek(0)
        return self._log.read()

    def finish(self):
        code = self._process.wait(TRANSFER)
        assert code == 0, self.text()
        return self.text()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._log.close()


@pytest.fixture
def wormhole(mailbox, tmp_path):
    """wormhole(port, name) begins to send what is of that name in the folder a; returns both ends."""
    ends = []

    def begin(port, name, code):
        sender = Wormhole(mailbox, port, tmp_path / "a", "send", "--code", code, name)
        ends.append(sender)
        receiver = Wormhole(mailbox, port, tmp_path / f"b-{code}", "receive", "--accept-file", code)
        ends.append(receiver)
        return sender, receiver

    (tmp_path / "a").mkdir()
    yield begin
    for end in ends:
        end.kill()


def digest(path):
    sums = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            sums.update(piece)
    return sums.hexdigest()


def by_relay(port, *ends):
    for end in ends:
        assert f"relay:tcp:127.0.0.1:{port}" in end.finish(), end.text()


def test_a_folder_and_a_large_file_during_reload_and_upgrade(
        start_upgrading, wormhole, tmp_path, identities):  # noqa: F811
    main, port = free_port(), free_port()
    server = start_upgrading(conf=CONF.format(main=main, port=port))
    folder = tmp_path / "a" / "folder"
    folder.mkdir()
    for name in range(20):
        (folder / f"file {name}").write_bytes(os.urandom(10_000 * name))
    with open(tmp_path / "a" / "large", "wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))
    with Invited(server, identities[0], identities[1]) as invited:
        devices = invited.join_both()
        large = wormhole(port, "large", "1-large-file")
        wait_for(lambda: "Sending (" in large[0].text(), lambda: f"the transfer to begin: {large[0].text()}{large[1].text()}",
                 Deadline(TRANSFER))
        server.signal(1)
        server.wait_for_log("core: reloaded")
        server.upgrade()
        small = wormhole(port, "folder", "2-small-folder")
        by_relay(port, *small)
        check_both_ways(*devices)
        by_relay(port, *large)
    got = tmp_path / "b-2-small-folder" / "folder"
    assert {path.name: path.read_bytes() for path in got.iterdir()} == \
        {path.name: path.read_bytes() for path in folder.iterdir()}
    assert digest(tmp_path / "b-1-large-file" / "large") == digest(tmp_path / "a" / "large")
    shutil.rmtree(tmp_path / "a")


def test_at_a_limited_rate(module_server, wormhole, tmp_path):  # noqa: F811
    port = free_port()
    server = module_server(
        ["log", "bounds", "wormhole-transit", "relay", "rate-limit", "prometheus"], installed=[],
        sections={'listener "wormhole"': {"address": f"127.0.0.1:{port}", "protocol": "wormhole-transit"},
                  "rate-limit": {"global": "1MB/s"}})
    (tmp_path / "a" / "file").write_bytes(os.urandom(2_000_000))
    by_relay(port, *wormhole(port, "file", "3-slow-file"))
    assert digest(tmp_path / "b-3-slow-file" / "file") == digest(tmp_path / "a" / "file")
    assert number(server, 'strelaysrv_rate_limit_held_back_total{limit="global"}') > 0
    assert number(server, 'strelaysrv_wormhole_transit_clients_total{result="paired"}') == 2
    wait_for(lambda: number(server, 'strelaysrv_core_module_sessions{module="wormhole-transit"}') == 0,
             "the end of the session")
    assert number(
        server, 'strelaysrv_core_module_session_traffic_bytes_total{module="wormhole-transit"}') > 2_000_000
