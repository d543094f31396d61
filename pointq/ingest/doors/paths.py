"""Which scope opens which path."""

from collections.abc import Mapping

from pointq.metrics.port import PATH as METRICS_PATH
from pointq.ops.importing.answer import PATH as IMPORT_PATH
from pointq.ops.tokens import IMPORT, VIEW
from pointq.points.kinds import KINDS

OPENAPI_PATH = "/openapi.json"

SCOPES: Mapping[str, str | None] = {
    **{kind.endpoint: name for name, kind in KINDS.items()},
    IMPORT_PATH: IMPORT,
    "/health": VIEW,
    "/queue/status": VIEW,
    METRICS_PATH: VIEW,
    # an orchestrator has no token, and learns nothing but a yes or a no
    "/livez": None,
    "/readyz": None,
    # it says how a token is shown, which whoever has none yet must read; there is nothing in it that trying would not tell
    OPENAPI_PATH: None,
}
"""Of every path; None: it is open to everybody. A route that is missing here cannot be added: none is open by mistake."""
