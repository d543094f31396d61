"""What the tests of formats share: a writer of small made-up tracks, and the real samples where they are present."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile

NOW_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
ROOT = Path(__file__).parents[3]
SAMPLES = Path(os.environ.get("POINTQ_SAMPLES", ROOT.parent / "shared" / "data"))

ParseIgc = Callable[..., TrackFile]


@pytest.fixture
def now_us() -> int:
    return NOW_US


@pytest.fixture
def igc() -> ParseIgc:
    """Parse the lines given, with an A record and a date record before them unless `header` is other."""

    def parse(
        *records: str,
        header: tuple[str, ...] = ("AXXX001", "HFDTE010724"),
        eol: str = "\r\n",
        file_name: str = "",
        date: date | None = None,
    ) -> TrackFile:
        data = eol.join((*header, *records, "")).encode("latin-1")
        return parse_igc(data, now_us=NOW_US, file_name=file_name, date=date)

    return parse


def _samples() -> list[Any]:
    found = sorted((SAMPLES / "igc").glob("*.igc"))
    if found:
        return [pytest.param(path, id=path.stem) for path in found]
    if os.environ.get("CI") == "true":
        return [pytest.param(SAMPLES / "igc" / "missing.igc", id="samples-missing")]
    return [pytest.param(None, marks=pytest.mark.skip(reason=f"no samples in {SAMPLES}: set POINTQ_SAMPLES"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each real IGC file; without them a skip, in CI a failure."""
    if "igc_sample" in metafunc.fixturenames:
        metafunc.parametrize("igc_sample", _samples())


@pytest.fixture
def igc_samples() -> list[Path]:
    """All real IGC files."""
    found = sorted((SAMPLES / "igc").glob("*.igc"))
    if not found and os.environ.get("CI") != "true":
        pytest.skip(f"no samples in {SAMPLES}: set POINTQ_SAMPLES")
    assert found, f"no samples in {SAMPLES}"
    return found


@pytest.fixture
def other_sample(igc_samples: list[Path]) -> Callable[[str], bytes]:
    """The content of a real file that is not IGC."""
    return lambda name: (igc_samples[0].parents[1] / "other" / name).read_bytes()


@pytest.fixture
def sample_path(igc_samples: list[Path]) -> Callable[[str], Path]:
    """The real file whose name begins with that number."""
    return lambda number: next(path for path in igc_samples if path.name.startswith(f"{number}-"))
