# SPDX-License-Identifier: MPL-2.0
"""Requests that haproxy or nginx in front of the status address denies cannot be smuggled to the
relay."""

import contextlib
import re
import shutil
import subprocess

import pytest

from http_client import ask, dial, read_all, read_answer, request, with_metrics
from relay_server import free_port
from waiting import PATIENCE, wait_for

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend public
  bind 127.0.0.1:{port}
  http-request deny if {{ path_beg /metrics }}
  default_backend relay
backend relay
  server one 127.0.0.1:{relay} maxconn 1
"""
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  merge_slashes off;
  upstream relay {{ server 127.0.0.1:{relay}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{port};
    location /metrics {{ return 403; }}
    location / {{
      proxy_pass http://relay;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
      proxy_request_buffering off;
    }}
  }}
}}
"""
PROXIES = {"haproxy": (HAPROXY, ["-db", "-f"]), "nginx": (NGINX, ["-c"])}
SECRET = b"strelaysrv_core_"


@pytest.fixture(params=PROXIES)
def proxied(request, start_ours, tmp_path):
    """The address of a proxy that passes everything except /metrics, and the relay's address."""
    name = request.param
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, f"no {name}: install the package {name}"
    server = with_metrics(start_ours, tmp_path)
    port = free_port()
    text, flags = PROXIES[name]
    conf = tmp_path / f"{name}.conf"
    conf.write_text(text.format(port=port, relay=server.status_address[1], folder=tmp_path))
    with open(tmp_path / f"{name}.log", "wb") as log:
        process = subprocess.Popen([program, *flags, conf], stdout=log, stderr=log)
    try:
        def is_up():
            with contextlib.suppress(OSError):
                return ask(("127.0.0.1", port), "/healthz")[0] == 200
            assert process.poll() is None, (tmp_path / f"{name}.log").read_text()
            return False

        wait_for(is_up, f"{name} to serve")
        yield ("127.0.0.1", port), server.status_address
    finally:
        process.kill()
        process.wait(PATIENCE)


UNFINISHED = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "
WHOLE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_the_proxy_denies_the_metrics(proxied):
    address, direct = proxied
    assert ask(address, "/metrics")[0] == 403
    assert SECRET in ask(direct, "/metrics")[2]
    assert ask(address, "/status")[0] == 200


@pytest.mark.parametrize("body", [UNFINISHED, WHOLE], ids=["unfinished", "whole"])
@pytest.mark.parametrize("method", ["HEAD", "GET", "TRACE", "POST", "OPTIONS", "DELETE", "BREW"])
def test_a_body_is_never_the_next_request(proxied, method, body):
    address, _ = proxied
    with dial(address) as evil:
        evil.sendall(request("/healthz", method=method, Content_Length=len(body)) + body)
        for _ in range(8):
            with contextlib.suppress(OSError):
                status, _, answer = 0, "", b""
                status, _, answer = ask(address, "/healthz")
            assert SECRET not in answer
            assert status == 200, "the next client got another's answer"
            assert answer == b"ok\n"


@pytest.mark.parametrize("method", ["HEAD", "GET", "TRACE", "POST", "PUT", "BREW"])
@pytest.mark.parametrize("fields, body", [
    ("Content-Length: {n}", WHOLE), ("Transfer-Encoding: chunked", b"0\r\n\r\n" + WHOLE),
    ("Transfer-Encoding: identity", WHOLE), ("Content-Length: +{n}", WHOLE),
    ("Content-Length: {n}\r\nContent-Length: 0", WHOLE), ("Transfer-Encoding : chunked", WHOLE),
    ("Content-Length : {n}", WHOLE), ("Transfer-Encoding: chunked\r\nContent-Length: {n}", WHOLE),
    ("X: y\r\n Content-Length: {n}", WHOLE), ("Content-Length: {n}, {n}", WHOLE)])
def test_what_has_a_body_is_answered_once_and_closed(ours, method, fields, body):
    head = f"{method} /healthz HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".format(n=len(body))
    with dial(ours.status_address) as sock:
        sock.sendall(head.encode() + body)
        answer = read_all(sock)
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"\r\nConnection: close\r\n" in answer
    strange = fields not in ("Content-Length: {n}", "Transfer-Encoding: chunked",
                             "Transfer-Encoding: identity")
    assert not strange or answer.startswith(b"HTTP/1.1 400 "), answer


@pytest.mark.parametrize("target", ["//x/metrics", "///metrics", "/./metrics", "/x/../metrics",
                                    "/%6detrics", "/metrics/", "/metrics%3f", "/metrics;x",
                                    "/metrics#x", "http://localhost/metrics", "*", "metrics",
                                    "localhost:80"])
def test_only_the_exact_target_is_a_route(start_ours, tmp_path, target):
    server = with_metrics(start_ours, tmp_path)
    for method in ("GET", "HEAD", "CONNECT", "OPTIONS"):
        with dial(server.status_address) as sock:
            sock.sendall(request(target, method=method, Connection="close"))
            answer = read_all(sock)
        assert re.match(rb"HTTP/1\.1 404 ", answer), answer[:80]
        assert SECRET not in answer
    assert ask(server.status_address, "/metrics?x=/y")[0] == 200


@pytest.mark.parametrize("target", ["//x/metrics", "//metrics", "/metrics", "/%6detrics",
                                    "/x/../metrics", "/./metrics"])
def test_no_spelling_passes_the_proxy(proxied, target):
    address, _ = proxied
    with dial(address) as sock:
        sock.sendall(request(target, Connection="close"))
        assert SECRET not in read_all(sock)


def test_a_proxy_may_keep_its_connection(proxied):
    """Sends hundreds of requests in succession; none is lost when a connection is reused."""
    address, _ = proxied
    with dial(address) as sock:
        for _ in range(300):
            sock.sendall(request("/healthz"))
            assert read_answer(sock)[0] == 200
