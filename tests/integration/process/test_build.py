# SPDX-License-Identifier: MPL-2.0
"""What cmake says about a machine that has only a part of the packages."""

import os
import pathlib
import shutil
import subprocess

import pytest

from relay_server import ROOT


@pytest.fixture
def configure(tmp_path):
    """configure(*options) runs cmake where pkg-config knows everything except cmocka."""
    known = tmp_path / "pkgconfig"
    known.mkdir()
    places = subprocess.run(["pkg-config", "--variable=pc_path", "pkg-config"], check=True,
                            capture_output=True, text=True).stdout.strip().split(":")
    for place in reversed(places):
        for file in pathlib.Path(place).glob("*.pc"):
            if file.name != "cmocka.pc":
                shutil.copy(file, known)

    def run(*options):
        return subprocess.run(
            ["cmake", "-S", str(ROOT), "-B", str(tmp_path / "build"), *options], check=False,
            env={**os.environ, "PKG_CONFIG_PATH": "", "PKG_CONFIG_LIBDIR": str(known)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return run


def targets(folder):
    done = subprocess.run(["cmake", "--build", str(folder), "--target", "help"], check=True,
                          capture_output=True, text=True)
    return [word.rstrip(":") for word in done.stdout.split()]  # Ninja writes colons


def test_without_cmocka_the_server_is_built_and_the_tests_are_not(configure, tmp_path):
    done = configure()
    assert done.returncode == 0, done.stdout
    assert "The tests are not built" in done.stdout and "libcmocka-dev" in done.stdout
    built = targets(tmp_path / "build")
    assert {"testutil", "module_relay"} <= set(built)
    assert "test_units" not in built


def test_tests_that_are_asked_for_need_cmocka(configure):
    done = configure("-DBUILD_TESTING=ON")
    assert done.returncode != 0 and "cmocka" in done.stdout, done.stdout


def test_tests_that_are_refused_are_not_built(configure, tmp_path):
    done = configure("-DBUILD_TESTING=OFF")
    assert done.returncode == 0 and "tests are not built" not in done.stdout, done.stdout
    assert "test_units" not in targets(tmp_path / "build")
