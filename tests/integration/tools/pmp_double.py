# SPDX-License-Identifier: MPL-2.0
"""A NAT-PMP gateway (RFC 6886) that gives the answers of a test."""

import socket
import struct
import threading

import gateway
import waiting

PORT = 5351


class PmpDouble:
    """`port`, `lease` and `address` are what it answers.  Answers come from the address `mouth`, if
    set."""

    def __init__(self, nets, port=22067, lease=3600, address=gateway.OUTER, mouth=None):
        self.port, self.lease, self.address = port, lease, address
        self.asked = 0
        nets.call("gateway", lambda: self._open(mouth))

    def _open(self, mouth):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((gateway.INNER, PORT))
        self.mouth = self.sock
        if mouth:
            self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.mouth.bind((mouth, PORT))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            question, peer = self.sock.recvfrom(64)
            if not question:
                return
            self.asked += 1
            if question[1] == 0:
                answer = struct.pack("!BBHI4s", 0, 128, 0, 1, socket.inet_aton(self.address))
            else:
                answer = struct.pack("!BBHIHHI", 0, 128 + question[1], 0, 1,
                                     *struct.unpack("!H", question[4:6]), self.port, self.lease)
            self.mouth.sendto(answer, peer)

    def close(self, nets):
        def end():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"", (gateway.INNER, PORT))

        nets.call("gateway", end)
        self.thread.join(waiting.PATIENCE)
        self.sock.close()
        self.mouth.close()
