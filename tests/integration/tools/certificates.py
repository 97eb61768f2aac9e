# SPDX-License-Identifier: MPL-2.0
"""Self-signed identities with each key type that clients and relays use."""

import dataclasses
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import device_id

_MAKERS = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa-3072": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}

#: The key types of relays.
KEY_KINDS = tuple(_MAKERS)

_MAKERS["ecdsa-p521"] = lambda: ec.generate_private_key(ec.SECP521R1())

#: The file formats of private keys.  SEC1 and PKCS#1 share one name.
KEY_FORMS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
}


@dataclasses.dataclass(frozen=True)
class Identity:
    """A private key and its certificate."""

    key: object
    certificate: x509.Certificate

    @property
    def id(self):
        """The 32 bytes of the device ID."""
        return device_id.of_certificate(self.certificate_der())

    def certificate_der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def certificate_pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, form="pkcs8"):
        return self.key.private_bytes(
            serialization.Encoding.PEM, KEY_FORMS[form], serialization.NoEncryption()
        )

    def write(self, directory, form="pkcs8"):
        """Writes cert.pem and key.pem to the relay's key directory; returns the directory."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cert.pem").write_bytes(self.certificate_pem())
        key_file = directory / "key.pem"
        key_file.touch(mode=0o600)
        key_file.write_bytes(self.key_pem(form))
        return directory


def rsa_with_huge_exponent(bits=3072):
    """An RSA key whose public and private exponents are swapped: signing is cheap, and verifying is
    expensive."""
    plain = rsa.generate_private_key(public_exponent=65537, key_size=bits).private_numbers()
    public = rsa.RSAPublicNumbers(e=plain.d, n=plain.public_numbers.n)
    d = plain.public_numbers.e
    return rsa.RSAPrivateNumbers(
        p=plain.p, q=plain.q, d=d, dmp1=rsa.rsa_crt_dmp1(d, plain.p),
        dmq1=rsa.rsa_crt_dmq1(d, plain.q), iqmp=plain.iqmp, public_numbers=public).private_key()


_MAKERS["rsa-huge-exponent"] = rsa_with_huge_exponent


def make(kind="ecdsa-p256", valid_from=-1, valid_to=365, usages=None, name="syncthing",
         padding=0):
    """Makes a new identity.  Validity is in days from now; `padding` is the size in bytes of an
    unknown extension."""
    key = _MAKERS[kind]()
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    if usages is None:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=valid_from))
        .not_valid_after(now + datetime.timedelta(days=valid_to))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if padding:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(padding))
        builder = builder.add_extension(unknown, critical=False)
    digest = None if kind == "ed25519" else hashes.SHA256()
    return Identity(key, builder.sign(key, digest))
