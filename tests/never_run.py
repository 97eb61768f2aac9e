# SPDX-License-Identifier: MPL-2.0
"""Lists functions of core/ and modules/ that were never called: `never_run.py BUILD`.

BUILD has the type Coverage.  Prints FILE:LINE FUNCTION for each.  Exit code 1 if there are
any."""

import pathlib
import sys

import gcov_counts

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    times, _ = gcov_counts.read(build, ROOT, ("core/", "modules/"))
    # A function that #if gives two bodies has two lines; which is built depends on the program.
    run = {(path, name) for (path, _, name), count in times.items() if count}
    never = sorted(function for function in times if (function[0], function[2]) not in run)
    for file, line, name in never:
        print(f"{file}:{line} {name}")
    print(f"{len(never)} of {len(times)} functions were never run", file=sys.stderr)
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(main())
