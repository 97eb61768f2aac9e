# SPDX-License-Identifier: MPL-2.0
"""The module admission: a web service decides who may join or ask."""

import contextlib
import json
import signal
import socket
import threading

import pytest

import device_id
import relay_protocol as rp
from module_server import failing_start, module_server  # noqa: F401
from pairing import Invited
from pool_double import Authority
from relay_client import ProtocolConnection, SessionConnection
from relay_server import module_folder
from streams import Stream, rates
from suspending import suspended
from upgrading import start_upgrading  # noqa: F401
from verdict_endpoint import Endpoint, says, tls_context
from verdict_server import SUCCESS, asking, endpoint, hold  # noqa: F401
from waiting import Deadline, wait_for

NOT_FOUND = rp.response(rp.NOT_FOUND)
FULL = rp.RelayFull()
WORKERS = pytest.mark.parametrize("workers", [1, 2])


def sent_away(client):
    assert client.receive_answering_pings() == FULL
    client.expect_close()


# Questions and answers.


@WORKERS
def test_who_is_allowed_joins(asking, endpoint, identities, workers):  # noqa: F811
    server = asking(workers=workers)
    assert server.answer_to(identities[0]) == SUCCESS
    assert endpoint.asked[0].json == {
        "what": "join", "device": device_id.to_text(identities[0].id), "address": "127.0.0.1"}
    assert endpoint.asked[0].headers["Content-Type"] == "application/json"
    assert server.number("asked.join") == 1 and server.number("answered.allowed") == 1


@WORKERS
def test_who_is_denied_does_not_join(asking, endpoint, identities, workers):  # noqa: F811
    server = asking(workers=workers)
    endpoint.answer = lambda asked: says(allow=False, reason="who is\nthis?")
    assert server.answer_to(identities[0]) == NOT_FOUND
    server.wait_for_log(r"admission: the endpoint denies joining to device "
                        + device_id.to_text(identities[0].id) + r": who is\\x0athis\?")
    assert server.number("answered.denied") == 1


def test_who_may_ask_is_asked_for_the_target_too(asking, endpoint, identities):  # noqa: F811
    server = asking()
    with server.joined(identities[0]) as device:
        with ProtocolConnection(server.address, identities[1]) as client:
            client.request(identities[0].id)
        device.invitation()
        assert endpoint.asked[1].json == {
            "what": "ask", "device": device_id.to_text(identities[1].id),
            "target": device_id.to_text(identities[0].id), "address": "127.0.0.1"}
        endpoint.answer = lambda asked: says(allow=asked.json["what"] == "join")
        with ProtocolConnection(server.address, identities[2]) as client:
            client.send(rp.ConnectRequest(identities[0].id))
            client.expect_last(NOT_FOUND)
    assert server.number("asked.ask") == 2


@pytest.mark.parametrize("what, asked", [("joins", 1), ("asks", 1), ("both", 2)])
def test_only_what_is_chosen_is_asked(asking, endpoint, identities, what, asked):  # noqa: F811
    server = asking(what=what)
    with server.joined(identities[0]):
        with ProtocolConnection(server.address, identities[1]) as client:
            client.request(identities[0].id)
    assert len(endpoint.asked) == asked
    assert server.number("asked.join") == (what != "asks")


def test_the_name_of_the_token_is_told(asking, endpoint, identities, tmp_path):  # noqa: F811
    names = tmp_path / "names"
    names.write_text("alice:of-alice\n")
    server = asking(modules=["access"], sections={"access": {"named-tokens": str(names)}})
    with server.joined(identities[0], "of-alice"):
        assert endpoint.asked[0].json["token"] == "alice"
        assert "of-alice" not in str(endpoint.asked[0])
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.ConnectRequest(identities[1].id))
            client.expect_last(NOT_FOUND)
        assert endpoint.asked[1].json["token"] == "alice"


def test_connections_are_kept(asking, endpoint, identities):  # noqa: F811
    server = asking(connections=1, cache=0)
    for identity in identities[:3]:
        assert server.answer_to(identity) == SUCCESS
    assert len({asked.peer for asked in endpoint.asked}) == 1


# The cache, and who is asked about again.


def test_an_answer_counts_for_a_while(asking, endpoint, identities):  # noqa: F811
    server = asking()
    endpoint.answer = lambda asked: says(allow=asked.json["device"] != device_id.to_text(
        identities[1].id), cache_for="1h")
    for _ in range(2):
        assert server.answer_to(identities[0]) == SUCCESS
        assert server.answer_to(identities[1]) == NOT_FOUND
    assert len(endpoint.asked) == 2
    assert server.number("cache_hits.allowed") == 1 and server.number("cache_hits.denied") == 1
    # Another address or token is another question.
    assert server.answer_to(identities[0], source="127.0.0.2") == SUCCESS
    assert server.answer_to(identities[0], token="other") == SUCCESS
    assert len(endpoint.asked) == 4 and server.number("cached") == 4
    # A reload empties it.
    server.change()
    assert server.number("cached") == 0


def test_the_cache_is_bounded(asking, endpoint, identities):  # noqa: F811
    server = asking(cache=2, cache_for="1h")
    for identity in identities[:3]:
        assert server.answer_to(identity) == SUCCESS
    assert server.number("cached") == 2
    assert server.answer_to(identities[2]) == SUCCESS
    assert len(endpoint.asked) == 3
    assert server.answer_to(identities[0]) == SUCCESS
    assert len(endpoint.asked) == 4


def test_an_answer_for_this_once_is_not_kept(asking, endpoint, identities):  # noqa: F811
    server = asking()
    endpoint.answer = lambda asked: says(allow=True, cache_for=0)
    for _ in range(2):
        assert server.answer_to(identities[0]) == SUCCESS
    assert len(endpoint.asked) == 2 and server.number("cached") == 0


def test_who_is_denied_later_leaves(asking, endpoint, identities):  # noqa: F811
    server = asking(relay={"ping-interval": "1s"})
    leaves = device_id.to_text(identities[0].id)
    endpoint.answer = lambda asked: says(allow=True, cache_for="100ms")
    with server.joined(identities[0]) as one, server.joined(identities[1]) as other:
        endpoint.answer = lambda asked: says(
            allow=asked.json["device"] != leaves, cache_for="100ms")
        sent_away(one)
        assert endpoint.asked[-1].json["what"] == "join"
        for _ in range(3):
            assert other.receive() == rp.Ping()
            other.send(rp.Pong())
    assert server.number("withdrawn") == 1
    server.wait_for_log(f"the endpoint denies staying to device {leaves}: it gives no reason")
    # Who has left is not asked about again.
    wait_for(lambda: server.probe()["metric relay.devices"] == "0", "both to leave")
    count = server.number("asked.again")
    endpoint.answer = lambda asked: says(allow=True)
    assert server.answer_to(identities[2]) == SUCCESS
    assert server.number("asked.again") <= count + 1


def test_who_cannot_be_asked_about_again_stays(asking, endpoint, identities):  # noqa: F811
    server = asking(relay={"ping-interval": "1s"}, retries=0)
    endpoint.answer = lambda asked: says(allow=True, cache_for="100ms")
    with server.joined(identities[0]) as client:
        endpoint.answer = lambda asked: (500, b"", {})
        wait_for(lambda: server.number("failures.status") > 0, "a failure")
        for _ in range(3):
            assert client.receive() == rp.Ping()
            client.send(rp.Pong())
    server.wait_for_log("no answer about a device, which is therefore kept: status")


# Rates, weights and quotas.


def send_through(server, identities, size, token=""):
    """A session of a joined device; `size` bytes are sent in it.  Returns the device."""
    device = server.joined(identities[0], token)
    with contextlib.ExitStack() as stack:
        with ProtocolConnection(server.address, identities[1]) as asker:
            one = asker.request(identities[0].id)
        other = device.invitation()
        sides = [stack.enter_context(SessionConnection(server.address)).join(invitation.key)
                 for invitation in (one, other)]
        sides[0].send_bytes(bytes(size))
        assert sides[1].receive_bytes(size) == bytes(size)
    return device


@pytest.mark.parametrize("rate", ["200kB/s", 200_000])
def test_a_rate_counts_from_the_first_session_on(asking, endpoint, identities, rate):  # noqa: F811
    server = asking(modules=["rate-limit"], what="joins")
    endpoint.answer = lambda asked: says(allow=True, rate=rate, weight=3)
    with server.joined(identities[2]):
        pass
    with send_through(server, identities, 150_000):
        assert int(server.probe()["metric rate-limit.held_back.device"]) > 0
    # By an earlier answer, too.
    before = int(server.probe()["metric rate-limit.held_back.device"])
    with send_through(server, identities, 150_000):
        assert int(server.probe()["metric rate-limit.held_back.device"]) > before
    assert server.number("cache_hits.allowed") >= 1


@pytest.mark.parametrize("own, answered", [("200kB/s", "20MB/s"), ("20MB/s", "200kB/s")])
def test_of_a_token_and_an_answer_the_lower_rate_counts(asking, endpoint, identities,  # noqa: F811
                                                        tmp_path, own, answered):
    names = tmp_path / "names"
    names.write_text(f"alice:of-alice rate={own}\n")
    server = asking(modules=["access", "rate-limit"], what="joins",
                    sections={"access": {"named-tokens": str(names)}})
    endpoint.answer = lambda asked: says(allow=True, rate=answered)

    with send_through(server, identities, 150_000, "of-alice"):
        assert int(server.probe()["metric rate-limit.held_back.device"]) > 0


def test_weights_are_shares(asking, endpoint, identities):  # noqa: F811
    server = asking(modules=["rate-limit"], what="joins",
                    sections={"rate-limit": {"global": "4MB/s"}})
    heavy_one = device_id.to_text(identities[0].id)
    endpoint.answer = lambda asked: says(
        allow=True, weight=3 if asked.json["device"] == heavy_one else 1)
    with contextlib.ExitStack() as stack:
        heavy, light = rates([
            Stream(*stack.enter_context(Invited(server, asker, target)).join_both())
            for asker, target in (identities[1::-1], identities[3:1:-1])])
    assert 2 < heavy / light < 4.5, f"{heavy:.0f} and {light:.0f}, want 3 to 1"


def test_without_a_rate_nothing_is_held_back(asking, identities):  # noqa: F811
    server = asking(modules=["rate-limit"], what="joins")
    with send_through(server, identities, 150_000):
        assert server.probe()["metric rate-limit.held_back.device"] == "0"


def test_a_rate_that_nobody_keeps_is_told(asking, endpoint, identities):  # noqa: F811
    server = asking()
    endpoint.answer = lambda asked: says(allow=True, rate="1MB/s")
    assert server.answer_to(identities[0]) == SUCCESS
    server.wait_for_log("rates and weights of answers are not kept: the module rate-limit")


@pytest.fixture
def quota_state(tmp_path):
    state = tmp_path / "quota.state"
    state.write_text("new\n")
    return {"quota": {"state-file": str(state), "count": "relayed"}}


def test_a_used_up_quota_sends_away(asking, endpoint, identities, quota_state):  # noqa: F811
    server = asking(modules=["quota"], sections=quota_state, what="joins",
                    relay={"ping-interval": "1s"})
    endpoint.answer = lambda asked: says(allow=True, quota="50kB")
    with send_through(server, identities, 70_000) as device:
        sent_away(device)
    assert server.answer_to(identities[0]) == FULL
    assert server.answer_to(identities[2]) == SUCCESS
    server.wait_for_log("a device was refused that has used up its quota")
    # It is counted by month, and not by stay.
    wait_for(lambda: server.probe()["metric relay.devices"] == "0", "all to leave")
    server.change()
    assert server.answer_to(identities[0]) == FULL


def test_who_was_admitted_without_an_answer_and_is_denied_gets_no_new_session(
        asking, endpoint, identities):  # noqa: F811
    server = asking(fail_open="yes", retries=0, breaker_pause="100ms", relay={"ping-interval": "1s"})
    endpoint.answer = lambda asked: (500, b"", {})
    with server.joined(identities[0]) as device, \
            ProtocolConnection(server.address, identities[1]) as asker:
        keys = asker.request(identities[0].id).key, device.invitation().key
        with SessionConnection(server.address).join(keys[0]) as one, \
                SessionConnection(server.address).join(keys[1]) as other:
            other.send_bytes(bytes(5000))
            assert one.receive_bytes(5000) == bytes(5000)
            endpoint.answer = lambda asked: says(allow=False)
            wait_for(lambda: server.number("withdrawn"), "it to be denied")
            with ProtocolConnection(server.address, identities[2]) as late:
                assert late.ask(rp.ConnectRequest(identities[0].id)) == NOT_FOUND
            other.send_bytes(b"still here")
            assert one.receive_bytes(10) == b"still here"


@pytest.mark.parametrize("end", ["used up", "denied"])
@pytest.mark.parametrize("what", ["joins", "both"])
def test_who_may_not_stay_gets_no_new_session(asking, endpoint, identities, quota_state, end,  # noqa: F811
                                              what):
    server = asking(modules=["quota"], sections=quota_state, what=what, relay={"ping-interval": "1s"})
    denied = []
    endpoint.answer = lambda asked: says(
        allow=asked.json["what"] == "ask" or asked.json["device"] not in denied,
        quota="50kB", cache_for="100ms")
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(server.joined(identities[0]))
        stack.enter_context(server.joined(identities[2]))

        def invited(asker):
            with ProtocolConnection(server.address, asker) as client:
                return client.request(identities[0].id).key, device.invitation().key

        def absent(asker, target):
            with ProtocolConnection(server.address, identities[asker]) as client:
                return client.ask(rp.ConnectRequest(identities[target].id)) == NOT_FOUND

        sides = [stack.enter_context(SessionConnection(server.address)).join(key)
                 for key in invited(identities[1])]
        # Else it could be ended after 3 s, when others ask for the device.
        sides[1].send_bytes(bytes(5000))
        assert sides[0].receive_bytes(5000) == bytes(5000)
        keys = invited(identities[3])
        if end == "denied":
            denied.append(device_id.to_text(identities[0].id))
            wait_for(lambda: server.number("withdrawn"), "it to be denied")
        else:
            sides[0].send_bytes(bytes(70_000))
            assert sides[1].receive_bytes(70_000) == bytes(70_000)
            wait_for(lambda: absent(3, 0), "the quota to be used up")
        for asker, target in ((3, 0), (0, 2), (0, 0)):
            assert absent(asker, target)
        # What it was invited to does not begin; what runs goes on.
        with SessionConnection(server.address) as first, SessionConnection(server.address) as second:
            for client, key in zip((first, second), keys):
                client.send(rp.JoinSessionRequest(key))
            first.receive_to_end()
        sides[0].send_bytes(b"still here")
        assert sides[1].receive_bytes(10) == b"still here"
        for side in sides:
            side.close()
        # Invitations from before.
        while (message := device.receive_answering_pings()) != FULL:
            assert isinstance(message, rp.SessionInvitation), message


def test_a_quota_that_nobody_counts_refuses(asking, endpoint, identities):  # noqa: F811
    server = asking()
    endpoint.answer = lambda asked: says(allow=True, quota=1_000_000)
    assert server.answer_to(identities[0]) == FULL
    server.wait_for_log("devices with a quota are refused: the module quota is not enabled")


# An endpoint that fails.


def redirects(asked):
    return 302, b"", {"Location": f"http://{asked.headers['Host']}/elsewhere"}


FAILURES = {
    "status": (lambda asked: (500, b'{"allow": true}', {})),
    "rejected": (lambda asked: (404, b'{"allow": true}', {})),
    "redirect": redirects,
    "unreadable": (lambda asked: (200, b'{"allow": tr', {})),
    "other-device": (lambda asked: says(
        allow=True, device=device_id.to_text(b"\7" * 32))),
    "long": (lambda asked: (200, b'{"allow": true}' + b" " * 10_000_000, {})),
    "timeout": (lambda asked: None),
    # It announces more than it sends, and then closes.
    "unreached": (lambda asked: (200, b'{"allow": true}', {
        "Content-Length": "100", "Connection": "close"})),
}


@pytest.mark.parametrize("fail_open", ["no", "yes"])
@pytest.mark.parametrize("reason", FAILURES)
def test_a_failure_refuses_or_admits(asking, endpoint, identities, reason, fail_open):  # noqa: F811
    endpoint.answer = FAILURES[reason]
    server = asking(fail_open=fail_open, retries=0,
                    timeout="200ms" if reason == "timeout" else "20s")
    assert server.answer_to(identities[0]) == (SUCCESS if fail_open == "yes" else FULL)
    assert server.number(f"failures.{reason}") == 1
    assert server.number("answered.allowed") == 0 and server.number("cached") == 0
    server.wait_for_log(f"therefore {'admitted' if fail_open == 'yes' else 'refused'}: {reason}")
    assert {asked.path for asked in endpoint.asked} == {"/verdict"}


def test_headers_without_end_are_not_taken(asking, identities):  # noqa: F811
    """Also those after the body, of which libcurl takes any number."""
    def serve(listener):
        sock, _ = listener.accept()
        with sock, contextlib.suppress(OSError):
            sock.recv(65536)
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"e\r\n{\"allow\":true}\r\n0\r\n")
            for _ in range(10_000):
                sock.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = asking(url=f"http://127.0.0.1:{listener.getsockname()[1]}/", retries=0)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        assert server.answer_to(identities[0]) == FULL
        assert server.number("failures.long") == 1


def test_an_answer_that_came_in_a_stall_counts(asking, endpoint, identities):  # noqa: F811
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking(answer_timeout="1s", workers=1)
    with server.asking(identities[0]) as client:
        with suspended(server):
            release.set()
            wait_for(Deadline(1.5).passed, "the time to pass", Deadline(60))
        client.expect(SUCCESS)


def test_who_comes_too_late_is_not_admitted_because_of_it(asking, endpoint, identities):  # noqa: F811
    """With fail-open a flood would let in whom the endpoint denies."""
    hold(endpoint)
    server = asking(fail_open="yes", connections=1, answer_timeout="1s", retries=0)
    with server.asking(identities[0]) as first, \
            ProtocolConnection(server.address, identities[1]) as second:
        second.send(rp.JoinRelayRequest(""))
        second.expect_last(FULL)
        assert server.number("failures.late") == 1
        first.expect(SUCCESS)  # its request hangs


def test_who_was_admitted_without_an_answer_is_asked_about(asking, endpoint, identities):  # noqa: F811
    server = asking(fail_open="yes", retries=0, breaker_pause="100ms",
                    relay={"ping-interval": "1s"})
    endpoint.answer = lambda asked: (500, b"", {})
    with server.joined(identities[0]) as client:
        endpoint.answer = lambda asked: says(allow=False)
        sent_away(client)
    assert server.number("withdrawn") == 1 and server.number("asked.again") >= 1


def test_an_endpoint_that_is_down(asking, endpoint, identities):  # noqa: F811
    server = asking(retries=0)
    endpoint.close()
    assert server.answer_to(identities[0]) == FULL
    assert server.number("failures.unreached") == 1


def test_a_request_is_made_again(asking, endpoint, identities):  # noqa: F811
    server = asking(retries=2)
    answers = [(500, b"", {}), (503, b"", {}), says(allow=True)]
    endpoint.answer = lambda asked: answers.pop(0)
    assert server.answer_to(identities[0]) == SUCCESS
    assert len(endpoint.asked) == 3 and server.number("failures.status") == 0
    # What is wrong once is wrong again.
    endpoint.answer = FAILURES["unreadable"]
    assert server.answer_to(identities[1]) == FULL
    assert len(endpoint.asked) == 4


def test_the_server_does_not_wait_longer_than_for_any_module(asking, endpoint, identities):  # noqa: F811
    hold(endpoint)
    server = asking(answer_timeout="200ms")
    assert server.answer_to(identities[0]) == FULL
    server.wait_for_log("the module admission did not decide about a peer within answer-timeout")
    assert len(endpoint.asked) == 1 and server.number("breaker") == 0


def test_the_breaker_opens_and_closes(asking, endpoint, identities):  # noqa: F811
    server = asking(retries=0, breaker_failures=2, breaker_pause="300ms", cache=0)
    endpoint.answer = FAILURES["status"]
    for _ in range(2):
        assert server.answer_to(identities[0]) == FULL
    assert server.number("breaker") == 2
    server.wait_for_log("the endpoint fails again and again")
    server.change(breaker_pause="1h")
    for _ in range(2):
        assert server.answer_to(identities[0]) == FULL
    asked = len(endpoint.asked)
    assert asked == 4 and server.number("breaker") == 2  # a reload had closed it
    assert server.answer_to(identities[0]) == FULL
    assert len(endpoint.asked) == asked and server.number("failures.breaker") == 1
    server.change(breaker_pause="300ms")
    for _ in range(2):
        assert server.answer_to(identities[0]) == FULL
    endpoint.answer = lambda asked: says(allow=True)
    wait_for(lambda: server.answer_to(identities[0]) == SUCCESS, "a trial")
    assert server.number("breaker") == 0
    server.wait_for_log("the endpoint answers again")


# While a question is open.


def test_a_reload_changes_the_endpoint_for_the_next_question(asking, endpoint, identities):  # noqa: F811
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking()
    with Endpoint(lambda asked: says(allow=False)) as other, server.asking(identities[0]) as client:
        server.change(url=other.url)
        assert server.answer_to(identities[1]) == NOT_FOUND
        release.set()
        client.expect(SUCCESS)
        assert len(other.asked) == 1


@WORKERS
def test_the_module_leaves_while_a_question_is_open(asking, endpoint, identities, workers):  # noqa: F811
    hold(endpoint)
    server = asking(workers=workers)
    with server.asking(identities[0]) as client:
        server.configure(["log", "probe", "relay"])
        assert server.reload()[0]
        client.expect_last(FULL)
        with ProtocolConnection(server.address, identities[1]) as other:
            other.join()
    # And comes again.
    endpoint.answer = lambda asked: says(allow=False)
    server.change()
    assert server.answer_to(identities[0]) == NOT_FOUND


def test_a_drain_waits_for_the_answer(asking, endpoint, identities):  # noqa: F811
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    server = asking()
    with server.asking(identities[0]) as client:
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("drain")
        release.set()
        client.expect_last(FULL)
    assert server.wait_for_exit() == 0


@WORKERS
def test_a_stop_ends_it(asking, endpoint, identities, workers):  # noqa: F811
    hold(endpoint)
    server = asking(workers=workers, connections=1)
    with server.asking(identities[0]) as client, \
            ProtocolConnection(server.address, identities[1]) as queued:
        queued.send(rp.JoinRelayRequest(""))
        server.wait_for_number("queued", 1)
        server.send_signal(signal.SIGTERM)
        client.expect_close()
        queued.expect_close()
    assert server.wait_for_exit() == 0


@WORKERS
def test_an_upgrade_leaves_it_to_the_old_process(start_upgrading, endpoint,  # noqa: F811
                                                 identities, workers):
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True))[1]
    conf = ("modules = {log, admission, relay}\nanswer-timeout = 20s\ndrain-spread = 100ms\n"
            f'admission {{ url = "{endpoint.url}"\n timeout = 20s }}\n')
    server = start_upgrading("-module-dir", str(module_folder()), conf=conf, workers=workers)
    with ProtocolConnection(server.address, identities[0]) as client:
        client.send(rp.JoinRelayRequest(""))
        endpoint.wait_for_questions(1)
        old, _ = server.upgrade()
        release.set()
        client.expect(SUCCESS)
        client.expect_last(FULL)
    assert server.exit_code(old) == 0
    with ProtocolConnection(server.address, identities[0]) as client:
        assert client.ask(rp.JoinRelayRequest("")) == SUCCESS


def test_a_device_that_leaves_while_it_is_asked_about(asking, endpoint, identities):  # noqa: F811
    release = threading.Event()
    endpoint.answer = lambda asked: (release.wait(), says(allow=True, rate="1MB/s"))[1]
    server = asking(modules=["rate-limit"])
    server.asking(identities[0]).close()
    wait_for(lambda: server.probe()["metric core.questions.join"] == "0", "it to be noticed")
    release.set()
    server.wait_for_number("answered.allowed", 1)
    assert server.answer_to(identities[1]) == SUCCESS


# How the endpoint is reached.


def test_tls_with_a_client_certificate_and_a_token(asking, endpoint, identities, tmp_path):  # noqa: F811
    authority = Authority(tmp_path)
    files = authority.server_files("127.0.0.1")
    (tmp_path / "token").write_text("of-the-endpoint\n")
    own = dict(token_file=str(tmp_path / "token"), client_cert=str(files), client_key=str(files))
    with Endpoint(context=tls_context(files, authority.file)) as secure:
        server = asking(endpoint=secure, ca_file=str(authority.file), **own)
        assert server.answer_to(identities[0]) == SUCCESS
        assert secure.asked[0].headers["Authorization"] == "Bearer of-the-endpoint"
        assert "of-the-endpoint" not in server.log()
        # Without its authority it is not believed, and without a certificate nobody is served.
        server.change(ca_file="", retries=0)
        assert server.answer_to(identities[0]) == FULL
        server.change(ca_file=str(authority.file), client_cert="", client_key="")
        assert server.answer_to(identities[0]) == FULL
        assert len(secure.asked) == 1 and server.number("failures.unreached") == 2


def test_a_unix_socket(asking, identities, tmp_path):  # noqa: F811
    with Endpoint(path=tmp_path / "s") as local:
        server = asking(endpoint=local, url="http://localhost/verdict",
                        unix_socket=str(tmp_path / "s"))
        assert server.answer_to(identities[0]) == SUCCESS
        assert local.asked[0].path == "/verdict"


def test_a_token_without_tls_is_warned_of(asking, tmp_path):  # noqa: F811
    (tmp_path / "token").write_text("of-the-endpoint\n")
    asking(token_file=str(tmp_path / "token")).wait_for_log("the token is sent without TLS")


# Other dialects.


def test_the_dialect_of_derper(asking, endpoint, identities):  # noqa: F811
    server = asking(dialect="derper", what="joins")
    allowed = "nodekey:" + identities[0].id.hex()
    endpoint.answer = lambda asked: (
        200, json.dumps({"Allow": asked.json["NodePublic"] == allowed}).encode(), {})
    assert server.answer_to(identities[0]) == SUCCESS
    assert server.answer_to(identities[1]) == NOT_FOUND
    assert endpoint.asked[0].json == {"NodePublic": allowed, "Source": "127.0.0.1"}


def test_the_dialect_of_iroh(asking, endpoint, identities):  # noqa: F811
    server = asking(dialect="iroh", what="joins")
    allowed = identities[0].id.hex()
    endpoint.answer = lambda asked: (
        200, b"true" if asked.headers["X-Iroh-NodeId"] == allowed else b"false", {})
    assert server.answer_to(identities[0]) == SUCCESS
    assert server.answer_to(identities[1]) == NOT_FOUND
    assert endpoint.asked[0].headers["X-Iroh-Endpoint-Id"] == allowed
    assert endpoint.asked[0].body == b""
    endpoint.answer = lambda asked: (403, b"true", {})
    assert server.answer_to(identities[2]) == NOT_FOUND


# Wrong options.


def test_wrong_options_fail_the_start(failing_start, tmp_path):  # noqa: F811
    (tmp_path / "empty").write_text("")
    (tmp_path / "two").write_text("one\ntwo\n")
    (tmp_path / "cert").write_text("-----BEGIN CERTIFICATE-----\n")
    url = "http://127.0.0.1:1/"
    for options, why in [
            ({}, "is no URL; write https://HOST/PATH"),
            ({"url": "ftp://h/"}, 'url: "ftp://h/" is no URL; write https://HOST/PATH'),
            ({"url": "https://h:99999/"}, 'url: "https://h:99999/" is no URL ('),
            ({"url": "https://u:secret@h:0x/"}, 'url: "***" is no URL ('),
            ({"url": "https://[::1"}, 'url: "https://[::1" is no URL ('),
            ({"url": url, "client-cert": str(tmp_path / "cert")}, "client-cert and client-key: name both or none"),
            ({"url": url, "unix-socket": "s"}, "unix-socket: write a full path"),
            ({"url": url, "token-file": str(tmp_path / "no")}, "token-file: cannot open"),
            ({"url": url, "token-file": str(tmp_path / "empty")}, "token-file: "),
            ({"url": url, "token-file": str(tmp_path / "two")}, "has more than one line"),
            ({"url": url, "ca-file": str(tmp_path / "two")}, "ca-file: there is no"),
    ]:
        code, log = failing_start(["log", "admission", "relay"], sections={"admission": options})
        assert code and why in log, (options, log)


def test_a_reload_with_a_wrong_file_is_refused(asking, endpoint, identities, tmp_path):  # noqa: F811
    server = asking()
    server.options["token-file"] = str(tmp_path / "no")
    server.server.configure(server.modules, server._all(), answer_timeout="20s")
    ok, log = server.reload()
    assert not ok and "token-file: cannot open" in str(log)
    assert server.answer_to(identities[0]) == SUCCESS


def test_an_endpoint_that_never_accepts(asking, identities):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        server = asking(url="http://127.0.0.1:%d/" % deaf.getsockname()[1], timeout="300ms",
                        retries=0)
        assert server.answer_to(identities[0]) == FULL
