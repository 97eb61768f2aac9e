# SPDX-License-Identifier: MPL-2.0
"""The example of a module that asks something slow, conf/module-template/slow-module.c."""

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection


def test_who_is_not_listed_is_refused_and_nobody_waits_for_ever(module_server,  # noqa: F811
                                                                identities):
    """No zone lists these devices; whether a name server says so, or none answers in time."""
    server = module_server(["log", "slow-module", "relay", "probe"],
                           installed=["slow-module", "probe"])
    for identity in identities[:3]:
        with ProtocolConnection(server.address, identity) as client:
            answer = client.ask(rp.JoinRelayRequest())
            assert answer in (rp.response(rp.NOT_FOUND), rp.RelayFull())
    numbers = server.probe()
    settled = {name: int(numbers[f"metric core.questions_settled.{name}"])
               for name in ("denied", "no_answer")}
    assert sum(settled.values()) == 3, settled
    assert server.stop() == 0
