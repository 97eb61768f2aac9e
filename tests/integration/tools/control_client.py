# SPDX-License-Identifier: MPL-2.0
"""Servers with a control socket, and clients of it: strelaysrv -ctl, and raw ones."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

from module_server import ModuleServer
from relay_server import Program
from waiting import PATIENCE

MODULES = ["log", "relay", "rate-limit", "status", "control"]


def ctl(server, *words, prefix=(), env=None, more=()):
    """Gives a command with the server's own configuration; returns the finished process."""
    return subprocess.run(
        [*prefix, Program("ours").path, "-conf", str(server.conf), "-module-dir",
         server.command[server.command.index("-module-dir") + 1], *more, "-ctl", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **(env or {})})


def told(server, *words, **options):
    """What a command that succeeds prints."""
    done = ctl(server, *words, **options)
    assert done.returncode == 0, (done.stdout, done.stderr, server.log())
    return done.stdout


def answer(server, *words):
    """The answer of a command that succeeds, as JSON."""
    return json.loads(told(server, *words, "-json"))


def rows(found):
    """The rows of the first table of an answer, by the names of its columns."""
    table = found["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def shown(server, *words):
    return rows(answer(server, *words))


def dial(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))  # it waits, also if the server has to accept many
    client.settimeout(PATIENCE)
    return client


def receive_all(client):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            data += piece
    return data


def raw(path, request):
    """Sends the bytes; returns what the server answers until it closes."""
    with dial(path) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(request)
        return receive_all(client)


def metric(server, name):
    """A number of /metrics of the server; the module prometheus must run."""
    for line in server.get("/metrics")[2].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return 0


@pytest.fixture
def control_folder():
    """A folder with a short name: paths of sockets have at most 107 bytes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ctl"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def controlled(control_folder, relay_keys):
    """controlled(...) starts a server with the module control; `socket` is its path."""
    with contextlib.ExitStack() as servers:

        def start(modules=MODULES, sections=None, control=None, **options):
            sections = {"control": {"socket": str(control_folder / "s"), **(control or {})},
                        **(sections or {})}
            server = ModuleServer(control_folder, relay_keys, modules, sections=sections,
                                  **options)
            server.socket = control_folder / "s"
            servers.callback(server.finish)
            server.wait_for_log("ready, with modules:")
            return server

        yield start
