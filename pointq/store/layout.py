"""How the tables are to lie in the database, beyond their columns."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from pointq.config.keeping import ChunkSettings, ColumnstoreSettings, RetentionSettings
from pointq.config.settings import Settings
from pointq.config.spans import span
from pointq.points.kinds import Kind
from pointq.store.mapping import OWN_FLIGHTS, PLAIN, Tables, tables_of


@dataclass(frozen=True, slots=True)
class Layout:
    """What is wished, kind by kind; without TimescaleDB none of it can be had but the column of PostGIS."""

    chunks: ChunkSettings = field(default_factory=ChunkSettings)
    columnstore: ColumnstoreSettings = field(default_factory=ColumnstoreSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    postgis: bool = False
    rollups: bool = False
    tables: Tables = PLAIN
    """Which are pointq's own; the rest is left alone."""

    @classmethod
    def of(cls, settings: Settings, *, rollups: bool = False) -> Self:
        """The layout that the settings ask for. Raises ConfigError as `tables_of` does."""
        return cls(
            settings.chunks,
            settings.columnstore,
            settings.retention,
            settings.database.postgis,
            rollups,
            tables_of(settings.tables),
        )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those whose table is pointq's own."""
        return tuple(table.kind for table in self.tables.points.values() if not table.mapped)

    @property
    def keeps_flights(self) -> bool:
        """Whether pointq's own flights are kept, and with them the ledger of imports, which asks them what is stored."""
        return self.tables.flights is OWN_FLIGHTS

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that pointq makes."""
        own = ("flights", "imports") if self.keeps_flights else ()
        return (*(kind.table for kind in self.kinds), *own, "pointq_tokens")

    def chunk(self, kind: Kind) -> timedelta:
        """Span of time of a chunk."""
        return span(getattr(self.chunks, kind.name))

    def compress_after(self, kind: Kind) -> timedelta | None:
        """Age at which a chunk is compressed; None: never."""
        text: str = getattr(self.columnstore, kind.name)
        return None if text == "off" else span(text)

    def drop_after(self, kind: Kind) -> timedelta | None:
        """Age at which points are dropped; None: never, or not pointq's business."""
        text: str | None = getattr(self.retention, kind.name)
        return None if text in {None, "off"} else span(str(text))

    def keeps_for_ever(self, kind: Kind) -> bool:
        """Whether a policy that drops points of this kind is to be removed."""
        return bool(getattr(self.retention, kind.name) == "off")
