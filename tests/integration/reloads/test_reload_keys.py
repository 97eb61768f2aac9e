# SPDX-License-Identifier: MPL-2.0
"""A reload with other cert.pem and key.pem: the relay keeps its identity, and logs what a restart
would change."""

import contextlib
import hashlib
import os
import ssl

import pytest

import certificates
import device_id
from relay_client import ProtocolConnection
from relay_server import RelayServer
from reloading import MODULES, Reloadable, reloadable  # noqa: F401

TEXT = f'{MODULES}listen = {{ "127.0.0.1:0" }}\nstatus-srv = ""\n'


@pytest.fixture
def keyed(reloadable, tmp_path):  # noqa: F811
    """A relay with its own keys: (relay, their folder, their identity)."""
    identity = certificates.make(name="strelaysrv")
    keys = identity.write(tmp_path / "keys")
    return reloadable(TEXT, keys=keys), keys, identity


def shown(relay, identities):
    """The certificate that a device gets from the relay."""
    with ProtocolConnection(relay.server.address, identities[0]) as device:
        der = device.join().sock.getpeercert(binary_form=True)
    return hashlib.sha256(der).digest()


def spoil(name):
    def do(keys):
        (keys / name).unlink()
    return do


def half(name):
    def do(keys):
        data = (keys / name).read_bytes()
        (keys / name).write_bytes(data[: len(data) // 2])
    return do


def folder(name):
    def do(keys):
        (keys / name).unlink()
        (keys / name).mkdir()
    return do


def empty(name):
    return lambda keys: (keys / name).write_bytes(b"")


def both_gone(keys):
    (keys / "cert.pem").unlink()
    (keys / "key.pem").unlink()


def other_key(keys):
    (keys / "key.pem").write_bytes(certificates.make().key_pem())


def no_folder(keys):
    both_gone(keys)
    keys.rmdir()


WRONG = {
    "no certificate": (spoil("cert.pem"), "cert.pem is missing, but key.pem is there"),
    "no key": (spoil("key.pem"), "key.pem is missing, but cert.pem is there"),
    "neither": (both_gone, "neither cert.pem nor key.pem is in"),
    "no folder": (no_folder, "does not exist"),
    "half a certificate": (half("cert.pem"), "cert.pem is damaged"),
    "half a key": (half("key.pem"), "key.pem is damaged"),
    "a folder as certificate": (folder("cert.pem"), "cert.pem is not a regular file"),
    "an empty key": (empty("key.pem"), "key.pem is empty"),
    "another key": (other_key, "key.pem is not the key of cert.pem beside it"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_files_leave_the_identity_as_it_is(keyed, identities, what):
    relay, keys, identity = keyed
    spoil_them, why = WRONG[what]
    before = sorted(os.listdir(keys))
    spoil_them(keys)
    left = sorted(os.listdir(keys)) if keys.exists() else []
    done, log = relay.change(TEXT + "network-buffer = 32KiB\n")
    assert done, "what is wrong with the files of the next start does not stop this one"
    assert why in log and "warning core: " in log
    assert "the relay keeps the identity that it has, but could not start again" in log
    assert shown(relay, identities) == identity.id
    assert not set(left) - set(before), "a reload makes no keys"
    assert (sorted(os.listdir(keys)) if keys.exists() else []) == left


def test_another_identity_needs_a_restart(keyed, identities):
    relay, keys, identity = keyed
    other = certificates.make(name="strelaysrv")
    other.write(keys)
    for _ in range(2):
        done, log = relay.change(TEXT)
        assert done
        assert (f"changes the ID from {device_id.to_text(identity.id)} to "
                f"{device_id.to_text(other.id)}: this needs a restart") in log
        assert shown(relay, identities) == identity.id
    identity.write(keys)
    assert "restart" not in relay.change(TEXT)[1]


def test_the_same_files_say_nothing(keyed):
    relay, keys, identity = keyed
    identity.write(keys, form="traditional")
    done, log = relay.change(TEXT)
    assert done and "no option has changed" in log and "warning" not in log


def test_further_certificates_are_left_out(keyed, identities, plain_program):
    """Peers of this protocol accept exactly one."""
    relay, keys, identity = keyed
    with (keys / "cert.pem").open("ab") as file:
        file.write(certificates.make().certificate_pem() + certificates.make().certificate_pem())
    assert relay.change(TEXT)[0]
    assert certificates_sent(relay) == 1
    told = "cert.pem has 2 certificates after the first; they are left out"
    with contextlib.ExitStack() as stack:
        again = RelayServer(plain_program, relay.server.command, keys)
        stack.callback(again.finish)
        again.wait_for_log(told)
        again.wait_until_serving()
        assert certificates_sent(Reloadable(again, relay.conf)) == 1
        assert shown(Reloadable(again, relay.conf), identities) == identity.id


def certificates_sent(relay):
    """How many certificates the relay sends.  TLS 1.2 sends them unencrypted."""
    seen = []

    def note(_connection, direction, _version, content, kind, data):
        if direction == "read" and kind == 11:
            seen.append(data)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["bep-relay"])
    context._msg_callback = note
    with ProtocolConnection(relay.server.address, context=context):
        pass
    body, count = seen[0][7:], 0
    while body:
        body = body[3 + int.from_bytes(body[:3], "big"):]
        count += 1
    return count
