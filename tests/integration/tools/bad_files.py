# SPDX-License-Identifier: MPL-2.0
"""Every file that the server reads, and what may stand in its place."""

import os
import pathlib

import certificates
import device_id

UID, GID = 64701, 64702
TOKEN = "open sesame"

#: Who is in the lists, whoever asks.
MEMBER = device_id.to_text(bytes(range(32)))
STATE = "strelaysrv quota 1\nday 20000 7\nmonth 20000 7\n"


class Reader:
    """A file that is read: its name, its good content, and the configuration that names it."""

    def __init__(self, name, file, good, conf, guard=None, half=None):
        self.name, self.file, self.good, self.conf = name, file, good, conf
        self.guard = guard  # as the table of guards calls it
        self.half = half  # what a writer leaves that has stopped midway; None: it shows nothing


def access(option):
    return lambda path: f'access {{ {option} = "{path}" }}\n'


def keys(folder):
    """The texts of cert.pem and key.pem."""
    made = certificates.make(name="strelaysrv").write(folder)
    return {path.name: path.read_text() for path in made.iterdir()}


#: It is not decoded before there is a pool to ask.
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#: The order is that of the table in modules/access/README.md.
READERS = [
    Reader("token", "token", f"{TOKEN}\n", lambda path: f'relay {{ token-file = "{path}" }}\n',
           guard="`relay.token-file`", half=TOKEN[:4]),
    Reader("tokens", "tokens", f"{TOKEN}\n", access("token-file"),
           guard="`access.token-file`", half=TOKEN[:4]),
    Reader("allow", "members", f"{MEMBER}\n", lambda path: access("join-allow")(f"@{path}"),
           guard="`access.…-allow`", half=MEMBER[:30]),
    Reader("deny", "denied", "192.0.2.1\n192.0.2.0/24\n",
           lambda path: access("join-deny")(f"@{path}"),
           guard="`access.…-deny`", half="192.0.2.1\n192.0.2.0/2"),
    Reader("quota", "quota.state", STATE, lambda path: f'quota {{ state-file = "{path}" }}\n',
           guard="`quota.state-file`", half=STATE[:-1]),
    Reader("private", "private.conf", 'private-srv = "127.0.0.1:0"\n',
           lambda path: f'include("{path}")\n', guard="`private-srv`, in an included file",
           half='private-srv = "127.'),
    Reader("pools", "pools.conf", "pool-join { pools = { } }\n",
           lambda path: f'include("{path}")\n', guard="`pool-join.pools`, in an included file",
           half="pool-join { pools ="),
    Reader("ca-file", "ca.pem", CERTIFICATE,
           lambda path: f'pool-join {{ pools = {{ }} ca-file = "{path}" }}\n'),
    Reader("configuration", "relay.conf", None,
           lambda path: f'relay {{ token = "{TOKEN}" }}\n',
           guard="`relay.token` and all others, in the main file", half="relay {"),
    Reader("certificate", "cert.pem", None, None),
    Reader("key", "key.pem", None, None),
]


#: What the table of guards tells, in this order.
STATES = ["missing", "empty", "unreadable", "half-written", "hanging", "wrong"]
BEGIN, END = "<!-- guards: made by tests/integration/configuration/test_bad_files.py -->", "<!-- end -->"


def table():
    """The table of guards in modules/README.md; the tests assert each cell."""
    lines = ["| what guards | what it reads is | `-check` | start | reload | upgrade |", "|---" * 6 + "|"]
    for reader in READERS:
        if not reader.guard:
            continue
        for state in STATES:
            cells = ["error", "error", "refused, the old stays", "fails, the old process goes on"]
            if reader.name == "quota":
                cells[2:] = ["refused or written anew, the count stays", "written anew, the count stays"]
                if state == "missing":
                    cells = ["good", "from 0, with a warning; error with `state-required`",
                             "written anew, the count stays", "written anew, the count stays"]
            lines.append(f"| {reader.guard} | {state} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _replace(path, make):
    path = pathlib.Path(path)
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    make(path)
    return path


def _sparse(path):
    with open(path, "wb") as file:
        file.truncate(1 << 30)


def _write(data):
    return lambda path: path.write_bytes(data)


def _unreadable(path):
    path.touch()
    path.chmod(0)


#: What may stand there, whatever is read.
INPUTS = {
    "missing": lambda path: None,
    "empty": _write(b""),
    "unreadable": _unreadable,
    "wrong": _write(b"\xff\xfenonsense\x01\n"),
    "hanging": os.mkfifo,
    "directory": os.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "huge": _sparse,
    "latin-1": _write("# Präsidentin\n".encode("latin-1")),
    "utf-16": _write("# one\n".encode("utf-16")),
}


def put(reader, folder, name):
    """Puts that input in the reader's place; False: there is no such thing for it."""
    if name == "half-written":
        if reader.half is None:
            return False
        path = _replace(folder / reader.file, _write(reader.half.encode()))
    else:
        path = _replace(folder / reader.file, INPUTS[name])
    if name != "unreadable" and path.exists() and not path.is_symlink():
        os.chown(path, UID, GID)
    return True


def put_good(reader, folder):
    path = _replace(folder / reader.file, _write(reader.good.encode()))
    os.chown(path, UID, GID)
