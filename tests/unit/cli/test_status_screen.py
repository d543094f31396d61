"""The screen for every size of terminal."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pointq.cli.status_screen import Room, screen
from pointq.cli.status_watch import line
from pointq.clock import rfc3339
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, QueueStatus, RedisStatus, SpoolStatus, Status, Totals, WorkerStatus
from pointq.ops.trend import Sample
from pointq.ops.watch import View

KINDS = (("live", 1), ("upload", 2), ("scoring", 2), ("flymaster", 3))
TIME = "2026-06-21T12:00:00.250Z"
NOON = 1_782_043_200.25

LANE = QueueStatus("live", 1, 5, 9_999_999, 5, 9_999_999, 19_999_998, 7300.0, 1, 48, 123_456.0, 123_456.0, 162.0, "lagging")
IDLE = QueueStatus("live", 1, 0, 0, 0, 0, 0, None, 0, 0, 0.0, 0.0, 0.0, "ok")
WORKER = WorkerStatus("w", "worker-host-1", 123_456, (1, 2, 3), tuple(dict(KINDS)), 123_456.0, 1_234_567_890, 0.4, "running")


def queues(lane: QueueStatus) -> tuple[QueueStatus, ...]:
    return tuple(replace(lane, kind=kind, priority=priority) for kind, priority in KINDS)


def document(lane: QueueStatus = IDLE, workers: Sequence[WorkerStatus] = (WORKER,), *reasons: str) -> Status:
    return Status(
        time=TIME,
        state="degraded" if reasons else "ok",
        reasons=reasons,
        redis=RedisStatus(True, "valkey", "9.1.2", 1_500_000, 100_000_000, "noeviction", "aof always"),
        database=DatabaseStatus(True, "18.4", "2.23.0"),
        queues=queues(lane),
        workers=tuple(workers),
        spool=SpoolStatus(),
        totals=Totals(99_999_999, 99_999_999, 99_999_999, 99_999_999, 99_999_999, 0),
        last_processed=None,
    )


def seen(status: Status, looks: int = 300) -> View:
    samples = [Sample(float(at), at * 1000, 1.0, at * 10.0, at * 5.0) for at in range(looks)]
    return View(status, status, looks=dict.fromkeys((kind for kind, _ in KINDS), samples))


def text(view: View, width: int, height: int | None = None, footer: str = "") -> str:
    return "\n".join(each.plain for each in screen(view, Room(width, height), footer))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (300, 100), (60, 15), (40, 10), (20, 5), (1, 1)])
@pytest.mark.parametrize("lane", [IDLE, LANE])
@pytest.mark.parametrize("workers", [0, 1, 3, 200])
@pytest.mark.parametrize("reasons", [0, 1, 12])
def test_it_is_never_larger_than_the_terminal(size: tuple[int, int], lane: QueueStatus, workers: int, reasons: int) -> None:
    view = seen(document(lane, [WORKER] * workers, *["one of the many things that may be wrong, said at length"] * reasons))
    lines = screen(view, Room(*size), "every 1 s · q quits")

    assert len(lines) <= size[1]
    assert max(each.cell_len for each in lines) <= size[0]


def test_at_80_by_24_nothing_that_counts_is_cut() -> None:
    wrong = "48 live points are dead letters: pointq inspect live --dead"
    shown = text(seen(document(LANE, [WORKER] * 2, wrong)), 80, 24, "q quits")

    assert "…" not in shown
    assert shown.splitlines()[0].endswith("q quits")
    for expected in (
        "valkey 9.1.2  · 1.4 MiB of 95.4 MiB (2%)  · aof always",
        "PostgreSQL 18.4  · TimescaleDB 2.23.0",
        "10.0 M",
        "LAGGING",
        "2.0 h",
        "worker-host-1 123456  running",
        "█",
        "! 48 live points are dead letters: pointq inspect live --dead",
    ):
        assert expected in shown


def test_a_larger_terminal_shows_more() -> None:
    view = seen(document(LANE, [WORKER] * 30))
    small, large = text(view, 80, 24), text(view, 200, 60)

    assert small.count("worker-host-1") < 6 < large.count("worker-host-1") == 30
    assert "and 2" in small
    assert "9 999 999" in large
    assert large.count("█") > 4 * small.count("█")


def test_where_room_is_short_curves_go_before_what_is_wrong() -> None:
    shown = text(seen(document(LANE, [WORKER] * 3, *[f"trouble {i}" for i in range(5)])), 80, 24)

    assert [f"! trouble {i}" in shown for i in range(5)] == [True] * 5
    assert "█" not in shown


def test_idle_lanes_leave_their_curves_to_others_first() -> None:
    view = seen(document(IDLE, [WORKER] * 3, "one", "two"))
    still = [Sample(float(at), 0, None, 0.0, 0.0) for at in range(300)]
    shown = text(replace(view, looks={**view.looks, "scoring": still, "flymaster": still}), 80, 24)

    assert [row.split()[0] for row in shown.splitlines() if "█" in row] == ["live", "upload"]


def test_what_is_not_known_now_is_shown_with_its_age() -> None:
    last = document(LANE)
    unknown = replace(last, state="down", redis=RedisStatus(False), database=DatabaseStatus(False), workers=None)
    shown = text(replace(seen(last), status=unknown, redis_silent_seconds=12.0, database_silent_seconds=200.0), 80, 24)

    assert "no answer for 12 s  · valkey 9.1.2" in shown
    assert "no answer for 3 min  · PostgreSQL 18.4" in shown
    assert "12 s ago" in shown
    assert "LAGGING" not in shown
    assert "not known" in shown


def test_one_look_has_no_trend_and_no_curve() -> None:
    shown = text(replace(seen(document(replace(LANE, trend=None))), looks={}), 80)

    assert "trend" not in shown
    assert "█" not in shown


def test_shards_are_shown_where_there_is_room() -> None:
    view = replace(seen(document()), shards={kind: [IDLE, IDLE] for kind, _ in KINDS})

    assert text(view, 200, 60).count("shard 1") == 4
    assert "shard" not in text(view, 80, 60)
    assert "shard" not in text(view, 200, 30)
    assert "shard" not in text(replace(view, shards={kind: [IDLE] for kind, _ in KINDS}), 200, 60)


def test_ways_of_several_servers() -> None:
    def server(pid: int, via: str, minutes: int) -> IntakeStatus:
        return IntakeStatus(via=via, since=rfc3339(NOON - 60 * minutes), is_open=True, pid=pid)

    def shown(*servers: IntakeStatus) -> str:
        return text(seen(replace(document(), servers=servers)), 80).splitlines()[3]

    assert shown(server(1, "queue", 5)) == "intake    1 server: points by the queue for 5 min"
    assert shown(server(1, "queue", 5), server(2, "queue", 3)) == "intake    2 servers: points by the queue for 3 min"
    assert shown(server(1, "queue", 5), server(2, "spool", 3)).endswith("1 by the queue for 5 min, 1 by the spool for 3 min")


def test_the_line_for_a_log_says_what_moves_and_what_is_wrong() -> None:
    status = document(IDLE, (WORKER, replace(WORKER, state="lost")), "something is wrong")
    busy = replace(status, queues=(replace(LANE, kind="live"), *status.queues[1:]))

    assert line(busy) == (
        "2026-06-21T12:00:00Z degraded | live 19 999 998 waiting for 2.0 h, in 123 456/s, out 123 456/s, lagging"
        " | upload idle | scoring idle | flymaster idle | 1 worker | something is wrong"
    )
    unknown = replace(status, queues=(QueueStatus("live", 1),), workers=None, reasons=())
    assert line(unknown).endswith("| live not known | workers not known")
