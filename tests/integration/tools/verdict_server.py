# SPDX-License-Identifier: MPL-2.0
"""A server whose module admission asks an endpoint."""

import pytest

import relay_protocol as rp
from module_server import module_server  # noqa: F401
from relay_client import ProtocolConnection
from verdict_endpoint import Endpoint
from waiting import wait_for

SUCCESS = rp.response(rp.SUCCESS)


class Server:
    """A server that asks an endpoint."""

    def __init__(self, start, endpoint, modules=(), sections=None, workers=2, relay=None,
                 answer_timeout="20s", env=None, **admission):
        self.endpoint = endpoint
        self.options = {name.replace("_", "-"): value for name, value in admission.items()}
        self.options.setdefault("url", endpoint.url)
        self.options.setdefault("timeout", "20s")
        self.modules = ["log", "probe", *modules, "admission", "relay"]
        self.sections = {"relay": relay or {}, **(sections or {})}
        self.answer_timeout = answer_timeout
        self.server = start(self.modules, sections=self._all(), installed=["probe"],
                            workers=workers, answer_timeout=answer_timeout, env=env)

    def __getattr__(self, name):
        return getattr(self.server, name)

    def _all(self):
        asked = {"admission": self.options} if "admission" in self.modules else {}
        return {**self.sections, **asked}

    def rewrite(self):
        self.server.configure(self.modules, self._all(), answer_timeout=self.answer_timeout)

    def change(self, **admission):
        self.options.update({name.replace("_", "-"): value for name, value in admission.items()})
        self.rewrite()
        assert self.reload()[0]

    def number(self, metric):
        return int(self.server.probe()[f"metric admission.{metric}"])

    def wait_for_number(self, metric, number):
        wait_for(lambda: self.number(metric) == number,
                 lambda: f"{metric} to be {number}; it is {self.number(metric)}")

    def answer_to(self, identity, token="", source=None):
        with ProtocolConnection(self.server.address, identity, source=source) as client:
            return client.ask(rp.JoinRelayRequest(token))

    def joined(self, identity, token=""):
        client = ProtocolConnection(self.server.address, identity)
        assert client.ask(rp.JoinRelayRequest(token)) == SUCCESS
        return client

    def asking(self, identity, target=None):
        """A connection about which the endpoint has been asked."""
        before = len(self.endpoint.asked)
        client = ProtocolConnection(self.server.address, identity)
        client.send(rp.ConnectRequest(target.id) if target else rp.JoinRelayRequest(""))
        self.endpoint.wait_for_questions(before + 1)
        return client


def hold(endpoint):
    """The endpoint hangs."""
    endpoint.answer = lambda asked: None


@pytest.fixture
def endpoint():
    with Endpoint() as made:
        yield made


@pytest.fixture
def asking(module_server, endpoint):  # noqa: F811
    def start(**options):
        return Server(module_server, options.pop("endpoint", endpoint), **options)

    return start
