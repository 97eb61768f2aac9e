# SPDX-License-Identifier: MPL-2.0
"""Limits on what a peer can make the server compute: key exchange, certificates, key updates.
Existing clients keep working.  Expensive input is refused before it is computed, even without the
module bounds."""

import contextlib
import functools
import ssl

import pytest
from OpenSSL import SSL

import certificates
import relay_protocol as rp
import tls_messages as tls
from module_server import module_server  # noqa: F401
from openssl_client import connected, renew_keys
from relay_client import Closed, MessageStream, ProtocolConnection, dial, tls_context
from waiting import SLOWNESS, wait_for

MODULES = ["log", "relay", "status", "probe"]
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
MANY = 30
MLKEM = b"\x11\xec"
MLKEM_KEY = bytes(1184 + 32)


@pytest.fixture
def plain(module_server):  # noqa: F811
    return module_server(MODULES, workers=1)


@functools.cache
def identity_of(kind, **options):
    return certificates.make(kind, **options)


def context_of(version, identity, curve=None, **options):
    context = tls_context(identity, lowest=VERSIONS[version], highest=VERSIONS[version], **options)
    if curve:
        context.set_ecdh_curve(curve)
    return context


def joins(server, context):
    with ProtocolConnection(server.address, context=context) as client:
        client.join().check_alive()


def refused(server, context):
    """A TLS 1.3 client completes its handshake before the server has checked its certificate."""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with ProtocolConnection(server.address, context=context) as client:
            with contextlib.suppress(Closed):
                client.send(rp.JoinRelayRequest())
            client.expect_close()
    opened = "metric core.connections.opening"
    wait_for(lambda: server.probe()[opened] == "0", "the end of the connection")


def failures(server, kind):
    return int(server.probe()[f"metric core.handshake_failures.{kind}"])


# Key exchange.


@pytest.mark.parametrize("version", VERSIONS)
def test_p256_is_spoken(plain, version):
    joins(plain, context_of(version, identity_of("ecdsa-p256"), "prime256v1"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("curve", ["secp384r1", "secp521r1"])
def test_a_curve_that_is_dear_is_not_spoken(plain, version, curve):
    refused(plain, context_of(version, identity_of("ecdsa-p256"), curve))
    wait_for(lambda: failures(plain, "cipher") == 1, "it to be counted")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return identity_of("ecdsa-p256").write(tmp_path_factory.mktemp("client"))


@pytest.mark.parametrize("groups", ["X448", "P-384", "ffdhe8192", "X448:P-521:P-384:ffdhe2048"])
def test_a_group_that_is_dear_is_not_spoken(plain, folder, groups):
    with pytest.raises((SSL.Error, ConnectionError)), connected(plain.address, folder, groups):
        pass
    wait_for(lambda: failures(plain, "cipher") == 1, "it to be counted")


@pytest.mark.parametrize("groups", ["X25519", "P-384:X25519", "P-521:P-384:X448:P-256"])
def test_a_client_that_guessed_a_dear_group_is_asked_again(plain, folder, groups):
    with connected(plain.address, folder, groups) as connection:
        connection.sendall(rp.encode(rp.JoinRelayRequest()))
        assert connection.recv(4096) == rp.encode(rp.response(rp.SUCCESS))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["ecdsa-p384", "ecdsa-p521", "ed25519"])
def test_a_key_of_a_certificate_is_still_accepted(plain, version, kind):
    joins(plain, context_of(version, identity_of(kind)))


def answer_to(server, *extensions):
    with MessageStream(dial(server.address)) as stream:
        stream.send_bytes(tls.records(tls.client_hello(*extensions)))
        header = stream.receive_bytes(5)
        return stream.receive_bytes(int.from_bytes(header[3:], "big"))


def test_a_client_that_prefers_ml_kem_and_has_a_share_of_x25519_is_answered_at_once(plain):
    """Go does this since 1.24."""
    shares = tls.shares((MLKEM, MLKEM_KEY), (tls.X25519, tls.X25519_KEY))
    answer = answer_to(plain, tls.groups(MLKEM + tls.X25519), shares)
    if tls.ILLEGAL_PARAMETER[-1:] != answer[-1:]:  # a library that supports ML-KEM refuses this key
        assert answer[0] == 2 and tls.RETRY not in answer


def test_a_client_that_has_no_other_share_is_asked_again(plain):
    unknown = b"\x7f\xff"
    answer = answer_to(plain, tls.groups(unknown + tls.X25519), tls.shares((unknown, MLKEM_KEY)))
    assert tls.RETRY in answer


# Certificates.


class Chain:
    """Further certificates in a client's chain."""

    def __init__(self, ders):
        self.pem = b"".join(one.certificate_pem() for one in ders)

    def certificate_pem(self):
        return self.pem


def costly(name):
    """The client of this name: its identity and further certificates."""
    good = identity_of("ecdsa-p256")
    dear = tls.RawCertificate(tls.compressed_p224())
    if name == "exponent":
        return identity_of("rsa-huge-exponent"), []
    if name == "too-long":
        return identity_of("ecdsa-p256", padding=8192), []
    return good, [Chain([dear] * {"one-more": 1, "many": 38}[name])]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["exponent", "too-long", "one-more", "many"])
def test_a_certificate_that_is_dear_is_refused(plain, version, name):
    identity, more = costly(name)
    refused(plain, context_of(version, identity, extra_certificates=more))
    wait_for(lambda: failures(plain, "certificate") == 1, "it to be counted")
    plain.wait_for_log("refused a TLS handshake: ")
    assert "127.0.0.1" not in plain.log().partition("refused a TLS handshake: ")[2]
    joins(plain, context_of(version, identity_of("ecdsa-p256")))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_of_seven_thousand_bytes_is_accepted(plain, version):
    joins(plain, context_of(version, identity_of("ecdsa-p256", padding=6500)))


def cpu_of(server, connect, context):
    before = server.cpu_seconds()
    for _ in range(MANY):
        connect(server, context)
    return server.cpu_seconds() - before


@pytest.mark.parametrize("name", ["exponent", "many"])
def test_its_refusal_costs_no_more_than_a_join(plain, name):
    """Without limits, 38 compressed points took 27 ms, and a signature with a huge exponent 7
    ms."""
    identity, more = costly(name)
    usual = cpu_of(plain, joins, context_of("1.3", identity_of("ecdsa-p256")))
    dear = cpu_of(plain, refused, context_of("1.3", identity, extra_certificates=more))
    assert dear < 2 * usual + 0.05 * SLOWNESS, f"{dear} s of CPU, and {usual} for usual ones"


# After the handshake.


def test_a_storm_of_new_keys_is_ended(plain, folder):
    with connected(plain.address, folder) as connection:
        for _ in range(100):
            if not renew_keys(connection):
                break
        plain.wait_for_log("too many TLS records without data")
        with contextlib.suppress(SSL.Error, ConnectionError):
            assert connection.recv(1) == b""


def test_a_few_new_keys_are_taken(plain, folder):
    """The client requests key updates between its messages."""
    with connected(plain.address, folder) as connection:
        connection.sendall(rp.encode(rp.JoinRelayRequest()))
        assert connection.recv(4096) == rp.encode(rp.response(rp.SUCCESS))
        for _ in range(5):
            assert renew_keys(connection, both=True)
            connection.sendall(rp.encode(rp.Ping()))
            assert connection.recv(4096) == rp.encode(rp.Pong())
