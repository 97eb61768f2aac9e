# SPDX-License-Identifier: MPL-2.0
"""TLS while memory is short: what one failed allocation breaks is one handshake.

OpenSSL remembers what it could not load, so that a failure at the wrong moment
would last until the end of the process.  FAULTS_ALL=1 fails every allocation in
turn instead of a sample."""

import re
import ssl

import pytest

import certificates
import faults
import relay_protocol as rp
from relay_client import dial, tls_context

SEED = 23
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def clients():
    """What every kind of device negotiates with."""
    return {
        (kind, version): tls_context(identity, lowest=version, highest=version)
        for kind, identity in ((kind, certificates.make(kind)) for kind in certificates.KEY_KINDS)
        for version in VERSIONS
    }


@pytest.fixture(scope="module")
def own_keys(request, tmp_path_factory):
    """Of a kind that has algorithms of ours, or of another one."""
    kind = getattr(request, "param", "ecdsa-p384")
    return certificates.make(kind).write(tmp_path_factory.mktemp("own"))


OTHER_KINDS = pytest.mark.parametrize("own_keys", ["rsa-3072", "ed25519"], indirect=True)


@pytest.fixture
def begin(start, our_program, own_keys, tmp_path):
    """begin(number) starts a server whose allocation of that number fails, and all of
    `length` from there, or of those within handshakes: the server, and what fails."""
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { relay, status, prometheus }\n")
    fault = faults.Faults(tmp_path)

    def begin_one(number=0, length=1, wait=True, handshakes=False):
        fault.begin(faults.MEMORY, number, length, handshakes=handshakes)
        return start(our_program, "-conf", conf, keys=own_keys, env=fault.environment,
                     wait=wait), fault

    return begin_one


def works(server, context):
    """Whether a device gets an answer in the protocol."""
    try:
        with dial(server.address) as plain, context.wrap_socket(plain) as sock:
            sock.sendall(rp.encode(rp.Ping()))
            return sock.recv(1) != b""
    except OSError:
        return False


def broken(server, clients):
    return [f"{kind} by {version.name}" for (kind, version), context in clients.items()
            if not works(server, context)]


def metric(server, name):
    page = server.get("/metrics")[2].decode()
    return re.search(rf"^strelaysrv_core_{name} (\d+)$", page, re.MULTILINE).group(1)


def ended_by_itself(server):
    """Whether it refused to start, and said why."""
    code = server.wait_for_exit()
    assert code == 1 and " error " in server.log(), f"ended with {code}: {server.log()}"
    server.stop = lambda: 0  # the fixture would miss a clean end


@pytest.fixture
def starts_short(begin, clients):
    """starts_short(number, count, handshakes): whether a server whose allocation of that number
    failed serves with OpenSSL's own algorithms; one that does not start says why."""

    def start_one(number, count, handshakes=False):
        server, fault = begin(number, wait=False, handshakes=handshakes)
        try:
            server.wait_until_serving()
        except AssertionError:
            fault.end()
            ended_by_itself(server)
            return False
        fault.end()
        found = broken(server, clients)
        assert not found, f"allocation {number} of {count} broke {found}: {server.log()}"
        assert server.get("/healthz")[0] == 200
        fell_back = "OpenSSL's, and takes longer" in server.log()
        assert metric(server, "tls_fallback") == str(int(fell_back))
        return fell_back

    return start_one


def count_at_start(begin, clients, handshakes=False):
    """How many allocations there are in all; how many differs a little from start to start."""
    server, fault = begin(handshakes=handshakes)
    count = fault.end()
    assert metric(server, "tls_fallback") == "0"
    assert not broken(server, clients)
    return count


@faults.needs_memory
def test_starts_without_memory(begin, clients, starts_short):
    """A server that serves, serves everybody; and one that cannot, says so."""
    count = count_at_start(begin, clients)
    for number in faults.sample(count, 24, SEED)[6:-6]:
        starts_short(number, count)


@faults.needs_memory
def test_trial_handshakes_without_memory(begin, clients, starts_short):
    """They fail at the start, so that no device's does."""
    count = count_at_start(begin, clients, handshakes=True)
    assert count, "no handshake is tried at the start"
    fell_back = [starts_short(number, count, handshakes=True)
                 for number in faults.sample(count, 8, SEED)]
    assert any(fell_back), "no handshake noticed"


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
@faults.needs_memory
def test_no_start_without_any_memory(begin, part):
    server, fault = begin()
    server, fault = begin(int(fault.end() * part), length=0, wait=False)
    ended_by_itself(server)
    fault.end()


@faults.needs_memory
def test_start_takes_no_longer_than_needed(begin, clients):
    """Handshakes are tried at each start: they stay a part of what it takes.  Allocations are
    counted, since times depend on what else runs."""
    server, fault = begin()
    start = fault.end()
    context = clients["ecdsa-p384", ssl.TLSVersion.TLSv1_3]
    assert works(server, context)
    fault.begin(faults.MEMORY)
    assert works(server, context)
    handshake = fault.end()
    assert start < 17 * handshake


@faults.needs_memory
def test_first_handshakes_without_memory(begin, clients):
    """Each device meets failures before its first good handshake."""
    server, fault = begin()
    fault.end()
    for key, context in clients.items():
        for number in (1, 5, 20, 60, 150, 300, 450, 600):
            fault.begin(faults.MEMORY, number)
            works(server, context)
            fault.end()
        assert works(server, context), key


@OTHER_KINDS
@faults.needs_memory
def test_other_keys_of_the_server_without_memory(begin, clients, starts_short):
    """The server signs once at its start, so that no device meets a failure to load."""
    count = count_at_start(begin, clients)
    for number in faults.sample(count, 12, SEED)[3:-3]:
        starts_short(number, count)


@OTHER_KINDS
@faults.needs_memory
def test_first_signatures_without_memory(begin, clients):
    """Whatever fails in the first handshake, the next one works."""
    context = clients["ecdsa-p256", ssl.TLSVersion.TLSv1_3]
    server, fault = begin()
    fault.end()
    fault.begin(faults.MEMORY)
    works(server, context)
    count = fault.end()
    for number in faults.sample(count, 16, SEED):
        server, fault = begin()
        fault.begin(faults.MEMORY, number)
        works(server, context)
        fault.end()
        assert works(server, context), f"allocation {number} of {count}"
        server.stop()


@faults.needs_memory
def test_handshakes_without_memory(begin, clients):
    server, fault = begin()
    fault.end()
    context = clients["ecdsa-p384", ssl.TLSVersion.TLSv1_3]
    assert works(server, context)
    fault.begin(faults.MEMORY)
    assert works(server, context)
    count = fault.end()
    failed = 0
    for number in faults.sample(count, 80, SEED):
        fault.begin(faults.MEMORY, number)
        failed += not works(server, context)
        fault.end()
        assert works(server, context), f"after allocation {number} of {count}"
    assert failed, "nothing failed"
    assert not broken(server, clients)
    assert server.get("/healthz")[0] == 200


def test_handshakes_without_random_numbers(begin, clients):
    server, fault = begin()
    fault.end()
    for number in range(1, 8):
        fault.begin(faults.RANDOM, number, length=0)
        for context in clients.values():
            works(server, context)
        fault.end()
        assert not broken(server, clients)
