# SPDX-License-Identifier: MPL-2.0
"""What this process may do that some tests need.  Root in a container often may not."""

import functools
import os
import socket
import subprocess
import sys
import tempfile

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


@functools.cache
def why_no_mounts():
    """None if file systems can be mounted, in a namespace; otherwise the reason."""
    if os.geteuid() != 0:
        return "needs root"
    able = _works("unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs",
                  "tmpfs", "/mnt")
    return None if able else "cannot mount file systems"


@functools.cache
def why_no_owner():
    """None if files can be given to another user; otherwise the reason."""
    if os.geteuid() != 0:
        return "needs root"
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.chown(file.name, UID, UID)
        except OSError:
            return "cannot give files to another user"
    return None


@functools.cache
def why_no_packets():
    """None if raw sockets can be made; otherwise the reason."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError:
        return "cannot make raw sockets"
    return None


#: A process of which only those with rights see more than its number.
_HIDDEN = """import ctypes, sys
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
print(flush=True)
sys.stdin.read()
"""


@functools.cache
def flags_to_be_seen():
    """The flags of a server whose descriptors and program this process must be able to see."""
    with subprocess.Popen([sys.executable, "-S", "-c", _HIDDEN], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            os.readlink(f"/proc/{process.pid}/exe")
        except OSError:
            return ["-core-dumps"]
        finally:
            process.stdin.close()
    return []
