"""PostgreSQL of every version that this machine offers: the embedded one, and those of the system's packages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pointq.embedded import wheels
from pointq.embedded.folder import first_barrier
from tests.faults.servers import ADMIN, DatabaseServer, unprivileged
from tests.support.needs import missing
from tests.support.programs import folder_of_a_server

EMBEDDED = "embedded"
NONE = "installed"
"""What stands for an installed server where none is found."""


def installed() -> dict[str, Path]:
    """Roots of installations by version: the wheel's older one, those of POINTQ_TEST_POSTGRES_BINS, or Debian's."""
    listed = os.environ.get("POINTQ_TEST_POSTGRES_BINS")
    bins = map(Path, listed.split(":")) if listed else Path("/usr/lib/postgresql").glob("*/bin")
    found = {path.parent.name: path.parent for path in sorted(bins) if (path / "initdb").is_file()}
    older = wheels.find().postgres_root.with_name("pginstall")
    return found if "16" in found or not older.is_dir() else {"16": older, **found}


def versions() -> list[str]:
    """What tests run on: the embedded server and each installed one."""
    return [EMBEDDED, *(installed() or [NONE])]


@contextmanager
def running(version: str) -> Iterator[str]:
    """Start an installed server; the URL of its administrator."""
    root = installed().get(version)
    if root is None:
        missing("the embedded PostgreSQL is the only one: install another, or let POINTQ_TEST_POSTGRES_BINS name it")
    user = unprivileged()
    with folder_of_a_server("pq-postgres-") as folder:
        if user.dedicated and first_barrier(root) is not None:
            root = _copy_folder(root, folder) if _is_one_folder(root) else _copy(root, folder)
        programs = replace(wheels.find(), postgres_root=root)
        with ExitStack() as stack:
            with _libraries_of(root):
                server = stack.enter_context(DatabaseServer(folder / "db", programs, user))
            with psycopg.connect(server.url("postgres", ADMIN)) as connection:
                assert str(connection.info.server_version // 10_000) == version
            yield server.url("postgres", ADMIN)


def _is_one_folder(root: Path) -> bool:
    """Whether all of it lies below the root, as in wheels and packages of Node; Debian's is spread over /usr."""
    return (root / "share").is_dir()


def _copy_folder(root: Path, folder: Path) -> Path:
    """Copy such an installation, and the libraries that a wheel has beside its package."""
    target = folder / "copy" / "postgres" / "install"
    shutil.copytree(root.resolve(), target)
    libraries = wheels.find().libraries
    if libraries.exists() and root.is_relative_to(libraries.parent):
        shutil.copytree(libraries, folder / "copy" / libraries.name)
    return target


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
        if not root.is_relative_to("/usr") and not _is_one_folder(root):
            folders = {str(path.parent) for path in root.parents[2].glob("lib/*/*.so*")}
            patch.setenv("LD_LIBRARY_PATH", ":".join(sorted(folders)))
        yield
