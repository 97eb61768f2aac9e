# SPDX-License-Identifier: MPL-2.0
"""A reload during which one allocation fails.  Either the whole new configuration is in force, or
the whole old one, and the log says which and why.  FAULTS_ALL=1 tests every allocation instead of a
sample."""

import os
import signal

import pytest

import device_id
import exposition
import faults
import relay_protocol as rp
from relay_client import Closed, ProtocolConnection
from relay_server import free_port
from waiting import Deadline, wait_for

pytestmark = pytest.mark.skipif(
    faults.sanitized(), reason="sanitizers bring their own memory functions")

SEED = 28
MOST = 110
#: Ports of pools that are never contacted, because the relay has a token.
POOLS = {"a": "127.0.0.1:7", "b": "127.0.0.1:9"}
#: Loopback addresses that `bounds` exempts.
EXEMPT = {"a": "127.0.7.1", "b": "127.0.7.2"}


def reload(server, fault, number, thread=None):
    """Reloads while that allocation of the control thread fails; returns whether it succeeded, and
    its log."""
    fault.begin(faults.MEMORY, number, thread=thread or server.pid)
    done, log = server.reload()
    fault.end()
    assert "as before" not in log, f"allocation {number}: a module keeps a part:\n{log}"
    if not done:
        reasons = log.replace("error core: not reloaded", "")
        assert " error " in reasons, f"allocation {number}: no reason is given:\n{log}"
    return done, log


def count_allocations(server, fault):
    fault.begin(faults.MEMORY, thread=server.pid)
    assert server.reload()[0]
    return fault.end()


class Relay:
    """A relay with a token and all modules whose options the test changes."""

    def __init__(self, folder, identities):
        self.conf = folder / "whole.conf"
        self.folder = folder
        self.joining = identities[0]
        self.denied = {"a": identities[1], "b": identities[2]}
        self.server = None

    def write(self, which):
        rate = {"a": 1, "b": 2}[which]
        weighted = device_id.to_text(self.denied[which].id)
        self.conf.write_text(
            "modules = { log, bounds, access, relay, rate-limit, quota, pool-join, prometheus,"
            f' status }}\n'
            f'bounds {{\n per-source = 1\n exempt = {{ "127.0.0.1", "{EXEMPT[which]}" }}\n}}\n'
            f'access {{\n join-deny = {{ "{weighted}" }}\n}}\n'
            f'relay {{\n token = "token-{which}"\n provided-by = "provider-{which}"\n}}\n'
            f'rate-limit {{\n global = {rate}GB/s\n weights = {{ "{weighted}={rate + 1}" }}\n}}\n'
            f'quota {{\n state-required = no\n day = {rate}TB\n state-file = "{self.folder}/{which}.state"\n}}\n'
            f'pool-join {{\n pools = {{ "http://{POOLS[which]}/" }}\n}}\n')

    def joins(self, identity, token, source=None):
        try:
            with ProtocolConnection(self.server.address, identity, source=source) as client:
                return client.ask(rp.JoinRelayRequest(token)) == rp.response(rp.SUCCESS)
        except (Closed, OSError):
            return False

    def joins_beside_another(self, token, source):
        try:
            # The first connection counts from the end of its handshake, whichever worker has it.
            with ProtocolConnection(self.server.address, self.joining, source=source):
                return self.joins(self.joining, token, source)
        except (Closed, OSError):
            return False

    def in_force(self):
        """Which options are in force: {module: "a" or "b"}."""
        metrics = exposition.parse(self.server.get("/metrics")[2].decode())

        def value(name, **labels):
            return metrics[name].samples[name, tuple(labels.items())]

        by_number = {1: "a", 2: "b"}
        found = {
            "relay": "a" if self.joins(self.joining, "token-a") else "b",
            "relay's name": self.server.status()["options"]["provided-by"][-1],
            "rate-limit": by_number[value(
                "strelaysrv_rate_limit_global_rate_bytes_per_second") // 10 ** 9],
            "quota": by_number[value("strelaysrv_quota_cap_bytes", period="day") // 10 ** 12],
        }
        token = f"token-{found['relay']}"
        found["access"] = "b" if self.joins(self.denied["a"], token) else "a"
        found["bounds"] = "a" if self.joins_beside_another(token, EXEMPT["a"]) else "b"
        [labels] = [dict(labels)["pool"]
                    for _, labels in metrics["strelaysrv_pool_join_state"].samples]
        found["pool-join"] = {text: which for which, text in POOLS.items()}[labels]
        assert sum(metrics["strelaysrv_pool_join_pools"].samples.values()) == 1
        return found


def test_all_or_nothing_whatever_allocation_fails(start, our_program, tmp_path, identities):
    fault = faults.Faults(tmp_path)
    relay = Relay(tmp_path, identities)
    relay.write("a")
    server = relay.server = start(our_program, "-conf", relay.conf, env=fault.environment,
                                  pools=None)
    relay.write("b")
    count = count_allocations(server, fault)
    assert set(relay.in_force().values()) == {"b"}, relay.in_force()
    now, refused, modules = "b", 0, set()
    for number in faults.sample(count, MOST, SEED):
        other = "b" if now == "a" else "a"
        relay.write(other)
        done, log = reload(server, fault, number)
        now = other if done else now
        found = relay.in_force()
        assert set(found.values()) == {now}, \
            f"allocation {number}, reloaded: {done}: {found}\n{log}"
        if not done:
            refused += 1
            modules.update(line.split("error core: module ")[1].split(":")[0]
                           for line in log.splitlines() if "error core: module " in line)
    assert refused
    other = "b" if now == "a" else "a"
    relay.write(other)
    assert server.reload()[0]
    assert set(relay.in_force().values()) == {other}
    if os.environ.get("FAULTS_ALL"):
        assert {"bounds", "access", "relay", "rate-limit", "pool-join"} <= modules, modules


def test_a_refusal_of_one_module_stops_all_others(start, our_program, tmp_path, identities):
    """Without a fault: quota refuses because its state file is a directory, so no module may
    change."""
    relay = Relay(tmp_path, identities)
    relay.write("a")
    server = relay.server = start(our_program, "-conf", relay.conf, pools=None)
    relay.write("b")
    (tmp_path / "b.state").mkdir()
    done, log = server.reload()
    assert not done and f"error core: module quota: {tmp_path}/b.state is a directory" in log, log
    assert set(relay.in_force().values()) == {"a"}
    assert not (tmp_path / "b.state.new").exists()
    (tmp_path / "b.state").rmdir()
    assert server.reload()[0]
    assert set(relay.in_force().values()) == {"b"}


@pytest.mark.parametrize("kind", [faults.MEMORY, faults.OPEN], ids=["memory", "open"])
def test_the_log_goes_to_one_place_or_the_other(start, our_program, tmp_path, kind):
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "log.conf"
    files = [tmp_path / "a.log", tmp_path / "b.log"]

    def write(which):
        conf.write_text(f'modules = {{ log, relay, status }}\n'
                        f'log {{\n target = file\n file = "{files[which]}"\n}}\n')

    def told(number):
        """How many reloads have ended, and whether the last one succeeded."""
        lines = [line for line in files[number].read_text().splitlines()
                 if " core: reloaded" in line or " core: not reloaded" in line] \
            if files[number].exists() else []
        return len(lines), bool(lines) and " core: reloaded" in lines[-1]

    def reload_file(number):
        before = [told(0)[0], told(1)[0]]
        fault.begin(kind, number, thread=server.pid)
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: [told(0)[0], told(1)[0]] != before, "the end of the reload")
        count = fault.end()
        where = int(told(1)[0] != before[1])
        return where, told(where)[1], count

    write(0)
    port, status = free_port(), free_port()
    server = start(our_program, "-conf", conf, env=fault.environment,
                   listen=f"127.0.0.1:{port}", status=f"127.0.0.1:{status}", wait=False)
    wait_for(lambda: files[0].exists() and "ready, with" in files[0].read_text(), "the log")
    write(1)
    now, done, count = reload_file(0)
    assert (now, done) == (1, True)
    refused = 0
    for number in faults.sample(count, 40, SEED):
        write(1 - now)
        where, done, _ = reload_file(number)
        assert where == (1 - now if done else now), f"allocation {number}: done {done}"
        now = where
        refused += not done
    assert refused


def test_nat_begins_or_does_not(start, our_program, tmp_path):
    """The reload makes a thread for each address family, which starts working after the commit."""
    fault = faults.Faults(tmp_path)
    conf = tmp_path / "nat.conf"
    port = free_port()

    def write(enabled, name="x"):
        conf.write_text(
            f'listen = "0.0.0.0:{port}"\nmodules = {{ log, relay, nat, status }}\n'
            f'relay {{\n provided-by = "{name}"\n}}\n'
            f'nat {{\n enabled = {enabled}\n gateway = {{ "127.0.0.1" }}\n timeout = 1s\n}}\n')

    def threads():
        return len(os.listdir(f"/proc/{server.pid}/task"))

    write("no")
    server = start(our_program, "-conf", conf, env=fault.environment, listen=None)
    without = threads()
    write("yes")
    count = count_allocations(server, fault)
    wait_for(lambda: threads() > without, "a thread for the gateway")
    refused = 0
    for number in faults.sample(count, 24, SEED):
        write("no")
        assert server.reload()[0]
        wait_for(lambda: threads() == without, lambda: f"{threads()} threads, not {without}",
                 Deadline(60))
        write("yes", f"n{number}")
        done, log = reload(server, fault, number)
        assert "maps no port" not in log or not done, log
        assert server.status()["options"]["provided-by"] == (f"n{number}" if done else "x"), log
        if done:
            wait_for(lambda: threads() > without, "a thread for the gateway")
        else:
            wait_for(lambda: threads() == without, "no thread for the gateway", Deadline(60))
        refused += not done
    assert refused


def test_a_csv_file_that_memory_is_short_for_is_closed(start, our_program, tmp_path):
    fault = faults.Faults(tmp_path)
    conf, table = tmp_path / "csv.conf", tmp_path / "relay.csv"
    conf.write_text("modules = { log, csv-exporter, relay, status }\n"
                    f'csv-exporter {{\n file = "{table}"\n interval = 1s\n}}\n')
    server = start(our_program, "-conf", conf, env=fault.environment)
    wait_for(table.exists, "the first lines")

    def held():
        return [fd for fd in os.scandir(f"/proc/{server.pid}/fd")
                if os.path.realpath(fd.path) == str(table)]

    fault.begin(faults.MEMORY, 1, length=None, thread=server.pid)
    wait_for(lambda: f"{table}: out of memory" in server.log(), server.log)
    fault.end()
    wait_for(lambda: not held(), "the end of the round")
