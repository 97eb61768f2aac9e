# SPDX-License-Identifier: MPL-2.0
"""A network namespace with loopback only, for each process of pytest-xdist.

So no server of a parallel test takes a port that a test has freed or expects to be closed."""

import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_entered = False


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make():
    """Moves the calling thread, and the processes that it starts, to a new namespace.  Raises if
    the machine does not allow it."""
    _check(_libc.unshare(CLONE_NEWNET))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)


def go_back(before):
    """Returns to the namespace of this open file, and closes the file."""
    try:
        _check(_libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)


def enter():
    """Without namespaces, all tests share the machine's network."""
    global _entered
    if _entered or "PYTEST_XDIST_WORKER" not in os.environ:
        return
    assert threading.current_thread() is threading.main_thread(), "children would be elsewhere"
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        make()
        _entered = True
    except PermissionError:
        pass
    except (OSError, subprocess.SubprocessError):
        _check(_libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)
