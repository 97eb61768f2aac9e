# SPDX-License-Identifier: MPL-2.0
"""A small disk, mounted for a server and its children only, that a test can fill."""

import os
import pathlib
import subprocess

#: Bytes.
SIZE = 1 << 20


class SmallDisk:
    """`prefix` is for relay_server.start(); then the disk is at `path`, for that server."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.prefix = ["unshare", "--mount", "sh", "-c",
                       f'mount -t tmpfs -o size={SIZE} tmpfs "$0" && exec "$@"', str(path)]

    def seen_by(self, server):
        """The same folder, as this process reaches it."""
        return pathlib.Path(f"/proc/{server.pid}/root{self.path}")

    def fill(self, server):
        """Nothing more fits."""
        with (self.seen_by(server) / "filler").open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def empty(self, server):
        os.unlink(self.seen_by(server) / "filler")


def why_not():
    """None if such disks can be mounted; otherwise the reason."""
    done = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                          capture_output=True, text=True, check=False)
    return f"no mount namespace: {done.stderr.strip()}" if done.returncode else None
