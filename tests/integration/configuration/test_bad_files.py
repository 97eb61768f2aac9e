# SPDX-License-Identifier: MPL-2.0
"""Files that cannot be read: an error that names them, nothing hangs, nothing opens.

As root only: the server runs as another user, who may not read everything."""

import os
import re
import threading

import pytest

import bad_files
import relay_protocol as rp
from bad_files import GID, INPUTS, READERS, TOKEN, UID
from guard_place import check_shut, make_place, of_identity
from privileges import why_no_other_user
from relay_client import ProtocolConnection
from relay_server import Program, RelayServer
from skip_unless import can_run
from waiting import pace, wait_for

pytestmark = can_run("BAD FILES", why_no_other_user())

ALL = [*INPUTS, "half-written"]


@pytest.fixture
def place(request, identities):
    """A folder that other users can enter, which pytest's own is not."""
    with make_place(of_identity(request.param, identities[0])) as one:
        yield one


@pytest.fixture
def server(place):
    one = RelayServer(Program("ours", 2), place.command(), place.folder)
    one.wait_until_serving()
    yield one
    one.finish()


def of(readers):
    return pytest.mark.parametrize("place", readers, ids=lambda reader: reader.name, indirect=True)


@of(READERS)
def test_a_start_and_a_check_refuse_them(place):
    for name in ALL:
        if not bad_files.put(place.reader, place.folder, name):
            continue
        for args in (("-check",), ()):
            code, said = place.end(*args)
            assert code == 1 and place.reader.file in said, f"{name} {args}: {code} {said}"
            assert name != "socket" or "regular file" in said, said


@of(READERS)
def test_a_reload_refuses_them(place, server, identities):
    for name in ALL:
        if not bad_files.put(place.reader, place.folder, name):
            continue
        done, news = server.reload()
        if place.reader.name in ("certificate", "key"):  # the server keeps what it has, and says so
            assert place.reader.file in news, f"{name}: {news}"
        elif place.reader.name == "quota":  # it may have written the file anew before
            assert done or place.reader.file in news, f"{name}: {news}"
        else:
            assert not done and place.reader.file in news, f"{name}: {news}"
    bad_files.put_good(place.reader, place.folder)
    assert server.reload()[0]
    check_shut(place.reader, server, identities[0])


MARK = b"\xef\xbb\xbf"


@of(READERS)
def test_a_byte_order_mark_at_the_beginning_is_skipped(place):
    path = place.folder / place.reader.file
    path.write_bytes(MARK + path.read_bytes())
    code, said = place.end("-check")
    assert code == 0, said


@of([reader for reader in READERS if reader.name in ("token-file", "tokens-file")])
def test_a_byte_order_mark_is_no_part_of_a_token(place, identities):
    path = place.folder / place.reader.file
    path.write_bytes(MARK + path.read_bytes())
    server = RelayServer(Program("ours", 2), place.command(), place.folder)
    try:
        server.wait_until_serving()
        with ProtocolConnection(server.address, identities[0]) as client:
            assert client.ask(rp.JoinRelayRequest(TOKEN)) == rp.response(rp.SUCCESS)
    finally:
        server.finish()


@of([reader for reader in READERS if reader.name in (
    "token-file", "tokens-file", "allow", "deny", "configuration", "private", "quota")])
def test_a_byte_order_mark_elsewhere_is_an_error(place):
    """Nobody would see it in a token, for example where two files were joined."""
    path = place.folder / place.reader.file
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n" + MARK + b"\n")[:-1] + MARK + b"\n")
    code, said = place.end("-check")
    assert code == 1 and place.reader.file in said, said


@of([reader for reader in READERS if reader.name in ("tokens-file", "deny", "configuration", "private")])
def test_a_file_that_grows_hangs_nothing(place, server):
    over, path = threading.Event(), place.folder / place.reader.file
    line = "10.0.0.1\n" if place.reader.name == "deny" else "# more\n"

    def grow():
        with open(path, "a", encoding="ascii") as file:
            while not over.is_set() and file.tell() < 1 << 20:
                file.write(line * 100)
                file.flush()
                pace(0.001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        for _ in range(5):
            done, news = server.reload()
            assert done or place.reader.file in news, news
    finally:
        over.set()
        writer.join()


@of([READERS[0]])
@pytest.mark.parametrize("name", ["hanging", "directory", "device"])
def test_a_file_to_write_that_is_none_hangs_nothing(place, name):
    csv = place.folder / "relay.csv"
    INPUTS[name](csv)
    with open(place.folder / "relay.conf", "a", encoding="ascii") as conf:
        conf.write(f'csv-exporter {{ file = "{csv}"\n interval = 1s }}\n')
    text = (place.folder / "relay.conf").read_text()
    (place.folder / "relay.conf").write_text(text.replace("status,", "status, csv-exporter,"))
    server = RelayServer(Program("ours", 2), place.command(), place.folder)
    try:
        server.wait_until_serving()
        server.wait_for_log(f"csv-exporter: .*{re.escape(str(csv))}")
        assert server.get("/healthz")[0] == 200
        assert server.stop() == 0
    finally:
        server.finish()


@of([READERS[0]])
@pytest.mark.parametrize("section, how", [
    ('csv-exporter {{ file = "{}" interval = 1s }}', "warning csv-exporter: "),
    ('log {{ target = file file = "{}" }}', "error core: ")], ids=["csv-exporter", "log"])
def test_a_file_with_another_name_is_not_written(place, section, how):
    """In a folder where others may write, it could be any file of the server's user."""
    target, link = place.folder / "target", place.folder / "relay.out"
    target.touch()
    os.chown(target, UID, GID)
    link.hardlink_to(target)
    text = (place.folder / "relay.conf").read_text()
    (place.folder / "relay.conf").write_text(
        text.replace("status,", "status, csv-exporter,") + section.format(link) + "\n")
    why = f"cannot write {link}: the file has another name, too \\(a hard link\\)"
    if "log" in section:
        for args in (("-check",), ()):
            code, said = place.end(*args)
            assert code == 1 and re.search(f"{how}.*{why}", said), said
    else:
        server = RelayServer(Program("ours", 2), place.command(), place.folder)
        try:
            server.wait_for_log(f"{how}.*{why}")
        finally:
            server.finish()
    assert target.stat().st_size == 0


@of([READERS[0]])
@pytest.mark.parametrize("owner, followed", [(65534, False), (0, True), (UID, True)],
                         ids=["another-user", "root", "the-user"])
def test_only_trusted_links_are_written_through(place, owner, followed):
    target, link = place.folder / "target", place.folder / "relay.csv"
    target.touch()
    os.chown(target, UID, GID)
    link.symlink_to("target")
    os.chown(link, owner, owner, follow_symlinks=False)
    text = (place.folder / "relay.conf").read_text()
    (place.folder / "relay.conf").write_text(
        text.replace("status,", "status, csv-exporter,")
        + f'csv-exporter {{ file = "{link}"\n interval = 1s }}\n')
    server = RelayServer(Program("ours", 2), place.command(), place.folder)
    try:
        server.wait_until_serving()
        if followed:
            wait_for(lambda: target.stat().st_size > 0, "the metrics")
        else:
            server.wait_for_log("relay.csv: it is another user's link")
            assert target.stat().st_size == 0
    finally:
        server.finish()
