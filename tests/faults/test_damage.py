"""Bytes that have changed, on the disk of the spool and in the queue."""

import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointq.errors import FrameError
from pointq.points import frame
from pointq.spool.record import HEAD_BYTES, read_head
from pointq.spool.segment import START, parse_name
from tests.faults.installation import Installation, decoded, lines
from tests.faults.load import Key, Load
from tests.support.until import until

FLIPPED = 5


def spooled(place: Installation, seed: int) -> tuple[Load, Path]:
    """Points in the spool, left by a server that was killed, and its one segment."""
    with place.site.serve() as server, Load(server.url, seed) as load:
        load.go_by("queue")
        place.redis_door.refuse()
        place.database_door.refuse()
        load.go_by("spool")
        load.last(1)
        load.end()
        server.kill()
    place.redis_door.open()
    place.database_door.open()
    (segment,) = place.spool.glob("*/*.seg")
    return load, segment


def records(segment: Path) -> list[tuple[int, bytes]]:
    """Where each record's frame begins, and the frame."""
    data = segment.read_bytes()
    _, salt = parse_name(segment.name) or (0, 0)
    found, at = [], START
    while head := read_head(data[at : at + HEAD_BYTES], salt):
        found.append((at + HEAD_BYTES, data[at + HEAD_BYTES : at + head.size]))
        at += head.size
    return found


def notes(place: Installation) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in place.spool.glob("*/quarantine/*.json")]


def drained(place: Installation, *said: str) -> None:
    """Let a new server drain the spool, and a worker the queue."""
    with place.site.serve() as server:
        place.settle()
        assert lines(server, "error", *said), server.log
    status = place.straight.status()
    assert status["spool"]["quarantined"] == len(notes(place)) > 0
    assert status["state"] == "degraded"
    assert any("set aside" in reason for reason in status["reasons"])


def test_bits_of_a_spooled_segment_are_flipped(place: Installation, seed: int, chance: random.Random) -> None:
    """One in a frame, one in the head of another record: those are set aside, and all the others are stored."""
    load, segment = spooled(place, seed)
    first, second = sorted(chance.sample(range(len(records(segment)) - 1), 2))
    (frame_at, framed), (head_end, headed) = records(segment)[first], records(segment)[second]
    flip(segment, frame_at + chance.randrange(len(framed)), chance.randrange(8))
    flip(segment, head_end - HEAD_BYTES + chance.randrange(HEAD_BYTES), chance.randrange(8))
    drained(place, "damaged")
    lost = {*decoded(framed), *decoded(headed)}
    place.check(load, quarantined=lost)
    assert (decoded(framed)[0][0], len(decoded(framed))) in {(note["kind"], note["points"]) for note in notes(place)}


def test_a_spooled_segment_is_truncated(place: Installation, seed: int, chance: random.Random) -> None:
    """What stood before the cut is stored; that there was more is reported."""
    load, segment = spooled(place, seed)
    found = records(segment)
    cut = chance.randrange(1, len(found) - 1)
    at, data = found[cut]
    with segment.open("r+b") as file:
        file.truncate(at - HEAD_BYTES + chance.randrange(HEAD_BYTES + len(data)))
    drained(place, "cut")
    place.check(load, quarantined={key for _, each in found[cut:] for key in decoded(each)})


def flip(file: Path, at: int, bit: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1 << bit
    file.write_bytes(data)


def test_bits_of_frames_in_the_queue_are_flipped(place: Installation, seed: int, chance: random.Random) -> None:
    """Each such frame is a dead letter, whole; all the others are stored."""
    with place.site.serve() as server, Load(server.url, seed) as load:
        load.go_by("queue")
        load.last(1)
    lane = place.lane("live")
    with closing(place.queue.client()) as client:
        entries: Any = client.xrange(lane.stream)
        dead: list[Key] = []
        for entry_id, fields in chance.sample(entries, FLIPPED):
            dead += decoded(fields[b"f"])
            data = bytearray(fields[b"f"])
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            client.xdel(lane.stream, entry_id)
            client.xadd(lane.stream, {"n": fields[b"n"], "f": bytes(data)})
    with place.worker() as worker:
        until(lambda: not place.waiting(), "the queue is empty")
        assert lines(worker, "dead letters"), worker.log
    place.check(load, dead=dead)
    assert sorted(letter.fields["sqlstate"] for letter in place.dead()) == [b"frame"] * FLIPPED
    for letter in place.dead():
        with pytest.raises(FrameError):
            frame.decode(letter.fields["f"])
