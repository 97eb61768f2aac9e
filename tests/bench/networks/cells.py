# SPDX-License-Identifier: MPL-2.0
"""The networks that are measured: the client's link to the relay, and the server's."""

import dataclasses

from network import Link


@dataclasses.dataclass(frozen=True)
class Cell:
    name: str
    client: Link
    server: Link
    short: bool = False

    @property
    def title(self):
        if self.client == self.server:
            return f"both sides {self.client}"
        return f"{self.client} | {self.server}"


def _both(name, round_trip_ms, mbit, short=False, **options):
    """The round trip is that of the whole path; each side has half of it."""
    link = Link(round_trip_ms / 2, mbit, **options)
    return Cell(name, link, link, short)


#: Packets of 9,000 bytes where the emulator would have too many.
_FAST = 9000

CELLS = [
    _both("20ms-10", 20, 10),
    _both("20ms-100", 20, 100, short=True),
    _both("20ms-1000", 20, 1000, mtu=_FAST),
    _both("100ms-10", 100, 10),
    _both("100ms-100", 100, 100),
    _both("100ms-1000", 100, 1000, mtu=_FAST),
    _both("300ms-10", 300, 10),
    _both("300ms-100", 300, 100),
    _both("20ms-100-loss", 20, 100, loss=0.01),
    _both("100ms-100-little-loss", 100, 100, loss=0.001),
    _both("100ms-100-loss", 100, 100, loss=0.01, short=True),
    _both("100ms-100-reordered", 100, 100, reorder=0.01),
    Cell("fast-to-slow", Link(20, 1000, mtu=_FAST), Link(100, 10), short=True),
    Cell("slow-to-fast", Link(300, 10), Link(20, 1000, mtu=_FAST)),
    Cell("loss-behind-relay", Link(20, 100), Link(300, 100, loss=0.01)),
    Cell("loss-before-relay", Link(300, 100, loss=0.01), Link(20, 100)),
    Cell("server-beside-relay", Link(100, 100), Link(0, 1000, mtu=_FAST)),
    Cell("client-beside-relay", Link(0, 1000, mtu=_FAST), Link(100, 100)),
]
