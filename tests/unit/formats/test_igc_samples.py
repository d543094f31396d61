"""Every real file: nothing is lost without an account, and what a scan of the bytes found is what the parser finds."""

import csv
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pointq.errors import FormatError
from pointq.formats.batches import to_batch, to_split_batch
from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile
from pointq.points.kinds import UPLOAD

SamplePath = Callable[[str], Path]

NO_DATE = date(2020, 1, 1)
"""For the two files that have no date record."""


def parse(path: Path, now_us: int) -> TrackFile:
    return parse_igc(path.read_bytes(), now_us=now_us, date=NO_DATE)


def manifest_row(path: Path) -> dict[str, str]:
    with (path.parent / "manifest.tsv").open(encoding="utf-8") as file:
        return next(row for row in csv.DictReader(file, delimiter="\t") if row["file"] == path.name)


def quirk(row: dict[str, str], name: str) -> int | None:
    """The number in ``name=5`` or ``name:5`` among the quirks, or None."""
    found = re.search(rf"(?:^|;){re.escape(name)}[=:](\d+)", row["quirks"])
    return int(found[1]) if found else None


def test_every_record_is_accounted_for(igc_sample: Path, now_us: int) -> None:
    track = parse(igc_sample, now_us)
    assert track.records - len(track.rejects) - track.duplicates == len(track)
    assert {len(values) for values in track.columns.values()} == {len(track)}
    assert np.all(np.abs(track.columns["lat"]) <= 90)
    assert np.all(np.abs(track.columns["lon"]) <= 180)


def test_what_the_manifest_says(igc_sample: Path, now_us: int) -> None:
    track, row = parse(igc_sample, now_us), manifest_row(igc_sample)
    assert track.records == int(row["b_records"])
    assert len(track.rejects) == (quirk(row, "badB") or 0) + (quirk(row, "zeropos") or 0)
    assert ("barometric_altitude" in track.columns) == ("baro-all0" not in row["quirks"] and len(track) > 0)
    same_second = quirk(row, "dupsec") or 0
    assert track.duplicates <= same_second
    if not track.rejects.counts() and "backwards" not in row["quirks"]:
        assert np.count_nonzero(np.diff(track.columns["time"]) == 0) + track.duplicates == same_second


def test_altitudes_below_zero_and_2d_fixes(igc_sample: Path, now_us: int) -> None:
    track, row = parse(igc_sample, now_us), manifest_row(igc_sample)
    if quirk(row, "zeropos") is None and track.duplicates == 0:
        # below -2000 m, where 083 often is, they are NULL
        altitudes = [track.columns[name] for name in ("elevation", "barometric_altitude") if name in track.columns]
        assert np.count_nonzero(sum(~(values >= 0) for values in altitudes)) == (quirk(row, "negalt") or 0)
        assert np.count_nonzero(track.columns.get("valid", np.ones(0)) == 0) == (quirk(row, "V") or 0)


def test_dates_and_midnights(igc_sample: Path, now_us: int) -> None:
    track, row = parse(igc_sample, now_us), manifest_row(igc_sample)
    assert len(track.dates) == 1
    days = set((track.columns["time"] // 86_400_000_000).tolist())
    expected = len(days) if len(track) == 0 else 1 + (quirk(row, "midnight") or 0) + ("max21596s" in row["quirks"])
    assert len(days) == expected


def test_further_decimals_are_used(igc_sample: Path, now_us: int) -> None:
    track, row = parse(igc_sample, now_us), manifest_row(igc_sample)
    units = track.columns["lat"] * 60_000
    whole = np.abs(units - np.rint(units)) < 1e-6
    assert whole.all() == ("LAD" not in row["quirks"])


def test_batches_of_every_file(igc_sample: Path, now_us: int) -> None:
    track = parse(igc_sample, now_us)
    assert len(to_batch(track, UPLOAD)) == len(to_split_batch(track, UPLOAD, 3600)) == len(track)


def test_a_file_without_a_date_asks_for_one(sample_path: SamplePath, now_us: int) -> None:
    with pytest.raises(FormatError, match="no date"):
        parse_igc(sample_path("013").read_bytes(), now_us=now_us, file_name=sample_path("013").name)


def test_a_recorder_switched_on_three_times(sample_path: SamplePath, now_us: int) -> None:
    track = parse(sample_path("010"), now_us)
    assert track.breaks == (1305, 2012)
    assert len(to_split_batch(track, UPLOAD, 3600).flights) == 3


def test_recorders_name_themselves(sample_path: SamplePath, now_us: int) -> None:
    track = parse(sample_path("010"), now_us)
    assert (track.logger, track.device) == ("FLA5HV", "Flarm-IGC")


def test_the_same_file_with_other_line_ends_is_the_same_flight(sample_path: SamplePath, now_us: int) -> None:
    data = sample_path("009").read_bytes()
    other = data.replace(b"\r\n", b"\n").replace(b"HFPLT", b"HOPLT")
    tracks = [parse_igc(content, now_us=now_us) for content in (data, other)]
    assert to_batch(tracks[0], UPLOAD).equals(to_batch(tracks[1], UPLOAD))
