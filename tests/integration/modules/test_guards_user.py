# SPDX-License-Identifier: MPL-2.0
"""List files of root that the server reads as another user, who cannot see whether they are
complete.

The kernel tells only the owner of a file whether somebody is writing it."""

import os
import threading
import time

import pytest

import certificates
import relay_protocol as rp
from hanging import Mount
from module_server import ModuleServer
from open_folder import folder  # noqa: F401
from privileges import why_no_other_user
from relay_client import ProtocolConnection
from skip_unless import can_run
from waiting import pace, wait_for

UID, GID = 64701, 64702
MODULES = ["log", "access", "relay", "status"]
NOT_FOUND, SUCCESS = rp.response(rp.NOT_FOUND), rp.response(rp.SUCCESS)
FIRST, SECOND = "127.0.0.7", "127.0.0.9"

pytestmark = can_run("ROOT'S LISTS", why_no_other_user())


@pytest.fixture
def serve(folder):
    servers = []

    def start(denied, workers=2):
        keys = certificates.make(name="strelaysrv").write(folder / "keys")
        for path in (keys, *keys.iterdir()):
            os.chown(path, UID, GID)
        server = ModuleServer(folder, keys, MODULES, workers=workers,
                              sections={"access": {"join-deny": f"@{denied}"}},
                              args=["-user", str(UID), "-group", str(GID)])
        servers.append(server)
        server.wait_for_log("ready, with modules:")
        os.chmod(server.conf, 0o644)
        return server

    yield start
    for server in servers:
        server.finish()


def join(server, identity, source):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.JoinRelayRequest())


def trickle(path, over):
    """A writer that never finishes; the file always ends with a complete line."""
    number = 0
    with open(path, "wb", buffering=0) as writer:
        writer.write(f"{FIRST}\n".encode())
        while not over.is_set():
            number += 1
            writer.write(f"10.0.{number // 256 % 256}.{number % 256}\n".encode())
            pace()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_list_that_is_being_written_is_not_taken(serve, identities, folder, workers):
    denied, over = folder / "denied", threading.Event()
    denied.write_text(f"{FIRST}\n{SECOND}\n")
    server = serve(denied, workers)
    assert join(server, identities[1], SECOND) == NOT_FOUND
    writer = threading.Thread(target=trickle, args=(denied, over))
    writer.start()
    try:
        wait_for(lambda: denied.read_bytes().count(b"\n") > 1, "the writer")
        done, news = server.reload()
        assert not done and "is being written; write to a new file and rename it" in news, news
        assert join(server, identities[1], SECOND) == NOT_FOUND
    finally:
        over.set()
        writer.join()


@pytest.mark.parametrize("ahead", [0, 3600], ids=["now", "future"])
def test_a_list_whose_writer_pauses_is_read_again(serve, identities, folder, ahead):
    """Also if its time of writing is set to the future, which says nothing about its writer."""
    denied = folder / "denied"
    denied.write_text(f"{FIRST}\n{SECOND}\n")
    server = serve(denied)
    with open(denied, "wb", buffering=0) as writer:
        writer.write(f"{FIRST}\n".encode())
        os.utime(denied, (time.time() + ahead,) * 2)
        assert server.reload()[0], "nothing shows that there will be more"
        writer.write(f"{SECOND}\n".encode())
        os.utime(denied, (time.time() + ahead,) * 2)
    server.wait_for_log("denied has changed since it was read, and may have been half-written: "
                        "all lists are read again")
    wait_for(lambda: join(server, identities[1], SECOND) == NOT_FOUND, "the second line")


def test_a_list_that_is_renamed_into_place_is_taken(serve, identities, folder):
    denied, new = folder / "denied", folder / "new"
    denied.write_text(f"{FIRST}\n")
    server = serve(denied)
    new.write_text(f"{FIRST}\n{SECOND}\n")
    new.rename(denied)
    assert server.reload()[0]
    assert join(server, identities[1], SECOND) == NOT_FOUND
    assert server.count("half-written") == 0


def test_the_look_at_a_list_that_hangs_holds_nothing_up(serve, folder, monkeypatch):
    mount = Mount(folder)
    denied = mount.folder / "denied"
    denied.write_text(f"{FIRST}\n")
    for name in ("LD_PRELOAD", "HANG_BELOW", "HANG_WHILE"):
        monkeypatch.setenv(name, mount.environment[name])
    server = serve(denied)
    mount.hang()
    server.wait_for_log("cannot check whether the lists have changed")
    assert server.page("/healthz")[0] == 200
    mount.answer()
    with denied.open("a") as file:
        file.write(f"{SECOND}\n")
    server.wait_for_log("2 rules and 0 tokens are in force")
