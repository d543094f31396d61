"""Files that are made to do harm are refused or rejected, in linear time and in little memory."""

import json
import subprocess
import sys

import pytest

from tests.support.hostile import FILES

SPARE_MIB = 128
"""What the reader may take besides the file: the blocks of texts that are held at a time."""
SECONDS = 60
"""What is quadratic needs hours for these sizes; what is linear, some seconds on a busy machine."""

ENTITIES = "declares a document type or entities: refused"
TOO_LONG = "longer than 1 MiB: refused"
QUOTES = "quotation mark is not closed"

EXPECTED: dict[str, tuple[int, str, int]] = {
    "entities in entities": (1, ENTITIES, 0),
    "one long entity": (16, ENTITIES, 0),
    "an external entity": (1, ENTITIES, 0),
    "an external document type": (1, ENTITIES, 0),
    "nested tags": (64, "more than 64 tags inside each other at line 1: refused", 0),
    "different names": (16, "more than 4096 different names", 0),
    "a long name": (64, TOO_LONG, 0),
    "a long attribute": (64, TOO_LONG, 0),
    "many attributes": (16, TOO_LONG, 0),
    "a long comment": (64, TOO_LONG, 0),
    "long numbers": (64, "no time", 0),
    "a long time": (64, "neither ISO 8601", 1),
    "NULs in XML": (64, "cut or damaged here", 1),
    "comments in the prolog": (16, "unknown format: found XML", 0),
    "a long line": (64, "longer than 16,384", 2),
    "a long line of columns": (64, "longer than 16,384", 2),
    "a long header": (64, "unknown format", 0),
    "quotation marks in each line": (2, QUOTES, 2),
    "a quotation mark in every 20th line": (2, QUOTES, 2),
    "a row of long lines": (64, QUOTES, 2),
    "one quotation mark": (2, QUOTES, 2),
    "NULs in a table": (64, "longer than 16,384", 2),
    "lines of nothing": (2, "[]", 2),
    "wide rows": (64, "neither ISO 8601", 2),
}
"""Size in MiB, what is said of the file, and how many fixes are read of it."""


def test_every_file_is_tried() -> None:
    assert set(EXPECTED) == set(FILES)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process by what it has")
@pytest.mark.parametrize("name", sorted(FILES))
def test_hostile_files(name: str) -> None:
    mib, said, fixes = EXPECTED[name]
    command = [sys.executable, "-m", "tests.support.hostile", name, str(mib), str(SPARE_MIB)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert said in str(outcome.get("error", outcome.get("reasons")))
    assert outcome.get("fixes", 0) == fixes
