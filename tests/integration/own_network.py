# SPDX-License-Identifier: MPL-2.0
"""A network namespace, with no more than loopback, for each process of pytest-xdist.

A port that one test lets go, or that it wants nobody to listen at, is then never taken by a
server of another test that runs beside it."""

import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000

_entered = False


def enter():
    """Where the machine makes no namespaces, all tests stay in the one there is."""
    global _entered
    if _entered or "PYTEST_XDIST_WORKER" not in os.environ:
        return
    assert threading.current_thread() is threading.main_thread(), "children would be elsewhere"
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            return
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)
            _entered = True
        except (OSError, subprocess.SubprocessError):
            assert libc.setns(before, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(before)
