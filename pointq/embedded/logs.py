"""The servers' log files: bounded, and quoted in errors."""

import os
import re
import shutil
from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024
"""A log that has grown to this is moved to `<name>.1`, so one server's logs take at most about twice as much."""

TAIL_BYTES = 16 * 1024
TAIL_LINES = 4

_TELLING = re.compile(r"\b(fatal|panic|error|failed|can't|cannot|could not|bad|no space)\b", re.IGNORECASE)

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d [\d:.]+ \w+ \[\d+\]|\d+:\w \d\d \w{3} \d{4} [\d:.]+ [.#*-]) ")
"""What PostgreSQL (`2026-01-31 23:59:59.123 UTC [42] `) and Valkey (`42:M 31 Jan 2026 23:59:59.123 # `) begin a line with."""


def open_to_append(path: Path) -> int:
    """Open a file for a server's output, which only the starting user can read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def size(path: Path) -> int:
    """How long the file is; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def bound(path: Path) -> None:
    """Copy an overgrown log away and empty it: the server goes on appending to the descriptor that it has."""
    if size(path) > MAX_BYTES:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


def tail(path: Path, since: int = 0) -> str:
    """Quote what the log says, after its first `since` bytes, about what went wrong."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(since, size(path) - TAIL_BYTES))
        return telling(file.read().decode(errors="replace"))


def telling(text: str) -> str:
    """Join the first line that tells of an error, mostly the cause of the others, and what follows; else the last lines."""
    lines = [_STAMP.sub("", line).strip() for line in text.splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if _TELLING.search(line)), max(0, len(lines) - TAIL_LINES))
    return "; ".join(lines[first : first + TAIL_LINES])
