# SPDX-License-Identifier: MPL-2.0
"""Plants one fault at a time into the server, and counts how many the tests notice.

    run.py [--seed N] [--count N] [--seconds N] [--folder F] [PATH...]   goes on where the last run
                         stopped; with paths (core/http), only faults in files below them
    run.py --again       tries those again that were not noticed, with the present tests
    run.py --units       runs no black-box tests; what the unit tests do not notice is tried later
    run.py --passed      tries only what the unit tests did not notice, with the black-box tests
    run.py --report      prints what the runs so far have found

The faults are chosen by the seed from all places that sites.py finds in core/ and modules/, as
many of each kind.  Other changes of the code do not change which are chosen.  The unit tests that
contain the file are run first, then the black-box tests about it (topics.py), then the tests of
the stage `limits`, which are some of each topic.  A fault that changes no byte of the object file
does not count.

What nothing noticed must be in survivors.txt, with a reason if no test can notice it.  Exit code 1
if one is missing there, or if fewer than 85 % of the others were noticed."""

import argparse
import collections
import itertools
import json
import pathlib
import signal
import sys
import time

import changed_build
import noticing
import sites

ROOT = pathlib.Path(__file__).resolve().parents[2]
SURVIVORS = "tests/mutations/survivors.txt"
WANTED = 85.0
# A verdict until the black-box tests have been run, too.
PASSED_UNITS = "not noticed by units"


def all_sites(options):
    for folder in ("core", "modules"):
        for path in sorted((options.root / folder).rglob("*.c")):
            name = path.relative_to(options.root)
            if not options.paths or any(name.is_relative_to(below) for below in options.paths):
                yield from sites.find(str(name), path.read_text("utf-8"))


def chosen(options):
    """All sites in the order in which they are tried: one of each kind in turn."""
    by_kind = collections.defaultdict(list)
    for site in sorted(all_sites(options), key=lambda site: site.order(options.seed)):
        by_kind[site.kind].append(site)
    for row in itertools.zip_longest(*(by_kind[kind] for kind in sites.KINDS)):
        yield from (site for site in row if site)


def one_line(text):
    return " ".join(text.split())


def name_of(site):
    """How survivors.txt names it, after PATH:LINE."""
    return f"{site.kind}: {one_line(site.before)} -> {one_line(site.after)}"


class Results:
    """What is known of each fault, kept in a file that only grows; the last word counts."""

    def __init__(self, path):
        self.path, self.of = path, {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                result = json.loads(line)
                self.of[result["key"]] = result

    def add(self, site, verdict, by, seconds):
        result = {"key": site.key(), "verdict": verdict, "by": by, "seconds": round(seconds)}
        self.of[site.key()] = result
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")

    def verdict(self, site):
        return self.of.get(site.key(), {}).get("verdict", "")


def try_one(build, tests, results, site, options):
    try:
        verdict = build.plant(site)
        if verdict != "compiled":
            return verdict, ""
        if build.warns(site.path):
            return "does not compile", "without warnings"
        if results.verdict(site) != PASSED_UNITS:
            noticed_by = tests.units(site.path)
            if noticed_by:
                return "noticed", noticed_by
            if options.units:
                return PASSED_UNITS, ""
        return tests.black_boxes(site.path, options.each)
    finally:
        build.restore(site)


def wanted(results, options):
    """The faults that are to be tried now."""
    counted = 0
    for site in chosen(options):
        verdict = results.verdict(site)
        if verdict in ("does not compile", "same code"):
            continue
        counted += 1
        if counted > options.count:
            return
        left = verdict == PASSED_UNITS and not options.units
        if options.passed and not left:
            continue
        if not verdict or left or options.again and verdict in ("survived", "no time"):
            yield site


def run(results, options):
    end = time.monotonic() + options.seconds
    build = changed_build.Build(options.root, options.folder)
    tests = noticing.Tests(build, options.processes)
    print(f"seed {options.seed}", flush=True)
    for site in list(wanted(results, options)):
        begin = time.monotonic()
        if begin > end:
            print("the time is over; the next run goes on here")
            return
        verdict, by = try_one(build, tests, results, site, options)
        results.add(site, verdict, by, time.monotonic() - begin)
        print(f"{verdict}: {site.path}:{site.line} {name_of(site)}  [{by}]", flush=True)


def known_survivors(root):
    """{path and change: reason}.  A line is `equivalent|gap PATH:LINE CHANGE | REASON`."""
    found = {}
    for line in (root / SURVIVORS).read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            what, reason = line.rsplit(" | ", 1)
            word, place, change = what.split(" ", 2)
            assert word in ("equivalent", "gap") and reason, line
            found[place.rsplit(":", 1)[0], change] = word
    return found


def report(results, options):
    known, count, missing = known_survivors(options.root), collections.Counter(), []
    for site in all_sites(options):
        verdict = results.verdict(site)
        word = known.get((site.path, name_of(site)), "")
        if verdict == "survived" and word == "equivalent":
            verdict = "equivalent"
        elif verdict == "survived" and not word:
            missing.append(f"{site.path}:{site.line} {name_of(site)}")
        count[verdict] += 1
    tried = count["noticed"] + count["survived"] + count["no time"]
    share = 100.0 * count["noticed"] / tried if tried else 0.0
    print(f"seed {options.seed}: {count['noticed']} of {tried} faults were noticed ({share:.1f} %); "
          f"{count['survived']} were not, for {count['no time']} there was no time. Besides, "
          f"{count['equivalent']} change nothing that a test can see, {count['same code']} not "
          f"even the object file, and {count['does not compile']} do not compile")
    for line in missing:
        print(f"not in {SURVIVORS}: {line}")
    return 1 if missing or share < WANTED else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=3600, help="for all")
    parser.add_argument("--each", type=int, default=400, help="the most seconds for one fault")
    parser.add_argument("--processes", type=int, default=8, help="tests at a time")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="the sources")
    parser.add_argument("--folder", type=pathlib.Path, help="ROOT/build-mutations if not given")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--units", action="store_true")
    parser.add_argument("--passed", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("paths", metavar="PATH", nargs="*")
    options = parser.parse_args()
    options.root = options.root.resolve()
    options.folder = (options.folder or options.root / "build-mutations").resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = Results(options.folder / "results.jsonl")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs ends, too
    if not options.report:
        run(results, options)
    return report(results, options)


if __name__ == "__main__":
    sys.exit(main())
