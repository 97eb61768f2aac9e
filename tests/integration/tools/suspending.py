# SPDX-License-Identifier: MPL-2.0
"""A server that gets no CPU for a while."""

import contextlib
import pathlib
import signal

from waiting import wait_for


@contextlib.contextmanager
def suspended(server):
    """Stops the process, as a machine does that sleeps or has no CPU for it: everything that
    happens meanwhile is pending when it continues."""
    stat = pathlib.Path(f"/proc/{server.pid}/stat")
    server.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it to stop")
        yield
    finally:
        server.send_signal(signal.SIGCONT)
