# SPDX-License-Identifier: MPL-2.0
"""The dashboard in a real browser while a relay carries traffic.

SCREENSHOTS=FOLDER saves pictures of it."""

import contextlib
import json
import os
import pathlib
import re
import threading
import urllib.request

import pytest

import relay_protocol as rp
from browser import Browser
from cluster_nodes import redis, start_nodes, start_redis  # noqa: F401
from pairing import Invited
from relay_client import Closed, ProtocolConnection, dial
from relay_server import free_port
from waiting import PATIENCE, pace, wait_for
from wormhole import pair

SCREENSHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture
def relay(start, plain_program, tmp_path):
    """relay(*args) starts a relay with the dashboard."""

    def start_one(*args, modules="log, relay, status, dashboard", **options):
        (tmp_path / "relay.conf").write_text(f"modules = {{ {modules} }}\n")
        return start(plain_program, "-conf", tmp_path / "relay.conf", *args, **options)

    return start_one


@pytest.fixture
def opened(relay, browser):
    """A relay and its page."""
    server = relay()
    page = browser.open(url_of(server))
    page.wait_for_text("state", lambda text: text == "live", "the page to be live")
    return server, page


def url_of(server):
    return "http://{}:{}/".format(*server.status_address)


class Traffic:
    """A busy session whose rate changes."""

    def __init__(self, server, asker, target):
        self._invited = Invited(server, asker, target)
        self._both = self._invited.join_both()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._take)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._threads[0].join()
        self._both[0].close()
        self._threads[1].join()
        self._invited.__exit__()

    def _send(self):
        count = 0
        try:
            while not self._stop.is_set():
                self._both[0].send_bytes(b"x" * 20000 * (1 + count // 40 % 4))
                count += 1
                pace(0.01)
        except Closed:
            pass  # the relay was stopped meanwhile

    def _take(self):
        try:
            while self._both[1].receive_some(1 << 20):
                pass
        except Closed:
            pass


def number(text):
    """"1,234" and "1.2 MB" as numbers."""
    found = re.match(r"([\d.,]+)\s*([kMGT]?)", text.replace("\u00a0", " "))
    factor = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    return float(found[1].replace(",", "")) * factor[found[2]] if found else -1


def ask_for(server, identity, device=b"\1" * 32):
    """Sends a request that is refused.  By default, the device has not joined."""
    with ProtocolConnection(server.address, identity) as client:
        client.ask(rp.ConnectRequest(device))


def keep(page, name, **view):
    if SCREENSHOTS:
        page.view(**view)
        pace(0.5)
        page.run("plot()")
        page.screenshot(pathlib.Path(SCREENSHOTS) / f"{name}.png")


def test_it_shows_what_happens(opened, identities):
    server, page = opened
    assert page.text("sessions") == "0"
    ask_for(server, identities[3])
    with Traffic(server, *identities[:2]):
        page.wait_for_text("sessions", lambda text: text == "1", "a session")
        page.wait_for_text("devices", lambda text: text == "1", "a device")
        page.wait_for_text("rate", lambda text: number(text) > 1000, "throughput")
        page.wait_for_text("total", lambda text: number(text) > 100000, "bytes")
        page.wait_for_text("refusals", lambda text: "not found" in text, "a refusal")
        assert re.match("1 session ", page.run("document.title"))
        assert page.run("document.querySelectorAll('#plot .rate').length") >= 1
        wait_for(lambda: page.run("points.size") >= (15 if SCREENSHOTS else 3), "points")
        if SCREENSHOTS:
            # Adds most of an hour of samples, so that the picture shows a full plot.
            page.run("""for (let i = 20; i < 1500; i++) points.set(ended - i * 2000,
                (3e6 + 2e6 * Math.sin(i / 90) + 9e5 * Math.random()) * (i > 700 && i < 760 ? 0 : 1));
                for (let i = 900; i < 960; i++) points.delete(ended - i * 2000); plot()""")
            pace(2.5)
            keep(page, "desktop-light", width=1200, height=900)
            keep(page, "desktop-dark", width=1200, height=900, dark=True)
            keep(page, "phone-light", width=360, height=740)
            keep(page, "phone-dark", width=360, height=740, dark=True)
    page.wait_for_text("sessions", lambda text: text == "0", "the end of the session")
    assert page.text("ever") == "1"
    assert not page.complaints()


def test_it_shows_other_protocols(relay, browser):
    server = relay("-wormhole-transit.share-listeners",
                   modules="log, wormhole-transit, relay, status, dashboard")
    page = browser.open(url_of(server))
    page.wait_for_text("server", lambda text: "Modules" in text, "the page to be live")
    assert "by protocol" not in page.text("server")
    one, two = pair(server.address[1])
    page.wait_for_text("server", lambda text: "wormhole-transit 1" in text, "its session")
    page.wait_for_text("sessions", lambda text: text == "1", "a session")
    one.close()
    two.close()
    assert not page.complaints()


def test_it_fetches_from_nowhere_else(opened, browser):
    server, page = opened
    wait_for(lambda: page.run("points.size") >= 1, "a point")
    own = [url for url in page.requests() if url.startswith(url_of(server))]
    assert own
    strange = [url for url in page.requests()
               if not re.match(r"http://127\.0\.0\.1:\d+/|data:|about:", url)]
    assert not strange, strange
    code, headers, body = server.get("/")
    assert code == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(rb"(src|href)=\"(?!data:)", body)
    assert len(body) < 30000, "it is meant to be small"


def test_the_address_can_be_copied(opened):
    server, page = opened
    want = server.uri
    page.wait_for_text("uri", lambda text: text == want, "the URI")
    page.run("document.getElementById('copy').focus()")
    page.press("Enter")
    page.run("document.getElementById('copy').click()")
    page.wait_for_text("copied", lambda text: text == "Address copied.", "the word of it")
    assert page.text("copy") == "Copied"


def test_an_unknown_host_is_the_one_of_the_page(relay, browser):
    server = relay(listen=":0")
    assert "relay://0.0.0.0:" in server.uri
    page = browser.open(url_of(server))
    want = server.uri.replace("relay://0.0.0.0:", "relay://127.0.0.1:")
    page.wait_for_text("uri", lambda text: text == want, f"{want}")


def test_a_relay_with_a_token_shows_no_address(relay, browser):
    server = relay("-token", "geheim")
    page = browser.open(url_of(server))
    page.wait_for_text("uri-note", lambda text: "token" in text, "the word of it")
    assert page.run("document.getElementById('uri-row').hidden")
    _, _, body = server.get("/dashboard.json")
    assert json.loads(body)["uri"] == "" and b"geheim" not in body
    assert b"relay://" not in body


def test_it_survives_a_restart(relay, browser, identities):
    status = f"127.0.0.1:{free_port()}"
    server = relay(status=status)
    page = browser.open(url_of(server))
    with Traffic(server, *identities[:2]):
        wait_for(lambda: page.run("points.size") >= 3, "some points")
        page.wait_for_text("total", lambda text: number(text) > 100000, "bytes")
        # The total grows at once, a point comes at the end of its step.
        wait_for(lambda: page.run("Math.max(...points.values())") > 1000, "a point of them")
    server.stop()
    page.wait_for_text("state", lambda text: text == "reconnecting…", "the loss to be told")
    keep(page, "lost", width=1200, height=900)
    before = page.run("points.size")
    server = relay(status=status)
    page.wait_for_text("state", lambda text: text == "live", "the page to be live again")
    page.wait_for_text("total", lambda text: number(text) == 0, "the new relay's numbers")
    assert page.run("points.size") >= before
    assert page.run("Math.max(...points.values())") > 1000, "the plot has forgotten the past"
    wait_for(lambda: page.run("points.size") > before, "new points")
    assert not page.complaints()


def test_keys_read_the_plot(opened):
    _, page = opened
    wait_for(lambda: page.run("points.size") >= 2, "points")
    page.press("Tab")
    assert page.run("document.activeElement.id") == "plot"
    page.press("ArrowLeft")
    newest = page.wait_for_text("reading", lambda text: ":" in text, "a reading")
    page.press("Home")
    page.wait_for_text("reading", lambda text: text != newest and "not known" in text, "another")
    page.press("Tab")
    assert page.run("document.activeElement.id") == "copy"


def test_a_screen_reader_finds_its_way(opened):
    _, page = opened
    nodes = page.nodes()
    roles = {role for role, _ in nodes}
    assert {"banner", "main", "contentinfo"} <= roles, roles
    for role in ("button", "meter", "region", "heading"):
        names = [name for found, name in nodes if found == role]
        assert names and all(names), f"{role}: {names}"
    assert ("button", "Copy") in nodes
    assert any(role in ("image", "img") and "throughput" in name for role, name in nodes)
    for element in ("state", "reading", "copied"):
        live = page.run(f"document.getElementById('{element}').getAttribute('aria-live')")
        assert live == "polite", element
    assert page.run("document.documentElement.lang") == "en"


CONTRAST = """(() => {
  const channel = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => channel(v / 255));
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const behind = e => { for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (!c.startsWith('rgba(0, 0, 0, 0')) return c; } return 'rgb(255,255,255)'; };
  return [...document.querySelectorAll('p,dt,dd,td,th,code,h1,h2,button,label,span')]
    .filter(e => e.innerText && e.offsetWidth)
    .map(e => [e.id || e.tagName, ratio(light(getComputedStyle(e).color), light(behind(e)))])
    .filter(([, r]) => r < 4.5);
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out(opened, dark):
    _, page = opened
    page.view(1200, 900, dark)
    assert page.run("matchMedia('(prefers-color-scheme: dark)').matches") == dark
    assert page.run(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 360, 768, 1200, 2000])
def test_it_fits_every_width(opened, width):
    _, page = opened
    page.view(width, 740)
    wait_for(lambda: page.run("innerWidth") == width, "the width")
    assert page.run("document.documentElement.scrollWidth") <= width


def test_it_may_be_on_the_private_address_only(relay):
    server = relay("-private-srv", "127.0.0.1:0")
    port = server.wait_for_log(r"private address: 127\.0\.0\.1:(\d+)").group(1)
    for path in ("/", "/dashboard.json"):
        assert server.get(path)[0] == 404, path
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
        assert b"<h1>" in answer.read()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=PATIENCE) as answer:
        assert "numProxies" in json.load(answer)


@pytest.mark.parametrize("query", ["", "?after=", "?after=-5", "?after=99999999999999999999",
                                   "?after=x", "?x=1&after=0", "?after=%31"])
def test_any_question_is_answered(relay, query):
    code, _, body = relay().get("/dashboard.json" + query)
    data = json.loads(body)
    assert code == 200 and len(data["history"]["rates"]) == data["history"]["last"] + 1


def test_limits_quota_and_pools_are_shown(relay, browser, identities, tmp_path):
    server = relay("-global-rate", "50000000", "-quota.state-required=no", "-quota.day", "1MB", "-quota.month", "10GB",
                   pools="https://127.0.0.1:9/endpoint",
                   modules="log, relay, rate-limit, quota, pool-join, status, dashboard")
    page = browser.open(url_of(server))
    page.wait_for_text("pools", lambda text: "not joined" in text, "the pool")
    assert "https://127.0.0.1:9/endpoint" in page.text("pools")
    page.wait_for_text("pools", lambda text: "connect to server; again in" in text, "why")
    assert "50.0\u00a0MB/s" in page.text("limits")
    page.wait_for_text("month", lambda text: text == "0\u00a0B of 10.0\u00a0GB", "the quota")
    with Traffic(server, *identities[:2]):
        page.wait_for_text("limits", lambda text: "used up" in text, "the end of the quota")
        keep(page, "limits", width=1200, height=900)
        ask_for(server, identities[3], identities[1].id)
        page.wait_for_text("refusals", lambda text: "closed" in text, "a refusal by it")
    assert not page.complaints()


def test_the_nodes_of_a_cluster_are_shown(start_nodes, redis, browser):  # noqa: F811
    node, _ = start_nodes(2, modules=["dashboard"])
    page = browser.open(url_of(node))
    page.wait_for_text("server", lambda text: re.search(r"Nodes of the cluster\s*2", text),
                       "both nodes")
    redis.kill()
    page.wait_for_text("server", lambda text: "this node is alone" in text, "the registry's end")
    assert not page.complaints()


def test_it_names_no_client(relay, identities):
    server = relay()
    with Invited(server, *identities[:2]) as invited:
        invited.join_both()
        _, _, body = server.get("/dashboard.json")
    text = body.decode().replace(server.uri, "")
    assert not re.search(r"[A-Z2-7]{7}-[A-Z2-7]{7}", text)


def test_a_refusal_is_shown_once(relay):
    """By the module that decided it, with its reason."""
    server = relay("-access.connect-deny", "127.0.0.66",
                   modules="log, relay, status, access, dashboard")
    for _ in range(3):
        with dial(server.address, source="127.0.0.66") as refused:
            with contextlib.suppress(ConnectionError):
                assert refused.recv(1) == b""

    def shown():
        return json.loads(server.get("/dashboard.json")[2])["refusals"]

    wait_for(lambda: sum(one["count"] for one in shown()) >= 3, "them to be shown")
    assert shown() == [{"what": "access", "why": "address", "count": 3}]
