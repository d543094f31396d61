"""PostgreSQL of every version that this machine offers: the embedded one, and those of the system's packages."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pointq.embedded import wheels
from pointq.embedded.folder import first_barrier
from tests.faults.servers import ADMIN, DatabaseServer, unprivileged
from tests.support.needs import missing

EMBEDDED = "embedded"
NONE = "installed"
"""What stands for an installed server where none is found."""


def installed() -> dict[str, Path]:
    """Roots of installations by version: of the folders of programs in POINTQ_TEST_POSTGRES_BINS, or Debian's."""
    listed = os.environ.get("POINTQ_TEST_POSTGRES_BINS")
    bins = map(Path, listed.split(":")) if listed else Path("/usr/lib/postgresql").glob("*/bin")
    return {path.parent.name: path.parent for path in sorted(bins) if (path / "initdb").is_file()}


def versions() -> list[str]:
    """What tests run on: the embedded server and each installed one."""
    return [EMBEDDED, *(installed() or [NONE])]


@contextmanager
def running(version: str) -> Iterator[str]:
    """Start an installed server; the URL of its administrator."""
    root = installed().get(version)
    if root is None:
        missing("the embedded PostgreSQL is the only one: install another, or let POINTQ_TEST_POSTGRES_BINS name it")
    folder = Path(tempfile.mkdtemp(prefix="pq-postgres-"))
    folder.chmod(0o711)  # as root, the server runs as a user who must get through to the data
    user = unprivileged()
    try:
        if user.dedicated and first_barrier(root) is not None:
            root = _copy(root, folder)
        programs = replace(wheels.find(), postgres_root=root)
        with ExitStack() as stack:
            with _libraries_of(root):
                server = stack.enter_context(DatabaseServer(folder / "db", programs, user))
            yield server.url("postgres", ADMIN)
    finally:
        shutil.rmtree(folder)


def _copy(root: Path, folder: Path) -> Path:
    """Copy an installation out of a folder that lets nobody in but its owner; it finds its files wherever it lies."""
    usr = root.parents[2]
    for part in (root.relative_to(usr), Path("share/postgresql", root.name)):
        shutil.copytree(usr / part, folder / "usr" / part)
    for library in usr.glob("lib/*/*.so*"):
        target = folder / "usr" / library.relative_to(usr)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target)
    return folder / "usr" / root.relative_to(usr)


@contextmanager
def _libraries_of(root: Path) -> Iterator[None]:
    """Let a server that was unpacked and not installed find the libraries that were unpacked with it."""
    with pytest.MonkeyPatch.context() as patch:
        if not root.is_relative_to("/usr"):
            folders = {str(path.parent) for path in root.parents[2].glob("lib/*/*.so*")}
            patch.setenv("LD_LIBRARY_PATH", ":".join(sorted(folders)))
        yield
