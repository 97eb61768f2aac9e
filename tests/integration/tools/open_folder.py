# SPDX-License-Identifier: MPL-2.0
"""Folders that other users may enter, for servers that run as another user: one for a test's files,
and one for the build, which may be below a home that only its owner may enter."""

import os
import pathlib
import shutil
import stat
import tempfile

import pytest


def is_open(path):
    """Whether others may enter the folder, and all folders that it is in."""
    here = pathlib.Path(path).resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (here, *here.parents))


def _place():
    """Where open folders can be made."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if is_open(place):
            return place
    return None


@pytest.fixture
def folder():
    """A folder that other users may enter, unlike pytest's own."""
    place = _place()
    if not place:
        pytest.skip("no folder for temporary files can be entered by other users")
    with tempfile.TemporaryDirectory(prefix="relay-open-", dir=place) as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def _left_out(_, names):
    return [name for name in names if name == "CMakeFiles" or name.endswith((".o", ".log"))]


def open_build(program):
    """The program at a path that others may use: its own, or that of a copy of its build.

    Returns it, and the folder to remove afterwards or None."""
    build = pathlib.Path(program).resolve().parent
    place = _place()
    if is_open(build) or not place:
        return program, None
    copy = pathlib.Path(tempfile.mkdtemp(prefix="relay-build-", dir=place))
    copy.chmod(0o755)
    shutil.copytree(build, copy / "build", symlinks=True, ignore=_left_out)
    return str(copy / "build" / pathlib.Path(program).name), copy


def begin(config):
    """Root's tests, which become other users, run such a program.  Once for all processes of a
    run: they inherit the environment."""
    program = os.environ.get("STRELAYSRV")
    config.open_copy = None
    if os.geteuid() == 0 and program and "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["STRELAYSRV"], config.open_copy = open_build(program)


def end(config):
    if getattr(config, "open_copy", None):
        shutil.rmtree(config.open_copy, ignore_errors=True)
