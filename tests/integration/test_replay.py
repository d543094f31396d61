"""`pointq replay`: what died, what a disk or a file holds, what was stored, back into the queue; nothing lost or twice."""

import asyncio
import base64
import json
import os
import signal
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from pointq.spool.record import Record
from pointq.spool.spool import Spool
from tests.queue.servers import restartable, valkey
from tests.support.api import LIVE, UPLOAD
from tests.support.points import TABLES, flight_uuid, track
from tests.support.processes import Running, Server
from tests.support.schemas import check_against
from tests.support.sites import Row, Site
from tests.support.until import until


def replay(site: Site, *arguments: str, expect: int = 0) -> Any:
    """Run it with --json; what it prints is as the schema says."""
    found = site.report("replay", *arguments, expect=expect)
    check_against("replay", found)
    return found


def send(server: Server, path: str, flight: str, points: list[Any]) -> None:
    with server.client() as client:
        assert client.post(path, {"flight_id": flight, "track_points": points}).status == 202


def execute(site: Site, *statements: str) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def letters(site: Site, kind: str = "live") -> list[tuple[str, dict[str, bytes]]]:
    with closing(redis.Redis.from_url(site.redis_url)) as client:
        raw: Any = client.xrange(f"{site.prefix}:{{{kind}.0}}:dead")
    return [(i.decode(), {name.decode(): value for name, value in fields.items()}) for i, fields in raw]


def queue(site: Site, kind: str = "live") -> Any:
    return next(each for each in site.status()["queues"] if each["kind"] == kind)


def assert_exact(site: Site) -> None:
    """The flights know how many rows they have, and the books add up."""
    rows: list[Row] = []
    for kind in TABLES:
        rows += site.points(kind, "flight_uuid, count(*) AS points", "GROUP BY flight_uuid")
    flights = site.rows("SELECT flight_uuid, points FROM flights")
    assert {row["flight_uuid"]: row["points"] for row in rows} == {row["flight_uuid"]: row["points"] for row in flights}
    status = site.status()
    totals, waiting = status["totals"], sum(each["total_pending"] for each in status["queues"])
    done = totals["stored_points"] + totals["duplicate_points"] + totals["dead_points"] + totals["purged_points"]
    assert totals["accepted_points"] == done + waiting


@pytest.fixture
def poisoned(site: Site, server: Server) -> Site:
    """100 live points and 3 uploaded ones, of which the database refused 40 and 1."""
    for table in ("live_track_points", "uploaded_track_points"):
        execute(site, f"ALTER TABLE {table} ADD CONSTRAINT slow CHECK (speed < 100)")
    send(server, LIVE, "f", [{**point, "speed": 200 if i < 40 else 5} for i, point in enumerate(track(100))])
    send(server, UPLOAD, "f", [{**point, "speed": 200 if i < 1 else 5} for i, point in enumerate(track(3))])
    site.drain()
    assert (queue(site)["dead_points"], queue(site, "upload")["dead_points"]) == (40, 1)
    return site


class TestDeadLetters:
    def test_all_go_back_when_the_table_is_mended(self, poisoned: Site) -> None:
        planned = replay(poisoned, "--dry-run")
        assert (planned["points"], planned["dry_run"], len(letters(poisoned))) == (41, True, 40)
        for table in ("live_track_points", "uploaded_track_points"):
            execute(poisoned, f"ALTER TABLE {table} DROP CONSTRAINT slow")

        done = replay(poisoned)

        assert (
            done["lanes"]
            == planned["lanes"]
            == [
                {"kind": "live", "shard": 0, "batches": 40, "points": 40},
                {"kind": "upload", "shard": 0, "batches": 1, "points": 1},
            ]
        )
        assert (done["source"], done["refused"], done["came_back"]) == ("dead", [], None)
        poisoned.drain()
        assert (len(poisoned.points("live")), len(poisoned.points("upload"))) == (100, 3)
        assert_exact(poisoned)
        assert replay(poisoned)["batches"] == 0

    def test_what_dies_again_is_told_with_its_count(self, poisoned: Site) -> None:
        with poisoned.work():
            done = replay(poisoned, "--kind", "live", "--wait", expect=5)
            (reason,) = done["came_back"]
            assert (reason["sqlstate"], reason["batches"], reason["points"], reason["most_refusals"]) == ("23514", 40, 40, 2)
            again = poisoned.run("replay", "--kind", "live", "--wait", expect=5)
        assert "refused 3 times by now: 23514" in again.stderr
        fields = letters(poisoned)[0][1]
        assert fields["count"] == b"3"
        former = json.loads(fields["failures"])
        assert [each["sqlstate"] for each in former] == ["23514", "23514"]
        assert float(former[0]["at"]) < float(former[1]["at"]) < float(fields["last_seen"])
        assert queue(poisoned)["dead_points"] == 40
        assert_exact(poisoned)

    def test_by_kind_reason_and_id(self, poisoned: Site) -> None:
        first, second = letters(poisoned)[0][0], letters(poisoned)[7][0]

        assert replay(poisoned, "--reason", "22003")["points"] == 0
        assert replay(poisoned, "--kind", "upload", "--reason", "SLOW")["points"] == 1
        done = replay(poisoned, "--id", first, "--id", second, "--id", "1-1", expect=5)
        assert (done["points"], [each["where"] for each in done["refused"]]) == (2, ["1-1"])
        assert replay(poisoned, "--id", first, expect=1)["points"] == 0
        assert replay(poisoned, "--reason", "23514")["points"] == 38
        assert_exact(poisoned)

    def test_killed_in_the_middle_and_done_again_beside_a_worker(self, poisoned: Site) -> None:
        for table in ("live_track_points", "uploaded_track_points"):
            execute(poisoned, f"ALTER TABLE {table} DROP CONSTRAINT slow")
        started = partial(Running, ("replay", "--rate", "8"), environ=poisoned.environ, folder=poisoned.home, name="replay")
        with started() as running:
            until(lambda: len(letters(poisoned)) < 38, "some letters are back in the queue")
            running.kill()
        left = len(letters(poisoned))
        assert 0 < left < 38
        assert queue(poisoned)["ready_points"] == 40 - left
        assert_exact(poisoned)

        with poisoned.work():
            done = replay(poisoned, "--wait")

        assert (done["points"], done["came_back"]) == (left + 1, [])
        poisoned.drain()
        totals = poisoned.status()["totals"]
        assert (totals["stored_points"], totals["duplicate_points"], totals["dead_points"]) == (103, 0, 0)
        assert_exact(poisoned)

    def test_the_rate_is_kept(self, poisoned: Site) -> None:
        assert replay(poisoned, "--kind", "live", "--rate", "40")["seconds"] > 0.7
        assert queue(poisoned)["ready_points"] == 40

    def test_it_waits_for_workers_and_not_for_ever(self, poisoned: Site) -> None:
        ended = poisoned.run("replay", "--rate", "40", "--most-waiting", "15", "--timeout", "0.3", expect=4)

        assert "no worker has stored any" in ended.stderr
        assert "the rest is where it was" in ended.stderr
        assert 15 <= queue(poisoned)["ready_points"] <= 25
        assert_exact(poisoned)
        with poisoned.work():
            assert replay(poisoned, "--rate", "1000", "--most-waiting", "15", "--wait", expect=5)["came_back"]
        assert queue(poisoned)["dead_points"] == 40

    def test_without_a_worker_a_wait_ends(self, poisoned: Site) -> None:
        ended = poisoned.run("replay", "--wait", "--timeout", "0.2", expect=4)

        assert "pointq work" in ended.stderr
        assert queue(poisoned)["ready_points"] == 40

    def test_what_is_printed(self, poisoned: Site) -> None:
        planned = poisoned.run("replay", "--dry-run")
        assert planned.stdout.splitlines()[-1] == "41 dead letters of 41 points would go back"
        assert planned.stderr == ""
        done = poisoned.run("replay")
        assert done.stdout == planned.stdout.replace("would go back", "are back in the queue")
        assert "pointq status" in done.stderr
        assert poisoned.run("replay").stdout == "no dead letters to put back\n"


def export(path: Path, site: Site, *, end: bool = True, kind: str = "live") -> Path:
    """Write dead letters as purge does."""
    lines: list[Any] = [{"pointq_export": 1, "made_at": "2026-06-21T12:00:00.000Z", "by": "u@h", "kind": kind, "state": "dead"}]
    for i, fields in letters(site, kind):
        failure = {
            "at": "2026-06-21T12:00:00.250Z",
            "sqlstate": fields["sqlstate"].decode(),
            "message": fields["message"].decode(),
        }
        line: Any = dict.fromkeys(("deliveries", "last_seen"))
        line |= {"kind": kind, "shard": 0, "queue": f"{site.prefix}:{{{kind}.0}}:stream", "id": i, "state": "dead"}
        line |= {"points": int(fields["n"]), "failures": [failure], "first_seen": "2026-06-21T11:00:00.500Z"}
        lines.append(line | failure | {"frame": base64.b64encode(fields["f"]).decode()})
    if end:
        lines.append({"batches": len(lines) - 1, "points": sum(line["points"] for line in lines[1:])})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf8")
    return path


def forget_letters(site: Site, kind: str = "live") -> None:
    """Remove the dead letters, as a purge does."""
    with closing(redis.Redis.from_url(site.redis_url)) as client:
        base = f"{site.prefix}:{{{kind}.0}}"
        points = sum(int(fields["n"]) for _, fields in letters(site, kind))
        for name, value in (("accepted_points", points), ("dead_points", points), ("dead_batches", points)):
            client.hincrby(f"{base}:counters", name, -value)
        client.delete(f"{base}:dead")


class TestFiles:
    def test_an_export_goes_back_and_a_second_time_changes_nothing(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned)
        forget_letters(poisoned)
        execute(poisoned, "ALTER TABLE live_track_points DROP CONSTRAINT slow")

        planned = replay(poisoned, str(file), "--dry-run")
        done = replay(poisoned, str(file))

        assert (done["source"], done["points"], done["lanes"]) == ("files", 40, planned["lanes"])
        poisoned.drain()
        assert len(poisoned.points("live")) == 100
        assert replay(poisoned, str(file))["points"] == 40
        poisoned.drain()
        assert (len(poisoned.points("live")), poisoned.status()["totals"]["duplicate_points"]) == (100, 40)
        assert_exact(poisoned)

    def test_what_was_purged_goes_back_from_its_export_as_it_was(self, poisoned: Site) -> None:
        """Refused, put back, refused again, purged into a file, replayed from it, mended: stored once, its history kept."""
        with poisoned.work():
            replay(poisoned, "--kind", "live", "--wait", expect=5)
        assert poisoned.report("purge", "live", "--dead", "--yes", "--export", "e.jsonl")["removed"]["points"] == 40
        totals = poisoned.status()["totals"]
        assert (totals["purged_points"], totals["dead_points"], queue(poisoned)["dead_points"]) == (40, 1, 0)
        assert_exact(poisoned)

        with poisoned.work():
            (reason,) = replay(poisoned, "e.jsonl", "--wait", expect=5)["came_back"]
        assert (reason["points"], reason["most_refusals"]) == (40, 3)
        shown = poisoned.report("inspect", "live", "--dead", "-n", "1")["batches"][0]
        assert [each["sqlstate"] for each in shown["failures"]] == ["23514"] * 3
        execute(poisoned, "ALTER TABLE live_track_points DROP CONSTRAINT slow")
        replay(poisoned, "--kind", "live")
        poisoned.drain()

        assert len(poisoned.points("live")) == 100
        assert replay(poisoned, "e.jsonl")["points"] == 40
        poisoned.drain()
        assert len(poisoned.points("live")) == 100
        assert_exact(poisoned)

    def test_the_history_in_the_file_goes_on(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned, kind="upload")
        forget_letters(poisoned, "upload")
        with poisoned.work():
            (reason,) = replay(poisoned, str(file), "--wait", expect=5)["came_back"]
        assert reason["most_refusals"] == 2
        ((_, fields),) = letters(poisoned, "upload")
        (former,) = json.loads(fields["failures"])
        assert (former["sqlstate"], float(former["at"])) == ("23514", 1782043200.25)
        assert float(fields["first_seen"]) == 1782039600.5

    def test_what_is_whole_of_a_cut_file_goes_back(self, poisoned: Site) -> None:
        file = export(poisoned.home / "cut.jsonl", poisoned, end=False)
        file.write_bytes(file.read_bytes()[:-20])

        done = replay(poisoned, str(file), str(poisoned.home / "nothing"), expect=5)

        assert done["points"] == 39
        said = [(refusal["where"].rpartition("/")[2], refusal["reason"].partition(":")[0]) for refusal in done["refused"]]
        assert said == [
            ("cut.jsonl:41", "the line was cut"),
            ("cut.jsonl", "the file was cut"),
            ("nothing", "the file cannot be read"),
        ]
        assert queue(poisoned)["ready_points"] == 39

    def test_damaged_frames_and_wrong_files_are_refused(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned, kind="upload")
        text = file.read_text("utf8")
        frame = json.loads(text.splitlines()[1])["frame"]
        wrong_kind = poisoned.home / "kind.jsonl"
        wrong_kind.write_text(text.replace('"kind": "upload", "shard"', '"kind": "scoring", "shard"'), "utf8")
        changed = poisoned.home / "changed.jsonl"
        data = bytearray(base64.b64decode(frame))
        data[-1] ^= 0xFF
        flipped = base64.b64encode(data).decode()
        changed.write_text(text.replace(frame, flipped), "utf8")
        other = poisoned.home / "other.txt"
        other.write_text("hello\n", "utf8")

        done = replay(poisoned, str(wrong_kind), str(changed), str(other), expect=1)

        assert (done["points"], done["refused_count"]) == (0, 3)
        assert ["scoring" in done["refused"][0]["reason"], "checksum" in done["refused"][1]["reason"]] == [True, True]
        assert "no export of pointq" in done["refused"][2]["reason"]
        assert queue(poisoned, "upload")["ready_points"] == 0

    def test_only_the_kinds_that_are_asked_for(self, poisoned: Site) -> None:
        files = [str(export(poisoned.home / f"{kind}.jsonl", poisoned, kind=kind)) for kind in ("live", "upload")]

        assert replay(poisoned, *files, "--kind", "upload")["lanes"] == [
            {"kind": "upload", "shard": 0, "batches": 1, "points": 1}
        ]

    def test_other_shards_than_when_it_was_exported(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned)
        sharded = replace(poisoned, extra={"POINTQ_QUEUE__SHARDS": "3"})

        (lane,) = replay(sharded, str(file))["lanes"]

        assert lane["shard"] == flight_uuid("live", "f").int % 3
        sharded.drain()


def spool_frames(site: Site, frames: list[bytes]) -> Path:
    """A spool in a folder of its own, with those frames."""

    async def fill() -> None:
        spool = await Spool.open(site.home / "dead" / "spool")
        for frame in frames:
            await spool.append([Record("live", 1, frame, 1_700_000_000_000_000)])
        await spool.close()

    asyncio.run(fill())
    return site.home / "dead"


class TestSpool:
    @pytest.fixture
    def frames(self, poisoned: Site) -> list[bytes]:
        found = [fields["f"] for _, fields in letters(poisoned)]
        forget_letters(poisoned)
        execute(poisoned, "ALTER TABLE live_track_points DROP CONSTRAINT slow")
        return found

    def test_the_spool_of_a_dead_machine(self, poisoned: Site, frames: list[bytes]) -> None:
        folder = spool_frames(poisoned, frames)
        files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        planned = replay(poisoned, "--spool", str(folder), "--dry-run")
        done = replay(poisoned, "--spool", str(folder))

        assert (done["points"], done["lanes"], done["refused"]) == (40, planned["lanes"], [])
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files, "it is only read"
        poisoned.drain()
        assert len(poisoned.points("live")) == 100
        assert_exact(poisoned)

    def test_damage_and_quarantine(self, poisoned: Site, frames: list[bytes]) -> None:
        folder = spool_frames(poisoned, frames)
        (segment,) = folder.rglob("*.seg")
        data = bytearray(segment.read_bytes())
        data[-1] ^= 0xFF
        segment.write_bytes(data)

        assert replay(poisoned, "--spool", str(segment), "--dry-run", expect=5)["points"] == 39
        quarantine = segment.parent / "quarantine"
        quarantine.mkdir()
        segment.rename(quarantine / segment.name)
        note = {"segment": segment.name, "offset": 0, "length": len(data), "reason": "it was bad", "time": "", "kind": None}
        (quarantine / f"{segment.stem}-0000000000.json").write_text(json.dumps({**note, "points": None, "file": segment.name}))
        lost = {**note, "reason": "no record begins here", "kind": "live", "points": 7, "file": "x.bin"}
        (quarantine / f"{segment.stem}-0000000099.json").write_text(json.dumps(lost))

        for path in (folder, folder / "spool", segment.parent, quarantine):
            planned = replay(poisoned, "--spool", str(path), "--dry-run", expect=5)
            assert (planned["points"], [refusal["points"] for refusal in planned["refused"]]) == (39, [1, 7])

        assert replay(poisoned, "--spool", str(folder), expect=5)["points"] == 39

    def test_a_slot_that_is_in_use_drains_by_itself(self, poisoned: Site, frames: list[bytes]) -> None:
        folder = spool_frames(poisoned, frames)

        async def hold() -> Any:
            spool = await Spool.open(folder / "spool")
            try:
                return await asyncio.to_thread(replay, poisoned, "--spool", str(folder), expect=1)
            finally:
                await spool.close()

        (refusal,) = asyncio.run(hold())["refused"]
        assert "drains it by itself" in refusal["reason"]

    def test_what_is_no_spool(self, poisoned: Site) -> None:
        for path in (poisoned.home / "nothing", poisoned.home):
            assert "no spool" in poisoned.run("replay", "--spool", str(path), expect=2).stderr


class TestRetained:
    @pytest.fixture
    def keeping(self, site: Site) -> Site:
        kept = replace(site, extra={"POINTQ_QUEUE__RETAIN_SECONDS": "3600"})
        with kept.serve() as server:
            for flight in range(5):
                send(server, LIVE, f"f{flight}", track(200))
                send(server, UPLOAD, f"f{flight}", track(50))
        kept.drain()
        return kept

    def test_a_database_restored_from_a_backup_gets_everything_back(self, keeping: Site) -> None:
        tables = [keeping.points("live"), keeping.points("upload"), flights(keeping)]
        assert [len(table) for table in tables] == [1000, 250, 10]
        assert sum(each["total_pending"] for each in keeping.status()["queues"]) == 0
        execute(keeping, "TRUNCATE live_track_points, uploaded_track_points, flights")

        planned = replay(keeping, "--since", "1h", "--kind", "live", "--dry-run")
        assert (planned["points"], planned["source"]) == (1000, "retained")
        with keeping.work():
            done = replay(keeping, "--since", "30m", "--wait")

        assert (done["points"], done["came_back"]) == (1250, [])
        assert [keeping.points("live"), keeping.points("upload"), flights(keeping)] == tables
        assert_exact(keeping)
        assert replay(keeping, "--since", "30m", "--dry-run")["points"] == 1250, "stored again, kept again"

    def test_killed_in_the_middle_nothing_is_missing(self, keeping: Site) -> None:
        execute(keeping, "TRUNCATE live_track_points, uploaded_track_points, flights")
        arguments = ("replay", "--since", "1h", "--rate", "500")
        with Running(arguments, environ=keeping.environ, folder=keeping.home, name="replay") as running:
            until(lambda: queue(keeping)["ready_points"] > 0, "some batches are back in the queue")
            running.kill()
        replay(keeping, "--since", "1h")
        keeping.drain()
        assert (len(keeping.points("live")), len(keeping.points("upload"))) == (1000, 250)
        assert_exact(keeping)

    def test_a_time_that_is_not_kept_any_more_is_told(self, keeping: Site) -> None:
        little = replace(keeping, extra={**keeping.extra, "POINTQ_QUEUE__RETAIN_BYTES": "1"})
        with little.serve() as server:
            send(server, LIVE, "late", track(3))
        little.drain()

        done = replay(keeping, "--since", "1h", "--dry-run", expect=5)

        assert (done["points"], [refusal["where"] for refusal in done["refused"]]) == (250, ["live.0"])
        assert "is not kept" in done["refused"][0]["reason"]
        day = ("--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z", "--kind", "upload")
        assert replay(keeping, *day, "--dry-run")["points"] == 0

    def test_where_nothing_is_kept(self, poisoned: Site) -> None:
        done = replay(poisoned, "--since", "1h", expect=1)
        assert {refusal["reason"] for refusal in done["refused"]} == {
            "nothing that was stored is kept: queue.retain_seconds is not set"
        }


def flights(site: Site) -> list[Row]:
    return site.rows("SELECT kind, flight_uuid, flight_id, points, first_fix, last_fix FROM flights ORDER BY kind, flight_uuid")


class TestTrouble:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("x.jsonl", "--spool", "y"), "FILE and --spool exclude each other"),
            (("--since", "1h", "--reason", "22003"), "--reason and --id choose dead letters"),
            (("--until", "1h"), "--until needs --since"),
            (("--since", "yesterday"), "'yesterday' is no time"),
            (("--since", "1h", "--until", "2h"), "--since is later than --until"),
            (("--id", "abc"), "'abc' is no id"),
            (("--kind", "life"), "there is no kind 'life'"),
        ],
    )
    def test_what_makes_no_sense(self, site: Site, arguments: tuple[str, ...], said: str) -> None:
        assert said in site.run("replay", *arguments, expect=2).stderr

    def test_redis_stopped_frozen_or_locked(self, site: Site) -> None:
        with restartable() as server:
            away = replace(site.hasty, redis_url=server.url)
            process = server._process
            assert process is not None
            process.send_signal(signal.SIGSTOP)
            try:
                assert "does not answer" in away.run("replay", expect=3).stderr
            finally:
                process.send_signal(signal.SIGCONT)
            server.kill()
            assert "cannot be reached" in away.run("replay", expect=3).stderr
            assert "cannot be reached" in away.run("replay", "--since", "1h", "--dry-run", expect=3).stderr
        with valkey(requirepass="right") as url:
            locked = replace(site, redis_url=f"{url}?password=wrong")
            assert "refuses the login" in locked.run("replay", expect=3).stderr

    def test_the_database_is_not_needed(self, poisoned: Site) -> None:
        away = replace(poisoned, database_url="postgresql://nobody@127.0.0.1:1/x")
        assert replay(away)["points"] == 41

    def test_files_can_be_looked_at_without_redis(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned)
        away = replace(poisoned, redis_url="redis://127.0.0.1:1/0")
        assert replay(away, str(file), "--dry-run")["points"] == 40
        assert "cannot be reached" in away.run("replay", str(file), expect=3).stderr

    def test_redis_full(self, poisoned: Site) -> None:
        file = export(poisoned.home / "e.jsonl", poisoned)
        with valkey(**{"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"}) as url:
            full = replace(poisoned, redis_url=url)
            with closing(redis.Redis.from_url(url)) as client:
                client.config_set("maxmemory", "1mb")
            ended = full.run("replay", str(file), expect=3)
        assert "is full" in ended.stderr
        assert "hint: let `pointq work` store what waits" in ended.stderr
        assert "0 batches of 0 points are back in the queue, the rest is where it was" in ended.stderr

    def test_ctrl_c_says_how_far_it_came(self, poisoned: Site) -> None:
        with Running(("replay", "--rate", "8"), environ=poisoned.environ, folder=poisoned.home, name="replay") as running:
            until(lambda: len(letters(poisoned)) < 38, "some letters are back in the queue")
            os.kill(running.process.pid, signal.SIGINT)
            assert running.process.wait(30) == 130
            assert "the rest is where it was" in running.log
        assert_exact(poisoned)
