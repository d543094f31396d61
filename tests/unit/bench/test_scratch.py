from datetime import timedelta

import pytest
from psycopg.conninfo import conninfo_to_dict

from pointq.ops.bench.scratch import BARE, within_schema
from pointq.store.ddl import create_hypertable


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p%40ss@host:5433/points",
        "postgresql://user:p%40ss@host:5433/points?sslmode=require&options=-c%20work_mem%3D64MB",
        "host=host port=5433 dbname=points user=user password=p@ss",
        "postgresql:///points?host=/run/pointq%20data",
    ],
)
def test_only_the_schema_is_looked_into_and_nothing_else_changes(url: str) -> None:
    before, after = conninfo_to_dict(url), conninfo_to_dict(within_schema(url, "pointq_bench_1"))

    own = f"{before.pop('options', '')} -c search_path=pointq_bench_1".strip()
    assert after.pop("options") == own
    assert after == before


def test_the_functions_of_timescaledb_are_found_where_no_other_schema_is_looked_into() -> None:
    statement = create_hypertable(BARE, timedelta(days=7), "extensions").as_string()

    assert '"extensions".create_hypertable(\'bare_points\', "extensions".by_range(' in statement
