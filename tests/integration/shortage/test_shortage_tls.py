# SPDX-License-Identifier: MPL-2.0
"""TLS while memory is short: one failed allocation breaks one handshake only.

OpenSSL remembers which algorithms it could not load, so a failure at the wrong moment would last
until the process ends.  FAULTS_ALL=1 tests every allocation instead of a sample."""

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
    """TLS contexts of all kinds of devices."""
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
    """begin(number) starts a server in which that allocation fails, and the following ones up to
    `length`.  With `handshakes`, only those during handshakes count.  Returns the server and the
    control of the faults."""
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { relay, status, prometheus }\n")
    fault = faults.Faults(tmp_path)

    def begin_one(number=0, length=1, wait=True, handshakes=False, args=()):
        fault.begin(faults.MEMORY, number, length, handshakes=handshakes)
        return start(our_program, "-conf", conf, *args, keys=own_keys, env=fault.environment,
                     wait=wait), fault

    return begin_one


def works(server, context):
    """Whether a device gets an answer."""
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
    """Whether the server refused to start and logged a reason."""
    code = server.wait_for_exit()
    assert code == 1 and " error " in server.log(), f"ended with {code}: {server.log()}"
    server.stop = lambda: 0  # the fixture expects a running server


@pytest.fixture
def starts_short(begin, clients):
    """starts_short(number, count, handshakes): starts a server in which that allocation fails;
    returns whether it serves with OpenSSL's own algorithms.  If it does not start, it must log
    why."""

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
    """The number of allocations of a start, which varies a little."""
    server, fault = begin(handshakes=handshakes)
    count = fault.end()
    assert metric(server, "tls_fallback") == "0"
    assert not broken(server, clients)
    return count


@faults.needs_memory
def test_starts_without_memory(begin, clients, starts_short):
    """A server that starts serves every device; one that cannot start logs why."""
    count = count_at_start(begin, clients)
    for number in faults.sample(count, 24, SEED)[6:-6]:
        starts_short(number, count)


@faults.needs_memory
def test_trial_handshakes_without_memory(begin, clients, starts_short):
    """The allocations fail during the trial handshakes at the start, so that they do not fail for a
    device."""
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
    """Each start performs trial handshakes, which must remain a small part of it.  Allocations are
    counted, because times vary with the load; those of libseccomp, which makes the sandbox's
    filter, are left out."""
    server, fault = begin(args=["-sandbox=off"])
    start = fault.end()
    context = clients["ecdsa-p384", ssl.TLSVersion.TLSv1_3]
    assert works(server, context)
    fault.begin(faults.MEMORY)
    assert works(server, context)
    handshake = fault.end()
    # 14.9 with OpenSSL 3.0, 17.5 with 3.5.
    assert start < 19 * handshake


@faults.needs_memory
def test_first_handshakes_without_memory(begin, clients):
    """Each device meets failures before its first successful handshake."""
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
