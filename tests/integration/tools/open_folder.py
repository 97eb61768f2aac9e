# SPDX-License-Identifier: MPL-2.0
"""A folder for servers that run as another user."""

import os
import pathlib
import tempfile

import pytest


@pytest.fixture
def folder():
    """A folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="relay-open-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)
