# SPDX-License-Identifier: MPL-2.0
"""Attackers in the local network, for siege.lay(): hosts that a server finds when it looks
for a gateway.  They only answer requests, so they are doubles and no part of relay-siege."""

import contextlib
import time

import gateway
from gateway_double import GatewayDouble, Talk
from waiting import wait_for

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<?xml version=\"1.0\"?><root>"


def _endless(nets):
    return GatewayDouble(nets, describe=Talk(_HEAD, b"<a>" * 20000))


def _slow(nets):
    return GatewayDouble(nets, describe=Talk(_HEAD, b"<", pause=1))


def _stranger(nets):
    nets.at("gateway", "ip", "addr", "add", f"{gateway.NEIGHBOUR}/24", "dev", "inner")
    double = GatewayDouble(nets, host=gateway.NEIGHBOUR)
    double.copies = 4000
    return double


_MAKERS = {
    "gateway-endless": _endless,  # a description without end
    "gateway-slow": _slow,  # a description that comes byte by byte, one a second
    "lan-stranger": _stranger,  # a host that says thousands of times that it is a gateway
}
ATTACKS = set(_MAKERS)


def attack(nets, name):
    """For lay(), which must run in the relay's namespace of these networks."""

    @contextlib.contextmanager
    def play(_target):
        double = _MAKERS[name](nets)
        try:
            wait_for(lambda: double.described or double.answered.is_set(), "to be asked")
            began = time.monotonic()

            def end():
                talk = double.describe if isinstance(double.describe, Talk) else None
                return {"seconds": time.monotonic() - began, "opened": double.described,
                        "sent_bytes": talk.sent if talk else 0}

            yield end
        finally:
            double.close(nets)

    return play
