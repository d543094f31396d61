"""This machine, and what embedded servers need of it."""

from dataclasses import replace

import pytest

from pointq.config import Settings
from pointq.errors import EmbeddedError
from pointq.ops.doctor.checks import host as checks
from pointq.ops.doctor.sources.host import host
from pointq.ops.doctor.sources.setup import setup
from tests.doctor.doctor import Patient

HERE = host(Settings())


@pytest.mark.parametrize(
    ("most", "severity"), [(-1, "ok"), (65_536, "ok"), (600, "ok"), (599, "warn"), (100, "warn"), (99, "fail")]
)
def test_open_files(most: int, severity: str) -> None:
    # 50 connections to Redis, 50 of its own, 500 senders
    (finding,) = checks.open_files(replace(HERE, open_files=most))

    assert finding.severity == severity


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"uvloop": False}, "pip install uvloop"),
        ({"hiredis": False}, "pip install 'redis[hiredis]'"),
        ({"libpq": "python"}, "pip install 'psycopg[binary]'"),
    ],
)
def test_slow_parts(change: dict[str, object], mend: str) -> None:
    (finding,) = checks.packages(replace(HERE, **change))  # type: ignore[arg-type]

    assert (finding.severity, finding.mend) == ("warn", mend)


def test_this_machine_is_good_enough() -> None:
    looks = (checks.python, checks.packages, checks.time_zones)
    assert [finding.severity for look in looks for finding in look(HERE)] == ["ok", "ok", "ok"]


def test_no_time_zones() -> None:
    (finding,) = checks.time_zones(replace(HERE, time_zones=False))

    assert finding.severity == "warn"


def test_an_old_python() -> None:
    (finding,) = checks.python(replace(HERE, python=(3, 10, 9)))

    assert (finding.severity, finding.message) == ("fail", "Python 3.10.9 is too old")


def test_embedded_servers_that_are_not_installed(patient: Patient) -> None:
    meant = setup(patient.with_(POINTQ_REDIS__URL="", POINTQ_DATABASE__URL="").load())
    assert [finding.severity for finding in checks.embedded(replace(meant, no_wheels=EmbeddedError("no wheels")))] == ["fail"]
    assert [finding.severity for finding in checks.embedded(replace(meant, no_wheels=None))] == ["ok"]
    assert not list(checks.embedded(setup(patient.load())))
