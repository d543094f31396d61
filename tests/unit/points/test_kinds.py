"""The table of kinds keeps what frames and clients rely on."""

import pytest

from pointq.points.codec.columns import identity
from pointq.points.kinds import KINDS, ColumnType, Kind


def test_codes_are_unique_and_never_change() -> None:
    assert {name: kind.code for name, kind in KINDS.items()} == {"live": 1, "upload": 2, "scoring": 3, "flymaster": 4}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_columns_can_be_told_apart(kind: Kind) -> None:
    names = [column.name for column in kind.columns]
    assert len({identity(name) for name in names}) == len(names)
    assert len({column.json for column in kind.columns}) == len(names)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_columns_are_described_and_bounded(kind: Kind) -> None:
    for column in kind.columns:
        assert column.description
        assert (column.max_bytes > 0) == (column.type is ColumnType.TEXT)
        assert (column.minimum is not None) == (column.type in (ColumnType.FLOAT, ColumnType.INT))
    assert [column.name for column in kind.columns if column.required] == ["time", "lat", "lon"]
