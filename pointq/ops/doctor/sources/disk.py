"""The data folder, its file system, and the spool in it."""

import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pointq.config import Settings
from pointq.embedded.locks import Lock
from pointq.spool.slots import LOCK, slots
from pointq.spool.stats import Stats, inspect_slot, total


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or, where that is not made yet, the folder in which it would be."""

    data_dir: Path
    path: Path
    """The one that is there."""
    owner: int
    user: int
    """The user id of whoever asks."""
    mode: int
    writable: bool

    @property
    def made(self) -> bool:
        """Whether the data folder is there."""
        return self.path == self.data_dir


@dataclass(frozen=True, slots=True)
class FileSystem:
    """What the data folder lies on."""

    settings: Settings
    path: Path
    type: str | None
    """Its name in Linux, such as ``ext4``; None on other systems."""
    free_bytes: int
    """For this user."""
    spooled_bytes: int


@dataclass(frozen=True, slots=True)
class Slot:
    """What one server process has spooled."""

    path: Path
    stats: Stats
    held: bool
    """A process that is alive has it."""


@dataclass(frozen=True, slots=True)
class SpoolSlots:
    """The spool, slot by slot."""

    settings: Settings
    root: Path
    slots: tuple[Slot, ...]


def folder(settings: Settings) -> Folder:
    """Look at the folder. Raises OSError."""
    path = _nearest(settings.data_dir)
    found = path.stat()
    writable = os.access(path, os.W_OK | os.X_OK)
    return Folder(settings.data_dir, path, found.st_uid, os.geteuid(), stat.S_IMODE(found.st_mode), writable)


def file_system(settings: Settings) -> FileSystem:
    """Look at what is below the folder. Raises OSError or SpoolError."""
    path = _nearest(settings.data_dir)
    room = os.statvfs(path)
    spooled = total(inspect_slot(slot) for slot in slots(settings.data_dir / "spool")).bytes
    return FileSystem(settings, path, _type(path), room.f_bavail * room.f_frsize, spooled)


def spool(settings: Settings) -> SpoolSlots:
    """Look at every slot. Raises OSError or SpoolError."""
    root = settings.data_dir / "spool"
    return SpoolSlots(settings, root, tuple(Slot(path, inspect_slot(path), _held(path)) for path in slots(root)))


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _held(slot: Path) -> bool:
    """Whether its lock is taken. It is held for the moment of the look, together with others who look."""
    with suppress(FileNotFoundError), Lock(slot / LOCK, create=False) as lock:
        return not lock.shared()
    return False


def _type(path: Path) -> str | None:
    """The type of the file system: that of the deepest mount point above (https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html)."""
    if sys.platform != "linux":
        return None
    path, best = path.resolve(), ("", "")
    for line in Path("/proc/self/mountinfo").read_text("utf8").splitlines():
        words = line.split(" ")
        point = words[4].encode().decode("unicode_escape")  # spaces are octal there
        if path.is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, words[words.index("-") + 1])
    return best[1] or None
