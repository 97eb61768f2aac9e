# SPDX-License-Identifier: MPL-2.0
"""What the module admission shows and warns of, and the order of modules."""

import pytest

import relay_protocol as rp
from control_client import answer, control_folder, controlled  # noqa: F401
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection
from relay_server import Program, module_folder, run
from verdict_server import SUCCESS, asking, endpoint, hold  # noqa: F401

URL = 'url = "http://127.0.0.1:9/"'
WRONG_ORDER = "modules: write %s before %s, not after it: "
ACCESS_LAST = WRONG_ORDER % ("access", "admission")
RELAY_FIRST = WRONG_ORDER % ("wormhole-transit", "relay")
SHARED = "wormhole-transit { share-listeners = yes }\n"


@pytest.fixture
def warnings(tmp_path, relay_keys):
    """warnings(text): the lines with which -check warns of that configuration."""

    def look(text):
        conf = tmp_path / "relay.conf"
        conf.write_text(text)
        done = run(Program("ours"), "-check", "-conf", str(conf), "-keys", str(relay_keys),
                   "-listen", "127.0.0.1:0", "-status-srv", "", "-module-dir", module_folder())
        assert done.returncode == 0, done.stderr
        # A slow machine has the core warn, too.
        return [line for line in done.stderr.splitlines()
                if "warning" in line and "warning core:" not in line]

    return look


@pytest.mark.parametrize("modules, options, told", [
    ("admission, access, relay", f"admission {{ {URL} }}\n", f"admission: {ACCESS_LAST}"),
    ("access, admission, relay", f"admission {{ {URL} }}\n", None),
    # The relay asks all modules, wherever they are.
    ("access, relay, admission", f"admission {{ {URL} }}\n", None),
    ("relay, wormhole-transit", SHARED, f"wormhole-transit: {RELAY_FIRST}"),
    ("wormhole-transit, relay", SHARED, None),
    ("admission, relay", f"admission {{ {URL}\n timeout = 1500ms }}\n",
     "admission: timeout is 1500 ms, and answer-timeout of the server 1500 ms"),
    ("admission, relay", f"answer-timeout = 800ms\nadmission {{ {URL} }}\n",
     "admission: timeout is 1000 ms, and answer-timeout of the server 800 ms"),
    ("admission, relay", f"admission {{ {URL}\n dialect = iroh }}\n",
     "admission: what is both: in the dialect iroh joins and requests look the same"),
    ("admission, relay", f"admission {{ {URL}\n dialect = derper\n what = joins }}\n", None)])
def test_what_is_hardly_meant_is_warned_of(warnings, modules, options, told):
    found = warnings(f"modules = {{ log, {modules} }}\n{options}")
    assert len(found) == (told is not None), found
    assert told is None or told in found[0]


def test_a_start_and_a_reload_warn_of_the_order(asking, identities):  # noqa: F811
    server = asking()
    assert "write access before" not in server.log()
    server.modules = ["log", "probe", "admission", "access", "relay"]
    server.change()
    server.wait_for_log("warning admission: " + ACCESS_LAST)


def test_the_place_of_the_relay_does_not_matter(asking, endpoint, identities):  # noqa: F811
    server = asking()
    server.modules = ["log", "probe", "relay", "admission"]
    server.change(cache=0)
    assert server.answer_to(identities[0]) == SUCCESS
    assert len(endpoint.asked) == 1


def test_a_slow_endpoint_is_not_asked_twice(asking, endpoint, identities):  # noqa: F811
    """The second request would have less time than the first, which was too short."""
    hold(endpoint)
    server = asking(timeout="600ms", answer_timeout="1s")
    assert server.answer_to(identities[0]) == rp.RelayFull()
    server.wait_for_number("failures.timeout", 1)
    assert len(endpoint.asked) == 1
    # With enough time it is.
    server.answer_timeout = "20s"
    server.change()
    assert server.answer_to(identities[0]) == rp.RelayFull()
    assert len(endpoint.asked) == 3


def test_its_state_is_shown(controlled, control_folder, endpoint, identities):  # noqa: F811
    options = {"url": endpoint.url, "retries": 0, "breaker-failures": 1, "breaker-pause": "1h"}
    server = controlled(modules=["log", "control", "admission", "relay", "status"], sections={
        "control": {"socket": str(control_folder / "s")}, "admission": options})
    assert server.status()["admission"] == {
        "endpoint": "asked", "open": 0, "queued": 0, "answered": 0, "failures": 0, "lastFailure": ""}
    endpoint.answer = lambda asked: (500, b"", {})
    with ProtocolConnection(server.address, identities[0]) as client:
        assert client.ask(rp.JoinRelayRequest()) == rp.RelayFull()
    parts = answer(server, "status")["tables"][1]["rows"]
    assert ["admission", "endpoint", "not asked"] in parts
    assert ["admission", "failures", "1"] in parts
    assert ["admission", "lastFailure", "status"] in parts
