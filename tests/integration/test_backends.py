"""Servers of one's own: passwords, the variables of existing systems, and what is said when they cannot be used."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.guarded import HOST, PASSWORD, Guarded, free_port
from tests.support.pace import quick, seconds
from tests.support.points import flight_uuid, track
from tests.support.processes import Running, Server
from tests.support.sites import Result, clean_environ, run_pointq
from tests.support.until import until

UNREACHABLE = 3
WRONG = "wr0ng/pass@word"

IGC = b"AXXX001\r\nHFDTE010624\r\nB1000004530000N00630000EA0100001100\r\nB1000014530001N00630001EA0100101101\r\n"


class Operator:
    """Somebody who runs commands under settings of their own."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self.home = home
        self.environ = {**clean_environ(home), **settings}

    def run(self, *arguments: str, stdin: bytes = b"") -> Result:
        return run_pointq(*arguments, environ=self.environ, home=self.home, stdin=stdin)

    def good(self, *arguments: str, stdin: bytes = b"") -> Any:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done
        assert_secret(done.stdout + done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else None

    def fails(self, *arguments: str, stdin: bytes = b"") -> Result:
        """Check that a command says in two lines that a backend cannot be used."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == UNREACHABLE, done
        assert_secret(done.stdout + done.stderr)
        lines = done.stderr.splitlines()
        assert [line for line in lines if line.startswith("pointq: error: ")] == lines[-2:-1], done.stderr
        assert lines[-1].startswith("hint: "), done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done


def assert_secret(said: str) -> None:
    """No password is printed, in no spelling."""
    for password in (PASSWORD, WRONG):
        for spelling in (password, quote(password, safe=""), quote(password), json.dumps(password)[1:-1]):
            assert spelling not in said


@pytest.fixture
def operator(servers: Guarded, tmp_path: Path) -> Operator:
    return Operator(tmp_path, servers.settings())


def test_a_production_system(operator: Operator) -> None:
    operator.good("db", "init", "--json")
    status = operator.good("status", "--json")
    assert status["state"] == "ok"
    assert (status["redis"]["connected"], status["database"]["connected"]) == (True, True)
    (file,) = operator.good("import", "-", "--json", stdin=IGC)["files"]
    assert (file["fixes"], file["new"]) == (2, None)
    operator.good("work", "--drain")
    (file,) = operator.good("import", "-", "--json", "--flight-id", "again", stdin=IGC)["files"]
    operator.good("work", "--drain")
    totals = operator.good("status", "--json")["totals"]
    assert (totals["accepted_points"], totals["stored_points"]) == (4, 4)
    assert PASSWORD not in operator.run("config", "show").stdout
    with Server((), environ=operator.environ, folder=operator.home, name="serve") as server, server.client() as client:
        answer = client.post("/tracking/live", {"flight_id": "f", "track_points": track(3)})
        assert answer.status == 202
        assert answer.json["flight_uuid"] == str(flight_uuid("live", "f"))
        with Running(("work",), environ=operator.environ, folder=operator.home, name="work") as worker:
            until(lambda: stored(operator) == 7, "the worker stores what the server took")
            assert_secret(worker.log)
        assert_secret(server.log + client.get("/health").text + client.get("/queue/status").text)


def stored(operator: Operator) -> int:
    return int(operator.good("status", "--json")["totals"]["stored_points"])


def test_a_redis_url_stands_above_its_parts(servers: Guarded, tmp_path: Path) -> None:
    url = f"redis://:{quote(PASSWORD, safe='')}@{HOST}:{servers.redis_port}/1"
    settings = {**servers.settings(), "REDIS_URL": url, "REDIS_HOST": "nowhere.invalid", "REDIS_PASSWORD": WRONG}
    assert Operator(tmp_path, settings).good("status", "--json")["redis"]["connected"] is True


REDIS_TROUBLES = ("no password", "wrong password", "closed port", "unknown host", "wrong password in a URL")
DATABASE_TROUBLES = ("wrong password", "closed port", "unknown host", "unknown database")


def redis_trouble(trouble: str, servers: Guarded) -> dict[str, str]:
    right = servers.settings()
    match trouble:
        case "no password":
            return {name: value for name, value in right.items() if name != "REDIS_PASSWORD"}
        case "wrong password":
            return {**right, "REDIS_PASSWORD": WRONG}
        case "closed port":
            return {**right, "REDIS_PORT": str(free_port())}
        case "unknown host":
            return {**right, "REDIS_HOST": "nowhere.invalid"}
        case _:
            return {**right, "REDIS_URL": f"redis://:{quote(WRONG, safe='')}@{HOST}:{servers.redis_port}/0"}


def database_trouble(trouble: str, servers: Guarded) -> dict[str, str]:
    url = {
        "wrong password": servers.database_url(password=WRONG),
        "closed port": servers.database_url(port=free_port()),
        "unknown host": servers.database_url().replace(HOST, "nowhere.invalid"),
        "unknown database": servers.database_url().replace("/postgres", "/nowhere"),
    }
    return {**servers.settings(), "DATABASE_URL": url[trouble]}


@pytest.mark.parametrize("trouble", REDIS_TROUBLES)
def test_redis_cannot_be_used(servers: Guarded, tmp_path: Path, trouble: str) -> None:
    operator = Operator(tmp_path, redis_trouble(trouble, servers))
    done = operator.fails("import", "-", stdin=IGC)
    assert "redis" in done.stderr.lower()


@pytest.mark.parametrize("trouble", ["wrong password", "closed port"])
def test_status_without_redis(servers: Guarded, tmp_path: Path, trouble: str) -> None:
    operator = Operator(tmp_path, redis_trouble(trouble, servers))
    status = operator.good("status", "--json")
    assert (status["state"], status["redis"]["connected"], status["database"]["connected"]) == ("down", False, True)
    assert {queue["total_pending"] for queue in status["queues"]} == {None}


@pytest.mark.parametrize("trouble", ["wrong password", "closed port"])
def test_serve_needs_redis(servers: Guarded, tmp_path: Path, trouble: str) -> None:
    Operator(tmp_path, redis_trouble(trouble, servers)).fails("serve", "--port", "0")


@pytest.mark.parametrize("trouble", DATABASE_TROUBLES)
def test_the_database_cannot_be_used(servers: Guarded, tmp_path: Path, trouble: str) -> None:
    operator = Operator(tmp_path, database_trouble(trouble, servers))
    done = operator.fails("db", "init")
    assert "database" in done.stderr.lower()


@pytest.mark.parametrize("trouble", ["wrong password", "closed port"])
def test_status_without_the_database(servers: Guarded, tmp_path: Path, trouble: str) -> None:
    operator = Operator(tmp_path, database_trouble(trouble, servers))
    status = operator.good("status", "--json")
    assert (status["state"], status["redis"]["connected"], status["database"]["connected"]) == ("degraded", True, False)
    assert status["database"]["version"] is None


def test_an_import_that_waits_needs_the_database(servers: Guarded, tmp_path: Path) -> None:
    Operator(tmp_path, database_trouble("closed port", servers)).fails("import", "-", "--wait", stdin=IGC)


def test_points_are_accepted_while_the_database_is_down(servers: Guarded, tmp_path: Path) -> None:
    """And stored when it is back."""
    settings = {**database_trouble("closed port", servers), "POINTQ_QUEUE__PREFIX": "outage"}
    away = Operator(tmp_path, settings)
    with Server((), environ=away.environ, folder=tmp_path, name="serve") as server, server.client() as client:
        answer = client.post("/tracking/live", {"flight_id": "outage", "track_points": track(3)})
        assert (answer.status, answer.json["via"]) == (202, "queue")
        health = client.get("/health")
        assert (health.status, health.json["status"], health.json["database"]) == (200, "degraded", "disconnected")
        assert client.get("/readyz").status == 200
    back = Operator(tmp_path, {**servers.settings(), "POINTQ_QUEUE__PREFIX": "outage"})
    back.good("db", "init")
    back.good("work", "--drain")
    totals = back.good("status", "--json")["totals"]
    assert (totals["accepted_points"], totals["stored_points"], totals["dead_points"]) == (3, 3, 0)


def test_status_answers_within_a_second_although_both_hang(tmp_path: Path) -> None:
    """A server that takes a connection and says nothing; beyond that, what it takes where nobody listens."""
    refused = {"REDIS_URL": f"redis://{HOST}:{free_port()}/0", "DATABASE_URL": f"postgresql://u@{HOST}:{free_port()}/x"}
    start = seconds(lambda: Operator(tmp_path, refused).good("status", "--json"))
    with ExitStack() as stack:
        ports = [stack.enter_context(socket.create_server((HOST, 0))).getsockname()[1] for _ in range(2)]
        settings = {
            "REDIS_URL": f"redis://{HOST}:{ports[0]}/0",
            "DATABASE_URL": f"postgresql://u:{quote(WRONG, safe='')}@{HOST}:{ports[1]}/x",
        }
        status = quick(lambda: Operator(tmp_path, settings).good("status", "--json"), within=start + 1)
    assert (status["state"], status["redis"]["connected"], status["database"]["connected"]) == ("down", False, False)
