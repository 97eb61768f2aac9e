# SPDX-License-Identifier: MPL-2.0
"""A list of a million devices is read beside the control thread."""

import os
import signal
import time

import device_id
from module_server import module_server  # noqa: F401
from waiting import Deadline

COUNT = 1000000
#: Times that each device is listed, which costs as much as so many devices.
TIMES = 2000


def write_list(path):
    ids = [device_id.to_text(os.urandom(32)) for _ in range(COUNT // TIMES)]
    path.write_text(("\n".join(ids) + "\n") * TIMES)
    os.utime(path, (1e9, 1e9))  # at rest, so that it is not waited for


def reload_and_poll(server):
    """Reloads; returns how long that took, and the longest wait for /healthz meanwhile."""
    done = server.count("core: (not )?reloaded")
    began, longest, deadline = time.monotonic(), 0, Deadline()
    server.send_signal(signal.SIGHUP)
    while server.count("core: (not )?reloaded") == done:
        assert not deadline.passed(), server.log()
        asked = time.monotonic()
        assert server.page("/healthz")[0] == 200
        longest = max(longest, time.monotonic() - asked)
    return time.monotonic() - began, longest


def test_health_is_answered_while_a_long_list_is_read(module_server, tmp_path):  # noqa: F811
    listed = tmp_path / "devices"
    write_list(listed)
    modules = ["log", "access", "relay", "status"]
    server = module_server(modules)
    server.configure(modules, {"access": {"join-deny": [f"@{listed}"]}})
    # Something else on this machine may delay one answer, but not in every reload.
    reloads = []
    for i in range(3):
        reloads.append(reload_and_poll(server))
        assert server.count(f"{COUNT} rules and 0 tokens are in force") == i + 1, server.log()
        if reloads[-1][1] < reloads[-1][0] / 3:
            return
        os.utime(listed, (1e9 + i + 1, 1e9 + i + 1))
    raise AssertionError("; ".join(f"a wait of {longest:.3f} s in a reload of {took:.3f} s"
                                   for took, longest in reloads))
