import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq import config
from pointq.config.keeping import TableSettings
from pointq.config.layers import PLAIN_VARIABLES, variable
from pointq.config.origin import mask_passwords
from pointq.config.paths import default_data_dir, user_config_file
from pointq.config.settings import walk
from pointq.errors import ConfigError

Flags = Mapping[str, object]
NOTHING: Mapping[str, str] = MappingProxyType({})


class Machine:
    """A user's machine: a home, a working folder, an environment, and nothing set in them."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.cwd = root / "cwd"
        self.cwd.mkdir()
        self.environ = {"HOME": str(self.home)}

    def write_user_file(self, text: str) -> None:
        path = self.home / ".config/pointq/pointq.toml"
        path.parent.mkdir(parents=True)
        path.write_text(text)

    def write(self, name: str, text: str) -> Path:
        (self.cwd / name).write_text(text)
        return Path(name)

    def load(
        self, environ: Mapping[str, str] = NOTHING, /, *, file: Path | None = None, flags: Flags = NOTHING, **more: str
    ) -> config.LoadedConfig:
        return config.load(config_file=file, flags=flags, environ={**self.environ, **environ, **more}, cwd=self.cwd)

    def error(self, *, file: Path | None = None, flags: Flags = NOTHING, **environ: str) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.load(environ, file=file, flags=flags)
        return caught.value


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _url(loaded: config.LoadedConfig) -> str | None:
    url = loaded.settings.redis.effective_url()
    return None if url is None else url.get_secret_value()


# --- Layers -----------------------------------------------------------------------------------------------------------


def test_nothing_given_is_all_default(machine: Machine) -> None:
    loaded = machine.load()

    assert loaded.settings.serve.port == 8000
    assert _url(loaded) is None
    assert loaded.settings.database.url is None
    assert {str(origin) for origin in loaded.origins.values()} == {"default"}
    assert loaded.files == ()


def test_each_layer_stands_above_the_next(machine: Machine) -> None:
    def port() -> tuple[int, str]:
        loaded = machine.load(environ, file=named, flags=flags)
        return loaded.settings.serve.port, str(loaded.origins["serve.port"])

    named: Path | None = None
    flags: dict[str, object] = {}
    environ: dict[str, str] = {}

    machine.write_user_file("[serve]\nport = 1\n")
    assert port() == (1, str(machine.home / ".config/pointq/pointq.toml"))
    machine.write("pointq.toml", "[serve]\nport = 2\n")
    assert port() == (2, "./pointq.toml")
    machine.write("other.toml", "[serve]\nport = 3\n")
    environ["POINTQ_CONFIG"] = "other.toml"
    assert port() == (3, "other.toml")
    named = machine.write("named.toml", "[serve]\nport = 4\n")
    assert port() == (4, "named.toml")
    environ["POINTQ_SERVE__PORT"] = "5"
    assert port() == (5, "environment POINTQ_SERVE__PORT")
    flags["serve.port"] = 6
    assert port() == (6, "--port flag")


def test_files_merge_key_by_key(machine: Machine) -> None:
    machine.write_user_file('[serve]\nhost = "::1"\nport = 1\n')
    machine.write("pointq.toml", "[serve]\nport = 2\n")

    loaded = machine.load()

    assert (loaded.settings.serve.host, loaded.settings.serve.port) == ("::1", 2)
    assert loaded.files == (machine.home / ".config/pointq/pointq.toml", machine.cwd / "pointq.toml")


def test_a_flag_that_was_not_typed_does_not_count(machine: Machine) -> None:
    assert machine.load(flags={"serve.port": None}, POINTQ_SERVE__PORT="5").settings.serve.port == 5


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("redis.url", "redis://cache", "--redis-url flag"),
        ("serve.port", 1, "--port flag"),
        ("serve.worker", False, "--no-worker flag"),
        ("work.processes", 2, "--processes flag"),
        ("data_dir", "/data", "--data-dir flag"),
    ],
)
def test_a_flag_is_named_as_it_was_typed(machine: Machine, key: str, value: object, shown: str) -> None:
    assert str(machine.load(flags={key: value}).origins[key]) == shown


def test_every_setting_has_a_variable(machine: Machine) -> None:
    for key, field in walk():
        assert field.description, key
        default = field.get_default(call_default_factory=True)
        value = str(default) if default is not None else str((field.examples or [None])[0])
        if isinstance(default, tuple):
            value = ",".join(default or (field.examples or [()])[0])
        if isinstance(default, TableSettings):
            value = json.dumps((field.examples or [{}])[0])
        assert str(machine.load({variable(key): value}).origins[key]) == f"environment {variable(key)}"


def test_variables_that_many_machines_have_already(machine: Machine) -> None:
    loaded = machine.load(
        REDIS_HOST="cache", REDIS_PORT="1", REDIS_DB="2", REDIS_PASSWORD="p", REDIS_MAX_CONNECTIONS="3", DATABASE_URL="dbname=x"
    )

    assert _url(loaded) == "redis://:p@cache:1/2"
    assert loaded.settings.redis.max_connections == 3
    assert loaded.settings.database.url is not None
    assert str(loaded.origins["database.url"]) == "environment DATABASE_URL"


def test_a_variable_of_ours_wins_over_a_plain_one(machine: Machine) -> None:
    for plain, key in PLAIN_VARIABLES.items():
        value = {"redis.url": "redis://cache", "database.url": "dbname=points"}.get(key, "1")
        assert machine.load({plain: value}).origins[key].name == plain
        assert machine.load({plain: "not used", variable(key): value}).origins[key].name == variable(key)


def test_an_empty_variable_counts_as_not_set(machine: Machine) -> None:
    assert machine.load(REDIS_URL="", POINTQ_SERVE__PORT="").settings.serve.port == 8000


def test_an_empty_secret_of_a_file_is_refused(machine: Machine) -> None:
    machine.write("pointq.toml", '[flymaster]\nsecret = ""\n')

    error = machine.error()

    assert error.message.startswith("the setting flymaster.secret is *** (from ./pointq.toml); expected a secret")
    assert error.hint == "correct it in ./pointq.toml"


def test_the_process_is_read_unless_told_otherwise(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write("pointq.toml", "[serve]\nport = 2\n")
    monkeypatch.chdir(machine.cwd)
    for name in [name for name in os.environ if name.startswith("POINTQ_") or name in PLAIN_VARIABLES]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.setenv("POINTQ_QUEUE__SHARDS", "3")

    settings = config.load().settings

    assert (settings.serve.port, settings.queue.shards) == (2, 3)


# --- Redis ------------------------------------------------------------------------------------------------------------


def test_in_production_redis_is_on_host_redis(machine: Machine) -> None:
    loaded = machine.load(PROD="true")

    assert _url(loaded) == "redis://redis:6379/0"
    assert str(loaded.origins["redis.host"]) == "default with prod"


def test_in_production_another_host_may_be_named(machine: Machine) -> None:
    assert _url(machine.load(PROD="true", REDIS_HOST="cache")) == "redis://cache:6379/0"
    assert _url(machine.load(PROD="true", REDIS_URL="redis://cache/3")) == "redis://cache/3"


def test_a_port_alone_configures_no_redis(machine: Machine) -> None:
    assert _url(machine.load(REDIS_PORT="6380")) is None


def test_a_url_stands_above_its_parts(machine: Machine) -> None:
    assert _url(machine.load(REDIS_URL="redis://one", REDIS_HOST="two", REDIS_PASSWORD="p")) == "redis://one"


def test_a_host_stands_above_the_url_of_a_lower_layer(machine: Machine) -> None:
    machine.write("pointq.toml", '[redis]\nurl = "redis://one"\n')

    assert _url(machine.load(REDIS_HOST="two")) == "redis://two:6379/0"
    assert _url(machine.load()) == "redis://one"


def test_parts_of_a_url_are_quoted(machine: Machine) -> None:
    loaded = machine.load(REDIS_HOST="::1", POINTQ_REDIS__USERNAME="me@home", REDIS_PASSWORD="a/b:c")

    assert _url(loaded) == "redis://me%40home:a%2Fb%3Ac@[::1]:6379/0"


# --- Mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[serve]\nprot = 1\n", "f.toml has the unknown setting serve.prot", "did you mean serve.port?"),
        ("datadir = 1\n", "f.toml has the unknown setting datadir", "did you mean data_dir?"),
        ("zzz = 1\n", "f.toml has the unknown setting zzz", "`pointq config show` lists every setting"),
        ("serve = 1\n", "serve in f.toml is a table of settings, not a value", "write [serve], its keys below"),
        ("[serve]\nport = \n", "f.toml is no valid TOML: Invalid value (at line 2, column 8)", "text values need quotes"),
        ("[serve]\nport = 'x'\n", 'the setting serve.port is "x" (from f.toml); expected a valid integer', "f.toml"),
        ("[serve]\nport = 70000\n", "is 70000 (from f.toml); expected less than or equal to 65535", "correct it in f.toml"),
        ("[serve.port]\nx = 1\n", "the setting serve.port is {'x': 1} (from f.toml); expected a valid integer", "f.toml"),
        ("durability = 'disk'\n", "is \"disk\" (from f.toml); expected 'fsync' or 'memory'", "f.toml"),
        ("[work]\nblock_seconds = inf\n", "is inf (from f.toml); expected a finite number", "f.toml"),
        ("[queue]\nprefix = '{a}'\n", "expected a text without braces", "f.toml"),
        ("flight_day_timezone = 'Mars/Base'\n", "expected an IANA time zone such as Europe/Paris", "f.toml"),
        ("flight_day_timezone = '../../etc/passwd'\n", "expected an IANA time zone such as Europe/Paris", "f.toml"),
        ("[redis]\nurl = 'http://:hush@cache'\n", "redis.url is *** (from f.toml); expected a URL such as redis://", "f.toml"),
        ("[redis]\nurl = 'redis://[:hush@cache'\n", "redis.url is *** (from f.toml); expected a URL", "f.toml"),
        ("[redis]\npassword = 12345678\n", "redis.password is *** (from f.toml); expected a valid string", "f.toml"),
        ("[database]\nurl = 'mysql://x?a=b'\n", "expected a URL such as postgresql://", "f.toml"),
    ],
)
def test_a_mistake_in_a_file_is_told_and_how_to_mend_it(machine: Machine, text: str, message: str, hint: str) -> None:
    error = machine.error(file=machine.write("f.toml", text))

    assert message in error.message
    assert hint in str(error.hint)
    assert "\n" not in error.message
    assert "hush" not in f"{error!r} {error.__cause__!r} {error.__cause__}"
    assert "12345678" not in f"{error!r} {error.__cause__!r} {error.__cause__}"


def test_a_mistake_in_a_variable(machine: Machine) -> None:
    error = machine.error(REDIS_PORT="high")

    assert error.message == 'the setting redis.port is "high" (from environment REDIS_PORT); expected a valid integer'
    assert error.hint == "correct REDIS_PORT"


def test_a_mistake_in_a_flag(machine: Machine) -> None:
    error = machine.error(flags={"log.level": "loud"})

    assert error.message.startswith("the setting log.level is \"loud\" (from --log-level flag); expected 'debug',")


def test_a_variable_that_no_setting_has(machine: Machine) -> None:
    error = machine.error(POINTQ_SERVE_PORT="1")

    assert error.message == "no setting belongs to the environment variable POINTQ_SERVE_PORT"
    assert error.hint == "did you mean POINTQ_SERVE__PORT?"


def test_variables_of_the_tests_are_no_settings(machine: Machine) -> None:
    assert machine.load(POINTQ_TEST_TIMESCALE_URL="postgresql://db").settings == machine.load().settings


def test_a_file_that_was_asked_for_must_be_there(machine: Machine) -> None:
    error = machine.error(file=Path("gone.toml"))

    assert error.message == "the settings file gone.toml cannot be read: No such file or directory"


def test_a_file_that_is_no_text(machine: Machine) -> None:
    (machine.cwd / "pointq.toml").write_bytes(b"\xff\xfe")

    assert "./pointq.toml is no valid TOML" in machine.error().message


def test_a_byte_order_mark_is_no_mistake(machine: Machine) -> None:
    (machine.cwd / "pointq.toml").write_bytes(b"\xef\xbb\xbfprod = true\n")

    assert machine.load().settings.prod


def test_levels_may_be_written_large(machine: Machine) -> None:
    assert machine.load(POINTQ_LOG__LEVEL="INFO").settings.log.level == "info"


# --- Secrets ----------------------------------------------------------------------------------------------------------


def test_nothing_that_is_printed_shows_a_secret(machine: Machine) -> None:
    loaded = machine.load(
        REDIS_PASSWORD="hush==",
        REDIS_URL="redis://me:hush@cache",
        DATABASE_URL="host=db password='hu sh hush'",
        POINTQ_FLYMASTER__SECRET="hush",
    )

    assert "hush" not in f"{loaded!r} {loaded.settings} {[*loaded.explain()]} {loaded.settings.model_dump_json()}"
    explained = {row.key: row.value for row in loaded.explain()}
    assert explained["redis.password"] == "***"
    assert explained["redis.url"] == "redis://me:***@cache"
    assert explained["database.url"] == "host=db password=***"


def test_settings_cannot_be_changed(machine: Machine) -> None:
    with pytest.raises(ValueError, match="frozen"):
        machine.load().settings.serve.port = 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:p@host", "redis://:***@host"),
        ("postgresql://me:p@ss/w:rd@host/db?x=1", "postgresql://me:***@host/db?x=1"),
        ("postgresql://host/db?user=me&password=p&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("host=db password=p user=me", "host=db password=*** user=me"),
        ("host=db password = 'a \\' b' user=me", "host=db password = *** user=me"),
        ("host=db sslpassword=p", "host=db sslpassword=***"),
        ("http://host:8000/?token=pq_p&x=1", "http://host:8000/?token=***&x=1"),
    ],
)
def test_passwords_are_masked_where_they_stand(text: str, masked: str) -> None:
    assert mask_passwords(text) == masked


@given(st.text(min_size=1), st.sampled_from(["redis", "postgresql"]))
def test_no_password_of_a_url_survives(password: str, scheme: str) -> None:
    secret = f"§{password}§"

    assert secret not in mask_passwords(f"{scheme}://me:{secret}@host:1/db")


# --- Folders ----------------------------------------------------------------------------------------------------------


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.platform", "linux")

    assert default_data_dir({"HOME": "/h"}) == Path("/h/.local/share/pointq")
    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == Path("/x/pointq")
    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "relative"}) == Path("/h/.local/share/pointq")
    assert user_config_file({"HOME": "/h"}) == Path("/h/.config/pointq/pointq.toml")
    assert user_config_file({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == Path("/x/pointq/pointq.toml")


def test_macos_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 501)
    monkeypatch.setattr("sys.platform", "darwin")

    assert default_data_dir({"HOME": "/h"}) == Path("/h/Library/Application Support/pointq")


def test_root_stays_out_of_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == Path("/var/lib/pointq")


def test_a_data_folder_may_be_named_from_home(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")

    assert machine.load(POINTQ_DATA_DIR="~/points").settings.data_dir == Path("/h/points")
    assert machine.load(POINTQ_DATA_DIR="points").settings.data_dir == Path.cwd() / "points"
