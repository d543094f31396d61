"""The addresses of running servers, and the file through which commands learn them."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pointq.embedded.layout import Layout

VALKEY_SOCKET = "valkey.sock"
POSTGRES_SOCKET = ".s.PGSQL.5432"
DATABASE = "pointq"


@dataclass(frozen=True, slots=True)
class Backends:
    """Where the embedded servers listen. Neither URL holds a secret: only their own user can open the sockets."""

    redis_url: str
    database_url: str


@dataclass(frozen=True, slots=True)
class State:
    """Servers that run: the process id of their keeper and the folder of their sockets."""

    keeper: int
    socket_dir: Path

    @property
    def backends(self) -> Backends:
        """The URLs; the port is there because a `PGPORT` in a client's environment would change the socket's name."""
        folder = quote(str(self.socket_dir))
        return Backends(
            redis_url=f"unix://{folder}/{VALKEY_SOCKET}",
            database_url=f"postgresql://postgres@/{DATABASE}?host={folder}&port=5432",
        )


def read(layout: Layout) -> State | None:
    """Read the file, `None` where there is none. It may be stale: only a held keeper lock says that it is not."""
    try:
        found = json.loads(layout.state.read_bytes())
        return State(int(found["keeper"]), Path(found["socket_dir"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(layout: Layout, state: State) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    fresh = layout.state.with_suffix(".new")
    fresh.write_text(json.dumps({"keeper": state.keeper, "socket_dir": str(state.socket_dir)}))
    fresh.replace(layout.state)


def remove(layout: Layout) -> None:
    """Order a running keeper to stop; it looks for the file at every tick, so the order outlives whoever gave it."""
    with suppress(FileNotFoundError):
        layout.state.unlink()
