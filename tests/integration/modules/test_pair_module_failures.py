# SPDX-License-Identifier: MPL-2.0
"""The example of a protocol, conf/module-template/pair-module.c, when something fails: its file, its
options, its calls, the modules beside it.  The next two clients meet, and nothing of the others
stays."""

import pytest

import faults
from call_sites import FOREVER, CallSites
from module_server import failing_start, folder_of, module_server  # noqa: F401
from relay_server import free_port, module_folder
from upgrading import start_upgrading  # noqa: F401
from waiting import wait_for
from wormhole import Client, both_ways, number

MODULES = ["log", "pair-module", "prometheus"]
#: What the server and the module call while two clients meet.
CALLS = {"calloc", "malloc", "read", "recv", "send", "accept4", "epoll_ctl", "setsockopt"}


def sections(port, wait="20s", **more):
    return {'listener "pairs"': {"address": f"127.0.0.1:{port}", "protocol": "pair-module"},
            "pair-module": {"wait": wait, **more}}


def meet(port, line):
    with Client(port, line) as one, Client(port, line) as two:
        both_ways(one, two)


def meet_or_end(port, line):
    """At the latest by the module's deadline: none of the two is forgotten."""
    with Client(port, line) as one, Client(port, line) as two:
        try:
            both_ways(one, two)
        except (AssertionError, ConnectionError):
            assert set(one.rest() + two.rest()) <= set(b"x")


def nothing_is_left(server):
    for name in ('connections{phase="plain"}', "sessions", "strangers"):
        wait_for(lambda name=name: number(server, f"strelaysrv_core_{name}") == 0, f"no {name}")


@faults.needs_memory
@pytest.mark.parametrize("workers", [1, 2])
def test_each_call_fails_while_two_meet(module_server, tmp_path, workers):  # noqa: F811
    port, sites = free_port(), CallSites(tmp_path)
    server = module_server(MODULES, workers=workers, installed=["pair-module"],
                           sections=sections(port, "300ms"), env=sites.environment)
    meet(port, b"first\n")
    sites.begin()
    for i in range(8):
        meet(port, b"counted %d\n" % i)
    sites.end()
    found = [site for site in sites.called() if site.call in CALLS and site.function]
    assert {"relay_session_pair", "session_make"} & {site.function for site in found}, found
    for i, (site, length) in enumerate((site, length) for site in found for length in (1, FOREVER)):
        if length == FOREVER and site.call == "accept4":
            continue  # nobody comes in any more
        sites.begin(site, length=length)
        meet_or_end(port, b"case %d\n" % i)
        sites.end()
        meet(port, b"after %d\n" % i)
    nothing_is_left(server)


@faults.needs_memory
def test_who_waits_is_passed_on_when_there_is_memory_again(start_upgrading, tmp_path):  # noqa: F811
    """The next notice of the drain tries again."""
    port, sites = free_port(), CallSites(tmp_path)
    server = start_upgrading(
        "-module-dir", f"{module_folder()},{folder_of('pair-module')}", env=sites.environment,
        conf="modules = { log, relay, pair-module, prometheus }\n"
        'status-srv = "127.0.0.1:0"\nlistener "main" { address = "127.0.0.1:0" }\n'
        f'listener "pairs" {{ address = "127.0.0.1:{port}"\n protocol = pair-module }}\n')
    sites.begin()
    server.upgrade()
    server.wait_for_log("the old process has ended")
    sites.end()
    sending = next(site for site in sites.called() if site.function == "handover_send")
    with Client(port, b"after the upgrade\n") as one:
        wait_for(lambda: 'strelaysrv_core_connections{phase="plain"} 1'
                 in server.get("/metrics")[2].decode(), "a client that waits")
        # READY, GO and SERVING come first.  Its second value is ENOBUFS.
        sites.begin(sending, first=4, length=2, value=1)
        server.upgrade()
        with Client(port, b"after the upgrade\n") as two:
            both_ways(one, two)
        assert sites.end()


def test_who_is_refused_by_another_module_leaves_nothing(module_server):  # noqa: F811
    """A hook of another module that refuses connections, and one that refuses sessions."""
    port = free_port()
    bounded = {**sections(port), "bounds": {"sessions": 1}}
    server = module_server([*MODULES, "bounds"], installed=["pair-module"], sections=bounded)
    with Client(port, b"a\n") as one, Client(port, b"a\n") as two:
        both_ways(one, two)
        for _ in range(3):
            with Client(port, b"b\n") as lost, Client(port, b"b\n") as other:
                assert lost.rest() == other.rest() == b""
        both_ways(one, two)
    nothing_is_left(server)
    meet(port, b"b\n")


def test_a_hook_of_another_module_that_fails(module_server):  # noqa: F811
    port = free_port()
    server = module_server([*MODULES, "unknown-verdict"], installed=["pair-module", "unknown-verdict"],
                           sections=sections(port))
    for _ in range(3):
        with Client(port, b"a\n") as one, Client(port, b"a\n") as two:
            assert one.rest() == two.rest() == b""
    server.wait_for_log("error core: module unknown-verdict: conn_accept returned 0")
    server.configure(MODULES, sections(port))
    assert server.reload()[0]
    meet(port, b"a\n")
    nothing_is_left(server)


@pytest.mark.parametrize("wait", ["99ms", "soon", "-1s"])
def test_an_option_that_is_wrong(failing_start, module_server, wait):  # noqa: F811
    port = free_port()
    code, log = failing_start(MODULES, installed=["pair-module"], sections=sections(port, wait))
    assert code == 1 and "wait" in log, log
    server = module_server(MODULES, installed=["pair-module"], sections=sections(port))
    with Client(port, b"waits\n") as one:
        wait_for(lambda: number(server, 'strelaysrv_core_connections{phase="plain"}') == 1, "it")
        server.configure(MODULES, sections(port, wait))
        done, news = server.reload()
        assert not done and "wait" in news, news
        with Client(port, b"waits\n") as two:
            both_ways(one, two)


@pytest.fixture
def damaged(tmp_path):
    """Folders of modules; in the first one is a half of the module's file."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    text = (folder_of("pair-module") / "pair-module.so").read_bytes()
    (folder / "pair-module.so").write_bytes(text[:len(text) // 2])
    return ["-module-dir", f"{folder},{module_folder()}"]


def test_a_damaged_file(failing_start, damaged):  # noqa: F811
    listener = {"address": "127.0.0.1:0", "protocol": "pair-module"}
    code, log = failing_start(MODULES, installed=[], sections={'listener "pairs"': listener},
                              args=damaged)
    assert code == 1 and "module pair-module cannot be used" in log, log


def test_without_the_module_its_listener_serves_nobody(module_server, damaged):  # noqa: F811
    port = free_port()
    listener = {"address": f"127.0.0.1:{port}", "protocol": "pair-module"}
    server = module_server([*MODULES, "relay"], installed=[], args=damaged, sections={
        'listener "pairs"': listener, "pair-module": {"required": "no"}})
    assert "module pair-module cannot be used" in server.log()
    with Client(port, b"a\n") as one, Client(port, b"a\n") as two:
        assert one.rest() == two.rest() == b""
    nothing_is_left(server)
