# SPDX-License-Identifier: MPL-2.0
"""One address joins as many devices as it may.  Others can still join, even with few
descriptors."""

import contextlib

import pytest

import certificates
import relay_protocol as rp
from pairing import Invited, check_both_ways
from relay_client import Closed, ProtocolConnection

GREEDY, OTHERS = "127.0.0.9", ("127.0.0.20", "127.0.1.21", "127.0.2.22")
CONF = 'modules = { log, relay, bounds, status, prometheus }\nbounds { exempt = { "127.0.0.1" } }\n'


def join(server, identity, source, connections):
    client = ProtocolConnection(server.address, identity, source=source)
    connections.callback(client.close)
    return client.ask(rp.JoinRelayRequest(None)) == rp.response(rp.SUCCESS)


@pytest.mark.parametrize("descriptors", [256, 512])
def test_one_source_does_not_take_every_descriptor(start, plain_program, tmp_path, identities,
                                                   descriptors):
    conf = tmp_path / "small.conf"
    conf.write_text(CONF)
    server = start(plain_program, "-conf", conf, descriptors=descriptors)
    joined = 0
    with contextlib.ExitStack() as connections:
        for _ in range(descriptors):
            try:
                joined += join(server, certificates.make(), GREEDY, connections)
            except (Closed, OSError):
                break
        assert 0 < joined <= descriptors // 8
        for identity, source in zip(identities, OTHERS):
            assert join(server, identity, source, connections), source
        meeting = connections.enter_context(Invited(server, *identities[4:6]))
        check_both_ways(*meeting.join_both())
        assert 'bounds_reached_total{bound="per-source"} 1' in server.get("/metrics")[2].decode()
