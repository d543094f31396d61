"""The page of metrics, whatever a client says that it accepts."""

import pytest

from pointq.metrics.page import page


@pytest.mark.parametrize("version", ["abc", "1.x", "\u00b2", "", "1.0.0"])
def test_a_version_that_is_none_gets_a_page_all_the_same(version: str) -> None:
    _, content_type = page({}, f"application/openmetrics-text; version={version}")

    assert content_type.startswith(("text/plain", "application/openmetrics-text"))
