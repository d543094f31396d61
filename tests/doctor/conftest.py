"""A set-up of the test's own, with whatever servers it wants."""

from pathlib import Path

import pytest

from tests.doctor.doctor import Patient
from tests.support.sites import Site


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """No server answers; the rest is as it is by default."""
    return Patient(tmp_path)


@pytest.fixture
def healthy(site: Site) -> Patient:
    """Servers with tables."""
    return Patient(site.home, dict(site.environ))
