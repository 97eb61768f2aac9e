# SPDX-License-Identifier: MPL-2.0
"""Listen addresses that a reload adds, keeps or removes."""

import contextlib
import signal
import socket
import threading

import pytest

import relay_protocol as rp
from pairing import Invited, check_both_ways
from pairs import receive
from relay_client import (
    NO_SUCH_KEY, Closed, ProtocolConnection, SessionConnection, dial, served,
)
from relay_server import free_port
from reloading import MODULES, reloadable, sockets_of  # noqa: F401
from waiting import PATIENCE, wait_for

#: More than a worker accepts in one step, so that some are still queued when the address is
#: removed.
MANY = 1500


def listening(*addresses, more=""):
    """A configuration without a status address."""
    quoted = ", ".join(f'"{address}"' for address in addresses)
    return f'{MODULES}listen = {{ {quoted} }}\nstatus-srv = ""\n{more}'


def at(port):
    return f"127.0.0.1:{port}"


def wait_until_refused(port):
    """Waits, because the kernel may free a socket some time after it was closed."""
    wait_for(lambda: not served(("127.0.0.1", port)), f"port {port} to be closed")


def told(port_of, asker, target):
    """The ports in the two invitations of a new session."""
    with ProtocolConnection(port_of, target) as joined:
        joined.join()
        with ProtocolConnection(port_of, asker) as client:
            return {client.request(target.id).port, joined.invitation().port}


@pytest.mark.limits
def test_addresses_move_and_nobody_who_is_there_notices(reloadable, identities):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    old = relay.told_port
    with Invited(relay.server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        done, log = relay.change(listening("127.0.0.1:0", "127.0.0.1:0"))
        assert done and relay.told_port == old, log
        new, = relay.server.listening_ports() - {old}
        assert f"listening on 127.0.0.1:{new}" in log
        assert served(("127.0.0.1", old)) and served(("127.0.0.1", new))

        kept = sockets_of(relay.server, new)
        done, log = relay.change(listening(at(new)))
        assert done
        assert f'option listen changes from "127.0.0.1:0,127.0.0.1:0" to "127.0.0.1:{new}"' in log
        assert f"no longer listening on 127.0.0.1:{old}" in log
        assert f"listening on 127.0.0.1:{new}" not in log
        assert relay.told_port == new, "the URI"
        assert sockets_of(relay.server, new) == kept, "a kept address keeps its sockets"
        wait_until_refused(old)
        assert told(("127.0.0.1", new), identities[2], identities[3]) == {new}, "invitations"
        invited.target.check_alive()
        check_both_ways(one, other)


def test_a_kept_address_refuses_nobody(reloadable):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    port = relay.told_port
    sockets = sockets_of(relay.server, port)
    stop, counted, wrong = threading.Event(), [0], []

    def knock():
        while not stop.is_set():
            try:
                assert served(("127.0.0.1", port)), "refused"
                counted[0] += 1
            except (AssertionError, Closed) as error:
                wrong.append(error)

    knockers = [threading.Thread(target=knock) for _ in range(3)]
    for knocker in knockers:
        knocker.start()
    try:
        for number in range(20):
            texts = [[at(port)], ["127.0.0.1:0", at(port)], [at(port), "[::1]:0"]][number % 3]
            assert relay.change(listening(*texts))[0]
    finally:
        stop.set()
        for knocker in knockers:
            knocker.join()
    assert not wrong, f"{len(wrong)} of {counted[0] + len(wrong)}: {wrong[:3]}"
    assert counted[0] > 0
    assert sockets_of(relay.server, port) == sockets


def test_who_is_in_the_queue_of_an_address_that_goes_is_served(reloadable):  # noqa: F811
    """The process is stopped while they connect; when it continues, the address has been
    removed."""
    relay = reloadable(listening("127.0.0.1:0", "127.0.0.1:0"))
    old = relay.told_port
    new, = relay.server.listening_ports() - {old}
    relay.conf.write_text(listening(at(new)))
    with contextlib.ExitStack() as stack:
        stack.callback(relay.server.send_signal, signal.SIGCONT)
        relay.server.send_signal(signal.SIGSTOP)
        waiting = [stack.enter_context(SessionConnection(("127.0.0.1", old))) for _ in range(MANY)]
        relay.server.send_signal(signal.SIGHUP)
        relay.server.send_signal(signal.SIGCONT)
        for guest in waiting:
            assert guest.ask(NO_SUCH_KEY) == rp.response(rp.NOT_FOUND)
    relay.server.wait_for_log("core: reloaded")
    wait_until_refused(old)


def test_a_storm_on_an_address_that_goes(reloadable):  # noqa: F811
    """Every client that could connect is served; later ones are refused.  No connection is cut
    off."""
    relay = reloadable(listening("127.0.0.1:0", "127.0.0.1:0"))
    old = relay.told_port
    new, = relay.server.listening_ports() - {old}
    served_count, cut = [0], []

    def knock():
        while True:
            try:
                guest = dial(("127.0.0.1", old))
            except (ConnectionRefusedError, ConnectionResetError):
                return
            with guest:
                try:
                    guest.sendall(rp.encode(NO_SUCH_KEY))
                    receive(guest, rp.HEADER.size)
                    served_count[0] += 1
                except (AssertionError, ConnectionError) as error:
                    cut.append(error)

    knockers = [threading.Thread(target=knock) for _ in range(4)]
    for knocker in knockers:
        knocker.start()
    wait_for(lambda: served_count[0] > 20, "some to be served")
    done, log = relay.change(listening(at(new)))
    for knocker in knockers:
        knocker.join(PATIENCE)
        assert not knocker.is_alive(), "still connects to an address that is gone"
    assert done, log
    assert not cut, f"{len(cut)} of {served_count[0]}: {cut[:3]}"


def check_untouched(relay, port, sockets, log):
    assert "not reloaded: everything stays as it was" in log
    assert relay.told_port == port and sockets_of(relay.server, port) == sockets
    assert relay.server.listening_ports() == {port}, "what was bound for nothing"
    assert served(("127.0.0.1", port))


def test_an_address_that_is_taken_refuses_the_reload(reloadable):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    port = relay.told_port
    sockets = sockets_of(relay.server, port)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        for texts in ([at(taken)], ["127.0.0.1:0", at(taken)], [at(port), at(taken)]):
            done, log = relay.change(listening(*texts, more="max-connections = 7\n"))
            assert not done
            assert f"cannot listen on 127.0.0.1:{taken}: Address already in use" in log
            assert "Connection limit" not in log
            check_untouched(relay, port, sockets, log)
    assert relay.change(listening(at(port), at(taken)))[0], "once it is free"
    assert served(("127.0.0.1", taken)) and sockets_of(relay.server, port) == sockets


def test_another_relay_s_port_is_not_shared(reloadable, start, our_program, tmp_path):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    port = relay.told_port
    other = start(our_program)
    done, log = relay.change(listening(at(port), at(other.address[1])))
    assert not done and "Address already in use" in log
    check_untouched(relay, port, sockets_of(relay.server, port), log)


@pytest.mark.parametrize("wrong, why", [
    ("127.0.0.1", "it has no port"), ("127.0.0.1:70000", "a port is a number from 0 to 65535"),
    ("nowhere.invalid:1", "nowhere.invalid"), ("192.0.2.1:0", "Cannot assign requested address"),
    ("::1:22067", "an IPv6 address needs brackets"),
])
def test_an_address_that_is_none_refuses_the_reload(reloadable, wrong, why):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    port = relay.told_port
    sockets = sockets_of(relay.server, port)
    done, log = relay.change(listening("127.0.0.1:0", wrong))
    assert not done and why in log, log
    check_untouched(relay, port, sockets, log)


def test_addresses_in_common_are_refused(reloadable):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    port = relay.told_port
    sockets = sockets_of(relay.server, port)
    for texts in ([at(port), at(port)], [f":{port}", at(port)], [f"0.0.0.0:{port}", at(port)]):
        done, log = relay.change(listening(*texts))
        assert not done and "they have an address in common" in log, log
        check_untouched(relay, port, sockets, log)


def test_from_one_address_to_all_and_back(reloadable, identities):  # noqa: F811
    """The old sockets keep the port until the new ones are bound."""
    port = free_port("::")
    relay = reloadable(listening(at(port)))
    with ProtocolConnection(("127.0.0.1", port), identities[0]) as device:
        device.join()
        for texts, v6 in (([f":{port}"], True), ([f"0.0.0.0:{port}"], False), ([at(port)], False),
                          ([at(port), f"[::1]:{port}"], True), ([f":{port}"], True)):
            done, log = relay.change(listening(*texts))
            assert done, log
            assert served(("127.0.0.1", port)), texts
            assert served(("::1", port)) == v6, texts
            device.check_alive()


def test_the_protocol_changes_what_a_port_means(reloadable):  # noqa: F811
    port = free_port("::")
    relay = reloadable(listening(f":{port}"))
    for protocol, hosts in (("tcp4", {"127.0.0.1"}), ("tcp6", {"::1"}),
                            ("tcp", {"127.0.0.1", "::1"})):
        done, log = relay.change(listening(f":{port}", more=f"protocol = {protocol}\n"))
        assert done, log
        assert f'option protocol changes from' in log
        for host in ("127.0.0.1", "::1"):
            assert served((host, port)) == (host in hosts), (protocol, host)


@pytest.mark.limits
def test_many_moves_leave_nothing_behind(reloadable):  # noqa: F811
    relay = reloadable(listening("127.0.0.1:0"))
    before = relay.server.descriptors()
    port = relay.told_port
    for _ in range(15):
        assert relay.change(listening(at(port), "127.0.0.1:0", "[::1]:0"))[0]
        port = min(relay.server.listening_ports() - {port})
        assert relay.change(listening("127.0.0.1:0"))[0]
        port = relay.told_port
    relay.server.wait_for_descriptors(before)
    assert relay.server.listening_ports() == {port}
