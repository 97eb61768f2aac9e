# SPDX-License-Identifier: MPL-2.0
"""Timeouts that a reload changes apply to existing connections."""

import pytest

import relay_protocol as rp
from pairing import Invited
from relay_client import Closed, ProtocolConnection
from reloading import MODULES, reloadable  # noqa: F401
from waiting import SLOWNESS, Deadline, pace


def conf(**times):
    lines = "\n".join(f"  {name.replace('_', '-')} = {value}" for name, value in times.items())
    return (f'{MODULES}listen = {{ "127.0.0.1:0" }}\nstatus-srv = ""\n'
            f"relay {{\n{lines}\n}}\n")


def test_devices_are_asked_as_often_as_now_said(reloadable, identities):  # noqa: F811
    """The old interval of an hour must not be waited for."""
    relay = reloadable(conf(network_timeout="2h", ping_interval="1h"))
    with ProtocolConnection(relay.server.address, identities[0]) as device:
        device.join()
        done, log = relay.change(conf(ping_interval="100ms"))
        assert done
        assert 'option relay.ping-interval changes from "1h0m0s" to "100ms"' in log
        assert "pingInterval=100ms" in relay.server.uri
        for _ in range(3):
            assert device.receive() == rp.Ping()


def test_a_device_that_is_silent_is_noticed_by_the_new_time(reloadable, identities):  # noqa: F811
    relay = reloadable(conf(network_timeout="2h", ping_interval="1h"))
    with ProtocolConnection(relay.server.address, identities[0]) as dead:
        dead.join()
        assert relay.change(conf(network_timeout="300ms", ping_interval="100ms"))[0]
        with pytest.raises(Closed):
            while True:
                assert dead.receive() == rp.Ping()


def test_who_was_silent_for_longer_than_is_allowed_now_has_time(reloadable, identities):  # noqa: F811
    """A device that was on time by the old timeout is not late at once by the new one."""
    short = 2 * SLOWNESS
    relay = reloadable(conf())
    with ProtocolConnection(relay.server.address, identities[0]) as device:
        device.join()
        pace(short * 1.5)
        text = conf(network_timeout=f"{short}s", ping_interval=f"{short / 8}s")
        assert relay.change(text)[0]
        deadline = Deadline(short * 2)
        while not deadline.passed():
            assert device.receive() == rp.Ping()
            device.send(rp.Pong())
        device.check_alive()


def test_sessions_live_by_the_new_time(reloadable, identities):  # noqa: F811
    relay = reloadable(conf(network_timeout="2h"))
    with Invited(relay.server, identities[0], identities[1]) as invited:
        silent, other = invited.join_both()
        assert relay.change(conf(network_timeout="500ms", ping_interval="100ms"))[0]
        silent.expect_close()
        other.expect_close()


def test_sessions_outlive_the_old_time(reloadable, identities):  # noqa: F811
    short = 1 * SLOWNESS
    relay = reloadable(conf(network_timeout=f"{short}s", ping_interval=f"{short / 4}s"))
    with Invited(relay.server, identities[0], identities[1]) as invited:
        one, other = invited.join_both()
        assert relay.change(conf())[0]
        pace(2.5 * short)
        one.send_bytes(b"still here")
        assert other.receive_bytes(10) == b"still here"


def ends_during_reloads(relay, connection, text):
    """Whether the server ends a silent connection while other options change again and again."""
    deadline, number = Deadline(), 0
    connection.sock.settimeout(0.1)
    while not deadline.passed():
        number += 1
        assert relay.change(text.replace("NUMBER", str(number)))[0]
        try:
            while connection.sock.recv(4096):
                pass
            return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def often_changed():
    """A configuration in which only NUMBER changes; the timeout is longer than a reload takes."""
    short = 2 * SLOWNESS
    return conf(network_timeout=f"{short}s", ping_interval=f"{short / 4}s",
                provided_by='"relay NUMBER"')


def test_a_silent_session_ends_although_other_options_change(reloadable, identities):  # noqa: F811
    relay = reloadable(often_changed())
    with Invited(relay.server, identities[0], identities[1]) as invited:
        silent, _ = invited.join_both()
        assert ends_during_reloads(relay, silent, often_changed())


def test_a_silent_device_is_noticed_although_other_options_change(
        reloadable, identities):  # noqa: F811
    relay = reloadable(often_changed())
    with ProtocolConnection(relay.server.address, identities[0]) as dead:
        dead.join()
        assert ends_during_reloads(relay, dead, often_changed())
