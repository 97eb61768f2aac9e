# SPDX-License-Identifier: MPL-2.0
"""Relays over simulated networks, in turn, and the table; started by networks.sh."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "networks"))

import cells  # noqa: E402
import network  # noqa: E402
import plot  # noqa: E402
import rows  # noqa: E402
import subjects  # noqa: E402

#: In namespaces of our own any port is free.
PORT, BACKEND = 22067, 4001
CONTROLS = ("cubic", "bbr")
TITLE = "Syncthing relays over simulated networks"

#: Latency that ours may add to that of no relay beside bulk: this share of what the reference adds,
#: where that is more than 5 ms, or else 1 ms.
LATENCY_SHARE, LATENCY_FLOOR_MS, LATENCY_MOST_MS = 0.5, 5, 1
THROUGHPUT = 0.97

#: Key, title, unit, whether more is better, whether it is drawn.
FIGURES = (
    ("rate", "throughput", "Mbit/s", True, True),
    ("other", "round trip of 64 B in another session", "ms", False, False),
    ("same", "until bulk bytes arrive, from the write", "ms", False, True),
    ("setup", "set-up of the first session, to its first byte", "ms", False, False),
    ("cpu", "relay CPU", "s/GiB", False, False),
    ("kernel", "kernel memory of the relay's sockets, most", "MiB", False, False),
    ("rss", "memory of the relay's process, beyond idle", "KiB", False, False),
    ("stalled", "kernel memory of the relay's sockets, readers stopped", "MiB", False, False),
)


class Bench:
    def __init__(self, build, args):
        self.build = build
        self.args = args
        self.emulator = build / "tests" / "bench" / "link-emulator"
        self.load = str(build / "tests" / "bench" / "relay-load")
        self.stage = subjects.Stage(build, ours=args.ours)
        self.results = rows.Results()
        self.measured = {}  # by cell and control: how many counted, and all
        self.late_us = []
        self.priority = ""
        self.variants = dict(text.split("=", 1) for text in args.variant)
        self.subjects = [s for s in (*rows.SUBJECTS, *self.variants)
                         if not args.subjects or s in args.subjects]

    def _command(self, subject):
        if subject == "haproxy":
            return self._haproxy()
        program = self.stage.programs["reference" if subject == "reference" else "ours"]
        flags = self.variants.get(subject, "").split()
        if flags and flags[0].startswith("/"):
            program = flags.pop(0)
        return [program, "-pools=", "-keys", str(self.stage.keys(subject)),
                "-listen", f"{network.RELAY}:{PORT}", "-status-srv", "127.0.0.1:0", *flags]

    def _haproxy(self):
        configuration = self.stage.folder / "network.cfg"
        configuration.write_text(subjects.proxy_configuration(
            f"{network.RELAY}:{PORT}", f"{network.SERVER}:{BACKEND}"))
        return ["/usr/sbin/haproxy", "-db", "-f", str(configuration)]

    def _serve(self, subject, net):
        server = subjects.Server(subject, [*net.prefix("relay"), *self._command(subject)],
                                 self.stage.folder / f"{subject}.log")
        return server.wait_until_serving(lambda: self._listens(net))

    @staticmethod
    def _listens(net):
        done = subprocess.run([*net.prefix("relay"), "ss", "-tlnH"], capture_output=True, text=True,
                              check=True)
        return f"{network.RELAY}:{PORT} " in done.stdout

    def _options(self, subject, net, server):
        options = ["--client-net", str(net.file("client")), "--server-net", str(net.file("server")),
                   "--warmup", str(self.args.warmup), "--seconds", str(self.args.seconds)]
        # A stall begins while bulk flows; a relay may let a second session wait before that.
        options += ["--sessions", str(self.args.bulk)] if self.args.stall else \
            ["--sessions", "1", "--bulk", str(self.args.bulk)]
        if subject == "direct":
            return [*options, "--connect-direct", "--own-host", network.SERVER]
        options += ["--server-pid", str(server.pid)]
        if subject == "haproxy":
            return [*options, "--proxy-host", network.RELAY, "--tcp-port", str(PORT),
                    "--own-host", network.SERVER, "--backend-port", str(BACKEND)]
        return [*options, "--relay", f"{network.RELAY}:{PORT}"]

    def _load(self, options, net):
        """Runs the load generator; returns its report and the most kernel memory."""
        command = "throughput" if self.args.stall else "pingpong"
        process = subprocess.Popen([self.load, command, *options], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                                   preexec_fn=subjects.die_with_parent)
        most, begin = 0.0, time.monotonic()
        while True:
            try:
                out, errors = process.communicate(timeout=0.4)
                break
            except subprocess.TimeoutExpired:
                most = max(most, net.relay_memory_kib())
            if self.args.stall and time.monotonic() - begin > self.args.warmup:
                return None, self._stall(process, net)
        report = json.loads(out) if out else {}
        if "seconds" not in report or report["failures"]:
            raise subjects.Failed(f"{report} {errors}")
        return report, most

    def _stall(self, process, net):
        """Both ends stop where they are; what their kernels have in flight still arrives.  The
        kernel memory of the relay after that time."""
        try:
            process.send_signal(signal.SIGSTOP)
            time.sleep(self.args.stall)
            return net.relay_memory_kib()
        finally:
            process.kill()
            process.communicate()

    def _add(self, key, subject, report, kernel_kib):
        add = self.results.add
        add(f"{key}.rate", subject, report["bulk_gib_per_s"] * 2**30 * 8 / 1e6)
        add(f"{key}.other", subject, report["round_trip_p50_us"] / 1e3)
        add(f"{key}.same", subject, report["bulk_delay_p50_us"] / 1e3)
        add(f"{key}.setup", subject, report["first_setup_us"] / 1e3)
        if subject == "direct":
            return
        gib = report["bulk_gib_per_s"] * report["seconds"]
        if gib:
            add(f"{key}.cpu", subject, report["server_cpu_s"] / gib)
        add(f"{key}.kernel", subject, kernel_kib / 1024)

    def measure(self, key, subject, net):
        """True: it counts."""
        if subject == "direct":
            net.report()
            report, kernel = self._load(self._options(subject, net, None), net)
            rss = None
        else:
            with self._serve(subject, net) as server:
                idle = server.rss_kib()
                net.report()
                report, kernel = self._load(self._options(subject, net, server), net)
                rss = report["server_rss_kib"] - idle if report else None
        emulated = net.report()
        self.priority = emulated["priority"]
        self.late_us += [line["late_mean_us"] for line in emulated["lines"]]
        faults = net.faults(emulated)
        if faults:
            self.results.notes.append(f"{key}, {subject}: does not count: {'; '.join(faults)}")
            return False
        if report:
            self._add(key, subject, report, kernel)
        elif subject != "direct":
            self.results.add(f"{key}.stalled", subject, kernel / 1024)
        if rss is not None:
            self.results.add(f"{key}.rss", subject, rss)
        return True

    def cell(self, cell, control, order, seed):
        key = f"{cell.name}.{control}"
        counted, tried = self.measured.get(key, (0, 0))
        with network.Network(self.emulator, cell.client, cell.server, control, seed) as net:
            for subject in order:
                tried += 1
                try:
                    counted += self.measure(key, subject, net)
                except (subjects.Failed, OSError, subprocess.SubprocessError) as error:
                    self.results.notes.append(f"{key}, {subject}: {error}")
        self.measured[key] = counted, tried

    def run(self):
        chosen = [cell for cell in cells.CELLS
                  if (cell.short or not self.args.short) and
                  (not self.args.only or cell.name in self.args.only)]
        controls = [name for name in self.args.congestion if name in network.congestion_controls()]
        for name in self.args.congestion:
            if name not in controls:
                self.results.notes.append(f"this kernel has no {name}: not measured")
        for number in range(self.args.rounds):
            begin = time.monotonic()
            order = self.subjects if number % 2 == 0 else self.subjects[::-1]
            for cell in chosen:
                for control in controls:
                    self.cell(cell, control, order, seed=number + 1)
            print(f"round {number + 1} of {self.args.rounds}: {time.monotonic() - begin:.0f} s",
                  file=sys.stderr, flush=True)
        return [(cell, control) for cell in chosen for control in controls]


def latency_verdict(direct, ours, reference):
    """Whether ours adds little enough to the round trip without a relay; None without figures."""
    if None in (direct, ours, reference):
        return None
    added, theirs = ours - direct, reference - direct
    return added <= (LATENCY_SHARE * theirs if theirs > LATENCY_FLOOR_MS else LATENCY_MOST_MS)


def _verdict(results, key, figure):
    values = [results.median(f"{key}.{figure}", s) for s in ("direct", "ours", "reference")]
    if figure == "rate" and values[1] is not None and values[2]:
        good = values[1] / values[2] >= THROUGHPUT
    elif figure == "other":
        good = latency_verdict(*values)
    else:
        return ""
    return "" if good is None else "yes" if good else "NO"


def table(bench, measured):
    """Markdown; a row for each figure of each network."""
    lines = ["| network, TCP | figure | unit | " + " | ".join(bench.subjects) +
             " | ours/reference | ours/direct | reached |", "|---" * (6 + len(bench.subjects)) + "|"]
    for cell, control in measured:
        key = f"{cell.name}.{control}"
        counted, tried = bench.measured[key]
        off = f" (OFF: {counted} of {tried} count)" if counted < tried else ""
        if not counted:
            lines.append(f"| {cell.title}; {control}{off} |" + " |" * (5 + len(bench.subjects)))
        for name, title, unit, _, _ in FIGURES:
            if f"{key}.{name}" not in bench.results.values:
                continue
            values = {s: bench.results.median(f"{key}.{name}", s) for s in bench.subjects}
            ratios = [rows.number(values["ours"] / values[s]) + " ×"
                      if values.get("ours") is not None and values.get(s) else ""
                      for s in ("reference", "direct")]
            lines.append("| " + " | ".join([
                f"{cell.title}; {control}{off}", title, unit,
                *(rows.number(value) for value in values.values()), *ratios,
                _verdict(bench.results, key, name)]) + " |")
    return "\n".join(lines)


def median_ratio(bench, measured):
    ratios = [bench.results.ratio(f"{cell.name}.{control}.rate") for cell, control in measured]
    ratios = [ratio for ratio in ratios if ratio is not None]
    return statistics.median(ratios) if ratios else None


def drawn_rows(measured):
    return [rows.Row(f"{cell.name}.{control}.{name}", f"{cell.name}, {control}: {title.split(',')[0]}",
                     unit, more, plotted=True)
            for cell, control in measured for name, title, unit, more, drawn in FIGURES if drawn]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a Release build")
    parser.add_argument("--short", action="store_true", help="a few networks, one round")
    parser.add_argument("--rounds", type=int, help="3, or 1 with --short")
    parser.add_argument("--only", nargs="+", metavar="NETWORK",
                        help="of: " + " ".join(cell.name for cell in cells.CELLS))
    parser.add_argument("--congestion", nargs="+", default=list(CONTROLS))
    parser.add_argument("--subjects", nargs="+", help="of: " + " ".join(rows.SUBJECTS))
    parser.add_argument("--variant", nargs="+", default=[], metavar="NAME=FLAGS",
                        help="ours with these flags, or NAME=PROGRAM FLAGS, as one more subject")
    parser.add_argument("--bulk", type=int, default=1, help="bulk sessions (%(default)s)")
    parser.add_argument("--warmup", type=float, help="seconds before measuring: 4, or 2 with --short")
    parser.add_argument("--seconds", type=float, help="of measuring: 6, or 3 with --short")
    parser.add_argument("--stall", type=float, help="stop both ends of the load after the warm-up for "
                        "so many seconds, and measure only the kernel memory at the end")
    parser.add_argument("--ours", help="another program than the build's")
    args = parser.parse_args()
    for name, full, short in (("rounds", 3, 1), ("warmup", 4, 2), ("seconds", 6, 3)):
        if getattr(args, name) is None:
            setattr(args, name, short if args.short else full)
    return args


def main():
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    args = arguments()
    build = args.build.resolve()
    bench = Bench(build, args)
    reason = network.why_not(bench.emulator)
    if reason:
        sys.exit(f"networks: {reason}")
    begin = time.monotonic()
    measured = bench.run()
    machine = {"cpus": len(os.sched_getaffinity(0)), "cpu": subjects.cpu_model(),
               "kernel": os.uname().release, "date": time.strftime("%Y-%m-%d", time.gmtime()),
               "rounds": args.rounds, "seconds": round(time.monotonic() - begin),
               "emulator": bench.priority, "load": os.getloadavg()[2],
               "late_us": round(statistics.median(bench.late_us)) if bench.late_us else None}
    print("{rounds} rounds in {seconds} s on {cpus} CPUs ({cpu}), kernel {kernel}, {date}; medians; "
          "packets {late_us} µs late (median of means), priority of the emulator: {emulator}; "
          "load of the machine {load:.1f}".format(**machine), end="\n\n")
    print(table(bench, measured))
    print(f"\nthroughput, ours/reference, median of all networks: "
          f"{rows.number(median_ratio(bench, measured))} ×")
    for note in bench.results.notes:
        print(f"note: {note}")
    (build / "networks.json").write_text(json.dumps(
        {"machine": machine, "values": bench.results.values, "notes": bench.results.notes},
        indent=1) + "\n")
    drawing = build / "networks.svg"
    drawing.write_text(plot.draw(bench.results, machine, drawn_rows(measured), TITLE,
                                 ("shared with the load generator and the emulator",
                                  "tests/bench/networks.sh")))
    if not args.short and not args.only and not args.subjects:
        shutil.copyfile(drawing, HERE / "networks.svg")


if __name__ == "__main__":
    main()
