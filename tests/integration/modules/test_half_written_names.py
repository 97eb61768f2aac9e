# SPDX-License-Identifier: MPL-2.0
"""A file of named tokens of root that the server, as another user, has read while its writer
paused: it is read again when the rest is there."""

import os

import pytest

import certificates
import relay_protocol as rp
from control_client import MODULES, told
from module_server import ModuleServer
from open_folder import folder  # noqa: F401
from privileges import why_no_other_user
from relay_client import ProtocolConnection, SessionConnection
from skip_unless import can_run
from waiting import wait_for

UID, GID = 64701, 64702
SUCCESS, WRONG = rp.response(rp.SUCCESS), rp.response(rp.WRONG_TOKEN)

pytestmark = can_run("ROOT'S NAMES", why_no_other_user())


@pytest.fixture
def serve(folder):  # noqa: F811
    servers = []

    def start(names):
        keys = certificates.make(name="strelaysrv").write(folder / "keys")
        for path in (keys, *keys.iterdir()):
            os.chown(path, UID, GID)
        server = ModuleServer(folder, keys, ["access", "probe", *MODULES], installed=["probe"],
                              sections={"access": {"named-tokens": str(names)},
                                        "control": {"socket": str(keys / "s")}},
                              args=["-user", str(UID), "-group", str(GID)])
        servers.append(server)
        server.wait_for_log("ready, with modules:")
        os.chmod(server.conf, 0o644)
        return server

    yield start
    for server in servers:
        server.finish()


def joining(server, identity, token):
    client = ProtocolConnection(server.address, identity)
    return client, client.ask(rp.JoinRelayRequest(token))


def held_back(server):
    return int(server.probe()["metric rate-limit.held_back.device"])


def test_its_rates_count_for_who_is_here(serve, identities, folder):  # noqa: F811
    names = folder / "names"
    names.write_text("bob:of-bob\nalice:of-alice\n")
    server = serve(names)
    device, answer = joining(server, identities[0], "of-alice")
    assert answer == SUCCESS
    with device:
        with ProtocolConnection(server.address, identities[1]) as asker:
            keys = asker.request(identities[0].id).key, device.invitation().key
        with SessionConnection(server.address).join(keys[0]) as one, \
                SessionConnection(server.address).join(keys[1]) as other:
            one.send_bytes(bytes(150_000))
            assert other.receive_bytes(150_000) == bytes(150_000)
            assert held_back(server) == 0
            with open(names, "wb", buffering=0) as writer:
                writer.write(b"bob:of-bob\n")
                assert server.reload()[0], "nothing shows that there will be more"
                writer.write(b"alice:of-alice rate=200kB/s\n")
            server.wait_for_log("all lists are read again")
            wait_for(lambda: server.count("and 2 tokens are in force") == 2, "both lines")
            one.send_bytes(bytes(300_000))
            assert other.receive_bytes(300_000) == bytes(300_000)
            assert held_back(server) > 0


def test_what_was_revoked_meanwhile_stays_revoked(serve, identities, folder):  # noqa: F811
    names = folder / "names"
    names.write_text("alice:of-alice\nbob:of-bob\n")
    server = serve(names)
    with open(names, "wb", buffering=0) as writer:
        writer.write(b"alice:of-alice\n")
        assert server.reload()[0], "nothing shows that there will be more"
        told(server, "revoke", "alice")
        writer.write(b"bob:of-bob\n")
    wait_for(lambda: joining(server, identities[0], "of-bob")[1] == SUCCESS, "the second line")
    assert joining(server, identities[1], "of-alice")[1] == WRONG
    # A reload is what ends it.
    assert server.reload()[0]
    assert joining(server, identities[1], "of-alice")[1] == SUCCESS
