"""Secrets of the settings: in no report, no `repr`, no error, and in the arguments and titles of no process."""

from dataclasses import asdict, replace
from pathlib import Path

from pointq.cli import serve_plan
from pointq.cli.backends import Servers
from pointq.config.load import load
from pointq.supervision.job import Job, LogStyle
from tests.support.sites import Site
from tests.support.until import until

SECRETS = {
    "POINTQ_REDIS__PASSWORD": "hush-redis-password",
    "POINTQ_AUTH__JWT_SECRET": "hush-signing-key-of-32-bytes-at-least",
    "POINTQ_FLYMASTER__SECRET": "hush-flymaster",
    "POINTQ_TOKEN": "pq_hush",
}
WORD = "hush"


def with_secrets(site: Site) -> Site:
    parameters = "&" if "?" in site.database_url else "?"
    url = f"{site.database_url}{parameters}password={WORD}-database"
    return replace(site, database_url=url, extra={k: v for k, v in SECRETS.items() if k != "POINTQ_REDIS__PASSWORD"})


def test_no_process_of_a_server_shows_a_secret(site: Site) -> None:
    with with_secrets(site).serve("--processes", "2") as server:
        pids = until(lambda: children(server.process.pid), "there are two processes")
        for pid in (server.process.pid, *pids):
            for what in ("cmdline", "comm", "stat"):
                assert WORD.encode() not in Path(f"/proc/{pid}/{what}").read_bytes(), what
        assert WORD not in server.log
    assert WORD not in server.log


def children(pid: int) -> list[int]:
    """The server processes below a process, once there are two."""
    found = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found if len(found) >= 2 else []


def test_what_a_server_is_told_shows_no_secret(site: Site) -> None:
    environ = {**site.environ, **SECRETS, "POINTQ_DATABASE__URL": "postgresql://me:hush-database@db/points"}
    environ["POINTQ_REDIS__URL"] = "redis://cache"
    configured = load(environ=environ)
    assert WORD not in repr(configured.settings) + str(configured.settings) + repr(configured)
    assert configured.settings.auth.jwt_secret
    backends = Servers("redis://:hush-redis@cache", "postgresql://me:hush-database@db/points", embedded=False)
    plan = serve_plan.plan_of(configured.settings, backends)
    assert plan.flymaster_secret == "hush-flymaster"
    job = Job("pointq.ingest.child", "server", asdict(plan), LogStyle("info", "json", no_color=True))
    assert WORD not in repr(backends) + repr(plan) + str(plan) + repr(job)


def test_config_show_and_errors_show_no_secret(site: Site) -> None:
    told = replace(with_secrets(site), redis_url="redis://:hush-redis@127.0.0.1:1/0")
    for arguments, expect in ((("config", "show"), 0), (("config", "show", "--json"), 0), (("status",), 0)):
        done = told.run(*arguments, expect=expect)
        assert WORD not in done.stdout + done.stderr
    away = replace(with_secrets(site), database_url="postgresql://me:hush-database@127.0.0.1:1/points")
    for arguments in (("db", "status"), ("token", "list")):
        done = away.run(*arguments, expect=3)
        assert WORD not in done.stdout + done.stderr
