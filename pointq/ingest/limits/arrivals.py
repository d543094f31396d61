"""Bodies on their way: each may be as large as one request may be, and thousands of connections may send one."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from pointq.ingest.problems import Problem

_BYTES = 64 * 2**20
_LARGEST = 4
"""Of the largest bodies there is always room for so many."""
_UNPACKED = 2
"""Large bodies that are unpacked at a time: how large one becomes is known when it is there, and not before."""


class Arrivals:
    """Counts the bytes of all bodies of a route that are not taken yet: no route takes the room of another."""

    def __init__(self, largest: int) -> None:
        self._most = max(_BYTES, _LARGEST * largest)
        self._bytes = 0
        self.turn = asyncio.Semaphore(_UNPACKED)
        """To be held by whoever unpacks a large body, until somebody else counts what came out."""

    @contextmanager
    def one(self) -> Iterator[Callable[[int], None]]:
        """Count one body by what is yielded, until the end of the block. That raises Problem (429) where there is no room."""
        held = 0

        def came(count: int) -> None:
            nonlocal held
            held += count
            self._bytes += count
            if self._bytes > self._most:
                detail = "too many large bodies are on their way here: send it again later"
                raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=5)

        try:
            yield came
        finally:
            self._bytes -= held
