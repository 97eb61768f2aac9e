# SPDX-License-Identifier: MPL-2.0
"""The vectors of the unit tests of cryptography are those that their script makes."""
import pathlib
import subprocess
import sys

MAKE = pathlib.Path(__file__).resolve().parents[2] / "unit/tls/vectors/make.py"


def test_the_vectors_are_those_of_the_script():
    done = subprocess.run([sys.executable, "-B", MAKE, "--check"], capture_output=True, text=True,
                          timeout=500, check=False)
    assert done.returncode == 0, done.stderr
