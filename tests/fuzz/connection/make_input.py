#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Makes an input of fuzz_connection from a text.

  make_input.py CONFIGURATION END 'STEP [BYTE...]; ...' > FILE

The names of the steps are read from steps.c, where their bytes are explained by
the code.  CONFIGURATION is an index into configurations.c; each bit of END says
whether a client that is left at the end resets its connection or closes it.
"""
import pathlib
import re
import sys


def step_codes():
    text = (pathlib.Path(__file__).parent / "steps.c").read_text()
    codes, code = {}, 0
    for name, weight in re.findall(r'\{"(\w+)", (\d+), do_', text):
        codes[name] = code
        code += int(weight)
    return codes


def make(configuration, end, text):
    codes = step_codes()
    out = [configuration, end]
    for step in filter(None, (s.split() for s in text.split(";"))):
        out += [codes[step[0]]] + [int(word) for word in step[1:]]
    return bytes(out)


if __name__ == "__main__":
    sys.stdout.buffer.write(make(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
