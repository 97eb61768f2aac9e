# SPDX-License-Identifier: MPL-2.0
"""strelaysrv -check: the resulting configuration with the origin of each value, and all errors at
once."""

import os
import re
import socket
import subprocess

import pytest

from module_server import folder_of
from relay_server import Program, module_folder, run

OURS = Program("ours")


@pytest.fixture
def check(tmp_path, relay_keys):
    """check(text, *args, keys=...) runs -check on a configuration file; returns the finished
    process."""

    def do(text, *args, keys=relay_keys, modules=(), code=0, listen="127.0.0.1:0"):
        conf = tmp_path / "relay.conf"
        conf.write_text(text or "\n")
        folders = [module_folder(), *map(folder_of, modules)]
        done = run(OURS, "-check", "-conf", str(conf), "-keys", str(keys), "-listen", listen,
                   "-status-srv", "127.0.0.1:0", "-module-dir", ",".join(map(str, folders)),
                   *map(str, args))
        assert done.returncode == code, f"got {done.returncode}, want {code}:\n{done.stderr}"
        if code:
            assert done.stdout == "", "what is wrong must not be taken for a configuration"
        return done

    return do


def shown(text):
    """{"section.option": (value, origin)} from the output of -check.  Top-level options have no
    section."""
    found, section = {}, ""
    for line in text.splitlines():
        head = re.fullmatch(r"(\S+) \{", line)
        if head:
            section = head.group(1) + "."
        elif line == "}":
            section = ""
        else:
            match = re.fullmatch(r"\t?(\S+) = (.*?) +# (.*)", line)
            if match:
                found[section + match.group(1)] = match.groups()[1:]
    return found


def test_every_value_is_shown_with_its_origin(check, tmp_path):
    text = 'modules = { log, relay }\nlog {\n\tformat = json\n}\n'
    found = shown(check(text, "-network-timeout", "90s", "-log.level=debug").stdout)
    conf = f"{tmp_path}/relay.conf"
    assert found["log.format"] == ("json", f"{conf}:3")
    assert found["log.level"] == ("debug", "flag -log.level")
    assert found["relay.network-timeout"] == ("1m30s", "flag -network-timeout")
    assert found["relay.ping-interval"] == ("1m0s", "default")
    assert found["modules"] == ('{ "log", "relay" }', f"{conf}:1")
    assert found["listen"] == ('{ "127.0.0.1:0" }', "flag -listen")


def test_only_modules_that_are_enabled_are_shown_in_their_order(check):
    out = check("modules = { status, log, relay }\nquota { }\n").stdout
    assert re.findall(r"^(\S+) \{$", out, re.MULTILINE) == ["status", "log", "relay"]


def test_an_included_file_is_named(check, tmp_path):
    (tmp_path / "more.conf").write_text("\nworkers = 3\n")
    assert shown(check('include("more.conf")\n').stdout)["workers"] == (
        "3", f"{tmp_path}/more.conf:2")


def values(found):
    return {name: value for name, (value, _) in found.items()}


@pytest.mark.parametrize("text", [
    "",
    'relay { provided-by = "a \\"quoted\\" \\\\ ${HOME} #name" }\n',
    "modules = { }\n",
    'modules = { log, access, relay, quota, statsd }\nlog { required = no }\n'
    'quota { state-required = no day = 1536KiB throttle-rate = 12345 save-interval = 1500ms }\n'
    'access { connect-deny = { "192.0.2.0/24", "2001:db8::/32" } }\n',
], ids=["defaults", "quoting", "no-modules", "numbers"])
def test_what_is_shown_is_a_configuration_that_gives_the_same(check, tmp_path, text):
    first = check(text).stdout
    conf = tmp_path / "again.conf"
    conf.write_text(first)
    again = run(OURS, "-check", "-conf", str(conf))
    assert again.returncode == 0, again.stderr
    assert values(shown(again.stdout)) == values(shown(first))
    origins = {origin for _, origin in shown(again.stdout).values()}
    assert all(origin.startswith(f"{conf}:") for origin in origins), origins
    assert again.stdout.count("required = no") == first.count("required = no")


def test_a_secret_is_not_shown_and_not_lost_silently(check, tmp_path):
    """A copy of the output without the token would make the relay public."""
    out = check("relay { token = geheim }\n").stdout
    assert "geheim" not in out
    assert shown(out)["relay.token"][0] == "***"
    (tmp_path / "again.conf").write_text(out)
    again = run(OURS, "-check", "-conf", str(tmp_path / "again.conf"))
    assert again.returncode == 1 and "again.conf:" in again.stderr
    line = int(re.search(r"again\.conf:(\d+)", again.stderr).group(1))
    assert "token = ***" in out.splitlines()[line - 1]


@pytest.mark.parametrize("option", ["ext-address", "ext-status"])
@pytest.mark.parametrize("value, want", [
    ("relay.example.org", "write HOST:PORT, :PORT or"),
    ("relay.example.org:0", "with a port from 1 to 65535"),
    ("relay.example.org:http", "with a port from 1 to 65535"),
    ("2001:db8::1:443", "write HOST:PORT, :PORT or"),
    ("a b:443", "neither a host name nor an IP address"),
    ("http://relay.example.org:443", "write HOST:PORT, :PORT or"),
    ("x" * 254 + ":443", "more than 253 characters"),
])
def test_external_addresses_are_checked(check, option, value, want):
    log = check(f'relay {{ {option} = "{value}" }}\n', code=1).stderr
    assert re.search(rf"error core: module relay: {option}.*{want}", log), log


def test_an_external_status_address_is_shown(check):
    out = check('modules = { log, relay }\nrelay { ext-status = ":8080" }\n',
                "-ext-status", "[2001:db8::7]:80").stdout
    assert shown(out)["relay.ext-status"] == ('"[2001:db8::7]:80"', "flag -ext-status")


def test_all_problems_are_told_at_once(check, tmp_path):
    text = ("workers = many\n"
            "netwrok-buffer = 1\n"
            "log { format = jsn\n levle = info }\n"
            "modules = { log, rely, quota }\n"
            "quota { time-zone = Mars }\n"
            'user = "no-such-user"\n'
            'status-srv = "127.0.0.1"\n')
    missing = tmp_path / "nowhere"
    log = check(text, "-listen", "192.0.2.1:5", "-status-srv", "127.0.0.1:port", keys=missing,
                code=1).stderr
    for want in (r"relay\.conf:1: option workers: \"many\" is no integer",
                 r"relay\.conf:2: .*\"netwrok-buffer\"; did you mean \"network-buffer\"",
                 r"relay\.conf:3: .*\"jsn\" is none of text, json; did you mean \"json\"",
                 r"relay\.conf:4: .*\"levle\"; did you mean \"level\"",
                 r"relay\.conf:5: modules names \"rely\"; did you mean \"relay\"",
                 r"error core: module rely is not there",
                 r"error core: module quota: time-zone: .*Mars",
                 r"error core: there is no user \"no-such-user\"",
                 rf"error core: the key directory {missing} does not exist",
                 r"error core: option listen: cannot bind 192\.0\.2\.1:5",
                 r"error core: option status-srv: .*\"port\"",
                 r"error core: the configuration is not good"):
        assert re.search(want, log), f"want {want} in:\n{log}"


@pytest.mark.parametrize("text, args, want", [
    ("listn = x\n", [], 'did you mean "listen"'),
    ("relay { tokn = x }\n", [], 'did you mean "token"'),
    ("realy { }\n", [], 'did you mean "relay"'),
    ("modules = { log, relai }\n", [], 'did you mean "relay"'),
    ("protocol = tpc4\n", [], 'did you mean "tcp4"'),
    ("log { level = warnin }\n", [], 'did you mean "warning"'),
    ('inlude("x")\n', [], 'did you mean "include"'),
    ("token = x\n", [], "it belongs into section relay"),
    ("token-file = x\n", [], "it belongs into section access or admission or relay"),
], ids=["option", "option-of-a-section", "section", "module", "choice", "choice-of-a-section",
        "function", "place", "places"])
def test_a_mistyped_word_of_the_file_suggests_the_near_one(check, text, args, want):
    assert want in check(text, *args, code=1).stderr


@pytest.mark.parametrize("flag, want, code", [
    ("-listn=x", "did you mean -listen", 2),
    ("-relay.tokn=x", "did you mean -relay.token", 2),
    ("-rely.token=x", "did you mean -relay.token", 2),
    ("-protocol=tpc4", 'did you mean "tcp4"', 2),
    ("-log.format=jsn", 'did you mean "json"', 2),
    ("-chek", "did you mean -check", 2),
])
def test_a_mistyped_flag_suggests_the_near_one(check, flag, want, code):
    assert want in check("", flag, code=code).stderr


def test_nothing_is_made_bound_or_written(check, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    text = ("modules = { log, relay, quota }\n"
            f'log {{ target = file\n file = "{tmp_path}/log" }}\n'
            f'quota {{ state-file = "{tmp_path}/state" }}\n')
    done = check(text, keys=keys)
    assert "there are no keys in" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "relay.conf"]
    assert not list(keys.iterdir())


def test_spoilt_keys_are_told(check, tmp_path, relay_keys):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "cert.pem").write_bytes((relay_keys / "cert.pem").read_bytes())
    assert "key.pem is missing" in check("", keys=keys, code=1).stderr


def test_an_address_in_use_is_no_fault(check):
    """The address may belong to the running server that is to be reloaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert f"{address} is in use" in check("", listen=address).stderr


def test_flags_that_are_none_give_2(check):
    check("", "-no-such-flag", code=2)
    check("", "stray", code=2)


def test_output_that_cannot_be_written_is_a_failure(tmp_path):
    full = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run([OURS.path, "-check", "-pools=", "-keys", str(tmp_path)], stdout=full,
                          stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    os.close(full)
    assert done.returncode == 1 and "cannot write to stdout" in done.stderr


# Deprecated options.

OLD = "modules = { log, deprecated }\n"


def test_a_deprecated_option_counts_and_names_its_successor(check):
    done = check(OLD + "deprecated {\n most = 7\n phrases = { x }\n paint = green\n}\n",
                 modules=["deprecated"])
    found = shown(done.stdout)
    assert found["deprecated.limit"][0] == "7" and found["deprecated.limit"][1].endswith(".conf:3")
    assert found["deprecated.words"][0] == '{ "x" }'
    assert found["deprecated.colour"][0] == "green"
    assert not {"deprecated.most", "deprecated.phrases", "deprecated.paint"} & set(found)
    for line, old, new in ((3, "most", "limit"), (4, "phrases", "words"), (5, "paint", "colour")):
        want = (rf"warning core: \S+relay\.conf:{line}: option {old} of section deprecated is "
                rf"deprecated; write {new}$")
        assert re.search(want, done.stderr, re.MULTILINE), done.stderr


def test_an_empty_and_a_growing_list_may_be_deprecated(check):
    for text, want in (("phrases = { }", "{ }"), ("phrases += { c }", '{ "a", "b", "c" }')):
        done = check(OLD + f"deprecated {{ {text} }}\n", modules=["deprecated"])
        assert shown(done.stdout)["deprecated.words"][0] == want
        assert "write words" in done.stderr


def test_old_and_new_name_together_are_told(check):
    done = check(OLD + "deprecated {\n most = 7\n limit = 8\n}\n", modules=["deprecated"])
    assert shown(done.stdout)["deprecated.limit"][0] == "8"
    assert re.search(r"relay\.conf:4: .*limit.* was set before, in \S+relay\.conf:3", done.stderr)


def test_a_wrong_value_of_a_deprecated_option_is_told_under_its_name(check):
    done = check(OLD + "deprecated {\n most = 70\n}\n", modules=["deprecated"], code=1)
    assert re.search(r"relay\.conf:3: option most of section deprecated: 70 is out of range",
                     done.stderr)


@pytest.mark.parametrize("flags, value, want", [
    (["-deprecated-most", "3"], "3", "-deprecated-most is deprecated; use -deprecated-limit"),
    (["-deprecated.most=3"], "3", "-deprecated.most is deprecated; use -deprecated-limit"),
    (["-deprecated-most=3", "-deprecated-limit=4"], "4", ""),
    (["-deprecated.limit=4", "-deprecated.most=3"], "3", "use -deprecated-limit"),
], ids=["short", "long", "new-last", "old-last"])
def test_a_deprecated_flag_counts_and_names_its_successor(check, flags, value, want):
    done = check(OLD, *flags, modules=["deprecated"])
    assert shown(done.stdout)["deprecated.limit"][0] == value
    assert want in done.stderr


def test_deprecated_names_are_not_suggested(check):
    done = check(OLD + "deprecated { mos = 3 }\n", modules=["deprecated"], code=1)
    assert "did you mean" not in done.stderr
    done = check(OLD, "-deprecated-mos=3", modules=["deprecated"], code=2)
    assert "did you mean -deprecated-most" not in done.stderr


def test_help_and_modules_tell_what_is_deprecated():
    folders = f"{module_folder()},{folder_of('deprecated')}"
    usage = run(OURS, "-module-dir", folders, "-help").stderr
    assert re.search(r"-deprecated-most int\n\s+deprecated: use -deprecated-limit\n", usage)
    assert re.search(r"-deprecated\.paint string\n\s+deprecated: use -deprecated\.colour\n", usage)
    listed = run(OURS, "-modules", "-module-dir", folders).stdout
    assert re.search(r"^    most\n        deprecated: write limit$", listed, re.MULTILINE)


def put(tmp_path, kind):
    """Something at a path, and the path."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        (tmp_path / "other").write_text("")
        os.link(tmp_path / "other", path)
    elif kind == "null":
        return "/dev/null"
    elif kind == "absent":
        return path / "file"
    return path


@pytest.mark.parametrize("kind, told", [
    ("folder", "Is a directory"), ("pipe", "it is no regular file"), ("link", "a hard link"),
    ("null", "it is no regular file"), ("absent", "No such file or directory"), ("good", None)])
def test_a_file_that_is_to_be_written_is_looked_at(check, tmp_path, kind, told):
    path = put(tmp_path, kind)
    done = check("modules = { log, relay, csv-exporter }\n" f'csv-exporter {{ file = "{path}" }}\n')
    assert done.stderr.count("warning csv-exporter: cannot write") == (told is not None), done.stderr
    assert told is None or f"{path}" in done.stderr and told in done.stderr
    assert told or not path.exists()


def test_a_system_log_that_is_absent_is_an_error(check, tmp_path):
    text = f'log {{ target = syslog syslog-socket = "{tmp_path}/log" }}\n'
    assert f"cannot reach the system log at {tmp_path}/log" in check(text, code=1).stderr
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        check(text)


@pytest.mark.parametrize("text, args, told", [
    ('relay { ext-status = "192.0.2.1:22070" }', ["-status-srv="], "relay: ext-status is told"),
    ('proxy-listen = { "127.0.0.1:0" }\nproxy-from = { "192.0.2.1" }', [],
     "relay: each listener is for proxies or names a protocol"),
    ("relay { ping-interval = 3m }", [], "relay: ping-interval is not below network-timeout"),
    ('pool-join { pools = "http://127.0.0.1:1/" }', [], "pool-join: pool 127.0.0.1:1 is asked without TLS"),
    ('pool-join { pools = "https://h/?a=b" }', [], "pool-join: the URL of pool h has a user, password or query")])
def test_what_a_start_would_warn_of_is_told(check, text, args, told):
    found = check("modules = { log, relay, pool-join }\n" + text + "\n", *args).stderr
    assert found.count(f"warning {told}") == 1 and "the configuration is good" in found
    assert "warning" not in check("modules = { log, relay, pool-join }\npool-join { pools = { } }\n").stderr
