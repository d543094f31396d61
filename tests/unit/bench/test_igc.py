from pathlib import Path

import numpy as np
import pytest

from pointq.formats.igc import parse_igc
from pointq.ops.bench import tracks
from pointq.ops.bench.igc import folder_of_files, igc_text
from pointq.ops.bench.options import Options
from pointq.ops.bench.tracks import Track, Tracks

NOW_US = 1_900_000_000_000_000


@pytest.fixture(scope="module")
def made() -> Tracks:
    return tracks.load(None, seed=1)


def test_a_made_track_reads_back_as_it_was_written(made: Tracks) -> None:
    for track in made.tracks[:5]:
        read = parse_igc(igc_text(track), now_us=NOW_US)
        _, rows = np.unique(track.columns["time"] // 1_000_000, return_index=True)

        assert not read.rejects
        np.testing.assert_array_equal(read.columns["time"] // 1_000_000, track.columns["time"][rows] // 1_000_000)
        np.testing.assert_array_equal(read.columns["elevation"], track.columns["elevation"][rows])
        for name in ("lat", "lon"):
            np.testing.assert_allclose(read.columns[name], track.columns[name][rows], rtol=0, atol=0.51 / 60_000)


def test_south_and_west_and_below_the_sea_are_written_as_such() -> None:
    columns = {"time": [0], "lat": [-33.5], "lon": [-70.25], "elevation": [-12.0], "barometric_altitude": [-40.0]}
    track = Track({name: np.array(values) for name, values in columns.items()} | {"time": np.array([1_750_000_000_000_000])})

    assert igc_text(track).splitlines()[-1].endswith(b"3330000S07015000WA-0040-0012")


def test_files_are_made_where_there_are_none_and_no_more_than_asked_for(made: Tracks, tmp_path: Path) -> None:
    few = folder_of_files(made, Options(points=1_000), tmp_path)

    assert len(few) == 1
    assert few[0].parent == tmp_path
    assert folder_of_files(made, Options(points=1_000, samples=tmp_path), tmp_path / "not needed") == few
