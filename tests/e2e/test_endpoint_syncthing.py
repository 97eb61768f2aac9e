# SPDX-License-Identifier: MPL-2.0
"""Real Syncthing reads the list of the module endpoint: it joins one of its relays, and another one
when that has gone."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

import certificates
import relay_double
import relay_server
from relay_server import ROOT, Program, free_port
from skip_unless import can_run
from two_devices import wait_for_connection, wait_for_sync
from waiting import PATIENCE, Deadline, wait_for

PAGE = ROOT / "modules" / "endpoint" / "README.md"
PATH = os.environ["PATH"] + ":/usr/sbin"
MODULES = "modules = { log, bounds, relay, rate-limit, status, endpoint }\n"


@pytest.fixture
def start_named(tmp_path):
    """start_named(name, program, *args) starts a relay with an identity of its own; a test may kill
    it."""
    with contextlib.ExitStack() as servers:

        def start(name, program, *args, **options):
            folder = tmp_path / f"relay-{name}"
            keys = certificates.make(name="strelaysrv").write(folder)
            server = relay_server.start(program, folder, *args, keys=keys, pick_ports=True, **options)
            servers.callback(lambda: server.running() and server.finish())
            return server

        yield start


def write_list(folder, *relays, more=""):
    conf = pathlib.Path(folder) / "list.conf"
    texts = ", ".join(f'"{relay.uri}"' for relay in relays)
    conf.write_text(f"{MODULES}endpoint {{ relays = {{ {texts} }} check-interval = 1s }}\n{more}")
    return conf


def list_of(relay):
    host, port = relay.status_address
    return f"dynamic+http://{host}:{port}/endpoint"


def joined_at(device, address):
    """The relay that the device has joined for this listen address, or None."""
    status = device.rest("system/status")["connectionServiceStatus"].get(address) or {}
    if status.get("error"):
        return None
    return next(iter(status.get("wanAddresses") or []), None)


def wait_for_join(device, address, relays):
    """Waits until the device has joined one of the relays; returns that one."""
    def find():
        uri = joined_at(device, address) or ""
        return next((relay for relay in relays if f":{relay.address[1]}/" in uri
                     and relay.status()["numConnections"]), None)

    return wait_for(find, lambda: f"the device at one of {[relay.uri for relay in relays]}; its log:\n"
                                  f"{device.log()}", Deadline(2 * Deadline().seconds))


@pytest.mark.parametrize("kind", ["ours", "reference"])
def test_a_device_moves_to_the_other_relay_of_the_list(start_named, make_device, tmp_path, kind):
    """It is killed, whichever of both the device has joined: the one with the list, or the other."""
    other = start_named("other", Program(kind))
    itself = start_named("itself", Program("ours"), "-conf", write_list(tmp_path, other))
    address = list_of(itself)
    relays = [itself, other]
    device, peer = make_device("device"), make_device("peer")
    device.configure(address, peer, "tcp://127.0.0.1:9")
    # What a discovery server would tell of it.
    peer.configure("tcp://127.0.0.1:0", device, [relay.uri for relay in relays])
    (device.folder / "first.bin").write_bytes(b"first")
    device.start()
    first = wait_for_join(device, address, relays)
    peer.start()
    wait_for_connection(device, peer)
    wait_for_sync((peer,), 1)
    first.process.kill()
    first.wait_for_exit()
    relays.remove(first)
    assert wait_for_join(device, address, relays) is relays[0]
    (device.folder / "second.bin").write_bytes(b"second")
    device.scan()
    wait_for_connection(device, peer, patience=4)
    wait_for_sync((peer,), 2)


def test_a_relay_that_does_not_answer_is_not_tried(start_named, make_device, tmp_path):
    """Only the other one is in the list, since the one with the list needs a token."""
    gone, other = (start_named(name, Program("ours")) for name in ("gone", "other"))
    conf = write_list(tmp_path, gone, other, more="relay { token = geheim }\n")
    gone.process.kill()
    gone.wait_for_exit()
    itself = start_named("itself", Program("ours"), "-conf", conf)
    itself.wait_for_log("is not listed any more")
    device, peer = make_device("device"), make_device("peer")
    device.configure(list_of(itself), peer, "tcp://127.0.0.1:9").start()
    assert wait_for_join(device, list_of(itself), [other]) is other


def test_an_empty_list_is_a_failure_to_clients(start_named, make_device, tmp_path):
    itself = start_named("itself", Program("ours"),
                         "-conf", write_list(tmp_path, more="relay { token = geheim }\n"))
    itself.wait_for_log("the list is empty: clients come back after ten minutes")
    device, peer = make_device("device"), make_device("peer")
    device.configure(list_of(itself), peer, "tcp://127.0.0.1:9").start()
    error = wait_for(lambda: device.listener_error(list_of(itself)), "an error")
    assert error == "could not find a connectable relay"


# The examples of the page, with the port and the files of the test.

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
events {{ }}
http {{ access_log off; {example} }}
"""


def example(name):
    text = PAGE.read_text()
    return re.search(rf"\b{name}\b(?:(?!```).)*?:\n\n```\n(.*?)```", text, re.DOTALL).group(1)


def configure_nginx(folder, certificate, key, port, status):
    text = example("nginx")
    for old, new in (("443 ssl", f"127.0.0.1:{port} ssl"), ("127.0.0.1:22070", status),
                     ("/etc/ssl/certs/relays.pem", certificate), ("/etc/ssl/private/relays.key", key)):
        assert old in text
        text = text.replace(old, str(new))
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, example=text))
    return ["nginx", "-p", folder, "-c", file]


def configure_haproxy(folder, certificate, key, port, status):
    both = folder / "relays.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    text = example("haproxy")
    for old, new in ((":443", f"127.0.0.1:{port}"), ("127.0.0.1:22070", status),
                     ("/etc/haproxy/relays.pem", both)):
        assert old in text
        text = text.replace(old, str(new))
    file = folder / "haproxy.cfg"
    file.write_text(text)
    return ["haproxy", "-db", "-f", file]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


@can_run("WEB SERVERS BEFORE THE LIST", next(
    (f"needs {tool}" for tool in ("nginx", "haproxy") if not shutil.which(tool, path=PATH)), None))
@pytest.mark.parametrize("configure", [configure_nginx, configure_haproxy])
def test_with_a_web_server_the_list_comes_by_https(start_named, make_device, tmp_path, configure):
    itself = start_named("itself", Program("ours"), "-conf", write_list(tmp_path))
    certificate, key = relay_double.web_certificate(tmp_path / "web", names=("localhost",))
    port = free_port()
    status = f"127.0.0.1:{itself.status_address[1]}"
    command = configure(tmp_path, certificate, key, port, status)
    with (tmp_path / "web.log").open("wb") as log:
        web = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, env={"PATH": PATH})
    try:
        wait_for(lambda: answers(port), lambda: (tmp_path / "web.log").read_text())
        curl = ["curl", "--silent", "--cacert", str(certificate), "--noproxy", "*",
                "--output", "/dev/null", "--write-out", "%{http_code}"]
        for path, code in (("endpoint", "200"), ("status", "404")):
            done = subprocess.run([*curl, f"https://localhost:{port}/{path}"], capture_output=True, text=True,
                                  check=True, timeout=PATIENCE)
            assert done.stdout == code, path
        address = f"dynamic+https://localhost:{port}/endpoint"
        device, peer = make_device("device"), make_device("peer")
        device.configure(address, peer, "tcp://127.0.0.1:9").start(trusted=certificate)
        assert wait_for_join(device, address, [itself]) is itself
    finally:
        web.terminate()
        web.wait(PATIENCE)
