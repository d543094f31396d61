"""The book of tokens on disk: written again until it is there, said once, and no disk that hangs is waited for."""

import datetime as dt
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pointq.ingest.doors.book import Book, BookFile
from pointq.ingest.doors.shelf import Shelf
from pointq.ops.tokens import make

NOW = dt.datetime.now(dt.UTC)
GOOD = Book.of([make("anna", ["live"], NOW).token], "1")
REVOKED = Book.of([], "2")


def written(file: BookFile) -> str | None:
    book = file.read()
    return book.version if book else None


async def test_a_write_that_failed_is_done_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Left undone, a start without the database would open doors to a token that was revoked."""
    caplog.set_level(logging.INFO)
    file = BookFile(tmp_path / "tokens.json", "host/points")
    shelf = Shelf(file)
    file.path.mkdir()
    for _ in range(3):
        await shelf.keep(REVOKED)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "the tokens cannot be kept in" in caplog.text
    assert "Is a directory" in caplog.text

    file.path.rmdir()
    await shelf.keep(REVOKED)
    assert written(file) == "2"
    assert "the tokens are kept in" in caplog.records[-1].message
    assert len(caplog.records) == 2


async def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    file = BookFile(tmp_path / "tokens.json", "host/points")
    await Shelf(file).keep(GOOD)
    first = file.path.stat().st_ino
    shelf = Shelf(file)
    found = await shelf.recall()
    assert found is not None
    await shelf.keep(found)
    assert file.path.stat().st_ino == first
    await shelf.keep(REVOKED)
    assert written(file) == "2"


@dataclass(frozen=True)
class Hanging(BookFile):
    """On a disk that answers when it is told to."""

    answers: threading.Event = field(default_factory=threading.Event)
    writes: list[str] = field(default_factory=list)

    def write(self, book: Book) -> None:
        self.writes.append(book.version)
        self.answers.wait()
        super().write(book)


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = Hanging(tmp_path / "tokens.json", "host/points")
    shelf = Shelf(file, patience_seconds=0.01)
    for book in (GOOD, REVOKED, REVOKED):
        await shelf.keep(book)
    assert file.writes == ["1"], "one at a time: each hangs in a thread"
    assert caplog.text.count("no answer within 0.01 s") == 1

    file.answers.set()
    while written(file) != "2":
        await shelf.keep(REVOKED)
    assert file.writes == ["1", "2"]
