"""`pointq db`, as a user runs it."""

import psycopg

from tests.support.sites import Site


def test_a_dry_run_prints_the_sql_that_a_run_then_executes(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE flights, pointq_schema")

    shown = site.run("db", "init", "--dry-run").stdout
    assert shown.startswith("-- make flights\nBEGIN;\n")
    assert site.report("db", "init", "--dry-run")["stages"][0]["what"] == "make flights"
    assert site.value("SELECT to_regclass('flights')") is None

    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(shown)
    assert site.run("db", "init", "--dry-run").stdout == "-- nothing is to be done\n"


def test_init_says_what_it_did(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE flights")

    found = site.report("db", "init")

    assert (found["made"], found["done"], found["version"]) == (["flights"], ["make flights"], 2)
    assert "flights                    there already" in site.run("db", "init").stdout


def test_a_table_that_is_refused_is_an_error_with_a_hint(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE live_track_points DROP COLUMN heading")

    done = site.run("db", "init", expect=3)

    assert "column heading is missing, expected double precision" in done.stderr
    assert "RENAME TO" in done.stderr
