# SPDX-License-Identifier: MPL-2.0
"""The long form of the siege: all attacks on several relays, and tables of the results.

compare.py --build BUILD [--before STRELAYSRV] [--seconds N] [--only NAME] [ATTACK...]

Results are stored in BUILD/siege.json.  Earlier results there are kept, so that relays and attacks
can be run one by one; --table prints them."""

import argparse
import datetime
import json
import os
import pathlib
import sys
import tempfile

import siege

KINDS = ("join", "meet", "scrape")
COLUMNS = {"before": "ours, before", "go": "Go relay", "ours": "ours"}
#: Limits of descriptors for attacks that exhaust them.
DESCRIPTORS = {"descriptors": 1024}


def relays(options):
    found = {"ours": siege.Binary("ours", 0, str(options.build / "strelaysrv")),
             "go": siege.relay_server.Program("reference")}
    if options.before:
        found["before"] = siege.Binary("ours", 0, str(options.before))
    return found


def play(program, name, options):
    """The results of one attack on one relay, as plain data."""
    with tempfile.TemporaryDirectory() as folder:
        server = siege.start(program, folder, descriptors=DESCRIPTORS.get(name))
        try:
            outcome = siege.lay(server, name, options.seconds, siege.attacker(options.build),
                                siege.path_of(program), settle=2)
        except AssertionError as error:
            return {"crashed": str(error)[:200] if server.running() else "crashed"}
        finally:
            if server.running():
                server.process.kill()
            server.wait_for_exit()
    return {
        "crashed": outcome.crashed and "crashed",
        "share": {kind: outcome.share(kind) for kind in (*KINDS, "transfer")},
        "p99_ms": {kind: outcome.good[f"{kind}_p99_us"] / 1000 for kind in (*KINDS, "echo")},
        "rss_mib": (outcome.most.rss - outcome.before.rss) / siege.MIB,
        "kernel_mib": outcome.most.kernel / siege.MIB,
        "descriptors": outcome.most.descriptors,
        "left": {"sockets": outcome.after.sockets - outcome.before.sockets,
                 "rss_mib": (outcome.after.rss - outcome.before.rss) / siege.MIB},
    }


def _ms(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _cell(result, kind):
    if not result:
        return ""
    if result["crashed"]:
        return result["crashed"]
    if kind == "echo":
        return _ms(result["p99_ms"]["echo"])
    if kind == "memory":
        return f"{max(0, result['rss_mib']):.0f} + {result['kernel_mib']:.0f}"
    share = result["share"][kind]
    return f"{share:.0%} · {_ms(result['p99_ms'][kind])}" if share else "none"


def table(results, attacks):
    """Tables with one row for each attack."""
    names = [name for name in COLUMNS if any(name in of for of in results.values())]
    lines = []
    for title, kind in (("Joins that succeed · p99, ms", "join"),
                        ("Sessions that succeed · p99, ms", "meet"),
                        ("Scrapes that succeed · p99, ms", "scrape"),
                        ("Round trip in an existing session, p99, ms", "echo"),
                        ("Peak memory, MiB: process + kernel", "memory")):
        lines += [f"### {title}", "", "| attack | " + " | ".join(COLUMNS[n] for n in names) + " |",
                  "|---" * (1 + len(names)) + "|"]
        for attack in attacks:
            of = results.get(attack, {})
            lines.append(f"| {attack} | " + " | ".join(_cell(of.get(n), kind) for n in names)
                         + " |")
        lines.append("")
    return "\n".join(lines)


def heading(options):
    return (f"{datetime.date.today()}, {options.seconds:g} s for each attack, "
            f"{os.cpu_count()} CPUs, load average {os.getloadavg()[2]:.1f} from outside and from "
            "this; ATTACK@NUMBER: from so many addresses, else from 64.\n")


BEGIN, END = "<!-- table: made by siege.sh --readme -->\n", "<!-- end -->\n"


def write(page, text):
    """Writes the table into the page between its markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + BEGIN + text + END + after, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Attackers on several relays, side by side.")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--before", type=pathlib.Path, help="another build of ours, to compare")
    parser.add_argument("--seconds", type=float, default=2, help="of good clients, each attack")
    parser.add_argument("--only", choices=COLUMNS, help="only one of the relays")
    parser.add_argument("--table", action="store_true", help="print what there is")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    options = parser.parse_args()
    options.build = options.build.resolve()
    known = [*siege.attacks(siege.attacker(options.build)), *siege.CROWDS]
    wrong = [name for name in options.attacks if name not in known]
    if wrong:
        parser.error(f"no such attack: {', '.join(wrong)}")
    file = options.build / "siege.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in () if options.table else options.attacks or known:
        for column, program in relays(options).items():
            if options.only in (None, column):
                result = play(program, name, options)
                results.setdefault(name, {})[column] = result
                print(f"{name}, {COLUMNS[column]}: {json.dumps(result)}", file=sys.stderr,
                      flush=True)
                file.write_text(json.dumps(results, indent=1))
    text = heading(options) + "\n" + table(results, known)
    print(text)
    if options.readme:
        write(pathlib.Path(__file__).with_name("README.md"), text)


if __name__ == "__main__":
    main()
