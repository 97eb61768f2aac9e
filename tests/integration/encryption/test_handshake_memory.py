# SPDX-License-Identifier: MPL-2.0
"""What connections hold after their handshakes, and what stays when they have ended."""

import contextlib
import json
import os
import pathlib
import ssl
import subprocess
import time

import pytest

import faults
from exposition import parse, value
from relay_client import ProtocolConnection, tls_context
from waiting import PATIENCE, Deadline, pace, wait_for

CONF = "modules = { log, relay, status, prometheus }\n"
#: The first connections make room that the others use again.
FIRST, MANY = 50, 200
DEVICES = 1200
#: After these seconds without a change of more bytes the memory of handshakes was returned.
CALM, NOISE = 2.5, 1 << 17
OPENSSL = ("-crypto", "openssl")


@pytest.fixture
def serve(start, plain_program, tmp_path):
    """Starts a server with one worker."""

    def serve_one(*options):
        conf = tmp_path / "relay.conf"
        conf.write_text(CONF)
        return start(plain_program, "-conf", conf, "-workers", "1", *options)

    return serve_one


def metric(server, name):
    page = server.get("/metrics")[2].decode()
    return value(parse(page), f"strelaysrv_core_{name}")


def resident(server):
    text = pathlib.Path(f"/proc/{server.pid}/statm").read_text(encoding="ascii")
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held_by_each(server, identities):
    """Bytes for one connection after its handshake."""
    with contextlib.ExitStack() as stack:

        def connect(identity, count):
            context = tls_context(identity)
            for _ in range(count):
                one = stack.enter_context(ProtocolConnection(server.address, context=context))
            # Its handshake, which is the last one, is over on the server, too.
            one.join().check_alive()
            pace()
            return resident(server)

        before = connect(identities[0], FIRST)
        return (connect(identities[1], MANY) - before) / MANY


def version_13():
    return {"lowest": ssl.TLSVersion.TLSv1_3}


def version_12():
    return {"highest": ssl.TLSVersion.TLSv1_2}


@pytest.mark.parametrize("version, options, detached", [
    (version_13, (), 1), (version_12, (), 0), (version_13, OPENSSL, 0)],
    ids=["1.3", "1.2", "crypto = openssl"])
def test_what_is_detached_is_counted(serve, identities, version, options, detached, monkeypatch):
    monkeypatch.delenv("TEST_CRYPTO", raising=False)
    server = serve(*options)
    context = tls_context(identities[0], **version())
    with ProtocolConnection(server.address, context=context) as client:
        client.join().check_alive()
        assert metric(server, "tls_detached") == detached
        assert metric(server, "tls_attached") == (options == OPENSSL)
    wait_for(lambda: metric(server, "tls_detached") == 0, "no connection")
    assert not server.count("warning core: TLS")


@faults.needs_memory
def test_openssl_holds_nothing_after_a_handshake(serve, identities):
    plain = held_by_each(serve(*OPENSSL), identities)
    detached = held_by_each(serve(), identities)
    assert detached < 0.3 * plain, f"{detached / 1024:.1f} and {plain / 1024:.1f} KiB"


@contextlib.contextmanager
def devices(server, count):
    """Devices that stay joined inside the block."""
    program = pathlib.Path(server.program.path).resolve().parent / "tests/bench/relay-load"
    host, port = server.address
    line = [program, "idle", "--relay", f"{host}:{port}", "--devices", str(count),
            "--client-timeout", str(PATIENCE), "--limit", str(4 * PATIENCE)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert json.loads(load.stdout.readline())["joined"] == count
        yield
        assert json.loads(load.communicate(timeout=PATIENCE)[0])["lost"] == 0
    wait_for(lambda: server.status()["numConnections"] == 0, "all to have left")


def calm_resident(server):
    """What is resident when that has not changed for some seconds."""
    deadline = Deadline()
    now, since = resident(server), time.monotonic()
    while time.monotonic() - since < CALM:
        assert not deadline.passed(), "the memory never rests"
        pace(0.2)
        if abs(resident(server) - now) > NOISE:
            now, since = resident(server), time.monotonic()
    return now


@faults.needs_memory
def test_memory_goes_back_when_many_devices_have_left(serve):
    # A connection that is detached holds too little to be seen.
    server = serve(*OPENSSL)
    with devices(server, FIRST):
        pass
    before = resident(server)
    with devices(server, DEVICES):
        held = calm_resident(server) - before
    assert held > DEVICES * 4096, f"{held} bytes for {DEVICES} devices"
    # A page in which anything is in use stays, which here is a fourth of them.
    wait_for(lambda: resident(server) - before < held / 2,
             lambda: f"{held} bytes to go back; {resident(server) - before} are left")
