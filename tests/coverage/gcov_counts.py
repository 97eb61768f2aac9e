# SPDX-License-Identifier: MPL-2.0
"""What the counters of a build of the type Coverage say: how often each line and function
ran.  A file that is built into several programs counts once, with the sum of its counts."""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

SKIPPED = {("tests", folder) for folder in ("unit", "bench", "siege", "faults")}


def of_object(notes, root):
    """The output of gcov for one object: [(path, gcov's record of that file)]."""
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
            if path.is_relative_to(root):
                found.append((str(path.relative_to(root)), file))
    return found


def read(build, root, folders):
    """Two dictionaries: of (path, line, name of a function), and of path, then line."""
    functions = collections.Counter()
    lines = collections.defaultdict(collections.Counter)
    # What tests/unit and others build themselves is not asked for.
    notes = sorted(path for path in build.rglob("*.gcno")
                   if path.relative_to(build).parts[:2] not in SKIPPED)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = pool.map(lambda path: of_object(path, root), notes)
        for path, file in (pair for found in objects for pair in found):
            if not path.startswith(folders):
                continue
            for function in file["functions"]:
                functions[path, function["start_line"], function["name"]] += (
                    function["execution_count"])
            for line in file["lines"]:
                lines[path][line["line_number"]] += line["count"]
    return functions, lines
