"""`pointq bench e2e --faults` against servers that are reached by TCP, by a role that is no superuser."""

from psycopg import sql

from tests.faults.installation import Installation
from tests.faults.servers import USER


def test_servers_elsewhere_are_broken_without_being_touched(place: Installation, seed: int) -> None:
    place.order(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(place.name), sql.Identifier(USER)))

    found = place.site.report("bench", "e2e", "--faults", "--duration", "12", "--seed", str(seed))

    assert found["verdict"]["lost_points"] == 0
    assert found["verdict"]["accepted_points"] > 0
    assert len(found["faults"]) >= 3
    assert place.stored() == []
    assert not place.straight.rows("SELECT FROM pg_namespace WHERE nspname LIKE 'pointq_bench_%%'")
