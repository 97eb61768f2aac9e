# SPDX-License-Identifier: MPL-2.0
"""Floods of newcomers from many addresses of 127.0.0.0/8, by processes of their own.

Run as a program it is one of these processes: it says hello from one address after the other,
until its standard input ends, and then prints how often."""

import collections
import select
import socket
import subprocess
import sys

#: Of linux/in6.h: an address may be bound that only a route makes local.
IPV6_FREEBIND = 78
#: Connections that a process keeps open where it keeps them.
KEPT = 4000


def sources(count):
    """So many addresses, none of which the other tests use."""
    return [f"127.{100 + i // 60000}.{i // 240 % 250 + 1}.{i % 240 + 1}" for i in range(count)]


def sites(count, site="fd00:48"):
    """So many /64s of one IPv6 /48; reached once that is routed to loopback."""
    return [f"{site}:0:{i + 1:x}::1" for i in range(count)]


def greet(address, source, words):
    """One connection that says these words; None if there was none to be had."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(2)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sock.setsockopt(socket.SOL_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
        sock.connect(address)
        sock.send(words)
    except OSError:
        sock.close()
        return None
    return sock


class Leave:
    """Goes as soon as the words are said."""

    def __call__(self, sock):
        sock.close()


class Stay:
    """Keeps connections for as long as it can."""

    def __init__(self):
        self.kept = collections.deque()

    def __call__(self, sock):
        self.kept.append(sock)
        if len(self.kept) > KEPT:
            self.kept.popleft().close()


MANNERS = {"leave": Leave, "stay": Stay}


def _run(host, port, first, step, count, manner, words):
    mine = sites(count) if ":" in host else sources(count)
    number, said, then = first, 0, MANNERS[manner]()
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(20):
            sock = greet((host, port), mine[number % count], words)
            number += step
            if sock:
                said += 1
                then(sock)
    print(said)


class Flood:
    """Greets a server from `count` sources, with so many processes."""

    def __init__(self, address, words, count, manner="leave", processes=2):
        self.said = 0
        self.running = [
            subprocess.Popen(
                [sys.executable, __file__, address[0], str(address[1]), str(i), str(processes),
                 str(count), manner, words.hex()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for i in range(processes)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.running:
            one.stdin.close()
        for one in self.running:
            self.said += int(one.stdout.read())
            one.stdout.close()
            one.wait()


if __name__ == "__main__":
    _run(sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6], bytes.fromhex(sys.argv[7]))
