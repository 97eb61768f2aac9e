# SPDX-License-Identifier: MPL-2.0
"""Our server with test modules and a configuration file of its own; the module relay is not
needed."""

import contextlib
import pathlib
import re
import socket

import pytest

import relay_server
from relay_server import Program, RelayServer, module_folder, split_address
from waiting import PATIENCE


def folder_of(module):
    """The folder to which the build writes a test module."""
    return module_folder().parent / "tests" / "modules" / module


def _quoted(value):
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(map(_quoted, value)) + "}"
    return f'"{value}"'


def transcript(log, module):
    """The messages of a module in a log.  Messages without a context have the component core."""
    return re.findall(rf" notice (?:core: )?{module}: (.*)$", log, re.MULTILINE)


class ModuleServer(RelayServer):
    """A server whose configuration can be rewritten and reloaded.

    `modules` are enabled.  `installed` are put beside the real ones (default: the same).
    `sections` are their options; further keywords are options of the server."""

    def __init__(self, folder, keys, modules, workers=2, installed=None, sections=None,
                 args=(), env=None, **top):
        self.folder = pathlib.Path(folder)
        self.conf = self.folder / "strelaysrv.conf"
        self.configure(modules, sections, **top)
        program = Program("ours", workers)
        wanted = map(folder_of, modules if installed is None else installed)
        folders = [module_folder(), *(folder for folder in wanted if folder.exists())]
        command = [
            program.path, "-conf", str(self.conf), "-module-dir", ",".join(map(str, folders)),
            "-keys", str(keys), "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0",
            "-workers", str(workers), *map(str, args),
        ]
        super().__init__(program, command, self.folder, env=env)

    def configure(self, modules, sections=None, **top):
        """Writes strelaysrv.conf."""
        lines = [f"modules = {_quoted(modules)}"]
        lines += [f"{name.replace('_', '-')} = {_quoted(value)}" for name, value in top.items()]
        for name, options in (sections or {}).items():
            lines.append(f"{name} {{")
            lines += [f"  {option} = {_quoted(value)}" for option, value in options.items()]
            lines.append("}")
        self.conf.write_text("\n".join(lines) + "\n")

    @property
    def address(self):
        return split_address(self.wait_for_log(r"core: listening on (\S+)").group(1))

    @property
    def status_address(self):
        return split_address(self.wait_for_log(r"core: status address: (\S+)").group(1))

    def connect(self):
        return socket.create_connection(self.address, timeout=PATIENCE)

    def page(self, path):
        """Status code and text of a page."""
        code, _, body = self.get(path)
        return code, body.decode()

    def probe(self, *options):
        """The metrics that the module `probe` reads: {"metric counter.step": "1", ...}."""
        code, text = self.page("/probe?" + "&".join(options))
        assert code == 200, f"/probe: got {code}, want 200"
        return dict(line.rsplit(" ", 1) for line in text.splitlines())

    def transcript(self, module):
        """The messages of a module, by line."""
        return transcript(self.log(), module)


@pytest.fixture
def module_server(tmp_path, relay_keys):
    """module_server(modules, ...) starts a server and waits until it is ready."""
    with contextlib.ExitStack() as servers:

        def start(modules, **options):
            server = ModuleServer(tmp_path, relay_keys, modules, **options)
            servers.callback(server.finish)
            server.wait_for_log("ready, with modules:")
            return server

        yield start


@pytest.fixture
def failing_start(tmp_path, relay_keys):
    """failing_start(modules, ...) starts a server that must fail; returns its exit code and log."""

    def start(modules, **options):
        server = ModuleServer(tmp_path, relay_keys, modules, **options)
        code = server.wait_for_exit()
        finding = relay_server._SANITIZER.search(server.log())
        assert not finding, f"{finding.group()}:\n{server.log()}"
        return code, server.log()

    return start
