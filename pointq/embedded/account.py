"""As whom the servers run, and who may use the database.

A normal user's servers run as that user. PostgreSQL refuses to run as root, so root's servers run as a user and group
number that no account has: nothing on the machine belongs to it but what is given to it here, and nobody can log in
as it. Its choice is remembered by the owner of Valkey's folder.
"""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointq.embedded.layout import Layout
from pointq.errors import EmbeddedError

DEDICATED_IDS = range(60706, 61184)
"""Numbers that nobody hands out: systemd lists them as unused, just below those of its `DynamicUser` services, and they
are below 65536, the most that a container with user namespaces usually has."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group of the servers, and the name of the only operating-system user who may connect."""

    uid: int
    gid: int
    client: str
    dedicated: bool

    def popen(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make the child this account; none where we already are it."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.dedicated else {}

    def give(self, path: Path) -> None:
        """Make a file or a whole tree this account's; one whose top already is costs one look."""
        if self.dedicated and not self._owns(path):
            for folder, _, files in os.walk(path, topdown=False):
                for name in files:
                    self._chown(Path(folder, name))
                self._chown(Path(folder))  # the top comes last, so that an interrupted walk is done again
            self._chown(path)

    def _owns(self, path: Path) -> bool:
        found = path.lstat()
        return (found.st_uid, found.st_gid) == (self.uid, self.gid)

    def _chown(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(layout: Layout) -> Account:
    """Choose the account for the servers of this data folder, when started by the present user.

    Raises:
        EmbeddedError: the user has no name, or no free number is left.
    """
    client = _own_name()
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), client, dedicated=False)
    number = _dedicated_id(layout)
    return Account(number, number, client, dedicated=True)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedError(
            f"the embedded PostgreSQL needs an account with a name, and the user id {os.geteuid()} has none",
            hint="run pointq as a user that the system knows, or set REDIS_URL and DATABASE_URL",
        ) from None


def _dedicated_id(layout: Layout) -> int:
    candidates: list[int] = [*_remembered(layout), *DEDICATED_IDS]
    for number in candidates:
        if not _is_taken(number):
            return number
    raise EmbeddedError(
        f"every user id from {DEDICATED_IDS.start} to {DEDICATED_IDS.stop - 1} has an account; the servers need one without",
        hint="run pointq as a normal user, or set REDIS_URL and DATABASE_URL",
    )


def _remembered(layout: Layout) -> list[int]:
    owner = layout.valkey.stat().st_uid if layout.valkey.exists() else 0
    return [owner] if owner in DEDICATED_IDS else []


def _is_taken(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        pass
    else:
        return True
    try:
        grp.getgrgid(number)
    except KeyError:
        return False
    return True
