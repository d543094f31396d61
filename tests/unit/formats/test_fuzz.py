"""Arbitrary and damaged bytes for every format. `make fuzz` runs the same with as many examples as one has time for."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.formats.detect import FORMATS, Format, Hints, detect, parse
from tests.support.fuzz import NOW_US, check, damaged
from tests.support.seeds import NAMES, seeds

HINTS = (Hints(NOW_US), Hints(NOW_US, "2024-07-01 flight.igc"))
"""With and without a date for files that know none."""

each_format = pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
pytestmark = pytest.mark.fuzz


def try_all(data: bytes, known: Format) -> None:
    """By itself, whatever the bytes look like, and as what they are taken for."""
    for hints in HINTS:
        check(partial(known.parse, data, hints))
        check(partial(parse, data, hints))


def test_every_format_has_seeds_that_are_recognised_and_read() -> None:
    assert {known.name for known in FORMATS} == NAMES
    for known in FORMATS:
        made = seeds(known.name)
        assert made
        assert all(detect(data) is known for data in made)
        assert any(len(known.parse(data, HINTS[1])) for data in made)


@each_format
@given(data=st.binary(max_size=2_000))
def test_arbitrary_bytes(known: Format, data: bytes) -> None:
    try_all(data, known)


@each_format
@given(data=st.data())
def test_damaged_files(known: Format, data: st.DataObject) -> None:
    files = seeds(known.name)
    try_all(data.draw(damaged(files, files)), known)


@each_format
@given(data=st.data())
def test_files_with_pieces_of_other_formats(known: Format, data: st.DataObject) -> None:
    others = tuple(file for other in FORMATS for file in seeds(other.name))
    try_all(data.draw(damaged(seeds(known.name), others)), known)
