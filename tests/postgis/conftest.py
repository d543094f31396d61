"""A PostGIS for each module, emptied behind each test; a connection is closed before anything else opens one."""

import sys
from collections.abc import Iterator

import pytest

from pointq.store import writer as writing
from tests.support import wasm


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with wasm.running("postgis") as url:
        yield url


@pytest.fixture
def url(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # it cannot take a COPY: every batch goes the way of the small ones
    monkeypatch.setattr(writing, "SMALL_POINTS", sys.maxsize)
    yield server
    wasm.empty(server)
