# SPDX-License-Identifier: MPL-2.0
"""A server for which time passes as a test says; see tests/faults/README.md."""

import struct

from faults import preload


class Later:
    """Moves the monotonic clock of servers that are started with `env`."""

    def __init__(self, path):
        self.path = path
        self.by = 0
        self.path.write_bytes(struct.pack("=q", 0))
        self.env = {"LD_PRELOAD": preload("later.so"), "LATER_BY": str(path)}

    def move_on(self, seconds):
        self.by += seconds
        with self.path.open("r+b") as file:  # the same file: servers have mapped it
            file.write(struct.pack("=q", self.by))
