"""One run of ``pointq replay``: the connections, the progress, the report."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointq import clock
from pointq.cli.context import AppContext, print_json
from pointq.cli.reached import reached
from pointq.cli.replay_screen import Progress, print_report, print_stopped
from pointq.errors import ExitCode
from pointq.ops.replay import shelved
from pointq.ops.replay.following import Entries, died_again, settled
from pointq.ops.replay.gate import Gate
from pointq.ops.replay.report import Report, SourceName
from pointq.queue.durability import Acknowledgement
from pointq.queue.producer import Producer, open_producer
from pointq.queue.shelves import Shelves

if TYPE_CHECKING:
    from pointq.config import Settings
    from pointq.ops.replay.frames import Found
    from pointq.queue.lanes import Lane

CarryOut = Callable[[Gate, Report, Entries, Progress], Awaitable[None]]

_LISTED = 100
"""Refusals that the document lists; `refused_count` counts all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to go back: dead letters unless files, a spool or a time are named."""

    files: tuple[Path, ...] = ()
    spool: Path | None = None
    since: int | None = None
    """Unix milliseconds, as `until`."""
    until: int | None = None
    reason: str | None = None
    ids: tuple[str, ...] = ()

    @property
    def source(self) -> SourceName:
        """Its name in the report."""
        if self.files:
            return "files"
        if self.spool is not None:
            return "spool"
        return "dead" if self.since is None else "retained"

    def frames(self) -> "Iterable[Found]":
        """All that the files or the spool hold, read from the start."""
        from pointq.ops.replay import exported, spooled

        return exported.batches(self.files) if self.spool is None else spooled.records(self.spool)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how long without any progress of the workers."""

    points_per_second: float | None
    most_waiting: int
    patience: float


@dataclass
class Run:
    """What one replay was asked to do."""

    app: AppContext
    settings: "Settings"
    lanes: "Sequence[Lane]"
    asked: Asked
    pace: Pace
    waits: bool
    dry_run: bool
    as_json: bool

    async def all(self) -> int:
        """Do it, and print what was done."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            if self.asked.source in {"files", "spool"}:
                report = await self._frames(stack)
            else:
                report = await self._shelved(stack)
        self._print(report, time.monotonic() - began)
        return self._exit_code(report)

    async def _frames(self, stack: AsyncExitStack) -> Report:
        """From files: without Redis where nothing is to be changed."""
        from pointq.ops.replay import frames

        planned = Report(self.asked.source)
        if self.dry_run:
            frames.survey(self.asked.frames, self.lanes, planned)
            return planned
        redis, url = await reached(stack, self.settings)
        frames.survey(self.asked.frames, self.lanes, planned)
        producer = await open_producer(redis, url, self.settings.durability, self.settings.min_replicas)

        async def carry_out(gate: Gate, report: Report, entries: Entries, progress: Progress) -> None:
            await frames.enqueue(
                self.asked.frames, self.lanes, producer, gate, report, entries, lambda: progress.done(report.points)
            )

        return await self._followed(Shelves(redis, url), producer, planned, carry_out)

    async def _shelved(self, stack: AsyncExitStack) -> Report:
        """From Redis."""
        redis, url = await reached(stack, self.settings)
        shelves, planned = Shelves(redis, url), Report(self.asked.source)
        choices = await self._choices(shelves, planned)
        await shelved.survey(shelves, choices, planned, self.asked.ids)
        if self.dry_run:
            return planned
        # nothing new comes into Redis: what is moved is as durable as it was
        producer = Producer(redis, url, Acknowledgement())

        async def carry_out(gate: Gate, report: Report, entries: Entries, progress: Progress) -> None:
            report.refusals += planned.refusals
            await shelved.put_back(shelves, choices, gate, report, entries, lambda: progress.done(report.points))

        return await self._followed(shelves, producer, planned, carry_out)

    async def _choices(self, shelves: Shelves, report: Report) -> list[shelved.Choice]:
        asked = self.asked
        if asked.since is None:
            return await shelved.chosen_letters(shelves, self.lanes, reason=asked.reason, ids=tuple(dict.fromkeys(asked.ids)))
        # what is put back and stored again is kept anew: it must not be in the range
        now = await shelves.now()
        until = now if asked.until is None else min(asked.until, now)
        return await shelved.chosen_range(shelves, self.lanes, asked.since, until, report)

    async def _followed(self, shelves: Shelves, producer: Producer, planned: Report, carry_out: CarryOut) -> Report:
        pace, report, entries = self.pace, Report(self.asked.source), Entries(self.waits)
        gate = Gate(
            shelves.waiting,
            points_per_second=pace.points_per_second,
            most_waiting=pace.most_waiting,
            patience=pace.patience,
        )
        behind = {lane: await shelves.last(lane, "dead") for lane in self.lanes} if self.waits else {}
        with Progress(self.app, planned.points) as progress:
            try:
                await carry_out(gate, report, entries, progress)
            except BaseException:
                print_stopped(self.app, report)
                raise
            if self.waits:
                await settled(producer, entries, pace.patience, progress.left)
                report.came_back = await died_again(shelves, entries, behind)
        return report

    def _print(self, report: Report, seconds: float) -> None:
        if not self.as_json:
            print_report(self.app, report, dry_run=self.dry_run)
            return
        print_json(
            {
                "time": clock.now(),
                "source": report.source,
                "dry_run": self.dry_run,
                "batches": report.batches,
                "points": report.points,
                "lanes": list(report.shares.values()),
                "gone_batches": report.gone_batches,
                "refused_count": len(report.refusals),
                "refused": report.refusals[:_LISTED],
                "came_back": report.came_back,
                "seconds": round(seconds, 3),
            }
        )

    def _exit_code(self, report: Report) -> ExitCode:
        if report.refusals and not report.batches:
            return ExitCode.FAILED
        return ExitCode.REJECTS if report.refusals or report.gone_batches or report.came_back else ExitCode.OK
