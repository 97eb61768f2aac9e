# SPDX-License-Identifier: MPL-2.0
"""-health: a command that asks the running server whether it is well."""

import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from relay_client import ProtocolConnection
from relay_server import run
from skip_unless import can_run
from small_disk import why_not
from waiting import PATIENCE

#: Runs a command where nothing below / nor at the folder can be written.
READ_ONLY = """
mount --make-rprivate /
for at in "$0" /; do
    mount -o remount,bind,ro "$(stat -c %m "$at")"
done
! touch "$0/x" /x 2>/dev/null || exit 99
exec "$@"
"""


@pytest.fixture
def health(plain_program):
    """health(*args) is (exit code, the line); it must be one line on the right stream."""

    def ask(*args, **options):
        result = run(plain_program, *map(str, args), "-health", **options)
        text = result.stdout if result.returncode == 0 else result.stderr
        assert (result.stdout + result.stderr) == text and text.count("\n") == 1, result
        return result.returncode, text.strip()

    return ask


@pytest.fixture
def served(start, plain_program):
    return start(plain_program)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "", "0.0.0.0"])
def test_a_server_that_is_well(served, health, host):
    """Also by the address of the configuration, which may stand for all addresses."""
    port = served.status_address[1]
    assert health("-status-srv", f"{host}:{port}") == (0, f"healthy: {host}:{port}: ok")


def test_a_server_that_drains_is_not_well(start, plain_program, health, identities):
    """It serves its sessions, but supervisors and balancers shall send nobody there."""
    server = start(plain_program, "-drain-spread", "1h")
    where = f"127.0.0.1:{server.status_address[1]}"
    with ProtocolConnection(server.address, identities[0]) as one, \
            ProtocolConnection(server.address, identities[1]) as other:
        one.join()
        other.join()
        assert health("-status-srv", where)[0] == 0
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("core: draining, no newcomers")
        assert health("-status-srv", where) == (1, f"not healthy: {where}: 503: draining")


@can_run("MOUNTS", why_not())
def test_nothing_has_to_be_written(start, plain_program, tmp_path):
    """Containers have a read-only root: server and client find one, and a configuration there."""
    def read_only(*command):
        return ["unshare", "--mount", "sh", "-euc", READ_ONLY, str(tmp_path), *map(str, command)]

    assert subprocess.run(read_only("true"), check=False).returncode == 0
    server = start(plain_program, prefix=read_only())
    conf = tmp_path / "relay.conf"
    conf.write_text(f'status-srv = "127.0.0.1:{server.status_address[1]}"\n')
    for code in (0, 1):
        done = subprocess.run(read_only(plain_program.path, "-conf", conf, "-health"),
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == code, done
        server.stop()


@pytest.mark.parametrize("host", ["[::1]", "[::]", ""])
def test_a_server_that_only_has_ipv6(start, plain_program, health, host):
    server = start(plain_program, status="[::1]:0")
    port = server.status_address[1]
    assert health("-status-srv", f"{host}:{port}")[0] == 0


def test_the_configuration_says_where_even_if_it_has_mistakes_now(served, health, tmp_path):
    port = served.status_address[1]
    conf = tmp_path / "relay.conf"
    for rest in ("", "no-such-option = 1\nmodules = { nothing }\n"):
        conf.write_text(f'status-srv = "127.0.0.1:{port}"\n{rest}')
        assert health("-conf", conf)[0] == 0
    assert "but the configuration has an error: " in health("-conf", conf)[1]
    conf.write_text('status-srv = ""\nprivate-srv = "127.0.0.1:%d"\n' % port)
    assert health("-conf", conf)[0] == 0


def test_without_a_status_address_the_first_listen_address_must_accept(start, plain_program, health):
    server = start(plain_program, status="")
    listen = f"127.0.0.1:{server.address[1]}"
    code, text = health("-status-srv=", "-listen", listen)
    assert code == 0 and "accepts connections; there is no status address" in text
    server.stop()
    assert health("-status-srv=", "-listen", listen) == (1, f"not healthy: {listen}: nobody listens there; "
                                                         "does the server run, with the same flags and configuration?")


@pytest.mark.parametrize("address, why", [
    ("127.0.0.1:1", "nobody listens there; does the server run"), ("127.0.0.1:0", "only the server knows which port"),
    ("nothing.invalid:22070", "nothing.invalid"), ("x", "it has no port")])
def test_no_server_is_not_well(health, address, why):
    code, text = health("-status-srv", address)
    assert code == 1 and text.startswith(f"not healthy: {address}: ") and why in text, text


def test_an_error_of_the_configuration_is_told_with_the_answer(health, tmp_path):
    """Another address than the server's may have been asked because of it."""
    code, text = health("-conf", tmp_path / "no.conf", "-status-srv", "127.0.0.1:1")
    assert code == 1 and "nobody listens there" in text
    assert text.endswith(f"an error: cannot open {tmp_path}/no.conf: No such file or directory")
    (tmp_path / "broken.conf").write_text("status-srv = \"127.0.0.1:1\n")
    code, text = health("-conf", "broken.conf", "-status-srv", "127.0.0.1:1", cwd=tmp_path)
    assert code == 1 and "an error: broken.conf:1: the quote" in text, text


def answer_once(listener, reply):
    """Answers one request; a reply of None: never."""
    connection = listener.accept()[0]
    with connection:
        connection.recv(4096)
        if reply is None:
            connection.recv(1)
        else:
            connection.sendall(reply)


@pytest.mark.parametrize("reply, code, told", [
    (b"HTTP/1.1 200 OK\r\n\r\nok\n", 0, "healthy: .*: ok"),
    (b"HTTP/1.1 503 X\r\nA: b\r\n\r\nclosed\x1b[2J: quota\nmore\n", 1, r".*: 503: closed\?\[2J: quota"),
    (b"HTTP/1.1 404 X\r\n\r\nnot found", 1, ".*: the module status does not run: 404: not found"),
    (b"SSH-2.0-OpenSSH\r\n\r\n", 1, ".*: what answers is no HTTP server"),
    (b"", 1, ".*: what answers is no HTTP server"),
    (b"HTTP/1.1 503 X\r\n\r\n" + b"x" * 100000, 1, ".*: 503: x{299}"),
    (None, 1, "not healthy: there is no answer within 5 s")],
    ids=["well", "refuses", "no-page", "no-http", "nothing", "long", "silent"])
def test_what_the_answer_says(health, reply, code, told):
    """With a stand-in for the server; one that never answers costs five seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answers = threading.Thread(target=answer_once, args=(listener, reply), daemon=True)
        answers.start()
        got = health("-status-srv", f"127.0.0.1:{listener.getsockname()[1]}")
    assert got[0] == code and re.fullmatch(told, got[1]), got


def test_a_configuration_that_hangs_is_not_waited_for(plain_program, tmp_path):
    os.mkfifo(tmp_path / "relay.conf")
    done = subprocess.run([plain_program.path, "-conf", tmp_path / "relay.conf", "-health"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done
