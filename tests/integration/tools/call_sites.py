# SPDX-License-Identifier: MPL-2.0
"""Makes one call fail at one place of a server or of its libraries; see tests/faults/README.md."""

import bisect
import dataclasses
import functools
import mmap
import os
import pathlib
import struct
import subprocess

import faults
import tally
from relay_server import Program, module_folder

_HEAD = struct.Struct("6Q")
_SITE = struct.Struct("3Q40s40s")
_SITES = 8192
_SIZE = _HEAD.size + _SITES * _SITE.size
_COUNTING, _TARGET, _FIRST, _LENGTH, _VALUE, _FAILED = range(6)
FOREVER = 1 << 62
#: Where other programs than the server are.
_PROGRAMS = {"registry-driver": lambda: module_folder().parent / "tests/registry/registry-driver"}


@dataclasses.dataclass(frozen=True, order=True)
class Site:
    """A call in the machine code of an object: `offset` is where it returns to."""

    object: str
    offset: int
    call: str
    key: int
    hits: int = dataclasses.field(default=0, compare=False)

    @property
    def function(self):
        """The function of ours that makes the call; empty in libraries."""
        own = pathlib.Path(Program("ours").path)
        # In tests of upgrades the program is a copy of another name.
        path = module_folder() / self.object if ".so" in self.object else \
            _PROGRAMS.get(self.object, lambda: own)()
        if not path.is_file():
            return ""
        starts, names = _functions(path)
        # A call at the end of a function returns to the first byte behind it.
        at = bisect.bisect_right(starts, self.offset - 1)
        return names[at - 1] if at else ""

    def __str__(self):
        return f"{self.call} {self.object}+{self.offset:#x} {self.function}".rstrip()


@functools.cache
def _functions(path):
    """The addresses of an object's functions, and their names."""
    done = subprocess.run(["nm", "-n", "--defined-only", str(path)], capture_output=True, text=True,
                          check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    rows = [(int(row[0], 16), row[2]) for row in rows if row[1] in "tT"]
    return [row[0] for row in rows], [row[1] for row in rows]


class CallSites:
    """Controls which call fails in servers that are started with `environment`."""

    def __init__(self, folder):
        path = pathlib.Path(folder) / "call-sites"
        with path.open("w+b") as file:
            file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self.environment = {
            **os.environ, "LD_PRELOAD": faults.preload("sites.so"), "CALL_SITES": str(path),
        }

    def _set(self, number, value):
        # One store, because the server may read the number at any moment.
        memoryview(self._map).cast("Q")[number] = value

    def _places(self):
        return range(_HEAD.size, _SIZE, _SITE.size)

    def begin(self, target=None, first=1, length=1, value=0):
        """Counts calls from now on; if a target is given, some of its calls fail with that one of
        its values."""
        self.end()
        for place in self._places():
            self._set(place // 8 + 1, 0)
        for number, to in ((_TARGET, target.key if target else 0), (_FIRST, first),
                           (_LENGTH, length), (_VALUE, value), (_FAILED, 0)):
            self._set(number, to)
        self._set(_COUNTING, 1)

    def end(self):
        """Nothing fails any more; returns how many calls have failed."""
        failed = self.failed()
        if memoryview(self._map).cast("Q")[_COUNTING]:
            tally.add("faults", failed)
        self._set(_COUNTING, 0)
        return failed

    def failed(self):
        """How many calls have failed since begin()."""
        return memoryview(self._map).cast("Q")[_FAILED]

    def called(self):
        """The sites that were called since begin(), in order."""
        found = []
        for place in self._places():
            key, hits, offset, call, name = _SITE.unpack_from(self._map, place)
            if key and hits:
                found.append(Site(name.rstrip(b"\0").decode(), offset, call.rstrip(b"\0").decode(),
                                  key, hits))
        return sorted(found)
