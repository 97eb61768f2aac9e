# SPDX-License-Identifier: MPL-2.0
"""The systemd service of this tree, and whether a test can run the server as strictly."""

import ctypes.util
import os
import shutil

import faults
from relay_server import ROOT

UNIT = ROOT / "conf" / "strelaysrv.service"


def why_no_sandbox():
    """None where sandbox.py can run it; else the reason."""
    if not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"):
        return "there is no systemd-analyze, or no libseccomp"
    if faults.sanitized():
        return "sanitizers make further system calls"
    if os.geteuid() != 0:
        return "only root may set a filter without no_new_privs"
    return None
