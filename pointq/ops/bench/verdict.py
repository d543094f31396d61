"""What became of the points that were sent: each answer is held against the tables and the dead letters."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from pointq.ops.bench.clients import START, Client
from pointq.ops.bench.scratch import Scratch
from pointq.points import frame
from pointq.points.kinds import LIVE, UPLOAD
from pointq.queue.connection import translated

_START_SECONDS = int(START.timestamp())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Points, counted; all but the first three, the poison and the duplicates must be 0."""

    accepted_points: int
    """Answered 202."""
    stored_points: int
    """Rows in the tables."""
    dead_points: int
    """In the dead letters."""
    poison_points: int
    """Accepted points that the database refuses: the only ones that may be dead letters."""
    lost_points: int
    """Accepted, and neither in a table nor in the dead letters."""
    repeated_points: int
    """In a table more than once."""
    strange_points: int
    """In a table and never sent."""
    wrongly_dead_points: int
    """Dead letters that are no poison."""
    miscounted_flights: int
    """Whose `points` are not the number of their rows."""

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        faults = (self.repeated_points, self.strange_points, self.wrongly_dead_points, self.miscounted_flights)
        return not self.lost_points and not any(faults)


async def judge(scratch: Scratch, clients: Sequence[Client]) -> Verdict:
    """Compare; nothing may be on its way any more."""
    rows, dead = await _rows(scratch), await _dead(scratch)
    counted = await _counted(scratch)
    found: Counter[str] = Counter()
    for client in clients:
        found.update(judged(client, rows.get(client.flight.uuid, _NONE), dead.get(client.flight.uuid, _NONE)))
    found["strange_points"] += sum(len(rows[flight]) for flight in rows.keys() - {client.flight.uuid for client in clients})
    wrong = sum(counted.get(flight, 0) != len(rows.get(flight, _NONE)) for flight in counted.keys() | rows.keys())
    return Verdict(**found, miscounted_flights=wrong)


_NONE = np.empty(0, np.int64)


def judged(client: Client, rows: NDArray[np.int64], dead: NDArray[np.int64]) -> Mapping[str, int]:
    """One flight's points by number."""
    accepted, poison = _accepted(client), _poison(client)
    end = client.sent[-1].first + client.sent[-1].count if client.sent else 0
    distinct = np.unique(rows)
    return {
        "accepted_points": len(accepted),
        "stored_points": len(rows),
        "dead_points": len(dead),
        "poison_points": len(np.intersect1d(poison, accepted)),
        "lost_points": len(np.setdiff1d(accepted, np.union1d(distinct, dead))),
        "repeated_points": len(rows) - len(distinct),
        "strange_points": int(np.count_nonzero((distinct < 0) | (distinct >= end))),
        "wrongly_dead_points": len(np.setdiff1d(dead, poison)),
    }


def _accepted(client: Client) -> NDArray[np.int64]:
    ranges = [np.arange(sent.first, sent.first + sent.count) for sent in client.sent if sent.accepted]
    return np.concatenate(ranges) if ranges else _NONE


def _poison(client: Client) -> NDArray[np.int64]:
    return np.array([sent.poison for sent in client.sent if sent.poison is not None], np.int64)


async def _rows(scratch: Scratch) -> dict[UUID, NDArray[np.int64]]:
    """The numbers of the points in the tables, by flight."""
    found: dict[UUID, NDArray[np.int64]] = {}
    for kind in (LIVE, UPLOAD):
        query = sql.SQL(
            "SELECT flight_uuid, array_agg(extract(epoch FROM time)::bigint - {}) FROM {} GROUP BY flight_uuid"
        ).format(sql.Literal(_START_SECONDS), sql.Identifier(kind.table))
        cursor = await scratch.connection.execute(query)
        found |= {flight: np.array(numbers, np.int64) for flight, numbers in await cursor.fetchall()}
    return found


async def _dead(scratch: Scratch) -> dict[UUID, NDArray[np.int64]]:
    """The numbers of the points in the dead letters, by flight."""
    found: dict[UUID, list[int]] = {}
    for kind in (LIVE, UPLOAD):
        with translated(scratch.redis_url):
            letters: Any = await scratch.redis.xrange(scratch.lane(kind).dead)
        for flight, number in _points_of(fields[b"f"] for _, fields in letters):
            found.setdefault(flight, []).append(number)
    return {flight: np.unique(np.array(numbers, np.int64)) for flight, numbers in found.items()}


def _points_of(frames: Iterable[bytes]) -> Iterable[tuple[UUID, int]]:
    for each in frames:
        batch = frame.decode(each)
        for flight, time in zip(batch.flight.tolist(), batch.columns["time"].tolist(), strict=True):
            yield batch.flights[flight].uuid, time // 1_000_000 - _START_SECONDS


async def _counted(scratch: Scratch) -> dict[UUID, int]:
    cursor = await scratch.connection.execute("SELECT flight_uuid, points FROM flights WHERE points > 0")
    return dict(await cursor.fetchall())
