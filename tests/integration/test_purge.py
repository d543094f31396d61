"""`pointq purge`: what it shows is what it removes, whatever goes on meanwhile, and nothing is removed that is not kept."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pointq.errors import RedisError
from pointq.ops.batches import Batch
from pointq.ops.exports import Export, read
from pointq.ops.purging import Chosen, Criteria, Purge, Removed
from pointq.points import frame
from pointq.points.kinds import LIVE
from pointq.queue.audit import Audit
from pointq.queue.browse import STATES
from pointq.queue.consumer import Outcome
from pointq.queue.durability import Acknowledgement
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from tests.queue.books import books
from tests.queue.servers import restartable
from tests.support.clients import patient
from tests.support.dialogue import ask
from tests.support.frames import framed
from tests.support.queues import Queue
from tests.support.schemas import check_against
from tests.support.sites import Site, run_pointq
from tests.support.until import until

if TYPE_CHECKING:
    from redis.asyncio import Redis

QUESTION = "Type upload to remove them: "
"""With its last space, which is written when the answer is read."""


async def fill(queue: Queue) -> None:
    """Two dead of different reasons, one held, two ready."""
    await queue.put(2, 1, flight="bad")
    await queue.bury()
    await queue.bury("23514", "violates check constraint no_poison")
    await queue.put(3, 4, 5)
    await queue.hold()


def exported(site: Site, name: str) -> list[Batch]:
    return list(read(site.home / name))


def figures(report: Any) -> list[tuple[str, int, int]]:
    return [(lane["state"], lane["batches"], lane["points"]) for lane in report["lanes"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [("pending", 1, 3), ("ready", 2, 9), ("dead", 2, 3)]),
        (("--ready",), [("ready", 2, 9)]),
        (("--pending",), [("pending", 1, 3)]),
        (("--dead",), [("dead", 2, 3)]),
        (("--dead", "--ready"), [("ready", 2, 9), ("dead", 2, 3)]),
        (("--reason", "22003"), [("dead", 1, 2)]),
        (("--reason", "CHECK constraint"), [("dead", 1, 1)]),
        (("--reason", "2"), []),
        (("--older-than", "1h"), []),
        (("--older-than", "0s"), [("pending", 1, 3), ("ready", 2, 9), ("dead", 2, 3)]),
    ],
)
async def test_the_preview_is_the_effect(
    site: Site, queue: Queue, options: tuple[str, ...], expected: list[tuple[str, int, int]]
) -> None:
    await fill(queue)
    before, counters = await books(queue.redis, queue.lane), await queue.redis.hgetall(queue.lane.counters)

    preview = site.report("purge", "upload", "--dry-run", *options)

    check_against("purge", preview)
    assert figures(preview) == expected
    assert (preview["dry_run"], preview["removed"]) == (True, None)
    assert await queue.redis.hgetall(queue.lane.counters) == counters
    assert not list(site.home.glob("*.jsonl"))

    done = site.report("purge", "upload", "--yes", "--export", "e.jsonl", *options)

    check_against("purge", done)
    assert figures(done) == expected
    after = await books(queue.redis, queue.lane)
    points = sum(each[2] for each in expected)
    assert after.purged_points == points
    assert (done["points"], (done["removed"] or {"points": 0})["points"]) == (points, points)
    gone = {state: points for state, _, points in expected}
    assert before.ready_points - after.ready_points == gone.get("ready", 0)
    assert before.pending_points - after.pending_points == gone.get("pending", 0)
    assert before.dead_points - after.dead_points == gone.get("dead", 0)
    kept = exported(site, "e.jsonl") if expected else []
    assert [(b.state, b.points) for b in kept] == [
        row for row in [("pending", 3), ("ready", 4), ("ready", 5), ("dead", 2), ("dead", 1)] if row in _rows(expected)
    ]
    assert all(len(frame.decode(batch.frame)) == batch.points for batch in kept)
    assert site.status()["totals"]["purged_points"] == points


def _rows(expected: Sequence[tuple[str, int, int]]) -> set[tuple[str, int]]:
    """The batches that make up those figures."""
    parts = {("ready", 9): {4, 5}, ("dead", 3): {2, 1}}
    return {(state, part) for state, _, points in expected for part in parts.get((state, points), {points})}


async def test_with_a_producer_and_a_worker_at_work(site: Site, queue: Queue) -> None:
    """Every accepted point is stored, or in the export, and counted once."""
    await queue.put(*[20] * 4_000)
    slow = replace(site, extra={"POINTQ_WORK__BATCH_POINTS": "20"})  # a transaction for each batch: the producer is quicker
    stop = asyncio.Event()
    sent = 0

    async def produce() -> None:
        nonlocal sent
        while not stop.is_set():
            await queue.put(*[20] * 10, start=1_000_000 + sent)
            sent += 200
            await asyncio.sleep(0.01)

    producer = asyncio.create_task(produce())
    with slow.work():
        await asyncio.to_thread(until, lambda: site.points("upload", "count(*) AS n", "")[0]["n"], "points are stored")
        reports = [
            await asyncio.to_thread(_purged, site, name, expect) for name, expect in (("a.jsonl", (0, 5)), ("b.jsonl", (0, 5)))
        ]
        stop.set()
        await producer
        await asyncio.to_thread(_settled, site)

    found = await books(queue.redis, queue.lane)
    assert found.accepted_points == 80_000 + sent
    assert found.stored_points + found.duplicate_points + found.purged_points == found.accepted_points
    kept: list[Batch] = []
    for report, name in zip(reports, ("a.jsonl", "b.jsonl"), strict=True):
        check_against("purge", report)
        removed = report["removed"]
        if removed is None:
            continue
        assert report["batches"] == removed["batches"] + removed["taken_batches"] + removed["gone_batches"]
        assert report["points"] == removed["points"] + removed["taken_points"] + removed["gone_points"]
        kept += exported(site, name)
    assert found.purged_points == sum(report["removed"]["points"] for report in reports if report["removed"])
    assert found.purged_points > 0
    stored = {row["lat"] for row in site.points("upload", "lat")}
    saved = {lat for batch in kept for lat in frame.decode(batch.frame).columns["lat"].tolist()}
    assert len(stored) == found.stored_points
    assert len(stored | saved) == found.accepted_points


def _purged(site: Site, name: str, codes: tuple[int, ...]) -> Any:
    done = run_pointq("purge", "upload", "--ready", "--yes", "--export", name, "--json", environ=site.environ, home=site.home)
    assert done.returncode in codes, done.stderr
    return json.loads(done.stdout)


def _settled(site: Site) -> None:
    until(lambda: not any(queue["total_pending"] for queue in site.status()["queues"]), "all is stored")


async def test_what_a_living_worker_holds_stays_unless_forced(site: Site, queue: Queue) -> None:
    await fill(queue)
    await queue.beat()

    report = site.report("purge", "upload", "--yes", expect=5)

    check_against("purge", report)
    assert report["held"] == [{"worker": "host-7-abc", "batches": 1, "points": 3}]
    assert report["removed"]["points"] == 12
    assert (await books(queue.redis, queue.lane)).pending_points == 3
    await queue.beat()
    said = site.run("purge", "upload", "--yes", expect=5).stderr
    assert "1 batch of 3 points stays: held by host-7-abc; --force removes that too" in said

    await queue.beat()
    forced = site.report("purge", "upload", "--yes", "--force")

    assert (forced["held"], forced["removed"]["points"]) == ([], 3)
    assert (await books(queue.redis, queue.lane)).purged_points == 15


async def test_all_kinds_and_nothing_of_others(site: Site, queue: Queue) -> None:
    live = Lane.of(LIVE, prefix=site.prefix)
    await queue.put(3)
    await queue.producer.enqueue([Append(live, framed(4, kind=LIVE), 4)])

    assert site.report("purge", "scoring", "--yes")["removed"] is None
    assert site.report("purge", "upload", "--yes")["removed"]["points"] == 3
    assert (await books(queue.redis, live)).ready_points == 4
    report = site.report("purge", "all", "--yes")
    assert [(lane["kind"], lane["points"]) for lane in report["lanes"]] == [("live", 4)]
    assert sorted(site.home.glob("pointq-purge-*Z.jsonl")) != []


async def test_without_an_export(site: Site, queue: Queue) -> None:
    await queue.put(3)

    report = site.report("purge", "upload", "--yes", "--no-export")

    assert (report["removed"]["points"], report["removed"]["export"]) == (3, None)
    assert list(site.home.glob("*.jsonl")) == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "nobody can be asked here"),
        (("--yes", "--export", "a", "--no-export"), 2, "exclude each other"),
        (("--yes", "--reason", "x", "--ready"), 2, "--reason is about dead letters"),
        (("--yes", "--older-than", "soon"), 2, "'soon' is no duration"),
        (("--yes", "--export", "none/a"), 1, "cannot be written: No such file or directory"),
        (("--yes", "--export", "there"), 1, "there is there already"),
    ],
)
async def test_what_is_refused_changes_nothing(
    site: Site, queue: Queue, options: tuple[str, ...], code: int, said: str
) -> None:
    (site.home / "there").write_text("mine")
    await queue.put(3)

    done = site.run("purge", "upload", *options, expect=code)

    assert said in done.stderr
    assert done.stdout == ""
    assert (site.home / "there").read_text() == "mine"
    assert (await books(queue.redis, queue.lane)).ready_points == 3


async def test_a_terminal_is_asked_for_the_name(site: Site, queue: Queue) -> None:
    await fill(queue)

    code, shown = ask(site, "purge", "upload", "--dead", question=QUESTION, answer="uplaod\n")
    assert code == 1
    assert "nothing was removed" in shown
    code, _ = ask(site, "purge", "upload", "--dead", question=QUESTION, answer="\x03")
    assert code == 130
    assert (await books(queue.redis, queue.lane)).dead_points == 3
    assert list(site.home.glob("*.jsonl")) == []

    code, shown = ask(site, "purge", "upload", "--dead", question=QUESTION, answer="upload\n")

    assert code == 0
    assert "2 batches of 3 points are to be removed" in shown
    assert "removed 2 batches of 3 points" in shown
    (path,) = site.home.glob("pointq-purge-upload-*.jsonl")
    assert [batch.points for batch in read(path)] == [2, 1]
    assert (await books(queue.redis, queue.lane)).purged_points == 3


async def test_it_is_on_record(site: Site, queue: Queue) -> None:
    await fill(queue)

    site.run("purge", "upload", "--yes", "--dead", "--reason", "22003", "--export", "e.jsonl")
    done = site.run("purge", "upload", "--yes", "--older-than", "0", "--no-export")

    assert '"logger":"pointq.ops"' in done.stderr
    assert "purged 4 batches of 13 points: done" in done.stderr
    report = site.report("inspect", "--audit")
    check_against("inspect", report)
    last, first = report["audit"]
    assert (first["batches"], first["points"], first["filters"], first["states"]) == (1, 2, "reason 22003", ["dead"])
    assert (first["export"], first["outcome"], first["kind"]) == (str(site.home / "e.jsonl"), "done", "upload")
    assert "@" in first["by"]
    assert (last["points"], last["export"], last["filters"]) == (13, None, "older than 0 s")
    assert "e.jsonl" in site.run("inspect", "--audit").stdout
    assert len(site.report("inspect", "--audit", "-n", "1")["audit"]) == 1


def purge_of(queue: Queue, site: Site, made: Callable[..., Purge] = Purge, **criteria: Any) -> Purge:
    return made(queue.redis, site.redis_url, site.prefix, Criteria("upload", [queue.lane], STATES, **criteria))


class Crash(BaseException):
    """The process ends here."""


class CrashesBeforeRemoving(Purge):
    """Ends behind the export."""

    async def _remove(self, chosen: Sequence[Chosen], removed: Removed) -> None:
        assert len(chosen) == 2
        assert removed.batches == 0
        raise Crash


async def test_a_crash_between_the_export_and_the_removal_loses_nothing(site: Site, queue: Queue) -> None:
    await fill(queue)
    crashing = purge_of(queue, site, CrashesBeforeRemoving)

    with pytest.raises(Crash):
        await crashing.carry_out(await crashing.preview(), site.home / "e.jsonl")

    found = await books(queue.redis, queue.lane)
    assert (found.purged_points, found.ready_points, found.pending_points, found.dead_points) == (0, 9, 3, 3)
    assert sum(batch.points or 0 for batch in exported(site, "e.jsonl")) == 15
    # and if someone puts it all back, it is stored once
    await queue.producer.enqueue(
        [Append(queue.lane, batch.frame, batch.points or 0) for batch in exported(site, "e.jsonl") if batch.state != "dead"]
    )
    replace(site, extra={"POINTQ_WORK__RECLAIM_IDLE_SECONDS": "0.1"}).drain()
    assert len(site.points("upload")) == 12
    assert (await books(queue.redis, queue.lane)).duplicate_points == 12


class RefusedByTheDisk(Export):
    """Has no room for the last line."""

    def finish(self) -> None:
        raise self._failed(OSError(28, "No space left on device"))


async def test_nothing_is_removed_that_is_not_on_the_disk(site: Site, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(queue)
    monkeypatch.setattr("pointq.ops.purging.Export", RefusedByTheDisk)
    purge = purge_of(queue, site)

    with pytest.raises(Exception, match="No space left on device"):
        await purge.carry_out(await purge.preview(), site.home / "e.jsonl")

    assert (await books(queue.redis, queue.lane)).purged_points == 0
    assert list(site.home.glob("e.jsonl*")) == []


async def test_killed_at_any_moment_what_was_removed_is_in_the_export(site: Site, queue: Queue) -> None:
    await queue.put(*[2] * 4_000)
    begun = Path(site.home / "e.jsonl")
    await asyncio.to_thread(_killed_when, begun.exists, site, "purge", "upload", "--yes", "--export", "e.jsonl")

    found = await books(queue.redis, queue.lane)
    kept = exported(site, "e.jsonl")
    assert len(kept) == 4_000
    assert found.ready_points == 8_000 - found.purged_points
    # the line is written behind the export, which it may not have come to
    assert {line.outcome for line in await Audit(queue.redis, "", site.prefix).read()} <= {"begun", "done"}
    # another run removes the rest
    site.run("purge", "upload", "--yes", "--export", "f.jsonl")
    assert (await books(queue.redis, queue.lane)).purged_points == 8_000
    ids = {batch.id for batch in kept}
    if (site.home / "f.jsonl").exists():
        assert {batch.id for batch in exported(site, "f.jsonl")} <= ids


def _killed_when(
    condition: Callable[[], bool], site: Site, *arguments: str, by: signal.Signals = signal.SIGKILL
) -> tuple[int, str]:
    """Run a command and send it a signal when the moment has come; its exit code and what it said."""
    process = subprocess.Popen(
        (sys.executable, "-m", "pointq", *arguments), env=site.environ, cwd=site.home, stderr=subprocess.PIPE, text=True
    )
    until(condition, "the moment has come")
    process.send_signal(by)
    _, said = process.communicate()
    return process.returncode, said


@pytest.mark.parametrize("begun", ["e.jsonl.new", "e.jsonl"])
async def test_a_ctrl_c_stops_it_and_what_it_did_is_on_record(site: Site, queue: Queue, begun: str) -> None:
    await queue.put(*[2] * 20_000)
    path = site.home / begun

    command = ("purge", "upload", "--yes", "--export", "e.jsonl")
    code, said = await asyncio.to_thread(lambda: _killed_when(path.exists, site, *command, by=signal.SIGINT))

    found = await books(queue.redis, queue.lane)
    assert "Traceback" not in said
    assert code == 130
    assert found.purged_points < 40_000
    lines = await Audit(queue.redis, "", site.prefix).read()
    assert sum(line.points for line in lines if line.outcome == "stopped") == found.purged_points
    if begun == "e.jsonl.new":
        assert (found.purged_points, list(site.home.glob("e.jsonl*"))) == (0, [])


async def test_what_a_worker_took_since_it_was_shown_stays_and_is_told(site: Site, queue: Queue) -> None:
    await queue.put(3, 4, 5)
    purge = purge_of(queue, site)
    preview = await purge.preview()
    (entry,), _ = await queue.worker.read(queue.lane, 1)
    await queue.hold(4)
    await queue.worker.complete(queue.lane, Outcome([entry], 3, 0))
    await queue.put(6, start=100)

    removed = await purge.carry_out(preview, site.home / "e.jsonl")

    assert (removed.points, removed.taken_points, removed.gone_points) == (5, 4, 3)
    assert [batch.points for batch in exported(site, "e.jsonl")] == [5]
    found = await books(queue.redis, queue.lane)
    assert (found.pending_points, found.ready_points, found.stored_points, found.purged_points) == (4, 6, 3, 5)


async def test_what_a_worker_holds_that_lives_again_stays(site: Site, queue: Queue) -> None:
    await queue.put(3, 4)
    await queue.hold(3)
    purge = purge_of(queue, site)
    preview = await purge.preview()
    assert preview.points == 7, "its holder is silent"
    await queue.beat()

    removed = await purge.carry_out(preview, None)

    assert (removed.points, removed.taken_points) == (4, 3)
    assert (await books(queue.redis, queue.lane)).pending_points == 3


async def test_by_force_what_a_worker_took_since_goes_too(site: Site, queue: Queue) -> None:
    await queue.put(3, 4)
    purge = purge_of(queue, site, force=True)
    preview = await purge.preview()
    await queue.hold()

    removed = await purge.carry_out(preview, None)

    assert (removed.points, removed.taken_points) == (7, 0)
    assert (await books(queue.redis, queue.lane)).purged_points == 7


async def test_a_server_that_goes_away_in_the_middle_is_an_error_and_the_export_is_there(site: Site) -> None:
    with restartable(appendonly="yes", appendfsync="always") as server:
        redis: Redis = patient(server.url)
        lane = Lane.of(LIVE)
        await Producer(redis, "", Acknowledgement()).enqueue([Append(lane, framed(2, kind=LIVE), 2)] * 50)

        def tell(what: str, done: int, total: int) -> None:
            if what == "exporting" and done == total:
                server.kill()

        purge = Purge(redis, server.url, "pointq", Criteria("live", [lane], ("ready",)), tell)
        with pytest.raises(RedisError, match="cannot be reached"):
            await purge.carry_out(await purge.preview(), site.home / "e.jsonl")

        server.start()
        assert (await books(redis, lane)).ready_points == 100
        await redis.aclose()


async def test_a_full_server_can_be_purged(site: Site) -> None:
    with restartable(**{"maxmemory-policy": "noeviction"}) as server:
        full = replace(site, redis_url=server.url, prefix="pointq")
        redis: Redis = patient(server.url)
        lane = Lane.of(LIVE)
        producer = Producer(redis, server.url, Acknowledgement())
        await producer.enqueue([Append(lane, framed(2, kind=LIVE), 2)] * 50)
        await redis.config_set("maxmemory", "1mb")
        with pytest.raises(RedisError, match="maxmemory"):
            await producer.enqueue([Append(lane, b"x", 1)])

        assert len(full.report("inspect", "live")["batches"]) == 10
        assert full.report("purge", "live", "--yes")["removed"]["points"] == 100
        assert [line["points"] for line in full.report("inspect", "--audit")["audit"]] == [100]
        assert (await books(redis, lane)).purged_points == 100
        await redis.aclose()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_may_not_be_written(site: Site, queue: Queue) -> None:
    await queue.put(3)
    site.home.chmod(0o500)
    try:
        assert "cannot be written" in site.run("purge", "upload", "--yes", expect=1).stderr
    finally:
        site.home.chmod(0o700)
    assert (await books(queue.redis, queue.lane)).ready_points == 3
