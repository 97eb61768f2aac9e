# SPDX-License-Identifier: MPL-2.0
"""testutil and a name server that does not answer before testutil ends."""

import subprocess

import pytest

import name_server
import testutil
from name_server import names  # noqa: F401
from waiting import PATIENCE

pytestmark = name_server.needed


@pytest.mark.parametrize("uri, asked", [("relay://relay.test:22067/", "relay.test:22067"),
                                        ("dynamic+https://pool.test/endpoint", "pool.test:443")])
def test_a_silent_name_server(names, tmp_path, uri, asked):  # noqa: F811
    """The lookup thread still runs when testutil ends: it delays nothing and is no leak."""
    keys = testutil.Keys(tmp_path / "keys")
    result = testutil.Result(subprocess.run(
        [*names.prefix(), testutil.program(), "-test", "-keys", str(keys.folder), "-timeout", "1s",
         "-relay", uri], capture_output=True, text=True, timeout=PATIENCE, check=False))
    assert result.code == 1, result
    assert f"{asked}: the name was not looked up in time" in result.out, result
