# SPDX-License-Identifier: MPL-2.0
"""The public headers from C++: each compiles alone, and a module in C++ is built and loaded."""

import re
import shutil
import subprocess

import pytest

from module_server import ModuleServer
from relay_server import ROOT, module_folder
from waiting import wait_for

SOURCE = ROOT / "tests" / "modules" / "cplusplus.cpp"
HEADERS = [*sorted((ROOT / "include" / "strelaysrv").glob("*.h")),
           *sorted((ROOT / "tests" / "testutil" / "include" / "strelaysrv").glob("*.h"))]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-missing-field-initializers",
          "-I", ROOT / "include", "-I", ROOT / "tests" / "testutil" / "include"]


@pytest.fixture(params=["g++", "clang++"])
def compiler(request):
    path = shutil.which(request.param)
    if not path:
        pytest.skip(f"there is no {request.param}")
    return path


def compile_or_fail(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_header_compiles_alone(compiler, tmp_path):
    for header in HEADERS:
        source = tmp_path / f"{header.stem}.cpp"
        source.write_text(f"#include <strelaysrv/{header.name}>\n")
        compile_or_fail(compiler, "-std=c++11", *STRICT, "-fsyntax-only", source)


def test_each_function_has_the_name_that_c_gives_it(compiler, tmp_path):
    """A header without extern "C" compiles, but what uses its functions cannot be loaded."""
    names = set()
    for exports in (ROOT / "core" / "exports.map", ROOT / "tests" / "testutil" / "exports.map"):
        names |= set(re.findall(r"^\s*(relay_\w+);", exports.read_text(), re.MULTILINE))
    source, built = tmp_path / "all.cpp", tmp_path / "all.o"
    source.write_text("".join(f"#include <strelaysrv/{header.name}>\n" for header in HEADERS)
                      + "extern void (*const all[])();\nvoid (*const all[])() = {\n"
                      + "".join(f"reinterpret_cast<void (*)()>(&{name}),\n" for name in sorted(names))
                      + "};\n")
    compile_or_fail(compiler, "-std=c++11", *STRICT, "-c", "-o", built, source)
    wanted = subprocess.run(["nm", "--undefined-only", "--format=just-symbols", built],
                            capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in wanted if "relay_" in name} == names


def test_a_module_in_cplusplus_is_loaded(compiler, tmp_path, relay_keys):
    folder = tmp_path / "built"
    folder.mkdir()
    compile_or_fail(compiler, "-std=c++20", *STRICT, "-fvisibility=hidden", "-shared", "-fPIC",
                    "-o", folder / "cplusplus.so", SOURCE)
    sections = {"cplusplus": {"word": "so far"}}
    server = ModuleServer(tmp_path, relay_keys, ["log", "status", "prometheus", "cplusplus"],
                          sections=sections,
                          args=["-module-dir", f"{folder},{module_folder()}", "-count-by", "2"])
    try:
        server.wait_for_log("ready, with modules:.*cplusplus")
        for _ in range(3):
            server.connect().close()
        wait_for(lambda: server.page("/cplusplus") == (200, "so far 6\n"),
                 lambda: f"three connections; the page: {server.page('/cplusplus')}")
        assert "\nstrelaysrv_cplusplus_seen 6\n" in server.page("/metrics")[1]
        sections["cplusplus"]["word"] = "now"
        server.configure(["log", "status", "prometheus", "cplusplus"], sections)
        done, news = server.reload()
        assert done, news
        assert server.page("/cplusplus") == (200, "now 6\n")
        server.configure(["log", "status", "prometheus"])
        done, news = server.reload()
        assert done, news
        assert server.page("/cplusplus")[0] == 404
    finally:
        server.finish()
