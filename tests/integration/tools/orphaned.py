# SPDX-License-Identifier: MPL-2.0
"""Sockets that a server has closed, while the kernel goes on trying to deliver their data."""

#: States in /proc/net/tcp of sockets that no process owns any more.
_ORPHANED = {"04": "FIN-WAIT-1", "09": "LAST-ACK", "0B": "CLOSING"}


def orphans(port):
    """(sockets, bytes in their send queues) of this local port."""
    count = held = 0
    with open("/proc/self/net/tcp", encoding="ascii") as lines:
        for fields in (line.split() for line in list(lines)[1:]):
            ours = int(fields[1].split(":")[1], 16) == port
            if ours and fields[3] in _ORPHANED and fields[9] == "0":
                count += 1
                held += int(fields[4].split(":")[0], 16)
    return count, held
