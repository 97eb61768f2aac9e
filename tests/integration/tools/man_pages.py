# SPDX-License-Identifier: MPL-2.0
"""The parts of conf/man that repeat flags, options and headers.

    STRELAYSRV=build/strelaysrv /usr/bin/python3 tests/integration/tools/man_pages.py

writes them anew.  In a manual page such a part is between the comments `begin: NAME` and `end`."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from relay_server import ROOT, Program, module_folder  # noqa: E402

FOLDER = ROOT / "conf" / "man"
COMMANDS = ROOT / "tests/integration/control/screens/help.txt"
PART = re.compile(r'(\.\\" begin: (.*)\n)(?:.*\n)*?(\.\\" end\n)')


def escape(text):
    """Text for roff: a dash is that of flags, and no line is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def usage(program):
    done = subprocess.run([program, "-help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def flags(text):
    """[(heading or None, flag, its value, text)] of what -help shows."""
    heading, found = None, []
    lines = iter(text.splitlines())
    for line in lines:
        if re.fullmatch("(Basics|Server|Module .*):", line):
            heading = line.rstrip(":")
        head = re.match(r"  -(\S+) ?(.*)", line)
        if head:
            found.append((heading, head.group(1), head.group(2), next(lines).strip()))
    return found


def list_of_flags(text):
    out, last = [], None
    for heading, flag, value, words in flags(text):
        if heading != last:
            out.append(f'.SS "{escape(heading)}"\n')
            last = heading
        words = escape(words[0].upper() + words[1:])
        value = f' " {escape(value)}"' if value else ""
        out.append(f".TP\n.{'BI' if value else 'B'} \\-{escape(flag)}{value}\n{words}\n")
    return "".join(out)


def list_of_commands(text):
    """Of the screen of `-ctl help`, which test_screens.py compares with what a server shows."""
    out = []
    for line in text.splitlines()[1:]:
        head, module, words = line.split("  ", 2)
        command, _, more = head.partition(" ")
        more = f' " {escape(more)}"' if more else ""
        words = escape(words[0].upper() + words[1:])
        out.append(f".TP\n.{'BI' if more else 'B'} {escape(command)}{more}\n{words} (module\n"
                   f".IR {escape(module)} ).\n")
    return "".join(out)


def paragraph(comments):
    text = "\n".join(comments).strip()
    return "".join(f".PP\n{escape(block)}\n" for block in re.split(r"\n\s*\n", text) if block)


def entry(section, statements, comments):
    """One or more options that share an explanation."""
    tags = []
    for name, default in statements:
        name = f"{section}.{name}" if section else name
        tags.append(f'.BR {escape(name)} " = {escape(default)}"\n')
    return ".TP\n" + ".TQ\n".join(tags) + escape("\n".join(comments).strip()) + "\n"


def sample():
    """conf/strelaysrv.conf: its comments as text, its statements as headings of them."""
    out, comments, statements, section = [], [], [], ""
    lines = (ROOT / "conf" / "strelaysrv.conf").read_text(encoding="utf-8").splitlines()
    for bare in [*map(str.strip, lines), ""]:
        statement = re.match(r"#? ?([a-z-]+) = (.*)$", bare)
        opens = re.match(r"([a-z-]+) \{$", bare)
        if statements and not statement:
            out.append(entry(section, statements, comments))
            comments, statements = [], []
        if opens:
            section = opens.group(1)
            out.append(f'.SH "SECTION {escape(section)}"\n' + paragraph(comments))
            comments = []
        elif statement and statement.group(1) == "required":
            comments = []
        elif statement:
            example = "  (an example; not set by default)" if bare.startswith("#") else ""
            statements.append((statement.group(1), statement.group(2) + example))
        elif bare.startswith("#"):
            comments.append(bare.removeprefix("#").strip())
        elif not bare and comments and not out:
            out.append(paragraph(comments) + '.SH "OPTIONS OF THE SERVER"\n')
            comments = []
    return "".join(out)


def headers():
    out = []
    folder = ROOT / "include" / "strelaysrv"
    for path in sorted(folder.glob("*.h"), key=lambda path: (path.name != "module.h", path.name)):
        text = path.read_text(encoding="utf-8").partition("*/\n")[2].strip("\n")
        text = re.sub(r"#ifdef __cplusplus\n(?:.*\n)*?#endif\n+", "", text + "\n")
        text = re.sub(r"#ifndef RELAY_\w+_H\n#define RELAY_\w+_H\n|\n#endif\n*$", "", text)
        out.append(f".SH \"<strelaysrv/{path.name}>\"\n.EX\n{escape(text.expandtabs(8)).strip()}\n.EE\n")
    return "".join(out)


def parts():
    testutil = module_folder().parent / "strelaysrv-testutil"
    return {
        "options of strelaysrv": lambda: list_of_flags(usage(Program("ours").path)),
        "commands": lambda: list_of_commands(COMMANDS.read_text(encoding="utf-8")),
        "options of testutil": lambda: list_of_flags(usage(str(testutil))),
        "sample of strelaysrv": sample,
        "headers": headers,
    }


def pages():
    """{path: the text that it should have}."""
    make = parts()
    return {path: PART.sub(lambda part: part.group(1) + make[part.group(2)]() + part.group(3),
                           path.read_text(encoding="utf-8"))
            for path in sorted(FOLDER.glob("*.[1-8]"))}


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content, encoding="utf-8")
