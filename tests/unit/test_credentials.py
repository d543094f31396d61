"""Secrets from $CREDENTIALS_DIRECTORY, as systemd's LoadCredential= puts them there."""

from pathlib import Path

import pytest

from pointq import config
from pointq.config.load import LoadedConfig
from pointq.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "credentials").mkdir()
    return tmp_path / "credentials"


def load(folder: Path, **environ: str) -> LoadedConfig:
    base = {"HOME": str(folder.parent), "CREDENTIALS_DIRECTORY": str(folder)}
    return config.load(environ=base | environ, cwd=folder.parent)


@pytest.mark.parametrize("name", ["database_url", "pointq.database.url"])
def test_a_credential_is_a_setting_and_its_secret_stays_one(folder: Path, name: str) -> None:
    (folder / name).write_text("postgresql://pointq:hidden@db/points\n")
    loaded = load(folder)
    url = loaded.settings.database.url
    assert url
    assert url.get_secret_value() == "postgresql://pointq:hidden@db/points"
    (row,) = [row for row in loaded.explain() if row.key == "database.url"]
    assert (str(row.origin), row.value) == (f"credential {name}", "postgresql://pointq:***@db/points")


def test_it_stands_above_a_file_and_below_the_environment(folder: Path) -> None:
    (folder.parent / "pointq.toml").write_text('[redis]\nurl = "redis://file/0"')
    (folder / "redis_url").write_text("redis://credential/0")
    assert str(load(folder).origins["redis.url"]) == "credential redis_url"
    assert str(load(folder, REDIS_URL="redis://variable/0").origins["redis.url"]) == "environment REDIS_URL"


def test_of_a_setting_that_is_a_file_the_credential_is_that_file(folder: Path) -> None:
    (folder / "pointq.serve.tls_key").write_bytes(b"\xff")
    assert load(folder).settings.serve.tls_key == folder / "pointq.serve.tls_key"


def test_a_credential_that_begins_like_ours_and_is_not_is_an_error(folder: Path) -> None:
    (folder / "other").write_bytes(b"\xff")
    load(folder)
    (folder / "pointq.databse.url").write_text("x")
    with pytest.raises(ConfigError, match=r"no secret setting belongs to the credential pointq\.databse\.url") as caught:
        load(folder)
    assert caught.value.hint == "did you mean pointq.database.url?"


def test_one_that_is_no_text_says_so_without_its_content(folder: Path) -> None:
    (folder / "redis_password").write_bytes(b"hidden\xff")
    with pytest.raises(ConfigError, match="redis_password cannot be read") as caught:
        load(folder)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("key", ["flymaster.secret", "redis.password", "auth.jwt_secret", "database.url"])
def test_an_empty_one_is_refused(folder: Path, key: str) -> None:
    """A secret that went missing; taken for none, it would open the door that it was to shut."""
    (folder / f"pointq.{key}").write_text("\n")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert caught.value.message == f"the credential pointq.{key} is empty"
    assert key in str(caught.value.hint)
