# SPDX-License-Identifier: MPL-2.0
"""Which host names private routes accept, and how long idle HTTP connections are kept."""

import contextlib
import itertools
import socket
import time

import pytest

from http_client import CONF, ask, counter, dial, read_answer, request, with_metrics
from name_server import why_not
from skip_unless import can_run
from waiting import PATIENCE, SLOWNESS, Deadline, wait_for


def private_address(server):
    found = server.wait_for_log(r"private address: (\S+):(\d+)")
    return found.group(1), int(found.group(2))


@pytest.fixture
def private(start_ours, tmp_path):
    return with_metrics(start_ours, tmp_path, "-private-srv", "127.0.0.1:0",
                        "-private-hosts", "relay.example.org,other.example")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:22071", "[::1]:1", "localhost",
                                  "LocalHost:80", "relay.example.org", "other.example:80",
                                  socket.gethostname()])
def test_good_names_get_the_metrics(private, host):
    assert ask(private_address(private), "/metrics", host=host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:22071", "localhost.evil.example",
                                  "127.0.0.1.evil.example", "relay.example.org.evil.example", ""])
def test_other_names_get_421_and_the_option_is_named(private, host):
    status, _, body = ask(private_address(private), "/metrics", host=host)
    assert status == 421
    assert b"private-hosts" in body and b"strelaysrv_" not in body
    private.wait_for_log(r"refused /metrics, .* by the host name .*private-hosts")
    assert ask(private_address(private), "/metrics")[0] == 200


def test_public_routes_have_any_name(private):
    for address in (private.status_address, private_address(private)):
        for path in ("/healthz", "/status"):
            assert ask(address, path, host="evil.example")[0] == 200


def test_without_a_private_address_they_are_guarded_as_well(start_ours, tmp_path):
    """The status address may be on loopback or behind a firewall, where browsers can reach it."""
    server = with_metrics(start_ours, tmp_path)
    assert ask(server.status_address, "/metrics", host="evil.example")[0] == 421
    assert counter(server, "http_requests_total", result="foreign_host") == 1


def test_the_name_of_the_address_itself_is_good(start_ours, tmp_path):
    server = with_metrics(start_ours, tmp_path, "-private-srv", "localhost:0")
    port = private_address(server)[1]
    assert ask(("127.0.0.1", port), "/metrics", host="localhost")[0] == 200


def test_a_kubernetes_probe_is_answered(private):
    """A kubelet sends the pod's address, or a name that `httpHeaders` sets."""
    for host in ("10.1.2.3:22070", "probe.example"):
        status, head, _ = ask(private.status_address, "/healthz", host=host,
                              User_Agent="kube-probe/1.30", Accept="*/*", Connection="close")
        assert status == 200 and "Connection: close" in head


def test_names_come_and_go_with_a_reload(start_ours, tmp_path):
    server = with_metrics(start_ours, tmp_path)
    assert ask(server.status_address, "/metrics", host="new.example")[0] == 421
    (tmp_path / "relay.conf").write_text(CONF + 'private-hosts = { "new.example" }\n')
    assert server.reload()[0]
    assert ask(server.status_address, "/metrics", host="new.example")[0] == 200
    (tmp_path / "relay.conf").write_text(CONF)
    assert server.reload()[0]
    assert ask(server.status_address, "/metrics", host="new.example")[0] == 421


@can_run("HOST NAMES OF PROMETHEUS", why_not())
def test_prometheus_scrapes_by_a_name(start_ours, tmp_path, prometheus):
    """If the name is in private-hosts.  Otherwise the log says what is missing."""
    server = with_metrics(start_ours, tmp_path)
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 relay.test\n")
    prefix = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    scraper = prometheus(("relay.test", server.status_address[1]), prefix)
    server.wait_for_log("refused /metrics, .* host name relay.test:.* add it to private-hosts")
    scraper.wait_for("up", 0)
    (tmp_path / "relay.conf").write_text(CONF + 'private-hosts = { "relay.test" }\n')
    assert server.reload()[0]
    scraper.wait_for("up", 1)


def poll(sock):
    sock.sendall(request("/healthz"))
    status, head, _ = read_answer(sock)
    assert status == 200, "the connection was closed between two polls"
    assert "Keep-Alive: timeout=75" in head


def test_pollers_keep_their_connections(ours):
    """Sixty scrapers poll at the most common interval, and some at each other usual one."""
    # With a sanitizer, the first only: it adds nothing to wait for a minute once more.
    pollers = {10: 60} if SLOWNESS > 1 else {10: 60, 15: 20, 30: 20, 60: 20}
    with contextlib.ExitStack() as stack:
        polls = {seconds: [stack.enter_context(dial(ours.status_address)) for _ in range(number)]
                 for seconds, number in pollers.items()}
        for sock in itertools.chain(*polls.values()):
            poll(sock)
        began = time.monotonic()
        for seconds, socks in polls.items():
            wait_for(lambda: time.monotonic() >= began + seconds, "the next poll",
                     Deadline(PATIENCE + 60))
            for sock in socks:
                poll(sock)
