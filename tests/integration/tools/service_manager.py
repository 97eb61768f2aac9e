# SPDX-License-Identifier: MPL-2.0
"""The service manager's side of sd_notify."""

import contextlib
import re
import socket

from waiting import wait_for


class Manager:
    """The socket of NOTIFY_SOCKET, and the messages received so far."""

    def __init__(self, address):
        self.address = address
        self.name = "@" + address[1:] if address.startswith("\0") else address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.told = []

    def read(self):
        """Each message is {field: value}."""
        with contextlib.suppress(BlockingIOError):
            while True:
                text = self.socket.recv(65536).decode()
                self.told.append(dict(line.split("=", 1) for line in text.splitlines()))
        return self.told

    def wait_for(self, what, **wanted):
        """The first message with these fields at or after index `since`; returns it and its
        index."""
        since = wanted.pop("since", 0)

        def look():
            for at, message in enumerate(self.read()[since:], since):
                if all(re.fullmatch(value, message.get(name, "")) for name, value in
                       wanted.items()):
                    return message, at
            return None

        return wait_for(look, lambda: f"{what}; told was: {self.told}")

    def count(self, name):
        return sum(name in message for message in self.read())
