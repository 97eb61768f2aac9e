# SPDX-License-Identifier: MPL-2.0
"""What -check says of options that are allowed and may not be meant so, mostly of addresses."""

import pytest

from relay_server import Program, run

OURS = Program("ours")
ALONE = 'listen = { "127.0.0.1:0" }\nstatus-srv = ""\n'
PRIVATE = "pool-join { pools = {} }\n"


@pytest.fixture
def check(tmp_path, relay_keys):
    """check(text, *args) -> the messages of -check, which finds no error."""

    def do(text, *args, keys=relay_keys, **more):
        conf = tmp_path / "relay.conf"
        conf.write_text(text)
        done = run(OURS, "-check", "-conf", str(conf), "-keys", str(keys), *args, **more)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return do


def listener(more):
    return f'status-srv = ""\nlistener "a" {{ {more} }}\n' + PRIVATE


def own(address):
    return f'listen = {{ "127.0.0.1:0" }}\nstatus-srv = ""\nrelay {{ ext-address = {address} }}\n' + PRIVATE


#: name -> text, what is said.
SAID = {
    "status-at-a-listener": (
        'listen = { ":7" }\nstatus-srv = "127.0.0.1:7"\n' + PRIVATE,
        "option status-srv: 127.0.0.1:7 and :7 have an address in common"),
    "private-at-a-section": (
        'private-srv = "127.0.0.1:7"\n' + listener('address = "127.0.0.1:7"'),
        "option private-srv: 127.0.0.1:7 and 127.0.0.1:7 of listener a have an address in common"),
    "both-services": (
        'listen = { ":0" }\nstatus-srv = ":7"\nprivate-srv = "127.0.0.1:7"\n' + PRIVATE,
        "option private-srv: 127.0.0.1:7 and :7 of status-srv have an address in common"),
    "ipv6-only-outside": (own('"[2001:db8::1]:443"'), "an address of IPv6, but no listener has one"),
    "ipv4-only-outside": (
        'protocol = tcp6\nlisten = { ":0" }\nstatus-srv = ""\n'
        'relay { ext-address = "192.0.2.1:443" }\n' + PRIVATE,
        "an address of IPv4, but no listener has one"),
    "name": (own('"relay.example.org:443"'),
             "the host relay.example.org, which was not looked up"),
    "host-bits": (
        listener('address = "127.0.0.1:0" proxy = yes proxy-from = "10.0.0.1/8"'),
        "listener a: proxy-from: 10.0.0.1/8 trusts all of 10.0.0.0/8"),
    "host-bits-of-ipv6": (
        listener('address = "127.0.0.1:0" proxy = yes proxy-from = "2001:db8::1/64"'),
        "2001:db8::1/64 trusts all of 2001:db8::/64"),
    "comma": ('modules = { log, relay }\nbounds { exempt = { "192.0.2.1, 192.0.2.2" } }\n' + ALONE,
              'relay.conf:2: option exempt of section bounds: a text with a comma is one word'),
    "public": (ALONE, "joins the pool https://relays.syncthing.net/endpoint and becomes public"),
}

#: What of these is not said of.
UNSAID = {
    "other-port": 'listen = { ":7" }\nstatus-srv = "127.0.0.1:8"\n' + PRIVATE,
    "both-families": 'listen = { "[::]:0" }\nstatus-srv = ""\n'
                     'relay { ext-address = { "[2001:db8::1]:443", "192.0.2.1:443" } }\n' + PRIVATE,
    "family-behind-a-proxy": listener('address = "127.0.0.1:0" proxy = yes proxy-from = "10.0.0.0/8"')
                             + 'relay { ext-address = "[2001:db8::1]:443" }\n',
    "no-host": own('{ ":443", "0.0.0.0:8443" }'),
    "url-with-a-comma": ALONE + 'pool-join { pools = { "https://127.0.0.1:1/a,b" } }\n'
                        'relay { token = geheim }\n',
}


@pytest.mark.parametrize("name", SAID)
def test_is_said(check, name):
    text, said = SAID[name]
    assert said in check(text)


@pytest.mark.parametrize("name", UNSAID)
def test_is_not_said(check, name):
    log = check(UNSAID[name])
    for said in ("in common", "no listener has one", "not looked up", "trusts all", "with a comma",
                 "becomes public"):
        assert said not in log, log


def test_the_last_conf_counts_and_both_are_named(check, tmp_path):
    other = tmp_path / "other.conf"
    other.write_text(ALONE + PRIVATE)
    log = check("workers = 3\n", "-conf", str(other))
    assert f"-conf is given twice: {other} is read, and {tmp_path}/relay.conf is not" in log
    assert "given twice" not in check(ALONE + PRIVATE, "-conf", str(tmp_path / "relay.conf"))


def test_without_keys_the_whole_folder_is_named(check, tmp_path):
    (tmp_path / "here").mkdir()
    log = check(ALONE + PRIVATE, keys="here", cwd=str(tmp_path))
    assert f"there are no keys in {tmp_path}/here yet" in log
