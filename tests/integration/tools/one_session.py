# SPDX-License-Identifier: MPL-2.0
"""One device joins a relay, another asks for it, and 10 MB pass between them.

    python3 one_session.py HOST:PORT

It needs nothing but the packages of the tests, so that it can be run in the network of a
container."""

import sys
import threading

import certificates
from relay_client import ProtocolConnection, SessionConnection

SIZE = 10_000_000


def run(address):
    one, other = certificates.make(), certificates.make()
    with ProtocolConnection(address, one) as device:
        device.join()
        with ProtocolConnection(address, other) as asker:
            asked = asker.request(one.id)
        sides = [SessionConnection(address).join(invitation.key)
                 for invitation in (asked, device.invitation())]
        sender = threading.Thread(target=sides[0].send_bytes, args=(bytes(SIZE),))
        sender.start()
        assert sides[1].receive_bytes(SIZE) == bytes(SIZE)
        sender.join()
        for side in sides:
            side.close()


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    run((host, int(port)))
