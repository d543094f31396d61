"""`pointq inspect`: what is in batches, wherever they are, and nothing is consumed."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pointq.points.kinds import LIVE, SCORING, UPLOAD
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append
from pointq.spool.record import Record
from tests.queue.servers import restartable, valkey
from tests.support.frames import framed
from tests.support.pace import quick, seconds
from tests.support.queues import MESSAGE, Queue
from tests.support.schemas import check_against
from tests.support.sites import Site
from tests.unit.spool.books import owned


async def fill(queue: Queue) -> None:
    """One dead, one held, two ready, and bytes that are no frame."""
    await queue.put(2, flight="bad")
    await queue.bury()
    await queue.put(3, 4, 5)
    await queue.hold()
    await queue.producer.enqueue([Append(queue.lane, b"\x00garbage", 6)])


async def test_batches_with_all_that_is_known_and_nothing_is_consumed(site: Site, queue: Queue) -> None:
    await fill(queue)
    await queue.beat()

    found = site.report("inspect", "upload")

    check_against("inspect", found)
    held, first, second, garbage, dead = found["batches"]
    assert [b["state"] for b in found["batches"]] == ["pending", "ready", "ready", "ready", "dead"]
    assert (held["held_by"], held["holder_alive"], held["deliveries"], held["points"]) == ("host-7-abc", True, 1, 3)
    assert [len(b["track_points"]) for b in (held, first, second, garbage, dead)] == [3, 4, 5, 0, 2]
    assert first["track_points"][0]["elevation"] == 1_003.0
    assert first["track_points"][0]["time"] == "2025-06-01T10:00:03Z"
    assert [f["flight_id"] for f in dead["flights"]] == ["bad"]
    assert (dead["sqlstate"], dead["message"], dead["failures"][0]["message"]) == ("22003", MESSAGE, MESSAGE)
    assert garbage["error"] == "not a frame: 8 bytes, where 18 are the least"
    assert garbage["first_bytes"] == b"\x00garbage".hex()
    assert found["lanes"][0] | {"kind": "upload", "shard": 0} == {
        "kind": "upload",
        "shard": 0,
        "pending_batches": 1,
        "pending_points": 3,
        "ready_batches": 3,
        "ready_points": 15,
        "dead_batches": 1,
        "dead_points": 2,
    }
    # all of it is there for workers as before
    await queue.heartbeats.remove("host-7-abc")
    replace(site, extra={"POINTQ_WORK__RECLAIM_IDLE_SECONDS": "0.1"}).drain()
    assert len(site.points("upload")) == 12


@pytest.mark.parametrize(
    ("options", "states"),
    [
        (("--ready",), ["ready"] * 3),
        (("--pending",), ["pending"]),
        (("--dead",), ["dead"]),
        (("--dead", "--pending"), ["pending", "dead"]),
        (("-n", "1"), ["pending", "ready", "dead"]),
        (("--ready", "-n", "0"), ["ready"] * 3),
    ],
)
async def test_some_of_them(site: Site, queue: Queue, options: tuple[str, ...], states: list[str]) -> None:
    await fill(queue)

    assert [b["state"] for b in site.report("inspect", "upload", *options)["batches"]] == states


async def test_a_worker_that_says_nothing_is_lost(site: Site, queue: Queue) -> None:
    await fill(queue)
    await queue.beat(seconds_ago=60)

    (batch,) = site.report("inspect", "upload", "--pending")["batches"]

    assert (batch["held_by"], batch["holder_alive"]) == ("host-7-abc", False)


async def test_by_id(site: Site, queue: Queue) -> None:
    await fill(queue)
    ids = [b["id"] for b in site.report("inspect", "upload")["batches"]]

    found = site.report("inspect", "all", "--id", ids[-1], "--id", ids[1])
    assert [b["id"] for b in found["batches"]] == [ids[1], ids[-1]]
    assert "no batch has the id 1-1" in site.run("inspect", "upload", "--id", "1-1", expect=1).stderr
    assert "is no id of a batch" in site.run("inspect", "upload", "--id", "-", expect=2).stderr
    assert "there is no kind 'uplod'" in site.run("inspect", "uplod", expect=2).stderr


async def test_csv(site: Site, queue: Queue) -> None:
    await fill(queue)

    text = site.run("inspect", "upload", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert len(rows) == 3 + 4 + 5 + 1 + 2
    assert rows[0]["held_by"] == "host-7-abc"
    assert (rows[3]["time"], rows[3]["lat"], rows[3]["flight_id"]) == ("2025-06-01T10:00:03Z", "45.0003", "f")
    assert rows[12]["error"].startswith("not a frame")
    assert rows[12]["first_bytes"] == b"\x00garbage".hex()
    assert (rows[13]["sqlstate"], rows[13]["message"], rows[13]["error"]) == ("22003", MESSAGE, "")


async def test_geojson(site: Site, queue: Queue) -> None:
    await fill(queue)

    found = json.loads(site.run("inspect", "upload", "--format", "geojson").stdout)

    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) == 15
    feature = found["features"][3]
    assert feature["geometry"] == {"type": "Point", "coordinates": [6.0003, 45.0003, 1_003.0]}
    assert (feature["properties"]["state"], feature["properties"]["time"]) == ("ready", "2025-06-01T10:00:03Z")
    assert not {"lat", "lon"} & set(feature["properties"])
    assert (found["features"][12]["geometry"], found["features"][12]["properties"]["error"][:5]) == (None, "not a")


async def test_the_table(site: Site, queue: Queue) -> None:
    await fill(queue)

    done = site.run("inspect", "upload", "-n", "2")

    assert "host-7-abc" in done.stdout
    assert "lost" in done.stdout
    assert f"22003 {MESSAGE}" in done.stdout
    assert "2025-06-01T10:00:03Z" in done.stdout
    assert "and 1 more" in done.stdout
    assert "2 of 3 ready batches; -n 0 shows all" in done.stderr
    assert "first bytes: 00 67 61 72" in site.run("inspect", "upload").stdout
    assert "no pending batches" in site.run("inspect", "live", "--pending").stderr


async def test_several_shards_and_kinds(site: Site, queue: Queue) -> None:
    sharded = replace(site, extra={"POINTQ_QUEUE__SHARDS": "3"})
    for kind in (UPLOAD, SCORING):
        for shard in range(3):
            lane = Lane.of(kind, shard, site.prefix)
            await queue.producer.enqueue([Append(lane, framed(2, kind=kind), 2)] * 2)

    found = sharded.report("inspect", "all", "-n", "1")

    check_against("inspect", found)
    places = [(b["kind"], b["shard"]) for b in found["batches"]]
    assert sorted(places) == sorted((kind, shard) for kind in ("upload", "scoring") for shard in range(3))
    assert len(found["lanes"]) == 12
    rows = list(csv.DictReader(io.StringIO(sharded.run("inspect", "all", "--format", "csv").stdout, newline="")))
    assert {row["gps_alt"] for row in rows if row["kind"] == "upload"} == {""}
    assert {row["gps_alt"] for row in rows if row["kind"] == "scoring"} == {"1000.0", "1001.0"}


async def test_a_hundred_thousand_points_take_no_more_memory_than_a_few(site: Site, queue: Queue) -> None:
    for part in range(10):
        await queue.put(*[1_000] * 15, start=part * 15_000)

    few, _ = peak(site, "inspect", "upload", "-n", "1", "--format", "csv")
    all_of_them, lines = peak(site, "inspect", "upload", "-n", "0", "--format", "csv")

    assert lines == 150_001
    # as rows they would take 150 MB; a page of frames may be there
    assert all_of_them - few < 30 * 1024


def peak(site: Site, *arguments: str) -> tuple[int, int]:
    """Return the most memory of a command, KiB, and how many lines it printed."""
    path = site.home / "output"
    with path.open("wb") as output:
        process = subprocess.Popen((sys.executable, "-m", "pointq", *arguments), stdout=output, env=site.environ, cwd=site.home)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss, path.read_bytes().count(b"\n")


def test_the_spool_also_while_redis_is_away(site: Site) -> None:
    root = site.home / "data" / "spool"
    root.parent.mkdir()
    away = replace(site, redis_url="redis://127.0.0.1:1")
    with owned(root, segment_bytes=10**6) as directory:
        directory.append([Record("upload", 3, framed(3), 1_750_000_000_000_000), Record("live", 2, framed(2, kind=LIVE), 5)])
        directory.append([Record("upload", 4, b"no frame", 1_750_000_000_000_000)])

        found = away.report("inspect", "upload", "--spool")

        check_against("inspect", found)
        assert [(b["state"], b["points"], len(b["track_points"])) for b in found["batches"]] == [
            ("spool", 3, 3),
            ("spool", 4, 0),
        ]
        assert found["batches"][0]["first_seen"] == "2025-06-15T15:06:40.000Z"
        assert found["batches"][1]["error"].startswith("not a frame")
        last = found["batches"][1]["id"]
        assert [b["id"] for b in away.report("inspect", "all", "--spool", "--id", last)["batches"]] == [last]
        assert "spool" in away.run("inspect", "all", "--spool").stdout
        away.run("inspect", "all", "--spool", "--export", "spooled.jsonl")
        assert [b["points"] for b in away.report("inspect", "all", "--from", "spooled.jsonl")["batches"]] == [3, 2, 4]


async def test_a_file_is_shown_whole(site: Site, queue: Queue) -> None:
    await queue.put(*([1] * 25))
    site.run("inspect", "upload", "--export", "many.jsonl")

    assert len(site.report("inspect", "upload", "--from", "many.jsonl")["batches"]) == 25
    assert len(site.report("inspect", "upload", "--from", "many.jsonl", "-n", "7")["batches"]) == 7


async def test_into_a_file_and_out_of_it(site: Site, queue: Queue) -> None:
    await fill(queue)
    done = site.run("inspect", "upload", "--export", "out.jsonl")
    assert "5 batches of 20 points are in out.jsonl" in done.stderr
    assert done.stdout == ""

    found = site.report("inspect", "upload", "--from", "out.jsonl", "-n", "0")

    check_against("inspect", found)
    direct = site.report("inspect", "upload")["batches"]
    kept = ("id", "state", "points", "track_points", "flights", "error", "failures", "message")
    assert [[b[name] for name in kept] for b in found["batches"]] == [[b[name] for name in kept] for b in direct]
    assert site.report("inspect", "live", "--from", "out.jsonl")["batches"] == []
    assert "is there already" in site.run("inspect", "upload", "--export", "out.jsonl", expect=1).stderr
    assert "cannot be read" in site.run("inspect", "upload", "--from", "none.jsonl", expect=1).stderr


def test_nobody_purged_anything(site: Site) -> None:
    assert site.report("inspect", "--audit") == {"audit": []}
    assert "nobody has purged anything" in site.run("inspect", "--audit").stderr


COMMANDS = (("inspect", "upload"), ("inspect", "--audit"), ("purge", "upload", "--yes"))
PATIENT_SECONDS = 3.0
"""More than with a Redis that answers, it takes under one."""


def refused(site: Site, url: str) -> str:
    """Each command ends with exit code 3, soon; what they said, each once."""
    away = replace(site.hasty, redis_url=url)
    said = set()
    good = seconds(partial(site.run, "inspect", "upload"))
    for command in COMMANDS:
        done = quick(partial(away.run, *command, expect=3), within=good + PATIENT_SECONDS)
        assert done.stdout == ""
        said.add(done.stderr)
    return "\n".join(said)


def test_redis_is_down(site: Site) -> None:
    assert "cannot be reached" in refused(site, "redis://127.0.0.1:1")


def test_redis_is_frozen(site: Site) -> None:
    with restartable() as server:
        assert server._process is not None
        server._process.send_signal(signal.SIGSTOP)
        assert "does not answer within" in refused(site, server.url)
        server._process.send_signal(signal.SIGCONT)


def test_redis_has_another_password(site: Site) -> None:
    with valkey(requirepass="right") as url:
        assert "refuses the login" in refused(site, url)


def test_the_database_is_not_needed_so_that_it_may_be_down_frozen_or_closed_to_us(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        deaf = replace(site, database_url=f"postgresql://me@127.0.0.1:{listener.getsockname()[1]}/x")
        for command in COMMANDS:
            deaf.run(*command)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_embedded_servers_that_do_not_run_are_not_started(site: Site, tmp_path: Path) -> None:
    environ = {name: value for name, value in site.environ.items() if name not in {"POINTQ_REDIS__URL", "POINTQ_DATABASE__URL"}}
    done: Any = subprocess.run(
        (sys.executable, "-m", "pointq", "inspect", "all"),
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "the embedded servers do not run" in done.stderr
