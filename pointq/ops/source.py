"""One file that an import is to read."""

from collections.abc import Callable
from dataclasses import dataclass

from pointq.errors import FormatError, NoTrack


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name as a user knows it, and how to read it."""

    name: str
    """With its folder, and the archive that it is in."""
    file_name: str
    """Its own name alone, which may hold a date."""
    read: Callable[[], bytes]
    """Raises PointqError where it cannot be read."""
    was_named: bool = True
    """Whether a user meant this very file; False where it lay in a folder or an archive, or fitted a pattern."""


def failing(name: str, reason: str) -> Source:
    """A source that can only say why it cannot be read."""

    def read() -> bytes:
        raise FormatError(reason)

    return Source(name, name, read)


def passed_over(name: str) -> Source:
    """Something in a folder or an archive that is not opened, since no track is named so."""

    def read() -> bytes:
        raise NoTrack("not opened: no format that pointq reads has such a name")

    return Source(name, name, read, was_named=False)


def shown(path: str) -> str:
    r"""A path as text that any encoding can hold: bytes that are no UTF-8 as ``\xff``."""
    return path.encode("utf8", "surrogateescape").decode("utf8", "backslashreplace")
