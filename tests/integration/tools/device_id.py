# SPDX-License-Identifier: MPL-2.0
"""Device IDs: the SHA-256 of a certificate, and its text form with check characters."""

import base64
import hashlib

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LOOKALIKES = str.maketrans("018", "OIB")


def check_character(group):
    """The check character of a group of 13."""
    total = 0
    for position, character in enumerate(group):
        product = _ALPHABET.index(character) * (1 + position % 2)
        total += product // 32 + product % 32
    return _ALPHABET[(32 - total % 32) % 32]


def of_certificate(der):
    return hashlib.sha256(der).digest()


def to_text(raw):
    """The text form of 63 characters: 8 groups of 7, joined by dashes."""
    if len(raw) != 32:
        raise ValueError(f"a device ID has 32 bytes, got {len(raw)}")
    plain = base64.b32encode(raw).decode().rstrip("=")
    groups = [plain[i : i + 13] for i in range(0, 52, 13)]
    guarded = "".join(group + check_character(group) for group in groups)
    return "-".join(guarded[i : i + 7] for i in range(0, 56, 7))


def from_text(text):
    """Parses a device ID. Accepts what to_text() returns, lower case, missing dashes, and common
    typing errors."""
    compact = text.upper().replace("-", "").replace(" ", "").translate(_LOOKALIKES)
    if len(compact) == 56:
        groups = [compact[i : i + 14] for i in range(0, 56, 14)]
        for group in groups:
            if check_character(group[:13]) != group[13]:
                raise ValueError(f"wrong check character {group[13]!r} after {group[:13]!r}")
        compact = "".join(group[:13] for group in groups)
    if len(compact) != 52:
        raise ValueError(f"a device ID has 52 or 56 characters, got {len(compact)}")
    return base64.b32decode(compact + "====")
