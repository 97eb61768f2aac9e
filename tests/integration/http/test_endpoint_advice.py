# SPDX-License-Identifier: MPL-2.0
"""What -check and the log say of the options of endpoint, and names that nobody knows."""

import contextlib
import json
import subprocess

import pytest

import certificates
import device_id
import name_server
from name_server import names  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import Program, RelayServer, run
from waiting import PATIENCE, wait_for

OURS = Program("ours", 1)
ID = device_id.to_text(certificates.make().id)
RELAY = f"relay://127.0.0.1:22067/?id={ID}"


@pytest.fixture
def check(tmp_path, relay_keys):
    """check(relays, ...) -> the messages of -check."""

    def do(relays, more="", status="127.0.0.1:0", code=0):
        conf = tmp_path / "relay.conf"
        texts = ", ".join(f'"{uri}"' for uri in relays)
        conf.write_text('listen = { "127.0.0.1:0" }\nmodules = { log, relay, status, endpoint }\n'
                        f'status-srv = "{status}"\nendpoint {{ relays = {{ {texts} }} }}\n{more}')
        done = run(OURS, "-check", "-conf", str(conf), "-keys", str(relay_keys))
        assert done.returncode == code, done.stderr
        return done.stderr

    return do


def test_a_good_list_needs_no_words(check):
    assert " warning endpoint:" not in check([RELAY, RELAY.replace(":22067", ":22068")])


#: What it has -> what is said.
SAID = {
    "no-id": (["relay://127.0.0.1:1/"], "the URI of 127.0.0.1:1 has no id: clients and checks cannot"),
    "twice": ([RELAY, RELAY + "&x=1"], "127.0.0.1:22067 is listed twice"),
    "twice-in-capitals": (["relay://LOCALHOST:7/?id=" + ID, "relay://localhost:7/?id=" + ID],
                          "localhost:7 is listed twice"),
    "no-address": (["relay://nobody.invalid:7/?id=" + ID], "warning endpoint: nobody.invalid:7: "),
}


@pytest.mark.parametrize("name", SAID)
def test_is_said(check, name):
    relays, said = SAID[name]
    assert said in check(relays)


def test_this_relay_among_the_others_is_told(check, start, our_program, tmp_path):
    server = start(our_program)
    uri = f"relay://relay.example.org:1/?id={server.query['id']}"
    said = "relay.example.org:1 has the ID of this relay, which is listed anyway"
    assert said in check([uri])
    conf = tmp_path / "own.conf"
    conf.write_text(f'modules = {{ log, relay, status, endpoint }}\nendpoint {{ relays = {{ "{uri}" }} }}\n')
    again = start(our_program, "-conf", conf)
    again.wait_for_log(f"warning endpoint: {said}")


def test_a_list_that_nobody_can_read_is_told(check):
    assert "nobody can read the list: status-srv is empty" in check([RELAY], status="")


def test_a_relay_with_a_token_is_told(check):
    said = check([RELAY], more="relay { token = geheim }\n")
    assert "this relay needs a token, so it is not in its own list" in said


#: Refused, with these words.
WRONG = {
    "token": (RELAY + "&token=geheim", "127.0.0.1:22067 has a token, which is a secret"),
    "no-port": ("relay://127.0.0.1/?id=" + ID, "has no host with a port"),
    "not-an-id": ("relay://127.0.0.1:1/?id=geheim", "has an id that is no device ID"),
    "another-scheme": ("https://127.0.0.1:1/", "is no URI of a relay"),
    "with-a-password": ("relay://me:geheim@127.0.0.1:1/", "is no URI of a relay"),
}


@pytest.mark.parametrize("name", WRONG)
def test_is_refused_and_no_secret_is_shown(check, name):
    uri, said = WRONG[name]
    found = check([uri], code=1)
    assert "error core: module endpoint: relays: " in found and said in found
    assert "geheim" not in found


@pytest.mark.parametrize("option, bad", [("check-interval", "999ms"), ("check-timeout", "2m"),
                                         ("remove-after", "0"), ("restore-after", "101")])
def test_options_have_bounds(check, option, bad):
    assert option in check([], more=f"endpoint {{ {option} = {bad} }}\n", code=1)


@pytest.fixture
def start_naming(names, tmp_path, relay_keys):  # noqa: F811
    """start_naming(*uris) starts our relay, with these in its list, where only `names` resolves."""
    with contextlib.ExitStack() as servers:

        def start(*uris):
            texts = ", ".join(f'"{uri}"' for uri in uris)
            conf = tmp_path / "names.conf"
            conf.write_text("modules = { log, relay, status, prometheus, endpoint }\nendpoint {\n"
                            f" relays = {{ {texts} }}\n check-interval = 1s\n check-timeout = 1s\n"
                            " remove-after = 1\n restore-after = 1\n}\n")
            server = RelayServer(
                OURS, [*names.prefix(), OURS.path, "-conf", str(conf), "-keys", str(relay_keys),
                       "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0"], tmp_path)
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


@name_server.needed
def test_a_name_server_that_is_silent_holds_up_nobody(start_naming, names, identities):  # noqa: F811
    """It holds one thread for each name, however often the relay is checked."""
    uri = f"relay://silent.example.org:7/?id={ID}"
    server = start_naming(uri)
    names.wait_until_asked("silent.example.org")
    with ProtocolConnection(server.address, identities[0]) as device:
        device.join()
    server.wait_for_log("silent.example.org:7 is not listed any more: no name server answers")

    def unresolved():
        metric = 'strelaysrv_endpoint_checks_total{result="unresolved"} '
        return int(server.get("/metrics")[2].decode().partition(metric)[2].split()[0])

    # The resolver waits for 30 s, so without that bound there would be one for each check.
    names.asked.clear()
    checks = unresolved()
    wait_for(lambda: unresolved() >= checks + 3, "further checks")
    assert not names.asked
    assert json.loads(server.get("/endpoint")[2])["relays"] == [{"url": server.uri}]
    assert server.held_up() == 0


@name_server.needed
def test_a_name_that_gets_an_address_is_listed(start_naming, names, start, plain_program, identities,  # noqa: F811
                                               tmp_path):
    other = start(plain_program, keys=identities[0].write(tmp_path / "other"))
    uri = f"relay://two.example.org:{other.address[1]}/?id={other.query['id']}"
    names.impatient()
    server = start_naming(uri)
    server.wait_for_log("two.example.org:[0-9]+ is not listed any more")
    names.address = "127.0.0.1"
    server.wait_for_log("two.example.org:[0-9]+ answers, and is listed")
    assert uri in server.get("/endpoint")[2].decode()


@name_server.needed
def test_a_check_ends_although_no_name_server_answers(names, tmp_path, relay_keys):  # noqa: F811
    """It waits for five seconds, for all names together."""
    conf = tmp_path / "silent.conf"
    uris = [f"relay://{name}.example.org:7/?id={ID}" for name in ("one", "two", "three")]
    texts = ", ".join(f'"{uri}"' for uri in uris)
    conf.write_text('listen = { "127.0.0.1:0" }\nmodules = { log, relay, status, endpoint }\n'
                    f'status-srv = "127.0.0.1:0"\nendpoint {{ relays = {{ {texts} }} }}\n')
    done = subprocess.run([*names.prefix(), OURS.path, "-check", "-conf", str(conf), "-keys", str(relay_keys)],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("example.org:7: no name server answers") == 3
