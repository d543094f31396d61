"""What was spooled goes back into the queue, by itself, as soon as Redis works again."""

import logging
from collections.abc import Sequence

from pointq.aio import Backoff, Rounds
from pointq.errors import FrameError, SpoolError
from pointq.ingest.intake import Intake, Parcel, parcels_of
from pointq.points import frame
from pointq.points.kinds import KINDS, Kind
from pointq.queue.lanes import Lane
from pointq.spool.record import Record
from pointq.spool.spool import Spool
from pointq.work.outage import Outage

log = logging.getLogger("pointq.ingest")

_LOOK_SECONDS = 1.0
"""Between two looks at a spool that was empty, or a queue that was closed; a dead process may have left a spool behind."""


class Refill:
    """Drains the spool at a bounded rate. `start` and `stop` may be called twice."""

    def __init__(
        self,
        spool: Spool,
        intake: Intake,
        lanes: Sequence[Lane],
        *,
        points_per_second: float,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._spool = spool
        self._intake = intake
        self._lanes: dict[Kind, list[Lane]] = {kind: [lane for lane in lanes if lane.kind is kind] for kind in KINDS.values()}
        self._rate = points_per_second
        self._look_seconds = look_seconds
        self._disk = Outage(log, "the spool", Backoff(_LOOK_SECONDS, 30.0))
        self._rounds = Rounds("refill", self._once)

    def start(self) -> None:
        """Begin to drain."""
        self._rounds.start()

    async def stop(self) -> None:
        """End after what is on its way; the rest stays in the spool."""
        await self._rounds.stop()

    async def _once(self) -> float:
        try:
            points = await self._move()
        except SpoolError as exc:
            self._disk.begin(exc)
            return self._disk.backoff.step()
        self._disk.end()
        return points / self._rate if points else self._look_seconds

    async def _move(self) -> int:
        """Put the oldest records back; how many points, 0 where there are none or the queue is closed."""
        taken = await self._spool.take()
        if taken is None:
            await self._intake.probe()
            return 0
        parcels = [parcel for record in taken.records for parcel in self._parcels(record)]
        if parcels and not await self._intake.requeue(parcels):
            return 0
        await self._spool.commit(taken)
        log.info("%d spooled points are back in the queue", taken.points)
        return max(taken.points, 1)

    def _parcels(self, record: Record) -> Sequence[Parcel]:
        """The record's points for the lanes as they are now."""
        try:
            batch = frame.decode(record.frame)
        except FrameError as exc:
            # the spool's checksums held, so it was written like this: a worker puts it among the dead letters
            log.warning("a spooled frame of %d %s points cannot be read: %s", record.points, record.kind, exc)
            return [Parcel(self._lanes[KINDS[record.kind]][0], record.frame, record.points, None)]
        return parcels_of(batch, self._lanes[batch.kind])
