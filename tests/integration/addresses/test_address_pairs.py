# SPDX-License-Identifier: MPL-2.0
"""`listen = "0.0.0.0:P, [::]:P"`, as people write it for both families."""

import contextlib
import os
import pathlib
import socket
import subprocess

import pytest

import own_network
from privileges import why_no_network
from relay_client import ProtocolConnection, served
from relay_server import free_port, run
from reloading import MODULES, reloadable  # noqa: F401
from upgrading import Upgrading, start_upgrading  # noqa: F401

HOSTS = ("127.0.0.1", "::1")


def pair(port):
    return [f"0.0.0.0:{port}", f"[::]:{port}"]


def listening(addresses):
    quoted = ", ".join(f'"{address}"' for address in addresses)
    return f'{MODULES}listen = {{ {quoted} }}\nstatus-srv = ""\n'


def sockets_at(port):
    """{host: whether its sockets are IPv6 only} of the listening sockets at the port."""
    text = subprocess.run(["ss", "-Hltne", f"sport = :{port}"], capture_output=True, text=True,
                          check=True).stdout
    found = {}
    for line in text.splitlines():
        host = line.split()[3].rpartition(":")[0]
        found.setdefault(host, set()).add("v6only:1" in line)
    return found


def check_pair(port):
    assert [served((host, port)) for host in HOSTS] == [True, True]
    assert sockets_at(port) == {"0.0.0.0": {False}, "[::]": {True}}


@pytest.mark.limits
@pytest.mark.parametrize("turned", [False, True], ids=["v4-first", "v6-first"])
def test_the_pair_serves_both_families(reloadable, turned):  # noqa: F811
    port = free_port("::")
    reloadable(listening(pair(port)[::-1] if turned else pair(port)))
    check_pair(port)


def test_the_pair_in_one_text(reloadable):  # noqa: F811
    port = free_port("::")
    relay = reloadable(listening([", ".join(pair(port))]))
    check_pair(port)
    done, log = relay.change(listening(pair(port)))
    assert done and "listen" not in log, log


def test_a_reload_changes_to_the_pair_and_back(reloadable, identities):  # noqa: F811
    port = free_port("::")
    relay = reloadable(listening([f":{port}"]))
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(ProtocolConnection((host, port), identity)).join()
                   for host, identity in zip(HOSTS, identities)]
        for addresses in (pair(port), [f":{port}"], pair(port), [f"[::]:{port}"], pair(port),
                          [f"0.0.0.0:{port}"], pair(port)):
            done, log = relay.change(listening(addresses))
            assert done, log
            if len(addresses) == 2:
                check_pair(port)
            else:
                assert served(("127.0.0.1", port))
                assert served(("::1", port)) == (addresses[0][0] != "0")
            for device in devices:
                device.check_alive()


def test_an_upgrade_changes_to_the_pair_and_back(start_upgrading, identities):  # noqa: F811
    port, status = free_port("::"), free_port()
    texts = [f'listen = {{ {addresses} }}\nstatus-srv = "127.0.0.1:{status}"\n'
             for addresses in (f'":{port}"', '"{}", "{}"'.format(*pair(port)))]
    server = start_upgrading("-drain-spread", "0s", conf=texts[0])
    for text in (texts[1], texts[1], texts[0]):
        server.conf.write_text(text)
        old, _ = server.upgrade()
        assert server.exit_code(old) in (0, None)
        for host, identity in zip(HOSTS, identities):
            with ProtocolConnection((host, port), identity) as device:
                device.join()
        if text == texts[1]:
            check_pair(port)
        else:
            assert sockets_at(port).keys() == {"*"}


def passed(hosts, port):
    """Listening sockets as systemd makes them: without SO_REUSEPORT."""
    made = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, len(hosts) == 2)
        sock.bind((host, port))
        sock.listen(64)
        sock.set_inheritable(True)
        made.append(sock)
    return made


@pytest.fixture
def activated(tmp_path, relay_keys, our_program):
    """activated(sockets, addresses) starts a relay as systemd does, with these sockets."""
    with contextlib.ExitStack() as stack:

        def start(sockets, addresses):
            for sock in sockets:
                stack.callback(sock.close)
            numbers = [sock.fileno() for sock in sockets]
            script = tmp_path / "activate"
            moves = " ".join(f"{3 + i}<&{100 + i}" for i in range(len(numbers)))
            parked = " ".join(f"{100 + i}<&{number}" for i, number in enumerate(numbers))
            script.write_text(f'#!/bin/bash\nexec {parked}\nexec {moves}\n'
                              f'LISTEN_PID=$$ LISTEN_FDS={len(numbers)} exec "$@"\n')
            script.chmod(0o755)
            server = Upgrading(our_program, tmp_path, relay_keys, ("-drain-spread", "0s"),
                               conf=listening(addresses), prefix=[script], pass_fds=numbers)
            stack.callback(server.process.kill)
            for sock in sockets:
                sock.close()
            return server

        yield start


def test_the_pair_is_taken_from_the_service_manager(activated, identities):
    port = free_port("::")
    server = activated(passed(["0.0.0.0", "::"], port), pair(port))
    server.wait_until_serving()
    for _ in range(2):
        check_pair(port)
        for host, identity in zip(HOSTS, identities):
            with ProtocolConnection((host, port), identity) as device:
                device.join()
        server.upgrade()
    check_pair(port)
    server.finish()


@pytest.mark.parametrize("given, asked", [(["::"], pair), (["0.0.0.0", "::"],
                                                           lambda port: [f":{port}"])],
                         ids=["both-in-one", "pair"])
def test_other_sockets_of_the_service_manager_are_an_error(activated, given, asked):
    port = free_port("::")
    server = activated(passed(given, port), asked(port))
    assert server.wait_for_exit() == 1
    assert "BindIPv6Only=" in server.log(), server.log()


@pytest.fixture
def v6only_machine():
    """A network namespace in which IPv6 sockets are IPv6 only unless they say otherwise."""
    if why_no_network():
        pytest.skip(why_no_network())
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    own_network.make()
    try:
        try:
            pathlib.Path("/proc/sys/net/ipv6/bindv6only").write_text("1\n")
        except OSError as error:
            pytest.skip(f"cannot change the namespace's bindv6only: {error}")
        yield
    finally:
        own_network.go_back(before)


def test_both_forms_work_where_sockets_are_v6_only_by_default(
        v6only_machine, reloadable):  # noqa: F811
    port = free_port()
    relay = reloadable(listening([f":{port}"]))
    for addresses in (pair(port), [f":{port}"], pair(port)):
        assert [served((host, port)) for host in HOSTS] == [True, True]
        done, log = relay.change(listening(addresses))
        assert done, log
    check_pair(port)


@pytest.mark.parametrize("first, second", [
    ("0.0.0.0:{}", "0.0.0.0:{}"), (":{}", "0.0.0.0:{}"), (":{}", "[::]:{}"),
    ("[::]:{}", "127.0.0.1:{}"), ("[::]:{}", "[::1]:{}"),
])
def test_addresses_that_collide_are_an_error(plain_program, tmp_path, relay_keys, first, second):
    port = free_port("::")
    texts = [first.format(port), second.format(port)]
    conf = tmp_path / "relay.conf"
    conf.write_text(listening(texts))
    for flags in ([], ["-check"]):
        done = run(plain_program, "-conf", str(conf), "-keys", str(relay_keys), *flags)
        assert done.returncode == 1, done.stderr
        assert "have an address in common" in done.stderr, done.stderr
        for text in texts:
            assert text in done.stderr, done.stderr
