# SPDX-License-Identifier: MPL-2.0
"""Floods of new connections from many addresses of 127.0.0.0/8, sent by separate processes.

As a program, this file is one of these processes: it sends its data from one address after the
other until its standard input ends.  Then it prints how many connections it made."""

import collections
import select
import socket
import subprocess
import sys

#: From linux/in6.h: allows binding to an address that is not assigned to an interface.
IPV6_FREEBIND = 78
#: How many connections a process keeps open, if it keeps them.
KEPT = 4000


def sources(count):
    """`count` IPv4 addresses that no other test uses."""
    return [f"127.{100 + i // 60000}.{i // 240 % 250 + 1}.{i % 240 + 1}" for i in range(count)]


def sites(count, site="fd00:48"):
    """`count` IPv6 /64 networks of one /48.  Its route must lead to loopback."""
    return [f"{site}:0:{i + 1:x}::1" for i in range(count)]


def greet(address, source, words):
    """Opens one connection and sends this data.  None if it failed."""
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
    """Closes each connection after the data is sent."""

    def __call__(self, sock):
        sock.close()


class Stay:
    """Keeps its connections open."""

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
    """Sends data to a server from `count` sources, with `processes` processes."""

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
