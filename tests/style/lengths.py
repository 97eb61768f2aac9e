#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Finds files of more than 450 lines and functions of more than 50: lengths.py [ROOT]

Checks sources of programs and of measurements, not tests and pages.  In C, the lines of a function
are those between braces in the first column; in Python, all its lines."""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("core", "modules", "include", "tests/testutil", "tests/siege", "tests/bench")
KINDS = {".c", ".h", ".py", ".sh", ".html", ".cmake"}
MOST_IN_FILE, MOST_IN_FUNCTION = 450, 49


def c_functions(text):
    """(number of the first line, number of lines) of each function."""
    begin = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            yield begin, number - begin + 1
            begin = 0


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno - node.lineno + 1


def findings(path):
    text = path.read_text()
    lines = text.count("\n")
    if lines > MOST_IN_FILE:
        yield f"{lines} lines, more than {MOST_IN_FILE}"
    functions = python_functions if path.suffix == ".py" else c_functions
    for begin, lines in functions(text):
        if lines > MOST_IN_FUNCTION:
            yield f"a function of {lines} lines begins in line {begin}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")
                   if path.suffix in KINDS)
    found = [f"{path.relative_to(root)}: {what}" for path in paths for what in findings(path)]
    print("\n".join(found) or f"lengths: {len(paths)} files and their functions are short enough")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
