# SPDX-License-Identifier: MPL-2.0
"""-ctl limit: rates that are set at once, also for sessions that run, until the next reload."""

import pytest

from control_client import (  # noqa: F401
    answer, control_folder, controlled, ctl, shown, told,
)
from pairing import Invited
from streams import KILO, OVER, Stream, rates

CONF = {"rate-limit": {"per-session": "300kB/s"}}


def limits(server):
    return {row["limit"]: row for row in shown(server, "limit")}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_running_session_has_the_new_limit_until_a_reload(controlled, identities,  # noqa: F811
                                                            workers):
    server = controlled(workers=workers)
    with Invited(server, *identities[:2]) as invited:
        stream = Stream(*invited.join_both())
        (free,) = rates([stream], 0.5, 0.5)
        said = told(server, "limit", "session", "500kB/s")
        assert said == "the session limit is 500 kB/s until the next reload or start\n"
        (held,) = rates([stream], 1, 1)
        assert held <= 500 * KILO * (1 + OVER) and held < free / 3, (free, held)
        assert limits(server)["session"] == {"limit": "session", "rate": 500000, "configured": None,
                                             "set by": "a command"}
        assert server.status()["rate-limit"] == {"global": 0, "device": 0, "session": 500000,
                                                 "set-by-command": "session"}
        parts = answer(server, "status")["tables"][1]["rows"]
        assert ["rate-limit", "session", "500000"] in parts
        assert ["rate-limit", "set-by-command", "session"] in parts
        told(server, "limit", "device", "200kB/s")
        (held,) = rates([stream], 1, 1)
        assert held <= 200 * KILO * (1 + OVER), held
        told(server, "limit", "device", "0")
        told(server, "limit", "session", "0")
        told(server, "limit", "global", "100kB/s")
        (held,) = rates([stream], 1, 1)
        assert held <= 100 * KILO * (1 + OVER), held
        told(server, "reload")
        server.wait_for_log("the limits are those of the configuration again")
        assert limits(server)["global"]["set by"] == "the configuration"
        (freed,) = rates([stream], 0.5, 0.5)
        assert freed > 3 * held, (freed, held)
    server.wait_for_log("control: command: limit global 100kB/s user=")


def test_no_limit_replaces_one_of_the_configuration(controlled, identities):  # noqa: F811
    server = controlled(sections=CONF)
    with Invited(server, *identities[:2]) as invited:
        stream = Stream(*invited.join_both())
        (held,) = rates([stream], 1, 1)
        assert held <= 300 * KILO * (1 + OVER)
        assert told(server, "limit", "session", "0").startswith("there is no session limit until")
        (freed,) = rates([stream], 0.5, 0.5)
        assert freed > 3 * held, (freed, held)
        told(server, "reload")
        (held,) = rates([stream], 1, 1)
        assert held <= 300 * KILO * (1 + OVER), held


def test_wrong_limits_are_refused(controlled):  # noqa: F811
    server = controlled(sections=CONF)
    for words in (["session"], ["sessions", "1"], ["session", "1", "2"], ["global", "fast"],
                  ["global", "99999TB/s"]):
        done = ctl(server, "limit", *words)
        assert done.returncode == 2 and not done.stdout, (words, done)
    assert limits(server)["session"]["rate"] == 300000
