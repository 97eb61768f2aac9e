# SPDX-License-Identifier: MPL-2.0
"""The last column of the table of what clients are told, in the README of the module relay: what
the URI names, with real listeners.  unit-told_address reads the other columns."""

import os
import pathlib
import subprocess

import pytest

import own_network
from privileges import why_no_network
from reloading import reloadable  # noqa: F401

PAGE = pathlib.Path(__file__).resolve().parents[3] / "modules" / "relay" / "README.md"
ADDRESSES = ("10.0.0.5/32", "100.64.0.5/32", "fe80::5/64")
LINK = "link0"
PROXIES = " for proxies"
PRIVATE = " private"


def rows():
    """{(listeners, ext-address): what the URI names} of those without a mapped port."""
    text = PAGE.read_text().partition("<!-- told -->\n")[2].partition("\n\n")[0]
    found = {}
    for line in text.splitlines()[2:]:
        listens, _, _, ext, mapped, _, uri = (
            cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
        if mapped == "-" and uri != "-":
            assert found.setdefault((listens, ext), uri) == uri, "one row says other than another"
    return found


@pytest.fixture
def addresses():
    """A network namespace that has the addresses of the table."""
    if why_no_network():
        pytest.skip(why_no_network())
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    own_network.make()
    try:
        for command in (["link", "add", LINK, "type", "veth", "peer", "name", "link1"],
                        ["link", "set", LINK, "up"], ["link", "set", "link1", "up"],
                        *(["addr", "add", address, "dev", LINK, *(["nodad"] if ":" in address else [])]
                          for address in ADDRESSES)):
            subprocess.run(["ip", *command], check=True)
        yield
    finally:
        own_network.go_back(before)


def sections(listens):
    text = ""
    for number, one in enumerate(listens.split(",")):
        one = one.strip()
        address = one.removesuffix(PROXIES).removesuffix(PRIVATE).replace("fe80::5]", f"fe80::5%{LINK}]")
        more = 'proxy = yes\n\tproxy-from = "127.0.0.1"' if one.endswith(PROXIES) else \
            "private = yes" if one.endswith(PRIVATE) else ""
        text += f'listener "l{number}" {{\n\taddress = "{address}"\n\t{more}\n}}\n'
    return text


def configuration(listens, ext):
    entries = "" if ext == "-" else ", ".join(f'"{one}"' for one in ext.split(","))
    return ('modules = { log, relay }\nstatus-srv = ""\n' + sections(listens)
            + f"relay {{\n\text-address = {{ {entries} }}\n}}\n")


def test_the_uri_names_what_the_table_says(addresses, reloadable):  # noqa: F811
    """One server, which each row reloads: the listeners change as well."""
    table = rows()
    assert len(table) >= 30
    assert {kind for kind in (PROXIES, PRIVATE, ",") for listens, _ in table if kind in listens} \
        == {PROXIES, PRIVATE, ","}
    relay = reloadable(configuration("127.0.0.1:1", "198.51.100.1:1"))
    for (listens, ext), uri in table.items():
        done, log = relay.change(configuration(listens, ext))
        assert done, (listens, ext, log)
        assert relay.server.uri.startswith(f"relay://{uri}/?"), (listens, ext, log)
