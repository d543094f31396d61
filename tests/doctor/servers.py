"""A PostgreSQL of the test's own, to be stopped, frozen, or made a standby."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointq.embedded import wheels
from pointq.embedded.account import Account
from pointq.embedded.layout import Layout
from pointq.errors import EmbeddedError
from tests.faults.servers import DatabaseServer
from tests.support.needs import missing


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """Make one and start it; stop it and remove its data."""
    try:
        found = wheels.find()
    except EmbeddedError as exc:
        missing(f"{exc.message}; {exc.hint}")
    folder = Path(tempfile.mkdtemp(prefix="pq-doctor-"))
    folder.chmod(0o711)
    layout = Layout(folder)
    user = _unprivileged()
    try:
        with DatabaseServer(folder / "db", wheels.reachable(found, layout, user), user) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> Account:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return Account(user.pw_uid, user.pw_gid, user.pw_name, dedicated=os.geteuid() == 0)
