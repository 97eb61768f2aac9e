# SPDX-License-Identifier: MPL-2.0
"""Listeners with sections: a name, and options of their own."""

import contextlib
import socket
import subprocess
import threading

import pytest

import relay_protocol as rp
from control_client import control_folder, controlled, metric, shown  # noqa: F401
from module_server import module_server  # noqa: F401
from pairing import Invited, check_both_ways
from proxy_sender import CLIENT, Proxied, version2
from relay_client import NO_SUCH_KEY, Closed, MessageStream, ProtocolConnection, SessionConnection, dial
from relay_server import Program, free_port, module_folder
from relay_server import run as run_program
from reloading import reloadable, sockets_of  # noqa: F401
from streams import CheckedStream
from upgrading import start_upgrading  # noqa: F401
from waiting import PATIENCE, wait_for

MODULES = "modules = { log, bounds, relay, prometheus }\n"
STATUS = 'status-srv = "127.0.0.1:0"\n'


def at(port):
    return f"127.0.0.1:{port}"


def section(name, port, more=""):
    return f'listener "{name}" {{\n\taddress = "{at(port)}"\n\t{more}\n}}\n'


def listed(*ports):
    return "listen = { " + ", ".join(f'"{at(port)}"' for port in ports) + " }\n"


def of(server, what, listener):
    return metric(server, f'strelaysrv_core_listener_{what}{{listener="{listener}"}}')


def join(port, identity, token=None):
    return ProtocolConnection(("127.0.0.1", port), identity).join(token)


def answer_to_join(port, identity, token=None):
    with ProtocolConnection(("127.0.0.1", port), identity) as device:
        return device.ask(rp.JoinRelayRequest(token))


def test_each_listener_is_counted_by_its_name_or_address(reloadable, identities):  # noqa: F811
    named, unnamed = free_port(), free_port()
    relay = reloadable(MODULES + STATUS + listed(unnamed) + section("main", named))
    with join(named, identities[0]), join(unnamed, identities[1]), join(named, identities[2]):
        assert of(relay.server, "connections", "main") == 2
        assert of(relay.server, "connections", at(unnamed)) == 1
    wait_for(lambda: of(relay.server, "connections", "main") == 0, "the end of both")
    assert of(relay.server, "accepted_total", "main") == 2
    assert relay.told_port == unnamed, "the words of listen come first"


def test_another_protocol_has_a_listener_of_its_own(module_server):  # noqa: F811
    """Which connections it takes is its own decision, by the listener's name."""
    port = free_port()
    server = module_server(
        ["log", "echo-pair", "relay"], installed=["echo-pair"],
        sections={'listener "echo"': {"address": at(port)}, "echo-pair": {"listener": "echo"}})
    with SessionConnection(server.address) as client:
        assert client.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    with dial(("127.0.0.1", port)) as one, dial(("127.0.0.1", port)) as other:
        one.sendall(b"hello")
        other.sendall(b"world")
        assert one.recv(5) == b"world" and other.recv(5) == b"hello"


def test_an_operator_is_shown_the_listeners(controlled, identities):  # noqa: F811
    port = free_port()
    server = controlled(sections={'listener "main"': {"address": at(port), "max-connections": 1}})
    with join(port, identities[0]), join(server.address[1], identities[1]):
        assert answer_to_join(port, identities[2]) == rp.RelayFull()

        def look():
            found = {row.pop("listener"): row for row in shown(server, "listeners")}
            return found if found["main"]["full"] == 1 else None

        found = wait_for(look, "the refusal to be counted")
        assert found.pop("main") == {"connections": 1, "limit": 1, "accepted": 2, "full": 1,
                                     "denied": 0, "no-proxy": 0}
        (name, other), = found.items()
        assert name == at(server.address[1])
        assert other["connections"] == 1 and other["limit"] is None


def test_with_sections_the_default_of_listen_does_not_count(reloadable, identities):  # noqa: F811
    port = free_port()
    relay = reloadable(MODULES + STATUS + section("main", port))
    assert relay.told_port == port
    with join(port, identities[0]):
        pass
    checked = run_program(Program("ours"), "-conf", relay.conf, "-check")
    assert checked.returncode == 0, checked.stderr
    assert f'listener "main" {{\n\taddress = "{at(port)}"' in checked.stdout
    again = relay.conf.with_suffix(".again")
    again.write_text(checked.stdout)
    assert run_program(Program("ours"), "-conf", again, "-check").stdout.count("listener") == 2


@pytest.mark.limits
def test_a_full_listener_sends_devices_away_and_others_do_not(reloadable, identities):  # noqa: F811
    small, other = free_port(), free_port()
    conf = MODULES + STATUS + section("other", other)
    relay = reloadable(conf + section("small", small, "max-connections = 1"), "-debug")
    full = 'strelaysrv_relay_joins_total{result="listener_full"}'
    with join(small, identities[0]) as first, dial(("127.0.0.1", small)):
        assert answer_to_join(small, identities[1]) == rp.RelayFull()
        with join(other, identities[2]) as joined:
            joined.check_alive()
        first.check_alive()
        relay.server.wait_for_log("max-connections of a listener was reached")
        assert metric(relay.server, full) == 1
        wait_for(lambda: of(relay.server, "refused_full_total", "small") == 1, "its count")
        assert of(relay.server, "connection_limit", "small") == 1
        done, log = relay.change(conf + section("small", small, "max-connections = 2"))
        assert done and 'option listener small.max-connections changes from "1" to "2"' in log
        with join(small, identities[1]):
            first.check_alive()
    with join(small, identities[1]):
        assert of(relay.server, "refused_full_total", "other") == 0


def private(port):
    return section("inside", port, "private = yes")


def test_a_private_listener_needs_the_token_to_join_and_to_ask(reloadable, identities):  # noqa: F811
    public, inside = free_port(), free_port()
    relay = reloadable(MODULES + STATUS + section("public", public) + private(inside)
                       + 'relay { token = "word"\ntoken-at = private }\n')
    for wrong in None, "", "wrong":
        assert answer_to_join(inside, identities[0], wrong) == rp.response(rp.WRONG_TOKEN)
    target, stranger, member = identities[:3]

    def ask(port, who):
        with ProtocolConnection(("127.0.0.1", port), who) as asks:
            return asks.ask(rp.ConnectRequest(target.id))

    with join(public, target), join(public, stranger):
        assert ask(inside, stranger) == rp.response(rp.NOT_FOUND), "it joined without the token"
        assert ask(inside, member) == rp.response(rp.NOT_FOUND), "it has not joined"
        assert isinstance(ask(public, stranger), rp.SessionInvitation)
        with join(inside, member, "word"):
            assert isinstance(ask(inside, member), rp.SessionInvitation)
        with join(public, member, "word"):
            assert isinstance(ask(inside, member), rp.SessionInvitation)
    result = 'strelaysrv_relay_connect_requests_total{result="not_joined"}'
    assert metric(relay.server, result) == 2


def test_a_private_listener_without_a_token_admits_nobody(reloadable, identities):  # noqa: F811
    public, inside = free_port(), free_port()
    relay = reloadable(MODULES + STATUS + section("public", public) + private(inside))
    relay.server.wait_for_log("a listener is private, but there is no token")
    for token in None, "", "any":
        assert answer_to_join(inside, identities[0], token) == rp.response(rp.WRONG_TOKEN)
    with join(public, identities[0]):
        pass


def test_a_listener_for_proxies_beside_one_for_all(reloadable, identities):  # noqa: F811
    direct, front = free_port(), free_port()
    relay = reloadable(
        MODULES + STATUS + section("direct", direct)
        + section("front", front, 'proxy = yes\n\tproxy-from = "127.0.0.1"'), "-debug")
    with Proxied(("127.0.0.1", front), version2(), identities[0]) as joined, \
            join(direct, identities[1]):
        assert joined.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)
        relay.server.wait_for_log(f"peer={CLIENT[0]}:{CLIENT[1]}")
        assert of(relay.server, "connections", "front") == 1
    with MessageStream(dial(("127.0.0.1", front))) as wrong:
        wrong.send_bytes(b"no header")
        wrong.expect_close()
    wait_for(lambda: of(relay.server, "refused_proxy_total", "front") == 1, "its count")
    assert of(relay.server, "refused_proxy_total", "direct") == 0


#: What is changed, as a list of sections that use the port.
FORMS = {
    "named": lambda port: section("main", port),
    "renamed": lambda port: section("web", port, "max-connections = 100"),
    "listed": listed,
}


@pytest.mark.limits
def test_a_reload_from_a_list_to_sections_and_back_loses_nothing(reloadable, identities):  # noqa: F811
    """A device, a session with bytes in flight, and connections in the queue go on, and nobody is
    refused meanwhile."""
    port = free_port()
    relay = reloadable(MODULES + STATUS + listed(port))
    sockets = sockets_of(relay.server, port)
    stop, tried, wrong = threading.Event(), [0], []

    def knock():
        while not stop.is_set():
            try:
                with MessageStream(dial(("127.0.0.1", port))) as guest:
                    assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
                tried[0] += 1
            except (OSError, Closed, AssertionError) as error:
                wrong.append(error)

    with Invited(relay.server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        stream = CheckedStream(one.sock, other.sock)
        knocking = threading.Thread(target=knock)
        knocking.start()
        try:
            for form in "named", "renamed", "listed", "renamed", "named", "listed":
                before = tried[0]
                done, log = relay.change(MODULES + STATUS + FORMS[form](port))
                assert done, log
                assert "no longer listening" not in log
                assert sockets_of(relay.server, port) == sockets, "the sockets stay"
                wait_for(lambda: tried[0] > before + 1 or wrong, "a connection after the reload")
        finally:
            stop.set()
            knocking.join()
            stream.finish()
        assert not wrong
        invited.target.check_alive()


def test_what_is_counted_goes_along_when_a_listener_gets_a_name(reloadable, identities):  # noqa: F811
    port = free_port()
    relay = reloadable(MODULES + STATUS + listed(port))
    with join(port, identities[0]) as device:
        assert of(relay.server, "connections", at(port)) == 1
        done, _ = relay.change(MODULES + STATUS + section("main", port, "max-connections = 1"))
        assert done
        assert of(relay.server, "connections", "main") == 1
        assert answer_to_join(port, identities[1]) == rp.RelayFull()
        device.check_alive()


def test_a_listener_moves_to_another_address(reloadable, identities):  # noqa: F811
    one, two = free_port(), free_port()
    more = "max-connections = 1"
    relay = reloadable(MODULES + STATUS + section("main", one, more))
    with join(one, identities[0]) as device:
        done, log = relay.change(MODULES + STATUS + section("main", two, more))
        assert done and f"listening on {at(two)}" in log
        assert of(relay.server, "connections", "main") == 1
        assert answer_to_join(two, identities[1]) == rp.RelayFull(), "its device still counts"
        device.check_alive()


def test_a_wrong_section_leaves_what_runs_as_it_is(reloadable, identities):  # noqa: F811
    port = free_port()
    relay = reloadable(MODULES + STATUS + section("main", port))
    with socket.create_server(("127.0.0.1", 0)) as taken, join(port, identities[0]) as device:
        in_use = taken.getsockname()[1]
        done, log = relay.change(MODULES + STATUS + section("web", port) + section("b", in_use))
        assert not done and f"cannot listen on {at(in_use)}" in log
        device.check_alive()
        assert of(relay.server, "connections", "main") == 1, "it keeps its name"
        done, log = relay.change(MODULES + STATUS + section("web", port))
        assert done and of(relay.server, "connections", "web") == 1


@pytest.mark.limits
def test_upgrades_between_both_forms(start_upgrading, identities):  # noqa: F811
    port = free_port()
    server = start_upgrading("-drain-spread", "0s", conf=MODULES + STATUS + listed(port))

    def sockets():
        return {number for number, of_it in server.listening_sockets(server.serving).items() if of_it == port}

    before = sockets()
    with contextlib.ExitStack() as stack:
        for form in "named", "listed", "renamed":
            invited = stack.enter_context(Invited(server, identities[0], identities[1]))
            one, other = invited.join_both()
            server.conf.write_text(MODULES + STATUS + FORMS[form](port))
            server.upgrade()
            assert sockets() == before, "the sockets stay"
            check_both_ways(one, other)
            with join(port, identities[2]):
                label = {"named": "main", "listed": at(port), "renamed": "web"}[form]
                wait_for(lambda name=label: of(server, "connections", name) == 1, "its device")


@pytest.mark.parametrize("proxied", [False, True])
def test_who_is_handed_to_another_process_keeps_its_listener(start_upgrading, identities, proxied):  # noqa: F811
    """The old process knows the keys, so the new one hands the guests back to it."""
    port = free_port()
    more = 'private = yes' + proxied * '\n\tproxy = yes\n\tproxy-from = "127.0.0.1"'
    folders = f"{module_folder()},{module_folder().parent / 'tests' / 'modules' / 'trace'}"
    server = start_upgrading(
        "-drain-spread", "0s", "-module-dir", folders,
        conf="modules = { log, trace, bounds, relay }\n" + 'relay { token = "word" }\n'
        + section("inside", port, more))

    def come(identity=None):
        if proxied:
            return Proxied(("127.0.0.1", port), version2(), identity)
        return ProtocolConnection(("127.0.0.1", port), identity) if identity else \
            MessageStream(dial(("127.0.0.1", port)))

    with contextlib.ExitStack() as stack:
        joined, asks = (stack.enter_context(come(identity)) for identity in identities[:2])
        for device in joined, asks:
            assert device.ask(rp.JoinRelayRequest("word")) == rp.response(rp.SUCCESS)
        asks.send(rp.ConnectRequest(identities[0].id))
        keys = [stream.receive_answering_pings().key for stream in (asks, joined)]
        server.upgrade()
        sides = []
        for key in keys:
            side = stack.enter_context(come())
            side.send(rp.JoinSessionRequest(key))
            side.expect(rp.response(rp.SUCCESS))
            sides.append(side)
        check_both_ways(*sides)
        # In both processes, each side.
        server.wait_for_count("came in at inside, private", 2 + 4)


WRONG = {
    "same-name": (section("a", 1) + section("a", 2), 'two listeners have the name "a"'),
    "same-address": (section("a", 9) + section("b", 9), "9 of listener a and 127.0.0.1:9 of listener b"),
    "same-mapped": (section("a", 9) + 'listener "b" { address = "[::ffff:127.0.0.1]:9" }\n',
                    "9 of listener a and [::ffff:127.0.0.1]:9 of listener b"),
    "in-the-list": (listed(9) + section("a", 9), "127.0.0.1:9 and 127.0.0.1:9 of listener a"),
    "no-address": ('listener "a" { private = yes }\n', "listener a has no address"),
    "empty-address": ('listener "a" { address = "" }\n', "listener a has no address"),
    "no-name": ('listener { address = ":1" }\n', "missing title"),
    "empty-name": ('listener "" { address = ":1" }\n', "the name of a listener is empty"),
    "variable": ('listener "a${NOWHERE:-}b" { address = ":1" }\n', "may have only letters"),
    "space": ('listener "a b" { address = ":1" }\n', "may have only letters"),
    "quote": ("listener 'a\"b' { address = \":1\" }\n", "may have only letters"),
    "long": (f'listener "{33 * "x"}" {{ address = ":1" }}\n', "has 33 characters; at most 32"),
    "reserved": (section("status", 1), "no listener can have the name status"),
    "unknown-option": ('listener "a" { adress = ":1" }\n',
                       'section listener a has no option "adress"; did you mean "address"?'),
    "required": ('listener "a" { address = ":1"\nrequired = no }\n', 'has no option "required"'),
    "value": (section("a", 1, "private = perhaps"), "option private of section listener a"),
    "proxy": (section("a", 1, "proxy = yes"), "conf:4: listener a: proxy = yes needs proxy-from"),
    "proxy-from": (section("a", 1, 'proxy-from = "::1"'), "listener a: proxy-from needs proxy = yes"),
    "range": (section("a", 1, 'proxy = yes\nproxy-from = "x"'), "listener a: proxy-from: \"x\" is no address"),
    "many": ("".join(section(f"l{i}", i + 1) for i in range(33)), "more than 32 listeners"),
    "misspelt": ('listner "a" { address = ":1" }\n', 'did you mean "listener"?'),
    "no-host": ('listener "a" { address = "no.such.host.invalid:1" }\n', "conf:3: listener a: "),
    "two-addresses": ('listener "a" { address = ":1, :2" }\n', "write a section for each"),
    "no-section": ('listener = { ":1" }\n', 'write listener "NAME" { ... }'),
    "no-module": (section("a", 1, "protocol = none"), 'conf:4: listener a: protocol is "none"'),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name, tmp_path, relay_keys):
    text, told = WRONG[name]
    conf = tmp_path / "conf"
    conf.write_text(MODULES + 'status-srv = ""\n' + text)
    checked = run_program(Program("ours"), "-conf", conf, "-keys", relay_keys, "-pools", "", "-check")
    assert checked.returncode == 1
    assert told in checked.stderr
    assert "option listen" not in checked.stderr or "listen =" in text
    assert "each listener is for proxies" not in checked.stderr or "proxy = yes" in text \
        or "protocol =" in text


def activated(tmp_path, sockets, names):
    """A script that passes the sockets as systemd does."""
    script = tmp_path / "activate"
    moves = " ".join(f"{3 + i}<&{sock.fileno()}" for i, sock in enumerate(sockets))
    script.write_text(f"#!/bin/bash\nexec {moves}\nLISTEN_PID=$$ LISTEN_FDS={len(sockets)} "
                      f'LISTEN_FDNAMES={names} exec "$@"\n')
    script.chmod(0o755)
    for sock in sockets:
        sock.set_inheritable(True)
    return script


def test_sockets_of_the_service_manager_by_name(tmp_path, start_upgrading, identities):  # noqa: F811
    main, web = sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [sock.getsockname()[1] for sock in sockets]
    script = activated(tmp_path, [web, main], "web:main")
    with MessageStream(dial(("127.0.0.1", ports[1]))) as early:  # it waits in the queue
        early.send(NO_SUCH_KEY)
        server = start_upgrading(
            "-drain-spread", "0s", prefix=[script], pass_fds=[s.fileno() for s in sockets],
            conf=MODULES + STATUS + section("main", ports[0]) + section("web", ports[1]))
        for sock in sockets:
            sock.close()
        early.expect(rp.response(rp.NOT_FOUND))
    for _ in range(2):
        with join(ports[0], identities[0]), join(ports[1], identities[1]):
            assert of(server, "connections", "main") == of(server, "connections", "web") == 1
        server.upgrade()
    assert server.count("inherited socket") == 0


def start_activated(start, our_program, tmp_path, sockets, names, text):
    conf = tmp_path / "relay.conf"
    conf.write_text(f'{MODULES}status-srv = ""\n{text}')
    return start(our_program, "-conf", conf, listen=None, status=None,
                 prefix=[activated(tmp_path, sockets, names)],
                 pass_fds=[sock.fileno() for sock in sockets])


@pytest.mark.parametrize("form", ["named", "listed"])
def test_a_socket_whose_name_no_listener_has(start, our_program, tmp_path, identities, form):
    """Its address decides, as that of a socket without a name; if none fits, it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as used, socket.create_server(("127.0.0.1", 0)) as idle:
        port = used.getsockname()[1]
        server = start_activated(start, our_program, tmp_path, [used, idle], "nobody:other",
                                 FORMS[form](port))
        server.wait_for_log(rf'the inherited socket "other" of {at(idle.getsockname()[1])} is closed: '
                            "no listener has that name")
        with join(port, identities[0]) as device:
            device.check_alive()


def test_a_socket_that_is_bound_elsewhere_than_its_listener(our_program, tmp_path, relay_keys):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        conf = tmp_path / "relay.conf"
        conf.write_text(MODULES + STATUS + section("main", free_port()))
        script = activated(tmp_path, [sock], "main")
        ended = subprocess.run(
            [script, our_program.path, "-conf", conf, "-keys", relay_keys, "-pools", "",
             "-module-dir", module_folder()],
            capture_output=True, text=True, timeout=PATIENCE, pass_fds=[sock.fileno()], check=False)
        assert ended.returncode == 1
        assert f'the inherited socket "main" is bound to {at(sock.getsockname()[1])}' in ended.stderr


def test_a_module_that_is_no_protocol_serves_no_listener(reloadable, relay_keys, identities):
    """Nobody would be served there: -check, a start and a reload refuse it."""
    port = free_port()
    relay = reloadable(MODULES + STATUS + section("main", port))
    good = relay.conf.read_text()
    wrong = good + section("odd", free_port(), "protocol = log")
    told = (f'{relay.conf}:{wrong.count(chr(10), 0, wrong.index("protocol =")) + 1}: listener odd: '
            'protocol is "log", a module that serves no connections; those that do: relay')
    relay.conf.write_text(wrong)
    other = relay.conf.with_suffix(".other")
    other.write_text(wrong.replace(at(port), at(free_port())))
    for conf, action in ((relay.conf, ["-check"]), (other, [])):
        done = run_program(Program("ours"), "-conf", conf, "-keys", relay_keys, *action)
        assert done.returncode == 1, done.stderr
        assert told.replace(str(relay.conf), str(conf)) in done.stderr, done.stderr
    done, news = relay.server.reload()
    assert not done and told in news, news
    with join(port, identities[0]):
        pass
    relay.conf.write_text(good + section("odd", free_port(), "protocol = relay"))
    assert relay.server.reload()[0]
