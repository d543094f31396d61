"""What the dashboard and the alerts ask Prometheus."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

CONTRIB = Path(__file__).parents[2] / "contrib"


def dashboard_queries() -> Sequence[str]:
    """The dashboard's queries, with values in place of its variables."""
    panels = json.loads((CONTRIB / "grafana" / "dashboards" / "pointq.json").read_text("utf8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [query.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$kind", ".*") for query in queries]


def names_asked_for() -> set[str]:
    """The metrics in the queries and in the alerts, histograms without their endings."""
    rules = [path.read_text("utf8") for path in (CONTRIB / "prometheus").glob("**/*.yml") if path.parent.name != "tests"]
    expressions = [line for text in rules for line in text.splitlines() if "annotations" not in line]
    found = set(re.findall(r"\bpointq_\w+", "\n".join([*dashboard_queries(), *expressions])))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}
