# SPDX-License-Identifier: MPL-2.0
"""The measurements: the commands of the load generator, and the row of each figure."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import typing

from subjects import PATIENCE, Failed, die_with_parent


class Target(typing.NamedTuple):
    """The server under load, and the options that name it."""

    name: str
    options: list


class Load:
    """The load generator, with the durations and sizes of its runs."""

    def __init__(self, program, scale, results):
        self.program = str(program)
        self.prefix = ()
        self.scale = scale
        self.results = results
        self.foreign = []  # share of the CPUs that others used meanwhile
        self.cpus = len(os.sched_getaffinity(0))

    @contextlib.contextmanager
    def on_cpu(self, cpu):
        """The load has this CPU only, meanwhile."""
        self.prefix = ("taskset", "-c", str(cpu))
        try:
            yield
        finally:
            self.prefix = ()

    def _command(self, command, target, options):
        line = [*self.prefix, self.program, command, *target.options]
        for name, value in options.items():
            if value is True:
                line.append(f"--{name}")
            elif value is not None and value is not False:
                line += [f"--{name}", str(value)]
        return line

    def run(self, command, target, expect=(0,), alone=True, **options):
        """Runs the load generator; returns its report.  Failures other than those of set-ups make
        figures invalid, so they are recorded.

        alone: no other process of the comparison uses the CPUs meanwhile."""
        options = {name.replace("_", "-"): value for name, value in options.items()}
        line = self._command(command, target, options)
        done = subprocess.run(line, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise Failed(f"{' '.join(line)}: {done.stderr}") from None
        if done.returncode not in expect:
            self.results.notes.append(
                f"{target.name}, {command} {options}: {report['failures']} failures, "
                f"{report['failures_by']}")
        if "seconds" not in report:
            raise Failed(f"{' '.join(line)}: no figures: {report}, {done.stderr}")
        if alone:
            self._watch(report)
        return report

    def _watch(self, report):
        """Records the CPU time that neither the load nor the server used."""
        if report["seconds"] < 0.25:
            return
        foreign = report["system_cpu_s"] - report["own_cpu_s"] - report.get("server_cpu_s", 0)
        self.foreign.append(max(0.0, foreign) / report["seconds"] / self.cpus)

    @contextlib.contextmanager
    def held(self, target, **options):
        """Keeps devices and silent connections while the block runs; yields the joins' report."""
        line = self._command("idle", target, {"limit": 120, **options})
        process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_parent)
        try:
            text = process.stdout.readline()
            if not text:
                raise Failed(f"{' '.join(line)} ended")
            report = json.loads(text)
            if report["failures"]:
                self.results.notes.append(
                    f"{target.name}, idle {options}: {report['failures']} failures, "
                    f"{report['failures_by']}")
            yield report
        finally:
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def relay_target(server):
    return Target(server.name, [
        "--relay", f"127.0.0.1:{server.port}", "--server-pid", str(server.pid)])


def bulk(load, key, subject, target, **options):
    r = load.run("throughput", target, seconds=load.scale.window, **options)
    add = load.results.add
    add(f"{key}.rate", subject, r["gib_per_s"])
    if r["gib"] and "server_cpu_s" in r:
        add(f"{key}.cpu", subject, r["server_cpu_s"] / r["gib"])
    if r["gib"]:
        add(f"{key}.system", subject, r["system_cpu_s"] / r["gib"])
    return r


def bulk64(load, subject, target, fresh):
    """The first load on a server shows the memory of sessions.

    The handshakes before them leave some memory, which is freed later."""
    r = bulk(load, "bulk64", subject, target, sessions=64, warmup=load.scale.warmup64)
    load.results.add("bulk64.fairness", subject, r["fairness"])
    load.results.add("bulk64.kernel", subject, r["kernel_tcp_kib"] / 1024)
    if fresh is not None:
        load.results.add("bulk64.rss", subject, (r["server_rss_kib"] - fresh) / 64)


def pingpong(load, subject, target):
    add = load.results.add
    r = load.run("pingpong", target, sessions=100, seconds=load.scale.window)
    add("pingpong100.rate", subject, r["per_s"])
    add("pingpong100.p50", subject, r["round_trip_p50_us"])
    add("pingpong100.p99", subject, r["round_trip_p99_us"])


def pinned(load, subject, target):
    """The relay and the load have a CPU each, as the caller has bound them."""
    bulk(load, "pinned1", subject, target, sessions=1)
    bulk(load, "pinned64", subject, target, sessions=64)
    r = load.run("pingpong", target, sessions=100, seconds=load.scale.window)
    load.results.add("pinned100.rate", subject, r["per_s"])
    load.results.add("pinned100.p99", subject, r["round_trip_p99_us"])


def uneven(load, subject, target):
    """4 of 16 sessions carry bulk: those that one thread of the server serves, and then as many
    threads as there are.  The two follow each other, so that drifts of the machine cancel out."""
    rates = {}
    for key in ("gathered", "spread"):
        r = load.run("throughput", target, sessions=4 * 4, heavy=4, spread=key == "spread",
                     seconds=load.scale.window)
        rates[key] = r["gib_per_s"]
        load.results.add(f"{key}.rate", subject, r["gib_per_s"])
        if "server_cpu_s" in r:
            load.results.add(f"{key}.balance", subject, r["thread_balance"])
    if rates["spread"]:
        load.results.add("uneven.ratio", subject, rates["gathered"] / rates["spread"])


def by_sessions(load, subject, target, count):
    options = {"sessions": count, "seconds": load.scale.window / 2, "parallel": 64}
    r = load.run("throughput", target, **options)
    load.results.add(f"sessions{count}.rate", subject, r["gib_per_s"])
    if "server_cpu_s" in r and r["gib"]:
        load.results.add(f"sessions{count}.cpu", subject, r["server_cpu_s"] / r["gib"])
    r = load.run("pingpong", target, **options)
    load.results.add(f"sessions{count}.p99", subject, r["round_trip_p99_us"])


def pingpong_alone(load, subject, target):
    add = load.results.add
    r = load.run("pingpong", target, sessions=1, seconds=load.scale.window)
    add("pingpong1.p50", subject, r["round_trip_p50_us"])
    if "server_cpu_s" in r and r["round_trips"]:
        add("pingpong1.cpu", subject, r["server_cpu_s"] / r["round_trips"] * 1e6)


def pingpong_beside_bulk(load, subject, target):
    r = load.run("pingpong", target, sessions=10, bulk=8, seconds=load.scale.window)
    load.results.add("beside8.p99", subject, r["round_trip_p99_us"])
    load.results.add("beside8.bulk", subject, r["bulk_gib_per_s"])


def setups(load, key, subject, target, count, parallel):
    r = load.run("setups", target, count=count, parallel=parallel)
    if r["done"]:
        load.results.add(f"{key}.cpu", subject, r["server_cpu_s"] / r["done"] * 1e3)


def setups_at_once(load, subject, target):
    r = load.run("setups", target, expect=(0, 1), count=load.scale.setups, parallel=1,
                 both_at_once=True)
    load.results.add("atonce.failed", subject, 100 * (r["count"] - r["done"]) / r["count"])


def storm(load, subject, server):
    """All devices reconnect, and then stay, which shows their memory."""
    devices = load.scale.devices
    before = server.settled_rss_kib()
    with load.held(relay_target(server), devices=devices, parallel=256) as r:
        add = load.results.add
        add("storm.failed", subject, devices - r["joined"])
        if r["joined"]:
            add("storm.rate", subject, r["per_s"])
            add("storm.cpu", subject, r["server_cpu_s"] / r["joined"] * 1e3)
            add("storm.slowest", subject, r["join_max_us"] / 1e3)
            add("device.rss", subject, (server.settled_rss_kib() - before) / r["joined"])


def module_figures(load, server):
    target = relay_target(server)
    carried = load.run("throughput", target, sessions=8, warmup=0.2,
                       seconds=load.scale.cost_window)
    made = load.run("setups", target, count=load.scale.setups // 2, parallel=16)
    return {"rate": carried["gib_per_s"], "cpu": carried["server_cpu_s"] / carried["gib"],
            "setup": made["server_cpu_s"] / made["done"]}


def module_cost(load, name, server, without):
    """The cost of a module that limits nothing: figures with it, divided by those without.

    The two are measured in pairs, in changing order, so that drifts of the machine cancel out."""
    for order in ((without, server), (server, without)):
        figures = {which: module_figures(load, which) for which in order}
        for figure, value in figures[server].items():
            load.results.add(f"cost.{name}.{figure}", "ours", value / figures[without][figure])


def rate_accuracy(load, limits):
    """By how much the rate of limited sessions differs from their limit; all limits run at the same
    time.

    limits: for each key the server, the limit for its 4 sessions together, and options."""
    def one(key, server, limit):
        r = load.run("throughput", relay_target(server), alone=False, warmup=1, sessions=4,
                     seconds=load.scale.rate_window)
        rate = r["gib"] * 2**30 / r["seconds"]
        load.results.add(f"limit.{key}", "ours", abs(rate / limit - 1) * 100)
        load.results.add(f"limit.{key}.fairness", "ours", r["fairness"])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for run in [pool.submit(one, *limit) for limit in limits]:
            run.result()


def joins(load, key, subject, target, **options):
    r = load.run("joins", target, devices=load.scale.few_devices, parallel=64,
                 **options)
    if r["joined"]:
        load.results.add(f"{key}.cpu", subject, r["server_cpu_s"] / r["joined"] * 1e3)
        load.results.add(f"{key}.rate", subject, r["per_s"])


def behind_haproxy(load, key, subject, relay, haproxy):
    """Bulk and joins of clients that connect to haproxy; the CPU is the relay's."""
    fronted = Target(subject, [
        "--relay", f"127.0.0.1:{haproxy.port}", "--server-pid", str(relay.pid)])
    # What haproxy takes would count as that of others.
    bulk(load, f"{key}8", subject, fronted, alone=False, sessions=8)
    joins(load, f"{key}.join", subject, fronted, alone=False)


def _ask_transit(port, number):
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    client.sendall(b"please relay %064d\n" % number)
    return client


def _answered(client):
    if client.recv(3) != b"ok\n":
        raise Failed("a client of a transit relay got no ok")


def transit(load, subject, server):
    """Bulk, as much as through sessions of Syncthing's protocol, and clients that wait."""
    target = Target(subject, ["--transit-port", str(server.port), "--server-pid", str(server.pid)])
    for sessions in (1, 8):
        bulk(load, f"transit{sessions}", subject, target, sessions=sessions)
    count, add = load.scale.waiting, load.results.add
    with contextlib.ExitStack() as stack:
        before = server.settled_rss_kib()
        first = [stack.enter_context(_ask_transit(server.port, number)) for number in range(count)]
        add("transit.rss", subject, (server.settled_rss_kib() - before) / count)
        begin, cpu = time.monotonic(), server.cpu_seconds()
        for number, waiting in enumerate(first):
            other = stack.enter_context(_ask_transit(server.port, number))
            _answered(waiting)
            _answered(other)
        add("transit.rate", subject, count / (time.monotonic() - begin))
        add("transit.cpu", subject, (server.cpu_seconds() - cpu) / count * 1e3)


def idle_cpu(load, subject, server):
    """Measured over whole ping intervals, so that every device gets the same number of pings;
    converted to an interval of one minute."""
    interval = load.scale.idle_interval
    target = relay_target(server)
    with load.held(target, devices=load.scale.devices, parallel=256) as r:
        if not r["joined"]:
            return
        end = time.monotonic()
        for _ in range(load.scale.idle_windows):
            begin_cpu, end = server.cpu_seconds(), end + interval
            time.sleep(max(0.0, end - time.monotonic()))
            spent = server.cpu_seconds() - begin_cpu
            load.results.add("idle.cpu", subject, spent * 1e3 / 60)


def silent(load, subject, server, connections, tries):
    """How long a good client takes to join, without and with silent connections."""
    target = relay_target(server)
    options = {"parallel": 1, "client_timeout": 60}
    without = load.run("joins", target, devices=30, **options)["join_p50_us"]
    with load.held(target, devices=0, silent=connections):
        among = load.run("joins", target, devices=tries, **options)["join_p50_us"]
    load.results.add("silent.ratio", subject, among / without)
    load.results.add("silent.time", subject, among / 1e3)


#: JoinSessionRequest with an unknown key; the answer is Response 1.
_QUESTION = bytes.fromhex("9e79bc40000000030000000c00000008") + b"nosuchky"


def start_time(load, stage, subject, keys, port):
    """The time from before the fork until the first connection is answered."""
    begin = time.monotonic()
    with stage.relay(subject, keys=keys, port=port) as server:
        end = begin + PATIENCE
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
                    sock.sendall(_QUESTION)
                    if sock.recv(12)[:4] == _QUESTION[:4]:
                        load.results.add(
                            "start.time", subject, (time.monotonic() - begin) * 1e3)
                        return
            except ConnectionError:
                if server.process.poll() is not None:
                    raise Failed(f"{subject} ended: {server.log.read_text()}") from None
                time.sleep(0.0002)
    raise Failed(f"{subject} does not answer")


def size(load, stage, build):
    """The size of stripped copies of the program and its installed modules."""
    files = {
        "ours": [stage.programs["ours"], *sorted((build / "modules").glob("*.so"))],
        "reference": [stage.programs["reference"]],
    }
    for subject, paths in files.items():
        total = 0
        for path in paths:
            copy = stage.folder / "stripped"
            shutil.copyfile(path, copy)
            subprocess.run(["strip", str(copy)], check=True, capture_output=True)
            total += copy.stat().st_size
        load.results.add("size", subject, total / 1e6)

