"""The disk: room for the spool, and a file system that keeps it."""

import stat
from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.disk import FileSystem, Folder, SpoolSlots

_LEAST_BYTES = 64 * 2**20
"""Below this an outage of Redis is a matter of seconds."""
_NEARLY_FULL = 0.8
_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.s3fs", "glusterfs"})
_LAYERS = frozenset({"overlay", "overlayfs", "aufs"})


@check(
    "disk.data_dir",
    Folder,
    what="whether the data folder can be used",
    why="the spool and the embedded servers are in it; what others may write there is not to be trusted",
    mend="set POINTQ_DATA_DIR to a folder of the user that runs pointq, with mode 700",
)
def data_dir(folder: Folder) -> Iterator[Finding]:
    """There, writable, and nobody else's."""
    path = folder.path
    if not folder.made:
        said = f"{folder.data_dir} is not there yet, and is made when it is needed"
        yield (
            ok(said)
            if folder.writable
            else fail(f"{folder.data_dir} is not there and cannot be made: {path} cannot be written")
        )
    elif not folder.writable:
        yield fail(f"{path} cannot be written", f"chown -R the user that runs pointq {path}")
    elif folder.owner != folder.user:
        yield warn(
            f"{path} belongs to the user id {folder.owner}, and this is {folder.user}", "run pointq as one and the same user"
        )
    elif folder.mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield fail(f"other users may write to {path}", f"chmod go-w {path}")
    else:
        yield ok(f"{path} can be written, and only by this user")


@check(
    "disk.space",
    FileSystem,
    what="whether the spool has the room that it may use",
    why="a spool that hits a full disk refuses points before its own limit",
    mend="make room, or set spool.max_bytes to what there is",
)
def space(found: FileSystem) -> Iterator[Finding]:
    """Against spool.max_bytes for each server process."""
    if "spool" not in found.settings.serve.fallback:
        return
    wanted = found.settings.spool.max_bytes * found.settings.serve.processes - found.spooled_bytes
    said = f"{_mebibytes(found.free_bytes)} are free at {found.path}"
    if found.free_bytes < _LEAST_BYTES:
        yield fail(f"only {said}")
    elif found.free_bytes < wanted:
        yield warn(f"{said}, and the spool may take {_mebibytes(wanted)} more")
    else:
        yield ok(f"{said}; the spool may take {_mebibytes(max(wanted, 0))} more")


@check(
    "disk.file_system",
    FileSystem,
    what="what the data folder lies on",
    why="what is spooled was answered 202: it must survive a power loss, and the container it is in",
    mend="set POINTQ_DATA_DIR to a folder on a local disk, in a container to a volume",
)
def file_system(found: FileSystem) -> Iterator[Finding]:
    """Memory forgets, a container's own layer goes with it, networks hang."""
    where = f"{found.path} is on {found.type}"
    if found.type is None:
        return
    if found.type in _MEMORY:
        spools = "spool" in found.settings.serve.fallback
        yield (fail if spools else warn)(f"{where}, which is memory: a power loss empties it")
    elif found.type in _NETWORK:
        yield warn(f"{where}, a network: it hangs when the network does, and its locks and syncs may be weaker")
    elif found.type in _LAYERS:
        yield warn(f"{where}, a container's own layer: it goes when the container does")
    else:
        yield ok(where)


@check(
    "disk.spool",
    SpoolSlots,
    what="how full the spool is",
    why="a full spool refuses points while Redis is away",
    mend="bring Redis back, and the spool drains by itself; or raise spool.max_bytes",
)
def spool(found: SpoolSlots) -> Iterator[Finding]:
    """Each process has its own."""
    most = found.settings.spool.max_bytes
    nearly = [slot for slot in found.slots if slot.stats.bytes > _NEARLY_FULL * most]
    for slot in nearly:
        yield warn(f"{slot.path} holds {_mebibytes(slot.stats.bytes)} of {_mebibytes(most)}")
    if not nearly:
        yield ok(f"{sum(slot.stats.points for slot in found.slots)} points wait in the spool")


@check(
    "disk.orphans",
    SpoolSlots,
    what="whether dead servers left points in the spool",
    why="these points were accepted, and reach the queue when a server of this data folder runs",
    mend="pointq serve",
)
def orphans(found: SpoolSlots) -> Iterator[Finding]:
    """Slots with points whose lock nobody holds; a running server drains them."""
    left = [slot for slot in found.slots if slot.stats.records and not slot.held]
    alive = any(slot.held for slot in found.slots)
    for slot in left:
        said = f"{slot.stats.points} points are in {slot.path}, whose server has ended"
        yield ok(f"{said}; a running one drains it") if alive else warn(f"{said}, and none runs here")
    if not left:
        yield ok("no points were left behind by dead servers")


@check(
    "disk.quarantine",
    SpoolSlots,
    what="whether parts of the spool were damaged",
    why="what is in quarantine was accepted and could not be read: it is kept for a person to look at",
    mend="see docs/spool.md, look into the folder quarantine, and move its files away",
)
def quarantine(found: SpoolSlots) -> Iterator[Finding]:
    """By slot."""
    damaged = [slot for slot in found.slots if slot.stats.quarantined]
    for slot in damaged:
        yield warn(
            f"{slot.stats.quarantined} damaged parts are in {slot.path}/quarantine",
            f"see docs/spool.md; when all is rescued: rm -r {slot.path}/quarantine",
        )
    if not damaged:
        yield ok("nothing of the spool was damaged")


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB".replace(",", " ")
