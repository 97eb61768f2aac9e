# SPDX-License-Identifier: MPL-2.0
"""Which part of the lines of each file did the tests run: `coverage.py BUILD`.

BUILD has the type Coverage.  Prints a table by room or module, then by file, least first.
Exit code 1 if a file is below its limit: 95 % of the lines of code that parses or speaks a
protocol, 90 % of all other code, or what coverage_exceptions.txt says of it, with the
reason.  An exception that is not needed any more is an error, too."""

import collections
import fnmatch
import pathlib
import sys

import gcov_counts

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXCEPTIONS = pathlib.Path(__file__).with_name("coverage_exceptions.txt")
FOLDERS = ("core/", "modules/", "tests/testutil/")
LIMIT, PARSER_LIMIT = 90.0, 95.0
# What reads bytes or texts that others have written.
PARSERS = (
    "core/base/device_id.c", "core/base/duration.c", "core/base/integer_and_bool.c",
    "core/base/size_and_rate.c", "core/base/address.c", "core/base/query_escape.c",
    "core/config/*.c", "core/http/http_head.c", "core/http/http_hosts.c",
    "core/http/http_reply.c", "core/http/http_serve.c", "core/life/handover.c",
    "core/modules/elf_check.c", "core/net/inherited.c", "core/peers/conn_hello.c",
    "core/tls/tls_certificate.c", "core/tls/tls_hello.c", "core/tls/identity_read.c",
    "modules/access/rules.c", "modules/access/tokens.c", "modules/nat/fetch.c",
    "modules/nat/http_body.c", "modules/nat/igd.c", "modules/nat/netlink.c",
    "modules/nat/pmp.c", "modules/nat/ssdp.c", "modules/nat/upnp.c",
    "modules/pool-join/plan.c", "modules/pool-join/url.c", "modules/quota/period.c",
    "modules/quota/state.c", "modules/relay/address/uri.c",
    "modules/relay/devices/protocol_mode.c", "modules/relay/messages/*.c",
    "modules/relay/sessions/session_mode.c", "modules/shared/guard_file.c",
    "modules/shared/ranges.c", "tests/testutil/candidates.c",
    "tests/testutil/client_uri.c", "tests/testutil/http_answer.c",
    "tests/testutil/invitation.c",
)


def limit_of(path):
    is_parser = any(fnmatch.fnmatch(path, pattern) for pattern in PARSERS)
    return PARSER_LIMIT if is_parser else LIMIT


def exceptions():
    """{path: per cent}.  A line is PATH PER_CENT REASON; # begins a comment."""
    found = {}
    for line in EXCEPTIONS.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        path, percent, reason = line.split(None, 2)
        assert reason and path not in found, line
        found[path] = float(percent)
    return found


def room_of(path):
    """Its room of core or its module, with the folders below it."""
    return "/".join(pathlib.PurePath(path).parts[:2])


def percent(run, count):
    return 100.0 * run / count if count else 100.0


def row(name, run, count, more=""):
    print(f"{percent(run, count):6.1f} % of {count:5d}  {name}{more}")


def judge(path, run, count, excepted):
    """What is wrong with the file's coverage, or ""."""
    limit, has = limit_of(path), percent(run, count)
    if path in excepted and has >= limit:
        return "  above its limit: remove its line from coverage_exceptions.txt"
    if has < excepted.get(path, limit):
        return f"  BELOW {excepted.get(path, limit):.0f} %"
    return ""


def main():
    _, lines = gcov_counts.read(pathlib.Path(sys.argv[1]).resolve(), ROOT, FOLDERS)
    excepted, rooms = exceptions(), collections.defaultdict(lambda: [0, 0])
    files, faults = [], []
    for path, counts in lines.items():
        if not path.endswith(".c"):
            continue
        run = sum(1 for count in counts.values() if count)
        files.append((percent(run, len(counts)), path, run, len(counts)))
        rooms[room_of(path)][0] += run
        rooms[room_of(path)][1] += len(counts)
    for room in sorted(rooms):
        row(room, *rooms[room])
    print()
    for _, path, run, count in sorted(files):
        fault = judge(path, run, count, excepted)
        row(path, run, count, fault)
        if fault:
            faults.append(path)
    faults += [f"{path}: there is no such file" for path in excepted if path not in lines]
    run, count = (sum(room[i] for room in rooms.values()) for i in (0, 1))
    row("all", run, count)
    for fault in faults:
        print(f"wrong: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
