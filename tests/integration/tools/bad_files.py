# SPDX-License-Identifier: MPL-2.0
"""Every file that the server reads, and what may stand in its place."""

import contextlib
import os
import hashlib
import pathlib
import socket

import certificates
import device_id

UID, GID = 64701, 64702
TOKEN = "open sesame"

#: Who is in the lists, whoever asks.
MEMBER = device_id.to_text(bytes(range(32)))
#: More than the cap is used, in periods that began in the future, as for a clock that was set back.
USED = 9000000
STATE = f"strelaysrv quota 1\nday 4102444800 {USED}\nmonth 4102444800 {USED}\n"
DENIED = "127.0.0.9"
FOREIGN, OWN_HOST = "foreign.example", "relay.example"


class Reader:
    """A file that is read: its name, its good content, and the configuration that names it."""

    def __init__(self, name, file, good, conf, guard=None, half=None, more=None):
        self.name, self.file, self.good, self.conf = name, file, good, conf
        self.more = more or {}  # further states that its kind of file can have: {name: content}
        self.guard = guard  # as the table of guards calls it
        self.half = half  # what a writer leaves that has stopped midway; None: it shows nothing


def access(option):
    return lambda path: f'access {{ {option} = "{path}" }}\n'


def keys(folder):
    """The texts of cert.pem and key.pem."""
    made = certificates.make(name="strelaysrv").write(folder)
    return {path.name: path.read_text() for path in made.iterdir()}


def admission(options):
    """Nobody listens where it asks."""
    return lambda path: (f'admission {{ url = "http://127.0.0.1:1/" retries = 0 '
                         f'{options.format(path=path, folder=path.parent)} }}\n')


#: It is not decoded before there is a pool to ask.
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#: The order is that of the table in modules/access/README.md.
def included(name, label, text, half):
    return Reader(name, f"{name}.conf", text, lambda path: f'include("{path}")\n',
                  guard=f"{label}, in an included file", half=half)


def listed(good):
    """What else a list can be; the first line of `good` says how many entries it has."""
    return {"cut off between two lines": good[:good.index("\n", good.index("\n") + 1) + 1],
            "only comments": "# nobody, as yet\n"}


TOKENS = f"# entries: 2\nanother\n{TOKEN}\n"
NAMED = f"# entries: 2\nother:another\none:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n"
MEMBERS = f"# entries: 2\n192.0.2.1\n{MEMBER}\n"
BANS = f"strelaysrv bans 1 1\n{MEMBER} 0\n"
DENIALS = f"# entries: 2\n192.0.2.0/24\n{DENIED}\n"
READERS = [
    Reader("token-file", "token", f"{TOKEN}\n", lambda path: f'relay {{ token-file = "{path}" }}\n',
           guard="`relay.token-file`", half=TOKEN[:4]),
    included("token", "`relay.token`", f'relay {{ token = "{TOKEN}" }}\n', "relay { token ="),
    Reader("tokens-file", "tokens", TOKENS, access("token-file"),
           guard="`access.token-file`", half=TOKENS[:-2], more=listed(TOKENS)),
    Reader("named-tokens", "named", NAMED, access("named-tokens"),
           guard="`access.named-tokens`", half=NAMED[:-2], more=listed(NAMED)),
    included("tokens", "`access.tokens`", f'access {{ tokens = {{ "{TOKEN}" }} }}\n',
             "access { tokens = {"),
    Reader("allow", "members", MEMBERS, lambda path: access("join-allow")(f"@{path}"),
           guard="`access.…-allow`", half=MEMBERS[:-20], more=listed(MEMBERS)),
    Reader("deny", "denied", DENIALS, lambda path: access("join-deny")(f"@{path}"),
           guard="`access.…-deny`", half=DENIALS[:-2], more=listed(DENIALS)),
    Reader("bans", "bans", BANS, access("bans"), guard="`access.bans`", half=BANS[:-1],
           more={"cut off between two lines": BANS[:BANS.index("\n") + 1]}),
    Reader("quota", "quota.state", STATE,
           lambda path: f'quota {{ day = 1MB count = relayed state-file = "{path}" }}\n',
           guard="`quota.state-file`", half=STATE[:-1]),
    included("caps", "`quota.day`, `quota.month`", "quota { day = 1 }\n", "quota { day ="),
    included("private", "`private-srv`", 'private-srv = "127.0.0.1:0"\n', 'private-srv = "127.'),
    included("hosts", "`private-hosts`", f'private-hosts = {{ "{OWN_HOST}" }}\n',
             "private-hosts = {"),
    included("pools", "`pool-join.pools`", "pool-join { pools = { } }\n", "pool-join { pools ="),
    Reader("ca-file", "ca.pem", CERTIFICATE,
           lambda path: f'pool-join {{ pools = {{ }} ca-file = "{path}" }}\n'),
    Reader("admission-token", "bearer", f"{TOKEN[:4]}\n", admission('token-file = "{path}"'),
           guard="`admission.token-file`", half=TOKEN[:3]),
    Reader("admission-ca", "service.pem", CERTIFICATE, admission('ca-file = "{path}"')),
    Reader("admission-cert", "client.pem", CERTIFICATE,
           admission('client-cert = "{path}" client-key = "{folder}/key.pem"')),
    Reader("admission-key", "client.key", CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY"),
           admission('client-cert = "{folder}/cert.pem" client-key = "{path}"')),
    Reader("cluster-password", "redis-password", f"{TOKEN[:4]}\n",
           lambda path: f'cluster {{ servers = "127.0.0.1:1" node = "one" password-file = "{path}" }}\n',
           guard="`cluster.password-file`", half=TOKEN[:3]),
    Reader("configuration", "relay.conf", None,
           lambda path: f'relay {{ token = "{TOKEN}" }}\n',
           guard="all of these, in the main file", half="relay {"),
    Reader("certificate", "cert.pem", None, None),
    Reader("key", "key.pem", None, None),
]


#: What the table of guards tells, in this order.
STATES = ["missing", "empty", "unreadable", "half-written", "hanging", "wrong"]
BEGIN = "<!-- guards: made by tests/integration/tools/bad_files.py -->"
END = "<!-- end -->"
COLUMNS = ["what guards", "what it reads is", "`-check`", "start", "reload", "upgrade"]
FAILS = ["error", "error", "refused, the old stays", "fails, the old process goes on"]
#: A running server writes the file anew, maybe before it is read.
KEEPS = ["error", "error", "refused or written anew, the count stays",
         "fails or written anew, the count stays"]


def table():
    """The table of guards in modules/README.md; test_guard_table.py asserts each cell."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for reader in READERS:
        for state in [*STATES, *reader.more] if reader.guard else []:
            cells = [reader.guard, state, *(KEEPS if reader.name == "quota" else FAILS)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def rows(page):
    """The cells of each row of the table in the page."""
    text = page[page.index(BEGIN) + len(BEGIN):]
    lines = text[:text.index(END)].strip().splitlines()
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def _replace(path, make):
    """The server may write its own file there at any moment."""
    path = pathlib.Path(path)
    for _ in range(100):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):
            make(path)
            return path
    raise AssertionError(f"{path} is made anew by others again and again")


def _sparse(path):
    with open(path, "wb") as file:
        file.truncate(1 << 30)


def _write(data):
    return lambda path: path.write_bytes(data)


def _unreadable(path):
    path.touch()
    path.chmod(0)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


#: What may stand there, whatever is read.
INPUTS = {
    "missing": lambda path: None,
    "empty": _write(b""),
    "unreadable": _unreadable,
    "wrong": _write(b"\xff\xfenonsense\x01\n"),
    "hanging": os.mkfifo,
    "directory": os.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "socket": _socket,
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
    elif name in reader.more:
        path = _replace(folder / reader.file, _write(reader.more[name].encode()))
    else:
        path = _replace(folder / reader.file, INPUTS[name])
    if name != "unreadable" and path.exists() and not path.is_symlink():
        os.chown(path, UID, GID)
    return True


def put_good(reader, folder):
    path = _replace(folder / reader.file, _write(reader.good.encode()))
    os.chown(path, UID, GID)
