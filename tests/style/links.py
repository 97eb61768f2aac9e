#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Resolves every link and every file name in the tree's pages: links.py [ROOT]

A link is [text](target).  A file name is a word in backquotes that begins with one
of the tree's folders, or that ends as the tree's sources do (`strangers.py`,
`peers/session.c`): then some file of the tree has that name.  Links to other sites, and
names with wildcards or capitals that stand for something (NAME.c), are left alone."""

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
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors of a page's headings, as a web site for Git makes them."""
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


def problems(root, page, files):
    text = FENCE.sub("", page.read_text())
    for target in LINK.findall(text):
        wrong = wrong_link(page, target)
        if wrong:
            yield f"{target} {wrong}"
    for name in QUOTED.findall(text):
        if (IN_FOLDER.match(name) or SOURCE.fullmatch(name)) and not is_there(root, page, files, name):
            yield f"{name} does not exist"


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    files = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    found = [f"{name}: {problem}" for name in files if name.endswith(".md")
             for problem in problems(root, root / name, files)]
    print("\n".join(found) if found else "pages: all links and file names resolve")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
