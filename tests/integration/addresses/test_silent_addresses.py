# SPDX-License-Identifier: MPL-2.0
"""A name server that never answers for the name in an address to listen on holds up neither the
status address nor a stop; the reload that wants the address is refused."""

import contextlib
import signal

import pytest

import name_server
from name_server import names  # noqa: F401
from relay_server import Program, RelayServer
from reloading import Reloadable

pytestmark = name_server.needed

#: Seconds after which a name server that does not answer is given up.
GIVEN_UP = 10
OPTIONS = {"listen": '"127.0.0.1:0"', "status-srv": '"127.0.0.1:0"', "private-srv": '""'}
MODULES = "log, relay, status"


def conf(modules=MODULES, **changes):
    options = OPTIONS | {name.replace("_", "-"): f'"{text}"' for name, text in changes.items()}
    return f"modules = {{ {modules} }}\n" + "".join(
        f"{name} = {text}\n" for name, text in options.items())


@pytest.fixture
def begin(names, tmp_path, relay_keys):  # noqa: F811
    """Starts our relay in a namespace with only this name server."""
    with contextlib.ExitStack() as servers:

        def start(text):
            file = tmp_path / "names.conf"
            file.write_text(text)
            program = Program("ours", 1)
            command = [*names.prefix(), program.path, "-conf", str(file), "-keys",
                       str(relay_keys)]
            server = RelayServer(program, command, tmp_path)
            servers.callback(server.finish)
            server.wait_for_log("core: ready")
            return Reloadable(server.wait_until_serving(), file)

        yield start


def is_healthy(relay):
    code, _, body = relay.server.get("/healthz")
    return (code, body.strip()) == (200, b"ok")


def ask_in_vain(relay, names, text):  # noqa: F811
    relay.write(text)
    relay.server.send_signal(signal.SIGHUP)
    names.wait_until_asked("relay.test")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_silent_name_server_refuses_the_reload(begin, names, option):  # noqa: F811
    relay = begin(conf())
    ask_in_vain(relay, names, conf(**{option: "relay.test:0"}))
    assert is_healthy(relay)
    relay.server.wait_for_log("core: not reloaded: everything stays as it was")
    assert relay.server.count(
        f"error core: .*option {option}: the name server, asked for the host of relay.test:0, has "
        f"not answered for {GIVEN_UP} s") == 1, relay.server.log()
    assert relay.server.held_up() == 0, relay.server.log()
    assert is_healthy(relay)


def test_a_stop_does_not_wait_for_a_name_server(begin, names):  # noqa: F811
    relay = begin(conf())
    ask_in_vain(relay, names, conf(listen="relay.test:0"))
    assert relay.server.stop() == 0
    assert relay.server.count("core: not reloaded") == 0


def test_a_name_that_is_not_found_is_told_with_its_option(begin):
    relay = begin(conf())
    done, log = relay.change(conf(listen="no host:0"))
    assert not done and "error core: option listen: " in log, log


def test_a_name_that_is_found_is_listened_on(begin, names):  # noqa: F811
    names.address = "127.0.0.1"
    relay = begin(conf())
    relay.write(conf(listen="relay.test:0", private_srv="relay.test:0"))
    relay.server.send_signal(signal.SIGHUP)
    relay.server.wait_for_log("core: reloaded")
    relay.server.wait_for_log("core: private address: relay.test:")
    relay.server.wait_for_log("URI: relay://relay.test:")


def test_an_address_that_opens_later_does_not_wait_for_its_name(begin, names):  # noqa: F811
    """The status address is closed as long as no module needs it."""
    relay = begin(conf("log, relay", status_srv="relay.test:0"))
    ask_in_vain(relay, names, conf(status_srv="relay.test:0"))
    relay.server.wait_for_log("core: reloaded")
    relay.server.send_signal(signal.SIGHUP)
    relay.server.wait_for_count("core: reloaded", 2)
    relay.server.wait_for_log(
        "cannot open the status address relay.test:0: option status-srv: the name server, asked")
    assert relay.server.stop() == 0


def test_a_silent_name_of_the_relay_is_told(begin, names):  # noqa: F811
    relay = begin(conf())
    ask_in_vain(relay, names, conf() + 'relay { ext-address = "relay.test:443" }\n')
    relay.server.wait_for_log("core: reloaded")
    relay.server.wait_for_log("warning relay: ext-address: the name server, asked for relay.test, "
                              "is silent; goes on with what is known")
    # The next name does not wait until the last one is given up.
    relay.write(conf() + 'relay { ext-address = "other.test:443" }\n')
    relay.server.send_signal(signal.SIGHUP)
    names.wait_until_asked("other.test")
    assert is_healthy(relay)
