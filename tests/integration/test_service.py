"""pointq as systemd runs it: sockets from outside, words to a manager, restarts that nobody notices."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.support.api import LIVE
from tests.support.http import Client
from tests.support.points import point
from tests.support.sites import Site, run_pointq
from tests.support.until import PATIENCE_SECONDS, until

CLIENTS = 8

_ACTIVATED = (
    "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
"""Becomes pointq, after its process id is known."""


@dataclass
class Systemd:
    """Holds the socket of the door, and hears the words of the services that it starts."""

    site: Site
    door: socket.socket
    hears: socket.socket

    @property
    def url(self) -> str:
        host, port = self.door.getsockname()
        return f"http://{host}:{port}"

    @contextmanager
    def running(self, *arguments: str, sockets: bool = True, watchdog: int = 2) -> Iterator["subprocess.Popen[bytes]"]:
        """A service, ready; it ends well. Its watchdog is fed within so many seconds."""
        environ = {
            **self.site.environ,
            "NOTIFY_SOCKET": str(self.hears.getsockname()),
            "WATCHDOG_USEC": str(watchdog * 1_000_000),
        }
        if sockets:
            environ |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}
        log = (self.site.home / "service.log").open("ab")
        keep = os.dup(self.door.fileno())

        def third() -> None:
            os.dup2(keep, 3)

        with log:
            process = subprocess.Popen(
                (sys.executable, "-c", _ACTIVATED, "-m", "pointq", *arguments),
                env=environ,
                cwd=self.site.home,
                stderr=log,
                stdout=log,
                pass_fds=(3,),
                preexec_fn=third,  # noqa: PLW1509 - no thread holds a lock yet that it needs
            )
        os.close(keep)
        try:
            self.hear("READY=1")
            yield process
            process.terminate()
            self.hear("STOPPING=1")
            assert process.wait(PATIENCE_SECONDS) == 0, self.log
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return (self.site.home / "service.log").read_text()

    def hear(self, word: str) -> Sequence[str]:
        """Wait for that word; the datagram."""
        while True:
            lines = self.hears.recv(4096).decode().split("\n")
            if word in lines:
                return lines


@pytest.fixture
def systemd(site: Site, tmp_path: Path) -> Iterator[Systemd]:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=4096) as door,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears,
    ):
        hears.bind(str(tmp_path / "notify"))
        hears.settimeout(PATIENCE_SECONDS)
        yield Systemd(site, door, hears)


@dataclass
class Load:
    """Clients that send one point after the other over connections that they keep while the server does."""

    url: str
    over: threading.Event = field(default_factory=threading.Event)
    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def has(self, answers: int) -> bool:
        return len(self.sent) >= answers

    def send(self, number: int) -> None:
        count = 0
        while not self.over.is_set():
            with Client(self.url) as client:
                closed = False
                while not closed and not self.over.is_set():
                    flight, count = f"{number}-{count}", count + 1
                    try:
                        answer = client.post(LIVE, {"flight_id": flight, "track_points": [point()]})
                    except Exception as exc:  # noqa: BLE001 - counted
                        self.failed.append(repr(exc))
                        break
                    (self.sent if answer.status == 202 else self.failed).append(flight)
                    closed = answer.headers.get("connection") == "close"


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_restart_under_load_fails_no_request(systemd: Systemd, processes: str) -> None:
    load = Load(systemd.url)
    # none is killed because the machine stood still for two seconds: that fails requests
    serve = ("serve", "--no-worker", "--processes", processes)
    with ThreadPoolExecutor(CLIENTS) as threads:
        sending = [threads.submit(load.send, number) for number in range(CLIENTS)]
        try:
            for _ in range(3):
                with systemd.running(*serve, watchdog=60):
                    enough = len(load.sent) + 20 * CLIENTS
                    until(partial(load.has, enough), "clients have answers")
            with systemd.running(*serve, watchdog=60):
                load.over.set()
                for each in sending:
                    each.result()
        finally:
            load.over.set()
    assert load.failed == []
    systemd.site.drain()
    assert systemd.site.value("SELECT count(*) FROM live_track_points") == len(load.sent)


def test_a_body_that_is_on_its_way_is_taken_while_the_server_stops(systemd: Systemd) -> None:
    body = b'{"flight_id": "slow", "track_points": []}'
    with systemd.running("serve", "--no-worker") as process, socket.create_connection(systemd.door.getsockname()) as slow:
        slow.sendall(
            b"POST %b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (LIVE.encode(), len(body))
        )
        assert slow.recv(100).startswith(b"HTTP/1.1 100")
        process.send_signal(signal.SIGTERM)
        until(lambda: "stopping: " in systemd.log, "it stops")
        slow.sendall(body)
        answer = slow.recv(4096)
        assert answer.startswith(b"HTTP/1.1 422")
        assert b"Connection: close" in answer


@pytest.mark.parametrize("command", [("serve", "--no-worker"), ("work", "--priority", "1"), ("work", "--processes", "2")])
def test_the_watchdog_is_fed_while_it_works_and_only_then(systemd: Systemd, command: Sequence[str]) -> None:
    with systemd.running(*command, sockets=command[0] == "serve") as process:
        status = systemd.hear("WATCHDOG=1")[1]
        assert "points go by the queue" in status or "points stored" in status or "2 of 2 processes" in status
        process.send_signal(signal.SIGHUP) if command[0] == "serve" else None
        if command[0] == "serve":
            systemd.hear("RELOADING=1")
            systemd.hear("READY=1")
        systemd.hear("WATCHDOG=1")


def test_a_worker_without_its_port_for_metrics_is_not_ready(systemd: Systemd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ("work", "--metrics-port", str(taken.getsockname()[1]))
        environ = {**systemd.site.environ, "NOTIFY_SOCKET": str(systemd.hears.getsockname())}
        done = run_pointq(*arguments, environ=environ, home=systemd.site.home)
    assert done.returncode == 1
    assert "cannot listen on" in done.stderr
    systemd.hears.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.hear("READY=1")


def test_an_idle_connection_ends_after_its_grace(systemd: Systemd) -> None:
    with systemd.running("serve", "--no-worker") as process, Client(systemd.url) as client:
        assert client.get("/livez").status == 200
        process.terminate()
        assert process.wait(5) == 0


def test_a_process_that_hangs_is_replaced(systemd: Systemd) -> None:
    with systemd.running("serve", "--no-worker", "--processes", "2"):
        systemd.hear("WATCHDOG=1")
        with Client(systemd.url) as client:
            pid = client.get("/health").json["pid"]
        os.kill(pid, signal.SIGSTOP)
        until(lambda: f"server process {pid} hangs: no sign of life for 2 s" in systemd.log, "its silence is noticed")
        until(lambda: f"server process {pid} died (killed by SIGKILL); another is started" in systemd.log, "it is replaced")
        systemd.hear("WATCHDOG=1")
