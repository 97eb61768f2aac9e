# SPDX-License-Identifier: MPL-2.0
"""Which Redis the module cluster's registry uses: the primary among several, what replicas and
Sentinels lead to, a Redis Cluster; names, IPv6 and TLS."""

import os

import pytest

import certificates
import name_server
from redis_server import start_redis  # noqa: F401
from name_server import names  # noqa: F401
from registry_driver import Driver, driver, padded  # noqa: F401
from relay_server import free_port
from waiting import wait_for


def _port():
    return {"port": free_port()}


def _replica_of(start_redis, primary):
    replica = start_redis(f"replicaof 127.0.0.1 {primary.port}", **_port())
    wait_for(lambda: "master_link_status:up" in replica.call("INFO", "replication"), "a replica")
    return replica


def _stored(redis, device="dev"):
    return redis.call("EXISTS", f"st:{{test}}:d:{padded(device)}") == "1"


def test_the_first_that_works_is_used(driver, start_redis):
    redis = start_redis()
    driver.open_and_wait("a", 1, f"127.0.0.1:{free_port()}", "/nowhere/socket", redis.address)
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    assert not driver.seen("a away")


@name_server.needed
def test_silent_name_servers_keep_few_threads(start_redis, names):
    redis = start_redis(**_port())
    driver = Driver(prefix=names.prefix())
    try:
        driver.open("a", 1, *(f"name{i}.example:{redis.port}" for i in range(6)), connect=20)
        wait_for(lambda: driver.seen("no name can be looked up"), "that all places are taken")
        names.wait_until_asked("name3.example")
        assert len(os.listdir(f"/proc/{driver.process.pid}/task")) == 1 + 4
        names.address = "127.0.0.1"
        # Their next questions are due in half a minute: a name without a lookup is needed.
        driver.open_and_wait("b", 2, f"name7.example:{redis.port}")
    finally:
        driver.process.kill()  # threads that wait for the name server do not end
        driver.process.wait()


@name_server.needed
@pytest.mark.parametrize("last", [1, 2, 3])
def test_each_address_of_a_name_is_tried(start_redis, tmp_path, last):
    # Whatever the order, two of these three have another address first.
    redis = start_redis(f"bind 127.0.0.{last}", **_port())
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"127.0.0.{i} several.example\n" for i in (1, 2, 3)))
    driver = Driver(prefix=[
        "unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)])
    try:
        driver.open_and_wait("a", 1, f"several.example:{redis.port}")
        assert not driver.seen("a away")
    finally:
        driver.finish()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_names_and_addresses(driver, start_redis, host):
    redis = start_redis(**_port())
    driver.open_and_wait("a", 1, f"{host}:{redis.port}")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


def test_ipv6(driver, start_redis):
    redis = start_redis("bind ::1", **_port())
    driver.open_and_wait("a", 1, f"[::1]:{redis.port}")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


def test_a_name_that_does_not_exist(driver, start_redis):
    redis = start_redis()
    driver.open_and_wait("a", 1, "no-such-host.invalid:1", redis.address, connect=500)
    assert "its name is" in driver.wait("a log 1 no-such-host.invalid:1: ")


def test_a_replica_leads_to_its_primary(driver, start_redis):
    primary = start_redis(**_port())
    replica = _replica_of(start_redis, primary)
    driver.open_and_wait("a", 1, replica.address)
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    assert _stored(primary)
    assert not driver.seen("a away") + driver.seen("a log 1")


def test_a_replica_whose_primary_is_gone(driver, start_redis):
    primary = start_redis(**_port())
    replica = _replica_of(start_redis, primary)
    primary.kill()
    driver.open("a", 1, replica.address)
    assert f"127.0.0.1:{primary.port}: Connection refused" in driver.wait("a away")
    replica.call("REPLICAOF", "NO", "ONE")
    driver.wait("a back")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


def test_replicas_in_a_circle_are_left(driver, start_redis):
    first, second = start_redis(**_port()), start_redis(**_port())
    first.call("REPLICAOF", "127.0.0.1", second.port)
    second.call("REPLICAOF", "127.0.0.1", first.port)
    third = start_redis()
    driver.open_and_wait("a", 1, first.address, third.address)
    assert "does not lead to its primary" in driver.wait("a log 1")


def test_a_primary_that_becomes_a_replica_is_left(driver, start_redis):
    first, second = start_redis(**_port()), start_redis(**_port())
    driver.open_and_wait("a", 1, first.address)
    driver.ask("join", "a", "dev", 0)
    first.call("REPLICAOF", "127.0.0.1", second.port)
    driver.wait("a away")
    assert driver.wait("a back") == "a back"
    assert driver.ask("check", "a", "dev", 1) == ["0:0", "1:1"]
    assert _stored(second)
    assert len(driver.seen("a away")) == 1


def test_a_replica_that_hides_its_role_is_left_when_it_cannot_be_written(driver, start_redis):
    first, second = (start_redis('rename-command ROLE ""', **_port()) for _ in range(2))
    driver.open_and_wait("a", 1, first.address, second.address)
    first.call("REPLICAOF", "127.0.0.1", second.port)
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "0:0"]
    assert "not the server to write to" in driver.wait("a away")
    assert driver.wait("a back") == "a back"
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    assert driver.counts("a")["moved"] == 1


def test_a_failover_by_sentinels(driver, start_redis):
    primary = start_redis(**_port())
    replica = _replica_of(start_redis, primary)
    sentinel = start_redis.sentinel(primary)
    wait_for(lambda: f"{replica.port}" in sentinel.call("SENTINEL", "replicas", "main"),
             "that it knows the replica")
    gone = f"127.0.0.1:{free_port()}"
    driver.open_and_wait("a", 1, gone, sentinel.address, master="main")
    driver.open_and_wait("b", 2, sentinel.socket, master="main")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    wait_for(lambda: _stored(replica), "its copy")
    primary.kill()
    driver.wait("a away")
    driver.wait("a back")
    driver.wait("b back")
    assert driver.ask("join", "b", "dev", 0) == ["1:1", "2:2"]
    assert _stored(replica)
    driver.ask("send", "a", 2, "over-there")
    driver.wait("b received over-there")
    assert len(driver.seen("a away")) == 1
    # The old one comes back as a replica, and nobody minds.
    primary.start()
    wait_for(lambda: "role:slave" in primary.call("INFO", "replication"), "its new role")
    assert driver.ask("join", "a", "dev", 0) == ["2:2", "1:3"]


def test_what_is_wrong_with_sentinels(driver, start_redis):
    primary = start_redis(**_port())
    sentinel = start_redis.sentinel(primary)
    driver.open("a", 1, sentinel.address)
    assert "it is a Sentinel, but no name of a master" in driver.wait("a away")
    driver.open("b", 2, sentinel.address, master="else")
    assert "it knows no master 'else'" in driver.wait("b away")
    driver.open("c", 3, primary.address, master="main")
    assert "it refuses to name the master" in driver.wait("c away")


def test_sentinels_without_the_servers_password(driver, start_redis):
    primary = start_redis("requirepass right", **_port())
    primary.cli = ["-a", "right"]
    sentinel = start_redis.sentinel(primary)
    driver.open_and_wait("a", 1, sentinel.address, master="main", password="right")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


@pytest.fixture
def cluster(start_redis):
    """A Redis Cluster of two servers with half of the keys each."""
    nodes = [start_redis("cluster-enabled yes", f"cluster-port {free_port()}", **_port())
             for _ in range(2)]
    nodes[0].call("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    nodes[1].call("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    bus = nodes[1].call("CONFIG", "GET", "cluster-port").split()[-1]
    assert nodes[0].call("CLUSTER", "MEET", "127.0.0.1", nodes[1].port, bus) == "OK"
    for node in nodes:
        wait_for(lambda: "cluster_state:ok" in node.call("CLUSTER", "INFO"),  # noqa: B023
                 "the cluster")
    return nodes


def test_a_redis_cluster(driver, cluster):
    # Each of these names has its keys on one of the servers; both servers are tried for each.
    for i, name in enumerate(("one", "two", "three", "four")):
        for j, node in enumerate(cluster):
            number = 2 * i + j + 1
            driver.open_and_wait("abcdefgh"[number - 1], number, node.address, name=name)
        first, second = "abcdefgh"[2 * i: 2 * i + 2]
        assert driver.ask("join", first, "dev", 0) == ["0:0", f"{2 * i + 1}:1"]
        driver.ask("lease", first, "lease", 60000)
        driver.wait(f"{second} received lease")
        assert driver.ask("find", second, "dev", 1, "hello") == "sent"
        driver.wait(f"{first} received hello")
        driver.ask("lease_all", second)
        driver.wait(f"{second} received lease")
        assert driver.ask("identify", second, "relay") == "relay"
    assert not driver.seen("away") + driver.seen("log 1")


@pytest.fixture
def tls(start_redis, tmp_path):
    """tls(HOST) starts a server with a certificate for that host; its keys are in tmp_path/keys."""
    def start_one(host):
        identity = certificates.make(name=host)
        identity.write(tmp_path / "keys")
        port = free_port()
        server = start_redis(
            f"tls-port {port}", f"tls-cert-file {tmp_path}/keys/cert.pem",
            f"tls-key-file {tmp_path}/keys/key.pem", "tls-auth-clients no")
        server.tls_port = port
        return server

    return start_one


def test_tls(driver, tls, tmp_path):
    server = tls("localhost")
    ca = tmp_path / "keys" / "cert.pem"
    # So many claims may take longer than others may.
    driver.open_and_wait("a", 1, f"localhost:{server.tls_port}", tls=1, ca=ca, answer=60000)
    driver.open_and_wait("b", 2, f"localhost:{server.tls_port}", tls=1, ca=ca)
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    driver.ask("lease", "a", "lease", 60000)
    driver.wait("b received lease")
    assert driver.ask("find", "b", "dev", 1, "hello") == "sent"
    driver.wait("a received hello")
    # More than a record, and more than a socket's buffer.
    driver.do("joins", "a", 0, 16000)
    driver.wait(f"a claimed {padded('15999')} 0:0 1:1")
    server.kill()
    driver.wait("a away")
    server.start()
    assert driver.wait("a back") == "a back"


def test_wrong_certificates_are_refused(driver, tls, tmp_path):
    server = tls("localhost")
    ca = tmp_path / "keys" / "cert.pem"
    # Not for that address; not signed by anybody whom the system trusts.
    driver.open("a", 1, f"127.0.0.1:{server.tls_port}", tls=1, ca=ca)
    assert "IP address mismatch" in driver.wait("a away")
    driver.open("b", 2, f"localhost:{server.tls_port}", tls=1)
    assert "self-signed certificate" in driver.wait("b away")


def test_a_certificate_that_is_trusted_later(driver, tls, tmp_path):
    server = tls("localhost")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates.make(name="else").certificate_pem())
    driver.open("a", 1, f"localhost:{server.tls_port}", tls=1, ca=ca)
    driver.wait("a away")
    ca.unlink()
    wait_for(lambda: driver.seen("cannot read certificates"), "that it is missing")
    (tmp_path / "keys" / "cert.pem").rename(ca)
    driver.wait("a back")


def test_tls_on_one_side_only(driver, tls, start_redis):
    server = tls("localhost")
    plain = start_redis(**_port())
    driver.open("a", 1, f"127.0.0.1:{server.tls_port}", connect=500)
    driver.wait("a away")
    driver.open("b", 2, f"127.0.0.1:{plain.port}", tls=1, connect=500)
    driver.wait("b away")
