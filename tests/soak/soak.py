# SPDX-License-Identifier: MPL-2.0
"""Soak test: everything at once for a long time; afterwards nothing may be left.

    python3 tests/soak/soak.py --hours 1.5 --out FOLDER   build/strelaysrv, or $STRELAYSRV
    python3 tests/soak/soak.py --seconds 60
    python3 tests/soak/soak.py --judge FOLDER [--readme]  a run again, from its figures
"""

import argparse
import csv
import dataclasses
import os
import pathlib
import sys
import tempfile
import time

_TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS / "integration" / "tools"), str(_TESTS / "siege")]

import attackers  # noqa: E402
import balance  # noqa: E402
import certificates  # noqa: E402
import churn  # noqa: E402
import report  # noqa: E402
import siege  # noqa: E402
import soaked_server  # noqa: E402
from relay_server import Program  # noqa: E402
from waiting import SLOWNESS, Deadline, pace, wait_for  # noqa: E402


#: With so many a run ends early.
MOST_ERRORS = 20


@dataclasses.dataclass(frozen=True)
class Load:
    """What befalls each server; all numbers of one of them."""

    threads: int = 4
    rounds_per_second: float = 8
    attack_open: int = 24  # connections of an attack at a time
    attack_per_second: int = 40
    attack_s: float = 5
    reload_every_s: float = 1
    timeout_s: float = 3 * SLOWNESS  # of sessions and messages
    rate: int = 20_000_000  # bytes per second of all sessions


class Site:
    """A server with its clients and attackers, and what was measured of it."""

    def __init__(self, name, program, folder, keys, load, seed, upgrades):
        self.name, self.load, self.upgrades = name, load, upgrades
        folder.mkdir()
        self.server = soaked_server.SoakedServer(
            program, folder, keys, load.timeout_s, load.rate, program.workers or 2)
        self.rows = []
        self._peak = siege.Use()
        self._begin(seed)

    def _begin(self, seed):
        server, load = self.server, self.load
        try:
            server.wait_until_serving()
            self.churn = churn.Churn(server.address, load.threads, seed,
                                     load.rounds_per_second, server.sent_away_since)
            self.attackers = attackers.Attackers(server, seed, load.attack_open,
                                                 load.attack_per_second)
            server.settle()
            self.base = siege.use_of(server, pipes=True)
        except BaseException:
            server.finish()
            raise

    def begin(self, seconds):
        """Everything at once for this time; the result waits for the end."""
        load = self.load
        unrest = soaked_server.Unrest(self.server, seconds, self.upgrades, load.reload_every_s)
        joins = [self.churn.begin(seconds), self.attackers.begin(seconds, load.attack_s),
                 unrest.join]
        return lambda: [join() for join in joins]

    def look(self):
        """Measures under load."""
        try:
            self._peak = self._peak.most(siege.use_of(self.server, pipes=True))
        except (OSError, AttributeError):
            pass  # the process has just ended, after an upgrade

    def rest(self, since):
        """Measures when all clients are gone, and the old processes with them."""
        server = self.server
        server.wait_for_old_processes()
        server.settle()
        use = self._calm()
        everything = server.numbers()
        for before, numbers in zip([None, *everything], everything):
            self._wrong(balance.of_process(numbers, before))
        sent, received = (getattr(self.churn.flow, way) + getattr(self.attackers, way)
                          for way in ("sent", "received"))
        through = sum(map(balance.forwarded, everything))
        sessions = sum(map(balance.sessions, everything))
        self._wrong(balance.of_bytes(sent, received, through,
                                     attackers.GREETING_BYTES * sessions))
        self.rows.append({
            "site": self.name, "seconds": round(time.monotonic() - since, 1), "pid": server.pid,
            "rss_kib": use.rss // 1024, "peak_rss_kib": self._peak.rss // 1024,
            "sockets": use.sockets, "descriptors": use.others, "pipes": use.pipes,
            "kernel": use.kernel, "peak_kernel": self._peak.kernel,
            "processes": len(server.generations), "reloads": server.reloads,
            "rounds": sum(self.churn.counts.values()),
            "attacks": sum(self.attackers.counts.values()),
            "accepted": sum(map(balance.accepted, everything)),
            "closed": sum(map(balance.closed, everything)), "sessions": sessions,
            "sent": sent, "received": received, "forwarded": through,
        })
        self._peak = siege.Use()

    def _wrong(self, complaints):
        self.server.wrong += [one for one in complaints if one not in self.server.wrong]

    def _calm(self):
        """What is held once that changes no more."""
        server, deadline = self.server, Deadline(2 * self.load.timeout_s + 30 * SLOWNESS)
        wait_for(lambda: siege.use_of(server).sockets <= self.base.sockets,
                 lambda: f"{self.base.sockets} sockets; there are {siege.use_of(server)}",
                 deadline)
        wait_for(self._without_clients, "all connections to be closed", deadline)
        last = siege.use_of(server, pipes=True)
        deadline = Deadline(4 * SLOWNESS)
        while not deadline.passed():
            pace(1.1)  # the server gives memory back every second
            now = siege.use_of(server, pipes=True)
            if now.rss >= last.rss:
                break
            last = now
        return siege.use_of(server, pipes=True)

    def _without_clients(self):
        running = self.server.numbers()[-1]
        return balance.accepted(running) == balance.closed(running)

    @property
    def errors(self):
        return self.churn.errors + self.attackers.errors + self.server.wrong


def soak(sites, seconds, cycle, say=lambda text: None, keep=lambda rows: None):
    """Runs cycles of load and rest, enough of them for a trend; what went wrong is in the errors
    of the sites."""
    since = time.monotonic()
    while time.monotonic() - since < seconds or len(sites[0].rows) < report.LEAST:
        ends = [site.begin(cycle) for site in sites]
        until = time.monotonic() + cycle
        while time.monotonic() < until:
            pace(min(5, max(0.05, until - time.monotonic())))
            for site in sites:
                site.look()
        for end in ends:
            end()
        for site in sites:
            try:
                site.rest(since)
                say(" ".join(f"{name}={value}" for name, value in site.rows[-1].items()))
            except AssertionError as error:  # no measurement this time
                site.server.wrong.append(str(error))
            for error in site.errors:
                say(f"WRONG: {error}")
            assert len(site.errors) < MOST_ERRORS, site.errors
        keep([row for site in sites for row in site.rows])


def write_rows(path, rows):
    if not rows:
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def judge(folder, readme):
    rows = report.read_rows(folder / "rows.csv")
    errors = folder / "errors.txt"  # not yet there while it runs
    wrong = errors.read_text().splitlines() if errors.exists() else []
    verdict = report.verdict(rows)
    text = report.table(rows)
    print(text)
    (folder / "soak.svg").write_text(report.draw(rows))
    if readme:
        report.write_readme(text, report.draw(rows))
    for line in wrong + verdict:
        print(f"WRONG: {line}")
    print("FAILED" if wrong or verdict else "All is flat, and the counters balance.")
    return 1 if wrong or verdict else 0


def run(folder, seconds, args):
    keys = certificates.make(name="strelaysrv").write(folder / "keys")
    # In a long run a busy machine may let a client wait for long.
    load = Load(timeout_s=max(15, Load.timeout_s) if seconds > 300 else Load.timeout_s,
                rounds_per_second=args.rate)
    sites = []
    try:
        for name, upgrades in (("upgraded", True), ("lasting", False)):
            sites.append(Site(name, Program("ours"), folder / name, keys, load,
                              args.seed + 1000 * upgrades, upgrades))
        soak(sites, seconds, args.cycle, lambda text: print(text, flush=True),
             lambda rows: write_rows(folder / "rows.csv", rows))
    finally:
        errors = [f"{site.name}: {error}" for site in sites for error in site.errors]
        for site in sites:
            try:
                site.server.finish()
            except AssertionError as error:
                errors.append(f"{site.name}: {error}")
        (folder / "errors.txt").write_text("".join(f"{e!r}\n" for e in errors))
        (folder / "counts.csv").write_text("".join(
            f"{site.name},{kind},{name},{count}\n" for site in sites
            for kind, counts in (("round", site.churn.counts), ("attack", site.attackers.counts))
            for name, count in counts.most_common()))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hours", type=float, help="instead of --seconds")
    parser.add_argument("--cycle", type=float, default=0,
                        help="seconds between two measurements; 0: a minute, or less if short")
    parser.add_argument("--rate", type=float, default=8, help="rounds of clients per second")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--out", type=pathlib.Path, help="a new folder for what was measured")
    parser.add_argument("--judge", type=pathlib.Path, help="the folder of an earlier run")
    parser.add_argument("--readme", action="store_true", help="also write the README's table")
    args = parser.parse_args()
    args.seconds = args.hours * 3600 if args.hours else args.seconds
    args.cycle = args.cycle or min(50, args.seconds / 6)
    return args


def main():
    args = arguments()
    if args.judge:
        return judge(args.judge, args.readme)
    print(f"seed {args.seed}, {args.seconds:.0f} s", flush=True)
    if args.out:
        args.out.mkdir(parents=True)
        run(args.out, args.seconds, args)
        return judge(args.out, args.readme)
    with tempfile.TemporaryDirectory() as folder:
        run(pathlib.Path(folder), args.seconds, args)
        return judge(pathlib.Path(folder), args.readme)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
