# SPDX-License-Identifier: MPL-2.0
"""Lists functions of core/ and modules/ that were never called: `never_run.py BUILD`.

BUILD has the type Coverage.  Prints FILE:LINE FUNCTION for each; a file that is built into
several programs counts once.  Exit code 1 if there are any."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("core", "modules")


def counts_of(notes):
    """The output of gcov for one object: [(file, line, function, times)]."""
    done = subprocess.run(
        ["gcov", "--json-format", "--stdout", str(notes)], cwd=notes.parent,
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        # For example, the counts are from an older build.
        sys.exit(f"{notes}: {done.stderr.strip()}; remove build and counts, and begin anew")
    found = []
    for line in done.stdout.splitlines():
        data = json.loads(line)
        for file in data["files"]:
            path = pathlib.Path(os.path.normpath(
                pathlib.Path(data["current_working_directory"]) / file["file"]))
            if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in FOLDERS:
                continue
            for function in file["functions"]:
                found.append((str(path.relative_to(ROOT)), function["start_line"],
                              function["name"], function["execution_count"]))
    return found


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    times = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(counts_of, sorted(build.rglob("*.gcno"))):
            for file, line, name, count in found:
                times[file, line, name] = times.get((file, line, name), 0) + count
    never = sorted(function for function, count in times.items() if not count)
    for file, line, name in never:
        print(f"{file}:{line} {name}")
    print(f"{len(never)} of {len(times)} functions were never run", file=sys.stderr)
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(main())
