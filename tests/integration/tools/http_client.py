# SPDX-License-Identifier: MPL-2.0
"""A raw HTTP client that can choose its source address and send invalid requests."""

import contextlib
import re
import socket

import exposition
from waiting import PATIENCE


def dial(address, source=None):
    """Opens a connection, from the address `source` if given."""
    return socket.create_connection(address, timeout=PATIENCE,
                                    source_address=(source, 0) if source else None)


def read_answer(sock):
    """(status, header text, body) of one answer.  Status 0: the connection has ended before it."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = sock.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return 0, data.decode("latin-1"), b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    length = int(re.search(r"(?im)^content-length: (\d+)", text).group(1))
    while len(body) < length:
        more = sock.recv(65536)
        assert more, f"the body ended after {len(body)} of {length} bytes"
        body += more
    return int(text.split()[1]), text, body


def read_all(sock):
    """All bytes until the server closes the connection."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := sock.recv(65536):
            data += more
    return data


def request(path, method="GET", host="localhost", **fields):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def ask(address, path, source=None, **how):
    """Sends a request on a new connection; returns (status, header text, body)."""
    with dial(address, source) as sock:
        sock.sendall(request(path, **how))
        return read_answer(sock)


def counter(server, name, **labels):
    """The value of a metric of the core.  The relay must run the module prometheus."""
    families = exposition.parse(ask(server.status_address, "/metrics")[2].decode())
    return exposition.value(families, f"strelaysrv_core_{name}", **labels)


CONF = "modules = { log, relay, status, prometheus }\n"


def with_metrics(start, tmp_path, *args, conf=CONF, **options):
    """A relay with /metrics and without the module bounds."""
    (tmp_path / "relay.conf").write_text(conf)
    return start("-conf", tmp_path / "relay.conf", *args, **options)
