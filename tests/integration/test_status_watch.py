"""`pointq status --watch` as a person sees it, in a real terminal and on real servers, whatever happens to them."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from tests.support.api import LIVE, UPLOAD
from tests.support.frozen import database_pids, frozen, redis_pids
from tests.support.guarded import PASSWORD, Guarded, free_port
from tests.support.points import point, track
from tests.support.processes import Server
from tests.support.schemas import check_against
from tests.support.sites import Site, clean_environ
from tests.support.terminal import Terminal
from tests.support.until import until

COLOUR = re.compile(r"[349][0-7]")
DIM = "2"


def watching(
    site: Site, *arguments: str, size: tuple[int, int] = (80, 24), environ: Mapping[str, str] | None = None
) -> Terminal:
    own = {**site.environ, **(environ or {})}
    return Terminal("status", "--watch", *arguments, environ=own, folder=site.home, size=size)


@pytest.fixture
def own_site(servers: Guarded, tmp_path: Path) -> Site:
    """A site on them."""
    url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{servers.redis_port}/0"
    return Site(url, servers.database_url(), f"watch-{tmp_path.name}", tmp_path).hasty


def test_the_screen_shows_what_waits_and_who_works(site: Site, server: Server) -> None:
    with server.client() as client:
        client.post(UPLOAD, {"flight_id": "f", "track_points": track(7)})
    with watching(site) as terminal:
        shown = terminal.shows("every 1 s", "waiting", "1 server: points by the queue", "no worker runs: pointq work")
        assert re.search(r"upload +2 +7 +0 ", shown), shown
        assert "! 7 upload points wait and no worker takes them" in shown
        with site.work():
            terminal.shows("running", "stored 7")
        terminal.press("q")
        assert terminal.ended() == 0


def test_it_is_restored_after_q_and_after_ctrl_c(site: Site) -> None:
    for key, code in (("q", 0), ("\x03", 130)):
        with watching(site) as terminal:
            terminal.shows("flymaster")
            assert {"?1049", "?25"} & terminal.screen.modes == {"?1049"}
            assert terminal.terminal_modes() != terminal.modes_before
            terminal.press(key)
            assert terminal.ended() == code
            until(lambda: "?25" in terminal.screen.modes, "the cursor is back")
            assert "?1049" not in terminal.screen.modes
            assert terminal.terminal_modes() == terminal.modes_before
            assert "Traceback" not in terminal.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_restored_when_it_is_ended_from_outside(site: Site, number: signal.Signals) -> None:
    with watching(site) as terminal:
        terminal.shows("flymaster")
        terminal.process.send_signal(number)
        assert terminal.ended() == 130
        until(lambda: "?25" in terminal.screen.modes, "the cursor is back")
        assert terminal.terminal_modes() == terminal.modes_before


SHELL = '"$@"; echo suspended; read key; fg; echo "code $?"'
"""Job control, as a shell has it: Ctrl-Z is nothing where nobody could wake what it stops."""


def test_ctrl_z_gives_the_terminal_back_for_a_while(site: Site) -> None:
    program = ("sh", "-m", "-c", SHELL, "sh", sys.executable, "-m", "pointq")
    with Terminal("status", "--watch", environ=site.environ, folder=site.home, program=program) as terminal:
        terminal.shows("flymaster")
        terminal.press("\x1a")
        terminal.shows("suspended")
        assert {"?1049", "?25"} & terminal.screen.modes == {"?25"}
        assert terminal.terminal_modes() == terminal.modes_before
        terminal.press("\n")
        terminal.shows("flymaster")
        assert {"?1049", "?25"} & terminal.screen.modes == {"?1049"}
        terminal.press("q")
        terminal.shows("code 0")


def fits(terminal: Terminal, size: tuple[int, int]) -> bool:
    columns, lines = size
    shown = terminal.text.rstrip().splitlines()
    return bool(shown) and len(shown) <= lines and max(map(len, shown)) <= columns


def test_the_window_may_change_its_size(site: Site) -> None:
    with watching(site) as terminal:
        terminal.shows("every 1 s", "flymaster")
        for size in ((120, 40), (40, 10), (200, 60), (20, 4)):
            terminal.resize(*size)
            until(lambda: fits(terminal, size), f"it is drawn anew in {size}")  # noqa: B023 - it is called here
        terminal.resize(120, 40)
        terminal.shows("every 1 s", "flymaster", "trend")


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}])
def test_colour_is_for_those_who_want_it(site: Site, environ: dict[str, str]) -> None:
    with watching(site, environ=environ) as terminal:
        terminal.shows("flymaster", "OK")
        has_colour = any(COLOUR.fullmatch(style) for style in terminal.screen.styled)
        assert has_colour == (not environ)


def test_a_dumb_terminal_gets_lines(site: Site) -> None:
    with watching(site, "--interval", "0.2", size=(400, 24), environ={"TERM": "dumb"}) as terminal:
        terminal.shows("ok | live idle | upload idle | scoring idle | flymaster idle | 0 workers")
        assert "?1049" not in terminal.screen.modes
        assert not terminal.screen.styled
        terminal.press("\x03")
        assert terminal.ended() == 130


def lines(site: Site, *arguments: str, count: int) -> list[str]:
    """What comes off a terminal; it ends when its reader goes away."""
    command = (sys.executable, "-m", "pointq", "status", "--watch", "--interval", "0.2", *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=site.environ, cwd=site.home) as process:
        assert process.stdout
        found = [process.stdout.readline() for _ in range(count)]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    return found


def test_off_a_terminal_it_is_a_line_for_each_look(site: Site) -> None:
    found = lines(site, count=3)

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ok \| live idle \| .* \| 0 workers\n", line) for line in found), (
        found
    )


def test_as_json_it_is_an_object_for_each_look_and_says_the_trend(site: Site, server: Server) -> None:
    with server.client() as client:
        client.post(LIVE, {"flight_id": "f", "track_points": track(3)})
    documents = [json.loads(line) for line in lines(site, "--json", count=5)]

    for document in documents:
        check_against("status", document)
    assert [document["queues"][1]["trend"] for document in documents] == [None, None, "ok", "ok", "ok"]
    assert site.status()["queues"][0]["trend"] is None


def test_dead_letters_come_with_a_command(site: Site, server: Server) -> None:
    with psycopg.connect(site.database_url) as connection:
        connection.execute("ALTER TABLE uploaded_track_points ADD CONSTRAINT poison CHECK (lat < 80)")
    with server.client() as client:
        client.post(UPLOAD, {"flight_id": "f", "track_points": [point(lat=81), *track(2)]})
    site.drain()
    with watching(site) as terminal:
        terminal.shows("! 1 upload points are dead letters: pointq inspect upload --dead")


def connections(site: Site) -> tuple[set[int], set[bytes]]:
    """Sessions of the database, and connections of Redis, that are there now."""
    with psycopg.connect(site.database_url) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        sessions = {row[0] for row in connection.execute(query)}
    with redis.Redis.from_url(site.redis_url) as client:
        own = client.client_id()
        return sessions, {each["id"] for each in client.client_list() if int(each["id"]) != own}


def test_connections_stay_from_look_to_look(own_site: Site) -> None:
    with watching(own_site, "--interval", "0.2") as terminal:
        terminal.shows("OK", "flymaster")
        before = connections(own_site)
        assert len(before[0]) == 1
        stamp = terminal.text.splitlines()[0][:32]
        until(lambda: terminal.text.splitlines()[0][:32] > stamp, "a second goes by")
        assert connections(own_site) == before


def looks_at(terminal: Terminal) -> str:
    """The second that the screen shows."""
    found = re.search(r"\d\d:\d\d:\d\d", terminal.text)
    return found[0] if found else ""


def still_refreshes(terminal: Terminal) -> None:
    """It shows two more seconds."""
    for _ in range(2):
        before = looks_at(terminal)
        until(lambda: looks_at(terminal) > before, "the screen goes on")  # noqa: B023 - it is called here


def test_redis_freezes_and_wakes(own_site: Site) -> None:
    with watching(own_site) as terminal:
        terminal.shows("OK", "valkey 9")
        pids = redis_pids(own_site.redis_url)
        with frozen(*pids):
            terminal.shows(
                "DEGRADED" if "1 server" in terminal.text else "DOWN", "no answer for", "· valkey 9", "s ago", "! Redis"
            )
            connections = len(sockets(terminal.process.pid))
            still_refreshes(terminal)
            assert DIM in terminal.screen.styled
            # not a connection more for every look
            assert len(sockets(terminal.process.pid)) <= connections
        shown = terminal.shows("OK", "trend")
        assert "no answer" not in shown
        terminal.press("q")
        assert terminal.ended() == 0


def sockets(pid: int) -> list[str]:
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_socket()]


def test_the_database_freezes_and_wakes(own_site: Site) -> None:
    with watching(own_site) as terminal:
        terminal.shows("OK", "PostgreSQL 18")
        with frozen(*database_pids(own_site.database_url)):
            terminal.shows("DEGRADED", "no answer for", "· PostgreSQL 18", "! the database: no answer for")
            still_refreshes(terminal)
        terminal.shows("OK", "database  PostgreSQL 18")


def test_it_ends_at_once_although_both_are_frozen(own_site: Site) -> None:
    with watching(own_site) as terminal:
        terminal.shows("OK", "PostgreSQL 18")
        pids = (*redis_pids(own_site.redis_url), *database_pids(own_site.database_url))
        with frozen(*pids):
            terminal.shows("DOWN", "! the database: no answer", "! Redis")
            terminal.press("\x03")
            assert terminal.process.wait(4) == 130


def test_a_session_that_is_ended_is_made_anew(own_site: Site) -> None:
    with watching(own_site, "--interval", "0.2") as terminal:
        terminal.shows("OK", "PostgreSQL 18")
        (before, _) = connections(own_site)
        with psycopg.connect(own_site.database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", list(before))
        until(lambda: connections(own_site)[0] - before, "there is another session")
        terminal.shows("OK")


@pytest.mark.parametrize("trouble", ["stopped", "wrong password"])
@pytest.mark.parametrize("backend", ["redis", "database"])
def test_a_backend_that_never_answered(servers: Guarded, own_site: Site, backend: str, trouble: str) -> None:
    urls = {
        ("redis", "stopped"): ("POINTQ_REDIS__URL", f"redis://127.0.0.1:{free_port()}/0"),
        ("redis", "wrong password"): ("POINTQ_REDIS__URL", f"redis://:nonsense@127.0.0.1:{servers.redis_port}/0"),
        ("database", "stopped"): ("POINTQ_DATABASE__URL", servers.database_url(port=free_port())),
        ("database", "wrong password"): ("POINTQ_DATABASE__URL", servers.database_url(password="nonsense")),
    }
    name, url = urls[backend, trouble]
    with watching(own_site, environ={name: url}) as terminal:
        says = "refuses the login" if trouble == "wrong password" else "cannot be reached"
        shown = terminal.shows(f"{backend:<10}no answer", "flymaster")
        assert says in " ".join(shown.split()), shown
        still_refreshes(terminal)
        assert "nonsense" not in terminal.text


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A home that root's embedded servers, which run as another user, can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pointq-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def test_embedded_servers_that_come_and_go(open_folder: Path) -> None:
    """Nothing is started for a look, and what is started later is found."""
    environ = clean_environ(open_folder)
    with Terminal("status", "--watch", environ=environ, folder=open_folder) as terminal:
        terminal.shows("DOWN", "the embedded servers do not run; `pointq serve` starts them")
        with Server((), environ=environ, folder=open_folder, name="serve"):
            terminal.shows("OK", "1 server: points by the queue", "valkey")
