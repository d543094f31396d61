"""The data folder: made if need be, and refused where the servers could not work in it or would not be private."""

import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from pointq.embedded.account import Account
from pointq.embedded.layout import Layout
from pointq.embedded.state import POSTGRES_SOCKET
from pointq.errors import EmbeddedError

ROOT_DATA_DIR = "/var/lib/pointq"
SOCKET_PATH_BYTES = 103
"""The longest path of a Unix socket: 103 bytes on macOS and BSD, 107 on Linux."""

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def prepare(data_dir: Path) -> Layout:
    """Make the data folder, or check the one that is there.

    Raises:
        EmbeddedError: it cannot be made or written, belongs to somebody else, can be changed by others, or (for root)
            lies where the servers' own user cannot get.
    """
    layout = Layout(data_dir.expanduser().resolve())
    _make(layout.data_dir)
    check_owner(layout)
    _check_writable(layout.data_dir)
    if os.geteuid() == 0:
        _open_way(layout)
    return layout


def check_owner(layout: Layout) -> None:
    """Raise `EmbeddedError` if the folder is another user's."""
    owner = layout.data_dir.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedError(
            f"{layout.data_dir} belongs to {_user(owner)}, and pointq runs as {_user(os.geteuid())}",
            hint=f"run pointq as {_user(owner)}, or set POINTQ_DATA_DIR to a folder of your own",
        )


def first_barrier(path: Path) -> Path | None:
    """Find the topmost folder on the way to `path` that others may not pass, if there is one."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)


def make_socket_dir(layout: Layout, account: Account) -> Path:
    """Make the folder of the sockets, which only the servers' account (and root) can enter.

    It is `run` in the data folder, or, where that path is too long or cannot stand in a connection string, a fresh
    folder in /tmp that `run` links to. After a crash the same folder is found again.
    """
    if not _fits(layout.run):
        return _linked(layout, account) or _link(layout, account)
    _remove(layout.run)
    layout.run.mkdir(mode=0o700)
    account.give(layout.run)
    return layout.run


def remove_socket_dir(layout: Layout, socket_dir: Path) -> None:
    """Remove the folder of the sockets and the link to it."""
    _remove(socket_dir)
    _remove(layout.run)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise EmbeddedError(f"{folder} is not a folder", hint="set POINTQ_DATA_DIR to a folder") from None
    except OSError as exc:
        raise EmbeddedError(
            f"the data folder {folder} cannot be made: {exc.strerror}", hint="set POINTQ_DATA_DIR to a folder of your own"
        ) from exc


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EmbeddedError(f"the data folder {folder} cannot be written", hint="set POINTQ_DATA_DIR to another folder")
    if folder.stat().st_mode & _OTHERS_WRITE:
        raise EmbeddedError(
            f"other users may write to the data folder {folder}, so the servers in it would not be private",
            hint=f"set POINTQ_DATA_DIR to a folder of your own, or chmod go-w {folder}",
        )


def _open_way(layout: Layout) -> None:
    """Let the servers' user pass the data folder itself; its parents are not ours to change."""
    folder = layout.data_dir
    if not folder.stat().st_mode & stat.S_IXOTH and _is_ours(layout):
        folder.chmod(0o711)
    barrier = first_barrier(folder / "run")
    if barrier is not None:
        raise EmbeddedError(
            f"root's embedded servers run as a user of their own, and {barrier} lets no other user pass to {folder}",
            hint=f"set POINTQ_DATA_DIR to a folder that others can reach, such as {ROOT_DATA_DIR}",
        )


def _is_ours(layout: Layout) -> bool:
    """Whether the folder holds nothing yet, or what pointq put there: a home given as data folder is not ours."""
    return layout.users_lock.exists() or not any(layout.data_dir.iterdir())


def _fits(socket_dir: Path) -> bool:
    """Whether sockets there can be named; a comma separates folders in PostgreSQL's settings and hosts in its URLs."""
    text = str(socket_dir)
    return len(os.fsencode(text)) + len(POSTGRES_SOCKET) < SOCKET_PATH_BYTES and not set(text) & set(',"')


def _linked(layout: Layout, account: Account) -> Path | None:
    """Return the linked folder if it is there and still private: somebody may have made another of its name."""
    if not layout.run.is_symlink():
        return None
    folder = layout.run.readlink()
    try:
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return folder if private else None


def _link(layout: Layout, account: Account) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pointq-", dir="/tmp"))  # a $TMPDIR may be as long as the data folder
    account.give(folder)
    _remove(layout.run)
    layout.run.symlink_to(folder)
    return folder


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user id {uid}"
