#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Fails on a writable file-scope variable of the core that is not named here.

    state.py BUILD

State belongs to a server (core/base/instance.h), so that a process can hold
two.  What has to be global is named below with its reason.
"""

import subprocess
import sys
from pathlib import Path

CORE = Path(sys.argv[1]).resolve().parent / "core"

GLOBAL = {
    "base/wall_clock": ("start_boot_us start_mono_ms start_us", "the process's start"),
    "base/file_wait": ("here", "what this thread is doing"),
    "base/file_unchanged": ("looks", "what this thread has seen"),
    "base/instance": ("instance instance_first", "leads to all other state"),
    "base/rights": ("dropped", "rights are the process's"),
    "config/config_file": ("config_reader untouched",
                           "libconfuse gives its callbacks no argument, and "
                           "takes a constant text as char *"),
    "config/config_serialize": ("nothing", "an empty text, returned as char *"),
    "life/signals": ("signals", "signals are the process's"),
    "log/log": ("delivering", "what this thread is doing"),
    "loop/at_exit": ("called", "functions of atexit() are the process's, without an "
                     "argument"),
    "loop/code_map": ("count owners", "what the process has mapped, for "
                      "signal handlers"),
    "loop/code_running": ("answer answered asked running_at",
                          "what a signal handler was asked, and answers; what libevent is like"),
    "loop/crash": ("describe leaving opening previous process reported reporter "
                   "stack",
                   "signal handlers are the process's, without an argument"),
    "loop/crash_reason": ("reason", "what this thread says of itself"),
    "loop/loop": ("loop_current", "this thread's loop"),
    "loop/blocking_task": ("hung threads",
                  "threads that hang may outlive their server"),
    "loop/thread": ("function", "what this thread was started with"),
    "tls/tls_chacha": ("functions over",
                       "OpenSSL calls them without an argument of ours"),
    "tls/tls_ecdsa": ("functions", "likewise"),
    "tls/tls_provider": ("provider", "likewise; counted by its users"),
    "tls/tls_step": ("step", "what this thread is doing"),
}


def variables(obj):
    """Names of what the object puts into memory that can be written."""
    text = subprocess.run(["objdump", "-t", obj], check=True,
                          capture_output=True, text=True).stdout
    for line in text.splitlines():
        fields = line.split()
        section = next((f for f in fields if f.startswith(
            (".data", ".bss", ".tdata", ".tbss", "*COM*"))), "")
        # Tables of pointers are constants that are relocated at the start.
        if section and not section.startswith(".data.rel.ro") and \
                not fields[-1].startswith("."):
            yield fields[-1]


def main():
    build, found, problems = Path(sys.argv[1]), {}, []
    for obj in build.glob("CMakeFiles/*.dir/core/*/*.c.o"):
        unit = f"{obj.parent.name}/{obj.name.split('.')[0]}"
        if not (CORE / f"{unit}.c").exists():
            continue  # left in the folder by a source that was renamed
        found[unit] = {name.split(".")[0] for name in variables(obj)}
    for unit, names in sorted(found.items()):
        listed = set(GLOBAL.get(unit, [""])[0].split())
        problems += [f"core/{unit}.c: {name} belongs into the room's state"
                     for name in names - listed]
        problems += [f"core/{unit}.c has no variable {name} any more"
                     for name in listed - names]
    print("\n".join(problems) or f"core: {len(found)} units, {len(GLOBAL)} with globals")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
