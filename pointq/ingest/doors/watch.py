"""Keeps the book of tokens as the database has it."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from pointq.aio import Rounds, cancel
from pointq.errors import DatabaseError
from pointq.ingest.doors.book import Book, BookFile
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.shelf import Shelf
from pointq.store import tokens
from pointq.store.connection import abort, connect

if TYPE_CHECKING:
    from psycopg import AsyncConnection

log = logging.getLogger("pointq.ingest")

_SECONDS = 1.5
"""Between two looks. A look takes a round trip, and what was revoked must be refused within 5 s."""
_PATIENCE_SECONDS = 2.0
"""For a look: a database that hangs is given up and asked anew."""


class Watch:
    """Looks from `start` to `stop`; both may be called twice.

    While the database is away the book stays as it is, and at the start it is the one on disk.
    """

    def __init__(self, keys: Keys, url: str, file: BookFile | None) -> None:
        self._keys = keys
        self._url = url
        self._shelf = Shelf(file) if file else None
        self._connection: AsyncConnection | None = None
        self._trouble: str | None = None
        self._looked = asyncio.Event()
        self._rounds = Rounds("tokens", self._once)

    async def start(self) -> None:
        """Look for the first time, and go on looking."""
        if not self._looked.is_set():
            if self._shelf is not None:
                self._keys.book = await self._shelf.recall()
            self._rounds.start()
            await self._looked.wait()

    async def stop(self) -> None:
        """Look no more."""
        await self._rounds.stop()
        await self._drop()

    async def _once(self) -> float:
        try:
            await self._try()
            if self._shelf is not None and self._keys.book is not None:
                await self._shelf.keep(self._keys.book)
        finally:
            # with a defect, too: whoever starts goes on with what is known
            self._looked.set()
        return _SECONDS

    async def _try(self) -> None:
        try:
            await self._in_time()
        except (DatabaseError, psycopg.Error, TimeoutError) as exc:
            self._complain(str(exc) or f"no answer within {_PATIENCE_SECONDS:g} s")
            await self._drop()
        else:
            if self._trouble is not None:
                log.info("the tokens are those of the database again")
            self._trouble = None

    async def _in_time(self) -> None:
        """One look. Raises TimeoutError where it takes too long.

        Then the line is cut: a look that is only cancelled would ask the server to cancel, too, and wait for that.
        """
        look = asyncio.create_task(self._look())
        await asyncio.wait({look}, timeout=_PATIENCE_SECONDS)
        if look.done():
            return look.result()
        if self._connection is not None:
            abort(self._connection)
            await asyncio.wait({look}, timeout=_PATIENCE_SECONDS)
        await cancel(look)
        raise TimeoutError

    async def _look(self) -> None:
        if self._connection is None:
            self._connection = await connect(self._url, within=_PATIENCE_SECONDS)
        version = await tokens.version(self._connection)
        if self._keys.book is not None and self._keys.book.version == version:
            return
        # one that is made in between is seen at the next look, since the version is the older
        self._keys.book = Book.of(await tokens.every(self._connection), version)

    def _complain(self, why: str) -> None:
        if why == self._trouble:
            return
        self._trouble = why
        known = "no token is known" if self._keys.book is None else "those that were known open doors as before"
        log.error("which tokens there are cannot be asked: %s; %s", why, known)

    async def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None
