"""The statements that make tables and say how they are kept."""

from datetime import timedelta
from typing import LiteralString

from psycopg import sql

from pointq.points.kinds import Kind
from pointq.store.statements import sql_type, text

KEY = ("flight_uuid", "time", "lat", "lon")
"""What makes a point that is sent twice one point."""


def create_table(kind: Kind, *, postgis: str | None = None) -> sql.Composed:
    """``CREATE TABLE`` for that kind, which is not there; `postgis` is the schema of PostGIS, where a column geom is wanted."""
    columns: list[sql.Composable] = [sql.SQL("flight_uuid uuid NOT NULL")]
    columns += [
        sql.SQL("{name} {type}{null}").format(
            name=sql.Identifier(column.name),
            type=sql_type(column),
            null=sql.SQL(" NOT NULL" if column.required else ""),
        )
        for column in kind.columns
    ]
    if postgis is not None:
        columns.append(_geom(postgis))
    return sql.SQL("CREATE TABLE {table} (\n    {columns}\n)").format(
        table=sql.Identifier(kind.table), columns=sql.SQL(",\n    ").join(columns)
    )


def add_geom(kind: Kind, postgis: str) -> sql.Composed:
    """Add the column of PostGIS to a table that is there."""
    return sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(sql.Identifier(kind.table), _geom(postgis))


def create_hypertable(kind: Kind, chunk: timedelta, functions: str = "public") -> sql.Composed:
    """Make the table a hypertable, without TimescaleDB's own index on time: it would cost a third of every insert.

    `functions` is the schema of the extension, which need not be one that names are looked up in.
    """
    return sql.SQL(
        "SELECT {functions}.create_hypertable({table}, {functions}.by_range('time', {chunk}), "
        "create_default_indexes => false, if_not_exists => true)"
    ).format(functions=sql.Identifier(functions), table=sql.Literal(kind.table), chunk=interval(chunk))


def create_key(kind: Kind) -> sql.Composed:
    """The one index of a table that has none.

    The server names it: an index keeps its name when its table is moved aside, so any name of ours may be taken, and
    ``IF NOT EXISTS``, which looks at the name alone, would leave the new table without its index.
    """
    return sql.SQL("CREATE UNIQUE INDEX ON {table} ({key})").format(
        table=sql.Identifier(kind.table),
        key=sql.SQL(", ").join(map(sql.Identifier, KEY)),
    )


def set_chunk(kind: Kind, chunk: timedelta, functions: str) -> sql.Composed:
    """Chunks made from now on have that span."""
    return _call("SELECT {functions}.set_chunk_time_interval({table}, {span})", kind, functions, chunk)


def enable_columnstore(kind: Kind) -> sql.Composed:
    """A flight's points lie together in the columnstore, in the order of time."""
    return sql.SQL(
        "ALTER TABLE {} SET (timescaledb.enable_columnstore, "
        "timescaledb.segmentby = 'flight_uuid', timescaledb.orderby = 'time')"
    ).format(sql.Identifier(kind.table))


def add_columnstore_policy(kind: Kind, after: timedelta, functions: str) -> sql.Composed:
    """Compress chunks of that age."""
    return _call("CALL {functions}.add_columnstore_policy({table}, after => {span})", kind, functions, after)


def remove_columnstore_policy(kind: Kind, functions: str) -> sql.Composed:
    """Compress no more; what is compressed stays so."""
    return _call("CALL {functions}.remove_columnstore_policy({table})", kind, functions)


def add_retention_policy(kind: Kind, after: timedelta, functions: str) -> sql.Composed:
    """Drop chunks of that age."""
    return _call("SELECT {functions}.add_retention_policy({table}, drop_after => {span})", kind, functions, after)


def remove_retention_policy(kind: Kind, functions: str) -> sql.Composed:
    """Drop nothing more."""
    return _call("SELECT {functions}.remove_retention_policy({table})", kind, functions)


def rollup_name(kind: Kind) -> str:
    """The view of a kind's minutes."""
    return f"{kind.table}_minutes"


def create_rollup(kind: Kind, functions: str) -> sql.Composed:
    """The view of a kind's minutes, empty until its policy first runs."""
    return sql.SQL(text("rollup")).format(
        view=sql.Identifier(rollup_name(kind)),
        table=sql.Identifier(kind.table),
        altitude=sql.Identifier(kind.altitude),
        functions=sql.Identifier(functions),
    )


def refresh_rollup(kind: Kind, since: timedelta | None, functions: str) -> sql.Composed:
    """Bring its minutes up to date every minute; `since`: not those older, whose points may be dropped."""
    return sql.SQL(
        "SELECT {functions}.add_continuous_aggregate_policy({view}, start_offset => {since}, "
        "end_offset => INTERVAL '2 minutes', schedule_interval => INTERVAL '1 minute')"
    ).format(
        functions=sql.Identifier(functions),
        view=sql.Literal(rollup_name(kind)),
        since=sql.SQL("NULL") if since is None else interval(since),
    )


def remove_refresh(kind: Kind, functions: str) -> sql.Composed:
    """Bring its minutes up to date no more."""
    return sql.SQL("SELECT {functions}.remove_continuous_aggregate_policy({view}, if_exists => true)").format(
        functions=sql.Identifier(functions), view=sql.Literal(rollup_name(kind))
    )


def interval(span: timedelta) -> sql.Composed:
    """A span as PostgreSQL writes it, in whole minutes or days."""
    minutes = span // timedelta(minutes=1)
    words = f"{minutes // 1440} days" if minutes % 1440 == 0 else f"{minutes} minutes"
    return sql.SQL("INTERVAL {}").format(sql.Literal(words))


def _geom(postgis: str) -> sql.Composed:
    return sql.SQL(
        "geom {s}.geometry(Point, 4326) GENERATED ALWAYS AS ({s}.ST_SetSRID({s}.ST_MakePoint(lon, lat), 4326)) STORED"
    ).format(s=sql.Identifier(postgis))


def _call(template: LiteralString, kind: Kind, functions: str, span: timedelta | None = None) -> sql.Composed:
    return sql.SQL(template).format(
        functions=sql.Identifier(functions),
        table=sql.Literal(kind.table),
        span=interval(span or timedelta()),
    )
