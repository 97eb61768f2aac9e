# SPDX-License-Identifier: MPL-2.0
"""Forwards connections to a server until it is told to hold some: these stay open and silent."""

import contextlib
import socket
import threading


class Forwarder:
    def __init__(self, path):
        """Listens on loopback, for a server on a Unix socket."""
        self._path = str(path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held = []
        self._sockets = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, word=b""):
        """Forwards nothing more on connections in which the client has sent this word."""
        self._held.append(word)

    def release(self):
        """New connections are forwarded again."""
        self._held.clear()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                self._sockets += [near, far]
                sent = bytearray()
                for pair in ((near, far, sent), (far, near, None)):
                    threading.Thread(target=self._copy, args=(*pair, sent), daemon=True).start()

    def _copy(self, source, target, keep, sent):
        held = False
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if keep is not None:
                    keep += data
                held = held or any(word in sent for word in self._held)
                if not held:
                    target.sendall(data)
        if not held:
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)

    def close(self):
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
