#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Runs test_p384_time in valgrind and judges what memcheck finds.

    secret_branches.py PROGRAM

A branch or an address that depends on a secret fails, in whichever library it is. There
is one exception: a branch one side of which calls __assert_fail() at once. The program
has gone on, so it went the same way for every secret; Nettle has such assertions.
"""
import collections
import re
import subprocess
import sys

STEPS = 8  # instructions that prepare the call of __assert_fail()
PLACE = re.compile(r"==\d+==    at 0x[0-9A-F]+: (\S+?)\+(0x[0-9A-Fa-f]+|\d+) \((in )?([^)]*)\)")


def errors(program, plan):
    """(what, function, offset, library or None) of each error."""
    run = subprocess.run(["valgrind", "-q", "--sym-offsets=yes", "--error-limit=no", program, plan],
                         stderr=subprocess.PIPE, text=True, timeout=600, check=False)
    if run.returncode != 0:
        sys.exit(f"{program} {plan} ended with {run.returncode}:\n{run.stderr}")
    what = None
    for line in run.stderr.splitlines():
        place = PLACE.match(line)
        if place and what:
            yield (what, place[1], int(place[2], 0), place[4] if place[3] else None)
            what = None
        elif re.match(r"==\d+== \w", line):
            what = line.split("== ", 1)[1]


class Code:
    """The instructions of a library."""

    def __init__(self, path):
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True,
                              text=True, timeout=600, check=True).stdout
        self.symbols, self.lines, self.at = {}, [], {}
        for line in text.splitlines():
            symbol = re.match(r"([0-9a-f]+) <(\S+?)(?:@@\S+)?>:", line)
            code = re.match(r"\s+([0-9a-f]+):\s+(.*)", line)
            if symbol:
                self.symbols.setdefault(symbol[2], int(symbol[1], 16))
            elif code:
                self.at[int(code[1], 16)] = len(self.lines)
                self.lines.append(code[2])

    def fails(self, index):
        """Whether __assert_fail() is called here before anything is decided."""
        for line in self.lines[index:index + STEPS]:
            if "__assert_fail" in line:
                return True
            if re.match(r"(j|ret|call|b\.?\w* |cb|tb)", line):
                return False
        return False

    def is_assertion(self, function, offset):
        index = self.at.get(self.symbols.get(function, -1) + offset)
        target = index is not None and re.search(r"\s([0-9a-f]+) <", self.lines[index])
        return bool(target) and (self.fails(index + 1) or
                                 self.fails(self.at.get(int(target[1], 16), len(self.lines))))


def judge(program, plan, libraries):
    """The number of assertions, and what is none."""
    asserted, found = collections.Counter(), []
    for what, function, offset, library in errors(program, plan):
        if library and library not in libraries:
            libraries[library] = Code(library)
        if library and "jump" in what and libraries[library].is_assertion(function, offset):
            asserted[function] += 1
        else:
            found.append(f"{what}: {function}+{offset:#x} in {library or program}")
    return asserted, found


def main():
    libraries = {}
    asserted, found = judge(sys.argv[1], "signs", libraries)
    print(f"signs: {sum(asserted.values())} branches of assertions in {len(asserted)} functions:",
          *sorted(asserted))
    if found:
        sys.exit("signing depends on a secret:\n" + "\n".join(found))
    for plan in ("branches", "looks-up"):
        _, found = judge(sys.argv[1], plan, libraries)
        print(f"{plan}:", *found)
        if not found:
            sys.exit(f"what was planted was not found: {plan}")


if __name__ == "__main__":
    main()
