"""Servers that a test may kill, freeze, fill and restart: Valkey, Redis and PostgreSQL, each in a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

from pointq.embedded import wheels
from pointq.embedded.account import Account
from pointq.embedded.layout import Layout
from tests.support.needs import missing
from tests.support.programs import embedded_programs, folder_of_a_server
from tests.support.until import PATIENCE_SECONDS, until

USER = "pointq"
"""The role that owns the tables; it is no superuser, so its rights can be revoked."""
ADMIN = "admin"


def freeze(pid: int) -> None:
    """Stop a process where it stands."""
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Engine:
    """Which server is the queue, and when it syncs."""

    program: str
    fsync: str

    def __str__(self) -> str:
        return f"{self.program}-{self.fsync}"

    def find(self) -> Path:
        """Return where the program is."""
        if self.program == "valkey":
            return wheels.find().valkey
        found = os.environ.get("POINTQ_TEST_REDIS") or shutil.which("redis-server")
        if found is None:
            missing("there is no redis-server: install one, or let POINTQ_TEST_REDIS name what `.ci/redis` fetches and prints")
        return Path(found)


VALKEY = Engine("valkey", "always")
EVERYSEC = Engine("valkey", "everysec")
REDIS = Engine("redis", "always")
ENGINES = (VALKEY, EVERYSEC, REDIS)


class QueueServer:
    """A Valkey or Redis with an append-only file, on a Unix socket in its folder."""

    def __init__(self, engine: Engine, folder: Path, data: Path) -> None:
        self.socket = folder / "q"
        self.data = data
        self._folder = folder
        self._program = engine.find()
        self._fsync = engine.fsync
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """The way past the door."""
        return f"unix://{self.socket}"

    @property
    def alive(self) -> bool:
        """Whether the process runs, frozen or not."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process
        return self.process.pid

    def client(self) -> "redis.Redis":
        """Return a client past the door, to be closed by its user."""
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=PATIENCE_SECONDS)

    def start(self) -> None:
        """Start it; it answers, its data loaded, when this returns."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "save": "",
            "maxmemory-policy": "noeviction",
            "auto-aof-rewrite-percentage": "0",  # no fork comes in between
            "logfile": str(self._folder / "queue.log"),
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            (str(self._program), *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            restore_signals=False,  # as Python does, it takes a file that may not grow for an error, not for its end
        )
        until(self._answers, "the queue's server answers")

    def kill(self) -> None:
        """Kill it at once."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(PATIENCE_SECONDS)

    def wipe(self) -> None:
        """Kill it, and lose its disk."""
        self.kill()
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def configure(self, name: str, value: Any) -> None:
        """Change a setting while it runs."""
        with closing(self.client()) as client:
            client.config_set(name, value)

    def demote(self) -> None:
        """Make it the replica of a server that is not there: it keeps its data and refuses writes."""
        with closing(self.client()) as client:
            client.replicaof("127.0.0.1", 1)

    def promote(self) -> None:
        """Make it a primary again."""
        with closing(self.client()) as client:
            client.replicaof("NO", "ONE")

    def _answers(self) -> bool:
        assert self.alive, (self._folder / "queue.log").read_text()
        with closing(self.client()) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False


def unprivileged() -> Account:
    """The user of the database's server: PostgreSQL does not run as root, and makes no cluster for one without a name."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return Account(user.pw_uid, user.pw_gid, user.pw_name, dedicated=os.geteuid() == 0)


class DatabaseServer:
    """A PostgreSQL cluster on a Unix socket in its folder. Nothing is synced: processes die here, not machines."""

    def __init__(self, folder: Path, programs: wheels.Programs, account: Account) -> None:
        self.folder = folder
        self._programs = programs
        self._account = account
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(mode=0o700)
        self._account.give(self.folder)
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1", "-U", ADMIN)
        command = (self._programs.initdb, "-D", self._data, *options)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._account.popen())
        self.start()
        with psycopg.connect(self.url("postgres", ADMIN), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {USER} LOGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self.shut_down_at_once()

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / ".s.PGSQL.5432"

    def url(self, database: str, user: str = USER) -> str:
        """The way past the door."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it; it takes connections when this returns."""
        if self._running():
            return
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
            "timezone": "UTC",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder.parent / "database.log").open("ab") as log:
            self._process = subprocess.Popen(
                (str(self._programs.postgres), "-D", str(self._data), *words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **self._account.popen(),
            )
        until(self._answers, "the database's server answers")

    def shut_down_at_once(self) -> None:
        """Shut it down in its mode "immediate": nothing is finished or written, the next start replays the log."""
        if self._process is not None and self._running():
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(PATIENCE_SECONDS)

    def freeze(self) -> None:
        """Stop all its processes where they stand."""
        assert self._process
        freeze(self._process.pid)  # it starts no other any more
        self._frozen = [self._process.pid, *_children(self._process.pid)]
        for pid in self._frozen[1:]:
            with suppress(ProcessLookupError):
                freeze(pid)

    def thaw(self) -> None:
        """Let them go on."""
        frozen, self._frozen = self._frozen, []
        for pid in reversed(frozen):
            with suppress(ProcessLookupError):
                thaw(pid)

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        assert self._running(), (self.folder.parent / "database.log").read_text()[-2000:]
        with suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres", ADMIN)):
            return True
        return False


def _children(parent: int) -> Sequence[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """Start one with the embedded programs; stop it and remove its data."""
    user = unprivileged()
    with folder_of_a_server("pq-database-") as folder:
        programs = wheels.reachable(embedded_programs(), Layout(folder), user)
        with DatabaseServer(folder / "db", programs, user) as server:
            yield server
