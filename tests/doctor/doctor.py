"""The doctor in this process: what it finds under an environment."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pointq import config
from pointq.ops.doctor.examine import examine
from pointq.ops.doctor.report import Line, Report

NO_DATABASE = "postgresql://pointq@/pointq?host=/nowhere"
"""Refused at once."""
NO_REDIS = "unix:///nowhere/redis.sock"


@dataclass(frozen=True)
class Patient:
    """A set-up that is examined. `settings` are environment variables. Its servers have long to answer; else it is `hasty`."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    def with_(self, **settings: str) -> "Patient":
        """The same with other settings: POINTQ_ and __ as in the environment."""
        return Patient(self.home, self.settings | settings)

    @property
    def hasty(self) -> "Patient":
        """The same with pointq's own patience, where something hangs."""
        return self.with_(POINTQ_PATIENCE_SECONDS="0.4")

    def load(self) -> config.LoadedConfig:
        environ = {
            "HOME": str(self.home),
            "POINTQ_DATA_DIR": str(self.home / "data"),
            "POINTQ_REDIS__URL": NO_REDIS,
            "POINTQ_DATABASE__URL": NO_DATABASE,
            "POINTQ_PATIENCE_SECONDS": "30",
        }
        return config.load(environ=environ | self.settings, cwd=self.home)

    async def examine(self) -> Report:
        """All findings."""
        return await examine(self.load())

    async def line(self, check: str) -> Line:
        """The one finding of that check."""
        (line,) = lines_of(await self.examine(), check)
        return line

    async def severity(self, check: str) -> str:
        """How that check judges."""
        return (await self.line(check)).severity


def lines_of(report: Report, check: str) -> Iterator[Line]:
    """What that check found."""
    return (line for line in report.findings if line.check == check)
