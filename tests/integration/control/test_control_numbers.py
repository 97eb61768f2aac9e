# SPDX-License-Identifier: MPL-2.0
"""-ctl quota and pools: commands of these modules."""

from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, rows, shown, told,
)
from flows import check_flows, flow
from pairing import Invited
from streams import MEGA
from waiting import wait_for


def test_quota_shows_what_is_used(controlled, identities):  # noqa: F811
    server = controlled(modules=[*MODULES, "quota"],
                        sections={"quota": {"month": "10MB", "count": "relayed", "state-required": "no"}})
    with Invited(server, identities[0], identities[1]) as invited:
        check_flows([flow(*invited.join_both(), MEGA, 1)])
    wait_for(lambda: shown(server, "quota")[1]["used"] == MEGA, "the traffic")
    found = answer(server, "quota")
    day, month = rows(found)
    assert (day["period"], day["used"], day["cap"], day["used %"]) == ("day", MEGA, None, None)
    assert (month["period"], month["cap"], month["used %"]) == ("month", 10000000, 100 * MEGA // 10**7)
    assert found["messages"] == ["open"]
    assert ctl(server, "quota", "now").returncode == 2


def test_pools_shows_each_pool(controlled):  # noqa: F811
    server = controlled(modules=[*MODULES, "pool-join"], sections={"pool-join": {
        "pools": ["http://127.0.0.1:1/endpoint", "http://127.0.0.2:1/endpoint"]}})
    found = []

    def unreached():
        found[:] = shown(server, "pools")
        return {row["state"] for row in found} == {"unreached"}

    wait_for(unreached, lambda: f"two pools that do not answer: {found}")
    one, other = found
    assert one["pool"] == "http://127.0.0.1:1/endpoint" and other["pool"].startswith("http://127.0.0.2")
    assert one["last error"] and one["last status"] is None and one["listed for"] is None
    assert 0 <= one["next attempt in"] <= 90000  # a minute, spread by chance
    assert "unreached" in told(server, "pools")
