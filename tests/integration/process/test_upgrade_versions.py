# SPDX-License-Identifier: MPL-2.0
"""Upgrades from and to the oldest version that can be upgraded, in both roles.

A clean checkout has no such version, so this file speaks its side of the channel: each message is
a packet of one byte, which says what it is, and data; a connection comes along as a descriptor.
That version has no STRELAYSRV_ID, and passes its sockets in STRELAYSRV_SOCKETS."""

import array
import ast
import contextlib
import os
import re
import signal
import socket
import struct
import sys

import pytest

import certificates
import device_id
import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import ProtocolConnection, SessionConnection
from relay_server import RelayServer, module_folder
from upgrading import start_upgrading  # noqa: F401
from waiting import PATIENCE, wait_for

READY, GO, SERVING, KEEP, LEFT, TRAFFIC, GUEST, ENDING, OFF = (bytes([n]) for n in range(1, 10))
#: A message that neither version knows.
UNKNOWN = b"\xc8of tomorrow"


class OldProcess:
    """A process of that version which hands over to ours: the sockets, the channel, the order."""

    def __init__(self, program, folder, keys, **variables):
        self.relay, self.status = (socket.create_server(("127.0.0.1", 0), reuse_port=True)
                                   for _ in range(2))
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(PATIENCE)
        passed = (theirs.fileno(), self.relay.fileno(), self.status.fileno())
        at = ["127.0.0.1:%d" % sock.getsockname()[1] for sock in (self.relay, self.status)]
        command = [program.path, "-module-dir", str(module_folder()), "-keys", str(keys), "-pools",
                   "", "-listen", at[0], "-status-srv", at[1], "-workers", str(program.workers)]
        environment = {**os.environ, "STRELAYSRV_CHANNEL": str(passed[0]),
                       "STRELAYSRV_SOCKETS": f"relay:{passed[1]},status:{passed[2]}",
                       **variables}
        self.server = RelayServer(program, command, folder, env=environment, pass_fds=passed)
        theirs.close()

    def receive(self):
        """The next message, and the descriptor that came with it."""
        data, extra, _, _ = self.channel.recvmsg(65536, socket.CMSG_SPACE(4))
        fds = array.array("i")
        for level, kind, part in extra:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            fds.frombytes(part)
        return data, (fds[0] if fds else None)

    def hand_over(self):
        """Ours is ready, and serves; then the old sockets are closed."""
        assert self.receive() == (READY, None)
        self.channel.send(UNKNOWN)
        self.channel.send(GO)
        assert self.receive() == (SERVING, None)
        self.server.wait_until_serving()

    def leave(self):
        self.relay.close()
        self.status.close()
        self.channel.send(LEFT)

    def end(self):
        """Ours answers that no connection follows; then this process would end."""
        self.channel.send(ENDING)
        assert self.channel.recv(65536) == b""
        self.channel.close()
        self.server.wait_for_log("core: the old process has ended")


    def close(self):
        self.channel.close()
        self.relay.close()
        self.status.close()


@pytest.fixture
def old(our_program, tmp_path, relay_keys):
    old = OldProcess(our_program, tmp_path, relay_keys)
    try:
        yield old
    finally:
        old.close()
        old.server.finish()


def test_an_old_version_hands_over_to_ours(old, identities):
    queued = socket.create_connection(old.relay.getsockname(), PATIENCE)
    old.hand_over()
    queued.close()
    with ProtocolConnection(old.server.address, identities[0]) as device:
        device.join()
        # Bytes that its sessions pass on while they end.
        old.channel.send(TRAFFIC + struct.pack("=q", 100_000))
        old.channel.send(UNKNOWN)
        old.server.wait_for_status(lambda seen: seen["bytesProxied"] == 100_000, "the bytes")
        old.leave()
        old.end()
        device.check_alive()
    with Invited(old.server, *identities[1:3]) as invited:
        check_both_ways(*invited.join_both())


@pytest.mark.parametrize("keys", ["other", "none"])
def test_ours_refuses_to_be_another_relay(our_program, tmp_path, identities, keys):
    """A newer version tells its ID.  It looks at the keys itself; but they may change before ours
    reads them."""
    folder, was = tmp_path / "keys", device_id.to_text(identities[0].id)
    if keys == "other":
        certificates.make(name="strelaysrv").write(folder)
    else:
        folder.mkdir()
    old = OldProcess(our_program, tmp_path, folder, STRELAYSRV_ID=was)
    try:
        assert old.server.wait_for_exit() == 1
        assert old.channel.recv(65536) == b"", "it has offered to take over"
        why = {"other": rf"the keys in \S+ are those of \S+, and the relay is {was}: a new ID needs",
               "none": r"there are no keys in \S+ any more: an upgrade makes no new ones"}[keys]
        assert old.server.count(f"error core: {why}") == 1, old.server.log()
        assert keys == "other" or not list(folder.iterdir()), "a pair was made"
    finally:
        old.close()


def test_ours_ends_when_the_upgrade_was_given_up(our_program, tmp_path, relay_keys):
    """It may have hung until the old process gave it up, and could not be killed."""
    old = OldProcess(our_program, tmp_path, relay_keys)
    try:
        assert old.receive() == (READY, None)
        old.channel.send(OFF)
        old.channel.close()
        assert old.server.wait_for_exit() == 1
        assert old.server.count("error core: the old process has given the upgrade up") == 1
        assert old.server.count("core: ready") == 0
    finally:
        old.close()


def test_ours_hands_back_what_only_the_old_version_can_know(old, identities):
    old.hand_over()
    key = bytes(range(32))
    with SessionConnection(old.server.address) as guest:
        guest.send(rp.JoinSessionRequest(key))
        data, fd = old.receive()
        assert data[:1] == GUEST and key in data, data
        with socket.socket(fileno=fd) as handed:
            assert handed.getpeername() == guest.sock.getsockname()
            handed.sendall(b"from the old process")
        assert guest.receive_bytes(20) == b"from the old process"
    old.leave()
    old.end()
    # From now on nobody else can know it.
    with SessionConnection(old.server.address) as guest:
        guest.send(rp.JoinSessionRequest(key))
        guest.expect_last(rp.response(rp.NOT_FOUND))
    with ProtocolConnection(old.server.address, identities[0]) as device:
        device.join()


def test_an_old_version_that_dies_leaves_ours_serving(old, identities):
    old.hand_over()
    old.channel.close()
    old.server.wait_for_log("core: the old process has ended")
    with ProtocolConnection(old.server.address, identities[0]) as device:
        device.join()


#: The program of that version as ours starts it.  It notes what it gets.  The first connection is
#: one that the process before must know: it is handed back with what was read.
NEW = r"""#!%s -S
import array, os, re, socket
READY, SERVING, KEEP, GUEST = b"\1", b"\3", b"\4", b"\7"
notes = open("%s", "wb", 0)
note = lambda data: notes.write(repr(data).encode() + b"\n")
channel = socket.socket(fileno=int(os.environ["STRELAYSRV_CHANNEL"]))
channel.setblocking(True)
sockets = os.environ["STRELAYSRV_SOCKETS"]
note(sockets)
relay = socket.socket(fileno=int(re.search("relay:([0-9]+)", sockets).group(1)))
relay.setblocking(True)
channel.send(%r)
channel.send(READY)
note(channel.recv(65536))
channel.send(SERVING)
guests = []
for number in range(2):
    guest, _ = relay.accept()
    guest.setblocking(True)
    guests.append((guest, guest.recv(1024)))
for guest, data in guests:
    fd = array.array("i", [guest.fileno()])
    channel.sendmsg([GUEST + data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fd)])
    guest.close()
channel.send(KEEP)
while True:
    data = channel.recv(65536)
    if not data:
        break
    note(data)
    if data == b"\x08":
        channel.shutdown(socket.SHUT_WR)
"""


def read_notes(path):
    return [ast.literal_eval(line) for line in path.read_text().splitlines()]


def test_ours_hands_over_to_an_old_version(start_upgrading, identities, tmp_path):  # noqa: F811
    server = start_upgrading("-drain-spread", "0s", workers=1)
    notes = tmp_path / "notes"
    server.replace_program(NEW % (sys.executable, notes, UNKNOWN))
    with Invited(server, *identities[:2]) as invited:
        server.signal(signal.SIGUSR2)
        server.wait_for_log(r"process \d+ serves; this one, \d+, drains")
        with contextlib.ExitStack() as stack:
            # Both sides of a session that ours has promised, and now gets back.
            ends = [stack.enter_context(SessionConnection(server.address)) for _ in range(2)]
            for end, invitation in zip(ends, (invited.to_asker, invited.to_target)):
                end.send(rp.JoinSessionRequest(invitation.key))
            for end in ends:
                end.expect(rp.response(rp.SUCCESS))
            wait_for(lambda: repr(LEFT) in notes.read_text(), "the message LEFT")
            ends[0].send_bytes(b"x" * 100_000)
            ends[1].receive_bytes(100_000)
    assert server.exit_code(server.generations[0]) == 0
    wait_for(lambda: repr(ENDING) in notes.read_text(), "the message ENDING")
    sockets, *messages = read_notes(notes)
    assert re.fullmatch(r"relay:\d+(,(relay|status):\d+)*", sockets), sockets
    assert messages[0] == GO and messages[-1] == ENDING, messages
    assert messages.count(LEFT) == 1
    traffic = [data for data in messages if data[:1] == TRAFFIC]
    assert len(traffic) + 3 == len(messages), messages
    assert sum(struct.unpack("=q", data[1:])[0] for data in traffic) == 100_000
