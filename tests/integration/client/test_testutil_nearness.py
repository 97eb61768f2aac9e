# SPDX-License-Identifier: MPL-2.0
"""Pools and relays elsewhere that name addresses of the client's own machine or link."""

import contextlib
import os
import subprocess

import pytest

import certificates
import own_network
import relay_protocol as rp
import testutil
from relay_double import PoolDouble, RelayDouble, listing, send
from testutil import Keys
from waiting import SLOWNESS

#: Documentation addresses (RFC 5737), on the loopback interface of a namespace of the test's own.
ELSEWHERE, LINK = "192.0.2.1", "169.254.7.7"
NAMES_IT = "no business to name"


@pytest.fixture
def elsewhere():
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        own_network.make()
    except OSError as error:
        os.close(before)
        pytest.skip(f"NOT TESTED: cannot make network namespaces: {error}")
    try:
        for address in (ELSEWHERE, LINK):
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
        yield
    finally:
        own_network.go_back(before)


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path / "keys")


@pytest.fixture
def closing():
    with contextlib.ExitStack() as stack:
        yield lambda double: stack.enter_context(contextlib.closing(double))


def check(uri, keys, failure, text=NAMES_IT, env=None):
    result = testutil.run("-test", "-relay", uri, "-keys", keys.folder, "-timeout",
                          f"{int(2000 * SLOWNESS)}ms", env=env)
    assert result.code == 1 and f"({failure})" in result.out and text in result.out, result


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.9.9.9", "[::1]", "0.0.0.0",
                                  "[::ffff:127.0.0.1]", LINK])
def test_a_pool_elsewhere_does_not_lead_to_this_machine(keys, closing, host):
    near = closing(PoolDouble(lambda h: send(h, listing("relay://192.0.2.9:1/")), host="0.0.0.0"))
    pool = closing(PoolDouble(lambda h: send(
        h, b"", 302, [("Location", f"http://{host}:{near.port}/x")]), host=ELSEWHERE))
    check(pool.uri(), keys, "unreachable")
    assert near.requests == []


@pytest.mark.usefixtures("elsewhere")
def test_nor_by_a_detour(keys, closing):
    """A redirection does not allow an address that the pool itself may not name."""
    near = closing(PoolDouble(lambda h: send(h, listing("relay://192.0.2.9:1/"))))

    def answer(handler):
        to = f"http://127.0.0.1:{near.port}/" if handler.path == "/2" else "/2"
        send(handler, b"", 302, [("Location", to)])

    check(closing(PoolDouble(answer, host=ELSEWHERE)).uri(), keys, "unreachable")
    assert near.requests == []


@pytest.mark.usefixtures("elsewhere")
def test_nor_by_its_list(keys, closing):
    touched = []
    relay = closing(RelayDouble(touched.append))
    pool = closing(PoolDouble(lambda h: send(h, listing(relay.uri)), host=ELSEWHERE))
    check(pool.uri(), keys, "unreachable")
    assert touched == [], "its latency was measured, or it was asked to join"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("at, name, good", [
    (ELSEWHERE, "127.0.0.1", False), (ELSEWHERE, LINK, False), (LINK, "127.0.0.1", False),
    (ELSEWHERE, "192.0.2.1", True), (LINK, LINK, True), ("127.0.0.1", LINK, True),
    ("127.0.0.1", "127.0.0.1", True),
])
def test_invitations_of_a_relay(keys, tmp_path, closing, at, name, good):
    target = bytes(map(int, name.split(".")))

    def serve(stream):
        if isinstance(stream.receive(), rp.ConnectRequest):
            stream.send(rp.SessionInvitation(keys.raw_id, b"k" * 32, target, 1, False))
            return
        stream.send(rp.response(rp.SUCCESS))
        stream.receive_some()

    relay = closing(RelayDouble(serve, certificates.make(), tmp_path / "relay", host=at))
    # A good one is waited for: the joined device does not get its own.
    check(relay.uri, keys, "timeout" if good else "bad_message", "" if good else NAMES_IT)
