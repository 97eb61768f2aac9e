# SPDX-License-Identifier: MPL-2.0
"""The example of a module that asks something slow, conf/module-template/slow-module.c."""

import contextlib
import pathlib

import pytest

import device_id
import relay_protocol as rp
from faults import THREAD, Faults, preload
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection
from waiting import wait_for

SUCCESS, NOT_FOUND = rp.response(rp.SUCCESS), rp.response(rp.NOT_FOUND)


class Names:
    """What the zone lists, see tests/faults/listed_names.c."""

    def __init__(self, path):
        self.path, self.pause = path, path.with_name(path.name + ".hang")
        self.env = {"LD_PRELOAD": preload("listed_names.so"), "LISTED_NAMES": str(path)}

    def list(self, *identities):
        self.path.write_text("".join(
            f"{device_id.to_text(identity.id)}.members.example.org.\n" for identity in identities))


@pytest.fixture
def names(tmp_path):
    return Names(tmp_path / "names")


@pytest.fixture
def listing(module_server, names):  # noqa: F811
    def start(**options):
        return module_server(["log", "slow-module", "relay", "probe"],
                             installed=["slow-module", "probe"], env=names.env, **options)

    return start


def answer_to(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.JoinRelayRequest())


def waiting(server):
    return int(server.probe()["metric core.questions.join"])


def test_who_is_listed_joins(listing, names, identities):
    names.list(identities[0], identities[2])
    server = listing()
    assert [answer_to(server, identity) for identity in identities[:3]] == [
        SUCCESS, NOT_FOUND, SUCCESS]
    assert server.probe()["metric core.questions_settled.denied"] == "1"
    assert server.stop() == 0


def test_without_a_name_server_it_is_said_to_be_full(listing, names, identities):
    """The device tries again, and is then admitted."""
    server = listing()
    assert answer_to(server, identities[0]) == rp.RelayFull()
    names.list(identities[0])
    assert answer_to(server, identities[0]) == SUCCESS


def test_it_stops_with_a_queue(listing, names, identities):
    names.list()
    names.pause.touch()
    server = listing(answer_timeout="20s")
    with contextlib.ExitStack() as stack:
        for count, identity in enumerate(identities[:8], 1):
            client = stack.enter_context(ProtocolConnection(server.address, identity))
            client.send(rp.JoinRelayRequest())
            wait_for(lambda: waiting(server) == count, "it to wait")
        server.process.terminate()
        client.expect_close()
        names.pause.unlink()
        assert server.wait_for_exit() == 0


def test_without_a_thread_it_does_not_start_and_leaves_nothing(module_server, tmp_path):  # noqa: F811
    """A reload adds it while no thread can be made."""
    fault = Faults(tmp_path)
    with_it = ["log", "slow-module", "relay", "probe"]
    server = module_server(["log", "relay", "probe"], installed=["slow-module", "probe"],
                           env=fault.environment)

    def descriptors():
        return len(list(pathlib.Path(f"/proc/{server.pid}/fd").iterdir()))

    def fails(first):
        fault.begin(THREAD, first, 0)
        ok, log = server.reload()
        fault.end()
        assert not ok, log
        return "no thread" in str(log)

    server.configure(with_it)
    # The server makes threads before the module does.
    first = next(number for number in range(1, 10) if fails(number))
    before = descriptors()
    assert fails(first)
    assert descriptors() == before
    assert server.reload()[0]
