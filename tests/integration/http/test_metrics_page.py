# SPDX-License-Identifier: MPL-2.0
"""modules/METRICS.md agrees with the metric tables."""

import metrics_page


def test_the_page_of_metrics_is_current():
    want = metrics_page.page()
    assert metrics_page.PAGE.read_text() == want, (
        "modules/METRICS.md is old: run tests/integration/tools/metrics_page.py"
    )
