# SPDX-License-Identifier: MPL-2.0
"""Devices of this relay are invited for askers at another one, which the module far-asker plays
(relay.remote, peer_asked, peer_joined, peer_left)."""

import contextlib
import http.client
import ipaddress
import itertools
import signal
import socket

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import device_id
import faults
import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import Closed, ProtocolConnection, SessionConnection
from waiting import wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
WORKERS = pytest.mark.parametrize("workers", [1, 2])
#: Where the askers come from.
FAR = "198.51.100.7"


class Far:
    """A server, and what the module far-asker does and is told there."""

    def __init__(self, server):
        self.server = server
        self.numbers = itertools.count(1)

    def __getattr__(self, name):
        return getattr(self.server, name)

    def page(self, *words):
        return self.server.page("/far-asker?" + ",".join(map(str, words)))

    def tell(self, *words):
        code, text = self.page(*words)
        assert code == 200, f"{words}: got {code}, want 200"
        return text

    def begin(self, word, asker, target, *more, source=FAR):
        """Sends a question, and returns its number."""
        number = next(self.numbers)
        self.tell(word, number, asker.id.hex(), target.id.hex(), source, *more)
        return number

    def answer(self, number):
        """The end and the asker's key."""
        match = self.wait_for_log(rf"far-asker: answer {number}: (\w+) (\w+)")
        return match.group(1), bytes.fromhex(match.group(2))

    def invite(self, *args, **options):
        return self.answer(self.begin("invite", *args, **options))

    def elsewhere(self, asker, target, key=b"k" * 32, v4="192.0.2.7", v6="-", **options):
        return self.answer(self.begin("elsewhere", asker, target, v4, v6, 4321, key.hex(),
                                      **options))[0]

    def prepare(self, asker, target, source=FAR):
        """The end and both keys."""
        end, *keys = self.tell("prepare", next(self.numbers), asker.id.hex(), target.id.hex(),
                               source).split()
        return end, *map(bytes.fromhex, keys)

    def conn(self, identity, count=1, what="joined"):
        """Worker and number of the connection that joined, or left, as the count-th one."""
        line = rf"far-asker: {what} {identity.id.hex()} "
        self.wait_for_count(line, count)
        words = [one for one in self.transcript("far-asker")
                 if one.startswith(f"{what} {identity.id.hex()} ")][count - 1].split()
        return int(words[2]), int(words[3])

    def probe_conn(self, identity, place):
        """Begins; returns the question's number."""
        number = next(self.numbers)
        self.tell("probe", number, identity.id.hex(), *place)
        return number

    def probed(self, number):
        """Whether the connection lives."""
        return self.wait_for_log(
            rf"far-asker: probed {number}: .* (lives|is silent)").group(1) == "lives"

    def end(self, identity, place, how="lost"):
        self.tell("end", next(self.numbers), identity.id.hex(), *place, how)

    def here(self):
        return {(bytes.fromhex(name), int(worker), int(number)) for name, worker, number in
                (line.split() for line in self.tell("each").splitlines())}

    def metric(self, name):
        return int(self.server.probe()[f"metric relay.{name}"])


@pytest.fixture
def far(module_server):
    """far(workers, sections, modules) starts such a server."""

    def start(workers=2, sections=None, modules=(), **options):
        return Far(module_server(
            ["log", "probe", *modules, "relay", "far-asker"], workers=workers, sections=sections,
            installed=["probe", "far-asker"], **options))

    return start


def joined(server, identity, **options):
    return ProtocolConnection(server.address, identity, **options).join()


def meet(server, *keys):
    """Both connect with their keys, and bytes pass both ways."""
    with SessionConnection(server.address) as one, SessionConnection(server.address) as other:
        one.join(keys[0])
        other.join(keys[1])
        for sender, receiver in ((one, other), (other, one)):
            sender.send_bytes(b"bytes" * 1000)
            assert receiver.receive_bytes(5000) == b"bytes" * 1000


def is_unknown(server, key):
    with SessionConnection(server.address) as client:
        return client.ask(rp.JoinSessionRequest(key)) == NOT_FOUND


def read_all(device):
    """Reads what was sent to it so far; it answers no ping."""
    device.send(rp.Ping())
    wait_for(lambda: device.receive() == rp.Pong(), "a pong")


# Invitations to sessions that are held here.


@WORKERS
def test_a_far_asker_meets_a_device(far, identities, workers):
    server = far(workers)
    asker, target = identities[:2]
    with joined(server, target) as device:
        end, key = server.invite(asker, target)
        invitation = device.invitation()
        assert end == "invited"
        assert (invitation.from_id, invitation.server_socket) == (asker.id, True)
        assert invitation.port == server.address[1]
        meet(server, key, invitation.key)
        device.check_alive()
    server.wait_for_log(f"far-asker: asked by {asker.id.hex()} for {target.id.hex()}")
    assert server.metric("remote_requests.ok") == 1
    assert server.metric("connect_requests.ok") == 0


@pytest.mark.parametrize("debug", [False, True])
def test_only_the_debug_log_names_askers(far, identities, debug):
    server = far(args=["-debug"] if debug else [])
    with joined(server, identities[0]):
        assert server.invite(identities[1], identities[0])[0] == "invited"
    if debug:
        server.wait_for_log("relay: requests a device at another relay.*"
                            + rf"peer={FAR}.*device={device_id.to_text(identities[1].id)}")
    else:
        assert FAR not in server.log()


def test_an_absent_device_is_told_at_once(far, identities):
    server = far()
    assert server.invite(identities[0], identities[1])[0] == "absent"
    assert server.elsewhere(identities[0], identities[1]) == "absent"
    assert server.metric("remote_requests.not_found") == 2
    assert server.count("far-asker: asked") == 0


@pytest.mark.parametrize("sections", [
    {"far-asker": {"asked": "deny"}},
    {"far-asker": {"asked": "wait"}},
    {"access": {"ask-deny": ["asker"]}},
    {"access": {"ask-deny": ["198.51.100.0/24"]}},
    {"access": {"ask-allow": ["203.0.113.0/24"]}},
    {"access": {"reach-deny": ["target"]}},
    {"access": {"connect-deny": [FAR]}},
    {"bounds": {"sessions-per-device": "1"}},
])
def test_guards_refuse_far_askers(far, identities, sections):
    asker, target = identities[:2]
    names = {"asker": device_id.to_text(asker.id), "target": device_id.to_text(target.id)}
    sections = {module: {option: [names.get(word, word) for word in value]
                         if isinstance(value, list) else value
                         for option, value in options.items()}
                for module, options in sections.items()}
    server = far(sections=sections, modules=[name for name in sections if name != "far-asker"])
    with joined(server, target) as device, contextlib.ExitStack() as stack:
        if "bounds" in sections:  # it has a session already
            end, key = server.invite(asker, target)
            assert end == "invited"
            for side in (key, device.invitation().key):
                stack.enter_context(SessionConnection(server.address)).join(side)
            wait_for(lambda: server.probe()["metric core.sessions"] == "1", "a session")
        for ask in (server.invite, server.elsewhere):
            end = ask(asker, target)
            assert end == "refused" or end[0] == "refused"
        device.check_alive()
    assert server.metric("remote_requests.refused") == 2
    assert (server.count("peer_asked returned 4, which is no verdict of that hook") > 0) == (
        sections.get("far-asker", {}).get("asked") == "wait")


def test_those_whom_no_list_names_are_let_in(far, identities):
    asker, target = identities[:2]
    server = far(modules=["access", "bounds"], sections={
        "access": {"ask-allow": [device_id.to_text(asker.id)], "connect-deny": ["203.0.113.0/24"]}})
    with joined(server, target):
        assert server.invite(asker, target)[0] == "invited"
        assert server.invite(asker, target, source="unknown")[0] == "invited"
        assert server.invite(identities[2], target)[0] == "refused"


def test_while_it_drains_sessions_are_held_elsewhere(far, identities):
    asker, target = identities[:2]
    server = far(drain_spread="10m")
    with joined(server, target) as device:
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("draining")
        assert server.invite(asker, target)[0] == "closed"
        assert server.prepare(asker, target)[0] == "closed"
        assert server.elsewhere(asker, target) == "invited"
        assert device.invitation().from_id == asker.id
    # What is held elsewhere does not hold up the drain.
    assert server.wait_for_exit() == 0


def test_what_a_far_asker_may_have_is_bounded(far, identities):
    server = far(sections={"relay": {"pending-per-device": "2", "invitations-per-asker": "1"}})
    asker, *targets = identities[:4]
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(joined(server, target)) for target in targets]
        end, first = server.invite(asker, targets[0])
        assert end == "invited"
        # Its second session with the same device takes the place of the first.
        assert server.elsewhere(asker, targets[0]) == "invited"
        assert is_unknown(server, first)
        assert server.prepare(asker, targets[1])[0] == "invited"
        for full in (server.invite(asker, targets[2])[0], server.elsewhere(asker, targets[2]),
                     server.prepare(asker, targets[2])[0]):
            assert full == "full"
        # A local request of the same device counts with them.
        with ProtocolConnection(server.address, asker) as client:
            assert client.ask(rp.ConnectRequest(targets[2].id)) == NOT_FOUND
        assert server.invite(identities[5], targets[2])[0] == "invited"
        devices[2].invitation()
    assert server.metric("remote_requests.full") == 3
    assert server.metric("sessions_given_up.invitations") == 1


def test_far_askers_of_one_source_share_its_bound(far, identities):
    server = far(sections={"relay": {"pending-per-source": "1"}})
    with joined(server, identities[0]):
        _, first = server.invite(identities[1], identities[0])
        _, second = server.invite(identities[2], identities[0])
        _, other = server.invite(identities[3], identities[0], source="203.0.113.1")
        assert is_unknown(server, first)
        for key in (second, other):
            with SessionConnection(server.address) as half:
                half.join(key)


# Sessions that are held elsewhere.


def test_a_device_is_invited_to_another_relay(far, identities):
    server = far()
    asker, target = identities[:2]
    with joined(server, target) as device:
        assert server.elsewhere(asker, target, key=b"its own key") == "invited"
        got = device.invitation()
        assert got == rp.SessionInvitation(
            from_id=asker.id, key=b"its own key", address=socket.inet_aton("192.0.2.7"),
            port=4321, server_socket=True)
        # The next one waits for nothing.
        with ProtocolConnection(server.address, asker) as client:
            to_asker = client.request(target.id)
        meet(server, to_asker.key, device.invitation().key)
    assert server.metric("remote_requests.elsewhere") == 1
    assert server.metric("remote_requests.ok") == 0


@pytest.mark.parametrize("v4, v6, told", [
    ("192.0.2.7", "2001:db8::7", {"127.0.0.1": "192.0.2.7", "::1": "2001:db8::7"}),
    ("192.0.2.7", "-", {"127.0.0.1": "192.0.2.7", "::1": "192.0.2.7"}),
    ("-", "2001:db8::7", {"127.0.0.1": "2001:db8::7", "::1": "2001:db8::7"})])
def test_a_device_is_told_the_address_of_its_own_family(far, identities, v4, v6, told):
    server = far(args=("-listen", "[::]:0"))
    port = server.address[1]
    for host, want in told.items():
        with ProtocolConnection((host, port), identities[1]).join() as device:
            assert server.elsewhere(identities[0], identities[1], v4=v4, v6=v6) == "invited"
            got = device.invitation()
            assert (ipaddress.ip_address(got.address), got.port) == (ipaddress.ip_address(want), 4321)


def test_many_invitations_to_other_relays_all_arrive(far, identities):
    server = far()
    with joined(server, identities[0]) as device:
        numbers = [server.begin("elsewhere", asker, identities[0], "192.0.2.7", "-", 1, "6b",
                                source=f"198.51.100.{i}")
                   for i, asker in enumerate(identities[1:9])]
        assert {server.answer(number)[0] for number in numbers} == {"invited"}
        assert {device.invitation().from_id for _ in numbers} == {
            asker.id for asker in identities[1:9]}


def test_a_session_elsewhere_does_not_count_for_ever(far, identities):
    server = far(sections={"relay": {"pending-per-device": "1", "message-timeout": "1s"}})
    with joined(server, identities[0]), joined(server, identities[1]):
        assert server.elsewhere(identities[2], identities[0]) == "invited"
        wait_for(lambda: server.elsewhere(identities[2], identities[1]) == "invited",
                 "the end of the first one")
        assert server.metric("pending_keys") == 0
    assert server.metric("sessions_expired") == 0


# Sessions of two devices that are elsewhere.


def test_two_devices_from_elsewhere_meet_here(far, identities):
    server = far()
    end, *keys = server.prepare(identities[0], identities[1])
    assert end == "invited"
    meet(server, *keys)
    # The requested one may come first.
    _, *keys = server.prepare(identities[0], identities[1])
    meet(server, *reversed(keys))
    assert server.metric("remote_requests.prepared") == 2


def test_a_device_that_is_here_is_not_invited_twice(far, identities):
    """Whoever has prepared the session has it invited."""
    server = far()
    with joined(server, identities[1]) as device:
        end, *keys = server.prepare(identities[0], identities[1])
        assert end == "invited"
        with ProtocolConnection(server.address, identities[2]) as client:
            client.request(identities[1].id)
        assert device.invitation().from_id == identities[2].id
        device.check_alive()
        meet(server, *keys)


def test_a_prepared_session_whose_devices_do_not_come_ends(far, identities):
    server = far(sections={"relay": {"message-timeout": "500ms"}})
    _, one, other = server.prepare(identities[0], identities[1])
    wait_for(lambda: server.metric("sessions_expired") == 1, "its end")
    assert is_unknown(server, one) and is_unknown(server, other)
    assert server.metric("pending_keys") == 0


# Signs of life.


@WORKERS
def test_a_device_that_answers_lives(far, identities, workers):
    server = far(workers)
    with joined(server, identities[0]) as device:
        place = server.conn(identities[0])
        for _ in range(2):
            number = server.probe_conn(identities[0], place)
            assert device.receive() == rp.Ping()
            device.send(rp.Pong())
            assert server.probed(number)
        device.check_alive()


def test_a_silent_device_is_told_of_and_stays(far, identities):
    server = far()
    with joined(server, identities[0]) as device:
        place = server.conn(identities[0])
        numbers = [server.probe_conn(identities[0], place) for _ in range(2)]
        assert [server.probed(number) for number in numbers] == [False, False]
        # Several questions, one ping.
        device.send(rp.Ping())
        assert [device.receive(), device.receive()] == [rp.Ping(), rp.Pong()]
        assert server.metric("devices") == 1


def test_a_connection_that_ends_does_not_live(far, identities):
    server = far()
    with joined(server, identities[1]):
        silent = server.probe_conn(identities[1], server.conn(identities[1]))
        with joined(server, identities[0]) as device:
            place = server.conn(identities[0])
            number = server.probe_conn(identities[0], place)
            assert device.receive() == rp.Ping()
        assert not server.probed(number)
        assert not server.probed(server.probe_conn(identities[0], place))
        # That was known at once, and not when the time was over.
        assert server.count(f"far-asker: probed {silent}:") == 0
        assert not server.probed(silent)


# The end of a connection.


@pytest.mark.parametrize("how", ["alive", "lost"])
def test_a_connection_is_ended(far, identities, how):
    server = far()
    with joined(server, identities[0]) as device, contextlib.ExitStack() as stack:
        place = server.conn(identities[0])
        _, key = server.invite(identities[1], identities[0])
        sides = [stack.enter_context(SessionConnection(server.address)).join(one)
                 for one in (key, device.invitation().key)]
        sides[0].send_bytes(b"x")
        assert sides[1].receive_bytes(1) == b"x"
        server.end(identities[1], place)  # of another device: nothing happens
        device.check_alive()
        server.end(identities[0], place, how)
        device.expect_close()
        assert server.conn(identities[0], what="left") == place
        if how == "alive":
            sides[0].send_bytes(b"y")
            assert sides[1].receive_bytes(1) == b"y"
        else:
            sides[1].expect_close()
    assert server.metric("devices_replaced") == 1
    server.end(identities[0], place, how)
    assert not server.here()


# Who is here.


def test_who_is_here_is_listed_and_told(far, identities):
    server = far()
    assert not server.here()
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(joined(server, one)) for one in identities[:8]]
        places = {(one.id, *server.conn(one)) for one in identities[:8]}
        assert server.here() == places
        devices[0].close()
        assert (identities[0].id, *server.conn(identities[0], what="left")) in places
        assert server.here() == {place for place in places if place[0] != identities[0].id}
        # Who only asks has not joined.
        with ProtocolConnection(server.address, identities[9]) as client:
            client.request(identities[1].id)
    for one in identities[:8]:
        server.conn(one, what="left")
    assert not server.here()
    assert server.count(f"far-asker: joined {identities[9].id.hex()}") == 0


def test_a_device_that_comes_back_at_another_worker(far, identities):
    """Of each connection `joined` comes first; the newer one joins when the older one has left."""
    server = far(2)
    one = identities[0]
    workers = set()
    for turn in range(1, 41):
        with contextlib.ExitStack() as stack:
            older = stack.enter_context(joined(server, one))
            first = server.conn(one, 2 * turn - 1)
            newer = stack.enter_context(ProtocolConnection(server.address, one))
            newer.send(rp.JoinRelayRequest())
            # The older one is asked for a sign of life, and ends.
            assert older.receive() == rp.Ping()
            older.close()
            newer.expect(rp.response(rp.SUCCESS))
            second = server.conn(one, 2 * turn)
            assert server.conn(one, 2 * turn - 1, what="left") == first != second
            assert server.here() == {(one.id, *second)}
            workers.add((first[0], second[0]))
        assert server.conn(one, 2 * turn, what="left") == second
        if any(a != b for a, b in workers):
            break
    assert any(a != b for a, b in workers), workers
    log = [line.split()[0] for line in server.transcript("far-asker")]
    assert log == ["joined", "left"] * (2 * turn)


# What goes wrong.


def test_who_does_not_watch_gets_no_answers(far, identities):
    server = far()
    with joined(server, identities[0]) as device:
        words = (1, identities[1].id.hex(), identities[0].id.hex(), FAR)
        number = server.probe_conn(identities[0], server.conn(identities[0]))
        server.tell("unwatch")
        assert server.page("invite", *words)[0] == 409
        assert server.page("elsewhere", *words, "192.0.2.7", 1, "6b")[0] == 409
        assert device.receive() == rp.Ping()
        device.check_alive()
    assert server.count(f"far-asker: probed {number}") == 0


def test_a_reload_removes_who_waits(far, identities):
    """What is under way goes on, and its answer comes to nobody, also if the module comes again."""
    server = far()
    installed = ["log", "probe", "relay", "far-asker"]
    with joined(server, identities[0]) as device:
        place = server.conn(identities[0])
        lost = server.probe_conn(identities[0], place)
        assert device.receive() == rp.Ping()
        questions = [server.begin("invite", asker, identities[0]) for asker in identities[1:5]]
        server.configure(["log", "probe", "relay"])
        assert server.reload()[0]
        server.configure(installed)
        assert server.reload()[0]
        # It gets the answer of the first question about this connection.
        assert not server.probed(server.probe_conn(identities[0], place))
        for _ in questions:
            device.invitation()
        assert server.invite(identities[6], identities[0])[0] == "invited"
        assert device.invitation().from_id == identities[6].id
    assert server.count(f"far-asker: probed {lost}:") == 0


@faults.needs_memory
def test_without_memory_it_is_refused_or_never_answered(far, identities, tmp_path):
    fault = faults.Faults(tmp_path)
    server = far(1, env=fault.environment)
    asker, target = identities[:2]
    more = (asker.id.hex(), target.id.hex(), FAR)
    questions = (("invite", *more), ("elsewhere", *more, "192.0.2.7", 1, "6b"),
                 ("prepare", *more), ("probe",))
    ends, answers = set(), set()
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(joined(server, target))
        # Another thread may allocate at the same moment.
        for turn, first, (word, *words) in itertools.product(range(5), range(1, 25), questions):
            if turn and first == 1 and ("prepare", 200, "error") in ends and "error" in answers:
                break
            if word == "probe":
                words = [target.id.hex(), *next(iter(server.here()))[1:]]
            fault.begin(faults.MEMORY, first)
            with contextlib.suppress(http.client.HTTPException, ConnectionError):
                code, text = server.page(word, next(server.numbers), *words)
                ends.add((word, code, text.split(" ")[0]))
            fault.end()
            try:
                read_all(device)
            except Closed:  # there was no memory for what it is sent
                device = stack.enter_context(joined(server, target))
            answers.update(line.split()[2] for line in server.transcript("far-asker")
                           if line.startswith("answer"))
    assert ("prepare", 200, "error") in ends, ends
    assert {"invited", "error"} <= answers <= {"invited", "error", "absent"}, answers
    with joined(server, target) as device:
        end, key = server.invite(asker, target)
        assert end == "invited"
        meet(server, key, device.invitation().key)


# The server's key and address.


def test_a_secret_is_derived_from_the_key(far, relay_keys):
    server = far()
    key = serialization.load_pem_private_key((relay_keys / "key.pem").read_bytes(), None)
    number = key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big")

    def derived(label, length):
        return HKDF(hashes.SHA256(), length, b"strelaysrv derived key 1",
                    b"far-asker\0" + label).derive(b"EC\0" + number)

    assert server.tell("derive", "seal", 32) == derived(b"seal", 32).hex() + "\n"
    assert server.tell("derive", "other", 48) == derived(b"other", 48).hex() + "\n"
    assert server.page("derive", "seal", 0)[0] == 409


def test_clients_from_elsewhere_are_told_an_address(far):
    server = far()
    assert server.tell("told", 4) == f"127.0.0.1 {server.address[1]}\n"
    assert server.page("told", 6)[0] == 409
    modules = ["log", "probe", "relay", "far-asker"]
    for entries, want in (
            (["192.0.2.9:4444"], "192.0.2.9 4444\n"),
            ([":4444", "192.0.2.9:4444"], "192.0.2.9 4444\n"),
            ([":9=192.0.2.8:1", "[2001:db8::9]:5555"], f"127.0.0.1 {server.address[1]}\n")):
        server.configure(modules, {"relay": {"ext-address": entries}})
        assert server.reload()[0]
        assert server.tell("told", 4) == want
    assert server.tell("told", 6) == "2001:db8::9 5555\n"


@pytest.mark.parametrize("addresses", ["127.0.0.1:0,127.0.0.2:0", "0.0.0.0:0"])
def test_which_address_to_tell_may_be_unknown(far, addresses):
    server = far(args=["-listen", addresses])
    assert server.page("told", 4)[0] == 409
