# SPDX-License-Identifier: MPL-2.0
"""No message, page or output prints a secret, whatever is wrong with what the operator wrote."""

import os
import re

import pytest

from control_client import control_folder, controlled, told  # noqa: F401
from module_server import module_server  # noqa: F401
from relay_server import run

SECRET = "s3cret"
URL = f"https://me:{SECRET}@127.0.0.1:1/endpoint"
QUERY = f"http://127.0.0.1:1/endpoint?token={SECRET}"


@pytest.mark.parametrize("words", [
    ["-token", "my", SECRET], [f"-token:{SECRET}"], ["-token=my", SECRET], [f"-token {SECRET}"],
    [f"-token{SECRET}"], [f"--token{SECRET}"], [f"-relay.token{SECRET}"],
    [f"-access.tokens{SECRET}"], [f"---token={SECRET}"], [f"---token{SECRET}"],
    [f"-={SECRET}"], [f"token={SECRET}"], [f"token{SECRET}"], ["token", SECRET],
    ["\u2013token", SECRET], [f"-tokn={SECRET}"], [f"-t{SECRET}"], [f"--t{SECRET}=x"], [f"-T{SECRET}"],
    [f"-tok{SECRET}"], [f"---t{SECRET}"], [f"-relay.t{SECRET}"], [f"-access.toke{SECRET}"],
    [f"-pools=https://a.b/,{URL},{','.join(['x'] * 99)}"], [QUERY]], ids=" ".join)
def test_wrong_flags_do_not_print_it(plain_program, words):
    result = run(plain_program, *words)
    assert result.returncode == 2
    assert SECRET not in result.stdout + result.stderr
    first = result.stderr.splitlines()[0]
    assert words[0].startswith(("-=", "-pools", "http")) or "t" in first.partition(": ")[2] or "tok" in first


@pytest.mark.parametrize("words, told", [
    (["-token-fil", "x"], "not defined: -token-fil; did you mean -token-file?"),
    ([f"-token{SECRET}"], "not defined: -token and more; write -token=VALUE or -token VALUE"),
    ([f"-t{SECRET}"], "not defined: one that begins with -t; the rest may be a secret"),
    ([f"-relay.tok{SECRET}"], "not defined: one that begins with -relay.tok; the rest"),
    (["-tokne"], "not defined: -tokne; did you mean -token?"),
    (["-relay.pings"], "not defined: -relay.pings"), (["-pprofs"], "not defined: -pprofs; did you mean -pprof?"),
    ([f"token={SECRET}"], 'unexpected argument "token" and more'),
    ([f"-pools={','.join([URL] * 99)}"], "invalid value  for flag -pools"),
    ([URL], 'unexpected argument "***"')])
def test_what_is_wrong_is_told_all_the_same(plain_program, words, told):
    result = run(plain_program, *words)
    assert result.returncode == 2
    assert told in result.stderr and SECRET not in result.stderr, result.stderr


@pytest.mark.parametrize("text", [
    f"relay {{ token = my {SECRET} }}", f'relay {{ token = my "{SECRET}" }}',
    f"relay {{ token = my, {SECRET} }}", f"relay {{ token {SECRET} }}",
    f'relay {{ token = "{SECRET} }}', f"relay {{ token = {{ {SECRET} }} }}",
    f"relay {{ token = *{SECRET} }}", f"relay {{ token = ${{{SECRET}}} }}",
    f'relay {{ token = "a${{{SECRET}}}" }}', f"relay {{ token = a${{{SECRET}}} }}",
    f'relay {{ token = "${{{SECRET}" }}', f'relay {{ token = "\\9{SECRET}" }}',
    f'relay {{ token = "\\0{SECRET}" }}', f"relay {{ tokn = {SECRET} }}", f"token = {SECRET}",
    f"relay.token = {SECRET}", f'relay {{ token = "{SECRET}\\xff" }}',
    f'access {{ tokens = {{ my {SECRET} }} }}', f'access {{ token = "{SECRET}" }}',
    f'access {{ join-allow = {{ "{SECRET}" }} }}', f'access {{ connect-allow = {{ "{SECRET}" }} }}',
    f'access {{ connect-allow = {{ "a.b/{SECRET}" }} }}', f'access {{ join-deny = {{ "@file" }} }}',
    f'access {{ ask-deny = {{ "{SECRET}{"A" * 50}" }} }}', 'include("file")',
    f'pool-join {{ pools = {{ "https://me:{SECRET}@h:99999/" }} }}',
    f'pool-join {{ pools = {{ "ftp://me:{SECRET}@h/" }} }}',
    f'pool-join {{ pools = {{ "ftp://h/?token={SECRET}" }} }}',
    f'pool-join {{ pools = {{ "https://h:99999/?token={SECRET}" }} }}',
    f'pool-join {{ proxy = "nowhere://me:{SECRET}@h:99999/" ca-file = "nowhere" }}'])
def test_a_wrong_configuration_does_not_print_it(plain_program, tmp_path, text):
    (tmp_path / "file").write_text(f"{SECRET}\n")
    conf = tmp_path / "c.conf"
    conf.write_text(f"modules = {{ log, access, relay, pool-join }}\n{text.replace('@file', f'@{tmp_path}/file')}\n")
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), "-check")
    assert result.returncode == 1, result.stderr
    assert SECRET not in result.stdout + result.stderr


GOOD = (f'relay {{ token = "{SECRET}" }}\naccess {{ tokens = {{ "{SECRET}" }} }}\n'
        f'pool-join {{ pools = {{ "{URL}", "{QUERY}" }} proxy = "http://me:{SECRET}@127.0.0.1:1/" }}\n')


@pytest.mark.parametrize("action", ["-check", "-modules"])
def test_what_is_good_does_not_print_it_either(plain_program, tmp_path, action):
    conf = tmp_path / "c.conf"
    conf.write_text("modules = { log, access, relay, pool-join }\n" + GOOD)
    result = run(plain_program, "-conf", str(conf), "-keys", str(tmp_path), action,
                 env=dict(os.environ, UNUSED=SECRET))
    assert result.returncode == 0, result.stderr
    assert SECRET not in result.stdout + result.stderr
    assert action == "-modules" or "pools = ***" in result.stdout


def test_a_server_prints_it_nowhere(module_server):  # noqa: F811
    server = module_server(
        ["log", "access", "relay", "pool-join", "status", "dashboard", "prometheus"], args=["-debug"],
        sections={"access": {"tokens": [SECRET]}, "pool-join": {"pools": [URL]}})
    server.wait_for_log("has a user, password or query in it")
    for path in ("/status", "/metrics", "/", f"/nowhere"):
        assert SECRET.encode() not in server.get(path)[2]
    assert b"https://***@127.0.0.1:1/endpoint" in server.get("/status")[2]
    server.reload()
    assert SECRET not in server.log()


def test_pools_that_are_asked_are_told_without_it(controlled):  # noqa: F811
    """Without a token, since a private relay asks no pool."""
    server = controlled(
        ["log", "relay", "pool-join", "status", "control"], args=["-debug"],
        sections={"pool-join": {"pools": [URL, QUERY, f"http://127.0.0.1:1/x?a#{SECRET}"]}})
    for shown in ("https://***@127.0.0.1:1/endpoint", "http://127.0.0.1:1/endpoint?***", "http://127.0.0.1:1/x?***"):
        server.wait_for_log(f"Failed to join pool {re.escape(shown)}: ")
        assert f'"{shown}"'.encode() in server.get("/status")[2]
        assert shown in told(server, "pools")
    assert SECRET.encode() not in server.get("/status")[2]
    assert SECRET not in server.log() + told(server, "pools")
