# SPDX-License-Identifier: MPL-2.0
"""TLS in protocol mode: versions, cipher suites, ALPN, certificates, failed handshakes."""

import contextlib
import functools
import ssl

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import certificates
import device_id
import relay_protocol as rp
from relay_client import Closed, MessageStream, ProtocolConnection, TlsBytes, dial, tls_context

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

#: TLS 1.2 suites for each type of relay key that the reference supports, too.
SUITES = [
    ("ecdsa-p256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("ecdsa-p256", "ECDHE-ECDSA-AES128-SHA"),
    ("ecdsa-p256", "ECDHE-ECDSA-AES256-SHA"),
    ("rsa-3072", "ECDHE-RSA-AES128-GCM-SHA256"),
    ("rsa-3072", "ECDHE-RSA-AES128-SHA"),
    ("rsa-3072", "ECDHE-RSA-AES256-SHA"),
]

#: Suites that only ours supports.
MORE_SUITES = [
    ("ecdsa-p256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("ecdsa-p256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("rsa-3072", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("rsa-3072", "ECDHE-RSA-CHACHA20-POLY1305"),
]

CLIENTS = {
    "ecdsa-p256": {},
    "ecdsa-p384": {"kind": "ecdsa-p384"},
    "rsa-3072": {"kind": "rsa-3072"},
    "ed25519": {"kind": "ed25519"},
    "expired": {"valid_from": -20, "valid_to": -10},
    "not-yet-valid": {"valid_from": 10, "valid_to": 20},
    "no-usages": {"usages": []},
    "only-for-servers": {"usages": [ExtendedKeyUsageOID.SERVER_AUTH]},
    "only-for-email": {"usages": [ExtendedKeyUsageOID.EMAIL_PROTECTION]},
}


@pytest.fixture(scope="module")
def keys_of_kind(tmp_path_factory):
    """keys_of_kind(kind) returns a directory with relay keys of this type, made once."""

    @functools.cache
    def make(kind):
        return certificates.make(kind).write(tmp_path_factory.mktemp(kind))

    return make


@functools.cache
def client_of_kind(kind):
    return certificates.make(**CLIENTS[kind])


def context_of(version, identity, **options):
    return tls_context(identity, lowest=VERSIONS[version], highest=VERSIONS[version], **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_spoken(server, identities, version):
    context = context_of(version, identities[0])
    with ProtocolConnection(server.address, context=context) as client:
        client.join()
        assert client.sock.version() == f"TLSv{version}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1],
                         ids=["1.0", "1.1"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_old_version_is_refused(server, identities, version):
    context = tls_context(identities[0], lowest=version, highest=version,
                          ciphers="DEFAULT@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ProtocolConnection(server.address, context=context)


def check_suite(server, identity, suite):
    context = context_of("1.2", identity, ciphers=suite)
    with ProtocolConnection(server.address, context=context) as client:
        client.join()
        got = client.sock.cipher()[0]
        assert got == suite, f"got {got}, want {suite}"


@pytest.mark.parametrize("kind, suite", SUITES, ids=lambda value: value)
def test_a_suite_of_tls_12_is_spoken(start_any, keys_of_kind, identities, kind, suite):
    check_suite(start_any(keys=keys_of_kind(kind)), identities[0], suite)


@pytest.mark.parametrize("kind, suite", MORE_SUITES, ids=lambda value: value)
def test_a_newer_suite_of_tls_12_is_spoken(start_ours, keys_of_kind, identities, kind, suite):
    check_suite(start_ours(keys=keys_of_kind(kind)), identities[0], suite)


@pytest.mark.parametrize("suite", ["AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-SHA"])
def test_a_suite_without_forward_secrecy_is_refused(start_ours, keys_of_kind, identities, suite):
    # Only a server with an RSA key could speak them.
    server = start_ours(keys=keys_of_kind("rsa-3072"))
    context = context_of("1.2", identities[0], ciphers=suite)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ProtocolConnection(server.address, context=context)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_certificate_is_accepted(server, identities, kind, version):
    identity = client_of_kind(kind)
    with ProtocolConnection(server.address, context=context_of(version, identity)) as client:
        client.join()
        with ProtocolConnection(server.address, identities[0]) as other:
            other.request(identity.id)
        client.invitation()


def check_handshake_refused(server, context):
    """A TLS 1.3 client completes its handshake before the server has checked its certificate."""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with ProtocolConnection(server.address, context=context) as client:
            with contextlib.suppress(Closed):
                client.send(rp.JoinRelayRequest())
            client.expect_close()
    server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_certificate_is_closed(server, version):
    check_handshake_refused(server, context_of(version, None))


@pytest.mark.parametrize("version", VERSIONS)
def test_two_certificates_are_closed(server, identities, version):
    context = context_of(version, identities[0], extra_certificates=identities[1:2])
    check_handshake_refused(server, context)


def test_a_certificate_of_another_key_is_no_identity(server, identities):
    """A client must prove that it has the private key of its certificate."""
    thief = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:

        def spoil(data):
            spoilt = bytearray(data)
            spoilt[len(spoilt) // 2] ^= 0xFF
            stream.send_bytes(bytes(spoilt))

        thief.handshake(stream, send_last=spoil)
        with contextlib.suppress(Closed, ssl.SSLError):
            stream.send_bytes(thief.seal(rp.encode(rp.JoinRelayRequest())))
            answer = thief.receive(stream)
            raise AssertionError(f"got {answer} on a spoilt handshake, want none")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered", [["bep-relay"], ["h2", "bep-relay"], ["bep-relay", "bep/1.0"]],
                         ids=",".join)
def test_the_relay_protocol_is_negotiated(server, identities, version, offered):
    context = context_of(version, identities[0], alpn=offered)
    with ProtocolConnection(server.address, context=context) as client:
        got = client.sock.selected_alpn_protocol()
        assert got == "bep-relay", f"got {got}, want bep-relay"
        client.join()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_negotiates_no_protocol_is_served(server, identities, version):
    context = context_of(version, identities[0], alpn=None)
    with ProtocolConnection(server.address, context=context) as client:
        got = client.sock.selected_alpn_protocol()
        assert got is None, f"got {got}, want none"
        client.join()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered", [["h2"], ["bep/1.0", "http/1.1"], ["bep-relay2"]], ids=",".join)
def test_a_client_of_another_protocol_gets_the_alert(server, identities, version, offered):
    context = context_of(version, identities[0], alpn=offered)
    with pytest.raises(ssl.SSLError) as failure:
        ProtocolConnection(server.address, context=context)
    got = str(failure.value).lower().replace("_", " ")
    assert "alert no application protocol" in got, f"got {got}"


@pytest.mark.limits
@pytest.mark.parametrize("version", VERSIONS)
def test_there_are_no_tickets_and_no_resumption(server, identities, version):
    context = context_of(version, identities[0])
    with ProtocolConnection(server.address, context=context) as client:
        client.join()
        session = client.sock.session
        assert session is None or not session.has_ticket, "the server sent a session ticket"
    with ProtocolConnection(server.address, context=context, session=session) as client:
        client.check_alive()
        assert not client.sock.session_reused, "the session was resumed"


def test_the_server_shows_the_certificate_of_its_uri(server, identities):
    with ProtocolConnection(server.address, identities[0]) as client:
        got = device_id.to_text(device_id.of_certificate(client.sock.getpeercert(True)))
    assert got == server.query["id"], f"got {got}, want the URI's {server.query['id']}"


@pytest.mark.parametrize("kind", certificates.KEY_KINDS)
def test_a_relay_of_any_key_is_joined(start_any, keys_of_kind, identities, kind):
    server = start_any(keys=keys_of_kind(kind))
    for version in VERSIONS:
        context = context_of(version, identities[0])
        with ProtocolConnection(server.address, context=context) as client:
            client.join()
            client.sock.unwrap().close()
        server.wait_for_status(lambda s: s["numConnections"] == 0, "no connection")


@pytest.mark.limits
@pytest.mark.parametrize("cut", [1, 3, 5, 6, 50, -1])
def test_a_handshake_that_stops_half_way_harms_nobody(server, identities, cut):
    hello = TlsBytes(identities[0]).client_hello()
    with MessageStream(dial(server.address)) as stream:
        stream.send_bytes(hello[:cut])
        with ProtocolConnection(server.address, identities[1]) as client:
            client.join()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_a_handshake_may_stop_after_the_servers_answer(server, identities):
    tls = TlsBytes(identities[0])
    with MessageStream(dial(server.address)) as stream:
        stream.send_bytes(tls.client_hello())
        assert stream.receive_some(), "the server said nothing"
        with ProtocolConnection(server.address, identities[1]) as client:
            client.join()


def test_a_spoilt_client_hello_is_closed(server, identities):
    hello = bytearray(TlsBytes(identities[0]).client_hello())
    hello[5] = 0x7F  # a type of handshake message that does not exist
    with MessageStream(dial(server.address)) as stream:
        stream.send_bytes(bytes(hello))
        with contextlib.suppress(Closed):
            while stream.receive_some():
                pass  # an alert
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()


def test_measuring_clients_connect_and_close_at_once(server, identities):
    for _ in range(50):
        dial(server.address).close()
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
