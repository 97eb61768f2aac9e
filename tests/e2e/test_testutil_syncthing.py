# SPDX-License-Identifier: MPL-2.0
"""Our testutil checks a relay while real Syncthing devices use it."""

import testutil
from testutil import Keys
from two_devices import (
    SMALL_FILES, check_equal, fill, make_pair, wait_for_connection, wait_for_sync,
)


def test_a_relay_in_use_is_ok(start_relay, make_device, tmp_path):
    relay = start_relay()
    keys = Keys(tmp_path / "tester")
    one, other = make_pair(make_device, relay.uri)
    fill(one.folder, "one", 5)
    one.start()
    other.start()
    wait_for_connection(one, other)
    for _ in range(3):
        result = testutil.run("-test", "-relay", relay.uri, "-keys", keys.folder)
        assert result.code == 0, result
    # A device that Syncthing has joined can be requested.  It acts as TLS server or waits.
    asked = testutil.run("-connect", one.id, "-relay", relay.uri, "-keys", keys.folder)
    assert "Received invitation" in asked.err and "Joined session" in asked.err, asked
    wait_for_sync((one, other), SMALL_FILES + 1)
    check_equal(one, other, SMALL_FILES + 1)
    assert one.connection(other).get("connected") and other.connection(one).get("connected")
