# SPDX-License-Identifier: MPL-2.0
"""Relays found through a pool, by HTTP and HTTPS."""

import pytest

import relay_protocol as rp
import testutil
from relay_double import PoolDouble, RelayDouble, listing, send, web_certificate
from relay_server import free_port
from testutil import Keys, Tool
from waiting import SLOWNESS

TIMEOUT = f"{int(1000 * SLOWNESS)}ms"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def start_pool():
    pools = []

    def start_one(answer, **options):
        pools.append(PoolDouble(answer, **options))
        return pools[-1]

    yield start_one
    for pool in pools:
        pool.close()


def run(uri, keys, token="", **options):
    return testutil.run("-test", "-relay", uri, "-keys", keys.folder, "-timeout", TIMEOUT,
                        "-debug", "-token", token, **options)


def names(result):
    return [line.split()[0] for line in result.out.splitlines()]


def test_the_first_that_works(server, start_pool, keys):
    """The list also has invalid entries, dead relays, and a relay with a wrong ID."""
    wrong = server.uri.replace(server.query["id"], keys.id)
    dead = [f"relay://127.0.0.1:{free_port()}/" for _ in range(40)]
    pool = start_pool(lambda handler: send(handler, listing(
        "", "http://x/", "relay://:1/", 'relay://"', *dead, wrong, server.uri)))
    result = run(pool.uri("/end?x=y"), keys)
    assert result.code == 0, result
    assert names(result)[:2] == ["pool", "latency"], result
    assert names(result)[-2:] == ["throughput", "OK"], result
    assert [path for path, _ in pool.requests] == ["/end?x=y"]
    assert pool.requests[0][1]["Host"] == f"127.0.0.1:{pool.port}"


def test_joining_by_pool_tells_which(server, start_pool, keys):
    pool = start_pool(lambda handler: send(handler, listing(server.uri + "&token=secret")))
    tool = Tool("-join", "-relay", pool.uri(), "-keys", keys.folder)
    tool.wait_for("Joined relay relay://127.0.0.1:%d/$" % server.address[1])
    tool.finish()
    assert "secret" not in "\n".join(tool.lines())


def test_a_pool_does_not_get_the_token(start_ours, start_pool, keys):
    """The token belongs to the user's own relay, and anybody can add a relay to the pool."""
    server = start_ours("-token", "secret")
    pool = start_pool(lambda handler: send(handler, listing(server.uri)))
    result = run(pool.uri(), keys, token="secret")
    assert result.code == 1 and "(wrong_token)" in result.out, result


def test_asking_goes_from_relay_to_relay(start_any, start_pool, keys, tmp_path):
    """The requested device may have joined any of the relays."""
    servers = [start_any() for _ in range(3)]
    other = Keys(tmp_path / "other")
    target = Tool("-join", "-relay", servers[1].uri, "-keys", other.folder)
    target.wait_for("Joined relay")
    pool = start_pool(lambda handler: send(handler, listing(*(s.uri for s in servers))))
    for _ in range(3):
        asker = Tool("-connect", other.id, "-relay", pool.uri(), "-keys", keys.folder)
        asker.wait_for("Joined session")
        asker.finish()
    target.finish()


def test_all_refuse(start_pool, keys, tmp_path, identities):
    def full(stream):
        stream.receive()
        stream.send(rp.RelayFull())
        stream.receive_some()

    doubles = [RelayDouble(full, identities[n], tmp_path / str(n)) for n in range(3)]
    pool = start_pool(lambda handler: send(handler, listing(*(d.uri for d in doubles))))
    result = run(pool.uri(), keys)
    for double in doubles:
        double.close()
    assert result.code == 1 and "(full)" in result.out, result
    assert names(result).count("tls") == 3, result


def test_relays_that_are_near_come_first(ours, start_pool, keys):
    """A relay that does not answer is tried last, wherever it is in the list."""
    dead = [f"relay://127.0.0.1:{free_port()}/" for _ in range(20)]
    pool = start_pool(lambda handler: send(handler, listing(*dead, ours.uri)))
    result = run(pool.uri(), keys)
    assert result.code == 0, result
    assert names(result).count("lookup") == 1, result


def chunked(handler, body):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for at in range(0, len(body), 7):
        piece = body[at:at + 7]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def to_the_end(handler, body):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)


@pytest.mark.parametrize("form", [chunked, to_the_end])
def test_other_forms_of_body(ours, start_pool, keys, form):
    pool = start_pool(lambda handler: form(handler, listing(ours.uri)))
    result = run(pool.uri(), keys)
    assert result.code == 0, result


def test_a_long_list(ours, start_pool, keys):
    body = listing(*["nonsense"] * 50_000, ours.uri)
    pool = start_pool(lambda handler: send(handler, body))
    result = run(pool.uri(), keys)
    assert len(body) > 1 << 20 and result.code == 0, result


def test_redirections(ours, start_pool, keys):
    def answer(handler):
        if handler.path == "/there":
            send(handler, listing(ours.uri))
        elif handler.path == "/next":
            send(handler, b"", 302, [("Location", f"http://localhost:{pool.port}/there")])
        else:
            send(handler, b"", 307, [("Location", "/next")])

    pool = start_pool(answer)
    result = run(pool.uri(), keys)
    assert result.code == 0, result


# Faults of pools


def check_failure(uri, keys, failure, text, step="pool", **options):
    result = run(uri, keys, **options)
    assert result.code == 1 and result.out.splitlines()[-1] == "FAIL", result
    assert names(result)[-2] == step and f"({failure})" in result.out, result
    assert text in result.out, result


def huge(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * (1 << 20))


def endless_head(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"relays":[')


@pytest.mark.parametrize("answer, text", [
    (lambda h: send(h, b"{}"), "no list"),
    (lambda h: send(h, b"<html>"), "no JSON"),
    (lambda h: send(h, b""), "no JSON"),
    (lambda h: send(h, b'{"relays":[]}'), "names no relay"),
    (lambda h: send(h, listing("http://x/", "relay://:1/")), "names no relay"),
    (lambda h: send(h, b"[" * 100_000), "no JSON"),
    (lambda h: send(h, b"too much", 429), "status 429"),
    (lambda h: send(h, b"", 302), "redirects to nowhere"),
    (lambda h: send(h, b"", 302, [("Location", "/endpoint")]), "redirects too often"),
    (lambda h: send(h, b"", 302, [("Location", "relay://x/")]), "no URI"),
    (lambda h: h.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP/1"),
    (lambda h: None, "cut off"),
    (short, "cut off"),
    (huge, "too long"),
    (endless_head, "head of more than"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_answers_that_are_none(start_pool, keys, answer, text):
    check_failure(start_pool(answer).uri(), keys, "pool", text)


def test_a_pool_that_says_nothing(keys):
    silent = RelayDouble(lambda stream: silent.ended.wait())
    check_failure(f"dynamic+http://127.0.0.1:{silent.address[1]}/", keys, "timeout", "in time")
    silent.close()


def test_a_pool_that_is_not_there(keys):
    check_failure(f"dynamic+http://127.0.0.1:{free_port()}/", keys, "unreachable", "refused")


# https


@pytest.fixture
def https_pool(start_pool, tmp_path):
    """Returns https_pool(names, answer), and the environment in which its certificate is
    trusted."""
    def start(names, answer):
        certificate, key = web_certificate(tmp_path / "web", names)
        pool = start_pool(answer, certificate=certificate, key=key)
        return pool, {"SSL_CERT_FILE": str(certificate)}
    return start


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_https(ours, https_pool, keys, host):
    pool, env = https_pool(["localhost", "127.0.0.1"], lambda h: send(h, listing(ours.uri)))
    result = run(pool.uri(host=host), keys, env=env)
    assert result.code == 0, result


def test_https_of_an_unknown_authority(ours, https_pool, keys):
    pool, _ = https_pool(["localhost"], lambda h: send(h, listing(ours.uri)))
    check_failure(pool.uri(host="localhost"), keys, "tls", "self-signed certificate",
                  env={"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/nowhere"})
    assert pool.requests == []


@pytest.mark.parametrize("names, host", [
    (["example.org"], "localhost"), (["localhost"], "127.0.0.1"),
])
def test_https_for_another_host(ours, https_pool, keys, names, host):
    pool, env = https_pool(names, lambda h: send(h, listing(ours.uri)))
    check_failure(pool.uri(host=host), keys, "tls", "mismatch", env=env)
    assert pool.requests == []


def test_https_does_not_lead_to_http(https_pool, start_pool, ours, keys):
    plain = start_pool(lambda h: send(h, listing(ours.uri)))
    pool, env = https_pool(["localhost"], lambda h: send(
        h, b"", 302, [("Location", f"http://127.0.0.1:{plain.port}/")]))
    check_failure(pool.uri(host="localhost"), keys, "pool", "from https to http", env=env)
    assert plain.requests == []


def test_http_where_https_is_expected(start_pool, keys):
    pool = start_pool(lambda h: send(h, b"{}"))
    check_failure(f"dynamic+https://127.0.0.1:{pool.port}/", keys, "tls", "")
