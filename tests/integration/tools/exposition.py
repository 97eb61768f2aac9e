# SPDX-License-Identifier: MPL-2.0
"""A strict parser of /metrics: {family: Family}."""

import dataclasses
import re

_HEAD = re.compile(r"# (HELP|TYPE|UNIT) (\S+) (.*)")
_SAMPLE = re.compile(r"([a-zA-Z_]\w*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)')
_SUFFIXES = {"counter": ("", "_total"), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


@dataclasses.dataclass
class Family:
    help: str = ""
    type: str = ""
    unit: str = ""
    samples: dict = dataclasses.field(default_factory=dict)  # (name, labels) -> number


def _labels(text):
    found = _LABEL.findall(text or "")
    assert sum(len(name) + len(value) + 4 for name, value in found) - 1 == len(text or "") or \
        not text, f"labels: {text!r}"
    return tuple(found)


def _number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def parse(text):
    """Fails on an invalid line, on samples without HELP and TYPE, and on duplicate samples."""
    families, current = {}, None
    for line in text.splitlines():
        head = _HEAD.fullmatch(line)
        if head:
            kind, name, rest = head.groups()
            if kind == "HELP":
                assert name not in families, f"{name} has two heads"
                current = name
                families[name] = Family()
            assert name == current, f"{line!r} within {current}"
            setattr(families[name], kind.lower(), rest)
            continue
        if line == "# EOF":
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample and current, f"no sample: {line!r}"
        name, labels, number = sample.groups()
        family = families[current]
        assert name in [current + end for end in _SUFFIXES[family.type]], f"{line!r} in {current}"
        key = name, _labels(labels)
        assert key not in family.samples, f"{key} comes twice"
        family.samples[key] = _number(number)
    return families


def value(families, name, **labels):
    """The value of one sample, looked up in all families."""
    for family in families.values():
        for (sample, found), number in family.samples.items():
            if sample == name and dict(found) == labels:
                return number
    raise AssertionError(f"no {name} {labels}")
