# SPDX-License-Identifier: MPL-2.0
"""SIGUSR2: a new process takes over without any effect on connections, old or new."""

import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import threading

import pytest

import exposition
import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection, SessionConnection
from relay_server import free_port
from service_manager import Manager
from streams import CheckedStream
from upgrading import STUB, Upgrading, children, is_there, start_upgrading  # noqa: F401
from waiting import PATIENCE, pace, wait_for


class Visitors:
    """Threads, each of which repeats one action with a new connection each time."""

    def __init__(self, *visits):
        self.stopped = threading.Event()
        self.failures, self.counts = [], [0] * len(visits)
        self.threads = [threading.Thread(target=self._run, args=(number, visit))
                        for number, visit in enumerate(visits)]
        for thread in self.threads:
            thread.start()

    def _run(self, number, visit):
        while not self.stopped.is_set():
            try:
                visit()
                self.counts[number] += 1
            except (OSError, AssertionError, Closed, http.client.HTTPException) as error:
                self.failures.append(f"visit {number}: {error!r}")
                return

    def wait_for_some(self, more=5):
        before = list(self.counts)
        wait_for(lambda: self.failures or all(now >= was + more for now, was in
                                              zip(self.counts, before)),
                 lambda: f"visits; {self.counts}")

    def finish(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures
        assert min(self.counts) > 0, self.counts


def visits(server, identities):
    """Actions of strangers and devices, none of which may fail."""
    address, status_address = server.address, server.status_address

    def ping():
        with ProtocolConnection(address, identities[10]) as device:
            device.check_alive()

    def join():
        with ProtocolConnection(address, identities[11]) as device:
            device.join()
            device.send(rp.Ping())
            assert device.receive_answering_pings() in (rp.Pong(), rp.RelayFull())

    def guess():
        with SessionConnection(address) as guest:
            guest.send(rp.JoinSessionRequest(os.urandom(32)))
            guest.expect_last(rp.response(rp.NOT_FOUND))

    def status():
        connection = http.client.HTTPConnection(*status_address, timeout=PATIENCE)
        try:
            connection.request("GET", "/status")
            assert connection.getresponse().status == 200
        finally:
            connection.close()

    return [ping, join, guess, status]


@pytest.mark.limits
def test_nobody_is_refused_or_reset(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    visitors = Visitors(*visits(server, identities))
    for _ in range(4):
        visitors.wait_for_some()
        server.upgrade()
    visitors.wait_for_some()
    visitors.finish()


@pytest.mark.limits
def test_sessions_go_through_it_with_every_byte(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s", "-drain-timeout", "1h")
    with contextlib.ExitStack() as stack:
        streams = []
        for number in range(3):
            one, other = identities[2 * number:2 * number + 2]
            invited = stack.enter_context(Invited(server, one, other))
            ends = invited.join_both()
            for source, sink in (ends, ends[::-1]):
                streams.append(CheckedStream(source.sock, sink.sock))
            server.upgrade()
            # A device with a session is disconnected as well, because it can join the new process.
            invited.target.expect_last(rp.RelayFull())
        assert all(map(is_there, server.generations))
        for stream in streams:
            stream.finish()
        stack.close()
        for pid in server.generations[:-1]:
            assert server.exit_code(pid) in (0, None)  # None: its parent has it


@pytest.mark.parametrize("joined", [0, 1])
def test_promised_sessions_begin(start_upgrading, identities, joined):
    """The old process sent the invitations, and the connections reach the new one."""
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = [invited.join_asker()] if joined else []
        server.upgrade()
        invited.target.expect_last(rp.RelayFull())
        ends += [invited.join_target()] if joined else [invited.join_asker(), invited.join_target()]
        for _ in range(3):
            check_both_ways(*ends)
        # A key works only once, in the new process as well.
        with SessionConnection(server.address) as guest:
            guest.send(rp.JoinSessionRequest(invited.to_asker.key))
            guest.expect_last(rp.response(rp.NOT_FOUND))
        for end in ends:
            end.close()
    assert server.exit_code(server.generations[0]) == 0


def test_promises_are_kept_over_several_upgrades(start_upgrading, identities):
    """Each process asks its predecessor for the key."""
    server = start_upgrading("-drain-spread", "0s")
    with contextlib.ExitStack() as stack:
        promised = []
        for number in range(3):
            one, other = identities[2 * number:2 * number + 2]
            promised.append(stack.enter_context(Invited(server, one, other)))
            server.upgrade()
        for invited in promised:
            check_both_ways(*invited.join_both())


def test_first_data_in_the_segment_of_the_request(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        server.upgrade()
        asker = invited.connect()
        asker.send_bytes(rp.encode(rp.JoinSessionRequest(invited.to_asker.key)) + b"early bird")
        asker.expect(rp.response(rp.SUCCESS))
        target = invited.join_target()
        assert target.receive_bytes(10) == b"early bird"
        check_both_ways(asker, target)


def test_a_request_in_pieces(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        half = invited.connect()
        message = rp.encode(rp.JoinSessionRequest(invited.to_asker.key))
        half.send_bytes(message[:20])  # reaches the old process
        pace(0.1)
        server.upgrade()
        half.send_bytes(message[20:])
        half.expect(rp.response(rp.SUCCESS))
        late = invited.connect()
        message = rp.encode(rp.JoinSessionRequest(invited.to_target.key))
        for byte in message:
            late.send_bytes(bytes([byte]))
        late.expect(rp.response(rp.SUCCESS))
        check_both_ways(half, late)


def test_idle_devices_are_sent_over(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "500ms")
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(server.address, identity)).join()
                   for identity in identities[:6]]
        old, new = server.upgrade()
        for device in devices:
            device.expect_last(rp.RelayFull())
            again = stack.enter_context(ProtocolConnection(server.address, device.identity)).join()
            device.close()
            again.check_alive()
        assert server.exit_code(old) == 0
        assert server.status()["numConnections"] == 6
        # The new process finds the devices.
        with ProtocolConnection(server.address, identities[7]) as asker:
            asker.request(identities[0].id)


def test_traffic_of_the_old_process_is_counted_by_the_new_one(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        server.upgrade()
        ends[0].send_bytes(b"x" * 100_000)
        ends[1].receive_bytes(100_000)
        server.wait_for_status(lambda seen: seen["bytesProxied"] == 100_000, "the bytes")


def test_a_quota_counts_what_both_processes_pass_on(start_upgrading, identities):
    conf = ("modules = { log, quota, relay, status, prometheus }\n"
            'quota { state-required = no  day = 1GB  count = relayed  state-file = "quota.state" }\n')
    server = start_upgrading("-drain-spread", "0s", conf=conf)

    def used():
        families = exposition.parse(server.get("/metrics")[2].decode())
        return exposition.value(families, "strelaysrv_quota_used_bytes", period="day")

    def send(ends, count):
        ends[0].send_bytes(b"x" * count)
        ends[1].receive_bytes(count)

    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        send(ends, 100_000)
        old, _ = server.upgrade()
        wait_for(lambda: used() == 100_000, "what was used before")
        send(ends, 20_000)
        wait_for(lambda: used() == 120_000, "what is used by the old process")
        for end in ends:
            end.close()
        assert server.exit_code(old) == 0
    with Invited(server, identities[2], identities[3]) as invited:
        send(invited.join_both(), 3_000)
        wait_for(lambda: used() == 123_000, "what is used by the new process")
    server.signal(signal.SIGTERM)
    server.wait_for_count("core: stopping", 2)
    wait_for(lambda: not is_there(server.serving), "the end")
    day = (server.folder / "quota.state").read_text().splitlines()[1].split()
    assert day[0] == "day" and int(day[2]) == 123_000


def test_one_process_at_a_time_exports(start_upgrading, identities):
    conf = ("modules = { log, csv-exporter, relay, status }\n"
            'csv-exporter { file = "out.csv"  interval = 1s }\n')
    server = start_upgrading("-drain-spread", "0s", conf=conf)
    file = server.folder / "out.csv"

    def starts():
        return {line.rpartition(",")[2] for line in file.read_text().splitlines()
                if ",core.start_time," in line}

    with Invited(server, identities[0], identities[1]) as invited:
        invited.join_both()
        wait_for(lambda: file.exists() and len(starts()) == 1, "the old process to export")
        server.upgrade()
        wait_for(lambda: len(starts()) == 2, "the new process to export")
        file.unlink()
        pace(2.5)
        assert len(starts()) == 1


def test_many_upgrades_leave_nothing_behind(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    most = None
    for number in range(20):
        old, new = server.upgrade()
        with ProtocolConnection(server.address, identities[0]) as device:
            device.join()
        server.signal(signal.SIGTERM, old)
        assert server.exit_code(old) == 0
        server.wait_for_count("the old process has ended", number + 1)
        server.wait_for_status(lambda seen: seen["numConnections"] == 0, "the device to be gone")
        if most is None:
            most = len(os.listdir(f"/proc/{new}/fd"))
        wait_for(lambda new=new: len(os.listdir(f"/proc/{new}/fd")) <= most,
                 f"{most} descriptors at most, as the first had")
        assert not [pid for pid, state in children(new) if state == "Z"]


# Another configuration.


@pytest.mark.parametrize("before, after", [(1, 3), (3, 1), (2, 4)])
def test_the_number_of_workers_changes(start_upgrading, identities, before, after):
    conf = "workers = {}\nmodules = {{ log, relay, status }}\n"
    server = start_upgrading("-drain-spread", "0s", conf=conf.format(before))
    visitors = Visitors(*visits(server, identities))
    for count in (after, before, after):
        server.conf.write_text(conf.format(count))
        visitors.wait_for_some()
        server.upgrade()
        visitors.wait_for_some()
        assert server.status()["goMaxProcs"] == count
    visitors.finish()


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        return False
    except ConnectionRefusedError:
        return True


def test_addresses_come_and_go(start_upgrading, identities):
    stays, goes, comes, status = (free_port() for _ in range(4))
    conf = 'listen = {{ "127.0.0.1:{}", "127.0.0.1:{}" }}\nstatus-srv = "127.0.0.1:{}"\n'
    server = start_upgrading("-drain-spread", "0s", conf=conf.format(stays, goes, status))
    server.conf.write_text(conf.format(comes, stays, status))
    visitors = Visitors(lambda: ProtocolConnection(("127.0.0.1", stays), identities[0]).close())
    visitors.wait_for_some()
    old, new = server.upgrade()
    with ProtocolConnection(("127.0.0.1", comes), identities[0]) as device:
        device.check_alive()
    server.wait_for_log(f"no longer listening on 127.0.0.1:{goes}")
    assert refuses(goes)
    assert server.exit_code(old) == 0
    visitors.wait_for_some()
    visitors.finish()
    assert server.get("/healthz")[0] == 200


# Failed upgrades.


def goes_on(server, identities, device):
    """Checks that the server works as before, for a device that stayed connected and for others."""
    device.check_alive()
    with ProtocolConnection(server.address, identities[1]) as asker:
        asker.request(device.identity.id)
    device.invitation()
    assert server.get("/healthz")[0] == 200
    assert "drain" not in server.status()
    assert server.status()["goMaxProcs"] >= 1


@pytest.mark.parametrize("what", ["conf", "missing", "no-program", "code", "crash"])
def test_what_cannot_start_changes_nothing(start_upgrading, identities, what):
    server = start_upgrading("-drain-spread", "0s")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        for number in range(2):
            if what == "conf":
                server.conf.write_text("modules = { relay, nowhere }\n")
                want = "the new process ended with code 1"
            elif what == "missing":
                server.binary.unlink(missing_ok=True)
                want = r"cannot start \S*/relay: No such file or directory"
            elif what == "no-program":
                server.replace_program("\0nonsense")
                want = "the new process ended with code|cannot start"
            elif what == "code":
                server.replace_program("#!/bin/sh\nexit 3\n")
                want = "the new process ended with code 3"
            else:
                server.replace_program("#!/bin/sh\nkill -SEGV $$\n")
                want = "the new process was ended by SIGSEGV"
            server.signal(signal.SIGUSR2)
            server.wait_for_count(f"upgrade failed: ({want})", number + 1)
            goes_on(server, identities, device)
        assert not children(server.serving)
        server.conf.write_text("\n")
        if what != "conf":
            server.binary.touch()
            server.restore_program()
        server.upgrade()
        device.expect_last(rp.RelayFull())


@pytest.mark.parametrize("until", ["start", "ready"])
def test_who_takes_too_long_is_given_up(start_upgrading, identities, until):
    server = start_upgrading("-drain-spread", "0s", "-upgrade-timeout", "1s")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        script = "channel.send(READY)\nassert channel.recv(1) == GO\n" if until == "ready" else ""
        server.replace_program(STUB + script + "time.sleep(1000)\n")
        server.signal(signal.SIGUSR2)
        server.wait_for_log("upgrade failed: the new process was not ready within upgrade-timeout")
        wait_for(lambda: not children(server.serving), "the process to be gone")
        goes_on(server, identities, device)


#: It has a child that outlives it, and fails in one of the upgrade's stages.
PARENT = STUB + "import os\nif os.fork() == 0: time.sleep(1000)\n"
HANDS_OVER = "channel.send(READY)\nassert channel.recv(1) == GO\n"


def holders(numbers):
    """Which processes have one of these sockets open."""
    found = set()
    wanted = {f"socket:[{number}]" for number in numbers}
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has ended
            for descriptor in os.scandir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(descriptor.path) in wanted:
                        found.add(int(process))
    return found


@pytest.mark.parametrize("fails", ["start", "ready", "silent", "serving", "stop"])
def test_what_a_failed_process_has_started_ends_with_it(start_upgrading, identities, fails):
    """Else it would keep the listening sockets, and their addresses, for ever."""
    server = start_upgrading("-drain-spread", "1h", "-upgrade-timeout",
                             "1s" if fails == "silent" else "1m")
    sockets = server.listening_sockets()
    script = {"start": "sys.exit(3)\n", "silent": "time.sleep(1000)\n",
              "stop": "open('started', 'w').close()\ntime.sleep(1000)\n",
              "ready": HANDS_OVER + "sys.exit(4)\n",
              "serving": HANDS_OVER + "channel.send(SERVING)\nos.kill(os.getpid(), 9)\n"}[fails]
    server.replace_program(PARENT + script)
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection(server.address, identity)).join()
                   for identity in identities[2:6]]
        server.signal(signal.SIGUSR2)
        if fails == "stop":
            wait_for((server.folder / "started").exists, "the new process")
            server.signal(signal.SIGTERM)
            assert server.exit_code(server.serving) == 0
            wait_for(lambda: not holders(sockets), lambda: f"no holder: {holders(sockets)}")
            return
        server.wait_for_log("upgrade failed: the new process")
        wait_for(lambda: holders(sockets) == {server.serving},
                 lambda: f"{server.serving} to hold them alone: {holders(sockets)}")
        # After SERVING each worker may have sent its first device away.
        left = [device for device in devices if fails != "serving" or not gone(device)]
        goes_on(server, identities, left[0])


#: It has a child that leaves its process group, and fails then.
STRAY = STUB + """if os.fork() == 0:
    os.setsid()
    open('stray.new', 'w').write(str(os.getpid()))
    os.rename('stray.new', 'stray')
    open('heard', 'wb').write(channel.recv(64))
    time.sleep(1000)
while not os.path.exists('stray'):
    time.sleep(0.01)
sys.exit(3)
"""


def test_a_child_in_a_session_of_its_own_is_left_alone(start_upgrading, identities):
    """Nothing tells it from a daemon of the operator's that must live on.  So it keeps its copies
    of the sockets until it ends; but the server that goes on is not harmed by that."""
    server = start_upgrading("-drain-spread", "0s", "-upgrade-timeout", "1m")
    sockets = server.listening_sockets()
    server.replace_program(STRAY)
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        server.signal(signal.SIGUSR2)
        server.wait_for_log("upgrade failed: the new process ended with code 3")
        wait_for((server.folder / "heard").exists, "the message to the child")
        stray = int((server.folder / "stray").read_text())
        try:
            # This tells a program that starts late that nobody waits for it.
            wait_for(lambda: (server.folder / "heard").read_bytes() == b"\x09", "OFF")
            wait_for(lambda: holders(sockets) == {server.serving, stray}, lambda: holders(sockets))
            goes_on(server, identities, device)
        finally:
            os.kill(stray, signal.SIGKILL)
        wait_for(lambda: holders(sockets) == {server.serving}, lambda: holders(sockets))


def test_a_program_that_the_new_process_runs_gets_no_sockets(start_upgrading):
    """So what it runs in sessions of their own cannot keep them."""
    server = start_upgrading("-drain-spread", "0s")
    sockets = server.listening_sockets()
    _, new = server.upgrade()
    for link in pathlib.Path(f"/proc/{new}/fd").iterdir():
        if os.readlink(link) in {f"socket:[{number}]" for number in sockets}:
            flags = pathlib.Path(f"/proc/{new}/fdinfo/{link.name}").read_text()
            assert int(re.search(r"flags:\s*(\d+)", flags).group(1), 8) & os.O_CLOEXEC, link


def test_the_new_process_is_in_the_old_ones_group_in_the_end(start_upgrading):
    """For the signals of a terminal."""
    server = start_upgrading("-drain-spread", "0s")
    group = os.getpgid(server.serving)
    for _ in range(2):
        old, new = server.upgrade()
        server.signal(signal.SIGUSR2, new)  # "keep": the upgrade is final at once
        server.wait_for_log(rf"process (\d+) serves; this one, {new}, drains")
        server.generations.append(int(server.wait_for_log(
            rf"process (\d+) serves; this one, {new}, drains").group(1)))
        wait_for(lambda new=new: not is_there(new) or os.getpgid(new) == group, "the same group")
        assert server.exit_code(old) in (0, None)


def test_a_version_that_knows_no_upgrades(start_upgrading, identities):
    """It finds its addresses in use, or serves beside the old one until its time is over."""
    server = start_upgrading("-drain-spread", "0s", "-upgrade-timeout", "2s")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        server.replace_program("#!/bin/sh\nunset STRELAYSRV_CHANNEL STRELAYSRV_SOCKETS\n"
                               f'exec {server.program.path} "$@"\n')
        sockets = server.listening_sockets()
        server.signal(signal.SIGUSR2)
        server.wait_for_log("upgrade failed: the new process")
        wait_for(lambda: not children(server.serving), "the process to be gone")
        assert server.listening_sockets() == sockets
        goes_on(server, identities, device)


def test_a_program_of_another_kind(start_upgrading, identities, reference_program):
    """The Go relay knows none of these flags."""
    server = start_upgrading("-drain-spread", "0s")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        server.replace_program(f'#!/bin/sh\nexec {reference_program.path} "$@"\n')
        server.signal(signal.SIGUSR2)
        server.wait_for_log("upgrade failed: the new process ended with code 2")
        goes_on(server, identities, device)


def test_who_ends_while_nobody_accepts(start_upgrading, identities):
    """The new process dies after the old one has stopped accepting and before the new one starts
    to."""
    server = start_upgrading("-drain-spread", "0s")
    visitors = Visitors(*visits(server, identities))
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
        server.replace_program(STUB + "channel.send(READY)\nassert channel.recv(1) == GO\n"
                               "time.sleep(0.2)\nos.kill(os.getpid(), 9)\n")
        for number in range(3):
            visitors.wait_for_some()
            server.signal(signal.SIGUSR2)
            server.wait_for_count("upgrade failed: the new process was ended by SIGKILL",
                                  number + 1)
        visitors.wait_for_some()
        goes_on(server, identities, device)
        assert not children(server.serving)
    visitors.finish()


def test_who_dies_soon_after_is_replaced(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "1h")
    devices = [ProtocolConnection(server.address, identity).join() for identity in identities[:4]]
    with contextlib.ExitStack() as stack:
        for device in devices:
            stack.enter_context(device)
        old, new = server.upgrade()
        server.generations.pop()
        server.signal(signal.SIGKILL, new)
        server.wait_for_log(f"was ended by SIGKILL; this one, {old}, serves again")
        server.wait_for_log("drain cancelled: new connections are accepted again")
        left = [device for device in devices if not gone(device)]
        assert left
        goes_on(server, identities[8:], left[0])
        assert not children(old)
        # The next upgrade works.
        server.upgrade()
        with ProtocolConnection(server.address, identities[9]) as device:
            device.join()


def gone(device):
    try:
        device.send(rp.Ping())
        return device.receive_answering_pings() == rp.RelayFull()
    except Closed:
        return True


def test_the_old_one_dies_before_it_hands_over(start_upgrading, identities):
    server = start_upgrading()
    old = server.serving
    server.signal(signal.SIGUSR2)
    new = int(server.wait_for_log(r"upgrade: started process (\d+)").group(1))
    server.signal(signal.SIGKILL, old)
    server.generations.append(new)
    server.wait_for_count("core: ready, with modules", 2)
    assert server.exit_code(old) == -9
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()


def test_the_old_one_dies_while_it_drains(start_upgrading, identities):
    server = start_upgrading("-drain-spread", "0s")
    with Invited(server, identities[0], identities[1]) as invited:
        ends = invited.join_both()
        old, _ = server.upgrade()
        server.signal(signal.SIGKILL, old)
        for end in ends:
            end.expect_close()
        server.wait_for_log("the old process has ended")
        assert server.exit_code(old) == -9
        with SessionConnection(server.address) as guest:
            guest.send(rp.JoinSessionRequest(os.urandom(32)))
            guest.expect_last(rp.response(rp.NOT_FOUND))
        with ProtocolConnection(server.address, identities[0]) as device:
            device.join()


# systemd.


def test_the_service_manager_is_told_who_the_main_process_is(start_upgrading, tmp_path,
                                                             monkeypatch):
    manager = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", manager.name)
    server = start_upgrading("-drain-spread", "0s")
    _, at = manager.wait_for("the first process", READY="1", MAINPID=str(server.serving))
    old, new = server.upgrade()
    # The new process sends MAINPID as well, but a manager may accept messages of the main process
    # only.
    manager.wait_for("the new process", since=at + 1, READY="1", MAINPID=str(new))
    manager.wait_for("the old one to hand over", since=at + 1, MAINPID=str(new))
    assert server.exit_code(old) == 0
    assert manager.count("STOPPING") == 0
    server.signal(signal.SIGTERM)
    manager.wait_for("the end", STOPPING="1")
    manager.socket.close()


def test_an_upgrade_after_socket_activation(tmp_path, relay_keys, our_program, identities):
    """systemd passes the sockets first, so no process has bound them."""
    relay, status = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    conf = (f'listen = {{ "127.0.0.1:{relay.getsockname()[1]}" }}\n'
            f'status-srv = "127.0.0.1:{status.getsockname()[1]}"\n')
    # Passes descriptors as systemd does: from 3 on, with LISTEN_PID set to the process.
    script = tmp_path / "activate"
    script.write_text(f'#!/bin/bash\nexec 3<&{relay.fileno()} 4<&{status.fileno()}\n'
                      'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=relay:status exec "$@"\n')
    script.chmod(0o755)
    for sock in (relay, status):
        sock.set_inheritable(True)
    server = Upgrading(our_program, tmp_path, relay_keys, ("-drain-spread", "0s"), conf=conf,
                       prefix=[script], pass_fds=(relay.fileno(), status.fileno()))
    try:
        server.wait_until_serving()
        relay.close()
        status.close()
        for _ in range(3):
            with ProtocolConnection(server.address, identities[0]) as device:
                device.join()
            assert server.get("/healthz")[0] == 200
            server.upgrade()
        with ProtocolConnection(server.address, identities[0]) as device:
            device.join()
    finally:
        server.finish()
