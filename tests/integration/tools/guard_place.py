# SPDX-License-Identifier: MPL-2.0
"""A folder with all that a server needs whose guard reads a file, and whether that guard still guards.

As root only: the server runs as another user, who may not read everything."""

import contextlib
import dataclasses
import os
import pathlib
import subprocess
import tempfile

import bad_files
import device_id
import relay_protocol as rp
from bad_files import DENIED, FOREIGN, GID, UID
from relay_client import ProtocolConnection
from relay_server import Program, module_folder
from waiting import PATIENCE

MODULES = "modules = {{ log, access, quota, {}relay, {}pool-join, status, prometheus }}\n"
#: How the names of their readers begin.
ADMISSION, CLUSTER = "admission", "cluster"
AS_USER = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"]


@dataclasses.dataclass
class Place:
    """A folder with all that a server needs. `reader` says which option reads the tested file."""

    folder: pathlib.Path
    reader: bad_files.Reader

    def command(self, *args):
        return [*AS_USER, Program("ours", 2).path, "-conf", str(self.folder / "relay.conf"),
                "-keys", str(self.folder), "-listen", "127.0.0.1:0", "-status-srv",
                "127.0.0.1:0", "-module-dir", str(module_folder()), *args]

    def end(self, *args):
        """Runs a server that is meant to end: its code and what it said."""
        done = subprocess.run(self.command(*args), cwd=self.folder, capture_output=True,
                              text=True, errors="replace", timeout=PATIENCE, check=False)
        return done.returncode, done.stderr


def of_identity(reader, identity):
    """Who is banned must be the one who tries to join."""
    if reader.name != "bans":
        return reader
    good = reader.good.replace(bad_files.MEMBER, device_id.to_text(identity.id))
    return bad_files.Reader(**{**vars(reader), "good": good})


def fill(folder, reader):
    """Writes the configuration and the reader's good file."""
    texts = bad_files.keys(folder)
    if reader.name == "caps":
        texts["quota.state"] = bad_files.STATE
    conf = MODULES.format(*(f"{name}, " if reader.name.startswith(name) else ""
                            for name in (ADMISSION, CLUSTER)))
    conf += (reader.conf(folder / reader.file) if reader.conf else "")
    if "pools" not in reader.name:
        conf += "pool-join { pools = { } }\n"
    for name, text in {**texts, "relay.conf": conf}.items():
        (folder / name).write_text(text)
    reader = bad_files.Reader(**{**vars(reader), "good": reader.good or {
        **texts, "relay.conf": conf}[reader.file]})
    bad_files.put_good(reader, folder)
    for path in (folder, *folder.iterdir()):
        os.chown(path, UID, GID)
    return Place(folder, reader)


@contextlib.contextmanager
def make_place(reader):
    """The folder; other users can enter it, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="relay-files-") as name:
        os.chmod(name, 0o755)
        yield fill(pathlib.Path(name), reader)


def _join(server, identity, source=None):
    with ProtocolConnection(server.address, identity, source=source) as client:
        return client.ask(rp.JoinRelayRequest())


def _metrics(server, host=None):
    return server.get("/metrics", headers={"Host": host} if host else None)[0]


def check_shut(reader, server, identity):
    """What the guard refuses is refused, and nothing else."""
    joins = {"allow": rp.response(rp.NOT_FOUND), "bans": rp.response(rp.NOT_FOUND), "quota": rp.RelayFull(), "caps": rp.RelayFull()}
    for name in ("token", "token-file", "tokens", "tokens-file", "named-tokens", "configuration"):
        joins[name] = rp.response(rp.WRONG_TOKEN)
    if reader.name.startswith(ADMISSION):  # nobody answers
        joins[reader.name] = rp.RelayFull()
    assert _join(server, identity) == joins.get(reader.name, rp.response(rp.SUCCESS)), reader.name
    if reader.name == "deny":
        assert _join(server, identity, DENIED) == rp.response(rp.NOT_FOUND)
    if reader.name == "pools":
        assert server.status()["options"]["pools"] == []
    assert _metrics(server) == (404 if reader.name == "private" else 200)
    assert reader.name != "hosts" or _metrics(server, FOREIGN) == 421
