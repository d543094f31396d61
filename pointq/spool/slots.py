"""Several processes on one machine, one root: each writes to a folder of its own, the first whose lock it can take.

`<root>/0`, `<root>/1`, … are never deleted, nor are their locks, so that a lock that was taken is the one that others see.
A process that starts takes the first free slot, with what its last owner left there; the kernel frees the lock however the
owner ended. What other dead processes left is read by whoever drains: `Orphans` holds the lock of one such slot while it
reads it, and only then, or each process that crashes during an outage would find its slot taken and make a new one.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pointq.embedded.locks import Lock
from pointq.errors import SpoolError
from pointq.spool.directory import Directory, Room, Taken
from pointq.spool.files import Files, make_folders, told
from pointq.spool.segment import listed

log = logging.getLogger("pointq.spool")

LOCK = "lock"
MAX_SLOTS = 256
"""More processes than this on one machine are a mistake, not a set-up."""

OpenDirectory = Callable[[Path, Lock], Directory]


def claim(root: Path, files: Files, open_directory: OpenDirectory) -> Directory:
    """Take the first free slot and recover what is in it. Raises OSError, or SpoolError where no slot is free."""
    make_folders(files, root)
    for number in range(MAX_SLOTS):
        folder = root / str(number)
        make_folders(files, folder)
        lock = Lock(folder / LOCK)
        if lock.exclusive():
            return _opened(folder, lock, open_directory)
        lock.close()
    raise SpoolError(
        f"all {MAX_SLOTS} slots of the spool in {root} are in use", hint="give some of the processes another data folder"
    )


def slots(root: Path) -> list[Path]:
    """The folders of all slots, in order."""
    with suppress(FileNotFoundError):
        return sorted((path for path in root.iterdir() if path.name.isdecimal() and path.is_dir()), key=_number)
    return []


@dataclass(slots=True)
class Orphans:
    """Reads what dead processes left in their slots, one slot at a time."""

    root: Path
    own: Path
    open_directory: OpenDirectory
    _held: Directory | None = None

    def take(self, room: Room) -> Taken | None:
        """Records of any slot whose owner is dead, None if there are none. Raises SpoolError if only such were left as fail."""
        failed: SpoolError | None = None
        for folder in self._candidates():
            try:
                with told("be read", folder):
                    taken = self._take_from(folder, room)
            except SpoolError as exc:
                # the next one may be on a better part of the disk, or belong to the right user
                self.close()
                failed = failed or exc
            else:
                if taken is not None:
                    return taken
        if failed is not None:
            raise failed
        return None

    def close(self) -> None:
        """Give the slot back that is being read."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _candidates(self) -> Iterator[Path]:
        if self._held is not None:
            yield self._held.folder
        yield from (folder for folder in slots(self.root) if folder != self.own)

    def _take_from(self, folder: Path, room: Room) -> Taken | None:
        if self._held is None:
            self._held = self._adopt(folder)
        if self._held is None:
            return None
        taken = self._held.take(room)
        if taken is None:
            self.close()
        return taken

    def _adopt(self, folder: Path) -> Directory | None:
        if not listed(folder):
            return None
        lock = Lock(folder / LOCK)
        if not lock.exclusive():
            lock.close()
            return None
        log.info("the spool in %s was left by a process that ended; it is drained from here", folder)
        return _opened(folder, lock, self.open_directory)


def _opened(folder: Path, lock: Lock, open_directory: OpenDirectory) -> Directory:
    try:
        return open_directory(folder, lock)
    except BaseException:
        lock.close()
        raise


def _number(folder: Path) -> int:
    return int(folder.name)
