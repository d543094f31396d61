"""The embedded servers' programs, and folders for servers of a test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointq.embedded import wheels
from pointq.errors import EmbeddedError
from tests.support.needs import missing


def embedded_programs() -> wheels.Programs:
    """Where the programs are; without them the test cannot run."""
    try:
        return wheels.find()
    except EmbeddedError as exc:
        missing(f"{exc.message}; {exc.hint}")


@contextmanager
def folder_of_a_server(prefix: str) -> Iterator[Path]:
    """Make a folder that any user may enter, as whom the server runs, with a short path for its socket, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
