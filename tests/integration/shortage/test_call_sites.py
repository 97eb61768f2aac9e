# SPDX-License-Identifier: MPL-2.0
"""Each call that can fail is failed at each place of the server and of its libraries, one place at
a time, while a device joins, asks and exchanges data, and while the server starts, answers HTTP
requests, reloads, upgrades, drains and stops.  Nothing crashes, hangs or leaks, and the next device
is served.  What a client sees of a failure, the operator reads in the log or in a counter.

A run tests a sample of the places, another one each day.  FAULTS_ALL=1 tests all of them,
FAULTS_SEED=TEXT the sample of that seed, which a failure names."""

import contextlib
import datetime
import fnmatch
import http.client
import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

import call_sites
import faults
import relay_protocol as rp
import relay_server
from exposition import parse, value
from pairing import Invited, check_both_ways, check_relayed
from relay_client import Closed, ProtocolConnection, SessionConnection
from upgrading import Upgrading
from waiting import PATIENCE, Deadline, wait_for
from wormhole import Client, answered, both_ways, line, new_side, new_token

pytestmark = faults.needs_memory

SEED = os.environ.get("FAULTS_SEED") or datetime.date.today().isoformat()
#: How many cases a sample has.
MOST = {"start": 20, "upgrade": 6, "stop": 6, "drain": 6}
USUAL = 30
MIB = 1 << 20
#: Sides of sessions whose other side failed wait for it for a while: as many of one source.
HALVES = 4
#: After this many seconds the old process goes on without the new one.
UPGRADE_SECONDS = 20
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "faults"
#: No system answers these with an error for ever.
PASSING = {"accept", "accept4", "epoll_wait", "poll", "waitid", "waitpid", "nanosleep"}
#: Failures of the past, as (scenario, call, function); they are tested in each run.
KEPT = [
    ("drain", "event_add", "event_later"),
    ("reload", "read", "woken"),
    ("session", "event_add", "event_later"),
    ("bulk", "event_add", "event_later"),
    ("session", "getsockname", "relay_conn_local"),
    ("http", "event_add", "event_later"),
    ("start", "malloc", "parse_value"),
    ("upgrade", "sendmsg", "handover_send"),
    ("upgrade", "recvmsg", "handover_receive"),
]

#: Why connections end that nobody has ended.
REASONS = {"reset", "timeout", "tls", "denied", "protocol", "overflow", "error", "peer-lost",
           "limit", "full", "refused", "closed", "memory", "not_found", "unanswered", "expired"}

CONF = """
drain-spread = 200ms
upgrade-timeout = %ds
modules = { log, bounds, access, wormhole-transit, relay, rate-limit, quota, prometheus, status }
listener "wormhole" {
  address = "127.0.0.1:%d"
  protocol = wormhole-transit
}
wormhole-transit { wait-timeout = 5s }
rate-limit { global = %dGB/s }
quota {
  day = %dTB
  state-file = "%s"
  state-required = no
}
"""

#: For a server whose addresses no flag names.
MAIN = """
status-srv = "127.0.0.1:0"
listener "main" { address = "127.0.0.1:0" }
"""


class Relay:
    """A relay whose calls fail, and two devices."""

    def __init__(self, folder, identities):
        self.folder = folder
        self.one, self.two = identities[:2]
        self.turn = 0
        self.conf = folder / "sites.conf"
        self.transit_port = relay_server.free_port()
        self.write()
        self.server = None

    def text(self):
        rate = 1 + self.turn % 2
        return CONF % (UPGRADE_SECONDS, self.transit_port, rate, rate, self.folder / "quota.state")

    def write(self):
        self.turn += 1
        self.conf.write_text(self.text())

    # What may fail.

    def join(self):
        with ProtocolConnection(self.server.address, self.one) as device:
            device.join()

    def session(self, size=100):
        with Invited(self.server, self.one, self.two) as invited:
            asker, target = invited.join_both()
            check_relayed(asker, target, bytes(size))
            check_relayed(target, asker, bytes(size))
            asker.end_sending()
            target.receive_to_end()

    def bulk(self):
        self.session(MIB)

    def transit(self):
        """Two clients meet that speak another protocol."""
        with contextlib.ExitStack() as stack:
            token = new_token()
            one, two = (stack.enter_context(Client(self.transit_port, line(token, new_side())))
                        for _ in range(2))
            answered(one, two)
            both_ways(one, two)

    def refused(self):
        with ProtocolConnection(self.server.address, self.one) as device:
            device.ask(rp.ConnectRequest(self.two.id))
            device.expect_close()

    def http(self):
        for path in ("/status", "/metrics", "/healthz", "/nowhere"):
            self.server.get(path)

    def reload(self):
        self.write()
        self.server.reload()

    def reload_unheard(self):
        """Its line in the log may be lost: the rate that is in force tells its end, too."""
        def rate():
            return self.server.status()["options"]["global-rate"]

        before, refused = rate(), self.server.count("core: not reloaded")
        self.write()
        self.server.send_signal(signal.SIGHUP)
        wait_for(lambda: rate() != before or self.server.count("core: not reloaded") > refused,
                 "the end of a reload")

    @contextlib.contextmanager
    def session_open(self):
        """A device has joined, and is in a session, whose sides are given."""
        with Invited(self.server, self.one, self.two) as invited:
            sides = invited.join_both()
            check_both_ways(*sides)  # afterwards the server's events are as they stay
            yield sides

    # What must be as before.

    def told(self):
        """What an operator can see of failures: the log, and what counters say."""
        families = parse(self.server.get("/metrics")[2].decode())
        return self.server.log(), {
            (sample, labels): number for family in families.values() if family.type == "counter"
            for (sample, labels), number in family.samples.items() if is_reason(sample, labels)}

    def open_now(self):
        """Open descriptors without pipes: each worker keeps some of these for later sessions."""
        folder = pathlib.Path(f"/proc/{self.server.pid}/fd")
        return sum("pipe:[" not in os.path.realpath(link)
                   for link in folder.iterdir())

    def check(self, open_before=None):
        assert self.server.running()
        self.session()
        assert self.server.get("/healthz")[0] == 200
        if open_before:
            wait_for(lambda: self.open_now() <= open_before + HALVES,
                     lambda: f"{open_before} descriptors again; there are {self.open_now()}")
        self.server.wait_for_status(
            lambda status: not status["numActiveSessions"] and not status["numConnections"],
            "no connection is left")


def is_reason(sample, labels):
    """Whether the sample says why something has failed."""
    words = dict(labels).values()
    return bool(re.search("fail|refused|rejected|errors|dropped|lost|cut|_ends_|expired", sample)
                or set(words) & REASONS)


def is_hang(error):
    text = str(error)
    return isinstance(error, TimeoutError) or "nothing came" in text or "gave up" in text


def attempt(scenario):
    """Runs it.  Its clients may see an error, which is returned, but must not wait."""
    try:
        scenario()
    except (Closed, OSError, AssertionError, http.client.HTTPException) as error:
        if is_hang(error):
            raise
        return error
    return None


def can_fail(site, scenario):
    # When a signal comes, libevent passes a byte through two sockets of its own.
    if site.call in ("read", "write") and site.object.startswith("libevent"):
        return False
    # It fails for wrong arguments only (event_assign(3)), and libevent's own are right.
    if site.call == "event_assign" and site.object.startswith("libevent"):
        return False
    # OpenSSL's calls of itself fail when its memory does; not each of its functions can.
    # exit_group(2) does not return.
    if site.call == "syscall" and site.function == "end":
        return False
    if re.match("lib(crypto|ssl)", site.object) and re.match("[A-Zdi]", site.call):
        return site.call in ("CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_memdup")
    # The target of this session waits for an invitation for which there was no memory; see
    # test_an_invitation_that_is_lost.
    if site.call == "malloc" and site.function == "loop_post" and scenario in ("session", "bulk"):
        return False
    # A loop's eventfd cannot be written only if somebody has closed it: its number never gets
    # near 2^64 (eventfd(2)).
    if site.call == "write" and site.function in ("wake", "loop_call", "loop_post", "loop_stop"):
        return False
    # Only the log tells which process is the new one, and where a new server listens.
    if scenario == "start" and site.function == "output_write":
        return False
    return scenario != "upgrade" or site.object != "log.so"


def has_reason(site, scenario):
    """Whether the operator is told.  These errors are those of a client of HTTP that has gone."""
    return scenario != "http" or site.call not in ("readv", "recv", "send", "writev")


def cases_of(site, chance):
    """Arguments of CallSites.begin()."""
    for first in sorted({1, site.hits, chance.randint(1, site.hits)}):
        yield {"first": first, "value": chance.randrange(3)}
    if site.call not in PASSING:
        yield {"length": call_sites.FOREVER, "value": 0}  # the first value is one that may last


def choose(sites, scenario):
    """[(site, arguments of CallSites.begin())]."""
    chance = random.Random(f"{SEED} {scenario}")
    cases = [(site, how) for site in sites if can_fail(site, scenario)
             for how in cases_of(site, chance)]
    if os.environ.get("FAULTS_ALL"):
        return cases
    kept = [case for case in cases if (scenario, case[0].call, case[0].function) in KEPT]
    return kept + chance.sample(cases, min(MOST.get(scenario, USUAL), len(cases)))


def sample(sites, scenario):
    """The cases for the places that were called since sites.begin()."""
    sites.end()
    return choose(sites.called(), scenario)


class Naming:
    """Names the case in the message of a failure."""

    def __init__(self, sites, scenario, case):
        self.sites = sites
        self.what = f"{scenario}: {case[0]} {case[1]}, FAULTS_SEED={SEED}"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        self.sites.end()
        if error and not isinstance(error, KeyboardInterrupt):
            raise AssertionError(self.what) from error


@pytest.fixture
def sites(tmp_path):
    return call_sites.CallSites(tmp_path)


@pytest.fixture
def relay(tmp_path, identities):
    return Relay(tmp_path, identities)


@pytest.mark.parametrize("scenario", ["join", "session", "bulk", "refused", "transit", "http", "reload"])
def test_a_running_server(start, relay, sites, scenario):
    server = relay.server = start(relay_server.Program("ours", 2), "-conf", relay.conf,
                                  env=sites.environment)
    run = getattr(relay, scenario)
    run()  # what is set up for the first time is not counted
    sites.begin()
    run()
    cases = sample(sites, scenario)
    relay.check()
    open_before = relay.open_now()
    for case in cases:
        with Naming(sites, scenario, case):
            before = relay.told()
            sites.begin(case[0], **case[1])
            unheard = scenario == "reload" and case[0].object == "log.so"
            seen = attempt(relay.reload_unheard if unheard else run)
            if sites.end() and seen and has_reason(case[0], scenario):
                wait_for(lambda: relay.told() != before, f"a reason of {seen!r}")
            relay.check(open_before)


def test_an_invitation_that_is_lost(start, relay, sites):
    """Its asker is told at once that there will be no session, and can ask again."""
    server = relay.server = start(relay_server.Program("ours", 2), "-conf", relay.conf,
                                  env=sites.environment)
    sites.begin()
    relay.session()
    sites.end()
    post = loop_post_of(sites)
    with ProtocolConnection(server.address, relay.two) as target:
        target.join()
        sites.begin(post, length=call_sites.FOREVER)
        with ProtocolConnection(server.address, relay.one) as asker:
            key = asker.request(relay.two.id).key
            asker.expect_close()
        assert sites.end()
        with SessionConnection(server.address) as half:
            assert half.ask(rp.JoinSessionRequest(key)) == rp.response(rp.NOT_FOUND)
        with ProtocolConnection(server.address, relay.one) as asker:
            asker.request(relay.two.id)
        target.invitation()
    relay.reload()  # a record that could wake nobody goes out before the next one
    assert "relay: no memory for an invitation" in server.log()
    relay.check()


def loop_post_of(sites):
    """Where the memory for a message between threads is taken."""
    (post,) = [site for site in sites.called()
               if (site.call, site.function) == ("malloc", "loop_post")]
    return post


def test_who_waits_for_a_device_is_answered_in_the_end(start, relay, sites):
    """Nobody can tell its worker that the device has come."""
    server = relay.server = start(relay_server.Program("ours", 2), "-conf", relay.conf,
                                  "-relay.park-asks", "3s", env=sites.environment)
    sites.begin()
    relay.session()
    sites.end()
    post = loop_post_of(sites)
    for _ in range(20):  # until the two come to different workers
        with contextlib.ExitStack() as stack:
            device, asker = (stack.enter_context(ProtocolConnection(server.address, identity))
                             for identity in (relay.one, relay.two))
            asker.send(rp.ConnectRequest(relay.one.id))
            wait_for(lambda: gauge(server, "requests_waiting"), "it to wait")
            sites.begin(post, length=call_sites.FOREVER)
            device.join()
            failed = sites.end()
            asker.invitation()
            device.invitation()
        wait_for(lambda: not gauge(server, "devices"), "the device to leave")
        if failed:
            break
    assert failed, "no thread was told of a device"
    relay.check()


def gauge(server, name):
    return value(parse(server.get("/metrics")[2].decode()), f"strelaysrv_relay_{name}")


def test_the_terms_of_a_token_without_memory(start, relay, sites):
    """Who cannot be limited does not join."""
    names = relay.folder / "names"
    names.write_text("alice:of-alice rate=1MB/s\n")
    server = relay.server = start(relay_server.Program("ours", 2), "-conf", relay.conf,
                                  "-access.named-tokens", names, env=sites.environment)

    def answer(who):
        with ProtocolConnection(server.address, who) as device:
            return device.ask(rp.JoinRelayRequest("of-alice"))

    sites.begin()
    assert answer(relay.one) == rp.response(rp.SUCCESS)
    sites.end()
    sites.begin(loop_post_of(sites), length=call_sites.FOREVER)
    assert answer(relay.two) == rp.RelayFull()
    assert sites.end()
    families = parse(server.get("/metrics")[2].decode())
    assert value(families, "strelaysrv_access_refused_total", reason="memory") == 1
    assert answer(relay.two) == rp.response(rp.SUCCESS)


def launch(relay, relay_keys, sites):
    return relay_server.start(relay_server.Program("ours", 2), relay.folder, "-conf", relay.conf,
                              keys=relay_keys, env=sites.environment, wait=False)


def start_or_end(server):
    """Whether it serves.  If not, it must have ended with an error and its reason."""
    try:
        server.wait_until_serving()
        return True
    except AssertionError as error:
        if "the server has ended" not in str(error):
            server.process.kill()
            server.wait_for_exit()
            raise
    assert server.wait_for_exit() == 1, server.log()
    assert server.log(), "no reason is given"
    return False


def test_a_start(relay, relay_keys, sites):
    sites.begin()
    server = launch(relay, relay_keys, sites)
    assert start_or_end(server)
    cases = sample(sites, "start")
    server.finish()
    for case in cases:
        with Naming(sites, "start", case):
            sites.begin(case[0], **case[1])
            server = launch(relay, relay_keys, sites)
            serves = start_or_end(server)
            sites.end()
            if serves:
                relay.server = server
                try:
                    # The log tells when it tries again to open the status address.
                    later = "cannot open the status address" in server.log()
                    (relay.session if later else relay.check)()
                finally:
                    server.finish()


@contextlib.contextmanager
def served(relay, relay_keys, sites):
    """A server, which must end in order."""
    server = relay.server = launch(relay, relay_keys, sites)
    try:
        yield server.wait_until_serving()
    finally:
        server.finish()


def stop(relay, relay_keys, sites, *case, **how):
    with served(relay, relay_keys, sites) as server, relay.session_open() as sides:
        sites.begin(*case, **how)
        assert server.stop() == 0, server.log()
        for side in sides:
            side.expect_close()


def test_a_stop(relay, relay_keys, sites):
    stop(relay, relay_keys, sites)
    for case in sample(sites, "stop"):
        with Naming(sites, "stop", case):
            stop(relay, relay_keys, sites, case[0], **case[1])


def drain(relay, relay_keys, sites, *case, **how):
    """The session goes on, unless a call of its own fails; when it has ended and the device has
    left, so does the server."""
    with served(relay, relay_keys, sites) as server:
        with relay.session_open() as sides:
            sites.begin(*case, **how)
            server.send_signal(signal.SIGUSR1)
            # The call that fails may be one that this line needs.
            wait_for(lambda: server.count("core: draining, no newcomers") or sites.failed(),
                     "a drain")
            attempt(lambda: check_both_ways(*sides))
        assert server.wait_for_exit() == 0, server.log()


def test_a_drain(relay, relay_keys, sites):
    drain(relay, relay_keys, sites)
    for case in sample(sites, "drain"):
        with Naming(sites, "drain", case):
            drain(relay, relay_keys, sites, case[0], **case[1])


def upgrade(server):
    """Tries it; returns whether the new process serves."""
    told = rf"process (\d+) serves; this one, {server.serving}, drains"
    server.signal(signal.SIGUSR2)
    wait_for(lambda: server.count(told) or server.count("upgrade failed|no upgrade:")
             or server.process.poll() is not None, lambda: f"an end:\n{server.log()}",
             Deadline(UPGRADE_SECONDS + PATIENCE))
    found = re.findall(told, server.log())
    if found:
        server.generations.append(int(found[-1]))
    return bool(found)


def serve(relay, relay_keys, sites):
    server = relay.server = Upgrading(relay_server.Program("ours", 2), relay.folder, relay_keys,
                                      conf=MAIN + relay.text(), env=sites.environment)
    return server.wait_until_serving()


def test_an_upgrade(relay, relay_keys, sites):
    server = serve(relay, relay_keys, sites)
    sites.begin()
    assert upgrade(server)
    cases = sample(sites, "upgrade")
    server.finish()
    for case in cases:
        with Naming(sites, "upgrade", case):
            server = serve(relay, relay_keys, sites)
            try:
                with relay.session_open() as sides:
                    sites.begin(case[0], **case[1])
                    upgrade(server)
                    sites.end()
                    check_both_ways(*sides)
                relay.session()
            finally:
                server.finish()


#: What passes a client that waits on to the new process, and takes it there.
PASSES_ON = {"pass_on_begin", "handover_send", "relay_timer_add", "conn_import_onward", "import",
             "import_here", "meeting_begin", "get_waiter", "look", "waiting_meet", "get_group",
             "get_holder"}


def waits_during_an_upgrade(relay, server, sites, *case, **how):
    """Returns what the other client has seen, which comes after the upgrade."""
    token = new_token()

    def meet():
        with Client(relay.transit_port, line(token)) as last:
            answered(first, last)
            both_ways(first, last)

    with Client(relay.transit_port, line(token)) as first:
        wait_for(lambda: value(parse(server.get("/metrics")[2].decode()),
                               "strelaysrv_wormhole_transit_waiting"), "it to wait")
        sites.begin(*case, **how)
        upgrade(server)
        return attempt(meet)


def test_who_waits_during_an_upgrade(relay, relay_keys, sites):
    """It meets the other one, or both are closed when their time is over, and the next ones meet."""
    server = serve(relay, relay_keys, sites)
    assert waits_during_an_upgrade(relay, server, sites) is None
    sites.end()
    found = [site for site in sites.called() if site.function in PASSES_ON]
    assert {"pass_on_begin", "handover_send"} <= {site.function for site in found}, found
    server.finish()
    # Without the first messages of an upgrade there is none.
    for case in [(site, {"first": first}) for site in found
                 for first in {1 if site.function != "handover_send" else site.hits, site.hits}]:
        with Naming(sites, "a client that waits during an upgrade", case):
            server = serve(relay, relay_keys, sites)
            try:
                waits_during_an_upgrade(relay, server, sites, case[0], **case[1])
                if sites.end() and case[0].function == "pass_on_begin":
                    assert server.count("upgrade: connections that wait stay with this process")
                relay.transit()
                relay.session()
            finally:
                server.finish()


def imported():
    """What the server and its modules call in libraries."""
    own, found = set(), set()
    for path in [relay_server.Program("ours").path, *relay_server.module_folder().glob("*.so")]:
        done = subprocess.run(["nm", "-D", str(path)], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            *_, kind, name = line.split()
            (found if kind in "Uw" else own).add(name.partition("@")[0])
    return found - own


def test_each_call_is_in_the_table_or_cannot_fail():
    text = (FOLDER / "calls.def").read_text() + (FOLDER / "sites.c").read_text()
    table = set(re.findall(r'^(?:MINUS|NOTHING|NUMBER|AFTER)\((\w+)', text, re.M))
    table |= set(re.findall(r'fails\("(\w+)"', text))
    patterns = [line for line in (FOLDER / "no_failure.txt").read_text().splitlines()
                if line and not line.startswith("#")]
    # On 32 bits open() is open64(), which sites.c makes of the same line.
    calls = {name.removesuffix("64") for name in imported()}
    new = [name for name in sorted(calls - table)
           if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    assert not new, f"add them to calls.def or to no_failure.txt: {new}"
