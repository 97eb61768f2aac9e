# SPDX-License-Identifier: MPL-2.0
"""Whether this process may start programs as other users and make network namespaces.  Some tests
need that, and root in a container often may do neither."""

import functools
import os
import subprocess

#: A user that no other process of the machine has.
UID = 64701


def _works(*command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@functools.cache
def why_no_other_user():
    """None if a program can be started as another user; otherwise the reason."""
    if os.geteuid() != 0:
        return "needs root"
    if not _works("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "true"):
        return "cannot become another user"
    return None


@functools.cache
def why_no_network():
    """None if network namespaces can be made; otherwise the reason."""
    if os.geteuid() != 0:
        return "needs root"
    return None if _works("unshare", "-n", "true") else "cannot make network namespaces"
