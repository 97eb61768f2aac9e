# SPDX-License-Identifier: MPL-2.0
"""The vectors of the unit tests of cryptography are those that their scripts make."""
import pathlib
import subprocess
import sys

import pytest

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "unit/tls/vectors"


@pytest.mark.parametrize("script", ["make.py", "derived_keys.py"])
def test_the_vectors_are_those_of_the_script(script):
    done = subprocess.run([sys.executable, "-B", VECTORS / script, "--check"],
                          capture_output=True, text=True,
                          timeout=500, check=False)
    assert done.returncode == 0, done.stderr
