# SPDX-License-Identifier: MPL-2.0
"""Reloads of a busy relay: no session, device or byte is lost or changed."""

import contextlib
import pathlib
import re
import signal
import threading

import pytest

import relay_protocol as rp
from pairing import Invited
from relay_client import Closed, ProtocolConnection
from reloading import reloadable  # noqa: F401
from streams import CheckedStream
from waiting import Deadline, pace, wait_for

FEW = "log, relay"
MANY = "log, bounds, access, quota, relay, rate-limit, status, prometheus, dashboard"


def conf(modules=MANY, more="", listen='"127.0.0.1:0"'):
    return (f'modules = {{ {modules} }}\nlisten = {{ {listen} }}\nstatus-srv = "127.0.0.1:0"\n'
            f"{more}")


def rate(**options):
    lines = " ".join(f"{name.replace('_', '-')} = {value}" for name, value in options.items())
    return conf(more=f"rate-limit {{ {lines} }}\n")


#: Lists of configurations; the relay starts with the first.
DIRECTIONS = {
    "modules": [conf(FEW), conf(MANY), conf("bounds, relay, log"), conf(FEW),
                conf("log, relay, rate-limit, status, csv-exporter")],
    "limits": [rate(), rate(**{"global": "200MB/s"}), rate(per_session="2MB/s"),
               rate(per_device="20MB/s", burst="20ms"), rate(per_session="500kB/s"), rate()],
    "bounds": [conf(), conf(more="bounds { per-source = 1 sessions = 1 opening = 1 }\n"),
               conf(more="max-connections = 1\n"), conf(more="quota { month = 1 state-required = no }\n"),
               conf(more='access { join-allow = { "192.0.2.0/24" } connect-deny = '
                         '{ "127.0.0.0/8" } }\n')],
    "memory": [conf(), conf(more="network-buffer = 1KiB\n"), conf(more="pipe-size = 0\n"),
               conf(more="network-buffer = 1MiB\npipe-size = 1MiB\n"),
               conf(more="network-buffer = 100\npipe-size = 64KiB\n")],
    "times": [conf(), conf(more="relay { network-timeout = 20s ping-interval = 300ms }\n"),
              conf(more="relay { network-timeout = 1h ping-interval = 30m }\n"),
              conf(more="relay { message-timeout = 100ms }\n")],
    "addresses": [conf(), conf(listen='"127.0.0.1:0", "[::1]:0"'), conf(listen='"[::1]:0"'),
                  conf(listen='"[::1]:0", "127.0.0.1:0"')],
}


class Load:
    """Sessions with random bytes in both directions, and idle devices."""

    def __init__(self, server, identities, sessions=3, idle=6):
        self._stack = contextlib.ExitStack()
        self.server = server
        self.streams = []
        self.devices = []
        for number in range(sessions):
            invited = self._stack.enter_context(
                Invited(server, identities[2 * number], identities[2 * number + 1]))
            one, other = (end.sock for end in invited.join_both())
            self.streams += [CheckedStream(one, other), CheckedStream(other, one)]
            self.devices.append(invited.target)
        for identity in identities[-idle:]:
            device = ProtocolConnection(server.address, identity)
            self.devices.append(self._stack.enter_context(device).join())

    def flows(self):
        """Waits until every stream has moved bytes again."""
        before = [stream.received for stream in self.streams]
        wait_for(lambda: all(s.received > b for s, b in zip(self.streams, before)),
                 lambda: f"bytes; the log: {self.server.log()[-8000:]}")

    def check(self):
        """Ends the streams; checks that all bytes have arrived and all devices are connected."""
        for stream in self.streams:
            stream.finish()
        for device in self.devices:
            device.check_alive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.stopped.set()
        self._stack.close()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_nobody_notices(reloadable, identities, direction):  # noqa: F811
    texts = DIRECTIONS[direction]
    relay = reloadable(texts[0])
    with Load(relay.server, identities) as load:
        for text in texts[1:] + texts[::-1]:
            done, log = relay.change(text)
            assert done, log
            load.flows()
        load.check()


def test_what_is_refused_harms_nobody(reloadable, identities):  # noqa: F811
    relay = reloadable(conf())
    with Load(relay.server, identities) as load:
        for text in ("modules = { relay, nowhere }", "listen = {", 'relay { token-file = "/none" }',
                     conf(listen='"127.0.0.1:0", "192.0.2.1:1"'), conf("log, status"), "\0",
                     conf(more="rate-limit { global = much }\n")):
            assert not relay.change(text)[0], text
            load.flows()
        load.check()


def test_two_hundred_in_quick_succession(reloadable, identities):  # noqa: F811
    """A signal during a reload causes one more reload.  No reload waits for traffic to end."""
    relay = reloadable(DIRECTIONS["modules"][0])
    # "bounds" is left out: with frequent pings, a device over a limit is soon disconnected.
    texts = [text for direction, texts in DIRECTIONS.items() if direction != "bounds"
             for text in texts]
    with Load(relay.server, identities) as load:
        for number in range(200):
            relay.write(texts[number % len(texts)])
            relay.server.send_signal(signal.SIGHUP)
        done, log = relay.change(conf())
        assert done, log
        load.flows()
        load.check()
    assert relay.server.count("core: not reloaded") == 0, relay.server.log()


@pytest.mark.limits
def test_newcomers_are_served_all_the_while(reloadable, identities):  # noqa: F811
    """Devices join and open sessions while reloads change modules, limits and addresses."""
    relay = reloadable(conf())
    stop, met, wrong = threading.Event(), [0], []

    def meet(asker, target):
        while not stop.is_set():
            try:
                with Invited(relay.server, asker, target) as invited:
                    one, other = invited.join_both()
                    one.send_bytes(b"x" * 10_000)
                    assert other.receive_bytes(10_000) == b"x" * 10_000
                met[0] += 1
            except (AssertionError, Closed, OSError) as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=meet, args=identities[2 * i:2 * i + 2]) for i in range(3)]
    address = relay.server.address
    relay.server.stay_at(address)
    for thread in threads:
        thread.start()
    texts = DIRECTIONS["modules"] + DIRECTIONS["limits"] + DIRECTIONS["memory"]
    texts += [conf(listen=f'"127.0.0.1:{address[1]}", "[::1]:0"')]
    try:
        for text in texts * 2:
            before = met[0]
            done, log = relay.change(text)
            assert done, log
            wait_for(lambda before=before: met[0] > before or wrong, "a meeting")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong, wrong


def test_a_storm_of_signals_is_one_reload_at_a_time(reloadable, identities):  # noqa: F811
    """Other events are handled between two reloads: the status page answers, and the reloads
    end."""
    relay = reloadable(conf())
    with Load(relay.server, identities, sessions=1, idle=2) as load:
        for _ in range(2000):
            relay.server.send_signal(signal.SIGHUP)
        assert relay.server.get("/status")[0] == 200
        done, _ = relay.change(conf(more="network-buffer = 1KiB\n"))
        assert done
        load.flows()
        load.check()


def handles_hangups(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*(\S+)", status, re.MULTILINE).group(1), 16)
    return caught >> (signal.SIGHUP - 1) & 1


def test_signals_while_it_starts(reloadable, identities):  # noqa: F811
    """Signals are sent as soon as the process handles them.  The reload happens once the server is
    ready."""
    for _ in range(5):
        relay = reloadable(conf(), wait=False)
        sent, deadline = 0, Deadline()
        while not relay.server.count("ready, with modules"):
            assert relay.server.running() and not deadline.passed(), relay.server.log()
            if handles_hangups(relay.server):
                relay.server.send_signal(signal.SIGHUP)
                sent += 1
            pace(0.001)
        if sent:
            relay.server.wait_for_log("core: reloaded")
        with Load(relay.server.wait_until_serving(), identities, sessions=1, idle=1) as load:
            load.flows()
            load.check()
        assert relay.server.stop() == 0


@pytest.mark.limits
def test_the_limit_of_connections_moves_at_once(reloadable, identities):  # noqa: F811
    relay = reloadable(conf())
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(relay.server.address, identity)).join()
                   for identity in identities[:3]]
        done, log = relay.change(conf(more="max-connections = 3\n"))
        assert done and "Connection limit 3" in log
        assert 'option max-connections changes from "0" to "3"' in log
        with ProtocolConnection(relay.server.address, identities[3]) as late:
            late.send(rp.JoinRelayRequest(None))
            late.expect_last(rp.RelayFull())
        for device in devices:
            device.check_alive()
        assert relay.change(conf())[0]
        stack.enter_context(ProtocolConnection(relay.server.address, identities[3])).join()
