"""All that opens doors: the book of tokens, and the keys of signed ones."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pointq.ingest.doors.grants import Grant
from pointq.ingest.doors.jwt import SignedTokens
from pointq.ingest.doors.refusals import not_known_yet, not_valid
from pointq.ops.tokens import PREFIX, digest

if TYPE_CHECKING:
    from pointq.ingest.doors.book import Book

K = TypeVar("K")

_REMEMBERED = 16_384
"""Tokens that were found to be good and are known again: to verify an EdDSA signature takes longer than all else of a post."""

RETRY_AFTER = 5
"""Seconds after which a client should try again while no token is known."""


class Keys:
    """Says what a token grants."""

    def __init__(self, signed: SignedTokens | None = None, clock: Callable[[], float] = time.time) -> None:
        self._book: Book | None = None
        self._signed = signed
        self._clock = clock
        self._verified: dict[bytes, Grant] = {}
        self._headers: dict[str, Grant] = {}

    @property
    def book(self) -> "Book | None":
        """The tokens that there are; None: it is not known yet."""
        return self._book

    @book.setter
    def book(self, book: "Book | None") -> None:
        self._book = book
        # one of them may be revoked
        self._headers.clear()

    def remembered(self, header: str | None) -> Grant | None:
        """What a header granted lately and grants still; None: look closely.

        By the text itself: its SHA-256 alone takes 1.5 of a one-point post's 65 µs, all of this 0.3. A dict compares texts only
        where their hashes agree in all of 64 bits, under a key that is this process's own, so nobody comes to know a token by
        how long that takes.
        """
        grant = self._headers.get(header)  # type: ignore[arg-type] # None is never in it
        return grant if grant is not None and grant.until > self._clock() else None

    def remember(self, header: str, grant: Grant) -> None:
        """Know that header again until the tokens change."""
        _put(self._headers, header, grant)

    def is_cheap(self, secret: str) -> bool:
        """Whether to say what it grants takes no signature to be verified."""
        return secret.startswith(PREFIX) or self._signed is None or digest(secret) in self._verified

    def grant(self, secret: str) -> Grant:
        """What a token grants now. Raises Problem: 401 where it is not good, 503 where nobody can tell."""
        grant = self._of_book(secret) if secret.startswith(PREFIX) else self._of_issuer(secret)
        if grant.until <= self._clock():
            raise not_valid("the token has expired")
        return grant

    def _of_book(self, secret: str) -> Grant:
        if self._book is None:
            raise not_known_yet(RETRY_AFTER)
        grant = self._book.find(secret)
        if grant is None:
            raise not_valid("the token is not known here, or was revoked")
        return grant

    def _of_issuer(self, secret: str) -> Grant:
        if self._signed is None:
            raise not_valid("this is no token of pointq's")
        known = digest(secret)
        grant = self._verified.get(known)
        if grant is None:
            grant = self._signed.verify(secret)
            _put(self._verified, known, grant)
        return grant


def _put(memory: dict[K, Grant], key: K, grant: Grant) -> None:
    """Remember, and forget all else before the memory grows without end."""
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = grant
