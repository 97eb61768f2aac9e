#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints what each part of the server's own cryptography saves.

    parts.py RELAY_PARTS [JOINS]

RELAY_PARTS is the program in the build folder. Instructions are counted by valgrind's
callgrind; CPU time is the least of some runs without it.
"""
import re
import subprocess
import sys

# The curves of the server's key and of the devices', and the parts that matter there.
ROWS = ((("P-256", "P-256"), ("ecdsa", "chacha", "provider", "records")),
        (("P-384", "P-384"), ("ecdsa", "chacha", "provider", "records")),
        (("P-384", "P-256"), ("ecdsa",)),
        (("P-256", "P-384"), ("ecdsa",)))
ROUNDS = 5


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800)


def instructions(program, curves, joins, *without):
    done = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                "--toggle-collect=counted_step", program, *curves, str(joins), *without])
    return int(re.search(r"Collected : (\d+)", done.stderr)[1]) / joins


def time_and_bytes(program, curves, joins, *without):
    lines = [run([program, *curves, str(joins), *without]).stdout.split() for _ in range(ROUNDS)]
    return min(float(line[0]) for line in lines), min(int(line[1]) for line in lines)


def main():
    program = sys.argv[1]
    joins = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print("| keys: server, devices | without | instructions of a join | CPU, ms | bytes a device |\n"
          "|---|---|---|---|---|")
    for curves, parts in ROWS:
        keys = ", ".join(curves)
        whole = instructions(program, curves, joins)
        spent, kept = time_and_bytes(program, curves, 20 * joins)
        print(f"| {keys} | nothing | {whole:,.0f} | {spent:.2f} | {kept:,} |", flush=True)
        for part in parts:
            count = instructions(program, curves, joins, part)
            other, more = time_and_bytes(program, curves, 20 * joins, part)
            print(f"| {keys} | {part} | {count:,.0f} ({count / whole - 1:+.1%}) | {other:.2f} "
                  f"({other / spent - 1:+.0%}) | {more:,} ({more - kept:+,}) |", flush=True)


if __name__ == "__main__":
    main()
