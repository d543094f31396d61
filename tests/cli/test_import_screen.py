"""What an import says of files and of what it refused in them."""

import pytest

from pointq.cli.import_screen import _complaints, _explanation, exit_code, sentence
from pointq.cli.import_table import short_names
from pointq.errors import ExitCode
from pointq.formats.track import LineReject
from pointq.ops.importing.report import FileReport, Outcome, summary


def complaints(rejects: tuple[LineReject, ...], **reasons: int) -> list[str]:
    report = FileReport("a", "readable", rejected=sum(reasons.values()), rejects=rejects, reasons=reasons)
    return list(_complaints(report))


def test_one_reject_has_its_place() -> None:
    assert complaints((LineReject(5, "bad"),), bad=1) == ["line 5: bad"]
    assert complaints((LineReject(3, "bad", "packet", 88),), bad=1) == ["packet 3, byte 88: bad"]


def test_of_many_the_first_and_their_number() -> None:
    rejects = tuple(LineReject(number, "bad", "record") for number in range(1, 101))

    assert complaints(rejects, bad=8_000_000) == [
        "records 1, 2, 3, 4, 5 and 7 999 995 more: bad",
        "8 000 000 rejected in all; --rejects FILE writes down each",
    ]


def test_a_line_is_named_once_however_many_of_its_records_were_refused() -> None:
    assert complaints((LineReject(1, "bad"),) * 3, bad=3) == ["line 1: bad"]


def test_a_reason_that_the_listed_ones_do_not_have_is_told_too() -> None:
    assert complaints((LineReject(7, "bad"),), worse=120, bad=1)[:2] == ["120 records: worse", "line 7: bad"]


@pytest.mark.parametrize(
    ("outcomes", "code", "said"),
    [
        (["stored", "passed over"], ExitCode.OK, "1 file, 0 fixes, 0 rejected, 1 passed over"),
        (["stored", "failed", "passed over"], ExitCode.REJECTS, "2 files, 0 fixes, 0 rejected, 1 file failed, 1 passed over"),
        (["failed", "passed over"], ExitCode.FAILED, "1 file, 0 fixes, 0 rejected, 1 file failed, 1 passed over"),
        (["passed over", "passed over"], ExitCode.FAILED, "no track in 2 files"),
        (["already imported"], ExitCode.OK, "1 file, already imported: --force reads again"),
        (["already imported", "passed over"], ExitCode.OK, "1 file, already imported: --force reads again"),
        ([], ExitCode.OK, "0 files, 0 fixes, 0 rejected"),
    ],
)
def test_the_exit_code_and_the_last_line(outcomes: list[Outcome], code: ExitCode, said: str) -> None:
    reports = [FileReport(outcome, outcome) for outcome in outcomes]

    assert (exit_code(reports), sentence(summary(reports))) == (code, said)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["/a/b/x.igc", "/a/b/c/y.igc"], ["x.igc", "c/y.igc"]),
        (["/a/x.igc", "/b/y.igc"], ["/a/x.igc", "/b/y.igc"]),
        (["a/x.igc", "/a/y.igc"], ["a/x.igc", "/a/y.igc"]),
        (["x.igc", "y.igc"], ["x.igc", "y.igc"]),
    ],
)
def test_the_folder_that_all_share_is_left_out(names: list[str], shown: list[str]) -> None:
    assert short_names(names) == shown


def test_a_file_is_named_once_where_the_error_names_it() -> None:
    gone = FileReport("a/gone.igc", "failed", error="a/gone.igc cannot be read: No such file or directory")
    empty = FileReport("a/empty.igc", "failed", error="unknown format: found an empty file")

    assert list(_explanation([gone, empty])) == [
        "a/gone.igc cannot be read: No such file or directory",
        "empty.igc: unknown format: found an empty file",
    ]
