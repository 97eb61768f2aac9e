# SPDX-License-Identifier: MPL-2.0
"""The curve P-384 and ECDSA on it, in integers, by the rules of SEC 1 and SEC 2.

Slow, and not constant in time: it decides what vectors are expected to give.
"""

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)
B = int("B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE814112"
        "0314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF", 16)
G = (int("AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B98"
         "59F741E082542A385502F25DBF55296C3A545E3872760AB7", 16),
     int("3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147C"
         "E9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F", 16))
LEN = 48


def on_curve(point):
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x**3 + 3 * x - B) % P == 0


def negative(point):
    return point and (point[0], -point[1] % P)


def add(one, other):
    """None is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one == negative(other):
        return None
    if one == other:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(scalar, point=G):
    total = None
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def lift(x):
    """A point with this x, or None."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return (x, y) if y * y % P == square else None


def to_number(digest):
    """SEC 1, section 4.1.3, step 5: the first 384 bits."""
    return int.from_bytes(digest[:LEN], "big")


def sign(key, digest, k):
    r = multiply(k)[0] % N
    return r, pow(k, -1, N) * (to_number(digest) + r * key) % N


def verify(point, digest, r, s):
    if not (0 < r < N and 0 < s < N) or not on_curve(point):
        return False
    inverse = pow(s, -1, N)
    total = add(multiply(to_number(digest) * inverse % N),
                multiply(r * inverse % N, point))
    return total is not None and total[0] % N == r


def point_for(digest, r, s, of):
    """The key for which (r, s) with the point `of` is a signature."""
    inverse = pow(r, -1, N)
    return add(multiply(s * inverse % N, of),
               multiply(-to_number(digest) * inverse % N))


def der_integer(number):
    body = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=number < 0)
    return bytes([2, len(body)]) + body


def der(r, s):
    body = der_integer(r) + der_integer(s)
    return bytes([0x30, len(body)]) + body


def read_der(text):
    """(r, s), or None for what is not the only right form of a signature."""
    if len(text) < 8 or text[0] != 0x30 or text[1] != len(text) - 2 or len(text) > 129:
        return None
    numbers = []
    at = 2
    for _ in range(2):
        if at + 2 > len(text) or text[at] != 2:
            return None
        body = text[at + 2:at + 2 + text[at + 1]]
        if not body or len(body) != text[at + 1]:
            return None
        number = int.from_bytes(body, "big", signed=True)
        if der_integer(number) != text[at:at + 2 + len(body)]:
            return None
        numbers.append(number)
        at += 2 + len(body)
    return tuple(numbers) if at == len(text) else None
