"""The PostgreSQL cluster in the data folder: made once, complete, and checked at every start."""

import os
import pwd
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from pointq.embedded import logs
from pointq.embedded.account import Account
from pointq.embedded.layout import Layout
from pointq.embedded.state import DATABASE
from pointq.embedded.wheels import POSTGRES_MAJOR, Programs
from pointq.errors import EmbeddedError

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the servers see of the user's environment: a `PGDATA` or `PGPORT` there must not reach them."""

STEP_SECONDS = 120
"""For one step of making a cluster; the slowest takes half a second on an ordinary disk."""

_SETTINGS = {
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "max_connections": "50",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""What goes into postgresql.conf, where a user may change it."""

_INITDB_ACCOUNT = "nobody"


def prepare(layout: Layout, programs: Programs, account: Account) -> None:
    """Make the cluster unless it is there, and write down who may connect.

    Raises:
        EmbeddedError: it cannot be made, or is of another major version of PostgreSQL.
    """
    if (layout.postgres / "PG_VERSION").exists():
        _check_version(layout)
    else:
        _make(layout, programs, account)
    account.give(layout.postgres)
    _write_access(layout, account)


def _check_version(layout: Layout) -> None:
    found = (layout.postgres / "PG_VERSION").read_text().strip()
    if found != POSTGRES_MAJOR:
        raise EmbeddedError(
            f"the database in {layout.postgres} was made by PostgreSQL {found}, and the installed one is {POSTGRES_MAJOR}",
            hint="install the pointq that made it and move the data with pg_dump, or set POINTQ_DATA_DIR to a new folder",
        )


def _make(layout: Layout, programs: Programs, account: Account) -> None:
    """Make the cluster in the nursery and move it, whole and on disk, to its place.

    initdb's own sync is left out, since the database is made after it; one sync at the end (`initdb -S`) covers both.
    """
    cluster = layout.nursery / "postgres"
    maker = _open_nursery(layout, cluster, account)
    _run(maker, programs.initdb, "-D", cluster, *_initdb_options())
    _run(maker, programs.postgres, "--single", "-D", cluster, *_single_options(), stdin=f"CREATE DATABASE {DATABASE}\n")
    _run(maker, programs.initdb, "-S", "-D", cluster)
    account.give(cluster)
    cluster.rename(layout.postgres)
    for folder in (layout.data_dir, layout.nursery):
        _sync(folder)
    layout.nursery.rmdir()


def _open_nursery(layout: Layout, cluster: Path, account: Account) -> Account:
    """Make a fresh nursery with an empty folder for the cluster, and choose the account that makes it.

    initdb wants an account with a name, which the servers' has not: `nobody` does its work. Other processes of `nobody`
    get at nothing meanwhile: only members of the servers' group can enter the nursery, and the kernel lets nobody trace
    a process of another group.
    """
    shutil.rmtree(layout.nursery, ignore_errors=True)
    layout.nursery.mkdir(mode=0o700)
    cluster.mkdir(mode=0o700)
    if not account.dedicated:
        return account
    maker = replace(account, uid=_initdb_uid())
    os.chown(layout.nursery, 0, account.gid)
    layout.nursery.chmod(0o710)
    maker.give(cluster)
    return maker


def _initdb_uid() -> int:
    try:
        return pwd.getpwnam(_INITDB_ACCOUNT).pw_uid
    except KeyError:
        raise EmbeddedError(
            f"to make a database as root the account {_INITDB_ACCOUNT!r} is needed, and this system has none",
            hint="run pointq as a normal user, or set REDIS_URL and DATABASE_URL",
        ) from None


def _initdb_options() -> list[str]:
    """Choose the built-in locale: it orders text alike on every system and after every update of a C library."""
    options = ["-U", "postgres", "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"]
    for name, value in _SETTINGS.items():
        options += ["-c", f"{name}={value}"]
    return options


def _single_options() -> list[str]:
    """`exit_on_error`, because a single-user session ends with exit code 0 whatever its statements came to."""
    return ["-c", "exit_on_error=on", "-c", "fsync=off", "postgres"]


def _run(account: Account, *command: str | Path, stdin: str = "") -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the wheels' programs
            command,
            input=stdin,
            capture_output=True,
            text=True,
            cwd="/",
            env=ENVIRONMENT,
            timeout=STEP_SECONDS,
            check=False,
            **account.popen(),
        )
    except subprocess.TimeoutExpired as exc:
        raise EmbeddedError(f"the database could not be made: no end of {command[0]} in {STEP_SECONDS} s") from exc
    if done.returncode != 0:
        said = logs.telling(done.stderr) or f"exit code {done.returncode} of {command[0]}"
        raise EmbeddedError(f"the database could not be made: {said}")


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_access(layout: Layout, account: Account) -> None:
    """Only the user who started the servers may connect, known by the kernel's word on the socket's other end."""
    rules = {
        "pg_hba.conf": "local all all peer map=pointq\n",
        "pg_ident.conf": f'pointq "{account.client}" postgres\n',
    }
    for name, text in rules.items():
        path = layout.postgres / name
        path.write_text(text)
        account.give(path)
