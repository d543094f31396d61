"""The command as a whole: what it prints, how it exits, and that it starts and changes nothing."""

import json
from pathlib import Path
from typing import Any

import psycopg

from pointq.ops.doctor import checks
from pointq.ops.doctor.finding import ok
from pointq.ops.doctor.registry import Check
from pointq.ops.doctor.report import judge
from tests.support.databases import keys
from tests.support.schemas import check_against
from tests.support.sites import Site, clean_environ, run_pointq

DOCS = Path(__file__).parents[2] / "docs"


def test_json_is_as_the_schema_says(site: Site) -> None:
    report = site.report("doctor")

    check_against("doctor", report)
    counts = {"ok": report["ok"], "warn": report["warn"], "fail": report["fail"]}
    assert counts == {s: sum(line["severity"] == s for line in report["findings"]) for s in counts}
    assert all(line["mend"] for line in report["findings"] if line["severity"] != "ok")


def test_a_broken_one_is_as_the_schema_says_too(site: Site) -> None:
    broken = Site("unix:///nowhere", site.database_url, site.prefix, site.home)

    check_against("doctor", broken.report("doctor", expect=1))


def test_warnings_fail_only_where_it_is_strict(site: Site) -> None:
    # plain tables, and no maxmemory
    assert site.report("doctor")["state"] == "warn"

    assert site.report("doctor", "--strict", expect=1)["state"] == "warn"


def test_the_screen(site: Site) -> None:
    with psycopg.connect(site.database_url) as connection:
        connection.execute("CREATE INDEX by_time ON live_track_points (time)")

    text = site.run("doctor").stdout

    assert "  OK    reachable" in text
    assert "  WARN  indexes " in text
    assert "→ DROP INDEX by_time, if nobody needs it" in text
    assert text.splitlines()[-1].startswith("WARN  ")


def test_a_quiet_screen(site: Site) -> None:
    lines = site.run("doctor", "--quiet").stdout.splitlines()

    assert not [line for line in lines if line.startswith("  OK")]
    assert [line for line in lines if line.startswith("  WARN  memory")]


def test_nothing_is_changed(site: Site) -> None:
    before = keys(site.redis_url)
    folder = site.home / "data"

    site.run("doctor")

    assert {key for key in keys(site.redis_url) - before if key.startswith(site.prefix)} == set()
    assert not folder.exists()


def test_embedded_servers_are_not_started(tmp_path: Path) -> None:
    done = run_pointq("doctor", "--json", environ=clean_environ(tmp_path), home=tmp_path)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (line,) = (line for line in report["findings"] if line["check"] == "configuration.servers")
    assert "do not run" in line["message"]
    assert {skipped["reason"] for skipped in report["skipped"]} == {"embedded servers are meant and do not run"}
    assert not (tmp_path / "data").exists()


def test_a_wrong_setting_is_an_error_of_usage(tmp_path: Path) -> None:
    done = run_pointq("doctor", environ={**clean_environ(tmp_path), "POINTQ_SERV__PORT": "1"}, home=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean POINTQ_SERVE__PORT?" in done.stderr


def test_every_check_says_what_mends_it_and_is_described() -> None:
    text = (DOCS / "doctor.md").read_text("utf8")
    described = [line for line in text.splitlines() if line.startswith("| `")]

    assert described == [f"| `{check.id}` | {check.what} | {check.why} | {check.mend} |" for check in checks.ALL]
    assert all(check.what and check.why and check.mend for check in checks.ALL)
    assert len({check.id for check in checks.ALL}) == len(checks.ALL)


def test_a_check_that_is_confused_hides_no_other() -> None:
    def confused(_: Any) -> Any:
        raise KeyError("aof_enabled")

    first = Check("a.first", int, "whether it is", "it must be", "make it so", confused)
    second = Check("a.second", int, "whether it is", "it must be", "make it so", lambda fact: iter([ok(f"it is {fact}")]))

    report = judge([first, second], {int: 7}, 0.0)

    assert [(line.check, line.severity) for line in report.findings] == [("a.first", "warn"), ("a.second", "ok")]
    assert report.findings[0].message == "could not find out whether it is: 'aof_enabled'"
    assert report.findings[0].mend
