# SPDX-License-Identifier: MPL-2.0
"""The test client's codec and device IDs, checked with vectors from the specification and
Syncthing."""

import shutil
import subprocess

import pytest

import certificates
import device_id
import relay_protocol as rp

MESSAGES = [
    rp.Ping(), rp.Pong(), rp.JoinRelayRequest(), rp.JoinRelayRequest("secret"),
    rp.JoinSessionRequest(b"k" * 32), rp.response(rp.NOT_FOUND), rp.ConnectRequest(b"i" * 32),
    rp.SessionInvitation(b"f" * 32, b"k" * 32, b"", 22067, True), rp.RelayFull(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_what_is_encoded_can_be_decoded(message):
    data = rp.encode(message)
    message_type, length = rp.parse_header(data[: rp.HEADER.size])
    body = data[rp.HEADER.size :]
    assert length == len(body)
    assert rp.parse_body(message_type, body) == message


def test_a_response_has_these_bytes():
    want = bytes.fromhex("9e79bc40 00000004 00000014 00000001 00000009") + b"not found\0\0\0"
    assert rp.encode(rp.response(rp.NOT_FOUND)) == want


@pytest.mark.parametrize("body", ["", "00", "00000001", "00000005 61626364", "00000001 61626364",
                                  "00000001 61000000 00000000"])
def test_an_opaque_that_does_not_fit_is_refused(body):
    with pytest.raises(rp.Malformed):
        rp.parse_body(rp.JoinSessionRequest.TYPE, bytes.fromhex(body))


def test_a_device_id_is_written_as_syncthing_writes_it(tmp_path):
    syncthing = shutil.which("syncthing")
    assert syncthing, "install the package syncthing"
    identity = certificates.make("ecdsa-p384")
    identity.write(tmp_path)
    want = subprocess.run(
        [syncthing, "--home", tmp_path, "--device-id"], capture_output=True, text=True,
        check=True, timeout=60,
    ).stdout.strip()
    assert device_id.to_text(identity.id) == want
    assert device_id.from_text(want) == identity.id


def test_a_device_id_is_read_with_its_usual_variations():
    raw = bytes(range(32))
    text = device_id.to_text(raw)
    assert device_id.from_text(text.lower().replace("-", " ")) == raw
    assert device_id.from_text(text.replace("O", "0").replace("I", "1").replace("B", "8")) == raw


def test_a_wrong_check_character_is_noticed():
    text = device_id.to_text(bytes(range(32)))
    with pytest.raises(ValueError, match="check character"):
        device_id.from_text(("B" if text[0] == "A" else "A") + text[1:])
