# SPDX-License-Identifier: MPL-2.0
"""Runs a command in which a system call fails always with the same error, as where the kernel lacks
it or a container's filter forbids it.

As a program: missing_calls.py ERROR CALL... -- COMMAND...

A CALL is a name, or NAME:ARGUMENT=VALUE,... for calls with these arguments only; ARGUMENT&VALUE:
those that have all bits of the value."""

import ctypes
import ctypes.util
import os
import re
import sys

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EQUAL, _MASKED = 4, 7


class _Condition(ctypes.Structure):
    """struct scmp_arg_cmp: the number of the argument, the comparison, the operands."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


def why_not():
    """None if calls can be taken away; otherwise the reason."""
    return None if ctypes.util.find_library("seccomp") else "there is no libseccomp"


def prefix(error, calls):
    """The begin of a command whose rest runs without these calls."""
    return [sys.executable, "-S", __file__, str(error), *calls, "--"]


def _conditions(text):
    found = []
    for number, sign, value in re.findall(r"(\d)([=&])(\d+)", text):
        value = int(value)
        found.append(_Condition(int(number), _EQUAL, value, 0) if sign == "=" else
                     _Condition(int(number), _MASKED, value, value))
    return (_Condition * len(found))(*found)


def take_away(error, calls):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    assert context
    for call in calls:
        name, _, rest = call.partition(":")
        number = library.seccomp_syscall_resolve_name(name.encode())
        assert number != -1, f"no system call is named {name}"
        # Other numbers below 0 are of calls that libseccomp takes for another one, as those of
        # sockets on i386 for socketcall(2), or of another architecture; it knows which.
        conditions = _conditions(rest)
        result = library.seccomp_rule_add_array(
            context, ctypes.c_uint32(_ERRNO | error), ctypes.c_int(number),
            ctypes.c_uint(len(conditions)), conditions)
        assert result == 0, f"{call}: {result}"
    assert library.seccomp_load(context) == 0


def _main(error, *words):
    end = words.index("--")
    take_away(int(error), words[:end])
    os.execvp(words[end + 1], words[end + 1:])


if __name__ == "__main__":
    _main(*sys.argv[1:])
