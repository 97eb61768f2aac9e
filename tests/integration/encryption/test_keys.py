# SPDX-License-Identifier: MPL-2.0
"""The relay's identity: keys of all types can be loaded, and existing keys are never replaced."""

import datetime
import os
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import certificates
import device_id
from relay_client import ProtocolConnection
from relay_server import run

EC_PARAMETERS = b"""-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
"""

FORMS = [(kind, form) for kind in certificates.KEY_KINDS for form in certificates.KEY_FORMS
         if (kind, form) != ("ed25519", "traditional")]


@pytest.fixture(scope="module")
def identity():
    return certificates.make(name="strelaysrv")


@pytest.fixture
def keys(tmp_path, identity):
    return identity.write(tmp_path / "keys")


def check_id(start, program, keys, identity):
    got = start(program, keys=keys).query["id"]
    want = device_id.to_text(identity.id)
    assert got == want, f"device ID: got {got}, want {want}"


@pytest.mark.parametrize("kind, form", FORMS, ids=lambda value: value)
def test_keys_of_every_form_give_their_id(start, each_program, tmp_path, kind, form):
    identity = certificates.make(kind)
    check_id(start, each_program, identity.write(tmp_path / "keys", form), identity)


def test_a_key_of_a_rare_curve_serves(start, our_program, tmp_path, identity):
    """No trial handshake of the start has a key on P-521, so one is made with the relay's own."""
    keys = certificates.make("ecdsa-p521").write(tmp_path / "keys")
    server = start(our_program, keys=keys)
    with ProtocolConnection(server.address, identity) as device:
        device.join()


@pytest.mark.parametrize("validity", [(-20, -10), (10, 20)], ids=["expired", "not-yet-valid"])
def test_validity_does_not_matter(start, each_program, tmp_path, validity):
    identity = certificates.make(valid_from=validity[0], valid_to=validity[1])
    check_id(start, each_program, identity.write(tmp_path / "keys"), identity)


def change_nothing(keys, _identity):
    return keys


def put_parameters_first(keys, identity):
    """The file as `openssl ecparam -genkey` writes it."""
    (keys / "key.pem").write_bytes(EC_PARAMETERS + identity.key_pem("traditional"))


def put_text_around(keys, identity):
    """The file as `openssl x509 -text` writes it."""
    (keys / "cert.pem").write_bytes(b"Certificate:\n    Data: ...\n" + identity.certificate_pem()
                                    + b"that was it\n")


def use_windows_lines(keys, identity):
    for name in ("cert.pem", "key.pem"):
        file = keys / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def add_a_second_certificate(keys, identity):
    other = certificates.make()
    (keys / "cert.pem").write_bytes(identity.certificate_pem() + other.certificate_pem())


def leave_out_the_last_newline(keys, identity):
    for name in ("cert.pem", "key.pem"):
        file = keys / name
        file.write_bytes(file.read_bytes().rstrip(b"\n"))


@pytest.mark.parametrize("change", [change_nothing, put_parameters_first, put_text_around,
                                    use_windows_lines, add_a_second_certificate,
                                    leave_out_the_last_newline], ids=lambda f: f.__name__)
def test_files_of_every_look_give_their_id(start, each_program, keys, identity, change):
    change(keys, identity)
    before = contents(keys)
    check_id(start, each_program, keys, identity)
    assert contents(keys) == before, "the files were changed"


def contents(folder):
    return {
        file.name: file.read_bytes() if file.is_file() else None for file in folder.iterdir()
    }


def key_is_missing(keys):
    (keys / "key.pem").unlink()
    return "key.pem"


def certificate_is_missing(keys):
    (keys / "cert.pem").unlink()
    return "cert.pem"


def key_is_empty(keys):
    (keys / "key.pem").write_bytes(b"")
    return "key.pem"


def certificate_is_empty(keys):
    (keys / "cert.pem").write_bytes(b"")
    return "cert.pem"


def key_is_half_written(keys):
    (keys / "key.pem").write_bytes((keys / "key.pem").read_bytes()[:100])
    return "key.pem"


def certificate_is_half_written(keys):
    (keys / "cert.pem").write_bytes((keys / "cert.pem").read_bytes()[:200])
    return "cert.pem"


def key_is_of_another(keys):
    (keys / "key.pem").write_bytes(certificates.make().key_pem())
    return "key.pem"


def key_is_of_another_kind(keys):
    (keys / "key.pem").write_bytes(certificates.make("ed25519").key_pem())
    return "key.pem"


def key_is_junk(keys):
    (keys / "key.pem").write_bytes(b"\0\1\2junk" * 50)
    return "key.pem"


def certificate_is_junk(keys):
    text = b"-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n"
    (keys / "cert.pem").write_bytes(text)
    return "cert.pem"


def key_is_a_folder(keys):
    (keys / "key.pem").unlink()
    (keys / "key.pem").mkdir()
    return "key.pem"


def certificate_is_a_dangling_link(keys):
    (keys / "cert.pem").unlink()
    (keys / "cert.pem").symlink_to("nowhere.pem")
    return "cert.pem"


def key_is_encrypted(keys):
    key = serialization.load_pem_private_key((keys / "key.pem").read_bytes(), None)
    (keys / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ))
    return "key.pem"


def both_are_empty(keys):
    for name in ("cert.pem", "key.pem"):
        (keys / name).write_bytes(b"")
    return "cert.pem"


@pytest.mark.parametrize("spoil", [
    key_is_missing, certificate_is_missing, key_is_empty, certificate_is_empty,
    key_is_half_written, certificate_is_half_written, key_is_of_another, key_is_of_another_kind,
    key_is_junk, certificate_is_junk, key_is_a_folder, certificate_is_a_dangling_link,
    key_is_encrypted, both_are_empty,
], ids=lambda f: f.__name__)
def test_spoilt_keys_are_fatal_and_stay_as_they_are(plain_program, keys, spoil):
    name = spoil(keys)
    before = contents(keys)
    result = run(plain_program, "-listen", "127.0.0.1:0", "-status-srv=", "-pools=",
                 "-keys", str(keys))
    assert result.returncode == 1, f"got {result.returncode}, want 1:\n{result.stderr}"
    assert name in result.stderr, f"want {name} in:\n{result.stderr}"
    assert contents(keys) == before, "the files were changed"


#: Without the default provider OpenSSL cannot decode keys.
OPENSSL_CNF = """openssl_conf = init
[init]
providers = providers
[providers]
legacy = active
[active]
activate = 1
"""


def test_the_providers_of_openssl_cnf_are_those_that_count(our_program, keys, tmp_path):
    (tmp_path / "openssl.cnf").write_text(OPENSSL_CNF)
    result = run(our_program, "-listen", "127.0.0.1:0", "-status-srv=", "-pools=", "-keys", keys,
                 env={**os.environ, "OPENSSL_CONF": str(tmp_path / "openssl.cnf")})
    assert result.returncode == 1
    assert "public key" in result.stderr and "cannot be read" in result.stderr


def test_new_keys_are_made_once(start, plain_program, tmp_path):
    keys = tmp_path / "new"
    keys.mkdir()
    first = start(plain_program, keys=keys)
    assert sorted(contents(keys)) == ["cert.pem", "key.pem"], "nothing else may be left"
    mode = stat.S_IMODE((keys / "key.pem").stat().st_mode)
    assert mode == 0o600, f"mode of key.pem: got {mode:o}, want 600"
    before = contents(keys)
    second = start(plain_program, keys=keys)
    assert second.query["id"] == first.query["id"]
    assert contents(keys) == before, "the files were changed"


def test_new_keys_are_those_of_a_relay(start, each_program, tmp_path):
    keys = tmp_path / "new"
    keys.mkdir()
    server = start(each_program, keys=keys)
    certificate = x509.load_pem_x509_certificate((keys / "cert.pem").read_bytes())
    key = serialization.load_pem_private_key((keys / "key.pem").read_bytes(), None)
    assert key.public_key().public_numbers() == certificate.public_key().public_numbers()
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["strelaysrv"]
    assert certificate.issuer == certificate.subject
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usages) >= {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    life = certificate.not_valid_after - certificate.not_valid_before
    years = life / datetime.timedelta(days=365.25)
    assert 19.9 < years < 20.1, f"validity: got {years:.2f} years, want 20"
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert server.query["id"] == device_id.to_text(device_id.of_certificate(der))


def test_the_reference_takes_over_our_keys(start, plain_program, reference_program, tmp_path):
    keys = tmp_path / "new"
    keys.mkdir()
    got = start(plain_program, keys=keys).query["id"]
    want = start(reference_program, keys=keys).query["id"]
    assert got == want, f"device ID: ours {got}, the reference's {want}"


def test_we_take_over_the_keys_of_the_reference(start, plain_program, reference_program, tmp_path):
    keys = tmp_path / "new"
    keys.mkdir()
    want = start(reference_program, keys=keys).query["id"]
    got = start(plain_program, keys=keys).query["id"]
    assert got == want, f"device ID: ours {got}, the reference's {want}"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("a file")],
                         ids=["missing", "a-file"])
def test_a_folder_of_keys_that_is_none_is_fatal(each_program, tmp_path, make):
    folder = tmp_path / "no-such-folder"
    make(folder)
    result = run(each_program, "-listen", "127.0.0.1:0", "-status-srv=", "-pools=",
                 "-keys", str(folder))
    assert result.returncode == 1, f"got {result.returncode}, want 1:\n{result.stderr}"
    assert "no-such-folder" in result.stderr, f"want the folder in:\n{result.stderr}"
