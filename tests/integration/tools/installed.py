# SPDX-License-Identifier: MPL-2.0
"""Installs the build under test; and how that build was configured."""

import re
import subprocess

import pytest

from relay_server import ROOT, module_folder


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """A directory with the installed build."""
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", str(module_folder().parent), "--prefix", str(folder))
    return folder


def cache(name):
    lines = (module_folder().parent / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", lines, re.MULTILINE).group(1)


def sanitizer_flags():
    return {"TSan": ["-fsanitize=thread"], "ASan": ["-fsanitize=address,undefined"]}.get(
        cache("CMAKE_BUILD_TYPE"), [])


def examples():
    """The C programs in the page for module authors, unchanged."""
    page = (ROOT / "modules" / "README.md").read_text()
    found = {}
    for text in re.findall(r"```c\n(.*?)```", page, re.DOTALL):
        name = re.match(r"/\* (\S+) - ", text)
        if name:
            found[name.group(1)] = text
    return found


def build_example(name, prefix, folder):
    """Builds one of them against the installed headers: FOLDER/NAME.so."""
    (folder / f"{name}.c").write_text(examples()[name])
    package = next(prefix.rglob("strelaysrv.pc"))
    config = ["pkg-config", "--cflags", str(package)]
    run(cache("CMAKE_C_COMPILER"), "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
        "-shared", "-fPIC", *sanitizer_flags(), *run(*config).split(),
        "-o", str(folder / f"{name}.so"), str(folder / f"{name}.c"))
