# SPDX-License-Identifier: MPL-2.0
"""The installed tree: the server runs from its prefix, and modules can be built against it."""

import contextlib
import os
import pathlib
import re
import shutil
import sys

import pytest

import certificates
from installed import build_example, cache, examples, run, sanitizer_flags
from relay_server import ROOT, Program, RelayServer

@pytest.fixture
def installed_server(tmp_path):
    """installed_server(prefix, *args) starts the installed server and stops it after the test."""
    with contextlib.ExitStack() as servers:

        def start(prefix, *args):
            certificates.make(name="strelaysrv").write(tmp_path)
            command = [str(prefix / "bin" / "strelaysrv"), "-listen", "127.0.0.1:0",
                       "-status-srv", "127.0.0.1:0", "-pools=", "-keys", str(tmp_path), *args]
            server = RelayServer(Program("ours"), command, tmp_path)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def test_the_installed_server_finds_its_modules(prefix, installed_server):
    server = installed_server(prefix)
    server.wait_for_log(
        "with modules: log, bounds, relay, nat, pool-join, rate-limit, status, control")
    assert server.status()["numConnections"] == 0


def test_the_name_of_the_program_in_arch_linux_works(prefix, tmp_path):
    listed = run(str(prefix / "bin" / "syncthing-relaysrv"), "-modules", cwd=tmp_path)
    assert f"\nrelay " in listed, listed


def test_an_installed_tree_may_be_moved(prefix, installed_server, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(prefix, moved)
    installed_server(moved)


def test_the_installed_sample_is_good(prefix, tmp_path):
    sample = next(prefix.rglob("strelaysrv.conf"))
    run(str(prefix / "bin" / "strelaysrv"), "-conf", str(sample), "-check", cwd=tmp_path)


def test_the_installed_service_starts_the_installed_server(prefix):
    unit = next(prefix.rglob("strelaysrv.service")).read_text()
    programs = re.findall(r"^Exec\w+=(\S+strelaysrv) ", unit, re.MULTILINE)
    assert programs == [str(prefix / "bin" / "strelaysrv")] * 2


def enable_in_sample(prefix, folder, name, section):
    """A copy of the installed sample configuration with one more module enabled."""
    text = next(prefix.rglob("strelaysrv.conf")).read_text()
    changed = re.sub(r"^(modules = \{.*) \}$", rf"\1, {name} }}", text, flags=re.MULTILINE)
    assert changed != text
    (folder / "relay.conf").write_text(changed + f"\n{name} {{ {section} }}\n")
    return folder / "relay.conf"


@pytest.fixture
def serve_with(prefix, installed_server, tmp_path):
    """serve_with(conf) starts the installed server, which also finds modules in the test's
    folder."""
    modules = next(prefix.rglob("relay.so")).parent
    return lambda conf: installed_server(prefix, "-conf", str(conf),
                                         "-module-dir", f"{modules},{tmp_path}")


def test_the_page_has_its_examples():
    assert set(examples()) == {"hello", "page", "pipe"}


def test_the_first_example_runs(prefix, serve_with, tmp_path):
    build_example("hello", prefix, tmp_path)
    conf = enable_in_sample(prefix, tmp_path, "hello", "interval = 10s")
    server = serve_with(conf)
    server.wait_for_log("info hello: 0 bytes so far")


def test_the_exporter_that_is_asked_runs(prefix, serve_with, tmp_path):
    build_example("page", prefix, tmp_path)
    server = serve_with(enable_in_sample(prefix, tmp_path, "page", ""))
    code, _, body = server.get("/numbers")
    assert code == 200
    assert re.search(r"^core\.sessions 0$", body.decode(), re.MULTILINE), body
    assert re.search(r"^relay\.joins\.ok 0$", body.decode(), re.MULTILINE), body


def test_the_exporter_that_tells_runs(prefix, serve_with, tmp_path):
    build_example("pipe", prefix, tmp_path)
    os.mkfifo(tmp_path / "numbers")
    with open(os.open(tmp_path / "numbers", os.O_RDWR), "rb", buffering=0) as reader:
        conf = enable_in_sample(prefix, tmp_path, "pipe",
                                f'file = "{tmp_path}/numbers" interval = 1s')
        server = serve_with(conf)
        text = b""
        while b"relay.devices 0\n" not in text:
            text += reader.read(65536)


def test_the_template_is_built_with_the_cmake_package(prefix, installed_server, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(next(prefix.rglob("module-template")), copy)
    flags = " ".join(["-Wall -Wextra -Wpedantic -Werror", *sanitizer_flags()])
    run("cmake", "-S", str(copy), "-B", str(copy / "build"), f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_COMPILER={cache('CMAKE_C_COMPILER')}", f"-DCMAKE_C_FLAGS={flags}")
    run("cmake", "--build", str(copy / "build"))
    listed = run(str(prefix / "bin" / "strelaysrv"), "-modules", "-module-dir",
                 str(copy / "build"), "-conf", str(copy / "my-module.conf"), cwd=tmp_path)
    assert re.search(r"^my-module 0\.1, API \S+, enabled: ", listed, re.MULTILINE), listed
    run("cmake", "--install", str(copy / "build"))
    module = next(prefix.rglob("my-module.so"))
    try:
        assert module.parent == next(prefix.rglob("relay.so")).parent
        server = installed_server(prefix, "-conf", str(copy / "my-module.conf"))
        server.wait_for_log("info my-module: now: 0 sessions, 0 devices")
    finally:
        module.unlink()


def test_every_link_of_an_installed_page_leads_somewhere(prefix):
    run(sys.executable, str(ROOT / "tests" / "style" / "links.py"), "--installed", str(prefix))
    pages = prefix / "share" / "doc" / "strelaysrv"
    migration = (pages / "MIGRATION.md").read_text()
    assert "[The main page](README.md#replacing-the-go-relay)" in migration
    assert "[conf/strelaysrv.openrc](examples/strelaysrv.openrc)" in migration
    # What is not installed is named.
    assert "\n[tests/](" not in (text := (pages / "README.md").read_text())
    assert "tests/ (tests/README.md in the source)" in text and "![" not in text
    assert "\x01" not in text and "\x02" not in text


def test_nothing_writes_outside_the_prefix(prefix):
    names = {path.relative_to(prefix).parts[0] for path in prefix.rglob("*") if path.is_file()}
    assert names <= {"bin", "include", "lib", "lib64", "libexec", "share"}, names
    size = sum(path.stat().st_size for path in prefix.rglob("*.so"))
    assert size > 0 and os.access(prefix / "bin" / "strelaysrv", os.X_OK)
    assert pathlib.Path(prefix / "include" / "strelaysrv" / "module.h").exists()
    share = prefix / "share"
    for name in ("man/man1/strelaysrv.1", "man/man5/strelaysrv.conf.5", "man/man3/strelaysrv-module.3",
                 "man/man1/strelaysrv-testutil.1", "bash-completion/completions/strelaysrv",
                 "bash-completion/completions/strelaysrv-testutil", "zsh/site-functions/_strelaysrv",
                 "doc/strelaysrv/modules/README.md", "doc/strelaysrv/modules/METRICS.md"):
        assert (share / name).is_file(), name
