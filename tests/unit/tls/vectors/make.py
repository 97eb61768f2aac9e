#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the vectors that test_vectors.c runs: ecdsa_p384.txt and
chacha20_poly1305.txt beside this script.

    make.py [--check]      with --check: only says whether the files are as they should be

What each vector is expected to give is decided here by rules (curve.py, aead.py), and
OpenSSL must agree (python3-cryptography). test_vectors.c asks OpenSSL once more.
"""
import hashlib
import pathlib
import random
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import aead
import curve
import ecdsa_cases as cases

HERE = pathlib.Path(__file__).resolve().parent
HASHES = {name: getattr(hashes, name.upper())() for name in cases.HASHES}


def field(data):
    return data.hex() if data else "-"


def openssl_verifies(point, name, text, signature):
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), point)
        key.verify(signature, text, ec.ECDSA(HASHES[name]))
    except (ValueError, InvalidSignature):
        return False
    return True


def raw(comment, point, digest, numbers, verdict=None):
    """A line for numbers of 48 bytes and a digest."""
    r, s = numbers
    expected = curve.verify(point, digest, r, s)
    parts = [v.to_bytes(curve.LEN, "big").hex() for v in (*point, r, s)]
    return (f"raw {verdict or ('valid' if expected else 'invalid')} {parts[0]} {parts[1]} "
            f"{field(digest)} {parts[2]} {parts[3]} # {comment}")


def der(comment, point, name, text, signature, good_point=True):
    """A line for an encoded key, a message and a signature in DER."""
    numbers = curve.read_der(signature)
    expected = bool(good_point and numbers and curve.verify(
        (int.from_bytes(point[1:49], "big"), int.from_bytes(point[49:], "big")),
        hashlib.new(name, text).digest(), *numbers))
    if openssl_verifies(point, name, text, signature) != expected:
        raise SystemExit(f"OpenSSL and the rules disagree: {comment}")
    return (f"der {'valid' if expected else 'invalid'} {field(point)} {name} {field(text)} "
            f"{field(signature)} # {comment}")


def raw_lines():
    digest = cases.hashed()
    for name, point, numbers in (*cases.small_nonces(), *cases.special_keys(),
                                 *cases.extreme_numbers()):
        yield raw(name, point, digest, numbers)
    for name, point, other, numbers in (*cases.special_points(), *cases.special_factors(),
                                        *cases.opposite_summands()):
        yield raw(name, point, other, numbers)
    for name, point, other, numbers in cases.equal_summands():
        yield raw(name, point, other, numbers, "doubling")
    for name, other in cases.digests():
        yield raw(name, cases.POINT, other, curve.sign(cases.KEY, other, 0xD1CE))
    for name, numbers in cases.adjusted():
        yield raw(name, cases.POINT, digest, numbers)
    x, y = cases.POINT
    numbers = curve.sign(cases.KEY, digest, 0xBEEF)
    for name, point in (("not on the curve", (x, y + 1)), ("swapped", (y, x)), ("zeros", (0, 0)),
                        ("x = p", (curve.P, y)), ("y = p", (x, curve.P)),
                        ("x + p", (1 + curve.P, (curve.lift(1) or (1, 1))[1])),
                        ("all ones", (2**384 - 1, 2**384 - 1)), ("-y", (x, curve.P - y)),
                        ("of another curve", cases.twist())):
        yield raw(f"key {name}", point, digest, numbers)


def der_lines():
    """A key is written as "=" where it is that of the line before."""
    before = None
    for line in whole_der_lines():
        point = line.split()[2]
        yield line.replace(point, "=", 1) if point == before else line
        before = point


def whole_der_lines():
    right = cases.encoded(cases.POINT)
    for name in cases.HASHES:
        for text in (b"", b"a", cases.TEXT, bytes(range(200))):
            numbers = curve.sign(cases.KEY, cases.hashed(name, text), 0xFACE)
            yield der(f"{name} of {len(text)} bytes", right, name, text, curve.der(*numbers))
            yield der(f"{name} of another text", right, name, text + b"!", curve.der(*numbers))
    for name, numbers in cases.adjusted():
        yield der(name, right, "sha384", cases.TEXT, curve.der(*numbers))
    for name, signature in (*cases.forms(), *cases.wider()):
        yield der(name, right, "sha384", cases.TEXT, signature)
    good = curve.der(*curve.sign(cases.KEY, cases.hashed(), 0xBEEF))
    for name, point in cases.bad_points():
        yield der(f"key: {name}", point, "sha384", cases.TEXT, good, False)


def seal_line(comment, key, nonce, aad, text, aad_field=None, text_field=None):
    sealed = aead.seal(key, nonce, aad, text)
    if ChaCha20Poly1305(key).encrypt(nonce, text, aad) != sealed:
        raise SystemExit(f"OpenSSL and the rules disagree: {comment}")
    return (f"seal {key.hex()} {nonce.hex()} {aad_field or field(aad)} "
            f"{text_field or field(text)} {hashlib.sha256(sealed).hexdigest()} # {comment}")


def pattern(length):
    return bytes((7 * i + length) & 0xff for i in range(length))


def seal_lines():
    generator = random.Random(8439)
    for length in (*range(0, 131), *range(2**8 - 1, 2**8 + 2), *range(511, 514),
                   1023, 1024, 1025, 4095, 4096, 16383, 16384, 16385, 16640):
        yield seal_line(f"text of {length} bytes", generator.randbytes(32), generator.randbytes(12),
                        pattern(13), pattern(length), "@13", f"@{length}")
    for length in (*range(0, 35), 63, 64, 65, 255, 256, 1024, 65537):
        yield seal_line(f"aad of {length} bytes", generator.randbytes(32), generator.randbytes(12),
                        pattern(length), pattern(20), f"@{length}", "@20")
    for name, key in (("zeros", bytes(32)), ("ones", b"\xff" * 32)):
        for other, nonce in (("zeros", bytes(12)), ("ones", b"\xff" * 12),
                             ("its first word of ones", b"\xff" * 4 + bytes(8))):
            yield seal_line(f"key of {name}, nonce of {other}", key, nonce, b"", pattern(80), None,
                            "@80")


def total_lines():
    """Texts that lead Poly1305's accumulator to an extreme value."""
    generator = random.Random(1305)
    for name, target in (("0", 0), ("1", 1), ("4", 4), ("5", 5), ("p - 1", aead.PRIME - 1),
                         ("p - 5", aead.PRIME - 5), ("2^128 - 1", 2**128 - 1), ("2^128", 2**128),
                         ("2^128 + 1", 2**128 + 1), ("2^129", 2**129), ("2^64", 2**64),
                         ("2^104 - 1", 2**104 - 1), ("2^26", 2**26), ("2^44", 2**44)):
        for blocks in (1, 2, 4, 5, 8, 17):
            text = None
            while text is None:
                key, nonce = generator.randbytes(32), generator.randbytes(12)
                text = aead.text_for_total(key, nonce, target, blocks)
            yield seal_line(f"accumulator {name} after {blocks} blocks", key, nonce, b"", text)


def record_lines():
    """Records of TLS 1.2 (RFC 7905): the nonce is the IV with the record's number."""
    generator = random.Random(7905)
    for number in (0, 1, 255, 256, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1):
        for length in (0, 1, 15, 16, 17, 64, 191, 192, 193, 1000, 16384):
            key, iv, text = generator.randbytes(32), generator.randbytes(12), pattern(length)
            nonce = bytes(a ^ b for a, b in zip(iv, bytes(4) + number.to_bytes(8, "big")))
            aad = number.to_bytes(8, "big") + b"\x17\3\3" + length.to_bytes(2, "big")
            sealed = aead.seal(key, nonce, aad, text)
            if ChaCha20Poly1305(key).encrypt(nonce, text, aad) != sealed:
                raise SystemExit(f"OpenSSL and the rules disagree: record {number}")
            yield (f"record {key.hex()} {iv.hex()} {aad.hex()} @{length} "
                   f"{hashlib.sha256(sealed).hexdigest()} # record {number:#x} of {length} bytes")


def refused():
    """That OpenSSL refuses other tags is a rule of the cipher, not of a vector."""
    box = ChaCha20Poly1305(bytes(32))
    sealed = bytearray(box.encrypt(bytes(12), b"text", b""))
    sealed[-1] ^= 1
    try:
        box.decrypt(bytes(12), bytes(sealed), b"")
    except InvalidTag:
        return
    raise SystemExit("OpenSSL takes a wrong tag")


def main():
    refused()
    head = "# Made by make.py; do not edit.\n"
    stale = False
    for name, lines in (("ecdsa_p384.txt", [*raw_lines(), *der_lines()]),
                        ("chacha20_poly1305.txt",
                         [*seal_lines(), *total_lines(), *record_lines()])):
        text = head + "".join(line + "\n" for line in lines)
        path = HERE / name
        if "--check" in sys.argv[1:]:
            stale |= not path.exists() or path.read_text(encoding="ascii") != text
        else:
            path.write_text(text, encoding="ascii")
            print(f"{name}: {len(lines)} vectors")
    if stale:
        raise SystemExit("the vectors differ from what make.py writes")


if __name__ == "__main__":
    main()
