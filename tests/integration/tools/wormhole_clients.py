# SPDX-License-Identifier: MPL-2.0
"""Real clients of Magic Wormhole, unchanged, and the mailbox server by which they find each other."""

import hashlib
import itertools
import os
import subprocess

import pytest

from relay_server import free_port
from waiting import PATIENCE, Deadline, wait_for

#: Bytes of the one large file; WORMHOLE_BYTES=1073741824 sends 1 GiB.
LARGE = int(os.environ.get("WORMHOLE_BYTES", str(16 << 20)))
#: Seconds until a transfer fails.
TRANSFER = PATIENCE * 2 + LARGE / 1e6

_numbers = itertools.count()


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
        wait_for(lambda: b"Starting reactor" in log.read_bytes(), "the mailbox server",
                 Deadline(TRANSFER))
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Wormhole:
    """`wormhole send` or `receive`, in a folder of its own, by the relay only."""

    def __init__(self, mailbox, transit, folder, *words):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._log = folder.with_name(f"{folder.name}-{words[0]}-{next(_numbers)}.log")
        # The process and this one must not share the position in the file.
        with open(self._log, "wb") as out:
            self._process = subprocess.Popen(
                ["/usr/bin/wormhole", "--relay-url", f"ws://127.0.0.1:{mailbox}/v1",
                 "--transit-helper", f"tcp:127.0.0.1:{transit}", words[0], "--no-listen",
                 "--hide-progress", *words[1:]],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, "HOME": str(folder)})

    def text(self):
        return self._log.read_text(encoding="utf-8")

    def finish(self):
        code = self._process.wait(TRANSFER)
        assert code == 0, self.text()
        return self.text()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)


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


def make_large(path):
    with open(path, "wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))


def wait_for_transfer(sender, receiver):
    wait_for(lambda: "Sending (" in sender.text(),
             lambda: f"the transfer to begin: {sender.text()}{receiver.text()}", Deadline(TRANSFER))


def digest(path):
    sums = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            sums.update(piece)
    return sums.hexdigest()


def by_relay(port, *ends):
    for end in ends:
        text = end.finish()
        assert f"relay:tcp:127.0.0.1:{port}" in text, text
