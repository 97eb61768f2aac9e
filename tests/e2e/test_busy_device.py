# SPDX-License-Identifier: MPL-2.0
"""Strangers keep a real Syncthing busy with invitations.  Its peer must still reach it."""

import contextlib
import itertools
import ssl
import types

import pytest

import certificates
import device_id
import relay_server
from one_by_one import LARGE_PART, Strangers, drip
from relay_client import Closed, TlsBytes, tls_context
from two_devices import make_joined_and_dialling, wait_for_connection

#: The beginning of a TLS record that is never completed.
PART_OF_A_RECORD = b"\x16\x03\x01\x02\x00"

_NUMBERS = itertools.count()


def client_hello():
    """A whole ClientHello, then silence."""
    yield TlsBytes(None, tls_context(certificates.make(), alpn=("bep/1.0",))).client_hello()


def handshake(leaves=False):
    """A whole handshake, then silence, although Syncthing sends its Hello and waits for another."""
    tls = TlsBytes(None, tls_context(certificates.make(), alpn=("bep/1.0",)))
    says = tls.client_hello()
    while True:
        tls.incoming.write((yield says))
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.tls.do_handshake()
        says = tls.outgoing.read()
        if leaves and not says and tls.tls.version():
            raise Closed("has enough")


def handshake_and_leave():
    """Every other stranger leaves after the handshake; Syncthing does not notice while it waits
    for another."""
    return handshake(next(_NUMBERS) % 2)


@pytest.fixture
def relay(tmp_path, plain_program):
    """A relay that treats the strangers' addresses as sources, and exempts that of the devices."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "relay-keys")
    with contextlib.ExitStack() as servers:
        server = relay_server.start(plain_program, tmp_path, "-bounds.exempt", "127.0.0.1",
                                    keys=keys)
        servers.callback(server.finish)
        yield server


@pytest.mark.parametrize(
    "says", [b"", PART_OF_A_RECORD, LARGE_PART, client_hello, handshake, handshake_and_leave,
             drip],
    ids=["silent", "half-way", "large-part", "hello", "handshake", "leave", "drip"])
@pytest.mark.parametrize("sources", [1, 8])
def test_a_peer_gets_through(relay, make_device, sources, says):
    """The peer has to request the device, because the device cannot reach the peer."""
    one, other = make_joined_and_dialling(make_device, relay.uri)
    one.start()
    relay.wait_for_status(lambda s: s["numConnections"] == 1, "the device to join")
    wanted = types.SimpleNamespace(id=device_id.from_text(one.id))
    identities = [certificates.make() for _ in range(sources)]
    with Strangers(relay, wanted, identities, [f"127.0.2.{i + 1}" for i in range(sources)],
                   4 if sources == 1 else 1, says):
        relay.wait_for_status(lambda s: s["numActiveSessions"] > 0, "a stranger to be served")
        other.start()
        wait_for_connection(one, other, patience=4)
