# SPDX-License-Identifier: MPL-2.0
"""The module pool-join with pools on loopback.  No other pool is contacted."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.parse

import pytest

import certificates
import device_id
from joining import MODULES
from pool_double import HOUR, good, says
from relay_server import free_port, run
from waiting import PATIENCE, wait_for

MINUTES = {"s": 1 / 60, "m": 1, "h": 60}


def again_in(server, pattern=r"Failed to join pool \S+: .*"):
    """Minutes to the next attempt, from the log."""
    text = server.wait_for_log(pattern + r"again in (\S+)").group(1)
    parts = re.findall(r"([\d.]+)([hms])", text)
    assert "".join(a + b for a, b in parts) == text, f"no duration: {text}"
    return sum(float(number) * MINUTES[unit] for number, unit in parts)


@pytest.mark.limits
def test_a_relay_that_works_is_taken_and_stays(start_joining, make_pool, relay_keys):
    pool = make_pool()
    server = start_joining(pool)
    server.wait_for_log(rf"Joined pool {re.escape(pool.url)}, rejoining in 48m0s")
    request = pool.requests[0]
    assert request.url == server.uri
    assert device_id.to_text(request.id) == server.query["id"]
    assert "application/json" in request.head
    assert len(pool.requests) == 1


def test_becoming_public_is_said_loudly(start_joining, make_pool):
    server = start_joining(make_pool())
    server.wait_for_log("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")
    server.wait_for_log(r'PUBLIC')
    server.wait_for_log("bandwidth")
    server.wait_for_log(r'-pools=""')


@pytest.mark.parametrize("timeout, warns", [("2s", False), ("2001ms", True)])
def test_slow_decisions_are_warned_of(start_joining, make_pool, timeout, warns):
    """The pool's check of a relay waits for 2 s."""
    server = start_joining(make_pool(), args=("-answer-timeout", timeout))
    server.wait_for_log("Joined pool ")
    assert server.count("answer-timeout is above 2s") == warns


def test_it_joins_again_before_the_pool_forgets_it(start_joining, make_pool):
    pool = make_pool(good(HOUR // 360))
    server = start_joining(pool)
    server.wait_for_log("Joined pool .* rejoining in 8s")
    pool.wait_for_requests(2)


UNDECODABLE = {
    "no JSON": "hello",
    "empty": "",
    "no evictionIn": "{}",
    "null": '{"evictionIn": null}',
    "zero": '{"evictionIn": 0}',
    "negative": '{"evictionIn": -3600000000000}',
    "a text": '{"evictionIn": "3600000000000"}',
    "a moment": '{"evictionIn": 1}',
    "for ever": '{"evictionIn": 9223372036854775807}',
    "beyond numbers": '{"evictionIn": 1e999}',
    "a list": "[3600000000000]",
    "deep": "[" * 15000,
    "no UTF-8": b'{"evictionIn": "\xff\xfe\x00"}',
}


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
def test_what_cannot_be_decoded_means_an_hour(start_joining, make_pool, body):
    pool = make_pool(says(200, body))
    server = start_joining(pool)
    assert 50 <= again_in(server) <= 70
    assert len(pool.requests) == 1


@pytest.mark.parametrize("status", [204, 301, 400, 403, 404, 429, 500, 503])
def test_a_refusal_means_a_minute(start_joining, make_pool, status):
    pool = make_pool(lambda r: r.answer(status, "" if status == 204 else "not now\n",
                                        Location="/elsewhere"))
    server = start_joining(pool)
    assert 0.8 <= again_in(server, rf"Failed to join pool \S+: it answers {status}: .*") <= 1.2
    assert len(pool.requests) == 1, "redirections are not followed"


def test_a_401_means_an_hour_and_is_told_with_its_reason(start_joining, make_pool):
    pool = make_pool(says(401, "Too many errors"))
    server = start_joining(pool)
    assert 50 <= again_in(server, "Failed to join .* 401: Too many errors; ") <= 70


def endless(request):
    request.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            request.sock.sendall(b"x" * 65536)


def endless_head(request):
    with contextlib.suppress(OSError):
        request.sock.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            request.sock.sendall(b"X-Field: " + b"x" * 1000 + b"\r\n")


def endless_trailers(request):
    with contextlib.suppress(OSError):
        request.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             b'1c\r\n{"evictionIn":3600000000000}\r\n0\r\n')
        while True:
            request.sock.sendall(b"X-Field: " + b"x" * 1000 + b"\r\n")


def cut_off(request):
    request.sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"evic')


BROKEN = {
    "cut off": cut_off,
    "closed": lambda request: None,
    "no HTTP": lambda request: request.sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 5),
    "endless head": endless_head,
}


@pytest.mark.parametrize("behave", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_means_a_minute(start_joining, make_pool, behave):
    server = start_joining(make_pool(behave))
    assert 0.8 <= again_in(server) <= 1.2


def test_headers_after_the_body_have_an_end(start_joining, make_pool):
    server = start_joining(make_pool(endless_trailers))
    assert 0.8 <= again_in(server, "Failed to join .*: the headers have more than 65536 bytes; ") <= 1.2


def test_a_huge_answer_is_not_read_to_its_end(start_joining, make_pool):
    server = start_joining(make_pool(endless))
    assert 50 <= again_in(server) <= 70
    server.status()


def test_a_silent_pool_is_given_up_and_delays_nobody(start_joining, make_pool):
    silent = make_pool(lambda request: request.wait_for_end())
    server = start_joining(silent, make_pool(), args=["-pool-join.timeout", "3s"])
    server.wait_for_log("Joined pool")
    silent.wait_for_requests(1)
    server.status()
    assert 0.8 <= again_in(server) <= 1.2


def test_what_a_pool_says_cannot_write_to_the_log(start_joining, make_pool):
    server = start_joining(make_pool(says(500, "a\x1b[2Jb\r\n2026 notice core: forged" + "x" * 9000)))
    line = server.wait_for_log("Failed to join.*").group()
    assert "\x1b" not in server.log() and "\\x1b" in line and len(line) < 700
    assert not re.search("^2026 notice core: forged", server.log(), re.MULTILINE)


def test_nobody_there_means_a_minute(start_joining):
    server = start_joining(f"https://127.0.0.1:{free_port()}/endpoint")
    assert 0.8 <= again_in(server) <= 1.2
    server.wait_for_log(r"Failed to join pool .* \(from no address: not connected\)")
    server.status()


def test_a_pool_of_another_authority_is_told_nothing(start, plain_program, make_pool, tmp_path):
    pool = make_pool()
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    server = start(plain_program, "-conf", conf, pools=pool.url)
    server.wait_for_log("Failed to join pool .*certificate.*; again in ")
    assert not pool.requests


@pytest.fixture
def environment(authority, tmp_path):
    """Makes the variables that have programs in Go trust the pool's authority, by name."""
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / "pool.pem").write_bytes(authority.file.read_bytes())
    subprocess.run(["openssl", "rehash", folder], check=True)
    values = {"SSL_CERT_FILE": str(authority.file),
              "SSL_CERT_DIR": f"{tmp_path}/nothing:{folder}"}
    return lambda name: {**os.environ, name: values[name]}


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_of_the_environment_are_trusted(start, plain_program, make_pool, tmp_path,
                                                    environment, name):
    pool = make_pool()
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    server = start(plain_program, "-conf", conf, pools=pool.url, env=environment(name))
    server.wait_for_log("Joined pool")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_ca_file_overrides_the_environment(start, plain_program, make_pool, tmp_path, environment,
                                           name):
    other = certificates.make(name="other").write(tmp_path / "other") / "cert.pem"
    pool = make_pool()
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    server = start(plain_program, "-conf", conf, "-pool-join.ca-file", other, pools=pool.url,
                   env=environment(name))
    server.wait_for_log("Failed to join pool .*certificate.*; again in ")
    assert not pool.requests


def test_a_file_of_the_environment_matters_only_with_pools(plain_program, tmp_path):
    env = {**os.environ, "SSL_CERT_FILE": "/no/such.pem"}
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    check = [plain_program.path, "-conf", str(conf), "-keys", str(tmp_path), "-check", "-pools"]
    assert subprocess.run([*check, ""], env=env, capture_output=True, check=False).returncode == 0
    result = subprocess.run([*check, "http://127.0.0.1:9/"], env=env, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 1
    assert "SSL_CERT_FILE: cannot open /no/such.pem: No such file" in result.stderr


def test_a_pool_of_another_name_is_told_nothing(start_joining, make_pool):
    pool = make_pool(name="192.0.2.1")
    start_joining(pool).wait_for_log("Failed to join pool .*; again in ")
    assert not pool.requests


def test_a_new_address_is_told_at_once(start_joining, make_pool):
    pool = make_pool(says(200, json.dumps({"evictionIn": HOUR})))
    server = start_joining(pool)
    server.wait_for_log("Joined pool")
    server.conf.write_text(MODULES + 'relay { ext-address = "192.0.2.7:443" }\n')
    server.send_signal(signal.SIGHUP)
    assert pool.wait_for_requests(2).url.startswith("relay://192.0.2.7:443/")


class Proxy:
    """A proxy on its own port that forwards one request at a time to the status address."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target, self.passed = None, 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                self._pass_on(self.listener.accept()[0])

    def _pass_on(self, outside):
        outside.settimeout(PATIENCE)
        with outside, socket.create_connection(self.target, timeout=PATIENCE) as inside:
            inside.sendall(outside.recv(65536))
            inside.shutdown(socket.SHUT_WR)
            while data := inside.recv(65536):
                outside.sendall(data)
        self.passed += 1

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.listener.close()


def test_a_pool_asks_for_the_status_where_it_is_published(start_joining, make_pool):
    pool = make_pool()
    with contextlib.closing(Proxy()) as proxy:
        proxy.target = ("127.0.0.1", free_port())
        server = start_joining(pool, args=["-ext-status", f"localhost:{proxy.port}"],
                               status="127.0.0.1:{}".format(proxy.target[1]))
        server.wait_for_log("Joined pool")
        wait_for(lambda: proxy.passed, "the pool's request through the proxy")
        assert f"statusAddr=localhost%3A{proxy.port}" in pool.requests[0].url


def test_another_status_address_is_told_at_once(start_joining, make_pool):
    pool = make_pool(says(200, json.dumps({"evictionIn": HOUR})))
    server = start_joining(pool)
    server.wait_for_log("Joined pool")
    server.conf.write_text(MODULES + 'relay { ext-status = ":8080" }\n')
    assert server.reload()[0]
    assert "statusAddr=%3A8080" in pool.wait_for_requests(2).url


def test_a_new_address_is_told_at_once_after_a_refusal(start_joining, make_pool):
    pool = make_pool(says(401, "wrong address"), says(200, json.dumps({"evictionIn": HOUR})))
    server = start_joining(pool)
    server.wait_for_log("Failed to join")
    server.conf.write_text(MODULES + 'relay { ext-address = "192.0.2.7:443" }\n')
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("Joined pool")


def test_a_relay_that_moves_tells_its_pools_at_once(start_joining, make_pool):
    pool = make_pool()
    listen = 'listen = { "127.0.0.1:0" }\n'
    server = start_joining(pool, conf_text=listen, listen=None)
    server.wait_for_log("Joined pool .* rejoining in 48m0s")
    two = 'listen = { "127.0.0.2:0", "127.0.0.1:0" }\n'
    for number, text in enumerate((two, listen), 2):
        server.conf.write_text(MODULES + text)
        assert server.reload()[0]
        request = pool.wait_for_requests(number)
        assert f"URI: {request.url}" in server.log()
        server.wait_for_count("Joined pool .* rejoining in 48m0s", number)
    urls = [request.url for request in pool.requests]
    assert urls[0] == urls[2] and "127.0.0.2" in urls[1], urls


def test_pools_are_not_joined_with_the_keys_of_another(start_joining, make_pool, tmp_path):
    """A reload adds the module, but the key files on disk are no longer those in use."""
    keys = certificates.make(name="strelaysrv").write(tmp_path / "keys")
    pool = make_pool()
    server = start_joining(pool, keys=keys)
    server.wait_for_log("Failed to join pool|Joined pool")
    asked = len(pool.requests)
    server.conf.write_text(MODULES.replace("pool-join, ", ""))
    assert server.reload()[0]
    certificates.make(name="strelaysrv").write(keys)
    server.conf.write_text(MODULES)
    done, log = server.reload()
    assert not done
    assert "cert.pem is not what this relay runs with; pools need a restart" in log
    assert len(pool.requests) == asked


def test_a_file_of_authorities_that_is_missing_refuses_the_reload(start_joining, tmp_path,
                                                                  authority):
    copy = tmp_path / "authorities"
    copy.write_bytes(authority.file.read_bytes())
    server = start_joining(args=["-pool-join.ca-file", copy])
    server.conf.write_text(MODULES + 'pool-join { proxy = "http://me:hush@127.0.0.1:1/" }\n')
    done, log = server.reload()
    assert done and "pool-join.proxy changes" in log and "hush" not in server.log()
    copy.unlink()
    done, log = server.reload()
    assert not done and "ca-file: cannot open" in log


def test_a_reload_that_changes_nothing_asks_nobody(start_joining, make_pool):
    pool = make_pool()
    server = start_joining(pool)
    server.wait_for_log("Joined pool")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("core: reloaded")
    server.status()
    assert len(pool.requests) == 1


def test_a_token_keeps_it_out_of_pools(start_joining, make_pool):
    pool = make_pool()
    server = start_joining(pool, args=["-token", "secret"])
    server.wait_for_log("joins no pool: a token is set")
    assert server.status()["pools"][0]["state"] == "resting"
    assert not pool.requests and "secret" not in server.log()
    assert "PUBLIC" not in server.log()


def test_a_token_set_later_ends_it(start_joining, make_pool):
    pool = make_pool(good(HOUR // 360))
    server = start_joining(pool)
    server.wait_for_log("Joined pool")
    server.conf.write_text(MODULES + 'relay { token = "secret" }\n')
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("joins no pool: a token is set")
    server.wait_for_status(lambda s: s["pools"][0]["state"] == "resting", "the pool to be left")


def test_no_pools_no_requests_no_warning(start, plain_program, tmp_path):
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    server = start(plain_program, "-conf", conf)
    server.wait_for_log("joins no pool")
    assert server.status()["pools"] == [] and "PUBLIC" not in server.log()


def test_a_stop_leaves_no_half_request_behind(start_joining, make_pool):
    ended = threading.Event()

    def behave(request):
        request.wait_for_end()
        ended.set()

    pool = make_pool(behave)
    server = start_joining(pool)
    pool.wait_for_requests(1)
    assert server.stop() == 0
    assert ended.wait(PATIENCE), "the pool still waits for the relay"
    assert "Failed" not in server.log()


def test_the_list_may_change_while_it_runs(start_joining, make_pool):
    silent, kept, new = make_pool(lambda request: request.wait_for_end()), make_pool(), make_pool()

    def section(*pools):
        urls = ", ".join(f'"{pool.url}"' for pool in pools)
        return f"pool-join {{ pools = {{ {urls} }} }}\n"

    server = start_joining(conf_text=section(silent, kept), pools=None)
    server.wait_for_log("Joined pool")
    silent.wait_for_requests(1)
    server.conf.write_text(MODULES + section(new, kept))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(f"Joined pool {new.url}")
    assert [(p["url"], p["state"]) for p in server.status()["pools"]] == [
        (new.url, "joined"), (kept.url, "joined")]
    assert len(kept.requests) == 1 and "Failed" not in server.log()


def test_the_module_may_come_and_go(start_joining, make_pool):
    pool = make_pool()
    server = start_joining(pool)
    server.wait_for_log("Joined pool")
    server.conf.write_text(MODULES.replace("pool-join, ", ""))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("module pool-join stops")
    wait_for(lambda: server.status()["pools"] == [], "no pools")
    server.conf.write_text(MODULES)
    server.send_signal(signal.SIGHUP)
    pool.wait_for_requests(2)


def test_it_asks_from_the_address_that_it_listens_on(start_joining, make_pool):
    pool = make_pool()
    start_joining(pool, listen="127.0.0.3:0").wait_for_log(r"Joined pool .*\(from 127\.0\.0\.3:\d+\)")
    assert pool.requests[0].source == "127.0.0.3"


def test_it_does_not_ask_from_an_address_for_proxies(start_joining, make_pool):
    """Behind a proxy that is usually 127.0.0.1, from which no other machine can be reached."""
    pool = make_pool()
    args = ["-proxy-listen", "127.0.0.3:0", "-proxy-from", "127.0.0.4", "-ext-address", "127.0.0.1:443"]
    start_joining(pool, listen="127.0.0.3:0", args=args)
    pool.wait_for_requests(1)
    assert pool.requests[0].source == "127.0.0.1"


@pytest.mark.parametrize("listen", ["127.0.0.3:0", "127.0.0.3:0,[::1]:0"])
def test_it_asks_from_no_loopback_address_that_the_uri_does_not_name(start_joining, make_pool, listen):
    """Behind a tunnel the relay listens there only, and other machines reach it elsewhere."""
    pool = make_pool()
    start_joining(pool, listen=listen, args=["-ext-address", "127.0.0.30:443"])
    pool.wait_for_requests(1)
    assert pool.requests[0].source == "127.0.0.1"


def test_it_asks_from_the_address_that_it_is_told(start_joining, make_pool):
    pool = make_pool()
    start_joining(pool, args=["-pool-join.bind", "127.0.0.2"]).wait_for_log("Joined pool")
    assert pool.requests[0].source == "127.0.0.2"


def test_it_asks_pools_on_ipv6(start_joining, make_pool):
    pool = make_pool(host="::1")
    start_joining(pool, listen="[::1]:0").wait_for_log(r"Joined pool .*\(from \[::1\]:\d+\)")
    assert pool.requests[0].source == "::1"


def test_an_ipv6_address_cannot_ask_an_ipv4_pool(start_joining, make_pool):
    pool = make_pool(host="127.0.0.1")
    server = start_joining(pool, listen="[::1]:0")
    again_in(server)
    assert not pool.requests


def test_an_authority_that_is_not_there_is_an_error(plain_program, tmp_path):
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    result = run(plain_program, "-conf", str(conf), "-pool-join.ca-file", "/no/such.pem", "-check")
    assert result.returncode == 1, result.stderr
    assert "ca-file: cannot open /no/such.pem: No such file" in result.stderr


def _proxy(listener, used):
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            host, port = head.split()[1].decode().rsplit(":", 1)
            used.append(head.split()[0])
            server = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()


def test_it_asks_through_a_proxy(start_joining, make_pool):
    used = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_proxy, args=(listener, used), daemon=True).start()
        proxy = "http://127.0.0.1:%d" % listener.getsockname()[1]
        server = start_joining(make_pool(), args=["-pool-join.proxy", proxy])
        server.wait_for_log("Joined pool")
        assert used == [b"CONNECT"]


def place_of(pool):
    return urllib.parse.urlsplit(pool if isinstance(pool, str) else pool.url).netloc


def test_its_state_is_in_status_and_metrics(start_joining, make_pool):
    good_pool, bad_pool = make_pool(), make_pool(says(401, "Too many\x1b errors\xff\n".encode("latin-1")))
    nobody = f"https://127.0.0.1:{free_port()}/endpoint"
    server = start_joining(good_pool, bad_pool, nobody)
    server.wait_for_log("Joined pool")
    server.wait_for_log(f"Failed to join pool {re.escape(bad_pool.url)}")
    server.wait_for_log(f"Failed to join pool {re.escape(nobody)}")
    pools = server.status()["pools"]
    # libcurl's words changed.
    why = pools[2]["lastError"]
    assert re.fullmatch("Could(n't| not) connect to server", why), why
    assert [(p["url"], p["state"], p["joined"], p["lastStatus"], p["lastError"]) for p in pools] == [
        (good_pool.url, "joined", True, 200, ""),
        (bad_pool.url, "refused", False, 401, "401: Too many\\x1b errors\\xff"),
        (nobody, "unreached", False, 0, why)]
    assert 0 < pools[0]["nextAttemptSeconds"] <= 48 * 60 < pools[0]["evictedInSeconds"] <= 3600
    assert 0 < pools[1]["nextAttemptSeconds"] <= 70 * 60 and pools[1]["evictedInSeconds"] == -1
    metrics = server.get("/metrics")[2].decode()
    for name, values in {"joined": (1, 0, 0), "state": (2, 3, 4), "last_status": (200, 401, 0)}.items():
        for pool, value in zip((good_pool, bad_pool, nobody), values):
            line = f'strelaysrv_pool_join_{name}{{pool="{place_of(pool)}"}} {value}\n'
            assert line in metrics, f"no {line} in:\n{metrics}"
    for name in ("next_attempt_seconds", "eviction_seconds"):
        line = f'strelaysrv_pool_join_{name}{{pool="{place_of(good_pool)}"}}'
        assert float(re.search(re.escape(line) + " (.*)", metrics).group(1)) > 1000
    for line in ('pools{state="refused"} 1', 'pools{state="unreached"} 1',
                 'attempts_total{outcome="unauthorized"} 1'):
        assert "strelaysrv_pool_join_" + line in metrics, f"no {line} in:\n{metrics}"


def test_metrics_follow_the_list(start_joining, make_pool):
    """Metrics are labelled by host.  Two pools of one host also get a number."""
    pool = make_pool()
    server = start_joining(conf_text=f'pool-join {{ pools = {{ "{pool.url}" }} }}\n', pools=None)
    server.wait_for_log("Joined pool")
    server.conf.write_text(MODULES + f'pool-join {{ pools = {{ "{pool.url}/2", "{pool.url}" }} }}\n')
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(f"Joined pool {re.escape(pool.url)}/2")
    metrics = server.get("/metrics")[2].decode()
    for label in (place_of(pool), place_of(pool) + "#2"):
        assert f'strelaysrv_pool_join_joined{{pool="{label}"}} 1\n' in metrics, metrics
    server.conf.write_text(MODULES + "pool-join { pools = { } }\n")
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: "pool_join_joined{" not in server.get("/metrics")[2].decode(), "no pools")


def test_a_pool_that_lists_it_still_does_when_it_refuses_later(start_joining, make_pool):
    pool = make_pool(good(HOUR // 360), says(500, "later"))
    server = start_joining(pool)
    server.wait_for_log("Failed to join")
    state = server.status()["pools"][0]
    assert state["state"] == "refused" and state["joined"] and state["evictedInSeconds"] > 0
    server.wait_for_status(lambda s: not s["pools"][0]["joined"], "the pool to have forgotten it")


def test_a_pool_without_tls_is_warned_of(start_joining):
    place = f"127.0.0.1:{free_port()}"
    server = start_joining(f"http://{place}/endpoint")
    server.wait_for_log(f"warning pool-join: pool {place} is asked without TLS.*write https://")
    assert 0.8 <= again_in(server) <= 1.2


def test_a_password_in_a_url_is_warned_of(start_joining):
    port = free_port()
    server = start_joining(f"https://me:word@127.0.0.1:{port}/endpoint")
    line = server.wait_for_log("warning pool-join: the URL of pool .* has a user, password or query").group()
    assert "word@" not in line and f"127.0.0.1:{port}" in line


@pytest.mark.parametrize("pools", ["ftp://127.0.0.1/", "127.0.0.1", "https:/x", "https://", "https://a b/",
                                   "https://127.0.0.1:99999/"])
def test_what_is_no_url_is_an_error(plain_program, tmp_path, pools):
    conf = tmp_path / "pools.conf"
    conf.write_text(MODULES)
    result = run(plain_program, "-conf", str(conf), "-pools", pools, "-check")
    assert result.returncode == 1 and "is no URL" in result.stderr, result.stderr


def test_a_default_start_would_join_the_public_pool(plain_program):
    """Nothing is started here; the test reads the default from the help text."""
    assert "https://relays.syncthing.net/endpoint" in run(plain_program, "-help").stderr


def test_requests_have_a_path_for_every_wait(start_joining, make_pool):
    """A pool that stops in the middle of its TLS handshake delays nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = "https://127.0.0.1:%d/endpoint" % mute.getsockname()[1]
        server = start_joining(url, args=["-pool-join.timeout", "2s"])
        server.status()
        assert 0.8 <= again_in(server) <= 1.2
        wait_for(lambda: server.status()["pools"][0]["state"] == "unreached", "the state")
