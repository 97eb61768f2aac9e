# SPDX-License-Identifier: MPL-2.0
"""The public headers, exports.map and the executable have the same API functions."""

import re
import subprocess

from relay_server import ROOT, Program

PROTOTYPE = re.compile(r"^[a-z][\w\s*]*?\b(relay_\w+)\s*\(", re.MULTILINE)


def exported():
    """The symbols of the executable that modules can use."""
    table = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", Program("ours").path],
        capture_output=True, text=True, check=True,
    ).stdout
    names = {line.split()[0].partition("@")[0] for line in table.splitlines()}
    return {name for name in names if name.startswith("relay_")}


def listed():
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "core" / "exports.map").read_text(), flags=re.DOTALL)
    return set(re.findall(r"\b(relay_\w+);", text))


def declared():
    """Functions declared in the public headers."""
    names = set()
    for path in (ROOT / "include" / "strelaysrv").glob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.MULTILINE)
        text = text.replace('extern "C" {', "")  # as C++ reads it
        text = re.sub(r"\btypedef\b[^;]*;", "", text)
        text = re.sub(r"\{[^{}]*\}", "", text)
        names |= set(PROTOTYPE.findall(text))
    return names


def test_every_function_of_the_headers_is_listed():
    assert declared() == listed()


def test_executable_exports_what_is_listed():
    assert exported() == listed()


def test_the_page_for_authors_has_every_hook():
    header = (ROOT / "include" / "strelaysrv" / "hooks.h").read_text()
    hooks = set(re.findall(r"^typedef .*\brelay_(\w+)_fn\(", header, re.MULTILINE))
    page = (ROOT / "modules" / "README.md").read_text()
    rows = re.findall(r"^\| (`.*?`) \|", page[page.index("\n## Hooks"):page.index("\n## What a module shows")],
                      re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == hooks
