# SPDX-License-Identifier: MPL-2.0
"""The relay's URI, which users and tools copy from the log."""

import re
import urllib.parse

import pytest

from relay_server import free_port

DURATIONS = {
    "90s": "1m30s",
    "1h": "1h0m0s",
    "1h30m": "1h30m0s",
    "60m": "1h0m0s",
    "1.5s": "1.5s",
    "500ms": "500ms",
    "1500ms": "1.5s",
    "1m0.25s": "1m0.25s",
    "1h2m3.5s": "1h2m3.5s",
    "24h": "24h0m0s",
    "+5s": "5s",
    "2.s": "2s",
    ".5s": "500ms",
    "1m1m": "2m0s",
    "0.1h": "6m0s",
    "1000000us": "1s",
    "1234000us": "1.234s",
    "1234000\u00b5s": "1.234s",
    "1234000\u03bcs": "1.234s",
    "1234000000ns": "1.234s",
}

PROVIDERS = ["a b", "a&b=c", "50% & more", "d\u00fcrfen", "~-_.", "/?:@#", "1+1",
             "(')!*$,;", '<"">', "tab\tnewline\n"]


@pytest.mark.parametrize("text, want", DURATIONS.items(), ids=DURATIONS)
def test_a_duration_is_written_as_go_writes_it(start, each_program, text, want):
    server = start(each_program, "-ping-interval", text, "-network-timeout", text)
    for name in ("pingInterval", "networkTimeout"):
        assert server.query[name] == want, f"{name}: got {server.query[name]}, want {want}"


def test_the_defaults_are_told(start, each_program):
    server = start(each_program)
    got = {name: server.query[name] for name in ("pingInterval", "networkTimeout")}
    assert got == {"pingInterval": "1m0s", "networkTimeout": "2m0s"}


def test_the_uri_of_a_default_relay_has_this_form(start, plain_program):
    uri = start(plain_program).uri
    want = (r"relay://127\.0\.0\.1:\d+/\?id=[A-Z2-7]{7}(-[A-Z2-7]{7}){7}"
            r"&networkTimeout=2m0s&pingInterval=1m0s&statusAddr=127\.0\.0\.1%3A\d+")
    assert re.fullmatch(want, uri), f"got {uri}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_values_are_escaped_and_keys_sorted(start, plain_program, provider):
    server = start(plain_program, "-provided-by", provider)
    assert server.query["providedBy"] == provider
    raw = urllib.parse.urlsplit(server.uri).query
    want = urllib.parse.urlencode(sorted(server.query.items()))
    assert raw == want, f"got {raw}, want {want}"


@pytest.mark.parametrize("listen", [":0", "0.0.0.0:0", "[::]:0"])
def test_an_unspecified_address_is_written_as_go_does(start, plain_program, listen):
    uri = start(plain_program, listen=listen).uri
    assert re.match(r"relay://0\.0\.0\.0:[1-9]\d*/\?", uri), f"got {uri}"


def test_scripts_find_their_lines_in_the_log(start, each_program):
    server = start(each_program, "-debug", pick_ports=True, listen="0.0.0.0:0")
    server.wait_for_log(rf"ID: {server.query['id']}$")
    server.wait_for_log(r"URI: relay://0\.0\.0\.0:[1-9]\d*/\?id=")
    server.wait_for_log(r"Connection limit [1-9]\d*")


def test_an_ipv6_address_is_in_brackets(start, each_program):
    uri = start(each_program, listen="[::1]:0").uri
    assert re.match(r"relay://\[::1\]:[1-9]\d*/\?", uri), f"got {uri}"


@pytest.mark.parametrize("external", ["192.0.2.7:443", "[2001:db8::7]:443"])
def test_the_external_address_is_told(start, each_program, external):
    uri = start(each_program, "-ext-address", external, pick_ports=True).uri
    assert uri.startswith(f"relay://{external}/?"), f"got {uri}"


def test_an_external_port_alone_is_told_without_a_host(start, each_program):
    uri = start(each_program, "-ext-address", ":443", pick_ports=True).uri
    assert uri.startswith("relay://0.0.0.0:443/?"), f"got {uri}"


def test_a_relay_without_status_tells_no_status_address(start, each_program):
    server = start(each_program, status="")
    assert server.query.get("statusAddr", "") == ""


@pytest.mark.parametrize("external", [":8080", "status.example.org:443", "192.0.2.7:80",
                                      "[2001:db8::7]:80"])
@pytest.mark.parametrize("status", ["127.0.0.1:0", ""])
def test_the_external_status_address_is_told(start, plain_program, external, status):
    server = start(plain_program, "-ext-status", external, status=status)
    assert server.query["statusAddr"] == external
    assert server.uri.startswith("relay://127.0.0.1:"), "it says nothing of the relay's own address"


def test_the_external_status_address_is_shown(start, plain_program):
    port = free_port()
    server = start(plain_program, "-ext-status", f"localhost:{port}", status=f"127.0.0.1:{port}")
    assert server.status()["options"]["ext-status"] == f"localhost:{port}"


def test_a_status_on_all_addresses_is_told_by_its_port(start, plain_program):
    server = start(plain_program, status=":0")
    assert re.fullmatch(r":[1-9]\d*", server.query["statusAddr"]), server.uri
    server.status()


@pytest.mark.parametrize("name", ["globalLimitBps", "sessionLimitBps", "providedBy", "token"])
def test_what_is_not_set_is_not_told(start, plain_program, name):
    server = start(plain_program, "-token", "secret")
    assert name not in server.query, f"got {server.uri}"
