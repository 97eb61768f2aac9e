# SPDX-License-Identifier: MPL-2.0
"""The installed tree: it runs from its prefix, and modules are built against it from outside."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import certificates
from relay_server import ROOT, Program, RelayServer, module_folder

def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """What `cmake --install` makes of the build under test."""
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", str(module_folder().parent), "--prefix", str(folder))
    return folder


@pytest.fixture
def installed_server(tmp_path):
    """installed_server(prefix, *args) starts what is installed there; it is stopped in the end."""
    with contextlib.ExitStack() as servers:

        def start(prefix, *args):
            certificates.make(name="strelaysrv").write(tmp_path)
            command = [str(prefix / "bin" / "strelaysrv"), "-listen", "127.0.0.1:0",
                       "-status-srv", "127.0.0.1:0", "-pools=", "-keys", str(tmp_path), *args]
            server = RelayServer(Program("ours"), command, tmp_path)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def example():
    """The first C program of the page for module authors, as it stands there."""
    page = (ROOT / "modules" / "README.md").read_text()
    return re.search(r"```c\n(.*?)```", page, re.DOTALL).group(1)


def cache(name):
    lines = (module_folder().parent / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", lines, re.MULTILINE).group(1)


def test_the_installed_server_finds_its_modules(prefix, installed_server):
    server = installed_server(prefix)
    server.wait_for_log("with modules: log, relay, status")
    assert server.status()["numConnections"] == 0


def test_an_installed_tree_may_be_moved(prefix, installed_server, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(prefix, moved)
    installed_server(moved)


def test_the_installed_sample_is_good(prefix, tmp_path):
    sample = next(prefix.rglob("strelaysrv.conf"))
    run(str(prefix / "bin" / "strelaysrv"), "-conf", str(sample), "-check", cwd=tmp_path)


def test_the_example_of_the_module_page_runs(prefix, installed_server, tmp_path):
    (tmp_path / "hello.c").write_text(example())
    flags = ["-fsanitize=thread"] if cache("CMAKE_BUILD_TYPE") == "TSan" else []
    if cache("CMAKE_BUILD_TYPE") == "ASan":
        flags = ["-fsanitize=address,undefined"]
    package = next(prefix.rglob("strelaysrv.pc"))
    config = ["pkg-config", "--define-variable", f"includedir={prefix / 'include'}", "--cflags",
              str(package)]
    run(cache("CMAKE_C_COMPILER"), "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
        "-shared", "-fPIC", *flags, *run(*config).split(), "-o", str(tmp_path / "hello.so"),
        str(tmp_path / "hello.c"))
    (tmp_path / "relay.conf").write_text(
        "modules = { log, relay, status, hello }\nhello { interval = 10s }\n")
    modules = next(prefix.rglob("relay.so")).parent
    server = installed_server(prefix, "-conf", str(tmp_path / "relay.conf"),
                              "-module-dir", f"{modules},{tmp_path}")
    server.wait_for_log("info hello: 0 bytes so far")


def test_nothing_writes_outside_the_prefix(prefix):
    names = {path.relative_to(prefix).parts[0] for path in prefix.rglob("*") if path.is_file()}
    assert names <= {"bin", "include", "lib", "lib64", "share"}, names
    size = sum(path.stat().st_size for path in prefix.rglob("*.so"))
    assert size > 0 and os.access(prefix / "bin" / "strelaysrv", os.X_OK)
    assert pathlib.Path(prefix / "include" / "strelaysrv" / "module.h").exists()
