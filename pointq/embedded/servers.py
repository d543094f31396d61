"""The two servers as child processes of the keeper."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointq.embedded import health, logs
from pointq.embedded.account import Account
from pointq.embedded.cluster import ENVIRONMENT
from pointq.embedded.layout import Layout
from pointq.embedded.state import VALKEY_SOCKET
from pointq.embedded.wheels import Programs

FIRST_BACKOFF_SECONDS = 0.1
LAST_BACKOFF_SECONDS = 10.0
STEADY_SECONDS = 60.0
"""A server that has run for this long starts again at once when it dies."""

_PR_SET_PDEATHSIG = 1

_log = logging.getLogger("pointq.embedded")


@dataclass(frozen=True, slots=True)
class Program:
    """How one server is started, asked and stopped."""

    name: str
    command: tuple[str, ...]
    log: Path
    stop_signal: signal.Signals
    kill_signal: signal.Signals
    ready: Callable[[], bool]


def valkey(layout: Layout, programs: Programs, socket_dir: Path) -> Program:
    """Valkey: every write on disk before its answer, nothing evicted, no TCP port."""
    settings = {
        "port": "0",
        "unixsocket": str(socket_dir / VALKEY_SOCKET),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "dir": str(layout.valkey),
        "pidfile": str(layout.valkey_pid),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
        "logfile": "",  # standard output, which is the log file here
        "set-proc-title": "no",  # a title would hide the arguments, by which a leftover is known
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return Program(
        name="Valkey",
        command=(str(programs.valkey), *options),
        log=layout.valkey_log,
        stop_signal=signal.SIGTERM,
        kill_signal=signal.SIGKILL,
        ready=lambda: health.valkey_ready(socket_dir),
    )


def postgres(layout: Layout, programs: Programs, socket_dir: Path) -> Program:
    """PostgreSQL: what keeps it private is given here, and not in postgresql.conf, where it could be changed."""
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "hba_file": str(layout.postgres / "pg_hba.conf"),
        "ident_file": str(layout.postgres / "pg_ident.conf"),
        "logging_collector": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Program(
        name="PostgreSQL",
        command=(str(programs.postgres), "-D", str(layout.postgres), *options),
        log=layout.postgres_log,
        stop_signal=signal.SIGINT,  # "fast": ends the sessions and writes a checkpoint
        kill_signal=signal.SIGQUIT,  # "immediate": the next start replays the log
        ready=lambda: health.postgres_ready(layout, socket_dir),
    )


class Server:
    """One server: started, started again when it dies, stopped."""

    def __init__(self, program: Program, account: Account, lock_fd: int) -> None:
        self.program = program
        self._account = account
        self._lock_fd = lock_fd
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._started_at = 0.0
        self._next_start: float | None = None
        self._backoff = FIRST_BACKOFF_SECONDS

    def start(self, now: float) -> None:
        """Start the process, without waiting until it answers."""
        self._log_start = logs.size(self.program.log)
        self._started_at, self._next_start = now, None
        output = logs.open_to_append(self.program.log)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the wheels' programs
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=(self._lock_fd,),
                preexec_fn=_die_with_parent(self.program.stop_signal),  # noqa: PLW1509 - the keeper has one thread
                **self._account.popen(),
            )
        finally:
            os.close(output)
        _log.info("%s started, process %d", self.program.name, self._process.pid)

    @property
    def dead(self) -> bool:
        """Whether it has ended, or was never started."""
        return self._process is None or self._process.poll() is not None

    def revive(self, now: float) -> None:
        """Start it again if it has died, later and later if it keeps dying."""
        if not self.dead:
            return
        if self._next_start is None:
            self._next_start = now + self._delay(now)
            _log.warning("%s died (%s): %s", self.program.name, self._end(), self.why())
        elif now >= self._next_start:
            self._start_or_log(now)

    def _start_or_log(self, now: float) -> None:
        try:
            self.start(now)
        except (OSError, subprocess.SubprocessError) as exc:
            _log.warning("%s cannot be started: %s", self.program.name, exc)

    def why(self) -> str:
        """Quote what its log says, since the last start, about what went wrong."""
        return logs.tail(self.program.log, self._log_start) or "its log says nothing"

    def ask_to_stop(self) -> None:
        """Tell it to stop in good order."""
        self._send(self.program.stop_signal)

    def await_end(self, seconds: float) -> None:
        """Wait until it is gone; after `seconds`, end it the hard way."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            _log.warning("%s did not stop in %g s", self.program.name, seconds)
            self._send(self.program.kill_signal)
            self._process.wait()
        _log.info("%s stopped (%s)", self.program.name, self._end())

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _delay(self, now: float) -> float:
        if now - self._started_at >= STEADY_SECONDS:
            self._backoff = FIRST_BACKOFF_SECONDS
        delay, self._backoff = self._backoff, min(self._backoff * 2, LAST_BACKOFF_SECONDS)
        return delay

    def _end(self) -> str:
        code = self._process.returncode if self._process is not None else None
        return signal.strsignal(-code) or f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Have the kernel send `number` to the child when the keeper dies, where the kernel can (Linux).

    subprocess runs it after the change of user, which would undo it.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # it died before the call

    return arm
