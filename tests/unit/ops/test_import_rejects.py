"""The file of rejects."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointq.ops.importing.options import Options
from pointq.ops.importing.pipeline import Arrived, Content
from pointq.ops.importing.reading import Task, read
from pointq.ops.importing.rejects import RejectsFile
from pointq.ops.source import Source
from tests.support.flights import igc
from tests.support.packets import END, about, fix

NOW_US = 1_800_000_000_000_000
TABLE = "time,lat,lon\r\n2024-07-01T12:00:00Z,0,0\r\n2024-07-01T12:00:00Z,46,7\r\n2024-07-01T12:00:00Z,Ä,7\r\n"


async def written(path: Path, data: bytes) -> list[Any]:
    file = read(Task("a", "a", data, Options(), NOW_US, keeps_rejects=True))
    with RejectsFile(path) as rejects:
        await rejects.write(Arrived(file, Content(Source("a", "a", lambda: data), (b"", ""), data)), file.report)
    return entries(path)


def entries(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_a_line_is_shown_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    first, second = await written(tmp_path / "rejects", TABLE.encode(encoding))

    assert first == {
        "file": "a",
        "line": 2,
        "record": "line",
        "offset": None,
        "reason": "latitude and longitude are both exactly 0: the receiver had no position",
        "text": "2024-07-01T12:00:00Z,0,0",
    }
    assert (second["line"], second["text"]) == (4, "2024-07-01T12:00:00Z,Ä,7")


async def test_a_packet_has_a_number_and_a_byte(tmp_path: Path) -> None:
    broken = bytearray(fix())
    broken[-1] ^= 1

    (reject,) = await written(tmp_path / "rejects", about(12) + fix() + bytes(broken) + fix(seconds=773_150_401) + END)

    assert (reject["record"], reject["line"], reject["text"]) == ("packet", 3, None)
    assert reject["offset"] == len(about(12) + fix())


async def test_a_document_has_records(tmp_path: Path) -> None:
    live = {"12": [{"d": 1_720_000_000, "ai": 0, "oi": 0}, {"d": 1_720_000_000, "ai": 60000, "oi": 60000}]}

    (reject,) = await written(tmp_path / "rejects", json.dumps(live).encode())

    assert (reject["record"], reject["line"], reject["offset"], reject["text"]) == ("record", 1, None, None)


async def test_a_file_that_cannot_be_read_is_an_entry_too(tmp_path: Path) -> None:
    (failure,) = await written(tmp_path / "rejects", b"nothing")

    assert (failure["line"], failure["record"], failure["text"]) == (None, None, None)
    assert "unknown format" in failure["reason"]


async def test_all_are_written_and_not_only_those_that_a_report_lists(tmp_path: Path) -> None:
    rejects = await written(tmp_path / "rejects", igc(*["B1000004561000N00630000EA0000001500"] * 150))

    assert [entry["line"] for entry in rejects] == list(range(3, 153))
