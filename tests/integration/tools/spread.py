# SPDX-License-Identifier: MPL-2.0
"""The order of the tests where several processes share them.

pytest-xdist 3.1 gives each process its first tests in one row.  Slow tests are neighbours, because
they are about one topic: a process that got them is busy when all others have nothing left to do.
"""

import hashlib


def _group(item):
    """What has to stay together: tests that share something which is made once for their file."""
    made = item._fixtureinfo.name2fixturedefs.values()
    shared = any(fixture.scope in ("module", "class") for each in made for fixture in each)
    return str(item.path) if shared else item.nodeid


def spread(config, items):
    """Puts tests in an order that looks random and is the same in each process and each run."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: hashlib.sha256(_group(item).encode()).digest())
