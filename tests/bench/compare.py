# SPDX-License-Identifier: MPL-2.0
"""Runs all measurements in turn, several times, and prints the table; started by compare.sh."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import measure
import plot
import plot_sessions
import rows
import subjects


@dataclasses.dataclass(frozen=True)
class Scale:
    """The size of each measurement."""

    rounds: int
    window: float  # seconds of a bulk or ping-pong run
    warmup64: float  # seconds of warm-up before 64 bulk sessions
    setups: int
    devices: int
    few_devices: int
    silent: int
    starts: int
    idle_interval: int  # seconds between pings, for the idle CPU
    idle_windows: int
    key_rounds: int  # rounds that also compare keys, relays behind haproxy, and transit relays
    sweep_rounds: int  # rounds that also measure by the number of sessions
    cost_rounds: int  # rounds that also measure modules
    cost_window: float  # seconds of a bulk run for that
    waiting: int  # clients of a transit relay that wait
    rate_window: float  # seconds over which a rate is compared with its limit


FULL = Scale(rounds=5, window=1.5, warmup64=2.5, setups=300, devices=10000, few_devices=1500,
             silent=5000, starts=5, idle_interval=10, idle_windows=3, key_rounds=3, sweep_rounds=1, cost_rounds=2,
             cost_window=0.6, waiting=2000, rate_window=10)
SHORT = Scale(rounds=1, window=0.3, warmup64=0.3, setups=60, devices=1000, few_devices=200,
              silent=500, starts=2, idle_interval=2, idle_windows=1, key_rounds=1, sweep_rounds=1, cost_rounds=1,
              cost_window=0.3, waiting=200, rate_window=1)


#: Configurations in which modules limit nothing: the modules, and their options, with FOLDER for a
#: folder.  The load comes from 127.0.0.0/8, which the module bounds exempts by default.
UNLIMITED = {
    "none": (["log", "relay", "status"], ""),
    "rate-limit": (["log", "relay", "rate-limit", "status"], ""),
    "rate-limit-high": (["log", "relay", "rate-limit", "status"],
                        "rate-limit { global = 900GB/s  per-session = 800GB/s"
                        "  per-device = 800GB/s }"),
    "quota": (["log", "quota", "relay", "status"],
              'quota { state-required = no  month = 900TB  state-file = "FOLDER/quota.state" }'),
    "access": (["log", "access", "relay", "status"],
               'access { connect-deny = { "192.0.2.0/24", "2001:db8::/32" }'
               '  join-deny = { "198.51.100.0/24" }  ask-deny = { "203.0.113.0/24" } }'),
    "bounds": (["log", "bounds", "relay", "status"], "bounds { exempt = { } }"),
}

#: The total rate of 4 sessions, and the option that sets it.
LIMITS = {
    "global": (40_000_000, "-global-rate", "40000000"),
    "session": (40_000_000, "-per-session-rate", "10000000"),
}


class Comparison:
    """One run of the script."""

    def __init__(self, build, scale, budget, ours, only):
        self.only = only
        self.build = build
        self.results = rows.Results()
        self.scale = self._within_descriptors(scale)
        self.stage = subjects.Stage(build, ours=ours)
        self.load = measure.Load(build / "tests" / "bench" / "relay-load", self.scale, self.results)
        self.end = time.monotonic() + budget
        self.rounds = 0

    def _within_descriptors(self, scale):
        most = subjects.raise_descriptor_limit() * 3 // 4
        if scale.devices <= most:
            return scale
        self.results.notes.append(f"only {most} devices: the descriptor limit is too low for more")
        return dataclasses.replace(
            scale, devices=most, silent=min(scale.silent, most), few_devices=min(
                scale.few_devices, most))

    def attempt(self, what, *args, **options):
        """Performs one measurement.  If it fails, its figure is missing and the table says why."""
        if self.only and what.__name__ not in self.only:
            return
        try:
            what(self.load, *args, **options)
        except (subjects.Failed, subprocess.SubprocessError, OSError) as error:
            self.results.notes.append(f"{what.__name__}: {error}")

    def make_keys(self):
        """Makes a P-256 key with ours and a P-384 key with the reference, which both servers
        use."""
        for kind, maker in (("p256", "ours"), ("p384", "reference")):
            with self.stage.relay(maker, keys=self.stage.keys(kind)):
                pass
        self.own = {"ours": self.stage.keys("p256"), "reference": self.stage.keys("p384")}

    @contextlib.contextmanager
    def servers(self):
        """A fresh server of each kind: the relays, and all targets of load by their names."""
        keys = self.stage.keys("p256")
        with self.stage.relay("ours", keys=keys) as ours, \
                self.stage.relay("reference", keys=keys) as reference, \
                self.stage.haproxy() as haproxy:
            yield {"ours": ours, "reference": reference}, {
                "ours": measure.relay_target(ours),
                "reference": measure.relay_target(reference),
                "haproxy": measure.Target("haproxy", [
                    "--tcp-port", str(haproxy.port), "--backend-port",
                    str(self.stage.backend_port), "--server-pid", str(haproxy.pid)]),
                "direct": measure.Target("direct", ["--connect-direct"]),
            }

    def traffic(self, order):
        """Measurements that are possible with haproxy and direct connections, too."""
        with self.servers() as (servers, targets):
            fresh = {name: server.settled_rss_kib() for name, server in servers.items()}

            def alternate(what, *args, only=rows.SUBJECTS, **options):
                for subject in order:
                    if subject in only:
                        self.attempt(what, *args, subject, targets[subject], **options)

            for subject in order:
                self.attempt(measure.bulk64, subject, targets[subject], fresh.get(subject))
            alternate(measure.bulk, "bulk1", sessions=1)
            alternate(measure.bulk, "bulk8", sessions=8)
            alternate(measure.bulk, "bulk64both", sessions=64, both_ways=True)
            alternate(measure.bulk, "small64", sessions=64, write_size=16384)
            alternate(measure.pingpong)
            alternate(measure.pingpong_alone)
            alternate(measure.pingpong_beside_bulk)
            relays = ("ours", "reference")
            alternate(measure.setups, "setups16", only=relays, count=self.scale.setups, parallel=16)
            alternate(measure.setups, "setups1", only=relays, count=self.scale.setups, parallel=1)
            alternate(measure.setups_at_once, only=relays)
            alternate(measure.uneven)

    def pinned(self, order):
        """The relay and the load have a CPU each; so has the load without a relay."""
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.results.notes.append("one CPU: none for the relay alone")
            return
        with self.stage.on_cpu(cpus[0]), self.load.on_cpu(cpus[1]), self.servers() as (_, targets):
            for subject in order:
                self.attempt(measure.pinned, subject, targets[subject])

    def by_sessions(self, order):
        with self.servers() as (_, targets):
            for count in rows.SESSIONS:
                for subject in order:
                    self.attempt(measure.by_sessions, subject, targets[subject], count)

    def relays(self, number, order):
        """Measurements of relays only, each with a newly started relay."""
        shared = self.stage.keys("p256")
        for subject in order:
            if subject not in self.own:
                continue
            with self.stage.relay(subject, keys=shared) as server:
                self.attempt(measure.storm, subject, server)
            if number < self.scale.key_rounds:
                for key, folder, options in (("p384", self.stage.keys("p384"), {"p384": True}),
                                             ("own", self.own[subject], {})):
                    with self.stage.relay(subject, keys=folder) as server:
                        self.attempt(measure.joins, key, subject, measure.relay_target(server),
                                     **options)
                        if key == "own":
                            self.own_setups(subject, server)
            with self.stage.relay(subject, keys=shared) as server:
                # Each silent connection delays the reference by a second.
                few = subject == "reference"
                self.attempt(measure.silent, subject, server,
                             3 if few else self.scale.silent, 1 if few else 30)
            for _ in range(self.scale.starts):
                self.attempt(measure.start_time, self.stage, subject, shared,
                             subjects.free_port())

    def own_setups(self, subject, server):
        """Set-ups with a key that the relay has made itself, as operators have it."""
        target = measure.relay_target(server)
        for key, parallel in (("own16", 16), ("own1", 1)):
            self.attempt(measure.setups, key, subject, target, count=self.scale.setups,
                         parallel=parallel)

    def fronts(self, order):
        """Relays behind haproxy.  Ours may be told the clients' addresses; the reference only sees
        the address of haproxy."""
        keys = self.stage.keys("p256")
        proxies = ("-proxy-listen", "127.0.0.1:0", "-proxy-from", "127.0.0.1")
        ways = {("front", "ours"): ((), ""), ("proxied", "ours"): (proxies, "send-proxy-v2"),
                ("front", "reference"): ((), ""), ("proxied", "reference"): ((), "")}
        for subject in order:
            for (key, whose), (args, option) in ways.items():
                if whose != subject:
                    continue
                with self.stage.relay(subject, *args, keys=keys) as relay, \
                        self.stage.front(relay, option) as haproxy:
                    self.attempt(measure.behind_haproxy, key, subject, relay, haproxy)

    def transits(self, order):
        """Transit relays of Magic Wormhole: ours is the same server, the reference Debian's."""
        for subject in order:
            if subject in self.own:
                with self.stage.transit(subject, self.stage.keys("p256")) as server:
                    self.attempt(measure.transit, subject, server)

    def costs(self):
        """Compares each module that limits nothing with a relay without it."""
        keys = self.stage.keys("p256")
        with self.stage.relay_with(*UNLIMITED["none"], keys=keys) as without:
            for name, (modules, options) in UNLIMITED.items():
                if name == "none":
                    continue
                with self.stage.relay_with(modules, options, keys=keys) as server:
                    self.attempt(measure.module_cost, name, server, without)

    def rates(self):
        with contextlib.ExitStack() as stack:
            self.attempt(measure.rate_accuracy, [
                (key, stack.enter_context(
                    self.stage.relay("ours", *flags, keys=self.stage.keys("p256"))), limit)
                for key, (limit, *flags) in LIMITS.items()])

    def once(self):
        """Measurements that are made once, with their own durations."""
        self.attempt(measure.size, self.stage, self.build)
        self.rates()
        interval = f"{self.scale.idle_interval}s"
        for subject in self.own:
            with self.stage.relay(subject, "-ping-interval", interval, "-network-timeout", "5m",
                                  keys=self.stage.keys("p256")) as server:
                self.attempt(measure.idle_cpu, subject, server)

    def run(self):
        begin = time.monotonic()
        self.make_keys()
        self.once()
        for number in range(self.scale.rounds):
            round_begin = time.monotonic()
            order = rows.SUBJECTS if number % 2 == 0 else rows.SUBJECTS[::-1]
            self.traffic(order)
            self.pinned(order)
            self.relays(number, order)
            if number < self.scale.key_rounds:
                self.fronts(order)
                self.transits(order)
            if number < self.scale.sweep_rounds:
                self.by_sessions(order)
            if number < self.scale.cost_rounds:
                self.costs()
            self.rounds += 1
            took = time.monotonic() - round_begin
            say(f"round {number + 1} of {self.scale.rounds}: {took:.0f} s")
            if number + 1 < self.scale.rounds and time.monotonic() + took > self.end:
                self.results.notes.append(f"ended after {self.rounds} rounds: time is up")
                break
        self.seconds = time.monotonic() - begin


def say(text):
    print(text, file=sys.stderr, flush=True)


def describe(comparison):
    """The machine and the versions, without which figures mean nothing."""
    foreign = sorted(comparison.load.foreign)
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": subjects.cpu_model(),
        "kernel": os.uname().release,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "rounds": comparison.rounds,
        "seconds": round(comparison.seconds),
        "devices": comparison.scale.devices,
        "silent": {"ours": comparison.scale.silent, "reference": 3},
        "other_load_share": round(foreign[len(foreign) // 2], 3) if foreign else None,
        "versions": {
            "ours": subjects.version_of([comparison.stage.programs["ours"], "-version"]),
            "reference": subjects.version_of([comparison.stage.programs["reference"], "-version"]),
            "haproxy": subjects.version_of(["/usr/sbin/haproxy", "-v"]),
        },
    }


def headline(machine):
    text = (f"{machine['rounds']} rounds in {machine['seconds']} s on {machine['cpus']} CPUs "
            f"({machine['cpu']}), kernel {machine['kernel']}, {machine['date']}; medians; "
            f"{machine['devices']:,} devices")
    share = machine["other_load_share"]
    if share and share > 0.05:
        text += (f"\nWARNING: other work took {share:.0%} of the CPUs meanwhile; "
                 "the figures are noisy")
    return text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a Release build")
    parser.add_argument("--short", action="store_true", help="one quick round")
    parser.add_argument("--rounds", type=int, help="instead of 5")
    parser.add_argument("--budget", type=float, default=870,
                        help="seconds after which no further round begins (%(default)s)")
    parser.add_argument("--only", nargs="+", metavar="MEASUREMENT",
                        help="some of: bulk64 bulk pingpong pingpong_alone pingpong_beside_bulk "
                             "pinned uneven by_sessions setups setups_at_once storm joins behind_haproxy transit silent start_time "
                             "size idle_cpu module_cost rate_accuracy")
    parser.add_argument("--ours", help="another program than the build's")
    return parser.parse_args()


def end_by_signal(number, _):
    """An exception, so that servers are stopped."""
    sys.exit(128 + number)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    args = arguments()
    scale = SHORT if args.short else FULL
    if args.rounds:
        scale = dataclasses.replace(scale, rounds=args.rounds)
    comparison = Comparison(args.build.resolve(), scale, args.budget, args.ours,
                            args.only)
    try:
        comparison.run()
    except (subjects.Failed, subprocess.CalledProcessError) as error:
        sys.exit(f"compare: {error}")
    machine = describe(comparison)
    results = comparison.results
    print(headline(machine), end="\n\n")
    print(rows.table(results))
    for note in results.notes:
        print(f"note: {note}")
    (args.build / "results.json").write_text(json.dumps(
        {"machine": machine, "rows": rows.as_json(results), "notes": results.notes}, indent=1)
        + "\n")
    drawing = args.build / "results.svg"
    drawing.write_text(plot.draw(results, machine))
    curves = args.build / "sessions.svg"
    curves.write_text(plot_sessions.draw(results, machine))
    if not args.short and not args.only:
        for path in (drawing, curves):
            shutil.copyfile(path, pathlib.Path(__file__).resolve().parent / path.name)


if __name__ == "__main__":
    main()
