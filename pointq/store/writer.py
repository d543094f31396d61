"""The writer: a batch into its table and into `flights`, in one transaction."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import AsyncConnection, AsyncCursor, adapt, errors, pq

from pointq.metrics.counted import STORE, STORE_BATCH
from pointq.points.batch import PointBatch
from pointq.points.kinds import Column, ColumnType, Kind
from pointq.store import statements
from pointq.store.connection import abort, connect
from pointq.store.encoding import array, bigint_array, copy_blocks, flight_texts, text_array, uuid_array
from pointq.store.mapping import PLAIN, Table, Tables
from pointq.store.prepared import FlightSummary, Prepared, summarize
from pointq.store.sessions import Ending, Session, end, session_of
from pointq.store.target import Target, target_of

SMALL_POINTS = 500
"""Below this a batch is one INSERT in one round trip: COPY pays from there on."""

WARY_SECONDS = 10.0
"""Without flights, how long after duplicates no COPY is tried: one that runs into a point stored already was for nothing."""

_Done = tuple[int, Literal["copy", "insert"]]
"""Points that are new in the table, and how most of them came there."""

_NEVER = np.iinfo(np.int64).min
"""The last fix of a flight that has none."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: points that are new in the table, and points that were there already or repeated."""

    stored: int
    duplicates: int


class Writer:
    """One connection that stores batches, opened when it is first needed and again after it broke."""

    def __init__(
        self,
        url: str,
        tables: Tables = PLAIN,
        *,
        connect_timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._tables = tables
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._targets: dict[Kind, Target] = {}
        self._wary_until: dict[Kind, float] = {}
        self._connection: AsyncConnection | None = None
        self._session: Session | None = None
        self._tell: Callable[[], Awaitable[None]] | None = None

    @property
    def session(self) -> Session | None:
        """The session of its connection, where there is one and the server tells."""
        return self._session

    def introduce(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Call `tell` for each new session, and use that for nothing before it returns."""
        self._tell = tell

    async def write(self, prepared: Prepared) -> Stored:
        """Store the points that are not stored yet and bring their flights up to date; committed when it returns.

        Raises psycopg.Error with nothing stored, to be judged by `faults.fault`, or, where no connection comes about,
        DatabaseError, or, where the table would not keep points, TableError. When the connection breaks meanwhile the outcome
        may be unknown; writing again is harmless.
        """
        connection = await self._connected()
        began, kind = time.perf_counter(), prepared.batch.kind.name
        try:
            target = self._targets.get(prepared.batch.kind) or await self._look(connection, prepared.batch.kind)
            if target.flights is None:
                stored, method = await self._store_alone(connection, prepared, target)
            else:
                stored, method = await _store(connection, prepared, target, target.flights)
        finally:
            # a transaction that was cut short could not be ended: with the connection it is
            if connection.info.transaction_status is not pq.TransactionStatus.IDLE:
                await self.close()
        STORE.add(time.perf_counter() - began, kind, method)
        STORE_BATCH.add(len(prepared.batch), kind)
        return Stored(stored, len(prepared.batch) + prepared.repeated - stored)

    async def end(self, session: Session) -> Ending:
        """End someone else's session. Raises psycopg.Error or, where no connection comes about, DatabaseError."""
        return await end(await self._connected(), session)

    def abort(self) -> bool:
        """Break the connection: a write that waits for a server that says nothing fails at once. Whether there is one."""
        if self._connection is None or self._connection.closed:
            return False
        abort(self._connection)
        return True

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._session = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _look(self, connection: AsyncConnection, kind: Kind) -> Target:
        target = self._targets[kind] = await target_of(connection, self._tables, kind)
        return target

    async def _store_alone(self, connection: AsyncConnection, prepared: Prepared, target: Target) -> _Done:
        """Store where no flights are kept, which would tell what is new: COPY, and where that finds a duplicate, INSERT."""
        kind, count = prepared.batch.kind, len(prepared.batch)
        if target.by_copy and count >= SMALL_POINTS and self._clock() >= self._wary_until.get(kind, 0.0):
            try:
                async with connection.cursor() as cursor:
                    await _copy_all(cursor, prepared, target)
            except errors.UniqueViolation:
                # the statement was its own transaction: nothing of it is left
                pass
            else:
                return count, "copy"
        async with connection.cursor() as cursor:
            await _insert(cursor, prepared, None, target)
            stored = cursor.rowcount
        if stored < count:
            self._wary_until[kind] = self._clock() + WARY_SECONDS
        return stored, "insert"

    async def _connected(self) -> AsyncConnection:
        if self._connection is None or self._connection.broken or self._connection.closed:
            await self.close()
            # its tables may be others than before
            self._targets.clear()
            self._connection = await connect(self._url, within=self._connect_timeout)
            self._connection.adapters.register_dumper(_Binary, _BinaryDumper)
            await self._introduce(self._connection)
        return self._connection

    async def _introduce(self, connection: AsyncConnection) -> None:
        try:
            self._session = await session_of(connection)
            if self._tell is not None and self._session is not None:
                await self._tell()
        except BaseException:
            # cancelled: nobody may use it with a statement half done, or untold
            await self.close()
            raise


async def _store(connection: AsyncConnection, prepared: Prepared, target: Target, flights: Table) -> _Done:
    if len(prepared.batch) < SMALL_POINTS or not target.by_copy:
        return await _insert_all(connection, prepared, target, flights)
    try:
        return await _split(connection, prepared, target, flights)
    except psycopg.Error as exc:
        with suppress(psycopg.Error):
            await connection.rollback()
        if not isinstance(exc, errors.UniqueViolation):
            raise
    # the flights' rows do not know of points that are in the table: someone emptied `flights`
    return await _insert_all(connection, prepared, target, flights)


async def _insert_all(connection: AsyncConnection, prepared: Prepared, target: Target, flights: Table) -> _Done:
    async with connection.cursor() as cursor:
        # nothing here needs the answer to what went before: one round trip, and one transaction without BEGIN and COMMIT, since
        # that is what the statements of a pipeline are (https://www.postgresql.org/docs/current/protocol-flow.html)
        async with connection.pipeline():
            await _lock_flights(cursor, prepared, flights)
            await _insert(cursor, prepared, None, target)
        return await _count(cursor), "insert"


async def _split(connection: AsyncConnection, prepared: Prepared, target: Target, flights: Table) -> _Done:
    """COPY the points later than all that their flights have: those can be no duplicates. INSERT the rest."""
    async with connection.cursor() as cursor:
        # the server waits through every round trip: what may go together does. COPY may not (libpq)
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await _lock_flights(cursor, prepared, flights)
        fresh = _fresh(prepared.batch, {uuid.bytes: last async for uuid, last in cursor})
        copied = int(np.count_nonzero(fresh))
        added = await _copy(cursor, prepared, fresh, target) if copied else None
        async with connection.pipeline():
            if added is not None:
                await cursor.execute(statements.count_copied(flights), added, prepare=True)
            if copied < len(fresh):
                await _insert(cursor, prepared, ~fresh if copied else None, target)
            await connection.execute("COMMIT")
        stored = copied if copied == len(fresh) else copied + await _count(cursor)
        return stored, "copy" if copied else "insert"


def _fresh(batch: PointBatch, last_fix: Mapping[bytes, int | None]) -> NDArray[np.bool_]:
    """Which points are later than the last fix of their flight."""
    known = (last_fix[flight.uuid.bytes] for flight in batch.flights)
    last = np.array([_NEVER if us is None else us for us in known])
    fresh: NDArray[np.bool_] = batch.time > last[batch.flight]
    return fresh


async def _lock_flights(cursor: AsyncCursor[Any], prepared: Prepared, table: Table) -> None:
    flights = prepared.batch.flights
    await cursor.execute(
        statements.lock_flights(table),
        {
            "kind": prepared.batch.kind.name,
            "uuids": [flight.uuid for flight in flights],
            "ids": [flight.flight_id for flight in flights],
            "devices": [flight.device_id for flight in flights],
        },
        prepare=True,
    )


async def _copy(cursor: AsyncCursor[Any], prepared: Prepared, rows: NDArray[np.bool_], target: Target) -> dict[str, object]:
    """COPY those points; what they add to their flights, as the parameters of `statements.count_copied`."""
    batch = prepared.batch if rows.all() else prepared.batch.take(rows)
    columns = target.columns(prepared.columns)
    async with cursor.copy(statements.copy_points(target.table, columns)) as copy:
        for block in copy_blocks(batch, columns, target.table.flight_fields, target.constants):
            await copy.write(block)
        # now: the server is busy with what was sent
        return _added(prepared, summarize(batch))


async def _copy_all(cursor: AsyncCursor[Any], prepared: Prepared, target: Target) -> None:
    columns = target.columns(prepared.columns)
    async with cursor.copy(statements.copy_points(target.table, columns)) as copy:
        for block in copy_blocks(prepared.batch, columns, target.table.flight_fields, target.constants):
            await copy.write(block)


def _added(prepared: Prepared, added: FlightSummary) -> dict[str, object]:
    parameters: dict[str, object] = {
        "kind": prepared.batch.kind.name,
        "uuids": _Binary(uuid_array(prepared.uuids[added.flight])),
        "points": _Binary(bigint_array(added.points)),
    }
    for name in ("first", "last"):
        parameters[name] = _Binary(array(_TIME, getattr(added, name)))
    for name in ("last_lat", "last_lon", "last_elevation", "min_lat", "min_lon", "max_lat", "max_lon"):
        parameters[name] = _Binary(array(_FLOAT, getattr(added, name)))
    return parameters


async def _insert(cursor: AsyncCursor[Any], prepared: Prepared, rows: NDArray[np.bool_] | None, target: Target) -> None:
    batch = prepared.batch if rows is None else prepared.batch.take(rows)
    columns = target.columns(prepared.columns)
    parameters: dict[str, object] = {"kind": batch.kind.name}
    for field in target.table.flight_fields:
        if field == "flight_uuid":
            parameters[field] = _Binary(uuid_array(prepared.uuids[batch.flight]))
        else:
            parameters[field] = _Binary(text_array(flight_texts(batch, field)[batch.flight]))
    for column in columns:
        parameters[column.name] = _Binary(array(column, batch.columns[column.name]))
    statement = statements.insert_points(target.table, columns, target.flights)
    await cursor.execute(statement, parameters, prepare=True)


async def _count(cursor: AsyncCursor[Any]) -> int:
    row = await cursor.fetchone()
    if row is None:
        raise psycopg.InternalError("the INSERT returned no count")
    return int(row[0])


_TIME = Column("", ColumnType.TIME, "", "", "")
_FLOAT = Column("", ColumnType.FLOAT, "", "", "")


class _Binary:
    """A parameter that is in PostgreSQL's binary format already; the statement casts it to its type."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _BinaryDumper(adapt.Dumper):
    format = pq.Format.BINARY
    oid = 0

    def dump(self, obj: Any) -> bytes:  # noqa: ANN401 - the signature of psycopg's protocol
        data: bytes = obj.data
        return data
