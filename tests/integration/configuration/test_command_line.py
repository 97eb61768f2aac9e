# SPDX-License-Identifier: MPL-2.0
"""The command line: Go's flag syntax, values, usage, and exit codes."""

import re
import socket

import pytest

from relay_server import module_folder, run

DEFAULTS = {
    "debug": None,
    "ext-address": None,
    "global-rate": None,
    "keys": '"."',
    "listen": '":22067"',
    "message-timeout": "1m0s",
    "nat": None,
    "nat-lease": "60",
    "nat-renewal": "30",
    "nat-timeout": "10",
    "network-buffer": "65536",
    "network-timeout": "2m0s",
    "per-session-rate": None,
    "ping-interval": "1m0s",
    "pools": '"https://relays.syncthing.net/endpoint"',
    "pprof": None,
    "protocol": '"tcp"',
    "provided-by": None,
    "status-srv": '":22070"',
    "version": None,
}

BAD_VALUES = [
    ("-message-timeout", "5"),
    ("-message-timeout", "1x"),
    ("-ping-interval", "fast"),
    ("-network-timeout", "1m-1s"),
    ("-nat-lease", "sixty"),
    ("-nat-lease", "1.5"),
    ("-nat-lease", "6_"),
    ("-nat-lease", "_6"),
    ("-nat-lease", "1__0"),
    ("-nat-lease", "0x"),
    ("-nat-lease", "0x1g"),
    ("-nat-lease", "9223372036854775808"),
    ("-network-buffer", "much"),
    ("-debug", "maybe"),
    ("-nat", "2"),
    ("-pprof", "perhaps"),
]


def quiet(keys):
    """Flags that hide a server which starts although it should not."""
    return ["-listen", "127.0.0.1:0", "-status-srv=", "-pools=", "-keys", str(keys)]


def check_exit(result, code):
    assert result.returncode == code, (
        f"exit code: got {result.returncode}, want {code}; stderr:\n{result.stderr}"
    )


def check_usage(text):
    for name in DEFAULTS:
        assert re.search(rf"^\s+-{name}\b", text, re.M), f"usage lacks -{name}:\n{text}"


def usage_entries(text):
    """The entry of each flag in the usage text."""
    entries = {}
    name = None
    for line in text.splitlines():
        match = re.match(r"^  -([\w.-]+)", line)
        name = match.group(1) if match else name
        if name:
            entries[name] = entries.get(name, "") + line + "\n"
    return entries


@pytest.mark.parametrize("flag", ["-version", "--version", "-version=true", "--version=1",
                                  "-version=T"])
def test_version_is_one_line_on_stdout(each_program, flag):
    result = run(each_program, flag)
    check_exit(result, 0)
    assert re.fullmatch(r"strelaysrv v?\d+\.\d+.*\n", result.stdout), f"got {result.stdout!r}"
    assert result.stderr == ""


@pytest.mark.parametrize("flag", ["-help", "--help", "-h", "--h"])
def test_help_shows_usage_on_stderr(each_program, flag):
    result = run(each_program, flag)
    check_exit(result, 0)
    assert result.stdout == ""
    check_usage(result.stderr)


def test_usage_tells_every_default(each_program):
    entries = usage_entries(run(each_program, "-help").stderr)
    for name, default in DEFAULTS.items():
        if default:
            want = f"(default {default})"
            assert want in entries[name], f"want {want} in:\n{entries[name]}"


@pytest.mark.parametrize("name", ["token", "token-file", "conf", "check", "workers",
                                  "max-connections", "log.format", "log.level", "log.target",
                                  "log.file"])
def test_usage_tells_our_own_flags(plain_program, name):
    entries = usage_entries(run(plain_program, "-help").stderr)
    assert name in entries, f"usage lacks -{name}; it has {sorted(entries)}"


def headings(text):
    return re.findall(r"^([A-Z].*):$", text, re.M)


def test_help_begins_with_the_basics_and_groups_the_rest(plain_program):
    text = run(plain_program, "-help").stderr
    groups = headings(text)
    assert groups[:3] == ["Usage of strelaysrv", "Basics", "Server"], groups
    modules = groups[3:]
    assert {"Module relay", "Module nat", "Module bounds"} <= set(modules), modules
    assert modules == sorted(modules) and len(set(modules)) == len(modules)
    basics = usage_entries(text.partition("Server:")[0])
    assert {"listen", "keys", "pools", "token-file", "ext-address", "conf", "help"} <= set(basics)
    assert len(basics) <= 24 and not any("." in name for name in basics)
    assert "-nat-lease" in text.partition("Module nat:")[2].partition("Module ")[0]
    shown = re.findall(r"^  -(\S+)", text, re.M)
    assert len(set(shown)) == len(shown), "a flag is there twice"


def test_help_of_listeners_shows_what_a_section_may_have(plain_program):
    result = run(plain_program, "-help=listener")
    assert result.returncode == 0, result.stderr
    assert {"address", "proxy-from", "private"} <= set(
        re.findall(r"^  (\S+) = ", result.stderr, re.MULTILINE))
    assert "-help=listener" in run(plain_program, "-help").stderr


@pytest.mark.parametrize("flag", ["-help=nat", "--help=nat", "-h=nat"])
def test_help_of_one_module(plain_program, flag):
    result = run(plain_program, flag)
    check_exit(result, 0)
    assert headings(result.stderr) == ["Module nat"] and result.stdout == ""
    assert {"nat-lease", "nat.lease"} <= set(usage_entries(result.stderr))
    whole = run(plain_program, "-help").stderr
    assert result.stderr in whole


@pytest.mark.parametrize("topic, heading", [("basics", "Basics"), ("server", "Server")])
def test_help_of_the_server(plain_program, topic, heading):
    result = run(plain_program, f"-help={topic}")
    check_exit(result, 0)
    assert headings(result.stderr) == [heading]


@pytest.mark.parametrize("value", ["", "true", "false", "1"])
def test_help_is_whole_for_what_scripts_give(each_program, value):
    result = run(each_program, f"-help={value}")
    check_exit(result, 0)
    check_usage(result.stderr)


@pytest.mark.parametrize("topic, near", [("rely", "relay"), ("basic", "basics"), ("statsdd", "statsd"),
                                         ("x\033y", None)])
def test_help_of_no_module_is_an_error_with_the_nearest(plain_program, topic, near):
    result = run(plain_program, f"-help={topic}")
    check_exit(result, 2)
    first, second = result.stderr.splitlines()
    assert first.startswith("there is no module ") and "\033" not in first
    assert str(module_folder()) in first
    assert first.endswith(f"; did you mean -help={near}?") if near else "mean" not in first
    assert "-modules" in second


@pytest.mark.parametrize("flag", ["-bogus", "--bogus", "-bogus=1", "-Listen", "-lis"])
def test_an_unknown_flag_is_an_error(each_program, flag):
    result = run(each_program, flag)
    check_exit(result, 2)
    assert result.stdout == ""
    name = flag.strip("-").partition("=")[0]
    want = f"flag provided but not defined: -{name}"
    assert want in result.stderr, f"want {want!r} in:\n{result.stderr}"


@pytest.mark.parametrize("args, first, second", [
    (["-debug", "-bogus"], "flag provided but not defined: -bogus", "this is argument 2; see -help"),
    (["-lisen", ":1"], "flag provided but not defined: -lisen; did you mean -listen?",
     "this is argument 1; see -help=basics"),
    (["-relay.pingg=1"], "flag provided but not defined: -relay.pingg",
     "this is argument 1; see -help=relay"),
    (["-debug", "-nat-lease", "soon"], 'invalid value "soon" for flag -nat-lease: .*',
     "this is argument 2; see -help=nat"),
    (["-protocol=tpc"], 'invalid value "tpc" for flag -protocol: .*tcp, tcp4, tcp6.*',
     "this is argument 1; see -help=server"),
    (["-debug=maybe"], 'invalid boolean value "maybe" for -debug: .*',
     "this is argument 1; see -help=basics"),
    (["-debug", "-workers"], "flag needs an argument: -workers", "this is argument 2; see -help=server"),
    (["---keys"], "bad flag syntax: ---keys", "this is argument 1; see -help"),
    (["", "one", "two", "-bogus"], 'unexpected argument "one"', "this is argument 2; see -help"),
    (["-json"], "-json and -draining are for -ctl", "see -help")], ids=lambda v: str(v)[:24])
def test_an_error_takes_two_lines(plain_program, args, first, second):
    """What is wrong, with the nearest right one; where it is, and which help is about it."""
    result = run(plain_program, *args)
    check_exit(result, 2)
    lines = result.stderr.splitlines()
    assert len(lines) == 2, result.stderr
    assert re.fullmatch(first.replace("?", r"\?"), lines[0]), lines
    assert lines[1] == second
    topic = re.search("-help=.*", second)
    if topic:
        check_exit(run(plain_program, topic.group()), 0)


@pytest.mark.parametrize("flag", ["---listen", "-=x", "--=x"])
def test_bad_flag_syntax_is_an_error(each_program, flag):
    result = run(each_program, flag)
    check_exit(result, 2)
    assert f"bad flag syntax: {flag.partition('=')[0]}" in result.stderr, result.stderr


@pytest.mark.parametrize("flag", ["-listen", "--listen", "-ping-interval", "-nat-lease"])
def test_a_missing_value_is_an_error(each_program, flag):
    result = run(each_program, flag)
    check_exit(result, 2)
    want = f"flag needs an argument: -{flag.strip('-')}"
    assert want in result.stderr, f"want {want!r} in:\n{result.stderr}"


@pytest.mark.parametrize("flag, value", BAD_VALUES, ids=lambda v: v or "empty")
def test_a_bad_value_is_an_error(each_program, tmp_path, flag, value):
    result = run(each_program, *quiet(tmp_path), f"{flag}={value}")
    check_exit(result, 2)
    for word in (f'"{value}"', flag):
        assert word in result.stderr, f"want {word} in:\n{result.stderr}"


@pytest.mark.parametrize("args", [["-provided-by", "me"], ["-provided-by=me"],
                                  ["--provided-by", "me"], ["--provided-by=me"],
                                  ["-provided-by", "you", "-provided-by", "me"]], ids=" ".join)
def test_a_value_may_be_written_in_every_form(start, each_program, args):
    server = start(each_program, *args)
    assert server.query["providedBy"] == "me"


@pytest.mark.parametrize("flag", ["-debug", "--debug", "-debug=true", "-debug=1", "-debug=TRUE",
                                  "-debug=false", "-debug=0", "--debug=f", "-pprof",
                                  "-pprof=true", "-nat=false"])
def test_a_switch_may_be_written_in_every_form(start, each_program, flag):
    start(each_program, flag, "-provided-by", "me")


@pytest.mark.parametrize("value", ["60", "0x3c", "0X3C", "0b111100", "0o74", "074", "6_0",
                                   "0x_3c", "+60"])
def test_an_integer_may_be_written_in_every_form(start, each_program, value):
    start(each_program, "-nat-lease", value)
    start(each_program, f"-nat-lease={value}")


def test_two_dashes_end_the_flags(start, each_program):
    start(each_program, "-provided-by", "me", "--")


def test_values_may_begin_with_a_dash(start, each_program):
    assert start(each_program, "-provided-by", "-me").query["providedBy"] == "-me"


@pytest.mark.parametrize("args", [[""], ["", ""], ["-debug", ""]])
def test_empty_arguments_are_skipped(start, plain_program, args):
    """systemd passes empty arguments for empty variables.  Go stops at the first one."""
    assert start(plain_program, *args, "-provided-by", "me").query["providedBy"] == "me"


@pytest.mark.parametrize("args", [["stray"], ["-debug", "false"], ["--", "stray"],
                                  ["-pprof", "stray", "-listen", ":1"]], ids=" ".join)
def test_other_arguments_are_an_error_that_names_them(plain_program, tmp_path, args):
    result = run(plain_program, *quiet(tmp_path), *args)
    check_exit(result, 2)
    name = "false" if "false" in args else "stray"
    assert name in result.stderr, f"want {name!r} in:\n{result.stderr}"


def test_a_taken_port_is_fatal(each_program, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run(each_program, *quiet(tmp_path), "-listen", address)
    check_exit(result, 1)
    assert address in result.stderr, f"want {address} in:\n{result.stderr}"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999", "1:2:3:4"])
def test_a_listen_address_that_is_none_is_fatal(each_program, tmp_path, address):
    result = run(each_program, *quiet(tmp_path), "-listen", address)
    check_exit(result, 1)
    assert result.stderr.strip(), "want a message"


def test_thirty_characters_tell_who_provides(start, each_program):
    text = "x" * 30
    assert start(each_program, "-provided-by", text).query["providedBy"] == text


def test_more_than_thirty_characters_are_fatal(each_program, tmp_path):
    result = run(each_program, *quiet(tmp_path), "-provided-by", "x" * 31)
    check_exit(result, 1)
    assert "30" in result.stderr, f"want the limit in:\n{result.stderr}"


def test_a_flag_of_a_module_that_is_absent_is_fatal_and_names_it(plain_program, tmp_path):
    """If the module was not built.  The tests of the module test what the flag does."""
    needs = {
        "rate-limit": [["-global-rate", "1000"], ["-per-session-rate", "1000"]],
        "nat": [["-nat"]],
        "pool-join": [["-pools", "http://127.0.0.1:9/endpoint"]],
    }
    for module, uses in needs.items():
        if (module_folder() / f"{module}.so").exists():
            continue
        for args in uses:
            result = run(plain_program, *quiet(tmp_path), *args)
            check_exit(result, 1)
            assert module in result.stderr, f"want {module} in:\n{result.stderr}"


@pytest.mark.parametrize("args", [["-global-rate", "0"], ["-per-session-rate=0"], ["-nat=false"],
                                  ["-token", ""]], ids=" ".join)
def test_a_flag_that_asks_for_nothing_needs_no_module(start, plain_program, args):
    start(plain_program, *args)


@pytest.mark.parametrize("word", ["-token s3cret", "-token s3cret=", "--keys /tmp"])
def test_a_flag_and_its_value_in_one_word(plain_program, word):
    result = run(plain_program, word)
    assert result.returncode == 2
    assert "s3cret" not in result.stderr
    first = result.stderr.splitlines()[0]
    assert "with a space in it; the flag and its value are two words" in first, first
