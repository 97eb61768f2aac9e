#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Checks what modules include of each other: module_includes.py [ROOT]

A module may include its own headers, the public ones, modules/shared, and headers of other modules
whose name ends in service.h.  Within a folder of modules/, no units include each other in a circle;
a unit is NAME.c with NAME.h."""

import pathlib
import re
import sys

from rooms import circles

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def includes(modules):
    """(file, what it includes, where that is) for each include of a file of the tree."""
    for path in sorted(modules.rglob("*.[ch]")):
        for target in INCLUDE.findall(path.read_text()):
            found = next((at for at in (path.parent / target, modules / target) if at.exists()),
                         None)
            if found:
                yield path, target, found.resolve()


def foreign(root, modules):
    for path, target, found in includes(modules):
        module = path.relative_to(modules).parts[0]
        if not found.is_relative_to(modules):
            yield f"{path.relative_to(root)} includes {target}, which is no module's"
            continue
        other = found.relative_to(modules).parts[0]
        if other not in (module, "shared") and not target.endswith("service.h"):
            yield f"{path.relative_to(root)} includes {target}, which is module {other}'s own"


def circular(modules):
    edges = {}
    for path, _, found in includes(modules):
        if found.is_relative_to(modules):
            unit, other = (str(at.relative_to(modules).with_suffix("")) for at in (path, found))
            if unit != other:
                edges.setdefault(unit, set()).add(other)
    for circle in circles(edges):
        yield "a circle of units: " + ", ".join(circle)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if len(sys.argv) > 1 else root.parents[2]
    modules = root / "modules"
    found = [*foreign(root, modules), *circular(modules)]
    print("\n".join(found) or "modules: none includes what is another's own, and there is no circle")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
