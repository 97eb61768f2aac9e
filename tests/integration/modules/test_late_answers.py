# SPDX-License-Identifier: MPL-2.0
"""Modules that take their time to decide whether a device may join or make a request."""

import contextlib
import http.client
import signal

import pytest

import faults
import relay_protocol as rp
from module_server import folder_of, module_server  # noqa: F401
from relay_client import ProtocolConnection, dial, reset
from relay_server import module_folder
from upgrading import start_upgrading  # noqa: F401
from waiting import PATIENCE, wait_for

SUCCESS, NOT_FOUND = rp.response(rp.SUCCESS), rp.response(rp.NOT_FOUND)
#: No test waits for this one.
NEVER = "1m"
WORKERS = pytest.mark.parametrize("workers", [1, 2])


class Server:
    """A server with modules that decide when a test says so: `late-one`, `late-two`."""

    def __init__(self, server):
        self.server = server

    def __getattr__(self, name):
        return getattr(self.server, name)

    def number(self, metric):
        return int(self.server.probe()[f"metric core.{metric}"])

    def wait_for_number(self, metric, number):
        wait_for(lambda: self.number(metric) == number,
                 lambda: f"{metric} to be {number}; it is {self.number(metric)}")

    def tell(self, module, word):
        """Has the module answer all that it was asked so far."""
        code, text = self.server.page(f"/{module}?{word}")
        assert code == 200, text

    def join(self, identity, source=None):
        """A connection whose join waits."""
        before = self.number("questions.join")
        client = ProtocolConnection(self.server.address, identity, source=source)
        client.send(rp.JoinRelayRequest())
        self.wait_for_number("questions.join", before + 1)
        return client

    def ask(self, identity, target, what="connect"):
        """A connection whose request waits."""
        client = ProtocolConnection(self.server.address, identity)
        client.send(rp.ConnectRequest(target.id))
        self.wait_for_number(f"questions.{what}", 1)
        return client

    def check_none_waits(self):
        for what in ("join", "connect", "find"):
            self.wait_for_number(f"questions.{what}", 0)


@pytest.fixture
def late(module_server):
    """late(workers, modules, sections) starts such a server."""

    def start(workers=2, modules=("late-one",), sections=None, timeout=NEVER, last="relay",
              env=None):
        return Server(module_server(
            ["log", "probe", *modules, last], workers=workers, sections=sections, env=env,
            installed=["probe", "late-one", "late-two", "asker"], answer_timeout=timeout))

    return start


# Joins.


@WORKERS
def test_a_join_waits_for_the_answer(late, identities, workers):
    server = late(workers)
    with server.join(identities[0]) as client:
        # What it has sent meanwhile is read afterwards.
        client.send(rp.Ping())
        server.tell("late-one", "pass")
        client.expect(SUCCESS)
        client.expect(rp.Pong())
        client.check_alive()
    assert server.number("questions_settled.passed") == 1
    assert server.number("question_duration.join") == 1
    server.check_none_waits()


def test_a_denial_comes_late(late, identities):
    server = late()
    with server.join(identities[0]) as client:
        server.tell("late-one", "deny")
        client.expect_last(NOT_FOUND)
    assert server.number("questions_settled.denied") == 1
    assert server.probe()["metric relay.joins.refused"] == "1"
    server.check_none_waits()


def test_others_are_served_meanwhile(late, identities):
    server = late(1)
    with server.join(identities[0]) as client, server.join(identities[1]) as other:
        with ProtocolConnection(server.address, identities[2]) as third:
            third.check_alive()
        server.tell("late-one", "pass")
        client.expect(SUCCESS)
        other.expect(SUCCESS)


@WORKERS
def test_a_join_without_an_answer_is_told_that_the_relay_is_full(late, identities, workers):
    server = late(workers, timeout="200ms")
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect_last(rp.RelayFull())
    assert server.number("questions_settled.no_answer") == 1
    server.wait_for_log("the module late-one did not decide about a peer within answer-timeout; .* refused")
    server.tell("late-one", "pass")
    server.wait_for_number("answers_dropped.late", 1)
    server.check_none_waits()


def test_a_module_may_admit_whom_it_does_not_answer(late, identities):
    server = late(timeout="200ms", sections={"late-one": {"otherwise": "pass"}})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.join()
        client.check_alive()
    assert server.number("questions_settled.no_answer") == 1


def test_the_time_is_for_all_modules_together(late, identities):
    """The second one cannot wait, because the first has used up the time."""
    server = late(modules=["late-one", "late-two"], timeout="200ms",
                  sections={"late-one": {"otherwise": "pass"}})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect_last(rp.RelayFull())
    server.wait_for_log("late-two: no ticket")


@WORKERS
def test_the_order_of_modules_is_kept(late, identities, workers):
    server = late(workers, modules=["late-one", "late-two"])
    with server.join(identities[0]) as client:
        assert server.transcript("late-two") == []
        server.tell("late-one", "pass")
        server.wait_for_log("late-two: peer_join")
        # A second answer, and one of a module that was not asked, change nothing.
        server.tell("late-one", "deny")
        server.wait_for_number("answers_dropped.second", 1)
        server.tell("late-two", "pass")
        client.expect(SUCCESS)
    # Each was asked once.
    server.stop()
    assert server.transcript("late-one") == ["peer_join"]
    assert server.transcript("late-two") == ["peer_join"]


def test_nobody_answers_for_another(late, identities):
    server = late(modules=["late-one", "late-two"])
    with server.join(identities[0]) as client:
        server.tell("late-two", "late-one:pass")
        server.wait_for_number("answers_dropped.foreign", 1)
        assert server.number("questions.join") == 1
        server.tell("late-one", "deny")
        client.expect_last(NOT_FOUND)


def test_a_wrong_verdict_is_a_refusal(late, identities):
    server = late()
    with server.join(identities[0]) as client:
        server.tell("late-one", "wrong")
        client.expect_last(NOT_FOUND)
    server.wait_for_log("module late-one: peer_join returned 4, which is no verdict")


def test_who_waits_without_a_ticket_refuses(late, identities):
    server = late(sections={"late-one": {"ticketless": "yes"}})
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        client.expect_last(rp.RelayFull())
    server.check_none_waits()


# The ends of what waits.


@WORKERS
@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_connection_that_goes_away_ends_it(late, identities, workers, end):
    server = late(workers)
    client = server.join(identities[0])
    if end == "reset":
        reset(client.sock)
    else:
        client.close()
    server.wait_for_number("questions_settled.closed", 1)
    server.check_none_waits()
    server.tell("late-one", "pass")
    server.wait_for_number("answers_dropped.late", 1)


@WORKERS
@pytest.mark.parametrize("otherwise, answer", [("deny", rp.RelayFull()), ("pass", SUCCESS)])
def test_a_module_that_leaves_ends_it(late, identities, workers, otherwise, answer):
    server = late(workers, sections={"late-one": {"otherwise": otherwise, "haunts": "yes"}})
    with server.join(identities[0]) as client:
        server.configure(["log", "probe", "relay"], answer_timeout=NEVER)
        assert server.reload()[0]
        client.expect(answer)
        assert server.number("questions_settled.module_left") == 1
        # Its thread has answered after its end.
        server.wait_for_number("answers_dropped.late", 1)
    server.check_none_waits()


@WORKERS
@pytest.mark.parametrize("before", [["late-one", "late-two"], ["late-one"]])
def test_who_comes_or_moves_to_the_front_at_a_reload_is_asked(late, identities, workers, before):
    server = late(workers, modules=before)
    with server.join(identities[0]) as client:
        server.configure(["log", "probe", "late-two", "late-one", "relay"], answer_timeout=NEVER)
        assert server.reload()[0]
        server.tell("late-one", "pass")
        server.wait_for_log("late-two: peer_join")
        server.tell("late-two", "deny")
        client.expect_last(NOT_FOUND)
    server.stop()
    assert server.transcript("late-one") == ["peer_join"]


@WORKERS
def test_a_drain_waits_for_it_and_refuses(late, identities, workers):
    server = late(workers)
    with server.join(identities[0]) as client:
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("draining, no newcomers: waits for 0 sessions and 1 peers")
        server.tell("late-one", "pass")
        client.expect_last(rp.RelayFull())
    assert server.wait_for_exit() == 0


@WORKERS
def test_an_upgrade_leaves_it_to_the_old_process(start_upgrading, identities, workers):
    conf = ('modules = {log, late-one, relay}\nanswer-timeout = 10s\ndrain-spread = 100ms\n'
            'late-one { otherwise = pass }\n')
    folders = f"{module_folder()},{folder_of('late-one')}"
    server = start_upgrading("-module-dir", folders, conf=conf, workers=workers)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest())
        server.wait_for_log("late-one: peer_join")
        old, _ = server.upgrade()
        # The page belongs to the new process: nobody answers.
        client.expect(SUCCESS)
        client.expect_last(rp.RelayFull())
    assert server.exit_code(old) == 0


@WORKERS
def test_a_stop_ends_it(late, identities, workers):
    server = late(workers)
    with server.join(identities[0]) as client, server.join(identities[1]) as other:
        server.send_signal(signal.SIGTERM)
        client.expect_close()
        other.expect_close()
    assert server.wait_for_exit() == 0


# Requests for a device.


CONNECT = {"late-one": {"join": "no", "connect": "yes"}}


@WORKERS
def test_a_request_waits_for_the_answer(late, identities, workers):
    server = late(workers, sections=CONNECT)
    with ProtocolConnection(server.address, identities[0]).join() as device:
        with server.ask(identities[1], identities[0]) as asker:
            server.tell("late-one", "pass")
            assert asker.invitation().from_id == identities[0].id
            assert device.invitation().from_id == identities[1].id
    server.check_none_waits()


def test_a_request_that_is_denied_or_late_finds_nothing(late, identities):
    server = late(sections=CONNECT)
    with ProtocolConnection(server.address, identities[0]).join():
        with server.ask(identities[1], identities[0]) as asker:
            server.tell("late-one", "deny")
            asker.expect_last(NOT_FOUND)
        server.configure(["log", "probe", "late-one", "relay"], sections=CONNECT,
                         answer_timeout="200ms")
        assert server.reload()[0]
        with ProtocolConnection(server.address, identities[1]) as asker:
            asker.send(rp.ConnectRequest(identities[0].id))
            asker.expect_last(NOT_FOUND)
    assert server.number("questions_settled.no_answer") == 1


def test_a_device_that_leaves_meanwhile_is_not_found(late, identities):
    server = late(sections=CONNECT)
    with ProtocolConnection(server.address, identities[0]).join() as device:
        with server.ask(identities[1], identities[0]) as asker:
            device.close()
            wait_for(lambda: server.probe()["metric relay.devices"] == "0", "it to leave")
            server.tell("late-one", "pass")
            asker.expect_last(NOT_FOUND)


# Devices that are somewhere else.


@pytest.mark.parametrize("word", ["found", "here"])
@WORKERS
def test_a_module_knows_where_the_device_is(late, identities, workers, word):
    server = late(workers, sections={"late-one": {"find": "yes"}})
    with server.ask(identities[1], identities[0], "find") as asker:
        server.tell("late-one", word)
        invitation = asker.invitation()
        asker.expect_close()
    assert invitation.from_id == identities[0].id and invitation.key == b"key"
    assert not invitation.server_socket
    if word == "found":
        assert (invitation.address, invitation.port) == (bytes([192, 0, 2, 7]), 4321)
    else:
        assert invitation.port == server.address[1]
    assert server.probe()["metric relay.connect_requests.found"] == "1"


@pytest.mark.parametrize("word", ["pass", "deny", "nowhere"])
def test_a_device_that_no_module_knows_is_not_found(late, identities, word):
    server = late(sections={"late-one": {"find": "yes"}, "relay": {"park-asks": "0"}})
    with server.ask(identities[1], identities[0], "find") as asker:
        server.tell("late-one", word)
        asker.expect_last(NOT_FOUND)


def test_who_has_waited_for_a_device_is_sought_elsewhere_once_more(late, identities):
    server = late(sections={"late-one": {"find": "yes"}})
    with server.ask(identities[1], identities[0], "find") as asker:
        server.tell("late-one", "pass")
        # Soon after the start it waits for any device.
        server.wait_for_number("questions.find", 0)
        server.wait_for_number("questions.find", 1)
        server.tell("late-one", "pass")
        asker.expect_last(NOT_FOUND)


def test_a_search_that_takes_too_long_finds_nothing(late, identities):
    server = late(sections={"late-one": {"find": "yes"}}, timeout="200ms")
    with ProtocolConnection(server.address, identities[1]) as asker:
        asker.send(rp.ConnectRequest(identities[0].id))
        asker.expect_last(NOT_FOUND)
    server.check_none_waits()


# Another protocol, see tests/modules/asker.c.


class Orders:
    """A connection to the module asker."""

    def __init__(self, server, source=None):
        self.sock = dial(server.address, source)
        self.lines = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.sock.close()

    def order(self, letter):
        self.sock.sendall(letter.encode())
        return self.hear()

    def hear(self):
        self.sock.settimeout(PATIENCE)
        return self.lines.readline().decode().rstrip("\n")


@pytest.mark.parametrize("order", ["o", "c"], ids=["join", "connect"])
def test_a_protocol_that_cannot_wait_gets_a_refusal(late, order):
    server = late(last="asker", sections={"late-one": {"connect": "yes"}})
    with Orders(server) as peer:
        assert peer.order(order) == "deny cannot-wait"
    server.wait_for_log("late-one: no ticket")
    server.check_none_waits()


def test_a_connection_has_one_question_at_a_time(late):
    server = late(last="asker")
    with Orders(server) as peer:
        assert peer.order("j") == "wait"
        assert peer.order("j") == "deny waits-already"
        server.tell("late-one", "pass")
        assert peer.hear() == "pass"
        assert peer.order("j") == "wait"
        server.tell("late-one", "deny")  # and the first ticket once more
        assert peer.hear() == "deny late-denial"
    server.wait_for_number("answers_dropped.late", 1)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_move_ends_it(late, workers):
    server = late(workers, last="asker")
    with Orders(server) as peer:
        assert peer.order("j") == "wait"
        assert peer.order("m") == "moved"
        assert server.number("questions_settled.closed") == 1
        server.tell("late-one", "pass")
        server.wait_for_number("answers_dropped.late", 1)
        assert peer.order("j") == "wait"
        server.tell("late-one", "pass")
        assert peer.hear() == "pass"


@pytest.mark.parametrize("workers", [1, 2])
def test_who_is_moved_stays_a_stranger(late, workers):
    """It can be evicted for others, and takes none of the places of max-connections."""
    server = late(workers, last="asker")
    with Orders(server) as peer:
        assert peer.order("m") == "moved"
        assert server.number("strangers") == 1
        assert peer.order("m") == "moved"
        assert server.number("strangers") == 1
    server.wait_for_number("strangers", 0)


def test_a_session_ends_it(late):
    server = late(1, last="asker")
    with Orders(server) as first, Orders(server) as second:
        assert first.order("j") == "wait"
        assert first.order("p") == "first"
        second.sock.sendall(b"p")
        server.wait_for_number("questions_settled.closed", 1)
        first.sock.sendall(b"across\n")
        assert second.hear() == "across"
    server.check_none_waits()


def test_a_source_has_a_bound_and_others_go_on(late):
    """Not marked `limits`: a server with 256 descriptors closes some of so many connections."""
    server = late(last="asker")
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Orders(server, "127.0.0.2")) for _ in range(256)]
        one_more = stack.enter_context(Orders(server, "127.0.0.2"))
        other = stack.enter_context(Orders(server, "127.0.0.3"))
        for peer in peers:
            assert peer.order("j") == "wait"
        assert one_more.order("j") == "deny waiting-per-source"
        assert other.order("j") == "wait"
        assert server.number("questions_refused.source") == 1
        server.wait_for_log("could not take its time to decide about a peer: waiting-per-source")
    server.check_none_waits()


@pytest.mark.limits
def test_a_device_has_a_bound(late, identities):
    server = late(sections=CONNECT)
    with ProtocolConnection(server.address, identities[0]).join(), contextlib.ExitStack() as stack:
        asker, *others = [stack.enter_context(ProtocolConnection(server.address, identities[1]))
                          for _ in range(65)]
        for other in others:
            other.send(rp.ConnectRequest(identities[0].id))
        server.wait_for_number("questions.connect", 64)
        asker.send(rp.ConnectRequest(identities[0].id))
        asker.expect_last(NOT_FOUND)
        assert server.number("questions_refused.device") == 1


@faults.needs_memory
def test_without_memory_there_is_no_ticket(late, tmp_path):
    fault = faults.Faults(tmp_path)
    server = late(1, last="asker", env=fault.environment)
    answers = []
    # Another thread may allocate at the same moment.
    for number in (1, 2, 3) * 5:
        with Orders(server) as peer:
            assert peer.order("o") == "deny cannot-wait"  # so the connection is open
            fault.begin(faults.MEMORY, number)
            answers.append(peer.order("j"))
            fault.end()
        if number == 3 and "deny no-memory" in answers:
            break
    assert set(answers) <= {"wait", "deny no-memory"} and "deny no-memory" in answers, answers
    assert server.number("questions_refused.memory") == answers.count("deny no-memory")
    server.check_none_waits()


@faults.needs_memory
def test_an_answer_that_has_no_memory_does_not_arrive(late, tmp_path):
    """What the module has said for this case counts when the time is over."""
    fault = faults.Faults(tmp_path)
    server = late(1, last="asker", env=fault.environment, timeout="1s")
    with Orders(server) as peer:
        assert peer.order("j") == "wait"
        fault.begin(faults.MEMORY, 1, length=0)
        # The page itself may fail, too.
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            server.get("/late-one?pass")
        fault.end()
        assert peer.hear() in ("deny no-answer", "pass")
    server.check_none_waits()
