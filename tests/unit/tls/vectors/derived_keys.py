#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Writes derived_keys.txt beside this script, which test_derived_key.c runs: what is derived
from some private keys, by HKDF as RFC 5869 writes it down.

    derived_keys.py [--check]      with --check: only says whether the file is as it should be

The RSA key stays the one in the file, if there is one.
"""
import hashlib
import hmac
import pathlib
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

FILE = pathlib.Path(__file__).resolve().parent / "derived_keys.txt"
SALT = b"strelaysrv derived key 1"
PURPOSES = (("cluster", "messages", 32), ("cluster", "messages", 33), ("cluster", "other", 32),
            ("clusterm", "essages", 32), ("other", "messages", 32), ("cluster", "-", 1),
            ("cluster", "messages", 8160))
CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())


def hkdf(secret, info, length):
    prk = hmac.new(SALT, secret, hashlib.sha256).digest()
    out = block = b""
    for i in range(1, (length + 31) // 32 + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]


def rsa_key():
    if FILE.exists():
        for line in FILE.read_text().splitlines():
            if line.startswith("key RSA "):
                return serialization.load_der_private_key(bytes.fromhex(line.split()[2]), None)
    return rsa.generate_private_key(65537, 2048)


def keys():
    """The word, the private number and the key of each."""
    for curve in CURVES:
        size = (curve.key_size + 7) // 8
        # The first has many leading zeros.
        for number in (2, int.from_bytes(b"\x01" + b"\xa5" * (size - 1), "big")):
            yield "EC", number.to_bytes(size, "big"), ec.derive_private_key(number, curve)
    key = rsa_key()
    yield "RSA", key.private_numbers().d.to_bytes(256, "big"), key
    for seed in (bytes(32), bytes(range(32))):
        yield "ED25519", seed, ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def lines():
    yield "# Made by derived_keys.py; do not edit.\n"
    yield "# key KIND PKCS8; then for each purpose: out MODULE LABEL LENGTH SHA-256-OF-IT\n"
    for word, number, key in keys():
        der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
        yield f"key {word} {der.hex()}\n"
        for module, label, length in PURPOSES:
            out = hkdf(word.encode() + b"\0" + number, f"{module}\0{label}".encode(), length)
            yield f"out {module} {label} {length} {hashlib.sha256(out).hexdigest()}\n"


def main():
    text = "".join(lines())
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(text)
    elif text != FILE.read_text():
        sys.exit(f"{FILE.name} is not what {pathlib.Path(__file__).name} makes")


main()
