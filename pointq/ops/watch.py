"""Looking at an installation again and again, over connections that stay, whatever breaks meanwhile."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from pointq.errors import BackendError, DatabaseError, RedisError
from pointq.ops.asking import Database, ask_redis, ask_servers, ask_spool
from pointq.ops.collect import NOTHING_RUNS, Addresses
from pointq.ops.history import History
from pointq.ops.notices import IntakeStatus
from pointq.ops.question import Question
from pointq.ops.status import DatabaseStatus, QueueFacts, QueueStatus, SpoolStatus, Status, compose, queue_status
from pointq.ops.trend import Sample
from pointq.queue.connection import connect
from pointq.queue.lanes import Lane

_SPARE_CONNECTIONS = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """What is known of an installation at one moment, and what was known before that."""

    status: Status
    """The truth now: null where somebody does not answer, and with the trend of each lane."""
    last: Status
    """The same, with what was last known in place of what is not known now."""
    redis_silent_seconds: float | None = None
    """Since Redis last answered; None where it just did, or never has."""
    database_silent_seconds: float | None = None
    looks: Mapping[str, Sequence[Sample | None]] = field(default_factory=dict)
    """By kind, oldest first; None where Redis did not answer. Empty where nobody watches."""
    shards: Mapping[str, Sequence[QueueStatus]] = field(default_factory=dict)
    """By kind, each shard alone, as last known."""


@dataclass(frozen=True, slots=True)
class _Answers:
    queue: QueueFacts | Exception
    database: DatabaseStatus | Exception
    spool: SpoolStatus | Exception = field(default_factory=SpoolStatus)
    servers: tuple[IntakeStatus, ...] = ()


class Watch:
    """Looks; `addresses` says where the servers are, None where embedded ones are meant and none runs."""

    def __init__(
        self,
        addresses: Callable[[], Addresses | None],
        lanes: Sequence[Lane],
        *,
        prefix: str = "pointq",
        spool: Path | None = None,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience
        self._addresses = addresses
        self._lanes = lanes
        self._prefix = prefix
        self._spool = spool
        self._clock = clock
        self._sources: _Sources | None = None
        self._queue: _Known[QueueFacts] = _Known(QueueFacts)
        self._database: _Known[DatabaseStatus] = _Known(DatabaseStatus)
        self._histories = {lane.kind.name: History() for lane in lanes}

    async def look(self) -> View:
        """Ask everyone, each at most `patience` seconds."""
        answers = await self._ask()
        now, wall = self._clock(), datetime.now(UTC)
        compose_at = partial(compose, lanes=self._lanes, now=wall, spool=answers.spool, servers=answers.servers)
        status = self._remember(now, compose_at(answers.queue, answers.database))
        facts = self._queue.after(answers.queue, now)
        last = compose_at(facts, self._database.after(answers.database, now))
        return View(
            status,
            replace(last, state=status.state, reasons=status.reasons, queues=_with_trends(last, status)),
            self._queue.silent(now),
            self._database.silent(now),
            {kind: history.looks for kind, history in self._histories.items()},
            {} if isinstance(facts, Exception) else _shards(facts),
        )

    async def close(self) -> None:
        """Drop the connections."""
        if self._sources is not None:
            await self._sources.close()
            self._sources = None

    async def _ask(self) -> _Answers:
        try:
            addresses = self._addresses()
        except BackendError as exc:
            return _Answers(exc, exc)
        if self._sources is not None and self._sources.addresses != addresses:
            await self.close()
        if addresses is None:
            return _Answers(RedisError(NOTHING_RUNS), DatabaseError(NOTHING_RUNS))
        if self._sources is None:
            self._sources = _Sources(addresses, self._lanes, self._prefix, self._spool)
        return await self._sources.ask(self._patience)

    def _remember(self, now: float, status: Status) -> Status:
        """Put the look down in the histories; the document with the trends."""
        queues = tuple(replace(queue, trend=self._histories[queue.kind].add(now, queue)) for queue in status.queues)
        return replace(status, queues=queues)


class _Sources:
    """Everyone who is asked, at one pair of addresses."""

    def __init__(self, addresses: Addresses, lanes: Sequence[Lane], prefix: str, spool: Path | None) -> None:
        redis_url, database_url = addresses
        self.addresses = addresses
        self._redis = connect(redis_url, max_connections=len(lanes) + _SPARE_CONNECTIONS)
        self._database = Database(database_url)
        self._about_queue = Question(partial(ask_redis, self._redis, redis_url, lanes, prefix))
        self._about_database = Question(self._database.ask)
        self._about_spool = Question(partial(ask_spool, spool))
        self._about_servers = Question(partial(ask_servers, spool))

    async def ask(self, patience: float) -> _Answers:
        queue, database, spool, servers = await asyncio.gather(
            self._about_queue.answer(patience),
            self._about_database.answer(patience),
            self._about_spool.answer(patience),
            self._about_servers.answer(patience),
        )
        return _Answers(queue, database, spool, () if isinstance(servers, Exception) else servers)

    async def close(self) -> None:
        self._database.close()
        questions = (self._about_queue, self._about_database, self._about_spool, self._about_servers)
        await asyncio.gather(*(question.close() for question in questions))
        await self._redis.aclose()


class _Known(Generic[T]):
    """What somebody last said, and when."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._value: T | None = None
        self._at = 0.0
        self._is_fresh = False

    def after(self, answer: T | Exception, now: float) -> T | Exception:
        """What is known after that answer: itself, or what was known before where it is an error."""
        self._is_fresh = isinstance(answer, self._kind)
        if isinstance(answer, self._kind):
            self._value, self._at = answer, now
        return answer if self._value is None else self._value

    def silent(self, now: float) -> float | None:
        """Seconds since the last answer, where there was one and the newest question had none."""
        return None if self._is_fresh or self._value is None else now - self._at


def _with_trends(last: Status, status: Status) -> tuple[QueueStatus, ...]:
    return tuple(replace(old, trend=new.trend) for old, new in zip(last.queues, status.queues, strict=True))


def _shards(facts: QueueFacts) -> dict[str, list[QueueStatus]]:
    shards: dict[str, list[QueueStatus]] = {}
    for lane in sorted(facts.measures, key=lambda lane: (lane.priority, lane.shard)):
        shards.setdefault(lane.kind.name, []).append(queue_status(lane.kind, [facts.measures[lane]]))
    return shards
