import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from pointq.embedded import Backends, probe, session, use
from pointq.embedded.layout import Layout
from pointq.embedded.locks import Lock
from pointq.embedded.state import State
from pointq.embedded.waiting import wait_until
from pointq.errors import EmbeddedError
from tests.embedded.commands import PROJECT, Start, gone, keeper_pid, said
from tests.support.frozen import frozen, redis_pids


def answers(backends: Backends) -> bool:
    with redis.Redis.from_url(backends.redis_url) as client, psycopg.connect(backends.database_url) as connection:
        return bool(client.ping()) and connection.execute("SELECT 1").fetchone() == (1,)


def test_the_first_start_makes_servers_that_keep_every_write(fresh: Layout) -> None:
    with use(fresh.data_dir) as backends:
        with redis.Redis.from_url(backends.redis_url) as client:
            found = client.config_get("append*", "save", "maxmemory-policy")
        with psycopg.connect(backends.database_url) as connection:
            row = connection.execute(
                "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('timezone'),"
                " current_setting('server_encoding'), current_setting('server_version_num')::int / 10000, current_user"
            ).fetchone()
    wanted = {"appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction"}
    assert {name: found[name] for name in wanted} == wanted
    assert row == ("on", "on", "UTC", "UTF8", 18, "postgres")


def test_commands_share_the_servers_until_the_last_one_ends(layout: Layout, command: Start) -> None:
    first = command()
    keeper = keeper_pid(layout)
    second = command()
    assert second.backends == first.backends
    assert keeper_pid(layout) == keeper

    assert first.end() == {}
    assert answers(second.backends)
    assert keeper_pid(layout) == keeper

    assert second.end() == {}
    assert gone(layout)
    assert not layout.run.exists()
    assert not layout.state.exists()


def test_one_process_may_use_them_twice(layout: Layout) -> None:
    with use(layout.data_dir) as outer:
        with use(layout.data_dir) as inner:
            assert inner == outer
        assert answers(outer)
    assert gone(layout)


def test_a_forked_child_that_ends_the_block_stops_nothing(layout: Layout) -> None:
    script = """
import os, sys
from pathlib import Path
from pointq.embedded import probe, use
data_dir = Path(sys.argv[1])
with use(data_dir) as backends:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        assert probe(data_dir) == backends
"""
    done = subprocess.run((sys.executable, "-c", script, str(layout.data_dir)), cwd=PROJECT, check=False)
    assert done.returncode == 0
    assert gone(layout)


def test_the_data_is_there_at_the_next_start(layout: Layout) -> None:
    with use(layout.data_dir) as backends:
        with redis.Redis.from_url(backends.redis_url) as client:
            client.set("kept", "yes")
        with psycopg.connect(backends.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with use(layout.data_dir) as backends:
        with redis.Redis.from_url(backends.redis_url) as client:
            assert client.get("kept") == b"yes"
        with psycopg.connect(backends.database_url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_four_commands_at_once_start_one_pair_of_servers(fresh: Layout, command: Start) -> None:
    commands = [command(listen=False) for _ in range(4)]
    assert len({one.listen().backends for one in commands}) == 1
    assert said(fresh).count("PostgreSQL started") == 1
    assert said(fresh).count("Valkey started") == 1
    for one in commands:  # they leave at once, too
        one.let_go()
    assert [one.end() for one in commands] == [{}] * 4
    assert gone(fresh)


def test_commands_come_while_others_leave(layout: Layout, command: Start) -> None:
    leaving = command()
    for _ in range(4):
        leaving.let_go()
        coming = command()
        assert answers(coming.backends)
        assert leaving.end() == {}
        leaving = coming
    assert leaving.end() == {}
    assert gone(layout)


def test_probe_finds_running_servers_and_starts_nothing(layout: Layout, place: Path) -> None:
    assert probe(place / "none") is None
    assert not (place / "none").exists()
    assert probe(layout.data_dir) is None
    with use(layout.data_dir) as backends:
        assert probe(layout.data_dir) == backends
    assert probe(layout.data_dir) is None


def test_a_folder_has_one_set_of_servers_by_whatever_name(layout: Layout) -> None:
    alias = layout.data_dir.with_name("alias")
    alias.symlink_to(layout.data_dir)
    with use(layout.data_dir) as backends, use(alias) as again:
        assert again == backends


def test_the_user_s_postgresql_variables_reach_neither_side(command: Start) -> None:
    one = command(env={"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere"})
    assert answers(one.backends)


def test_the_import_is_light() -> None:
    script = "import sys, pointq.embedded; print([m for m in ('psycopg', 'redis', 'asyncio', 'numpy') if m in sys.modules])"
    done = subprocess.run((sys.executable, "-c", script), cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_server_that_hangs_is_told_of_and_holds_nobody_else_up(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = session._answer
    turns = []

    def look(layout: Layout, found: State) -> bool:
        with Lock(layout.start_lock) as turn:
            turns.append(turn.exclusive())
        return looks(layout, found)

    with use(layout.data_dir) as backends, frozen(*redis_pids(backends.redis_url)):
        monkeypatch.setattr(session, "ANSWER_SECONDS", 0.5)
        monkeypatch.setattr(session, "_answer", look)
        with pytest.raises(EmbeddedError, match=r"do not answer within 0\.5 s") as raised, use(layout.data_dir):
            pass
    assert "hangs" in str(raised.value.hint)
    assert all(turns)


def test_waiting_has_a_bound() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert not wait_until(lambda: False, 1.0, clock=lambda: now[0], sleep=sleep)
    assert 1.0 <= now[0] < 1.1
    assert wait_until(lambda: True, 0, clock=lambda: now[0], sleep=sleep)


def test_a_ctrl_c_is_not_for_the_servers(layout: Layout, command: Start) -> None:
    other = command()
    interrupted = command(start_new_session=True, stderr=subprocess.PIPE)
    os.killpg(interrupted.process.pid, signal.SIGINT)
    interrupted.end()
    assert interrupted.process.returncode == -signal.SIGINT
    assert answers(other.backends)

    alone = command(start_new_session=True, stderr=subprocess.PIPE)
    other.end()
    os.killpg(alone.process.pid, signal.SIGINT)
    alone.end()
    assert gone(layout)
    assert said(layout).count("stopped (exit code 0)") == 2
