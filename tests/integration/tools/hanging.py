# SPDX-License-Identifier: MPL-2.0
"""A folder whose files can be made to hang; see tests/faults/README.md."""

import os

import pytest

from faults import preload
from waiting import wait_for


class Mount:
    """A folder whose files hang on demand, for servers that are started with `environment`."""

    def __init__(self, folder):
        self.folder = folder / "mount"
        self.folder.mkdir()
        self._hold = folder / "hold"
        self._held = folder / "hold.held"
        self.environment = {
            **os.environ, "LD_PRELOAD": preload("hanging.so"),
            "HANG_BELOW": str(self.folder), "HANG_WHILE": str(self._hold),
        }

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        os.utime(path, (1e9, 1e9))  # at rest, so that it is not waited for
        return path

    def hang(self):
        self._held.unlink(missing_ok=True)
        self._hold.touch()

    def wait_until_held(self):
        wait_for(self._held.exists, "a call to hang")

    def answer(self):
        self._hold.unlink(missing_ok=True)


@pytest.fixture
def mount(tmp_path):
    mount = Mount(tmp_path)
    yield mount
    mount.answer()
