# SPDX-License-Identifier: MPL-2.0
"""The project's systemd unit, what systemd makes of it, and whether its sandbox can be used in
tests."""

import ctypes.util
import os
import re
import shlex
import shutil

import faults
import sandbox
from relay_server import ROOT

UNIT = ROOT / "conf" / "strelaysrv.service"
_SINGLE = {"User", "Group", "WorkingDirectory", "UMask"}


def why_no_sandbox():
    """None if sandbox.py can run the unit; otherwise the reason."""
    if not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"):
        return "there is no systemd-analyze, or no libseccomp"
    if faults.sanitized():
        return "sanitizers make further system calls"
    if os.geteuid() != 0:
        return "only root may set a filter without no_new_privs"
    return None


def settings(*paths):
    """{name: [value, ...]} of a unit and its drop-ins, of which an empty value clears a list."""
    found = {}
    for path in paths:
        for name, value in sandbox.unit_lines(path):
            if name in _SINGLE or not value:
                found[name] = []
            if value:
                found.setdefault(name, []).append(value)
    return found


def variables(text):
    """{name: value} of an EnvironmentFile=, as systemd.exec(5) says: an unquoted value lasts to the
    end of its line."""
    found = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in "#;" or "=" not in line:
            continue
        name, value = line.split("=", 1)
        quoted = re.fullmatch(r"""(["'])(.*)\1""", value.strip())
        found[name.strip()] = quoted.group(2) if quoted else value.strip()
    return found


def environment(unit, text):
    """What systemd would give the unit's commands, if its EnvironmentFile= had that text."""
    return {**dict(value.split("=", 1) for value in unit["Environment"]), **variables(text)}


def command(unit, name, given):
    """The arguments that systemd makes of a command line of a unit and the environment, without the
    program: $X as a word becomes the words of X, with quotes as in a shell; ${X} stays one word."""
    words = []
    for word in unit[name][0].split()[1:]:
        if re.fullmatch(r"\$[A-Z_]+", word):
            words += shlex.split(given.get(word[1:], ""))
        else:
            words.append(re.sub(r"\$\{([A-Z_]+)\}", lambda m: given.get(m.group(1), ""), word))
    return words


def asserts_hold(unit, root):
    """Whether AssertPathExists= of the unit allow a start, if `root` were the root directory."""
    def holds(value):
        path = value.lstrip("|!")
        return (root / path.lstrip("/")).exists() != ("!" in value[:2])
    found = unit.get("AssertPathExists", [])
    any_of = [value for value in found if value[0] == "|"]
    return all(holds(value) for value in found if value[0] != "|") and (
        not any_of or any(map(holds, any_of)))
