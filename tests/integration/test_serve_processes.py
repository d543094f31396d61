"""`pointq serve --processes`: several processes on one port, killed, orphaned, refused, stopped."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tests.integration.test_kill import CLIENTS, crowd, no_process_of, stored
from tests.queue.servers import valkey
from tests.support.api import LIVE
from tests.support.http import Answer, Client
from tests.support.points import track
from tests.support.processes import Server
from tests.support.sites import Site
from tests.support.until import until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over processes")
pytestmark = linux


def answering(url: str, connections: int = 16) -> list[int]:
    """Open so many connections, one after the other; the process behind each."""
    found = []
    for _ in range(connections):
        with Client(url) as client:
            found.append(client.get("/health").json["pid"])
    return found


def processes(server: Server, count: int = 2) -> set[int]:
    """The processes that answer, once there are so many."""
    found: set[int] = set()

    def all_found() -> bool:
        found.update(answering(server.url))
        return len(found) >= count

    until(all_found, f"{count} processes answer")
    assert len(found) == count
    return found


def port_of(server: Server) -> int:
    port = urlsplit(server.url).port
    assert port
    return port


@contextmanager
def half_sent(server: Server) -> Iterator[HTTPConnection]:
    """A request of ten points whose headers a process has read, and whose body has not come."""
    connection = HTTPConnection("127.0.0.1", port_of(server), timeout=30)
    try:
        # asking first: the connection is accepted, and not in a queue of the kernel's
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        connection.putrequest("POST", LIVE)
        connection.putheader("Content-Length", str(len(BODY)))
        # answered by the handler's first look at the body, so that it has begun
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100")
        yield connection
    finally:
        connection.close()


POINTS = track(10)
BODY = str({"flight_id": "f", "track_points": POINTS}).replace("'", '"').encode()


def finish(connection: HTTPConnection) -> int:
    """Send the body; the status of the answer."""
    connection.send(BODY)
    response = connection.response_class(connection.sock, method="POST")
    response.begin()
    return response.status


def client_of_each(server: Server, stack: ExitStack) -> dict[int, Client]:
    """A connection to each of two processes, by process."""
    found: dict[int, Client] = {}

    def both() -> bool:
        client = stack.enter_context(server.client())
        found[client.get("/health").json["pid"]] = client
        return len(found) == 2

    until(both, "two processes answer")
    return found


@dataclass
class Paused:
    """A pointq, and what makes its Redis hold writes back."""

    site: Site

    def requests(self, threads: ThreadPoolExecutor, clients: dict[int, Client]) -> list[Future[Answer]]:
        """Send ten points to each process; both have them, and wait for Redis."""
        with Redis.from_url(self.site.redis_url) as redis:
            redis.execute_command("CLIENT PAUSE 60000 WRITE")
            answers = [
                threads.submit(client.post, LIVE, {"flight_id": f"f{pid}", "track_points": POINTS})
                for pid, client in clients.items()
            ]
            until(lambda: redis.info("clients")["blocked_clients"] == 2, "both processes wait for Redis")
        return answers

    def go_on(self) -> None:
        with Redis.from_url(self.site.redis_url) as redis:
            redis.execute_command("CLIENT UNPAUSE")


def test_connections_are_spread_over_processes_of_one_port(site: Site) -> None:
    with site.serve("--processes", "2") as server:
        found = answering(server.url, 64)
        assert len(set(found)) == 2
        assert server.process.pid not in found, "the parent takes no requests"
        assert all(found.count(pid) >= 8 for pid in set(found)), "64 connections are spread"
        assert server.log.count("listens on") == 1
        assert server.log.count("in 2 processes") == 1
        for pid in set(found):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            assert arguments[1:-1] == [b"-P", b"-m", b"pointq.ingest.child"]


def test_each_process_says_whose_view_it_gives_and_one_spool_slot_is_its_own(site: Site) -> None:
    with site.serve("--processes", "2") as server:
        pids = processes(server)
        with server.client() as client:
            assert client.get("/queue/status").json["intake"]["pid"] in pids
        assert {path.name for path in (site.home / "data" / "spool").iterdir()} == {"0", "1", "serving"}


def test_one_process_needs_no_parent(site: Site) -> None:
    with site.serve() as server:
        assert set(answering(server.url, 2)) == {server.process.pid}


def test_one_is_killed_under_load_and_another_takes_its_place(site: Site) -> None:
    with site.serve("--processes", "2") as server:
        before = processes(server)
        victim = min(before)
        with crowd(server) as clients:
            until(lambda: len(clients.accepted) > 5 * CLIENTS, "clients have answers")
            os.kill(victim, signal.SIGKILL)
            until(lambda: no_process_of(victim), "it is dead")
            # the port answers all the time, by the other process and soon by the new one
            assert victim not in answering(server.url, 50)
            after = processes(server)
            sent = len(clients.accepted)
            until(lambda: len(clients.accepted) > sent, "points are still accepted")
        assert len(after - before) == 1
        assert victim not in after
        assert not clients.refused
        assert f"server process {victim} died (killed by SIGKILL); another is started" in server.log
    site.drain()
    found = set(stored(site))
    assert set(clients.accepted) <= found <= {*clients.accepted, *clients.unanswered}


@pytest.fixture
def paused(site: Site) -> Iterator[Paused]:
    """A pointq whose Redis can be told to answer no writes."""
    with valkey(appendonly="yes", appendfsync="always") as url:
        patient = {"POINTQ_SERVE__BUDGET_SECONDS": "60", "POINTQ_SERVE__SHUTDOWN_SECONDS": "60"}
        yield Paused(replace(site, redis_url=url, extra=patient))


@pytest.mark.parametrize("told", ["the parent", "the parent by Ctrl-C", "the parent by kill -9", "all"])
def test_what_was_taken_is_answered_however_they_are_stopped(paused: Paused, told: str) -> None:
    number = {"the parent by Ctrl-C": signal.SIGINT, "the parent by kill -9": signal.SIGKILL}.get(told, signal.SIGTERM)
    with paused.site.serve("--processes", "2") as server, ExitStack() as stack:
        clients = client_of_each(server, stack)
        answers = paused.requests(stack.enter_context(ThreadPoolExecutor(2)), clients)
        for pid in (server.process.pid, *(clients if told == "all" else ())):
            os.kill(pid, number)
        until(lambda: server.log.count("stopping: ") == 2, "both processes stop")
        until(lambda: not listens(server), "nobody takes new connections")
        paused.go_on()
        assert [answer.result().status for answer in answers] == [202, 202]
        if number is signal.SIGKILL:
            server.process.wait()
        else:
            server.ended_well()
        until(lambda: all(map(no_process_of, clients)), "no process is left")
        assert "Traceback" not in server.log
        assert "another is started" not in server.log
    paused.site.drain()
    assert paused.site.value("SELECT count(*) FROM live_track_points") == 20


def listens(server: Server) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port_of(server)), timeout=1):
        return True
    return False


@pytest.mark.parametrize("count", [1, 2])
def test_a_second_ctrl_c_ends_at_once(site: Site, count: int) -> None:
    patient = replace(site, extra={"POINTQ_SERVE__SHUTDOWN_SECONDS": "60"})
    with patient.serve("--processes", str(count)) as server, half_sent(server) as connection:
        server.process.send_signal(signal.SIGINT)
        until(lambda: server.log.count("stopping: ") == count, "it stops")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(15) == 130
        assert "Traceback" not in server.log
        with pytest.raises((OSError, HTTPException)):
            finish(connection)


@pytest.mark.parametrize("holders", [1, 2])
def test_a_port_that_is_taken_is_one_error_before_anything_starts(site: Site, holders: int) -> None:
    with site.serve("--processes", str(holders)) as server:
        done = site.run("serve", "--port", str(port_of(server)), "--no-worker", "--processes", "2", expect=1)
        assert done.stderr.splitlines() == [
            f"pointq: error: cannot listen on 127.0.0.1:{port_of(server)}: Address already in use",
            "hint: choose another with --host and --port",
        ]
        assert len(set(answering(server.url, 32))) == holders, "nobody else answers there"


@pytest.mark.parametrize("holders", [1, 2])
def test_a_port_whose_last_server_just_ended_is_free(site: Site, holders: int) -> None:
    with ExitStack() as stack:
        with site.serve("--processes", str(holders)) as server:
            # connections that the server closes itself stay in TIME_WAIT on its side
            for _ in range(8):
                assert stack.enter_context(server.client()).get("/livez").status == 200
        with site.serve("--port", str(port_of(server)), "--processes", "2") as again:
            assert again.url == server.url


@pytest.mark.parametrize(
    "settings",
    [
        {"POINTQ_REDIS__URL": "redis://127.0.0.1:1/0"},
        {"POINTQ_DATA_DIR": "/dev/null"},
    ],
)
def test_a_process_that_refuses_to_start_ends_all_as_a_single_one_does(site: Site, settings: dict[str, str]) -> None:
    assert_refuses(replace(site, extra=settings))


def test_a_redis_that_promises_nothing_is_refused_once(site: Site) -> None:
    with valkey(appendonly="no") as url:
        assert_refuses(replace(site, redis_url=url))


def assert_refuses(wrong: Site) -> None:
    """Two processes end with the message and the exit code of one."""
    alone, together = (
        wrong.run("serve", "--port", "0", "--no-worker", "--processes", count, expect=3).stderr.splitlines()
        for count in ("1", "2")
    )
    assert alone[-2].startswith("pointq: error: ")
    assert alone[-1].startswith("hint: ")
    assert together == alone


def test_a_replacement_that_cannot_start_ends_nothing_that_works(site: Site) -> None:
    with site.serve("--processes", "2") as server:
        victim, other = sorted(processes(server))
        lock = slot_lock(victim)
        lock.rename(lock.with_name("away"))
        lock.mkdir()
        os.kill(victim, signal.SIGKILL)
        until(lambda: "a server process cannot go on: the spool in " in server.log, "the replacement says what it lacks")
        assert set(answering(server.url)) == {other}
        lock.rmdir()
        lock.with_name("away").rename(lock)
        assert len(processes(server) - {other}) == 1


def slot_lock(pid: int) -> Path:
    """The lock of the spool's slot that a process holds."""
    files = [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()]
    (lock,) = [path for path in files if path.name == "lock" and path.parent.parent.name == "spool"]
    return lock
