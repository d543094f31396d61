"""A site: one pointq with a database, a key prefix and a home of its own, seen only from outside."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.support.points import TABLES
from tests.support.processes import Running, Server

Result = subprocess.CompletedProcess[str]
Row = dict[str, Any]

_COMMAND_SECONDS = 240
_BY_KEY = "ORDER BY flight_uuid, time, lat, lon"

_numbers = itertools.count(1)


def clean_environ(home: Path) -> dict[str, str]:
    """Make an environment without any setting of pointq's; coverage measures other processes too."""
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "PYTHONPATH", "LANG", "LC_"))
    }
    return kept | {"HOME": str(home), "POINTQ_DATA_DIR": str(home / "data")}


def run_pointq(*arguments: str, environ: Mapping[str, str], home: Path, stdin: bytes = b"") -> Result:
    """Run a command to its end, from the home."""
    done = subprocess.run(
        (sys.executable, "-m", "pointq", *arguments),
        input=stdin,
        env=environ,
        cwd=home,
        capture_output=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    return Result(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class Site:
    """Where everything of it is. `extra` are further settings, as environment variables.

    What only looks at servers waits long for them, so that a loaded machine fails nothing; `hasty` is as pointq is by itself.
    """

    redis_url: str
    database_url: str
    prefix: str
    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command of this site."""
        return {
            **clean_environ(self.home),
            "POINTQ_REDIS__URL": self.redis_url,
            "POINTQ_DATABASE__URL": self.database_url,
            "POINTQ_QUEUE__PREFIX": self.prefix,
            "POINTQ_PATIENCE_SECONDS": "30",
            **self.extra,
        }

    @property
    def hasty(self) -> "Site":
        """The same, where servers hang or time counts."""
        return replace(self, extra={**self.extra, "POINTQ_PATIENCE_SECONDS": "0.4"})

    def run(self, *arguments: str, expect: int = 0, stdin: bytes = b"") -> Result:
        """Run a command to its end and check its exit code; no command may show a traceback."""
        done = run_pointq(*arguments, environ=self.environ, home=self.home, stdin=stdin)
        said = f"pointq {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expect, said
        assert "Traceback" not in done.stderr, said
        return done

    def report(self, *arguments: str, expect: int = 0, stdin: bytes = b"") -> Any:
        """Run a command with `--json`; what it reports."""
        return json.loads(self.run(*arguments, "--json", expect=expect, stdin=stdin).stdout)

    def status(self) -> Any:
        """Return the status document."""
        return self.report("status")

    def drain(self) -> None:
        """Store everything that waits."""
        self.run("work", "--drain")

    def serve(self, *arguments: str, trusted: Path | None = None) -> Server:
        """Start an ingest server on a free port, without a worker; by HTTPS where its certificate is `trusted`."""
        return Server(arguments, environ=self.environ, folder=self.home, name=f"serve-{next(_numbers)}", trusted=trusted)

    def work(self, *arguments: str) -> Running:
        """Start workers."""
        return Running(("work", *arguments), environ=self.environ, folder=self.home, name=f"work-{next(_numbers)}")

    def rows(self, query: LiteralString | sql.Composed, *arguments: Any) -> list[Row]:
        """Ask the database."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query, arguments).fetchall()

    def points(self, kind: str, columns: LiteralString = "*", rest: LiteralString = _BY_KEY) -> list[Row]:
        """Read the table of a kind."""
        table = sql.Identifier(TABLES[kind])
        return self.rows(sql.SQL("SELECT {} FROM {} {}").format(sql.SQL(columns), table, sql.SQL(rest)))

    def value(self, query: LiteralString, *arguments: Any) -> Any:
        """Ask the database for one value."""
        (row,) = self.rows(query, *arguments)
        (value,) = row.values()
        return value
