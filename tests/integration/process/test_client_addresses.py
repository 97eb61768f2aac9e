# SPDX-License-Identifier: MPL-2.0
"""Where a client is, is shown to who gives commands, and in the debug log; nowhere else."""

import contextlib
import json

import pytest

import certificates
import device_id
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from pairing import check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection, dial
from waiting import wait_for

#: All clients are there, and nothing of the server.
CLIENT, DENIED = "127.77.7.7", "127.77.7.8"
TOKEN = "secret"
MODULES = ["log", "bounds", "access", "relay", "rate-limit", "status", "prometheus"]
#: What the debug log tells of them.
TOLD = ["joined", "left", "refused: an unknown session key", "bad_magic", "refused: wrong token",
        "relay: join", "TLS handshake failed", "refused a connection",
        "the bound joins-per-minute was reached"]


def protocol(server, identity, context=None):
    return ProtocolConnection(server.address, identity, context=context, source=CLIENT)


def last_answer(server, identity, message):
    """The refusal, if one comes before the end."""
    with protocol(server, identity) as client, contextlib.suppress(Closed):
        return client.ask(message)


def session(server, target, asker):
    """Of two devices; one of them asks once too often, too."""
    with protocol(server, target) as device:
        device.join(TOKEN)
        with protocol(server, asker) as client:
            to_asker = client.request(target.id)
        to_target = device.invitation()
        with SessionConnection(server.address, source=CLIENT) as one, \
                SessionConnection(server.address, source=CLIENT) as other:
            one.join(to_asker.key)
            other.join(to_target.key)
            check_both_ways(one, other)
        with SessionConnection(server.address, source=CLIENT) as guess:
            guess.send(rp.JoinSessionRequest(b"no such key"))
            guess.expect_last(rp.response(rp.NOT_FOUND))
        device.send_bytes(b"\x00" * 64)  # no message
        device.expect_close()


def raw(address, data, source=CLIENT):
    """What comes in answer to these bytes, until the end."""
    with dial(address, source) as sock, contextlib.suppress(ConnectionError):
        sock.sendall(data)
        while sock.recv(65536):
            pass


def reach_a_bound(server, identity):
    def refused():
        return last_answer(server, identity, rp.JoinRelayRequest(TOKEN)) != rp.response(rp.SUCCESS)

    wait_for(refused, "too many joins in a minute")


def everything(server, identities, banned):
    """What clients do, and what is not allowed."""
    session(server, *identities[:2])
    assert last_answer(server, identities[2], rp.JoinRelayRequest("guess")) == \
        rp.response(rp.WRONG_TOKEN)
    last_answer(server, banned, rp.JoinRelayRequest(TOKEN))
    raw(server.address, b"\x16\x03\x01" + b"\xff" * 64)  # no ClientHello
    raw(server.address, b"nothing that is known\n" * 8)
    raw(server.address, b"", DENIED)
    for request in (b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"BREW / HTTP/9\r\n\r\n",
                    b"GET /status HTTP/1.1\r\nX-Forwarded-For: 127.77.7.9\r\nHost: x\r\n"
                    b"Connection: close\r\n\r\n"):
        raw(server.status_address, request)
    reach_a_bound(server, identities[3])


@pytest.mark.parametrize("level", ["info", "debug"])
def test_addresses_are_in_the_debug_log_only(module_server, identities, level):  # noqa: F811
    banned = certificates.make()
    server = module_server(MODULES, sections={
        "access": {"join-deny": [device_id.to_text(banned.id)], "connect-deny": [DENIED]},
        "bounds": {"joins-per-minute": 10, "exempt": "192.0.2.1"}, "relay": {"token": TOKEN}, "log": {"level": level}})
    with protocol(server, identities[4]) as device:
        device.join(TOKEN)
        everything(server, identities, banned)
        pages = [server.get(path)[2].decode() for path in ("/status", "/metrics", "/healthz")]
        assert json.loads(pages[0])["numConnections"] >= 1
    server.wait_for_log("the bound joins-per-minute was reached")
    server.wait_for_log("a join with a wrong token was refused")
    if level == "debug":
        for text in TOLD:
            server.wait_for_log(rf"{text}.*127\.77\.7\.")
    server.stop()
    assert not any("127.77." in page for page in pages), pages
    if level == "info":
        assert "127.77." not in server.log()
