"""How what was typed of an import is understood."""

import pytest

from pointq.errors import UsageError
from pointq.ops.importing.options import columns_of


def test_columns_are_mapped_by_name_and_header() -> None:
    assert columns_of(["time_utc=Zeit", "lat = Breite", "speed_kmh=a=b"]) == {
        "time_utc": "Zeit",
        "lat": "Breite",
        "speed_kmh": "a=b",
    }


@pytest.mark.parametrize("pair", ["lat", "=Breite", "lat=", ""])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="a column is mapped by name=Header"):
        columns_of([pair])


def test_a_column_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="there is no column 'tim' to map 'Zeit' to") as caught:
        columns_of(["tim=Zeit"])
    assert "time, date, lat, lon" in (caught.value.hint or "")
