import itertools
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.formats.flymaster import parse_flymaster_upload, verify_key
from pointq.ops.bodies import flymaster_body, json_body
from pointq.ops.simulate.plan import MIX, Pilot, Plan
from pointq.ops.simulate.recorder import Recorded, Tape, record
from pointq.points.batch import PointBatch, concat
from pointq.points.kinds import FLYMASTER, KINDS, LIVE, Kind
from pointq.points.validation import validate

NOW_US = 1_800_000_000_000_000
PLAN = Plan("http://unused", datetime(2026, 6, 21, 10, tzinfo=UTC), "test", duration=900.0)


def recorded(plan: Plan, kind: Kind, number: int = 1) -> list[Recorded]:
    return list(record(Pilot(plan, number, kind), plan.task()))


def whole(pieces: list[Recorded]) -> PointBatch:
    return concat([piece.batch for piece in pieces])


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_the_same_plan_records_the_same_points(kind: Kind) -> None:
    one = whole(recorded(PLAN, kind))

    assert one.equals(whole(recorded(PLAN, kind)))
    assert one.equals(whole(recorded(replace(PLAN, speed=60.0, duplicates=0.5), kind)))
    assert not one.equals(whole(recorded(replace(PLAN, seed=2), kind)))
    assert not one.equals(whole(recorded(PLAN, kind, number=2)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
@pytest.mark.parametrize("interval", [0.2, 1.0, 7.5])
def test_points_come_in_order_and_end_with_the_competition(kind: Kind, interval: float) -> None:
    plan = replace(PLAN, interval=interval)
    batch = whole(recorded(plan, kind))

    steps = np.diff(batch.time)
    step = max(round(interval), 1) if kind is FLYMASTER else interval
    assert steps.min() > 0
    assert np.median(steps) == pytest.approx(step * 1e6, rel=0.05)
    assert plan.start_us <= batch.time[0] < batch.time[-1] <= plan.start_us + 900_000_000
    if kind is FLYMASTER:
        assert not (batch.time % 1_000_000).any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind is not FLYMASTER], ids=str)
@pytest.mark.parametrize("invalid", [0.0, 0.1])
def test_a_server_takes_all_but_the_wrong_ones_and_bit_for_bit(kind: Kind, invalid: float) -> None:
    for piece in recorded(replace(PLAN, invalid=invalid), kind):
        body = orjson.loads(json_body(piece.batch, piece.changes()))
        found = validate(kind, body["tracks" if kind.name == "scoring" else "track_points"], now_us=NOW_US)
        good = piece.wrong == 0
        assert sorted({reject.index for reject in found.rejects}) == np.flatnonzero(~good).tolist()
        for name, values in piece.batch.columns.items():
            np.testing.assert_array_equal(found.columns[name], values[good], err_msg=name)


@pytest.mark.parametrize("invalid", [0.0, 0.1])
def test_an_instrument_s_upload_is_signed_and_holds_its_points(invalid: float) -> None:
    for piece in recorded(replace(PLAN, invalid=invalid), FLYMASTER):
        upload = parse_flymaster_upload(flymaster_body(piece.batch, "secret", piece.changes()), now_us=NOW_US)
        good = piece.wrong == 0
        assert verify_key(upload.serial, upload.digest, "secret")
        assert upload.track.complete
        assert len(upload.track.rejects) == np.count_nonzero(~good)
        for name in ("time", "lat", "lon", "uploaded_at", "elevation"):
            np.testing.assert_array_equal(upload.track.columns[name], piece.batch.columns[name][good], err_msg=name)


def test_pilots_have_ids_of_their_own_and_the_mix_has_every_kind() -> None:
    crew = replace(PLAN, pilots=40).crew()

    assert len({pilot.flight_id for pilot in crew}) == len({pilot.device_id for pilot in crew}) == 40
    assert {pilot.kind for pilot in crew} == set(MIX) == set(KINDS.values())
    other = Pilot(replace(PLAN, name="another"), 4, FLYMASTER)
    assert other.device_id != Pilot(PLAN, 4, FLYMASTER).device_id
    assert other.device_id.isdecimal()


@pytest.mark.parametrize("number", range(1, 20))
def test_outages_are_in_order_and_apart(number: int) -> None:
    outages = Pilot(replace(PLAN, duration=14_400.0), number, LIVE).outages()

    assert (np.diff(outages.ravel()) >= 0).all()
    assert (outages[:, 0] < 14_400).all()
    assert len(outages) > 3
    assert not len(Pilot(replace(PLAN, offline=False), number, LIVE).outages())


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=20))
def test_a_tape_gives_each_point_once_in_order(takes: list[tuple[int, int]]) -> None:
    pieces = recorded(PLAN, LIVE)
    tape, until = Tape(iter(pieces)), PLAN.start_us
    found: list[Recorded] = []
    for seconds, most in [*takes, *itertools.repeat((900, 1_000), 50)]:
        until += seconds * 1_000_000
        piece = tape.take(until, most)
        if piece is not None:
            assert 0 < len(piece) <= most
            assert piece.batch.time[-1] <= until
            found.append(piece)
    assert tape.ended
    assert tape.taken == len(whole(pieces))
    assert whole(found).equals(whole(pieces))
