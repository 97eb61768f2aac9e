#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Checks the README of each room of core/: room_pages.py

It has the items "May use", "Entry points", "Threads" and "State", in this order.
"May use" names exactly the rooms whose headers the room includes; "all rooms
below" and "nothing" are names, too.  A struct that "State" names is defined in the file that it links.
"""

import re
import sys

import rooms

ITEMS = ["May use", "Entry points", "Threads", "State"]
ITEM = re.compile(r"^- \*\*(.+?):\*\* (.*(?:\n  .*)*)", re.M)
STRUCT = re.compile(r"`(struct \w+)` in\s+\[\S+\]\((\S+)\)")


def check_use(room, text, used):
    named = set(re.findall(r"\w+", text)) - {"nothing"}
    if "all" in named:
        named = set(rooms.ROOMS[:rooms.rank(room)])
    for other in sorted(used - named):
        yield f'includes headers of {other}, which "May use" does not name'
    for other in sorted(named - used):
        yield f'"May use" names {other}, of which it includes nothing'


def check_state(folder, text):
    for struct, link in STRUCT.findall(text):
        target = folder / link
        if not target.exists() or f"\n{struct} {{" not in target.read_text():
            yield f'"State": {struct} is not defined in {link}'
    if "none" not in text and not STRUCT.search(text):
        yield '"State" names neither a struct with its file nor "none"'


def check(room, used):
    folder = rooms.CORE / room
    page = folder / "README.md"
    if not page.exists():
        yield "has no README.md"
        return
    items = dict(ITEM.findall(page.read_text()))
    if list(items) != ITEMS:
        yield f"README.md has the items {list(items)}, not {ITEMS}"
        return
    yield from check_use(room, items["May use"], used)
    yield from check_state(folder, items["State"])


def main():
    used = {room: set() for room in rooms.ROOMS}
    for _, room, other, _ in rooms.includes():
        if other != room:
            used[room].add(other)
    problems = [f"core/{room}: {problem}" for room in rooms.ROOMS
                for problem in check(room, used[room])]
    print("\n".join(problems) or f"core: {len(rooms.ROOMS)} pages of rooms")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
