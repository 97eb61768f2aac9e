# SPDX-License-Identifier: MPL-2.0
"""Each package of the Go relay keeps its options, keys and user somewhere else: all are taken over
from its own files, and none is left out in silence. Gentoo's is tried by tests/roots/openrc.sh."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess

import pytest

import relay_protocol as rp
from privileges import why_no_owner
from relay_client import ProtocolConnection
from relay_server import ROOT, Program, RelayServer, run
from service_unit import UNIT, asserts_hold, command, environment, settings
from waiting import PATIENCE

OURS = Program("ours", 1)
LAYOUT_SCRIPT = ROOT / "conf" / "take-layout.sh"
QUIET = ["-listen", "127.0.0.1:0", "-status-srv=", "-pools="]


@dataclasses.dataclass(frozen=True)
class Layout:
    folder: str  # of the keys, below /var/lib
    defaults: str  # /etc/default/syncthing-relaysrv
    drop_in: str = ""  # for syncthing-relaysrv.service, which is an alias of our unit


LAYOUTS = {
    "debian": Layout("syncthing/relaysrv", 'NAT=false\nSTRELAYSRV_OPTS="{}"\n'),
    "debian-unquoted": Layout("syncthing/relaysrv", "NAT=false\nSTRELAYSRV_OPTS={}\n"),
    "upstream": Layout("syncthing-relaysrv", "# Add Options here:\nRELAYSRV_OPTS={}\n"
                       "# NAT options\nNAT=\n"),
    "upstream-old": Layout("syncthing-relaysrv", "# Add Options here:\nSTRELAYSRV={}\n"
                           "# NAT options\nNAT=\n"),
    "gentoo-old": Layout("strelaysrv", "RELAYSRV_OPTS={}\n"),
    "arch": Layout("syncthing-relaysrv", "", "[Service]\nExecStart=\n"
                   "ExecStart=/usr/bin/syncthing-relaysrv {}\n"),
}
GIVEN = "-token=secret -provided-by=me"


@pytest.fixture
def tree(tmp_path, relay_keys):
    """tree(layout, options): the files that such a package leaves, under a root directory."""
    def make(layout, options):
        folder = tmp_path / "root" / "var" / "lib" / layout.folder
        shutil.copytree(relay_keys, folder)
        if not why_no_owner():
            for path in (folder, *folder.iterdir()):
                os.chown(path, 4321, 1234)
        if layout.drop_in:
            override = tmp_path / "root/etc/systemd/system/syncthing-relaysrv.service.d"
            override.mkdir(parents=True)
            (override / "override.conf").write_text(layout.drop_in.format(options))
        return tmp_path / "root"
    return make


def take_layout(root):
    return subprocess.run(["sh", str(LAYOUT_SCRIPT), str(root)], capture_output=True, text=True,
                          timeout=PATIENCE, check=True)


def drop_ins(root):
    return sorted((root / "etc/systemd/system").glob("*relaysrv.service.d/*.conf"))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout_is_taken_over(tree, tmp_path, identities, relay_keys, layout):
    """Its token guards the relay, and the ID stays: the server would find other keys, or none, in
    another folder."""
    root = tree(layout, GIVEN)
    if layout.folder == "syncthing-relaysrv":
        assert not asserts_hold(settings(UNIT), root)
    take_layout(root)
    unit = settings(UNIT, *drop_ins(root))
    assert asserts_hold(unit, root)
    home = root / unit["WorkingDirectory"][0].lstrip("/")
    assert unit["StateDirectory"] == [layout.folder]
    if layout.folder != "syncthing/relaysrv" and not why_no_owner():
        assert unit["User"] == ["4321"] and unit["Group"] == ["1234"]
    given = environment(unit, layout.defaults.format(GIVEN))
    server = RelayServer(OURS, [OURS.path, *command(unit, "ExecStart", given), *QUIET], home,
                         env={**os.environ, **given})
    try:
        server.wait_until_serving()
        assert server.query["providedBy"] == "me"
        assert (home / "cert.pem").read_bytes() == (relay_keys / "cert.pem").read_bytes()
        server.wait_for_log("URI: relay")
        assert "made a new pair of keys" not in server.log()
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest("guess"))
            client.expect_last(rp.response(rp.WRONG_TOKEN))
        with ProtocolConnection(server.address, identities[0]) as client:
            client.join("secret")
    finally:
        server.stop()


def test_other_variables_of_go_change_nothing(tmp_path):
    def checked(**more):
        done = subprocess.run([OURS.path, "-check", *QUIET], cwd=tmp_path, capture_output=True,
                              env={**os.environ, **more}, text=True, check=True)
        return re.sub(r"(?m)^\S+ \S+ ", "", done.stdout + done.stderr)  # times

    assert checked(GOGC="off", GODEBUG="netdns=go", GOMEMLIMIT="1GiB", GOTRACEBACK="all") == \
        checked()


def test_a_drop_in_of_somebody_else_is_never_replaced(tree):
    root = tree(LAYOUTS["upstream"], "")
    folder = root / "etc/systemd/system/strelaysrv.service.d"
    folder.mkdir(parents=True)
    (folder / "10-layout.conf").write_text("[Service]\nUser=somebody\n")
    assert "is not changed" in take_layout(root).stderr
    assert (folder / "10-layout.conf").read_text() == "[Service]\nUser=somebody\n"


def test_a_layout_is_given_up_when_the_keys_move_to_debians_folder(tree):
    root = tree(LAYOUTS["upstream"], "")
    take_layout(root)
    take_layout(root)
    assert drop_ins(root)
    (root / "var/lib/syncthing").mkdir()
    (root / "var/lib/syncthing-relaysrv").rename(root / "var/lib/syncthing/relaysrv")
    take_layout(root)
    assert not drop_ins(root) and asserts_hold(settings(UNIT), root)


def test_without_keys_the_units_own_layout_starts(tmp_path):
    take_layout(tmp_path)
    assert not drop_ins(tmp_path) and asserts_hold(settings(UNIT), tmp_path)


@pytest.mark.parametrize("name", ["STRELAYSRV_OPTS", "RELAYSRV_OPTS", "STRELAYSRV", "SR_OPTS"])
@pytest.mark.parametrize("options, words", [
    ("-token=s3cret", []),
    ("-token s3cret", ["-token", "another"]),
    ("-debug \"-token='s3cret'\"", ["-debug"]),
    ("-provided-by='my relay' -pools=", ["-provided-by=my relay"]),
], ids=["none", "another-value", "quoted", "empty-value"])
def test_options_that_were_found_but_not_passed_are_an_error(relay_keys, name, options, words):
    """As under a service file that reads the file, but does not know the variable: the relay would
    be a public one."""
    for action in ([], ["-check"]):
        done = run(OURS, *action, *QUIET[:-1], "-keys", str(relay_keys), *words,
                   env={**os.environ, name: options})
        assert done.returncode == 2, done
        assert f"{name} in the environment has options that are not" in done.stderr, done.stderr
        assert "s3cret" not in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options, words", [
    ("", []), (" ", []), ("/usr/bin/strelaysrv", []), ("''", []),
    ("-token=s3cret", ["-token=s3cret"]),
    ("-token s3cret -debug", ["-debug", "-token", "s3cret"]),
    ("-provided-by='my relay'", ["-provided-by=my relay"]),
    ("'-provided-by=my relay'", ["-provided-by=my relay"]),
])
def test_options_that_were_passed_are_none(relay_keys, options, words):
    done = run(OURS, "-check", *QUIET, "-keys", str(relay_keys), *words,
               env={**os.environ, "STRELAYSRV": options})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flag, shown", [
    ("ext-address", ""), ("protocol", "tcp"), ("global-rate", ""), ("per-session-rate", ""),
    ("message-timeout", "message-timeout = 1m"), ("network-timeout", "network-timeout = 2m"),
    ("ping-interval", "ping-interval = 1m"), ("nat", ""), ("nat-lease", "lease = 1h"),
    ("provided-by", ""), ("listen", ":22067"), ("network-buffer", ""), ("debug", ""), ("keys", ""),
])
def test_an_empty_value_means_the_default(tmp_path, flag, shown):
    """Scripts write -x="${X}" for all flags."""
    done = run(OURS, "-check", "-status-srv=", "-pools=", f"-{flag}=", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert done.stdout == run(OURS, "-check", "-status-srv=", "-pools=", cwd=tmp_path).stdout \
        or f"# flag -{flag}" in done.stdout


def test_an_empty_value_leaves_what_the_file_says(tmp_path):
    (tmp_path / "relay.conf").write_text("rate-limit { global = 1000 }\n")
    done = run(OURS, "-check", *QUIET, "-conf", "relay.conf", "-global-rate=", cwd=tmp_path)
    assert done.returncode == 0 and re.search(r"global = 1\S+ +# relay.conf", done.stdout)


@pytest.mark.parametrize("flag", ["quota.day", "quota.month", "token-file"])
def test_a_guard_without_a_value_is_still_an_error(tmp_path, flag):
    (tmp_path / "relay.conf").write_text("modules = { log, relay, quota }\n")
    done = run(OURS, "-check", *QUIET[:-1], "-conf", "relay.conf", f"-{flag}=", cwd=tmp_path)
    assert done.returncode in (1, 2) and flag in done.stderr, done


@pytest.mark.parametrize("value", ["'s3cret'", '"s3cret"', "''"])
@pytest.mark.parametrize("flag", ["-token", "-provided-by", "-keys", "-global-rate", "-pools"])
def test_quotes_that_arrive_are_an_error(tmp_path, flag, value):
    for words in ([f"{flag}={value}"], [flag, value]):
        done = run(OURS, "-check", *QUIET, *words, cwd=tmp_path)
        assert done.returncode == 2
        assert f"the value of {flag} has quotes around it" in done.stderr, done.stderr
        assert "s3cret" not in done.stderr


@pytest.mark.parametrize("value", ["it's", "'", "the 'best'", "O'Neill"])
def test_other_quotes_are_a_part_of_the_value(tmp_path, value):
    done = run(OURS, "-check", *QUIET, "-provided-by", value, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def credentials(tmp_path, relay_keys):
    """A folder as systemd makes it for LoadCredential=, and the environment that names it."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "token").write_text("secret")  # SetCredential= ends no line
    for name in ("cert.pem", "key.pem"):
        shutil.copy(relay_keys / name, folder)
        (folder / name).chmod(0o440)  # an access list for the user shows as the group's right
    return folder, {**os.environ, "CREDENTIALS_DIRECTORY": str(folder)}


def test_credentials_of_systemd_are_taken(credentials, tmp_path, relay_keys, identities):
    folder, env = credentials
    (tmp_path / "home").mkdir()
    server = RelayServer(OURS, [OURS.path, *QUIET], tmp_path / "home", env=env)
    try:
        server.wait_until_serving()
        assert "impersonate" not in server.log() and not list((tmp_path / "home").iterdir())
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest("guess"))
            client.expect_last(rp.response(rp.WRONG_TOKEN))
        with ProtocolConnection(server.address, identities[0]) as client:
            client.join("secret")
        same = run(OURS, "-check", *QUIET, "-keys", str(relay_keys))
        assert same.returncode == 0
        # If they go, a reload must not open the relay.
        folder.rename(tmp_path / "gone")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("cannot open the credentials")
        with ProtocolConnection(server.address, identities[0]) as client:
            client.send(rp.JoinRelayRequest("guess"))
            client.expect_last(rp.response(rp.WRONG_TOKEN))
    finally:
        server.stop()


def test_a_relay_with_the_credential_token_joins_no_pool(credentials, tmp_path):
    _, env = credentials
    pool = "http://127.0.0.1:9/endpoint"
    server = RelayServer(OURS, [OURS.path, *QUIET[:-1], "-pools", pool, "-debug"], tmp_path, env=env)
    try:
        server.wait_until_serving()
        server.wait_for_log("joins no pool")
    finally:
        server.stop()


@pytest.mark.parametrize("words, refusal", [
    (["-token", "another"], "token is set, but systemd passes a token as a credential"),
    (["-token-file", "{home}/token"], "token-file is set, but systemd"),
    (["-keys", "{home}"], "keys are in {home}, but systemd passes a pair"),
    (["-token-file", "{credentials}/token", "-keys", "{credentials}"], None),
])
def test_a_credential_and_an_option_do_not_go_together(credentials, tmp_path, words, refusal):
    folder, env = credentials
    places = {"home": str(tmp_path), "credentials": str(folder)}
    (tmp_path / "token").write_text("another\n")
    done = run(OURS, "-check", *QUIET, *(word.format(**places) for word in words), env=env)
    if refusal is None:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1 and refusal.format(**places) in done.stderr, done.stderr
        assert "another" not in done.stderr


@pytest.mark.parametrize("missing", ["cert.pem", "key.pem"])
def test_half_a_pair_of_credentials_is_an_error(credentials, missing):
    folder, env = credentials
    (folder / missing).unlink()
    done = run(OURS, *QUIET, env=env)
    assert done.returncode == 1 and f"{missing} is missing" in done.stderr, done.stderr


@pytest.mark.parametrize("kind, told", [
    ("gone", "No such file or directory"), ("file", "Not a directory"),
    ("long", "CREDENTIALS_DIRECTORY is too long")])
def test_credentials_that_cannot_be_looked_for_are_an_error(tmp_path, relay_keys, kind, told):
    """Nobody may take them for credentials without a token."""
    folder = tmp_path / "credentials"
    if kind == "file":
        folder.write_text("")
    elif kind == "long":
        folder = "/." * 2045 + "/"
    env = {**os.environ, "CREDENTIALS_DIRECTORY": str(folder)}
    done = run(OURS, "-check", *QUIET, "-keys", str(relay_keys), env=env)
    assert done.returncode == 1 and told in done.stderr, done.stderr


def test_credentials_for_something_else_change_nothing(tmp_path, relay_keys):
    env = {**os.environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    done = run(OURS, "-check", *QUIET, "-keys", str(relay_keys), env=env)
    assert done.returncode == 0, done.stderr
