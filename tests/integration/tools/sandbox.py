# SPDX-License-Identifier: MPL-2.0
"""Runs a command under the system call filter of a systemd unit.  Other calls kill it.

It also applies RestrictAddressFamilies= and MemoryDenyWriteExecute=.

As a program: sandbox.py UNIT COMMAND..."""

import ctypes
import os
import pathlib
import re
import subprocess
import sys

_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_EQUAL, _MASKED = 4, 7
_WRITE, _EXEC = 2, 4
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


class _Condition(ctypes.Structure):
    """struct scmp_arg_cmp: the number of the argument, the comparison, the operands."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


def unit_lines(path):
    """[(name, value)] of a unit file."""
    lines = [line for line in pathlib.Path(path).read_text().splitlines() if "=" in line
             and not line.startswith("#")]
    return [tuple(line.split("=", 1)) for line in lines]


def _members(word):
    """The system calls of a name or a @group."""
    if not word.startswith("@"):
        return {word}
    text = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True,
                          text=True, check=True).stdout
    inner = re.findall(r"^\s+(@?[a-z0-9_-]+)$", text, re.MULTILINE)
    return set().union(*map(_members, inner)) if inner else set()


def allowed_calls(path):
    """The calls that the SystemCallFilter= lines of a unit allow, by systemd's rules."""
    # systemd needs these between its filter and the program, and always allows them.
    allowed = _members("@default")
    for name, value in unit_lines(path):
        if name != "SystemCallFilter":
            continue
        calls = set().union(*map(_members, value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed | {"execve", "exit", "exit_group", "rt_sigreturn"}


def conditions(path):
    """{call: [condition, ...]}.  A call is allowed if one of its conditions holds."""
    families = next(value for name, value in unit_lines(path) if name == "RestrictAddressFamilies")
    return {
        "socket": [_Condition(0, _EQUAL, _FAMILIES[name], 0) for name in families.split()],
        "mprotect": [_Condition(2, _MASKED, _EXEC, 0)],
        "mmap": [_Condition(2, _MASKED, bit, 0) for bit in (_WRITE, _EXEC)],
    }


def restrict(calls, conditional):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_KILL_PROCESS)))
    assert context
    for name in sorted(calls):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            continue  # libseccomp does not know it
        # Other numbers below 0 are of calls that libseccomp takes for another one, as those of
        # sockets on i386 for socketcall(2), or of another architecture; it knows which.
        for condition in conditional.get(name, [None]):
            result = library.seccomp_rule_add_array(
                context, ctypes.c_uint32(_ALLOW), ctypes.c_int(number),
                ctypes.c_uint(condition is not None),
                ctypes.byref(condition) if condition else None)
            assert result == 0, f"{name}: {result}"
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    restrict(allowed_calls(sys.argv[1]), conditions(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
