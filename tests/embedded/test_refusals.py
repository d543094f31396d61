import os
import pwd
import resource
import shutil
from pathlib import Path

import psycopg
import pytest
import redis

from pointq.embedded import cluster, folder, logs, probe, state, use, wheels
from pointq.embedded.account import Account, choose
from pointq.embedded.layout import Layout
from pointq.errors import EmbeddedError
from tests.embedded.commands import NOBODY, Start, gone, needs_root


def refusal(data_dir: Path) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as caught, use(data_dir):
        pass
    return caught.value


def test_without_the_extra_the_error_says_what_to_install(fresh: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "find_spec", lambda _name: None)
    error = refusal(fresh.data_dir)
    assert "no Redis and no database are configured" in error.message
    assert "not installed" in error.message
    assert error.hint == "pip install 'pointq[embedded]', or set REDIS_URL and DATABASE_URL"


def test_wheels_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "machine", lambda: "sparc64")
    with pytest.raises(EmbeddedError, match=r"hold no valkey-server for .*-sparc64"):
        wheels.find()


@needs_root
def test_root_is_told_which_folder_bars_the_way(place: Path) -> None:
    (place / "private").mkdir(mode=0o700)
    (place / "private" / "inner").mkdir(mode=0o700)
    error = refusal(place / "private" / "inner" / "data")
    assert f"{place / 'private'} lets no other user pass" in error.message
    assert error.hint == "set POINTQ_DATA_DIR to a folder that others can reach, such as /var/lib/pointq"
    assert (place / "private").stat().st_mode & 0o777 == 0o700


@needs_root
def test_root_s_home_as_data_folder_stays_closed(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    (home / ".profile").touch()
    assert f"{home} lets no other user pass" in refusal(home).message
    assert home.stat().st_mode & 0o777 == 0o700


@needs_root
def test_the_folder_of_another_user(place: Path) -> None:
    theirs = place / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, NOBODY, NOBODY)
    error = refusal(theirs)
    assert error.message == f"{theirs} belongs to nobody, and pointq runs as root"
    assert error.hint
    assert "POINTQ_DATA_DIR" in error.hint
    with pytest.raises(EmbeddedError, match="belongs to nobody"):
        probe(theirs)


def test_a_user_without_a_name(fresh: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    with pytest.raises(EmbeddedError, match=f"the user id {os.geteuid()} has none"):
        choose(fresh)


def test_root_needs_an_account_to_make_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_INITDB_ACCOUNT", "no such account")
    with pytest.raises(EmbeddedError, match="'no such account' is needed"):
        cluster._initdb_uid()


def test_a_folder_that_others_may_write(place: Path) -> None:
    shared = place / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert "other users may write" in refusal(shared).message
    assert shared.stat().st_mode & 0o777 == 0o777
    assert list(shared.iterdir()) == []


def test_a_file_in_place_of_the_folder(place: Path) -> None:
    (place / "file").touch()
    assert refusal(place / "file").message == f"{place / 'file'} is not a folder"
    assert "cannot be made" in refusal(place / "file" / "data").message


def test_a_folder_that_cannot_be_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # as on a read-only disk, which stops even root
    assert refusal(place / "data").message == f"the data folder {place / 'data'} cannot be written"


def test_data_of_another_postgresql(layout: Layout) -> None:
    (layout.postgres / "PG_VERSION").write_text("16\n")
    error = refusal(layout.data_dir)
    assert "was made by PostgreSQL 16, and the installed one is 18" in error.message
    assert gone(layout)


def test_a_damaged_queue_is_reported_with_what_the_log_says(layout: Layout) -> None:
    manifest = layout.valkey / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense\n")
    error = refusal(layout.data_dir)
    assert "the embedded Valkey did not start" in error.message
    assert "AOF MANIFEST FILE ERROR" in error.message
    assert "; >>> 'nonsense'; " in error.message  # without Valkey's time stamps
    assert error.hint == f"its log is {layout.valkey_log}"
    assert gone(layout)
    assert not layout.run.exists()


def test_a_damaged_database_is_reported_with_what_the_log_says(layout: Layout) -> None:
    (layout.postgres / "global" / "pg_control").write_bytes(b"\0" * 8192)
    error = refusal(layout.data_dir)
    assert "the embedded PostgreSQL did not start" in error.message
    assert "PANIC" in error.message or "FATAL" in error.message
    assert error.hint == f"its log is {layout.postgres_log}"
    assert gone(layout)


def test_a_full_disk(fresh: Layout, command: Start) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    one = command(preexec_fn=no_large_files)
    assert "the database could not be made" in one.error
    one.end()
    assert not fresh.postgres.exists()
    with use(fresh.data_dir):  # nothing half made bars the next start
        pass


@pytest.mark.parametrize("name", ["a" * 100, "with,comma"])
def test_a_path_that_no_socket_can_have(fresh: Layout, used: Path, name: str) -> None:
    layout = Layout(fresh.data_dir.parent / name)
    shutil.copytree(used, layout.data_dir)
    with use(layout.data_dir) as backends:
        socket_dir = layout.run.readlink()
        assert socket_dir.parent == Path("/tmp")  # noqa: S108 - where it belongs
        assert socket_dir.stat().st_mode & 0o777 == 0o700
        with redis.Redis.from_url(backends.redis_url) as client, psycopg.connect(backends.database_url) as connection:
            assert client.ping()
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not socket_dir.exists()
    assert not layout.run.is_symlink()
    assert gone(layout)


def test_a_path_with_blanks_and_letters_of_any_script(fresh: Layout, used: Path) -> None:
    layout = Layout(fresh.data_dir.parent / "Gleitschirm flüge 100%")
    shutil.copytree(used, layout.data_dir)
    with use(layout.data_dir) as backends:
        assert layout.run.is_dir()
        with redis.Redis.from_url(backends.redis_url) as client, psycopg.connect(backends.database_url) as connection:
            assert client.ping()
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert gone(layout)


def test_a_socket_folder_that_somebody_else_made_is_not_used(place: Path) -> None:
    layout = Layout(place)
    account = Account(os.geteuid(), os.getegid(), "", dedicated=False)
    (place / "open").mkdir()
    (place / "open").chmod(0o755)
    layout.run.symlink_to(place / "open")
    assert folder._linked(layout, account) is None
    (place / "open").chmod(0o700)
    assert folder._linked(layout, account) == place / "open"


def test_a_state_file_that_is_none(place: Path) -> None:
    layout = Layout(place)
    for content in (b"", b"[]", b"{}", b'{"keeper": "x", "socket_dir": "/"}', b"\xff"):
        layout.state.write_bytes(content)
        assert state.read(layout) is None


def test_a_log_is_bounded_and_quoted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    output = logs.open_to_append(path)
    os.write(output, b"x" * logs.MAX_BYTES)
    logs.bound(path)
    assert not path.with_name("log.1").exists()
    os.write(output, b"\nFATAL: no space\nbye\n")
    assert logs.tail(path) == "FATAL: no space; bye"
    logs.bound(path)
    os.write(output, b"first\nsecond\n")
    os.close(output)
    assert path.read_bytes() == b"first\nsecond\n"
    assert path.with_name("log.1").stat().st_size > logs.MAX_BYTES
    assert logs.tail(path) == "first; second"
    assert logs.tail(path, since=6) == "second"
    assert logs.tail(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("2026-01-31 23:59:59.123 UTC [42] FATAL:  no space", "FATAL:  no space"),
        ("42:M 31 Jan 2026 23:59:59.123 # Bad file format", "Bad file format"),
        ("42:M 31 Jan 2026 23:59:59.123 * 12 errors", "12 errors"),
        ("*** FATAL CONFIG FILE ERROR ***", "*** FATAL CONFIG FILE ERROR ***"),
        ("12 errors at 10:30 in 2 files", "12 errors at 10:30 in 2 files"),
        ("initdb: error: could not write", "initdb: error: could not write"),
    ],
)
def test_a_quoted_line_has_no_time_stamp(line: str, quoted: str) -> None:
    assert logs.telling(line) == quoted
