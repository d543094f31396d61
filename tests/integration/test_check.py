"""`pointq check` on real servers, also on those that are stopped, frozen, or let nobody in."""

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointq.cli.main import run
from pointq.ops.check import CHECKS
from pointq.ops.check_facts import facts
from pointq.queue.lanes import lanes_of
from tests.support.api import LIVE
from tests.support.frozen import database_pids, frozen, redis_pids
from tests.support.guarded import PASSWORD, Guarded, free_port
from tests.support.pace import quick
from tests.support.points import track
from tests.support.processes import Server
from tests.support.schemas import check_against
from tests.support.sites import Site, clean_environ, run_pointq
from tests.support.until import until

OK, WARNING, CRITICAL, UNKNOWN = range(4)

ANSWER_SECONDS = 2.0
"""For what should be there within one, on a loaded machine."""


def found(site: Site, *arguments: str, expect: int = OK) -> dict[tuple[str, str], Any]:
    """The checks by name and subject; the document must be what the schema says."""
    document = site.report("check", *arguments, expect=expect)
    check_against("check", document)
    assert document["exit_code"] == expect
    return {(each["check"], each["subject"]): each for each in document["checks"]}


def test_all_is_well_while_somebody_works(site: Site) -> None:
    with site.serve(), site.work():
        until_worker(site)
        checks = found(site)
        assert {each["state"] for each in checks.values()} == {"ok"}
        assert {check for check, _ in checks} == set(CHECKS)
        assert checks["intake", "intake"]["message"] == "points go by the queue"
        assert site.run("check").stdout.startswith("pointq OK: ")
        assert site.run("check", "--format", "nagios").stdout.startswith("POINTQ OK - ")
        for line in (site.run("check").stdout, site.run("check", "--format", "nagios").stdout):
            assert line.endswith("\n")
        families = list(text_string_to_metric_families(site.run("check", "--format", "prometheus").stdout))
        assert {family.name for family in families} >= {"pointq_check_state", "pointq_check_value", "pointq_check_limit"}


def until_worker(site: Site) -> None:
    until(lambda: site.status()["workers"], "a worker is listed")


def test_without_a_worker_it_is_critical(site: Site) -> None:
    checks = found(site, expect=CRITICAL)

    assert [key for key, each in checks.items() if each["state"] != "ok"] == [("workers", f"priority {p}") for p in (1, 2, 3)]
    assert site.run("check", expect=CRITICAL).stdout.startswith(
        "pointq CRITICAL: no workers take priority 1, at least 1 needed"
    )


def test_limits_come_from_flags_the_environment_and_the_file(site: Site, server: Server) -> None:
    with server.client() as client:
        client.post(LIVE, {"flight_id": "f", "track_points": track(11)})
    (site.home / "pointq.toml").write_text('[check]\nmin_workers = "off"\nmax_depth_points = "1=5:10"\n')

    assert found(site, expect=CRITICAL)["depth", "live"]["state"] == "critical"
    assert found(site, "--max-depth", "10:100", expect=WARNING)["depth", "live"]["warning"] == 10
    patient = Site(site.redis_url, site.database_url, site.prefix, site.home, {"POINTQ_CHECK__MAX_DEPTH_POINTS": "off"})
    assert found(patient)["depth", "live"]["value"] == 11
    assert found(patient, "--max-age", "0:0", expect=CRITICAL)["age", "live"]["state"] == "critical"


@pytest.mark.parametrize("arguments", [("--max-age", "soon"), ("--only", "redis,moon")])
def test_what_makes_no_sense_is_unknown(site: Site, arguments: tuple[str, ...]) -> None:
    said = site.run("check", *arguments, expect=UNKNOWN)

    assert said.stdout.startswith("pointq UNKNOWN: ")
    assert said.stdout.count("\n") == 1
    document = site.report("check", *arguments, expect=UNKNOWN)
    check_against("check", document)
    assert document["error"]


@pytest.mark.parametrize("arguments", [("--nope",), ("--format", "bogus"), ("more",)])
def test_what_was_mistyped_is_no_verdict(site: Site, arguments: tuple[str, ...]) -> None:
    assert "see `pointq check --help`" in site.run("check", *arguments, expect=UNKNOWN).stderr


def test_a_defect_is_no_verdict(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("pointq.ops.check_facts.facts", fails)
    for name, value in site.environ.items():
        monkeypatch.setenv(name, value)

    assert run(["check"]) == UNKNOWN
    assert capsys.readouterr().out.startswith("pointq UNKNOWN: unexpected ZeroDivisionError: a defect")


def test_where_embedded_servers_do_not_run_nothing_is_started(tmp_path: Path) -> None:
    done = run_pointq("check", environ=clean_environ(tmp_path), home=tmp_path)

    assert (done.returncode, done.stderr) == (UNKNOWN, "")
    assert "the embedded servers do not run" in done.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("trouble", ["stopped", "frozen", "wrong password"])
@pytest.mark.parametrize("backend", ["redis", "database"])
def test_a_backend_that_does_not_answer(servers: Guarded, tmp_path: Path, backend: str, trouble: str) -> None:
    good = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{servers.redis_port}/0", servers.database_url()
    bad = {
        "stopped": (f"redis://127.0.0.1:{free_port()}/0", servers.database_url(port=free_port())),
        "frozen": good,
        "wrong password": (f"redis://:nonsense@127.0.0.1:{servers.redis_port}/0", servers.database_url(password="nonsense")),
    }[trouble]
    urls = (bad[0], good[1]) if backend == "redis" else (good[0], bad[1])
    site = Site(*urls, f"check-{tmp_path.name}", tmp_path).hasty
    pids = () if trouble != "frozen" else redis_pids(good[0]) if backend == "redis" else database_pids(good[1])
    with frozen(*pids) if pids else nullcontext():
        checks = found(site, expect=CRITICAL)
        alone = found(
            site, "--only", "age" if backend == "redis" else "database", expect=UNKNOWN if backend == "redis" else CRITICAL
        )
        other = found(site, "--only", "database" if backend == "redis" else "redis")
        quick(
            lambda: asyncio.run(facts(CHECKS, *urls, lanes_of(), prefix=site.prefix, spool=tmp_path, patience=0.4)),
            within=ANSWER_SECONDS,
        )
    assert checks[backend, backend]["state"] == "critical"
    assert "nonsense" not in json.dumps([*checks.values()])
    unknown = {check for (check, _), each in checks.items() if each["state"] == "unknown"}
    assert unknown == ({"age", "depth", "dead", "workers", "memory"} if backend == "redis" else set())
    assert len(alone) == (4 if backend == "redis" else 1)
    assert [each["state"] for each in other.values()] == ["ok"]


def test_only_those_are_asked_who_are_needed(tmp_path: Path) -> None:
    """Nobody listens where the other one should be, and nobody notices."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0", f"postgresql://u@127.0.0.1:{free_port()}/x"
    site = Site(*nowhere, "nobody", tmp_path)

    assert [each["state"] for each in found(site, "--only", "spool").values()] == ["ok"]
