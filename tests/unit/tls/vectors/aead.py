# SPDX-License-Identifier: MPL-2.0
"""ChaCha20-Poly1305 by the rules of RFC 8439, in integers."""
import struct

PRIME = 2**130 - 5


def rotate(word, by):
    return (word << by | word >> (32 - by)) & 0xffffffff


def quarter(state, a, b, c, d):
    for one, other, third, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[one] = (state[one] + state[other]) & 0xffffffff
        state[third] = rotate(state[third] ^ state[one], by)


def block(key, counter, nonce):
    begin = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) +
                 (counter & 0xffffffff,) + struct.unpack("<3I", nonce))
    state = begin[:]
    for _ in range(10):
        for columns in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                        (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(state, *columns)
    return struct.pack("<16I", *((a + b) & 0xffffffff for a, b in zip(begin, state)))


def stream(key, nonce, length):
    return b"".join(block(key, 1 + i, nonce) for i in range((length + 63) // 64))[:length]


def r_and_s(key, nonce):
    once = block(key, 0, nonce)
    return (int.from_bytes(once[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff,
            int.from_bytes(once[16:32], "little"))


def accumulate(total, r, data):
    for at in range(0, len(data), 16):
        piece = data[at:at + 16] + b"\1"
        total = (total + int.from_bytes(piece, "little")) * r % PRIME
    return total


def padded(data):
    return data + b"\0" * (-len(data) % 16)


def tag(key, nonce, aad, hidden):
    r, s = r_and_s(key, nonce)
    total = accumulate(0, r, padded(aad) + padded(hidden) +
                       struct.pack("<QQ", len(aad), len(hidden)))
    return ((total + s) % 2**128).to_bytes(16, "little")


def seal(key, nonce, aad, text):
    hidden = bytes(a ^ b for a, b in zip(text, stream(key, nonce, len(text))))
    return hidden + tag(key, nonce, aad, hidden)


def text_for_total(key, nonce, target, blocks):
    """A text of this many blocks whose accumulator is `target` before s is added,
    or None: with this key and nonce there is none."""
    r, _ = r_and_s(key, nonce)
    inverse = pow(r, -1, PRIME)
    lengths = struct.pack("<QQ", 0, 16 * blocks) + b"\1"
    before = (target * inverse - int.from_bytes(lengths, "little")) % PRIME
    first = bytes(range(16)) * (blocks - 1)
    last = (before * inverse - accumulate(0, r, first)) % PRIME - 2**128
    if not 0 <= last < 2**128:
        return None
    hidden = first + last.to_bytes(16, "little")
    return bytes(a ^ b for a, b in zip(hidden, stream(key, nonce, len(hidden))))
