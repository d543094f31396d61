"""Where a server keeps the book of tokens for when the database is away."""

import asyncio
import logging

from pointq.ingest.doors.book import Book, BookFile

log = logging.getLogger("pointq.ingest")

_PATIENCE_SECONDS = 2.0
"""For a disk: one that hangs must not keep the server from hearing of revocations."""


class Shelf:
    """Keeps a book on disk; a write that failed is done again, since what it left there opens doors to revoked tokens."""

    def __init__(self, file: BookFile, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._file = file
        self._patience_seconds = patience_seconds
        self._kept: str | None = None
        self._writing: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    async def recall(self) -> Book | None:
        """The book on disk; None where there is none that can be used."""
        try:
            book = await asyncio.to_thread(self._file.read)
        except (OSError, ValueError) as exc:
            log.warning("the tokens in %s cannot be used: %s", self._file.path, exc)
            return None
        self._kept = book.version if book else None
        return book

    async def keep(self, book: Book) -> None:
        """Have the book on disk. What takes too long goes on behind this; nothing else is written meanwhile."""
        if self._writing is None and self._kept != book.version:
            self._writing = asyncio.create_task(self._write(book), name="tokens on disk")
        if self._writing is None:
            return
        done, _ = await asyncio.wait({self._writing}, timeout=self._patience_seconds)
        if done:
            self._writing = None
            done.pop().result()
        else:
            self._complain(f"no answer within {self._patience_seconds:g} s")

    async def _write(self, book: Book) -> None:
        try:
            await asyncio.to_thread(self._file.write, book)
        except OSError as exc:
            # its whole text names a file that is called otherwise at each try
            self._complain(exc.strerror or str(exc))
            return
        self._kept = book.version
        if self._trouble is not None:
            log.info("the tokens are kept in %s again", self._file.path)
        self._trouble = None

    def _complain(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            without = "a server that starts while the database is away would not know of the last revocations"
            log.warning("the tokens cannot be kept in %s: %s; %s", self._file.path, why, without)
