"""The database is away or cannot be used for a while; points wait, and nothing is a dead letter."""

from collections.abc import Callable

import pytest

from tests.faults.installation import RECOVERY_SECONDS, SECONDS, Installation, assert_prompt, decoded, lines
from tests.faults.load import Load
from tests.faults.servers import ENGINES, USER
from tests.support.api import UPLOAD
from tests.support.points import flight_uuid, track
from tests.support.until import PATIENCE_SECONDS, until

pytestmark = pytest.mark.timeout(SECONDS * 2 + PATIENCE_SECONDS * 4)


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_the_database_refuses_for_a_while(place: Installation, seed: int, seconds: float) -> None:
    """The backlog grows, then drains; the log says it once, and once again when it is over."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            place.database_door.refuse()
            load.last(seconds)
            assert place.waiting() > 0
            place.database_door.open()
            place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert set(load.ways) == {"queue"}
        assert len(lines(worker, "the database", "tried again")) == 1, worker.log
        assert len(lines(worker, "the database", "works again")) == 1, worker.log
    place.check(load)


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_everything_is_away_for_a_while(place: Installation, seed: int) -> None:
    """The spool takes what comes, also in a server that is started again, and drains by itself."""
    with place.worker() as worker:
        with place.site.serve() as server, Load(server.url, seed) as load:
            load.go_by("queue")
            place.redis_door.refuse()
            place.database_door.refuse()
            load.go_by("spool")
            load.last(SECONDS / 5)
            load.end()
            server.kill()
        with place.site.serve() as server, Load(server.url, seed, name="again") as again:
            again.go_by("spool")
            place.redis_door.open()
            again.go_by("queue")
            place.database_door.open()
            again.end()
            place.empty()
        assert not lines(worker, "Traceback")
    assert_prompt(load)
    assert_prompt(again)
    place.check(load, again)


def rename(place: Installation) -> Callable[[], None]:
    place.order("ALTER TABLE uploaded_track_points RENAME TO away")
    return lambda: place.order("ALTER TABLE away RENAME TO uploaded_track_points")


def revoke(place: Installation) -> Callable[[], None]:
    place.order(f"REVOKE INSERT ON uploaded_track_points FROM {USER}")
    return lambda: place.order(f"GRANT INSERT ON uploaded_track_points TO {USER}")


def close(place: Installation) -> Callable[[], None]:
    """As behind a failover: sessions that begin now cannot write, and the others are ended."""
    place.order(f"ALTER DATABASE {place.name} SET default_transaction_read_only = on")
    sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pointq'"
    place.order(sessions)

    def mend() -> None:
        with place.admin() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {place.name} RESET default_transaction_read_only")

    return mend


@pytest.mark.parametrize(
    ("trouble", "said", "lanes"),
    [(rename, "does not exist", 1), (revoke, "permission denied", 1), (close, "read-only", 2)],
    ids=["renamed", "revoked", "read-only"],
)
def test_a_table_cannot_be_used_for_a_while(
    place: Installation, seed: int, trouble: Callable[[Installation], Callable[[], None]], said: str, lanes: int
) -> None:
    """Its lane waits and the others go on; after it is mended all is stored."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            mend = trouble(place)
            until(lambda: len(lines(worker, said, "tried again")) == lanes, f"the log says {said}")
            before = place.straight.value("SELECT count(*) FROM live_track_points")
            load.last(SECONDS / 10)
            if lanes == 1:
                assert place.straight.value("SELECT count(*) FROM live_track_points") > before, "the other lane goes on"
            assert [worker.state for worker in place.status().workers or ()] == ["paused"]
            mend()
            until(lambda: len(lines(worker, "works again")) >= lanes, "the log says that it is over", within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert len(lines(worker, said)) == lanes, worker.log
    place.check(load)


def test_one_poison_point_in_twenty_thousand(place: Installation, seed: int) -> None:
    """All others are stored, and the dead letter is that point, with all that is known of it."""
    place.order("ALTER TABLE uploaded_track_points ADD CONSTRAINT no_poison CHECK (elevation <> 666)")
    points = track(20_000, elevation=1_000)
    bad = seed % len(points)
    points[bad]["elevation"] = 666
    with place.site.serve() as server, server.client() as client, Load(server.url, seed) as load, place.worker() as worker:
        assert client.post(UPLOAD, {"flight_id": "poison", "track_points": points}).status == 202
        flight = flight_uuid("upload", "poison")
        query = "SELECT count(*) FROM uploaded_track_points WHERE flight_uuid = %s"
        until(lambda: place.straight.value(query, flight) == len(points) - 1, "all others are stored")
        load.end()
        place.empty()
        (letter,) = place.dead()
        ((kind, found, _, lat, lon),) = decoded(letter.fields["f"])
        assert (kind, found, lat, lon) == ("upload", flight, points[bad]["lat"], points[bad]["lon"])
        assert letter.fields["sqlstate"] == b"23514"
        assert b"no_poison" in letter.fields["message"]
        assert letter.fields["queue"].decode() == letter.lane.stream
        assert set(letter.fields) >= {"id", "deliveries", "first_seen", "last_seen"}
        assert len(lines(worker, "dead letters")) == 1, worker.log
    assert place.straight.value("SELECT points FROM flights WHERE flight_uuid = %s", flight) == len(points) - 1
    assert place.status().totals.dead_points == 1
    assert any("dead letter" in reason for reason in place.straight.status()["reasons"])
