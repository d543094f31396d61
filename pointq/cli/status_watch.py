"""``pointq status --watch``: a screen on a terminal, elsewhere a line for each look."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from pointq.aio import first_of
from pointq.cli.fullscreen import Fullscreen
from pointq.cli.numbers import age, count, counted, rate
from pointq.cli.status_screen import Room, screen
from pointq.errors import ExitCode
from pointq.ops.status import QueueStatus, Status
from pointq.ops.watch import View, Watch

if TYPE_CHECKING:
    from rich.console import Console


async def watch_screen(watch: Watch, console: "Console", interval: float) -> ExitCode:
    """Show it until somebody ends it: the exit code."""
    footer = f"every {interval:g} s · q quits"
    view: View | None = None

    def picture(size: os.terminal_size) -> Sequence[Text]:
        return screen(view, Room(size.columns, size.lines), footer) if view else [Text("pointq  asking …")]

    async def refresh() -> None:
        nonlocal view
        while True:
            begun = time.monotonic()
            view = await watch.look()
            full.draw()
            await asyncio.sleep(max(begun + interval - time.monotonic(), 0.0))

    try:
        with Fullscreen(console, picture) as full:
            full.draw()
            refreshing = asyncio.ensure_future(refresh())
            await first_of(refreshing, full.ended())
            if not refreshing.cancelled():
                # it never ends but by an error
                refreshing.result()
            return await full.ended()
    finally:
        await watch.close()


async def watch_lines(watch: Watch, show: Callable[[View], object], interval: float) -> None:
    """Show every look until the process is ended."""
    try:
        while True:
            begun = time.monotonic()
            show(await watch.look())
            await asyncio.sleep(max(begun + interval - time.monotonic(), 0.0))
    finally:
        await watch.close()


def line(status: Status) -> str:
    """A look as one line for a log: the state, every lane where something is, the workers, and what is wrong."""
    lanes = [f"{queue.kind} {_lane(queue)}" for queue in status.queues]
    time = datetime.fromisoformat(status.time).isoformat(timespec="seconds").replace("+00:00", "Z")
    return " | ".join([f"{time} {status.state}", *lanes, _workers(status), *status.reasons])


def _lane(queue: QueueStatus) -> str:
    if queue.total_pending is None:
        return "not known"
    parts = []
    if queue.total_pending:
        parts.append(f"{count(queue.total_pending)} waiting for {age(queue.oldest_age_seconds)}")
    if queue.in_points_per_second or queue.out_points_per_second:
        parts.append(f"in {rate(queue.in_points_per_second)}/s, out {rate(queue.out_points_per_second)}/s")
    if queue.trend not in {None, "ok"}:
        parts.append(str(queue.trend))
    return ", ".join(parts) or "idle"


def _workers(status: Status) -> str:
    if status.workers is None:
        return "workers not known"
    alive = sum(worker.state != "lost" for worker in status.workers)
    return counted(alive, "worker")
