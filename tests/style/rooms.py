#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Checks that core's rooms use only what is below them.

    rooms.py [BUILD]    the tree's includes; with a build folder also the
                        symbols of its objects

A room is a folder of core/.  Fails on an include or a symbol of a room above,
on a circle of units (NAME.c with NAME.h), and on a folder that is not listed.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"

# From the bottom to the top; core/README.md says what lives in each.
ROOMS = ("base", "log", "loop", "metrics", "config", "tls", "modules", "net",
         "workers", "peers", "http", "host", "life")

# Circles inside a room that stay, each a tuple of units with its reason.
CIRCLES = {}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def sources():
    return sorted(p for p in CORE.glob("*/*.[ch]") if p.parent.name in ROOMS)


def rank(room):
    return ROOMS.index(room)


def includes():
    """(file, its room, the included file's room and unit) for each include of a core header."""
    for path in sources():
        for target in INCLUDE.findall(path.read_text()):
            found = CORE / target
            if not found.exists() and (path.parent / target).exists():
                found = path.parent / target
            if found.exists() and found.parent.name in ROOMS:
                yield path, path.parent.name, found.parent.name, found.stem


def check_folders():
    here = {p.name for p in CORE.iterdir() if p.is_dir()}
    for room in sorted(here - set(ROOMS)):
        yield f"core/{room} is not listed in {Path(__file__).name}"
    for path in sorted(CORE.rglob("*.[ch]")):
        if len(path.relative_to(CORE).parts) != 2:
            yield f"{path.relative_to(ROOT)} is not in a room's own folder"
    for room in sorted(set(ROOMS) - here):
        yield f"core/{room} is listed, and does not exist"


def check_includes():
    for path, room, other, unit in includes():
        if rank(other) > rank(room):
            yield (f"{path.relative_to(ROOT)} includes {other}/{unit}.h, "
                   f"which is above it")


def circles(edges):
    """Tarjan's strongly connected components of more than one unit."""
    index, low, stack, found = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in sorted(edges.get(unit, ())):
            if other not in index:
                visit(other)
                low[unit] = min(low[unit], low[other])
            elif other in stack:
                low[unit] = min(low[unit], index[other])
        if low[unit] == index[unit]:
            part = [stack.pop()]
            while part[-1] != unit:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(tuple(sorted(part)))

    for unit in sorted(edges):
        if unit not in index:
            visit(unit)
    return found


def check_circles():
    edges = {}
    for path, _, _, unit in includes():
        if unit != path.stem:
            edges.setdefault(path.stem, set()).add(unit)
    found = circles(edges)
    for circle in found:
        if circle not in CIRCLES:
            yield "a circle of units: " + ", ".join(circle)
    for circle in set(CIRCLES) - set(found):
        yield "no circle any more, so not to be listed: " + ", ".join(circle)


#: Functions of the C library that loop/exit_call.c replaces: who calls them means the C library's.
REPLACED = {"_exit", "_Exit"}


def check_symbols(build):
    defined, used = {}, []
    # What a renamed source has left in the folder does not count.
    objects = [obj for obj in sorted(build.glob("CMakeFiles/*.dir/core/*/*.c.o"))
               if (CORE / obj.parent.name / obj.stem).exists()]
    if not objects:
        yield f"{build} has no objects of core"
    for obj in objects:
        room = obj.parent.name
        text = subprocess.run(["nm", obj], check=True, capture_output=True,
                              text=True).stdout
        for line in text.splitlines():
            kind, name = line.split()[-2:]
            if kind in "TDBRVWC" and name not in REPLACED:
                defined[name] = room
            elif kind == "U":
                used.append((name, room, obj.stem))
    for name, room, unit in used:
        if name in defined and rank(defined[name]) > rank(room):
            yield (f"core/{room}/{unit} uses {name}, which core/"
                   f"{defined[name]} above it defines")


def main():
    problems = [*check_folders(), *check_includes(), *check_circles()]
    if len(sys.argv) > 1:
        problems += check_symbols(Path(sys.argv[1]))
    for problem in problems:
        print(problem)
    if not problems:
        print(f"core: {len(ROOMS)} rooms, {len(list(includes()))} includes, "
              "none upwards")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
