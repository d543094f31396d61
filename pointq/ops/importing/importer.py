"""An import: from sources to reports, one file after the other."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from pointq.ops.importing.follow import Follower
from pointq.ops.importing.ledger import Ledger
from pointq.ops.importing.options import Options
from pointq.ops.importing.patience import Patience, Stopped
from pointq.ops.importing.pipeline import Arrived, Key, Pipeline
from pointq.ops.importing.readers import Reader
from pointq.ops.importing.rejects import RejectsFile
from pointq.ops.importing.report import FileReport
from pointq.ops.importing.ways import Way
from pointq.ops.source import Source

if TYPE_CHECKING:
    from pointq.points.flights import Flight

_STORED = ("stored", "nothing new")


class Importer:
    """Imports files and remembers what became of them."""

    def __init__(
        self,
        way: Way,
        options: Options,
        reader: Reader,
        *,
        ledger: Ledger | None = None,
        rejects: RejectsFile | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._way = way
        self._options = options
        self._reader = reader
        self._ledger = ledger or Ledger()
        self._rejects = rejects
        self._patience = patience or Patience()
        self._done: list[tuple[FileReport, Mapping[Flight, int], Key | None]] = []

    @property
    def reports(self) -> list[FileReport]:
        """What became of the files so far."""
        return [report for report, _, _ in self._done]

    async def run(self, sources: Iterable[Source]) -> AsyncGenerator[FileReport]:
        """Import each file and report on it; one that fails does not stop the rest, a server that fails does.

        Told to stop by its patience, it ends after the file that it is at. Raises BackendError, WaitTimeout.
        """
        pipeline = Pipeline(
            self._reader,
            self._ledger.known,
            self._options,
            self._way.shards,
            self._patience.stop,
            keeps_rejects=self._rejects is not None,
        )
        try:
            async with aclosing(pipeline.files(sources)) as files:
                async for arrived in files:
                    yield await self._take(arrived)
                    if self._patience.stop.is_set():
                        break
        except Stopped:
            # in the middle of a file that waited for room: it is not done
            pass
        finally:
            await self._ledger.flush()

    async def settle(self, follower: Follower) -> None:
        """Put into the reports what was new, once all is stored."""
        reports = await follower.settle([(report, flights) for report, flights, _ in self._done])
        for i, (report, (before, flights, key)) in enumerate(zip(reports, self._done, strict=True)):
            self._done[i] = (report, flights, key)
            if key and self._options.flight_id and before.outcome == "queued" and report.outcome in _STORED:
                await self._ledger.add(key, report, flights)
        await self._ledger.flush()

    async def _take(self, arrived: Arrived) -> FileReport:
        file, key = arrived.file, arrived.content.key if arrived.content else None
        report = await self._way.take(file) if file.pieces else file.report
        if self._rejects is not None:
            await self._rejects.write(arrived, report)
        self._done.append((report, file.flights, key))
        if key and (report.outcome in _STORED or (report.outcome == "queued" and not self._options.flight_id)):
            await self._ledger.add(key, report, file.flights)
        return report
