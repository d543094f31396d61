"""One run of ``pointq simulate``: the signals, the progress, and the comparison at the end."""

import asyncio
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pointq.cli.context import AppContext
from pointq.cli.simulate_screen import Progress
from pointq.errors import DatabaseError
from pointq.ops.reach import database
from pointq.ops.simulate.plan import Plan
from pointq.ops.simulate.report import Report, report_of
from pointq.ops.simulate.run import Simulation
from pointq.ops.simulate.verify import Verification, verify
from pointq.store.mapping import tables_of

if TYPE_CHECKING:
    from pointq.config import Settings


@dataclass
class Run:
    """What one simulation was asked to do."""

    app: AppContext
    settings: "Settings"
    plan: Plan
    _interrupted: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def all(self, database_url: str | None) -> Report:
        """Fly, and compare with that database, if one is given. Raises BackendError where either is not there at the start."""
        with Progress(self.app, self.plan) as progress:
            if database_url is not None:
                async with database(database_url, self.settings.patience_seconds):
                    pass  # it is there: found out now, not after four hours
            simulation = Simulation(self.plan, progress.flying)
            self._listen(simulation, progress)
            await simulation.run()
            interrupted = self._interrupted.is_set()
            if database_url is None:
                return report_of(simulation, interrupted=interrupted)
            self._interrupted.clear()
            return await self._compared(simulation, database_url, progress, interrupted=interrupted)

    async def _compared(self, simulation: Simulation, url: str, progress: Progress, *, interrupted: bool) -> Report:
        try:
            found = await self._verify(simulation, url, progress)
        except DatabaseError as exc:
            return report_of(simulation, interrupted=interrupted, error=exc.message)
        return report_of(simulation, interrupted=interrupted or self._interrupted.is_set(), verification=found)

    async def _verify(self, simulation: Simulation, url: str, progress: Progress) -> Verification:
        async def tick(left: int) -> bool:
            progress.comparing(left)
            return not self._interrupted.is_set()

        zone = ZoneInfo(self.settings.flight_day_timezone)
        return await verify(
            url,
            simulation.devices,
            zone,
            tick,
            patience=self.settings.patience_seconds,
            tables=tables_of(self.settings.tables),
        )

    def _listen(self, simulation: Simulation, progress: Progress) -> None:
        """The first Ctrl-C ends the flying, the next the comparing; in either case with the report. One more ends at once."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()

        def interrupt() -> None:
            if self._interrupted.is_set() and task is not None:
                task.cancel()
            self._interrupted.set()
            simulation.stop.set()
            progress.note("stopping; Ctrl-C again ends at once")

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
