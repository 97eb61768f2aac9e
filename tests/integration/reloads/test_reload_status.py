# SPDX-License-Identifier: MPL-2.0
"""A reload changes the status address and the private one."""

import http.client
import re
import socket
import urllib.parse

import pytest

from relay_server import free_port
from reloading import MODULES, reloadable, sockets_of  # noqa: F401
from waiting import PATIENCE, wait_for

MORE = MODULES.replace("status", "status, prometheus")


def text(status, private="", modules=MORE, more=""):
    return (f'{modules}listen = {{ "127.0.0.1:0" }}\nstatus-srv = "{status}"\n'
            f'private-srv = "{private}"\n{more}')


def page(port, path, host="127.0.0.1"):
    """The status code, or None if the connection is refused."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


def told_status(relay):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(relay.server.uri).query)
    return query.get("statusAddr", [""])[0]


def opened(log, what="status"):
    """The port that was logged last."""
    return int(re.findall(rf"core: {what} address: \S+:(\d+)", log)[-1])


def wait_until_refused(port):
    wait_for(lambda: page(port, "/status") is None, f"port {port} to be closed")


def test_the_status_address_moves_with_its_requests(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    old, new = opened(relay.server.log()), free_port()
    under_way = http.client.HTTPConnection("127.0.0.1", old, timeout=PATIENCE)
    under_way.request("GET", "/status")
    assert under_way.getresponse().read()
    done, log = relay.change(text(f"127.0.0.1:{new}"))
    assert done and opened(log) == new
    assert f'option status-srv changes from "127.0.0.1:0" to "127.0.0.1:{new}"' in log
    assert told_status(relay) == f"127.0.0.1:{new}"
    assert page(new, "/status") == 200
    under_way.request("GET", "/healthz")
    assert under_way.getresponse().status == 200, "a connection that was there before"
    under_way.close()
    wait_until_refused(old)


def test_a_request_half_way_is_answered_after_the_move(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    old = opened(relay.server.log())
    with socket.create_connection(("127.0.0.1", old), timeout=PATIENCE) as half:
        half.sendall(b"GET /healthz HTT")
        assert relay.change(text(f"127.0.0.1:{free_port()}"))[0]
        half.sendall(b"P/1.0\r\n\r\n")
        assert half.recv(100).startswith(b"HTTP/1.0 200")


def test_off_and_on(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    old = opened(relay.server.log())
    assert relay.change(text(""))[0]
    assert told_status(relay) == ""
    wait_until_refused(old)
    done, log = relay.change(text("127.0.0.1:0"))
    assert done
    assert told_status(relay) == f"127.0.0.1:{opened(log)}"
    assert page(opened(log), "/status") == 200


def test_the_module_goes_and_the_uri_knows(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0", modules=MODULES))
    old = opened(relay.server.log())
    without = MODULES.replace(", status", "")
    assert relay.change(text("127.0.0.1:0", modules=without))[0]
    assert told_status(relay) == ""
    assert page(old, "/status") is None
    done, log = relay.change(text("127.0.0.1:0", modules=MODULES))
    assert done
    assert told_status(relay) == f"127.0.0.1:{opened(log)}"


def test_the_private_address_comes_moves_and_goes(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    status = opened(relay.server.log())
    assert page(status, "/metrics") == 200
    private = None
    for _ in range(2):
        done, log = relay.change(text("127.0.0.1:0", f"127.0.0.1:{free_port()}"))
        assert done
        assert page(status, "/metrics") == 404 and page(status, "/status") == 200
        if private:
            wait_until_refused(private)
        private = opened(log, "private")
        assert page(private, "/metrics") == 200 and page(private, "/status") == 200
    assert relay.change(text("127.0.0.1:0"))[0]
    assert page(status, "/metrics") == 200
    wait_until_refused(private)


def test_both_change_places(reloadable):  # noqa: F811
    one, other = free_port(), free_port()
    relay = reloadable(text(f"127.0.0.1:{one}", f"127.0.0.1:{other}"))
    for _ in range(3):
        before = sockets_of(relay.server, one), sockets_of(relay.server, other)
        one, other = other, one
        done, log = relay.change(text(f"127.0.0.1:{one}", f"127.0.0.1:{other}"))
        assert done, log
        assert page(one, "/metrics") == 404 and page(other, "/metrics") == 200
        assert page(one, "/status") == 200
        after = sockets_of(relay.server, one), sockets_of(relay.server, other)
        assert after == before[::-1], "the sockets with all who wait in them"


def test_from_everywhere_to_here_and_back(reloadable):  # noqa: F811
    port = free_port("::")
    relay = reloadable(text(f":{port}"))
    for address, v6 in ((f"127.0.0.1:{port}", None), (f"[::1]:{port}", 200), (f":{port}", 200)):
        done, log = relay.change(text(address))
        assert done, log
        wait_for(lambda v6=v6: page(port, "/status", "::1") == v6, f"{address} on ::1")
        assert page(port, "/status") == (None if address.startswith("[") else 200)


@pytest.mark.parametrize("which", ["status", "private"])
def test_an_address_that_is_taken_refuses_the_reload(reloadable, which):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    ports = relay.server.listening_ports()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        asked = (taken,) if which == "status" else ("127.0.0.1:0", taken)
        done, log = relay.change(text(*asked, more="network-buffer = 1KiB\n"))
    assert not done
    assert f"cannot open the {which} address {taken}: Address already in use" in log
    assert relay.server.listening_ports() == ports
    assert page(opened(relay.server.log()), "/status") == 200
    assert relay.change(text(*asked))[0], "once it is free"


def test_one_that_never_opened_is_no_reason_to_refuse(reloadable):  # noqa: F811
    """The relay runs without its status page, and a reload succeeds without it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        relay = reloadable(text(taken))
        relay.server.wait_for_log(f"cannot open the status address {taken}")
        assert relay.change(text(taken, more="network-buffer = 32KiB\n"))[0]
        new = free_port()
        assert relay.change(text(f"127.0.0.1:{new}"))[0]
        assert page(new, "/status") == 200


def test_many_moves_leave_nothing_behind(reloadable):  # noqa: F811
    relay = reloadable(text("127.0.0.1:0"))
    before = relay.server.descriptors()
    for number in range(20):
        assert relay.change(text(f"127.0.0.1:{free_port()}",
                                 "127.0.0.1:0" if number % 2 else ""))[0]
    assert relay.change(text("127.0.0.1:0"))[0]
    relay.server.wait_for_descriptors(before)
