"""What the compose file promises: nothing has more rights than it needs, nothing is open, nothing that is accepted is lost."""

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest

from pointq.config import load
from pointq.points.kinds import KINDS
from pointq.work import worker
from tests.support.compose import COMPOSE_FILE, EXAMPLE, Service, parse

PRIORITIES = {kind.priority for kind in KINDS.values()}


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text.removesuffix("s"))


def test_no_service_has_more_rights_than_it_needs(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "network_mode", "pid", "ipc", "devices", "userns_mode"} & service.keys(), name
        assert "/tmp" in service["tmpfs"], name  # noqa: S108 - of the container
        assert "docker.sock" not in str(service["volumes"]), name
    assert {name for name, service in services.items() if "cap_add" in service} == {"database"}


def test_no_port_is_open_beyond_this_machine(services: dict[str, Service]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published.keys() == {"serve", "prometheus", "grafana"}
    for ports in published.values():
        for port in ports:
            assert ipaddress.ip_address(port.rsplit(":", 2)[0]).is_loopback


def test_the_servers_behind_are_in_a_network_without_a_way_out(compose: dict[str, Any], services: dict[str, Service]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("redis", "database"):
        assert services[name]["networks"].keys() == {"inside"}


def test_images_are_of_one_version(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["image"] == "pointq" or re.search(r":v?\d+\.\d+\.\d+(-pg\d+)?$", service["image"]), name


def test_logs_are_bounded(services: dict[str, Service]) -> None:
    for service in services.values():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_a_worker_for_each_priority_which_asks_after_itself(ours: dict[str, Service]) -> None:
    commands = {name: parse(service["command"]) for name, service in ours.items() if service["command"][0] == "work"}

    assert sorted(command["priority"] for command in commands.values()) == [[priority] for priority in sorted(PRIORITIES)]
    for name, command in commands.items():
        (priority,) = command["priority"]
        program, *check = ours[name]["healthcheck"]["test"][1:]
        assert program == "pointq"
        assert parse(check)["only"] == "workers"
        assert parse(check)["min_workers"] == f"{priority}=:1"


def test_every_command_is_one_of_pointq(ours: dict[str, Service]) -> None:
    for service in ours.values():
        assert parse(service["command"])


def test_the_server_asks_everybody_for_a_token(ours: dict[str, Service], tmp_path: Path) -> None:
    settings = load(environ=credentials(ours["serve"], tmp_path), cwd=tmp_path).settings

    assert {settings.auth.tracking, settings.auth.scoring, settings.auth.import_, settings.auth.status} == {"token"}
    assert not settings.serve.insecure
    assert parse(ours["serve"]["command"])["insecure"] is False


def test_the_settings_are_understood_and_the_secrets_found(ours: dict[str, Service], tmp_path: Path) -> None:
    for service in ours.values():
        settings = load(environ=credentials(service, tmp_path), cwd=tmp_path).settings

        assert settings.prod
        url = settings.redis.effective_url()
        assert url is not None
        assert url.get_secret_value() == "redis://:of-redis-password@redis:6379/0"
        assert settings.database.url is not None
        assert settings.database.url.get_secret_value() == "postgresql:///of-database-url"


def credentials(service: Service, folder: Path) -> dict[str, str]:
    """The environment of a container, its secrets in a folder of the test."""
    environ: dict[str, str] = service["environment"]
    assert environ["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    contents = {"redis_password": "of-redis-password", "database_url": "postgresql:///of-database-url"}
    secrets = [secret["source"] for secret in service["secrets"]]
    assert set(secrets) == contents.keys()
    for name in secrets:
        (folder / name).write_text(contents[name])
    return environ | {"HOME": str(folder), "CREDENTIALS_DIRECTORY": str(folder)}


def test_no_secret_is_in_an_environment(services: dict[str, Service]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|URL$", name):
                assert value == "" or value.startswith("/run/secrets/") or name == "PROMETHEUS_URL", name


def test_the_time_to_stop_is_longer_than_what_pointq_takes(ours: dict[str, Service], tmp_path: Path) -> None:
    serve = load(environ={"HOME": str(tmp_path)}, cwd=tmp_path).settings.serve

    assert seconds(ours["serve"]["stop_grace_period"]) >= 2 * serve.shutdown_seconds
    for name in ours.keys() - {"serve", "init"}:
        assert seconds(ours[name]["stop_grace_period"]) >= 2 * worker._STOP_SECONDS


@pytest.mark.parametrize("name", ["serve", "work-1", "work-2", "work-3"])
def test_pointq_starts_when_redis_answers_and_the_tables_are_there(ours: dict[str, Service], name: str) -> None:
    needed = ours[name]["depends_on"]

    assert needed["redis"]["condition"] == "service_healthy"
    assert needed["init"]["condition"] == "service_completed_successfully"
    assert ours["init"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_the_example_has_every_variable_and_no_other() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE_FILE.read_text("utf8")))
    shown = re.findall(r"^(?!COMPOSE_)(\w+)=", EXAMPLE.read_text("utf8"), re.MULTILINE)

    assert len(shown) == len(set(shown))
    assert set(shown) == used


def test_what_the_example_says_is_the_default_of_the_compose_file() -> None:
    defaults = dict(re.findall(r"(?<!\$)\$\{(\w+):-([^}]*)\}", COMPOSE_FILE.read_text("utf8")))
    shown = dict(re.findall(r"^(?!COMPOSE_)(\w+)=(.*)$", EXAMPLE.read_text("utf8"), re.MULTILINE))

    assert shown == defaults


def test_what_is_mounted_is_there(services: dict[str, Service]) -> None:
    sources = [Path(volume.split(":")[0]) for service in services.values() for volume in service["volumes"]]
    files = [path for path in sources if path.is_absolute()]

    assert files
    for path in files:
        assert path.exists(), path


def test_the_example_names_only_secrets_that_are_mounted() -> None:
    named = set(re.findall(r"secrets/[\w.]*\w", EXAMPLE.read_text("utf8")))
    mounted = set(re.findall(r"^    file: \./(secrets/\S+)$", COMPOSE_FILE.read_text("utf8"), re.MULTILINE))

    assert named
    assert named <= mounted
