# SPDX-License-Identifier: MPL-2.0
"""What `cmake --install` makes of the build under test, and how that was built."""

import re
import subprocess

import pytest

from relay_server import module_folder


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


def cache(name):
    lines = (module_folder().parent / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", lines, re.MULTILINE).group(1)


def sanitizer_flags():
    return {"TSan": ["-fsanitize=thread"], "ASan": ["-fsanitize=address,undefined"]}.get(
        cache("CMAKE_BUILD_TYPE"), [])
