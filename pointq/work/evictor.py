"""Ending the database sessions of workers that are silent.

A worker that is frozen in the middle of a transaction holds the locks on its flights, and whoever stores points of the same
flights waits for it, past every timeout. When it wakes up, it finds its transaction gone and goes on with a new session.
"""

import logging
from collections.abc import Collection

from pointq.errors import RedisError
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.store.sessions import Ending, Session
from pointq.store.writer import Writer

log = logging.getLogger("pointq.work")

_SILENT_SECONDS = 5.0
"""Five missed heartbeats: nobody's network or disk takes so long."""


_MISSED_BEATS = 3
"""However soon entries are reclaimed: a heart that is late by one beat or two is no dead one."""


def silence(reclaim_idle: float, heartbeat: float) -> float:
    """The age in seconds of the last heartbeat of a worker that counts as silent.

    Its entries are reclaimed later than that, unless `heartbeat`, the time between two, is long for `reclaim_idle`.
    """
    return max(min(reclaim_idle / 2, _SILENT_SECONDS), heartbeat * _MISSED_BEATS)


class Evictor:
    """Ends other workers' sessions, each once; never that of the worker `own`."""

    def __init__(self, heartbeats: Heartbeats, own: str, *, silent_seconds: float) -> None:
        self._heartbeats = heartbeats
        self._own = own
        self._silent_seconds = silent_seconds
        self._handled: set[Session] = set()
        self._warned = False

    async def evict(self, writer: Writer, owners: Collection[str] | None = None) -> None:
        """End the sessions of those workers, or of all, that are silent, over the writer's connection.

        Raises psycopg.Error and DatabaseError; what could not be done is done by the next call.
        """
        for beat, age in await self._silent(owners):
            if beat.session is not None and (session := Session(*beat.session)) not in self._handled:
                self._tell(await writer.end(session), beat.id, age)
                self._handled.add(session)

    async def _silent(self, owners: Collection[str] | None) -> list[tuple[Heartbeat, float]]:
        try:
            beats, now = await self._heartbeats.read(), await self._heartbeats.now()
        except RedisError as exc:
            log.debug("which workers are silent is not known: %s", exc)
            return []
        others = [(beat, now - beat.at) for beat in beats if beat.id != self._own and (owners is None or beat.id in owners)]
        return [(beat, age) for beat, age in others if age > self._silent_seconds]

    def _tell(self, ending: Ending, worker: str, age: float) -> None:
        if ending is Ending.ENDED:
            log.warning("the database session of worker %s, silent for %.0f s, was ended, and with it its locks", worker, age)
        elif ending is Ending.FORBIDDEN and not self._warned:
            self._warned = True
            log.warning(
                "the database session of worker %s, silent for %.0f s, may not be ended, so its locks block others until it "
                "goes on; let all workers log in as one role, or grant theirs pg_signal_backend and pg_read_all_stats",
                worker,
                age,
            )
