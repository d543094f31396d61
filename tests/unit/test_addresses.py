"""Which addresses of servers are taken, and that the others show no piece of a password."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import ProgrammingError, conninfo
from pydantic import ValidationError

from pointq import config
from pointq.config.settings import DatabaseSettings, RedisSettings
from pointq.errors import ConfigError

AUTHORITY_SIGNS = st.text("ab1%/#?@:&=[], '\\", max_size=12)


def refused(section: "type[DatabaseSettings | RedisSettings]", url: str) -> bool:
    try:
        section(url=url)  # type: ignore[arg-type]
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://points:Tr0ub/4dor#geheim@127.0.0.1:5432/points",
        "postgresql://u:12/34@h/db",
        "postgresql://u:12/3?geheim@h/db",
        "postgresql://u:p?a/geheim@h/db",
        "postgresql://u:p%zzgeheim@h/db",
        "postgresql://u:p%a1geheim@h/db",
        "postgresql://u:?1=@geheim@h/db",
        "postgresql://u:top geheim@h/db",
        "postgresql://u:top\tgeheim@h/db",
        "postgresql://u:top@geheim@h/db",
        "postgresql://u:p[geheim/@h/db",
        "postgresql://u@h:geheim/db",
        "password=my geheim host=h",
        "host=h password='my geheim",
        "geheim",
        "mysql://u:geheim@h/db",
        "mysql://x?a=b",
    ],
)
def test_a_database_url_that_a_password_cuts_is_refused(url: str) -> None:
    assert refused(DatabaseSettings, url)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://", {}),
        ("postgres://u:p@h:5432/db", {"user": "u", "password": "p", "host": "h", "port": "5432", "dbname": "db"}),
        ("postgresql:///db?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "db"}),
        ("postgresql://u@/db?host=/run/pg&port=5433", {"user": "u", "host": "/run/pg", "port": "5433", "dbname": "db"}),
        ("postgresql://%2Frun%2Fpg/db", {"host": "/run/pg", "dbname": "db"}),
        ("postgresql://u:p@h1:1,[::1]:2,h3/db?target_session_attrs=any", {"host": "h1,::1,h3", "port": "1,2,"}),
        ("postgresql://u:p%40%2F%23%3F%25%20@h/db", {"password": "p@/#?% ", "host": "h"}),
        ("postgresql://u:p#a?b:c&d=[@h/db", {"password": "p#a?b:c&d=[", "host": "h"}),
        ("postgresql://h/db?user=me@tenant&password=p%3D", {"user": "me@tenant", "password": "p="}),
        ("postgresql://h/db?options=-c%20geqo%3Doff ", {"options": "-c geqo=off"}),
        ("postgresql://?service=points", {"service": "points"}),
        ("service=points", {"service": "points"}),
        ("host=h password='my \\' top://secret' dbname=x", {"password": "my ' top://secret", "dbname": "x"}),
        (r"host = h password=it's\ so user=", {"password": "it's so", "user": ""}),
    ],
)
def test_a_database_url_that_can_be_read_is_taken(url: str, parts: dict[str, str]) -> None:
    assert not refused(DatabaseSettings, url)
    assert {key: conninfo.conninfo_to_dict(url).get(key) for key in parts} == parts


@given(AUTHORITY_SIGNS)
def test_the_database_is_the_one_that_was_meant_or_the_url_is_refused(password: str) -> None:
    url = f"postgresql://u:{password}@host:5432/db"
    if refused(DatabaseSettings, url):
        return
    try:
        found = conninfo.conninfo_to_dict(url)
    except ProgrammingError:
        return  # an option that there is none of: connecting says so, without its name
    assert (found["host"], found["port"], found["dbname"], found.get("password", "")) == (
        "host",
        "5432",
        "db",
        unquote(password),
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa#geheim@h:6379/0",
        "redis://:pa/geheim@h:6379/0",
        "redis://:12#geheim@h/0",
        "redis://:12/geheim@h/0",
        "redis://:12?geheim@h/0",
        "redis://:12?geheim=x@h/0",
        "redis://:a@b/geheim@h/0",
        "rediss://:[geheim@h/0",
        "unix://:12/geheim@/run/redis.sock",
        "http://:geheim@h",
    ],
)
def test_a_redis_url_that_a_password_cuts_is_refused(url: str) -> None:
    assert refused(RedisSettings, url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://h",
        "redis://u:p@[::1]:6379/3",
        "rediss://:top@secret@h:6380/0?ssl_cert_reqs=none",
        "redis://h:6379/0?password=p@ss&db=1",
        "redis://:p%23%2F%40%zz secret@h/0",
        "unix:///run/redis@1.sock?db=1&password=p@ss",
        "unix://u:p@/run/redis.sock",
    ],
)
def test_a_redis_url_that_can_be_read_is_taken(url: str) -> None:
    assert not refused(RedisSettings, url)


@given(AUTHORITY_SIGNS)
def test_the_redis_is_the_one_that_was_meant_or_the_url_is_refused(password: str) -> None:
    url = f"redis://:{password}@host:6379/0"
    if not refused(RedisSettings, url):
        parts = urlsplit(url)
        assert (parts.hostname, parts.port, parts.path, parts.password) == ("host", 6379, "/0", password)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("DATABASE_URL", "postgresql://points:Tr0ub/4dor#geheim@127.0.0.1:5432/points"),
        ("DATABASE_URL", "password=my geheim"),
        ("REDIS_URL", "redis://:pa#geheim@h:6379/0"),
    ],
)
def test_the_error_says_how_to_write_it_and_no_piece_of_it(tmp_path: Path, variable: str, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(environ={"HOME": str(tmp_path), variable: url}, cwd=tmp_path)

    said = f"{caught.value} {caught.value.hint}"
    assert "in a password write % / # ? @ and spaces as %25 %2F %23 %3F %40 %20" in said
    assert not re.search(r"geheim|Tr0ub|4dor|my|pa#", said)
    assert caught.value.hint == f"correct {variable}"
