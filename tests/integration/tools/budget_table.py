# SPDX-License-Identifier: MPL-2.0
"""The table of budgets, with numbers from the constants in the source and the defaults of
options."""

import functools
import re
import subprocess
import tempfile

from relay_server import ROOT, Program, module_folder

PLACE, WHAT, CONNECTION, SOURCE, ALL, BY, COUNTER, BOUNDS, TESTS, ATTACKS = range(10)
LIMITS = (WHAT, CONNECTION, SOURCE, ALL)

_KIB = 1024
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def program():
    return module_folder().parent / "tests" / "siege" / "relay-siege"


@functools.cache
def _source():
    paths = sorted(path for folder in ("core", "modules", "include", "tests/siege")
                   for path in (ROOT / folder).rglob("*.[ch]"))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _with_numbers(expression):
    return re.sub(r"[A-Z][A-Z0-9_]+", lambda name: str(constant(name.group())), expression)


@functools.cache
def constant(name):
    """The value of a constant in the source: a number, a sum, a product or a shift."""
    found = re.findall(rf"^#define[ \t]+{name}[ \t]+(.+?)[ \t]*(?:/\*.*)?$", _source(), re.M)
    assert found, f"no constant {name}"
    values = {re.sub(r"INT64_C\((\d+)\)|(?<=\d)[uUlL]+", r"\1", text).strip("()")
              for text in found}
    assert len(values) == 1, f"{name} has several values: {values}"
    value = _with_numbers(values.pop())
    assert re.fullmatch(r"\d+(?: *(?:\+|\*|<<) *\d+)*", value), f"{name} is {value!r}"
    return eval(value)


@functools.cache
def options():
    """{section.option: default} of all modules."""
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run([Program("ours").path, "-modules", "-keys", folder], cwd=folder,
                                capture_output=True, text=True, check=True).stdout
    found, section = {}, ""
    for line in listed.splitlines():
        head = re.match(r"(\S+) \d", line)
        option = re.match(r"    (\S+) = (.*)$", line)
        if head:
            section = head.group(1)
        elif option:
            found[f"{section}.{option.group(1)}"] = option.group(2)
    return found


def _duration(ms):
    assert ms % 1000 == 0 or ms < 1000, f"{ms} ms"
    if ms < 1000:
        return f"{ms} ms"
    return f"{ms // 60_000} min" if ms % 60_000 == 0 else f"{ms // 1000} s"


def _size(size):
    assert size % _KIB == 0, f"{size} bytes"
    kib = size // _KIB
    return f"{kib // _KIB:,} MiB" if kib % _KIB == 0 else f"{kib:,} KiB"


def _fill(match):
    expression, _, unit = match.group(1).partition(" ")
    if re.fullmatch(r"[a-z-]+\.[a-z-]+", expression):
        text = options()[expression]
        if text.isdigit():
            return f"{int(text):,}"
        parts = re.findall(r"(\d+)(ms|[smh])", text)
        assert parts, f"{expression} = {text}"
        return _duration(sum(int(number) * _UNITS[what] for number, what in parts))
    value = eval(_with_numbers(expression))
    assert value == int(value), f"{expression} is {value}"
    return {"": "{:,}".format, "KiB": _size, "ms": _duration}[unit](int(value))


def fill(text):
    return re.sub(r"\{([^{}=]+)\}", _fill, text)


@functools.cache
def raw():
    return subprocess.run([program(), "budget"], capture_output=True, text=True,
                          check=True).stdout


def table():
    """The table in the form of modules/README.md."""
    return fill(raw())


def rows(text=None):
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in (text or table()).splitlines()[2:]]


@functools.cache
def _tests():
    """The names of all tests: functions, and unit-NAME."""
    integration = "\n".join(path.read_text(encoding="utf-8")
                            for path in (ROOT / "tests" / "integration").rglob("test_*.py"))
    return {*re.findall(r"^def (test_\w+)\(", integration, re.M),
            *(path.stem.replace("test_", "unit-", 1)
              for path in (ROOT / "tests" / "unit").rglob("test_*.c"))}


def is_there(test):
    return test in _tests()


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def counters(row):
    """The counters in the form of /metrics."""
    return [re.sub(r"\{(\S+)=(\S+)\}", r'{\1="\2"}', name) for name in names(row[COUNTER])]
