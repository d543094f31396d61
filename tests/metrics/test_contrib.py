"""The dashboard and the alerts: promtool takes them, and every section that they name is there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pointq.metrics.families import FAMILIES
from tests.metrics.queries import CONTRIB, dashboard_queries
from tests.support.needs import missing

PROJECT = CONTRIB.parent
PROMETHEUS = CONTRIB / "prometheus"


@pytest.fixture
def promtool() -> str:
    found = os.environ.get("POINTQ_TEST_PROMTOOL") or shutil.which("promtool")
    if not found:
        missing("promtool is not there: .ci/promtool fetches it, set POINTQ_TEST_PROMTOOL to what it prints")
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "pointq-alerts.yml"),
        ("check", "rules", "optional/pending-points.yml"),
        ("test", "rules", "tests/alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_takes_it(promtool: str, arguments: tuple[str, ...]) -> None:
    done = subprocess.run((promtool, *arguments), cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_every_query_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"q{i}", "expr": query} for i, query in enumerate(dashboard_queries())]
    # JSON is YAML
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run((promtool, "check", "rules", str(file)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_what_to_do_and_where_that_is_written() -> None:
    headings = re.findall(r"^#+ (.+)$", (PROJECT / "docs" / "operations.md").read_text("utf8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    tested = (PROMETHEUS / "tests" / "alerts_test.yml").read_text("utf8")
    for file in ("pointq-alerts.yml", "optional/pending-points.yml"):
        for alert in (PROMETHEUS / file).read_text("utf8").split("- alert: ")[1:]:
            name = alert.splitlines()[0]
            assert all(re.search(rf"^\s+{note}: \S", alert, re.MULTILINE) for note in ("summary", "description", "action")), (
                name
            )
            (anchor,) = re.findall(r"runbook: docs/operations\.md#(\S+)", alert)
            assert anchor in anchors, name
            assert re.search(rf"alertname: {name}\n\s+exp_alerts:", tested), f"no test sees {name} fire"


def test_the_optional_alert_is_not_loaded() -> None:
    loaded = re.findall(r"^  - (\S+\.yml)$", (PROMETHEUS / "prometheus.yml").read_text("utf8"), re.MULTILINE)
    assert loaded == ["pointq-alerts.yml"]


def test_the_dashboard_is_laid_out_without_overlaps() -> None:
    panels: list[dict[str, Any]] = json.loads((CONTRIB / "grafana" / "dashboards" / "pointq.json").read_text("utf8"))["panels"]
    taken = set[tuple[int, int]]()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert panel["type"] == "row" or panel["description"], panel["title"]
        taken |= cells


def test_the_document_has_the_table_of_metrics() -> None:
    text = (PROJECT / "docs" / "metrics.md").read_text("utf8")
    rows = [
        (family.name, family.type, ", ".join(f"`{label}`" for label in family.labels) or "none", ", ".join(family.tellers))
        for family in FAMILIES.values()
    ]
    assert re.findall(r"^\| `(pointq_\w+)` \| (\w+) \| ([^|]+) \| ([\w, ]+) \|", text, re.MULTILINE) == rows
