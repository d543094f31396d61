"""Servers that stop in the middle of what they do, as on a host whose disk or hypervisor hangs."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import redis


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Stop processes, and let them go on."""
    _send(signal.SIGSTOP, pids)
    try:
        yield
    finally:
        _send(signal.SIGCONT, pids)


def _send(number: signal.Signals, pids: tuple[int, ...]) -> None:
    for pid in pids:
        # a session of the database may have ended meanwhile
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def redis_pids(url: str) -> list[int]:
    """The process of that server."""
    with closing(redis.Redis.from_url(url)) as client:
        return [int(client.info("server")["process_id"])]


def database_pids(url: str) -> list[int]:
    """The processes of that server: the first, and all that it has started."""
    with psycopg.connect(url) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    first = int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]
