# SPDX-License-Identifier: MPL-2.0
"""Signatures on P-384 that an implementation may get wrong."""
import hashlib
import random

import curve
from curve import N, P, der

KEY = 0x2B7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFE
POINT = curve.multiply(KEY)
TEXT = b"what a device signs"
HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")


def encoded(point):
    return b"\4" + b"".join(v.to_bytes(48, "big") for v in point)


def hashed(name="sha384", text=TEXT):
    return hashlib.new(name, text).digest()


def small_nonces():
    """Signatures whose nonce is special: all are valid."""
    for k in (1, 2, 3, 2**64, 2**192, 2**383, N >> 1, (N >> 1) + 1, N - 2, N - 1):
        yield f"nonce {k:#x}", POINT, curve.sign(KEY, hashed(), k)


def special_keys():
    for key in (1, 2, 3, N >> 1, N - 2, N - 1, 2**383, 2**64 - 1):
        yield f"key {key:#x}", curve.multiply(key), curve.sign(key, hashed(), 0xC0FFEE)


def extreme_numbers():
    """Valid signatures in which r or s is extreme; the key is made for them."""
    r = next(r for r in range(1, 99) if curve.lift(r))
    for s in (1, 2, N >> 1, N - 2, N - 1, 2**383, 2**64, r):
        yield f"smallest r, s {s:#x}", curve.point_for(hashed(), r, s, curve.lift(r)), (r, s)
    r = next(r for r in range(N - 1, 0, -1) if curve.lift(r))
    yield "largest r", curve.point_for(hashed(), r, N - 1, curve.lift(r)), (r, N - 1)
    # The x of the nonce's point is above the order, and r is x - n.
    x = next(x for x in range(P - 1, N, -1) if curve.lift(x))
    yield "x above the order", curve.point_for(hashed(), x - N, 7, curve.lift(x)), (x - N, 7)
    x = next(x for x in range(N + 1, P) if curve.lift(x))
    yield "x just above the order", curve.point_for(hashed(), x - N, 7, curve.lift(x)), (x - N, 7)
    # Here it is not, so x - n is another number than r + n mod p.
    r = next(r for r in range(P - N, P) if curve.lift(r) and r + N >= P)
    yield "r + n above the prime", curve.point_for(hashed(), r, 7, curve.lift(r)), (r, 7)


def forged(point, one, other):
    """A valid signature for a key that nobody knows: the nonce's point is one * G +
    other * point, and the digest follows from it."""
    r = curve.add(curve.multiply(one), curve.multiply(other, point))[0] % N
    s = r * pow(other, -1, N) % N
    return (one * s % N).to_bytes(48, "big"), (r, s)


def special_points():
    """Keys whose coordinates are special."""
    for name, x in (("0", 0), ("1", 1), ("p - 1", P - 1), ("p - 3", P - 3), ("2^383", 2**383),
                    ("2^32", 2**32), ("2^128 - 1", 2**128 - 1), ("n", N)):
        point = curve.lift(x)
        if point:
            for sign, one in (("", point), (", -y", curve.negative(point))):
                digest, numbers = forged(one, 3, 5)
                yield f"key with x = {name}{sign}", one, digest, numbers


def special_factors():
    """The two factors of verifying, u1 and u2, are special."""
    special = (1, 2, 3, 2**64, 2**383, N >> 1, (N >> 1) + 1, N - 2, N - 1)
    for one in (0, *special):
        digest, numbers = forged(POINT, one, 77)
        yield f"u1 = {one:#x}", POINT, digest, numbers
        digest, numbers = forged(POINT, 77, one or 78)
        yield f"u2 = {one or 78:#x}", POINT, digest, numbers
    for one in special:
        digest, numbers = forged(POINT, one, one)
        yield f"u1 = u2 = {one:#x}", POINT, digest, numbers
    for name, point in (("G", curve.G), ("-G", curve.negative(curve.G)),
                        ("2 G", curve.multiply(2)), ("G / 2", curve.multiply((N + 1) // 2))):
        for one, other in ((3, 4), (4, 3), (5, 11), (N - 7, 9)):
            digest, numbers = forged(point, one, other)
            yield f"key {name}, u1 = {one:#x}, u2 = {other:#x}", point, digest, numbers


def equal_summands():
    """u1 * G = u2 * key: the sum is a doubling."""
    for other in (1, 5, N - 3):
        digest, numbers = forged(POINT, other * KEY % N, other)
        yield f"u1 G = u2 Q, u2 = {other:#x}", POINT, digest, numbers
    digest, numbers = forged(curve.G, 6, 6)
    yield "u1 G = u2 Q, Q = G", curve.G, digest, numbers


def opposite_summands():
    """u1 * G = -u2 * key: the sum is the point at infinity, so nothing is valid."""
    for other in (1, 5, N - 3):
        for r in (1, 5, P - N - 1, N - 1):
            s = r * pow(other, -1, N) % N
            digest = (-other * KEY * s % N).to_bytes(48, "big")
            yield f"u1 G = -u2 Q, u2 = {other:#x}, r = {r:#x}", POINT, digest, (r, s)


def digests():
    """Digests shorter and longer than the order, and special ones."""
    generator = random.Random(384)
    for length in (0, 1, 20, 28, 32, 47, 48, 49, 64):
        digest = generator.randbytes(length)
        yield f"digest of {length} bytes", digest
    for name, number in (("0", 0), ("1", 1), ("n", N), ("n - 1", N - 1), ("n + 1", N + 1),
                         ("2^384 - 1", 2**384 - 1)):
        yield f"digest {name}", number.to_bytes(48, "big")
        yield f"digest {name} and more", number.to_bytes(48, "big") + b"\xff" * 16


def adjusted():
    """Out of range, or of another signature."""
    r, s = curve.sign(KEY, hashed(), 0xBEEF)
    yield "as it is", (r, s)
    yield "high or low s", (r, N - s)
    for name, number in (("0", 0), ("1", 1), ("n - 1", N - 1), ("n", N), ("n + 1", N + 1),
                         ("p", P), ("p + 1", P + 1), ("2^384 - 1", 2**384 - 1)):
        yield f"r = {name}", (number, s)
        yield f"s = {name}", (r, number)
        yield f"r = s = {name}", (number, number)
    yield "swapped", (s, r)
    yield "r + 1", (r + 1, s)
    yield "s + 1", (r, s + 1)
    yield "n - r", (N - r, s)


def wider():
    """For DER only: numbers that have more than 384 bits, or a sign."""
    r, s = curve.sign(KEY, hashed(), 0xBEEF)
    for name, (one, other) in (
            ("r + n", (r + N, s)), ("s + n", (r, s + N)), ("r + 2^384", (r + 2**384, s)),
            ("s + 2^384", (r, s + 2**384)), ("r + 2^400", (r + 2**400, s)),
            ("-r", (-r, s)), ("-s", (r, -s)), ("r - n", (r - N, s)), ("s - n", (r, s - N)),
            ("r - 2^384", (r - 2**384, s)), ("s - 2^384", (r, s - 2**384)),
            ("r = -1", (-1, s)), ("s = -1", (r, -1))):
        yield name, der(one, other)


def forms():
    """Other ways to write a valid signature, and damaged ones."""
    r, s = curve.sign(KEY, hashed(), 0xBEEF)
    right = der(r, s)
    one, other = curve.der_integer(r), curve.der_integer(s)
    yield "right", right
    yield "empty", b""
    yield "zeros after it", right + b"\0\0"
    yield "one byte after it", right + b"\x30"
    yield "length 1 short", right[:1] + bytes([right[1] - 1]) + right[2:]
    yield "length 1 long", right[:1] + bytes([right[1] + 1]) + right[2:]
    yield "length 1 long with a byte", right[:1] + bytes([right[1] + 1]) + right[2:] + b"\0"
    for count in (1, 2, 3, 4, 8):
        size = len(right) - 2
        yield f"length in {count} bytes", (b"\x30" + bytes([0x80 | count]) +
                                          size.to_bytes(count, "big") + right[2:])
    yield "indefinite length", b"\x30\x80" + right[2:] + b"\0\0"
    yield "length of 2^64 - 1", b"\x30\x88" + b"\xff" * 8 + right[2:]
    yield "length of the first number in 1 byte", wrap(b"\2\x81" + one[1:] + other)
    yield "length of the second number in 1 byte", wrap(one + b"\2\x81" + other[1:])
    yield "zero before r", wrap(bytes([2, one[1] + 1, 0]) + one[2:] + other)
    yield "zero before s", wrap(one + bytes([2, other[1] + 1, 0]) + other[2:])
    yield "0xff before s", wrap(one + bytes([2, other[1] + 1, 0xff]) + other[2:])
    yield "r without its zero", wrap(bytes([2, 48]) + r.to_bytes(48, "big") + other)
    yield "s without its zero", wrap(one + bytes([2, 48]) + s.to_bytes(48, "big"))
    yield "one number", wrap(one)
    yield "three numbers", wrap(one + other + b"\2\1\1")
    yield "null in it", wrap(one + other + b"\5\0")
    yield "no number", wrap(b"")
    yield "empty numbers", wrap(b"\2\0\2\0")
    yield "r is empty", wrap(b"\2\0" + other)
    yield "s is empty", wrap(one + b"\2\0")
    yield "set for sequence", b"\x31" + right[1:]
    yield "primitive sequence", b"\x10" + right[1:]
    yield "r is no integer", wrap(b"\4" + one[1:] + other)
    yield "s is a bit string", wrap(one + b"\3" + other[1:])
    yield "s is boolean", wrap(one + b"\1\1\xff")
    yield "s is infinite", wrap(one + b"\x09\1\x40")
    yield "nested", wrap(right)
    yield "in an octet string", b"\4" + bytes([len(right)]) + right
    yield "raw", r.to_bytes(48, "big") + s.to_bytes(48, "big")
    for at in range(len(right)):
        yield f"cut to {at} bytes", right[:at]
    for at in range(0, len(right) * 8, 7):
        damaged = bytearray(right)
        damaged[at // 8] ^= 1 << at % 8
        yield f"bit {at} flipped", bytes(damaged)


def wrap(body):
    return bytes([0x30, len(body)]) + body


def bad_points():
    """Encodings that are no points of the curve, or not in that form."""
    x, y = POINT
    yield "its y + 1", encoded((x, (y + 1) % P))
    yield "its x + 1", encoded(((x + 1) % P, y))
    yield "swapped", encoded((y, x))
    yield "zeros", encoded((0, 0))
    yield "infinity", b"\0"
    yield "infinity in full", b"\0" + b"\0" * 96
    yield "x = p", encoded((P, curve.lift(0)[1] if curve.lift(0) else 1))
    yield "x = 1 + p", encoded((1 + P, curve.lift(1)[1] if curve.lift(1) else 1))
    yield "y = p", encoded((x, P))
    yield "all ones", b"\4" + b"\xff" * 96
    yield "another curve of that field", encoded(twist())
    yield "one byte short", encoded(POINT)[:-1]
    yield "one byte long", encoded(POINT) + b"\0"
    yield "x alone", encoded(POINT)[:49]
    yield "unknown form", b"\5" + encoded(POINT)[1:]
    yield "hybrid with the other sign", bytes([7 - (y & 1)]) + encoded(POINT)[1:]
    yield "compressed, no such x", b"\2" + next(
        v for v in range(1, 99) if not curve.lift(v)).to_bytes(48, "big")


def twist():
    """A point that solves y^2 = x^3 - 3x + b' for another b'."""
    return 2, 3
