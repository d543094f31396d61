"""Export files, whole, cut, changed, or something else altogether."""

import base64
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.ops.exports import FIELDS
from pointq.ops.replay.exported import batches
from pointq.ops.replay.frames import Framed
from pointq.ops.replay.report import Refusal

HEAD = {"pointq_export": 1, "made_at": "2026-06-21T12:00:00.000Z", "by": "u@h", "kind": "all", "state": "all"}


def line(points: int, **changes: Any) -> dict[str, Any]:
    content = base64.b64encode(b"x" * points).decode()
    return dict.fromkeys(FIELDS) | {"kind": "live", "points": points, "failures": [], "frame": content} | changes


def written(path: Path, *lines: Any) -> list[Framed | Refusal]:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in lines), "utf8")
    return list(batches([path]))


def test_what_purge_writes(tmp_path: Path) -> None:
    path = tmp_path / "e"
    found = written(path, HEAD, line(2), line(3), {"batches": 2, "points": 5})
    assert found == [Framed(f"{path}:2", "live", 2, b"xx"), Framed(f"{path}:3", "live", 3, b"xxx")]


def test_its_history(tmp_path: Path) -> None:
    failures = [
        {"at": "1970-01-01T00:00:02.500Z", "sqlstate": "22003", "message": "no"},
        dict.fromkeys(("at", "sqlstate", "message")),
    ]
    (found,) = written(
        tmp_path / "e",
        HEAD,
        line(1, failures=failures, first_seen="1970-01-01T01:00:01+01:00"),
        {"batches": 1, "points": 1},
    )
    assert isinstance(found, Framed)
    assert found.history is not None
    assert (found.history.first_seen, found.history.count) == ("1.000000", 2)
    assert orjson.loads(found.history.failures) == [
        {"at": "2.500000", "sqlstate": "22003", "message": "no"},
        {"at": "", "sqlstate": "", "message": ""},
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "its first line is not that of version 1"),
        ([HEAD | {"pointq_export": 2}], "its first line is not that of version 1"),
        ([[1, 2]], "its first line is not that of version 1"),
        ([HEAD], "the file was cut: its last line is missing behind 0 batches of 0 points"),
        ([HEAD, {"batches": 1, "points": 2}], "0 batches of 0 points are in the file, which says otherwise"),
        ([HEAD, {"batches": 0, "points": 0}, line(1)], "0 batches of 0 points are in the file, which says otherwise"),
        ([HEAD, "no object", {"batches": 1, "points": 0}], "this is no batch of an export: KeyError('frame')"),
        ([HEAD, line(1, frame="!"), {"batches": 1, "points": 1}], "this is no batch of an export"),
        ([HEAD, line(1, failures=["x"]), {"batches": 1, "points": 1}], "this is no batch of an export"),
    ],
)
def test_what_is_wrong(tmp_path: Path, lines: list[Any], said: str) -> None:
    (refusal,) = written(tmp_path / "e", *lines)
    assert isinstance(refusal, Refusal)
    assert said in refusal.reason


@given(st.integers(0, 400), st.integers(0, 255))
def test_any_cut_and_any_changed_byte_is_survived(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    path = tmp_path_factory.getbasetemp() / "export"
    written(path, HEAD, line(2), line(3), {"batches": 2, "points": 5})
    whole = path.read_bytes()
    cut = at < len(whole.rstrip())
    path.write_bytes(whole[:at])
    assert cut == any(isinstance(found, Refusal) for found in batches([path]))
    changed = bytearray(whole)
    changed[at % len(whole)] = byte
    path.write_bytes(changed)
    list(batches([path]))
