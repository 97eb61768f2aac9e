# SPDX-License-Identifier: MPL-2.0
"""Skips tests that some machines cannot run, and warns in each run's summary that it did."""

import warnings

import pytest


def can_run(what, why_not):
    """A mark for tests of `what`, a plural in capitals.  why_not: why this machine cannot run
    them, or None."""
    reason = f"{what} ARE NOT TESTED: {why_not}"
    if why_not:
        warnings.warn(reason, stacklevel=2)
    return pytest.mark.skipif(why_not is not None, reason=reason)
