import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from pointq.embedded import leftovers, servers, state, use
from pointq.embedded.account import Account
from pointq.embedded.layout import Layout
from pointq.embedded.waiting import wait_until
from tests.embedded.commands import PROJECT, Start, alive, gone, keeper_pid, needs_proc, pid_in, said
from tests.support.until import PATIENCE_SECONDS

ORPHANS = """
import os, sys
from pathlib import Path
from pointq.embedded import folder, keeper, servers
servers._die_with_parent = lambda number: None  # as on a system without PR_SET_PDEATHSIG
keeper.start(folder.prepare(Path(sys.argv[1])))
os._exit(0)
"""


def test_a_killed_command_leaves_no_servers(layout: Layout, command: Start) -> None:
    command().kill()
    assert wait_until(lambda: gone(layout), PATIENCE_SECONDS)
    assert not layout.state.exists()


@needs_proc
def test_a_killed_command_does_not_stop_the_servers_of_another(layout: Layout, command: Start) -> None:
    killed, other = command(), command()
    keeper = keeper_pid(layout)
    killed.kill()
    with redis.Redis.from_url(other.backends.redis_url) as client:
        assert client.ping()
    other.end()
    assert said(layout).count("started") == 2
    assert not alive(keeper)


def test_a_command_killed_while_it_starts_the_servers(layout: Layout, command: Start) -> None:
    shutil.rmtree(layout.data_dir)
    starting = command(listen=False)
    assert wait_until(layout.nursery.exists, PATIENCE_SECONDS)
    starting.kill()
    assert command().end() == {}
    assert gone(layout)


def test_after_a_killed_keeper_the_next_command_starts_afresh(layout: Layout, command: Start) -> None:
    first = command()
    with redis.Redis.from_url(first.backends.redis_url) as client:
        client.set("kept", "yes")
    os.kill(keeper_pid(layout), signal.SIGKILL)
    second = command()
    with redis.Redis.from_url(second.backends.redis_url) as client:
        assert client.get("kept") == b"yes"
    assert second.backends == first.backends  # so the first one finds its servers again, too
    second.end()
    first.end()
    assert gone(layout)


def test_the_last_command_leaves_nothing_of_a_killed_keeper(layout: Layout, command: Start) -> None:
    only = command()
    os.kill(keeper_pid(layout), signal.SIGKILL)
    assert only.end() == {}
    assert gone(layout)


@needs_proc
def test_orphaned_servers_are_stopped_first(layout: Layout) -> None:
    subprocess.run((sys.executable, "-c", ORPHANS, str(layout.data_dir)), cwd=PROJECT, check=True, timeout=PATIENCE_SECONDS)
    orphans = pid_in(layout.postgres_pid), pid_in(layout.valkey_pid)
    assert all(map(alive, orphans))
    with use(layout.data_dir) as backends, psycopg.connect(backends.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not any(map(alive, orphans))
    assert "was interrupted" not in layout.postgres_log.read_text()  # they were stopped in good order


def test_a_stale_pid_file_harms_no_innocent(layout: Layout) -> None:
    layout.valkey.mkdir(exist_ok=True)
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE) as innocent:
        layout.valkey_pid.write_text(str(innocent.pid))
        leftovers._signal(layout, postgres=signal.SIGKILL, valkey=signal.SIGKILL)
        innocent.communicate(b"\n", timeout=PATIENCE_SECONDS)
    assert innocent.returncode == 0


@pytest.mark.parametrize("kind", ["valkey", "postgres"])
def test_a_killed_server_is_started_again(layout: Layout, kind: str) -> None:
    pid_file = layout.valkey_pid if kind == "valkey" else layout.postgres_pid
    with use(layout.data_dir) as backends:
        with redis.Redis.from_url(backends.redis_url) as client:
            client.set("kept", "yes")
        killed = pid_in(pid_file)
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: pid_file.exists() and pid_in(pid_file) != killed, PATIENCE_SECONDS)
        with use(layout.data_dir):  # returns when both answer
            with redis.Redis.from_url(backends.redis_url) as client:
                assert client.get("kept") == b"yes"
            with psycopg.connect(backends.database_url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    assert "died (Killed" in said(layout)


def test_the_order_to_stop_outlives_the_command_that_gave_it(layout: Layout, command: Start) -> None:
    first = command()
    keeper = keeper_pid(layout)
    state.remove(layout)  # as a last command does that is killed before its signal
    second = command()
    assert keeper_pid(layout) != keeper
    second.end()
    first.end()
    assert gone(layout)


@needs_proc
def test_nobody_else_holds_the_commands_locks(layout: Layout) -> None:
    with use(layout.data_dir):
        pids = keeper_pid(layout), pid_in(layout.postgres_pid), pid_in(layout.valkey_pid)
        held = {fd.readlink().name for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    assert {"keeper.lock", "servers.lock"} <= held
    assert not {"users.lock", "start.lock"} & held


def test_a_lock_does_not_outlive_its_holder_in_a_forked_child(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from pointq.embedded.locks import Lock
from pointq.embedded.waiting import wait_until
path = Path(sys.argv[1])
with Lock(path) as lock:
    assert lock.exclusive()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
with Lock(path) as again:
    assert wait_until(again.exclusive, 5)  # the child closes its copy first thing
os.close(writer)
os.waitpid(child, 0)
"""
    done = subprocess.run((sys.executable, "-c", script, str(tmp_path / "lock")), cwd=PROJECT, check=False)
    assert done.returncode == 0


def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    server = a_server(tmp_path / "log", deaf)
    server.start(0.0)
    assert wait_until(lambda: "deaf" in server.why(), PATIENCE_SECONDS)
    server.ask_to_stop()
    server.await_end(0.1)
    assert server.dead


def test_a_server_whose_program_is_missing_for_a_while(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.symlink_to(shutil.which("true") or "true")
    server = a_server(tmp_path / "log", "", program=str(program))
    server.start(0.0)
    program.rename(tmp_path / "away")  # as while its wheel is updated
    assert wait_until(lambda: server.dead, PATIENCE_SECONDS)
    for now in (1.0, 2.0, 3.0):  # died, cannot be started, is to be tried again
        server.revive(now)
    assert server._next_start


def a_server(log: Path, code: str, program: str = sys.executable) -> servers.Server:
    kind = servers.Program("Nothing", (program, "-c", code), log, signal.SIGTERM, signal.SIGKILL, bool)
    return servers.Server(kind, Account(os.geteuid(), os.getegid(), "", dedicated=False), lock_fd=2)


def test_a_server_that_keeps_dying_is_started_later_and_later(tmp_path: Path) -> None:
    server = a_server(tmp_path / "log", "")
    server.start(0.0)
    delays = []
    for death in range(9):
        now = death * 20.0
        assert wait_until(lambda: server.dead, PATIENCE_SECONDS)
        server.revive(now)
        assert server._next_start
        delays.append(server._next_start - now)
        server.revive(server._next_start)
    server.await_end(PATIENCE_SECONDS)
    assert [round(delay, 1) for delay in delays] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
