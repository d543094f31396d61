"""The decoder of usual bodies gives what the general one gives, or leaves the body to it."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.ingest.usual import Usual, decode_usual, points_field
from pointq.points.kinds import LIVE, SCORING, UPLOAD, Column, ColumnType, Kind

KINDS = [LIVE, UPLOAD, SCORING]
IDS = ("flight_id", "device_id", "flight_uuid")

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-180, 180),
    st.sampled_from([0, -0.0, 1, 2**53 + 1, 5e-324, 1.7976931348623157e308]),
)
ANYTHING = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(), st.integers(), st.just([]), st.just({}))


def values(column: Column) -> st.SearchStrategy[Any]:
    """Values that a column may have in a usual body."""
    match column.type:
        case ColumnType.TIME:
            return st.one_of(st.text(), NUMBERS)
        case ColumnType.TEXT:
            return st.text()
        case ColumnType.BOOL:
            return st.booleans()
        case _:
            return NUMBERS


@st.composite
def usual_documents(draw: st.DrawFn) -> tuple[Kind, dict[str, Any]]:
    kind = draw(st.sampled_from(KINDS))
    required = {column.json: values(column) for column in kind.columns if column.required}
    others = {column.json: st.none() | values(column) for column in kind.columns if not column.required}
    points = st.lists(st.fixed_dictionaries(required, optional=others), min_size=1, max_size=4)
    ids: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(IDS, st.none() | st.text())
    return kind, draw(st.fixed_dictionaries({points_field(kind): points}, optional=ids))


def check(kind: Kind, usual: Usual, document: Any) -> None:
    """Both decoders found the same: types of numbers and the sign of zero included."""
    for name in IDS:
        assert getattr(usual, name) == document.get(name)
    points = document[points_field(kind)]
    assert len(usual.points) == len(points)
    for found, point in zip(usual.points, points, strict=True):
        names = [column.json for column in kind.columns]
        assert set(point) <= set(names)
        assert [repr(getattr(found, name)) for name in names] == [repr(point.get(name)) for name in names]


@given(usual_documents(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_usual_bodies_are_decoded_and_say_the_same(made: tuple[Kind, dict[str, Any]], escaped: bool) -> None:  # noqa: FBT001
    kind, document = made
    body = json.dumps(document, ensure_ascii=escaped).encode()
    usual = decode_usual(kind, body)

    assert usual is not None
    check(kind, usual, orjson.loads(body))


@st.composite
def damaged_bodies(draw: st.DrawFn) -> tuple[Kind, bytes]:
    """Usual bodies, in which a value was replaced or a few bytes were changed."""
    kind, document = draw(usual_documents())
    holder = draw(st.sampled_from([document, *document[points_field(kind)]]))
    name = draw(st.sampled_from([*holder, "another field"]) if holder is not document else st.sampled_from([*IDS, "another"]))
    if draw(st.booleans()):
        holder[name] = draw(ANYTHING)
    data = bytearray(json.dumps(document, ensure_ascii=draw(st.booleans())).encode())
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 2))] = draw(st.sampled_from(PIECES))
    return kind, bytes(data)


CHARACTERS = b'"\\{}[],:-+.eE01 \x00\x01\t\n\r\x7f\x80\xc0\xed\xff'
NUMBERS_OR_NOT = [b"00", b"1e", b"1e999", b".5", b"-0", b"NaN", b"Infinity", b"18446744073709551616"]
WORDS = [b"true", b"null", b'"lat":1,', b'"another":1,']
TEXTS = [b"\\ud800", b"\\udc00", b"\\u0000", b"\\u12", b"\\x", b"\xef\xbb\xbf", b"\xed\xa0\x80"]
PIECES = [*(bytes([code]) for code in CHARACTERS), *NUMBERS_OR_NOT, *WORDS, *TEXTS]


@given(damaged_bodies())
@settings(max_examples=250, deadline=None)
def test_whatever_is_decoded_is_json_and_says_the_same(made: tuple[Kind, bytes]) -> None:
    kind, body = made
    usual = decode_usual(kind, body)
    if usual is not None:
        check(kind, usual, orjson.loads(body))


POINT = b'{"datetime":"2026-06-21T11:59:00Z","lat":45.5,"lon":6'


@pytest.mark.parametrize(
    "rest",
    [
        b"}],",
        b"},]",
        b',"speed":true}]',
        b',"valid":1}]',
        b',"speed":"1"}]',
        b',"speed":NaN}]',
        b',"speed":1e999}]',
        b',"speed":18446744073709551616}]',
        b',"speed":1' + b"0" * 400 + b"}]",
        b',"battery":80}]',
        b'},"\xff"]',
        b"},null]",
        b'}],"flight_id":7',
        b'}],"flight_id":"\\ud800"',
        b'}],"flight_id":"\xff"',
        b'}],"app":"2.1"',
    ],
)
def test_what_is_not_usual_is_left_to_the_general_decoder(rest: bytes) -> None:
    assert decode_usual(LIVE, b'{"track_points":[' + POINT + b"}]}") is not None
    assert decode_usual(LIVE, b'{"track_points":[' + POINT + rest + b"}") is None
