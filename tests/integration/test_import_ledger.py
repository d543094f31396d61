"""Which files are imported again, and which are not."""

from pathlib import Path

import psycopg
import pytest

from tests.support.flights import fresh_igc
from tests.support.sites import Site


def outcomes(site: Site, *arguments: str) -> list[str]:
    return [file["outcome"] for file in site.report("import", *arguments)["files"]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of a flight."""
    path = tmp_path / "a.igc"
    path.write_bytes(fresh_igc())
    return path


def test_what_is_stored_is_known_also_where_nobody_waited(site: Site, path: Path) -> None:
    assert outcomes(site, str(path)) == ["queued"]
    assert outcomes(site, str(path)) == ["queued"]
    site.drain()
    assert outcomes(site, str(path)) == ["already imported"]
    assert outcomes(site, str(path), "--force") == ["queued"]


def test_a_file_is_its_content(site: Site, path: Path) -> None:
    site.run("import", str(path), "--direct")
    renamed = path.rename(path.parent / "b.igc")

    (file,) = site.report("import", str(renamed), "--direct")["files"]
    assert (file["file"], file["outcome"]) == (str(renamed), "already imported")
    renamed.write_bytes(fresh_igc())
    assert outcomes(site, str(renamed), "--direct") == ["stored"]


@pytest.mark.parametrize("options", [("--kind", "live"), ("--flight-id", "x"), ("--split",), ("--date", "2023-01-01")])
def test_the_same_file_with_other_options_is_another(site: Site, path: Path, options: tuple[str, ...]) -> None:
    site.run("import", str(path), "--direct")

    assert outcomes(site, str(path), "--direct", *options) != ["already imported"]
    assert outcomes(site, str(path), "--direct", *options) == ["already imported"]


def test_a_date_in_the_name_of_a_file_is_part_of_it(site: Site, tmp_path: Path) -> None:
    data = fresh_igc().replace(b"HFDTE010624\r\n", b"")
    for day in ("2024-06-01", "2024-06-02"):
        (tmp_path / f"{day}-XXX-1.igc").write_bytes(data)

    files = site.report("import", str(tmp_path), "--direct")["files"]

    assert [(file["outcome"], file["start"][:10]) for file in files] == [("stored", "2024-06-01"), ("stored", "2024-06-02")]
    assert outcomes(site, str(tmp_path), "--direct") == ["already imported"] * 2


@pytest.mark.parametrize("lost", ["DELETE FROM flights", "UPDATE flights SET points = points - 1"])
def test_what_the_database_lost_is_read_again(site: Site, path: Path, lost: str) -> None:
    site.run("import", str(path), "--direct")
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(lost.encode())

    assert outcomes(site, str(path), "--direct") == ["nothing new"]


def test_files_of_one_flight_are_known_once_they_are_stored(site: Site, path: Path) -> None:
    """In `flights` they cannot be told apart: a row that came too early would hide a file whose points were lost."""
    other = path.parent / "b.igc"
    other.write_bytes(fresh_igc(3))
    arguments = (str(path), str(other), "--flight-id", "both")

    assert outcomes(site, *arguments) == ["queued", "queued"]
    site.drain()
    assert outcomes(site, *arguments) == ["queued", "queued"]
    with site.work():
        assert outcomes(site, *arguments, "--wait") == ["nothing new", "nothing new"]
        assert outcomes(site, *arguments, "--wait") == ["already imported", "already imported"]


def test_an_installation_without_the_table_does_without(site: Site, path: Path) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE imports")

    done = site.run("import", str(path))

    assert "the ledger of imports cannot be read" in done.stderr
    assert "pointq db init" in done.stderr
    site.drain()
    assert len(site.points("upload")) == 5
    site.run("db", "init")
    assert outcomes(site, str(path), "--direct") == ["nothing new"]
    assert outcomes(site, str(path), "--direct") == ["already imported"]


def test_the_queue_takes_files_while_the_database_is_away(site: Site, path: Path) -> None:
    away = Site(site.redis_url, "postgresql://127.0.0.1:1/none", site.prefix, site.home)

    done = away.run("import", str(path))

    assert "files that were imported before are read again" in done.stderr
    site.drain()
    assert len(site.points("upload")) == 5


def test_the_ledger_says_what_was_in_a_file(site: Site, path: Path) -> None:
    path.write_bytes(fresh_igc().replace(b"4530000N", b"4561000N", 1))

    site.run("import", str(path), "--direct", expect=5)

    (row,) = site.rows("SELECT * FROM imports")
    assert (row["file"], row["format"], row["kind"], row["logger"]) == (str(path), "igc", "upload", "XXX001")
    assert (row["records"], row["points"], row["rejected"], row["duplicates"]) == (5, 4, 1, 0)
    assert (len(row["content"]), row["options"], row["flight_points"]) == (32, "{}", [4])
