# SPDX-License-Identifier: MPL-2.0
"""When the server reuses the number of a descriptor that the status address has closed, events of
the new socket arrive."""

import pytest

from http_client import dial, read_all, request
from relay_server import free_port
from reloading import MODULES, reloadable  # noqa: F401
from upgrading import Upgrading
from waiting import wait_for

POLLS = 5


def poll(address):
    with dial(address) as sock:
        sock.sendall(request("/healthz", Connection="close"))
        assert read_all(sock).startswith(b"HTTP/1.1 200 ")


@pytest.mark.limits
@pytest.mark.parametrize("workers", [1, 2])
def test_an_upgrade_right_after_a_poll(our_program, tmp_path, relay_keys, workers):
    server = Upgrading(our_program, tmp_path, relay_keys, workers=workers)
    try:
        server.wait_until_serving()
        for _ in range(3):
            for _ in range(POLLS):
                poll(server.status_address)
            server.upgrade()
        poll(server.status_address)
    finally:
        server.finish()


def test_a_move_right_after_a_poll(reloadable):  # noqa: F811
    def text(port):
        return (f'{MODULES}listen = {{ "127.0.0.1:0" }}\nstatus-srv = "127.0.0.1:{port}"\n')

    port = free_port()
    relay = reloadable(text(port))
    for _ in range(4):
        for _ in range(POLLS):
            poll(("127.0.0.1", port))
        port = free_port()
        assert relay.change(text(port))[0]
        wait_for(lambda: poll(("127.0.0.1", port)) is None, "an answer at the new address")
