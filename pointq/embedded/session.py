"""How the commands of one data folder share its servers: the protocol.

Four lock files (`flock`, so the kernel releases them however a process dies) and one state file:

- `start.lock`, exclusive: taken by a command while it comes or leaves, and by the keeper to stop of its own accord.
  So nobody comes while the last one leaves, and every exclusive try at `users.lock` is made by the holder of this one.
- `users.lock`, shared: held by each command as long as it uses the servers.
- `keeper.lock`, exclusive: the keeper lives. The command that starts it takes the lock and hands the descriptor on, so
  that there is no moment at which a second keeper could start.
- `servers.lock`, exclusive: handed by the keeper to the servers, whose every child inherits it. Free means that really
  no process of theirs is left.
- `embedded.json`: the servers are ready. Its removal is the order to stop; the signal after it only hastens that.

A command comes: start.lock, users.lock; if the keeper lives, wait for the state file, else start a keeper and wait for
its word; release start.lock; wait until both servers answer. A keeper that is alive without the file is starting (its
command was killed) or stopping: the command waits for whichever end comes.

A command leaves: start.lock, then users.lock exclusively without waiting. If that fails others are there, and it is
done. If not it was the last: remove the file, signal the keeper, wait until keeper.lock and servers.lock are free.

A command that was killed leaves nothing but its released lock. The keeper tries at every tick, without waiting, for
start.lock and then users.lock; with both it stops the servers and exits, holding them to its end.

No deadlock: locks are taken in the order start, users, keeper, servers; who holds start.lock waits for the keeper only,
and the keeper waits for nothing but the end of earlier servers. A killed keeper takes the servers along (Linux), or the
next to come or leave stops them (`leftovers`). Every wait has a bound.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pointq.embedded import folder, health, leftovers, logs, state, wheels
from pointq.embedded.layout import Layout
from pointq.embedded.locks import Lock
from pointq.embedded.state import Backends, State
from pointq.embedded.waiting import wait_until
from pointq.errors import EmbeddedError

START_SECONDS = 180.0
"""For a keeper to say whether the servers run; longer than its own bound for that, so that its word is heard."""

ANSWER_SECONDS = 10.0
"""For servers that run to answer: recovery from a crash may take some, and one that hangs is told of while somebody waits."""

TURN_SECONDS = 200.0
"""For `start.lock`; longer than any holder of it takes."""

STOP_SECONDS = 15.0
"""For the keeper to be gone, when the last command leaves."""


@contextmanager
def use(data_dir: Path) -> Iterator[Backends]:
    """Use the servers of this folder: started if need be, stopped by whoever leaves last.

    Returns when both answer; leaving returns when, for the last command, all of their processes are gone.

    Raises:
        EmbeddedError: they are not installed, do not start, do not stop, or the folder cannot be used.
    """
    layout = folder.prepare(data_dir)
    process = os.getpid()
    with _open(layout) as users:
        backends = _come(layout, users)
        try:
            yield backends
        finally:
            if os.getpid() == process:  # a forked child that ends the block takes no part
                _leave(layout, users)


def probe(data_dir: Path) -> Backends | None:
    """Where the servers of this folder listen, if they run; nothing is started, made or held.

    Raises:
        EmbeddedError: the folder is another user's.
    """
    layout = Layout(data_dir.expanduser().resolve())
    if not layout.data_dir.exists():
        return None
    with _translated(layout):
        folder.check_owner(layout)
        found = _found(layout)
    return found.backends if found else None


def _found(layout: Layout) -> State | None:
    try:
        with Lock(layout.keeper_lock, create=False) as keeper:
            return None if keeper.shared() else state.read(layout)
    except FileNotFoundError:
        return None


def _open(layout: Layout) -> Lock:
    with _translated(layout):
        return Lock(layout.users_lock)


def _come(layout: Layout, users: Lock) -> Backends:
    with _translated(layout), _turn(layout):
        if not users.shared():
            raise EmbeddedError(f"{layout.users_lock} is held by something else than pointq")
        found = _running(layout) or _start(layout)
    # held by users.lock alone: whoever comes or leaves meanwhile need not wait for a server that hangs
    if not wait_until(lambda: _answer(layout, found), ANSWER_SECONDS):
        raise EmbeddedError(
            f"the embedded servers of {layout.data_dir} run, and do not answer within {ANSWER_SECONDS:g} s",
            hint=f"one of them hangs or recovers from a crash; see {layout.keeper_log}",
        )
    return found.backends


def _leave(layout: Layout, users: Lock) -> None:
    with _translated(layout), _turn(layout):
        if not users.exclusive():
            return
        found = state.read(layout)
        state.remove(layout)
        with Lock(layout.keeper_lock) as keeper:
            _await_keeper(layout, keeper, found)
        with Lock(layout.servers_lock) as servers:
            leftovers.stop(layout, servers)


def _await_keeper(layout: Layout, keeper: Lock, found: State | None) -> None:
    if keeper.exclusive():
        return
    if found:
        with suppress(ProcessLookupError):
            os.kill(found.keeper, signal.SIGTERM)
    if not wait_until(keeper.exclusive, STOP_SECONDS):
        raise EmbeddedError(
            f"the embedded servers were told to stop and have not done so after {STOP_SECONDS:g} s",
            hint=f"they go on stopping; see {layout.keeper_log}",
        )


def _running(layout: Layout) -> State | None:
    """Wait for a living keeper that is starting or stopping, and return its state; `None` if no keeper lives."""
    with Lock(layout.keeper_lock) as keeper:
        if not wait_until(lambda: keeper.exclusive() or state.read(layout), START_SECONDS):
            raise EmbeddedError("the embedded servers neither start nor stop", hint=f"see {layout.keeper_log}")
        return None if keeper.exclusive() else state.read(layout)


def _answer(layout: Layout, found: State) -> bool:
    return health.valkey_ready(found.socket_dir) and health.postgres_ready(layout, found.socket_dir)


def _start(layout: Layout) -> State:
    wheels.find()
    state.remove(layout)
    log_start = logs.size(layout.keeper_log)
    with Lock(layout.keeper_lock) as keeper:
        if not wait_until(keeper.exclusive, STOP_SECONDS):
            raise EmbeddedError(f"{layout.keeper_lock} is held by something else than pointq")
        complaint = _spawn_keeper(layout, keeper.fd)
    if complaint:
        raise EmbeddedError(**json.loads(complaint))
    found = state.read(layout)
    if found is None:
        raise EmbeddedError(
            f"the embedded servers did not start: {logs.tail(layout.keeper_log, log_start)}", hint=f"see {layout.keeper_log}"
        )
    return found


def _spawn_keeper(layout: Layout, lock_fd: int) -> bytes:
    """Start a keeper in a session of its own (a Ctrl-C is not for it) and read its word, empty if all is well."""
    command = (sys.executable, "-m", "pointq.embedded.keeper", str(layout.data_dir), str(lock_fd))
    log = logs.open_to_append(layout.keeper_log)
    try:
        return subprocess.run(  # noqa: S603 - ourselves
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",  # `-m` would import from the working folder, which may be anybody's
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)},
            start_new_session=True,
            pass_fds=(lock_fd,),
            timeout=START_SECONDS,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as exc:
        raise EmbeddedError(f"the embedded servers did not start in {START_SECONDS:g} s") from exc
    finally:
        os.close(log)


@contextmanager
def _turn(layout: Layout) -> Iterator[None]:
    with Lock(layout.start_lock) as starting:
        if not wait_until(starting.exclusive, TURN_SECONDS):
            raise EmbeddedError(
                f"another pointq has been starting or stopping the servers of {layout.data_dir} for {TURN_SECONDS:g} s"
            )
        yield


@contextmanager
def _translated(layout: Layout) -> Iterator[None]:
    """Name the folder in errors of the system, such as a full disk or a missing right."""
    try:
        yield
    except OSError as exc:
        raise EmbeddedError(f"the embedded servers cannot be used in {layout.data_dir}: {exc}") from exc
