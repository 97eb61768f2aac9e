# SPDX-License-Identifier: MPL-2.0
"""crypto = openssl: TLS without the server's own algorithms, with every kind of key."""

import ssl

import pytest

import certificates
from relay_client import dial, tls_context

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize("kind", certificates.KEY_KINDS)
def test_devices_of_every_kind_connect(start, plain_program, tmp_path, kind):
    keys = certificates.make(kind).write(tmp_path / "keys")
    server = start(plain_program, "-crypto", "openssl", keys=keys)
    server.wait_for_log("TLS: with OpenSSL's own algorithms, as configured")
    assert server.count("warning core: TLS") == 0, server.log()
    for client in certificates.KEY_KINDS:
        for version in VERSIONS:
            context = tls_context(certificates.make(client), lowest=version, highest=version)
            with context.wrap_socket(dial(server.address)) as connection:
                assert connection.version() == version.name.replace("_", ".")


def test_new_keys_and_reloads(start, plain_program, tmp_path):
    server = start(plain_program, "-crypto", "openssl", keys=tmp_path)
    done, news = server.reload()
    assert done and "algorithms" not in news, news


def test_it_needs_a_restart(start, plain_program, tmp_path, monkeypatch):
    monkeypatch.delenv("TEST_CRYPTO", raising=False)
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, relay }\n")
    server = start(plain_program, "-conf", conf)
    conf.write_text("modules = { log, relay }\ncrypto = openssl\n")
    done, news = server.reload()
    assert done and "crypto" in news and "restart" in news, news
