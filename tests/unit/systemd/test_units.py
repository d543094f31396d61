"""The units: valid, hardened, and consistent with the defaults of the program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pointq.config.settings import Settings
from pointq.ingest.plan import Plan
from tests.support.needs import missing

UNITS = Path(__file__).parents[3] / "contrib" / "systemd"
SERVICES = ("pointq-serve.service", "pointq-work@.service")


@pytest.fixture
def systemd() -> None:
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze is not here")


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("name", SERVICES)
def test_little_is_exposed(name: str) -> None:
    command = ("systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", str(UNITS / name))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@pytest.mark.usefixtures("systemd")
def test_every_unit_is_valid(tmp_path: Path) -> None:
    program = shutil.which("true") or ""
    names = []
    for unit in UNITS.glob("pointq*"):
        # an instance, since a template is none; and a program that is there
        copy = tmp_path / unit.name.replace("@.", "@1.")
        copy.write_text(unit.read_text().replace("/opt/pointq/bin/pointq", program))
        names.append(str(copy))
    command = ("systemd-analyze", "verify", "--man=no", *names)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "pointq" in line]
    assert (done.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_stop_takes_is_within_what_systemd_waits(name: str) -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", (UNITS / name).read_text(), re.MULTILINE)
    serve = Settings().serve
    plan = Plan("", "", shutdown_seconds=serve.shutdown_seconds, budget_seconds=serve.budget_seconds)
    assert found
    assert int(found[1]) >= plan.stop_seconds
