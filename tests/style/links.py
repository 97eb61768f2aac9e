#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Checks the tree's pages: links, file names, and the order of headings: links.py [ROOT], or the
links of installed pages: links.py --installed FOLDER

A link is [text](target).  A file name is a word in backquotes that begins with one
of the tree's folders, or that ends as the tree's sources do (`strangers.py`,
`peers/session.c`): then some file of the tree has that name.  Links to other sites, and
names with wildcards or capitals that stand for something (NAME.c), are left alone.

The page of a module has the headings Options, its own ones, and those of LAST, in this
order; Metrics if the module registers some; Files if there is more than one, with each
file or folder of sources.  NAME.c has the descriptor and the options.  The page of a
room of core/ has at most ROOM_LINES lines, and the points of ROOM_POINTS."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("core", "modules", "include", "conf", "tests")
LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([A-Za-z0-9_./-]+)`")
IN_FOLDER = re.compile(r"(?:%s)/" % "|".join(FOLDERS))
SOURCE = re.compile(r".*\.(?:c|h|py|sh|md)")
PLACEHOLDER = re.compile(r"(?:^|/)[A-Z]+(?:/|\.(?!md)|$)")
LAST = ["Metrics", "Messages", "For other modules", "Files"]
ROOM_POINTS = ["May use", "Entry points", "Threads"]
ROOM_LINES = 20
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors of a page's headings, made as Git web sites make them."""
    text = FENCE.sub("", page.read_text())
    for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def wrong_link(page, target):
    if re.match(r"[a-z+]+:", target):
        return None
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    if not found.exists():
        return "does not exist"
    if anchor and found.suffix == ".md" and anchor not in anchors(found):
        return "has no such heading"
    return None


def is_there(root, page, files, name):
    if PLACEHOLDER.search(name) or name.startswith("/"):
        return True
    if (root / name).exists() or (page.parent / name).exists():
        return True
    return not IN_FOLDER.match(name) and any(f"/{file}".endswith(f"/{name}") for file in files)


def wrong_links(page):
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        wrong = wrong_link(page, target)
        if wrong:
            yield f"{target} {wrong}"


def problems(root, page, files):
    text = FENCE.sub("", page.read_text())
    yield from wrong_links(page)
    for name in QUOTED.findall(text):
        if (IN_FOLDER.match(name) or SOURCE.fullmatch(name)) and not is_there(root, page, files, name):
            yield f"{name} does not exist"


def sections(text):
    """The headings of a page without its title, and what is below each."""
    parts = re.split(r"^## (.*)$", FENCE.sub("", text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def wrong_module(folder, below):
    names = list(below)
    ranks = [0 if name == "Options" else 2 + LAST.index(name) if name in LAST else 1
             for name in names]
    if ranks != sorted(ranks) or ranks.count(0) != 1:
        yield f"the order of headings is Options, its own, {', '.join(LAST)}"
    sources = {path.relative_to(folder).parts[0] for path in folder.rglob("*.c")}
    code = "".join(path.read_text() for path in folder.rglob("*.c"))
    main = folder / f"{folder.name}.c"
    if not main.exists() or "RELAY_MODULE = {" not in main.read_text():
        yield f"{main.name} has no descriptor"
    elif "RELAY_OPT(" in code.replace(main.read_text(), ""):
        yield f"options belong into {main.name}"
    if re.search(r"relay_metrics?_add\(", code) and "Metrics" not in below:
        yield "the heading Metrics is missing"
    if len(sources) > 1:
        for name in sorted(sources):
            if f"`{name}`" not in below.get("Files", ""):
                yield f"{name} is not below Files"


def wrong_room(text):
    if len(text.splitlines()) > ROOM_LINES:
        yield f"more than {ROOM_LINES} lines"
    if [point for point in re.findall(r"^- \*\*(.*?):\*\*", text, re.MULTILINE)
            if point in ROOM_POINTS] != ROOM_POINTS:
        yield f"it has not the points {', '.join(ROOM_POINTS)}"


def form_problems(root):
    for page in sorted([*root.glob("modules/*/README.md"), *root.glob("core/*/README.md")]):
        name, text = page.relative_to(root), page.read_text()
        module = name.parts[0] == "modules"
        title = name.parts[1] if module else f"core/{name.parts[1]}"
        found = [] if text.startswith(f"# {title}\n") else [f"its title is not {title}"]
        found += wrong_module(page.parent, sections(text)) if module else wrong_room(text)
        yield from (f"{name}: {problem}" for problem in found)


def installed(folder):
    """What is wrong with the links of all pages there, which must be some."""
    pages = sorted(pathlib.Path(folder).rglob("*.md"))
    found = [f"{page.relative_to(folder)}: {problem}" for page in pages
             for problem in wrong_links(page)]
    print("\n".join(found) or f"{len(pages)} installed pages: all links resolve")
    return 1 if found or not pages else 0


def main():
    if sys.argv[1:2] == ["--installed"]:
        return installed(sys.argv[2])
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    files = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    found = [f"{name}: {problem}" for name in files if name.endswith(".md")
             for problem in problems(root, root / name, files)]
    found += form_problems(root)
    print("\n".join(found) or "pages: all links and file names resolve, headings are in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
