# SPDX-License-Identifier: MPL-2.0
"""Makes system and library calls of a server fail; see tests/faults/README.md."""

import errno
import mmap
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

import tally
from relay_server import Program

(MEMORY, MMAP, RANDOM, FORK, THREAD, SOCKET, ACCEPT, OPEN, STAT, STUCK, SPLICE, EPOLL) = (
    1 << bit for bit in range(12))

(_KINDS, _FIRST, _LENGTH, _COUNTED, _FAILED, _ERRNO, _CONSTANT, _THREAD,
 _HANDSHAKES) = range(9)
_SIZE = 72
_FOREVER = 1 << 62

#: Used in place of a thread's number: the first thread of each process.
FIRST_THREAD = 1


def sanitized():
    """Whether our server was built with a sanitizer, whose memory functions cannot be replaced."""
    binary = pathlib.Path(Program("ours").path).read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


#: Marks tests in which memory allocations fail.
needs_memory = pytest.mark.skipif(
    sanitized(), reason="sanitizers bring their own memory functions")


def preload(library):
    """The value of LD_PRELOAD. A sanitizer's library must come before ours."""
    binary = Program("ours").path
    needed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    first = re.findall(r"=> (\S*/lib[at]san\.so\S*)", needed)
    ours = pathlib.Path(binary).resolve().parent / "tests/faults" / library
    assert ours.exists(), f"no {ours}: without it nothing fails; build with BUILD_TESTING=ON"
    return " ".join([*first, str(ours)])


def sample(count, most, seed):
    """The numbers of the calls to test: at most `most` of 1 to `count`, or all with FAULTS_ALL=1.

    The first and the last ones are always included."""
    numbers = range(1, count + 1)
    if os.environ.get("FAULTS_ALL") or count <= most:
        return list(numbers)
    chosen = {*numbers[:most // 4], *numbers[-most // 4:]}
    chosen.update(random.Random(seed).sample(numbers, most - len(chosen)))
    return sorted(chosen)


class Faults:
    """Controls which calls fail in servers that are started with `environment`."""

    def __init__(self, folder):
        path = pathlib.Path(folder) / "faults"
        path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self.environment = {
            **os.environ, "LD_PRELOAD": preload("faults.so"), "FAULTS": str(path),
        }

    def _set(self, number, value):
        # One store, because the server may read the number at any moment.
        memoryview(self._map).cast("Q")[number] = value

    def _get(self, number):
        return struct.unpack_from("Q", self._map, 8 * number)[0]

    def begin(self, kinds, first=0, length=1, error=errno.ENOMEM, thread=0, handshakes=False):
        """Counts calls from now on; `length` calls fail, beginning with number `first`.

        With `handshakes`, counts only calls during TLS handshakes."""
        self.end()
        for number, value in ((_FIRST, first), (_LENGTH, length or _FOREVER), (_COUNTED, 0),
                              (_FAILED, 0), (_ERRNO, error), (_THREAD, thread),
                              (_HANDSHAKES, handshakes)):
            self._set(number, value)
        self._set(_KINDS, kinds)

    def end(self):
        """Stops the faults; returns how many calls were counted."""
        if self._get(_KINDS):
            tally.add("faults", self.failed)
        self._set(_KINDS, 0)
        return self.counted

    @property
    def counted(self):
        return self._get(_COUNTED)

    @property
    def failed(self):
        return self._get(_FAILED)

    def random_is(self, byte):
        """Random numbers consist of this byte only. 0: they are random again."""
        self._set(_CONSTANT, byte)
