# SPDX-License-Identifier: MPL-2.0
"""What the tests have run: `report.py BUILD [never-run] [coverage]`.

BUILD has the type Coverage.  Prints the functions of core/ and modules/ that were never called,
then a table of lines by room or module and by file.  Exit code 1 if something is wrong with one
of the named reports, or with any if none is named.

Lines are judged by room or module: its files that read or speak a protocol together have at
least 95 % of their lines run, its other files together 90 %.  No file has less than 75 %.  What
exceptions.txt names, with a reason, is judged by itself.  An exception that is not needed is an
error, too."""

import collections
import fnmatch
import pathlib
import sys

import gcov_counts

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.txt")
FOLDERS = ("core/", "modules/", "tests/testutil/")
LIMIT, PARSER_LIMIT, FILE_LIMIT = 90.0, 95.0, 75.0
# What reads bytes or texts that others have written.
PARSERS = (
    "core/base/device_id.c", "core/base/duration.c", "core/base/integer_and_bool.c",
    "core/base/size_and_rate.c", "core/base/address.c", "core/base/query_escape.c",
    "core/config/*.c", "core/http/http_head.c", "core/http/http_hosts.c",
    "core/http/http_reply.c", "core/http/http_serve.c", "core/life/ctl_answer.c",
    "core/life/handover.c", "core/modules/elf_check.c", "core/net/inherited.c",
    "core/net/proxy_header.c", "core/peers/conn_hello.c", "core/tls/identity_read.c",
    "core/tls/tls_certificate.c", "core/tls/tls_hello.c", "modules/access/bans.c",
    "modules/access/named.c", "modules/access/rules.c", "modules/access/tokens.c",
    "modules/admission/answer.c", "modules/cluster/messages/*.c",
    "modules/cluster/redis/bytes.c", "modules/cluster/redis/keys.c",
    "modules/cluster/redis/replies.c", "modules/cluster/redis/resp.c",
    "modules/cluster/redis/servers.c",
    "modules/cluster/tables/row_seal.c", "modules/endpoint/other_uri.c",
    "modules/control/request.c", "modules/nat/fetch.c", "modules/nat/http_body.c",
    "modules/nat/igd.c", "modules/nat/netlink.c", "modules/nat/pmp.c", "modules/nat/ssdp.c",
    "modules/nat/upnp.c", "modules/pool-join/answer.c", "modules/pool-join/pem.c",
    "modules/pool-join/plan.c", "modules/shared/url.c", "modules/quota/names.c",
    "modules/quota/period.c", "modules/quota/state.c", "modules/relay/address/uri.c",
    "modules/relay/devices/join_token.c", "modules/relay/devices/protocol_mode.c",
    "modules/relay/messages/*.c", "modules/relay/sessions/session_mode.c",
    "modules/shared/guard_file.c", "modules/shared/ranges.c", "modules/statsd/target.c",
    "modules/wormhole-transit/line.c", "tests/testutil/candidates.c",
    "tests/testutil/client_uri.c", "tests/testutil/http_answer.c",
    "tests/testutil/invitation.c",
)


class Exceptions:
    """exceptions.txt.  A line is `function PATH NAME REASON` or `lines PATH PER_CENT REASON`."""

    def __init__(self, text):
        self.functions, self.lines = set(), {}
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            kind, path, what, reason = line.split(None, 3)
            assert reason and kind in ("function", "lines"), line
            if kind == "lines":
                self.lines[path] = float(what)
            else:
                self.functions.add((path, what))


def never_run(functions, excepted):
    """Prints functions that were never called; returns what is wrong."""
    times, lines = collections.Counter(), {}
    # A function that #if gives two bodies has two lines; which is built depends on the program.
    for (path, line, name), count in functions.items():
        if path.startswith(("core/", "modules/")):
            times[path, name] += count
            lines[path, name] = line
    never = {function for function, count in times.items() if not count}
    bare = [f"{path}:{lines[path, name]} {name}" for path, name in sorted(never - excepted)]
    print("\n".join(bare + [f"{len(bare)} of {len(times)} functions were never run, besides "
                            f"{len(never & excepted)} exceptions", ""]))
    needless = [f"{path} {name}: the exception is not needed: "
                + ("it runs" if (path, name) in times else "there is no such function")
                for path, name in sorted(excepted - never)]
    return bare + needless


class Lines:
    """How many lines there are, and how many ran."""

    def __init__(self):
        self.run = self.count = 0

    def add(self, other):
        self.run += other.run
        self.count += other.count

    def percent(self):
        return 100.0 * self.run / self.count if self.count else 100.0

    def show(self, name, more=""):
        print(f"{self.percent():6.1f} % of {self.count:5d}  {name}{more}")


def group_of(path):
    """Its room of core or its module with the folders below it, and the limit of both."""
    parser = any(fnmatch.fnmatch(path, pattern) for pattern in PARSERS)
    room = "/".join(pathlib.PurePath(path).parts[:2])
    return (room, PARSER_LIMIT) if parser else (room, LIMIT)


def lines_by_file(counts):
    files = {}
    for path, of_lines in counts.items():
        if path.endswith(".c"):
            files[path] = Lines()
            files[path].count = len(of_lines)
            files[path].run = sum(1 for count in of_lines.values() if count)
    return files


def groups_of(files, without=()):
    groups = collections.defaultdict(Lines)
    for path, lines in files.items():
        if path not in without:
            groups[group_of(path)].add(lines)
    return groups


def judge_exceptions(files, groups, excepted):
    """What is wrong with the lines of exceptions.txt."""
    for path, limit in excepted.items():
        if path not in files:
            yield f"{path}: the exception is not needed: there is no such file"
            continue
        has, group = files[path].percent(), group_of(path)
        together = Lines()
        together.add(groups[group])
        together.add(files[path])
        if has < limit:
            yield f"{path}: {has:.1f} %, less than the {limit:.0f} % of its exception"
        elif has >= FILE_LIMIT and together.percent() >= group[1]:
            yield f"{path}: the exception is not needed: with it {group[0]} is above its limit"
        elif has >= limit + 5:
            yield f"{path}: the exception says {limit:.0f} %, and {has:.1f} % ran"


def coverage(counts, excepted):
    """Prints the lines by room, and by file; returns what is wrong."""
    files = lines_by_file(counts)
    groups, everything = groups_of(files, excepted), Lines()
    for path, lines in sorted(files.items(), key=lambda file: (file[1].percent(), file[0])):
        lines.show(path, "  (exception)" if path in excepted else "")
        everything.add(lines)
    print()
    for (room, limit), lines in sorted(groups_of(files).items()):
        lines.show(room, "  (parsers and protocol)" if limit == PARSER_LIMIT else "")
    everything.show("all")
    wrong = [f"{room}: {lines.percent():.1f} % of the lines of its "
             f"{'parsers' if limit == PARSER_LIMIT else 'other files'}, less than {limit:.0f} %"
             for (room, limit), lines in sorted(groups.items()) if lines.percent() < limit]
    wrong += [f"{path}: {lines.percent():.1f} %, less than {FILE_LIMIT:.0f} %"
              for path, lines in sorted(files.items())
              if lines.percent() < FILE_LIMIT and path not in excepted]
    wrong += judge_exceptions(files, groups, excepted)
    wrong += [f"{pattern}: there is no such file" for pattern in PARSERS
              if not any(fnmatch.fnmatch(path, pattern) for path in files)]
    return wrong


def main():
    build, asked = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or ["never-run", "coverage"]
    excepted = Exceptions(EXCEPTIONS.read_text("utf-8"))
    functions, lines = gcov_counts.read(build, ROOT, FOLDERS)
    wrong = {"never-run": never_run(functions, excepted.functions),
             "coverage": coverage(lines, excepted.lines)}
    for report in asked:
        for fault in wrong[report]:
            print(f"{report}: {fault}", file=sys.stderr)
    return 1 if any(wrong[report] for report in asked) else 0


if __name__ == "__main__":
    sys.exit(main())
