"""The compose file, read once."""

from typing import Any

import pytest

from tests.support.compose import Service, resolved


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """All of it."""
    return resolved()


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, Service]:
    """Its services by name."""
    found: dict[str, Service] = compose["services"]
    return found


@pytest.fixture
def ours(services: dict[str, Service]) -> dict[str, Service]:
    """Those that are pointq."""
    return {name: service for name, service in services.items() if service["image"] == "pointq"}
