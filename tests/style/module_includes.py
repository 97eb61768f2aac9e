#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Checks what modules include of each other: module_includes.py [ROOT]

A module may include its own headers, the public ones, modules/shared, and headers of other modules
whose name ends in service.h."""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def problems(root):
    modules = root / "modules"
    for path in sorted(modules.rglob("*.[ch]")):
        module = path.relative_to(modules).parts[0]
        for target in INCLUDE.findall(path.read_text()):
            found = next((at for at in (path.parent / target, modules / target) if at.exists()),
                         None)
            if not found:
                continue
            if not found.resolve().is_relative_to(modules):
                yield f"{path.relative_to(root)} includes {target}, which is no module's"
                continue
            other = found.resolve().relative_to(modules).parts[0]
            if other not in (module, "shared") and not target.endswith("service.h"):
                yield f"{path.relative_to(root)} includes {target}, which is module {other}'s own"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if len(sys.argv) > 1 else root.parents[2]
    found = list(problems(root))
    print("\n".join(found) or "modules: none includes what is another's own")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
