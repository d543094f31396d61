"""docs/formats.md knows every format and every reason."""

from pathlib import Path

import pytest

from pointq.formats.detect import FORMATS
from pointq.formats.flaws import Flaw

TEXT = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")


@pytest.mark.parametrize("name", [known.name for known in FORMATS])
def test_every_format_is_described(name: str) -> None:
    assert f"| `{name}` |" in TEXT


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.NONE], ids=lambda flaw: flaw.name)
def test_every_reason_is_described(flaw: Flaw) -> None:
    assert f"| {flaw.text} |" in TEXT
