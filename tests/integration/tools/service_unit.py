# SPDX-License-Identifier: MPL-2.0
"""The project's systemd unit, and whether its sandbox can be used in tests."""

import ctypes.util
import os
import shutil

import faults
from relay_server import ROOT

UNIT = ROOT / "conf" / "strelaysrv.service"


def why_no_sandbox():
    """None if sandbox.py can run the unit; otherwise the reason."""
    if not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"):
        return "there is no systemd-analyze, or no libseccomp"
    if faults.sanitized():
        return "sanitizers make further system calls"
    if os.geteuid() != 0:
        return "only root may set a filter without no_new_privs"
    return None
