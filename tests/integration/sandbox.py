# SPDX-License-Identifier: MPL-2.0
"""Runs a command with no system calls but those that a systemd unit allows; others kill it.

As a program: sandbox.py UNIT COMMAND..."""

import ctypes
import os
import pathlib
import re
import subprocess
import sys

_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000


def unit_lines(path):
    """[(name, value)] of a unit file."""
    lines = [line for line in pathlib.Path(path).read_text().splitlines() if "=" in line
             and not line.startswith("#")]
    return [tuple(line.split("=", 1)) for line in lines]


def _members(word):
    """The calls of a name or @group."""
    if not word.startswith("@"):
        return {word}
    text = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True,
                          text=True, check=True).stdout
    inner = re.findall(r"^\s+(@?[a-z0-9_-]+)$", text, re.MULTILINE)
    return set().union(*map(_members, inner)) if inner else set()


def allowed_calls(path):
    """What the SystemCallFilter= lines of a unit leave, as systemd reads them."""
    # What systemd itself needs between its filter and the program is always allowed.
    allowed = _members("@default")
    for name, value in unit_lines(path):
        if name != "SystemCallFilter":
            continue
        calls = set().union(*map(_members, value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed | {"execve", "exit", "exit_group", "rt_sigreturn"}


def restrict(calls):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_KILL_PROCESS)))
    assert context
    for name in sorted(calls):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            continue  # of another architecture
        result = library.seccomp_rule_add_array(
            context, ctypes.c_uint32(_ALLOW), ctypes.c_int(number), ctypes.c_uint(0), None)
        assert result == 0, f"{name}: {result}"
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    restrict(allowed_calls(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
