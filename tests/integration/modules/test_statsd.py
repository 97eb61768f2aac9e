# SPDX-License-Identifier: MPL-2.0
"""statsd: nothing waits for its name server, and reloads without end fill no table."""

import contextlib
import signal
import socket

import pytest

import name_server
from module_server import module_server  # noqa: F401
from name_server import names  # noqa: F401
from relay_server import Program, RelayServer
from waiting import PATIENCE

NAME = "statsd.test"
#: They have some hundred counters.
MODULES = ["log", "bounds", "relay", "rate-limit", "status", "quota", "access", "nat", "pool-join",
           "prometheus", "statsd"]


def receiver(host="127.0.0.1", port=0):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    sock.settimeout(PATIENCE)
    return contextlib.closing(sock)


def test_the_prefix_changes_again_and_again(module_server):  # noqa: F811
    with receiver() as sock:
        def section(prefix):
            return {"statsd": {"port": sock.getsockname()[1], "interval": "100ms",
                               "prefix": prefix}}

        def await_prefix(prefix):
            for _ in range(1000):
                if sock.recv(65536).decode().startswith(prefix + "."):
                    return
            raise AssertionError(f"{prefix} does not come")

        server = module_server(MODULES, workers=1, sections=section("p"), args=["-pools="])
        await_prefix("p")
        for number in range(60):
            server.configure(MODULES, section(f"p{number}"))
            assert server.reload()[0]
            await_prefix(f"p{number}")
        assert server.get("/healthz")[0] == 200


# Its name.



@pytest.fixture
def start_asking(names, tmp_path, relay_keys):
    """Starts our relay where no other name server is known."""
    conf = tmp_path / "names.conf"
    with contextlib.ExitStack() as servers:

        def start(text):
            conf.write_text(text)
            program = Program("ours", 1)
            server = RelayServer(program, [
                *names.prefix(), program.path, "-conf", str(conf), "-keys", str(relay_keys),
                "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0"], tmp_path)
            server.conf = conf
            servers.callback(server.finish)
            return server.wait_until_serving()

        yield start


def conf(port=None, more=""):
    if port is None:
        return "modules = { log, relay, status }\n"
    return ("modules = { log, relay, status, statsd }\n"
            f'statsd {{ host = "{NAME}"  port = "{port}"  interval = 100ms  {more} }}\n')


@name_server.needed
def test_a_silent_name_server_holds_up_no_reload(start_asking, names):
    """The C library waits for minutes for an answer."""
    server = start_asking(conf())
    server.conf.write_text(conf(8125))
    assert server.reload()[0]
    names.wait_until_asked(NAME)
    assert server.get("/healthz")[0] == 200
    server.conf.write_text(conf())
    assert server.reload()[0]
    assert server.stop(signal.SIGTERM) == 0


@name_server.needed
def test_a_name_is_looked_up_again(start_asking, names):
    names.impatient()
    with receiver() as first:
        port = first.getsockname()[1]
        server = start_asking(conf(port, "lookup = 1s"))
        server.wait_for_log(rf"warning statsd: cannot look up {NAME}: ")
        names.address = "127.0.0.1"
        assert b"core." in first.recv(65536)
        with receiver("127.0.0.2", port) as second:
            names.address = "127.0.0.2"
            assert b"core." in second.recv(65536)
        server.wait_for_log(rf"notice statsd: {NAME} has another address now")
