# SPDX-License-Identifier: MPL-2.0
"""Upgrades whose channel between the two processes is full, or takes nothing any more: what the old
process must tell is told as soon as there is room."""

import time

import pytest

from call_sites import FOREVER, CallSites
from faults import needs_memory
from relay_server import free_port
from upgrading import STUB, start_upgrading  # noqa: F401
from waiting import wait_for
from wormhole import Client, both_ways, line, new_token, pair

pytestmark = needs_memory

CONF = """modules = {{ log, wormhole-transit, relay }}
status-srv = ""
listener "main" {{ address = "127.0.0.1:0" }}
listener "wormhole" {{ address = "127.0.0.1:{port}"
  protocol = wormhole-transit }}
wormhole-transit {{ waiting-per-source = 1000 }}
"""
#: A new process that serves nobody, and notes each message that comes.
NOTES = STUB + """
def note(text):
    with open("notes", "a") as file: file.write(text + "\\n")
channel.send(READY)
assert channel.recv(9) == GO
channel.send(SERVING)
"""
LEFT, ENDING, ONWARD = 5, 8, 11
ENOBUFS = 1  # of the errors of sendmsg in tests/faults/calls.def


class Old:
    """The old process, and the port of a protocol whose clients it passes on."""

    def __init__(self, start, folder):
        self.sites, self.folder, self.port = CallSites(folder), folder, free_port()
        self.server = start(conf=CONF.format(port=self.port), env=self.sites.environment)
        self.begin()

    def begin(self):
        """Finds the call that sends messages."""
        self.sites.begin()
        self.upgrade_to(NOTES + "os._exit(3)\n")
        self.server.wait_for_log("upgrade failed: the new process ended with code 3")
        self.sites.end()
        self.sending = next(site for site in self.sites.called() if site.function == "handover_send")

    def upgrade_to(self, script):
        """The script's folder is that of the test."""
        self.server.replace_program(script.replace('"notes"', repr(str(self.folder / "notes")))
                                    .replace('"go"', repr(str(self.folder / "go"))))
        self.server.signal(10 + 2)

    def tried(self):
        """How many messages it has tried to send."""
        return next((site.hits for site in self.sites.called() if site == self.sending), 0)

    def notes(self):
        path = self.folder / "notes"
        return [int(word) for word in path.read_text().split()] if path.exists() else []


@pytest.fixture
def old(start_upgrading, tmp_path):  # noqa: F811
    return Old(start_upgrading, tmp_path)


def test_what_had_no_room_is_told_later(old):
    """The new process says KEEP, so that the old one leaves; and when its session ends, it ends."""
    one, two = pair(old.port)
    both_ways(one, two)
    # Its first message is GO.
    old.sites.begin(old.sending, first=2, length=FOREVER, value=ENOBUFS)
    old.upgrade_to(NOTES + """channel.send(b"\\4")
while True:
    got = channel.recv(600)
    if not got: os._exit(0)
    note(str(got[0]))
    if got[0] == 8: channel.shutdown(socket.SHUT_WR)
""")
    # A second time, a second later, although bytes of the session may have been the first.
    wait_for(lambda: old.sites.failed() >= 3, "tries to say that it has left")
    assert LEFT not in old.notes()
    old.sites.end()
    wait_for(lambda: LEFT in old.notes(), "the message LEFT")
    before = old.tried()
    old.sites.begin(old.sending, length=FOREVER, value=ENOBUFS)
    one.close()
    two.close()
    wait_for(lambda: old.sites.failed() >= 1, "a try to say that it ends")
    old.sites.end()
    wait_for(lambda: ENDING in old.notes(), "the message ENDING")
    assert old.server.exit_code(old.server.serving) == 0
    assert old.notes().count(LEFT) == old.notes().count(ENDING) == 1 and before


def test_a_channel_that_takes_nothing_more_is_not_tried_without_end(old):
    """Connections that cannot be passed on are tried with each notice of the drain, once a second."""
    clients = [Client(old.port, line(new_token())) for _ in range(6)]
    old.sites.begin()
    old.upgrade_to(NOTES + """channel.shutdown(socket.SHUT_RD)
while not os.path.exists("go"): time.sleep(0.01)
os._exit(0)
""")
    begun = time.monotonic()
    wait_for(lambda: old.tried() >= 40, "tries")
    took = time.monotonic() - begun
    assert old.tried() <= 16 + 8 * took, f"{old.tried()} in {took:.1f} s"
    (old.folder / "go").touch()
    for client in clients:
        client.close()


def test_a_full_channel_gets_all_that_wait_when_it_is_read(old):
    """The new process reads when no more of them fit in."""
    clients = [Client(old.port, line(new_token())) for _ in range(600)]
    old.sites.begin()
    old.upgrade_to(NOTES + """import struct, fcntl, termios
count = lambda: struct.unpack("i", fcntl.ioctl(channel, termios.FIONREAD, b"1234"))[0]
while not os.path.exists("go"): time.sleep(0.01)
channel.send(b"\\4")
while True:
    got = channel.recv(600)
    if not got: os._exit(0)
    note(str(got[0]))
""")
    # Each of the tries of one that has no room is one of 20 ms.
    wait_for(lambda: old.tried() > 700, "a full channel")
    (old.folder / "go").touch()
    wait_for(lambda: old.notes().count(ONWARD) == 600 and LEFT in old.notes(), "all messages")
    for client in clients:
        client.close()
