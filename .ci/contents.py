"""Check what is in the wheel and the sdist: exactly what is in the repository, and the sdist makes the same wheel.

python .ci/contents.py WHEEL SDIST WHEEL_MADE_FROM_THE_SDIST, in the root of the repository.
"""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

_INFO = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
_MADE = {"PKG-INFO", ".gitignore", "pyproject.toml"}
"""What hatchling puts into every sdist."""


def tracked(*patterns: str) -> set[str]:
    """The files of the repository."""
    listed = subprocess.run(("git", "ls-files", "-z", "--", *patterns), check=True, capture_output=True, text=True)
    return {name for name in listed.stdout.split("\0") if name and Path(name).exists()}


def contents(wheel: Path) -> dict[str, int]:
    """Its files with the checksums of their contents. RECORD repeats those in an order of its own."""
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist() if not entry.filename.endswith("/RECORD")}


def same(what: str, expected: set[str], found: set[str]) -> None:
    """Exit where they differ."""
    if missing := sorted(expected - found):
        sys.exit(f"{what} lacks {', '.join(missing)}")
    if surplus := sorted(found - expected):
        sys.exit(f"{what} has what does not belong there: {', '.join(surplus)}")


def check_wheel(wheel: Path) -> None:
    """The package, typed, with its SQL, Lua and CSS, its licence and its command; no tests, no documents."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        entry = archive.read(f"{info}/entry_points.txt").decode()
    package = tracked("pointq")
    for suffix in (".py", ".sql", ".lua", ".css", "py.typed"):
        if not any(name.endswith(suffix) for name in package):
            sys.exit(f"the repository has no file that ends with {suffix} any more; correct .ci/contents.py")
    same("the wheel", package | {f"{info}/{name}" for name in _INFO}, names)
    if "pointq = pointq.cli.main:main" not in entry:
        sys.exit(f"the wheel installs no command pointq: {entry}")


def check_sdist(sdist: Path) -> None:
    """All that the package, its tests and its deployment need, and nothing that the repository has not."""
    patterns = tomllib.loads(Path("pyproject.toml").read_text("utf8"))["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if not member.isdir()}
    same("the sdist", tracked(*(pattern.lstrip("/") for pattern in patterns)) | _MADE, names)


def main(wheel: Path, sdist: Path, again: Path) -> None:
    """Check all three."""
    check_wheel(wheel)
    check_sdist(sdist)
    first, second = contents(wheel), contents(again)
    same("the wheel that was made from the sdist", set(first), set(second))
    if changed := sorted(name for name in first if first[name] != second[name]):
        sys.exit(f"the wheel that was made from the sdist differs in {', '.join(changed)}")
    sys.stdout.write(f"{wheel.name} and {sdist.name} hold what they must; either makes the same {len(first)} files\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
