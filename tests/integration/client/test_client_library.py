# SPDX-License-Identifier: MPL-2.0
"""The client library as other programs use it: installed, linked, and with the example of its
page."""

import os
import pathlib
import re
import subprocess

import pytest

import testutil
from installed import cache, run, sanitizer_flags
from relay_double import PoolDouble, listing, send, web_certificate
from relay_server import ROOT, free_port, module_folder
from testutil import Keys, Tool
from waiting import PATIENCE

PAGE = ROOT / "tests" / "testutil" / "README.md"


def example():
    return re.search(r"```c\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)


def pkg_config(prefix, *args):
    package = next(prefix.rglob("relayclient.pc"))
    library = package.parent.parent
    return run("pkg-config", "--define-variable", f"includedir={prefix / 'include'}",
               "--define-variable", f"libdir={library}", *args, str(package)).split()


def compile_program(prefix, source, folder, static):
    library = next(prefix.rglob("relayclient.pc")).parent.parent
    if static:
        libraries = [str(library / "librelayclient.a"), *pkg_config(prefix, "--libs", "--static")]
        libraries.remove("-lrelayclient")
    else:
        libraries = [*pkg_config(prefix, "--libs"), f"-Wl,-rpath,{library}"]
    program = folder / source.stem
    run(cache("CMAKE_C_COMPILER"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic",
        "-Werror", *sanitizer_flags(), *pkg_config(prefix, "--cflags"), "-o", str(program), str(source),
        *libraries)
    return program


def compile_example(prefix, folder, static):
    source = folder / "greeter.c"
    source.write_text(example())
    return compile_program(prefix, source, folder, static)


def greeting(server, keys, other):
    """Of the reference's sessions whose sides join at once, three in ten fail."""
    for left in range(0 if server.program.ours else 9, -1, -1):
        asker = Tool("-connect", keys.id, "-relay", server.uri, "-keys", other.folder)
        try:
            return asker.receive(6)
        except AssertionError:
            if not left:
                raise
        finally:
            asker.finish()


@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
def test_the_example_greets(prefix, server, tmp_path, static):
    greeter = compile_example(prefix, tmp_path, static)
    keys, other = Keys(tmp_path / "keys"), Keys(tmp_path / "other")
    process = subprocess.Popen([greeter, keys.folder, server.uri], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith(f"{keys.id} is at relay://"), line
        for _ in range(2):
            assert greeting(server, keys, other) == b"hello\n"
        server.stop()
        assert process.wait(PATIENCE) == 1
        assert re.match(r"closed: |tls: ", process.stderr.read())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_the_example_says_what_is_wrong(prefix, tmp_path):
    greeter = compile_example(prefix, tmp_path, static=False)
    keys = Keys(tmp_path / "keys")
    for args, want in (
        ([], "usage"),
        ([tmp_path / "nowhere", "relay://h:1"], "cannot open the key directory"),
        ([keys.folder, "http://x"], "no URI of a relay"),
        ([keys.folder, "relay://127.0.0.1:1"], "unreachable: "),
    ):
        done = subprocess.run([greeter, *args], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        assert done.returncode == 1 and want in done.stderr, f"{args}: {done.stderr}"


def test_objects_may_be_freed_in_every_callback(prefix, ours, tmp_path):
    """Uses a pool, so that all steps occur and one relay is skipped."""
    source = pathlib.Path(__file__).with_name("client_frees.c")
    program = compile_program(prefix, source, tmp_path, static=False)
    keys = Keys(tmp_path / "keys")
    dead = f"relay://127.0.0.1:{free_port()}/"
    pool = PoolDouble(lambda handler: send(handler, listing(dead, ours.uri)))
    points = [f"{what}-{step}" for what in ("join", "ask") for step in range(5)]
    points += ["join-joined", "join-invited", "join-ended", "ask-invited", "ask-failed",
               "session-good", "session-bad"]
    try:
        for point in points:
            uri = dead if point == "join-ended" else pool.uri()
            done = subprocess.run([program, keys.folder, uri, point], capture_output=True,
                                  text=True, timeout=PATIENCE * 3, check=False)
            assert done.returncode == 0, f"{point}: {done.returncode}\n{done.stderr}"
    finally:
        pool.close()


#: What was freed is not counted as in use for being kept for the next malloc().
EXACT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def without_end(handler):
    """An answer that never ends, so that data has always just arrived when the client gives up."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
    while True:
        handler.wfile.write(b" " * 10)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_what_was_given_up_in_the_middle_leaves_nothing(prefix, tmp_path, tls):
    source = pathlib.Path(__file__).with_name("client_leaks.c")
    program = compile_program(prefix, source, tmp_path, static=False)
    keys = Keys(tmp_path / "keys")
    certificate, key = web_certificate(tmp_path / "web") if tls else (None, None)
    pool = PoolDouble(without_end, certificate, key)
    try:
        done = subprocess.run([program, keys.folder, pool.uri(host="localhost")],
                              env={**os.environ, "SSL_CERT_FILE": str(certificate), **EXACT},
                              capture_output=True, text=True, timeout=PATIENCE * 3, check=False)
    finally:
        pool.close()
    assert done.returncode == 0 and done.stderr.count("no list in time") > 2, done.stderr
    # One stream has more than 1 KB, and https more than 9 KB.
    assert int(done.stdout) < 1000, f"{done.stdout} bytes are lost"


def api():
    """The functions of the header and of the device ID header, which it includes."""
    text = (ROOT / "tests/testutil/include/strelaysrv/client.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"\b(relay_client_\w+)\(", text)) | {
        "relay_device_id_format", "relay_device_id_parse"}


@pytest.mark.parametrize("name, options", [
    ("librelayclient.so", ["--dynamic"]), ("librelayclient.a", ["--extern-only"]),
])
def test_nothing_but_the_api_can_be_seen(name, options):
    table = run("nm", *options, "--defined-only", "--format=posix",
                str(module_folder().parent / name))
    names = {line.split()[0].partition("@")[0] for line in table.splitlines() if " T " in line}
    assert names == api()


def test_the_shared_library_has_a_soname():
    dynamic = run("readelf", "-d", str(module_folder().parent / "librelayclient.so"))
    assert "Library soname: [librelayclient.so.0]" in dynamic


def test_the_installed_testutil_runs(prefix):
    done = subprocess.run([prefix / "bin" / "strelaysrv-testutil", "-help"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and "-gen-keys" in done.stderr


def test_the_page_tells_all_flags():
    shown = set(re.findall(r"^  (-[\w-]+)", testutil.run("-help").err, re.MULTILINE))
    told = set(re.findall(r"`(-[\w-]+)", PAGE.read_text()))
    assert shown - {"-help"} <= told, shown - told
