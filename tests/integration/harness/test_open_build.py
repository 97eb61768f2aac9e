# SPDX-License-Identifier: MPL-2.0
"""A build in a folder that only its owner may enter: tests that become other users run a copy."""

import pathlib
import shutil
import subprocess

import pytest

import open_folder
from open_folder import folder  # noqa: F401
from privileges import UID, why_no_other_user
from relay_server import Program, module_folder
from skip_unless import can_run


@pytest.fixture
def closed(tmp_path):
    """The program and its modules below a home with mode 0700."""
    home = tmp_path / "home"
    shutil.copytree(module_folder(), home / "clone" / "build" / "modules")
    home.chmod(0o700)
    return shutil.copy(Program("ours").path, home / "clone" / "build")


def version_as_another_user(program):
    return subprocess.run([program, "-version"], user=UID, group=UID, extra_groups=[], cwd="/",
                          capture_output=True, text=True, check=False)


@can_run("CLOSED BUILDS", why_no_other_user())
def test_a_closed_build_is_copied_to_where_others_may_enter(closed):
    with pytest.raises(PermissionError):
        version_as_another_user(closed)
    program, copy = open_folder.open_build(closed)
    try:
        done = version_as_another_user(program)
        assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(copy)


def test_an_open_build_is_used_as_it_is(folder):  # noqa: F811
    program = folder / "strelaysrv"
    program.touch()
    assert open_folder.open_build(str(program)) == (str(program), None)
    assert pathlib.Path(program).exists()
