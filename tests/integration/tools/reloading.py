# SPDX-License-Identifier: MPL-2.0
"""Relays whose configuration file is rewritten while they run."""

import urllib.parse

import pytest

#: Modules without pool-join and nat.
MODULES = "modules = { log, bounds, relay, rate-limit, status }\n"


class Reloadable:
    """A relay and its configuration file; `server` is its process."""

    def __init__(self, server, conf):
        self.server = server
        self.conf = conf

    def write(self, text):
        """Renames a new file into place, as editors do, so that a reload never reads half a
        file."""
        new = self.conf.with_suffix(".new")
        new.write_text(text)
        new.rename(self.conf)

    def change(self, text):
        """Rewrites the file and reloads; returns whether that succeeded and what was logged."""
        self.write(text)
        done, log = self.server.reload()
        self.server.uri = self.uris()[-1]
        return done, log

    def uris(self):
        """All URIs logged so far."""
        return [line.split("URI: ")[1] for line in self.server.log().splitlines()
                if "URI: relay://" in line]

    @property
    def told_port(self):
        return urllib.parse.urlsplit(self.server.uri).port


def sockets_of(server, port):
    """The inodes of the sockets that listen on a port."""
    return {number for number, at in server.listening_sockets().items() if at == port}


@pytest.fixture
def reloadable(start, our_program, tmp_path):
    """reloadable(text, *args) starts our relay.  `text` is its configuration, except keys and
    pools."""

    def begin(text, *args, **options):
        conf = tmp_path / "relay.conf"
        conf.write_text(text)
        server = start(our_program, "-conf", conf, *args, listen=None, status=None, **options)
        return Reloadable(server, conf)

    return begin
