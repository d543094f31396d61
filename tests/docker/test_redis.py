"""Redis of the compose file, its command run by a real server."""

import re
import subprocess
from pathlib import Path

import pytest
import redis

from tests.support.compose import Service, as_in_the_container
from tests.support.guarded import HOST, free_port
from tests.support.programs import embedded_programs
from tests.support.until import until

PASSWORD = "of-the-test"


def command(service: Service, folder: Path, port: int) -> list[str]:
    """Its command, with the folders and the program of this machine in place of the container's."""
    shell, option, script = service["command"]
    program = embedded_programs().valkey
    script = as_in_the_container(script).replace("/run/secrets", str(folder)).replace("/data", str(folder / "data"))
    return [shell, option, re.sub(r"\bvalkey-server\b", f"{program} --bind {HOST} --port {port}", script, count=1)]


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_redis_keeps_what_it_took_and_asks_for_the_password(services: dict[str, Service], tmp_path: Path) -> None:
    (tmp_path / "redis_password").write_text(PASSWORD)
    (tmp_path / "data").mkdir()
    port = free_port()
    process = subprocess.Popen(command(services["redis"], tmp_path, port), stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        with redis.Redis(HOST, port, password=PASSWORD) as client:
            until(lambda: answers(client), "Redis answers")
            found = client.config_get("append*", "maxmemory*", "save")
            assert isinstance(found, dict)
        assert found["appendonly"] == "yes"
        assert found["appendfsync"] == "always"
        assert found["maxmemory-policy"] == "noeviction"
        assert int(found["maxmemory"]) > 0
        assert found["save"] == ""
        with redis.Redis(HOST, port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert PASSWORD not in Path(f"/proc/{process.pid}/cmdline").read_text("utf8")
    finally:
        process.terminate()  # the shell has become the server, which hears of it and ends in good order
        assert process.wait(10) == 0
