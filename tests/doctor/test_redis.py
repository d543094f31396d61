"""Each check of Redis, provoked on a server of the test's own."""

from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
import redis

from pointq.ops.doctor.checks import redis as checks
from pointq.ops.doctor.sources.queue import QueueServer, server
from pointq.queue.connection import connect
from tests.doctor.doctor import Patient, lines_of
from tests.queue.servers import restartable, valkey
from tests.support.guarded import HOST, free_port
from tests.support.until import until

DURABLE = {"appendonly": "yes", "appendfsync": "always"}


@pytest.mark.parametrize(
    ("check", "settings", "severity"),
    [
        ("redis.eviction", {"maxmemory-policy": "noeviction"}, "ok"),
        ("redis.eviction", {"maxmemory-policy": "allkeys-lru"}, "warn"),
        ("redis.eviction", {"maxmemory-policy": "allkeys-lru", "maxmemory": "64mb"}, "fail"),
        ("redis.memory", {}, "warn"),
        ("redis.memory", {"maxmemory": "64mb"}, "ok"),
        ("redis.persistence", DURABLE, "ok"),
        ("redis.persistence", {"appendonly": "yes", "appendfsync": "everysec"}, "warn"),
        ("redis.persistence", {"save": "60 1"}, "fail"),
        ("redis.persistence", {}, "fail"),
        ("redis.clients", {"maxclients": "1000"}, "ok"),
        ("redis.clients", {"maxclients": "2"}, "warn"),
        ("redis.disk", {}, "ok"),
        ("redis.role", {}, "ok"),
        ("redis.version", {}, "ok"),
        ("redis.reachable", {}, "ok"),
    ],
)
async def test_one_setting_of_the_server(patient: Patient, check: str, settings: dict[str, str], severity: str) -> None:
    with valkey(**settings) as url:
        assert await patient.with_(POINTQ_REDIS__URL=url).severity(check) == severity


@pytest.mark.parametrize(("save", "said"), [("60 1", "only snapshots"), ("", "nothing is written to a disk")])
async def test_memory_is_enough_where_it_was_chosen(patient: Patient, save: str, said: str) -> None:
    with valkey(save=save) as url:
        line = await patient.with_(POINTQ_REDIS__URL=url, POINTQ_DURABILITY="memory").line("redis.persistence")

    assert line.severity == "warn"
    assert said in line.message


async def test_a_server_that_is_nearly_full(patient: Patient) -> None:
    with valkey() as url, closing(redis.Redis.from_url(url)) as client:
        sick = patient.with_(POINTQ_REDIS__URL=url)
        client.setrange("ballast", 20 * 2**20, "x")  # the server makes it: no buffer is as large
        used = client.info("memory")["used_memory"]
        for most, severity in ((used * 2, "ok"), (int(used / 0.85), "warn"), (used, "fail")):
            client.config_set("maxmemory", most)
            assert await sick.severity("redis.memory") == severity


async def test_a_snapshot_that_failed(patient: Patient) -> None:
    with restartable() as server, closing(redis.Redis.from_url(server.url)) as client:
        (server.folder / "dump.rdb").mkdir()
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot has failed")

        line = await patient.with_(POINTQ_REDIS__URL=server.url).line("redis.disk")

    assert (line.severity, line.message) == ("fail", "rdb_last_bgsave_status is err")


async def test_replicas(patient: Patient) -> None:
    port = str(free_port())
    with ExitStack() as stack:
        master = stack.enter_context(valkey(port=port, bind=HOST, **DURABLE))
        asking = patient.with_(POINTQ_REDIS__URL=master, POINTQ_MIN_REPLICAS="1")
        assert await asking.severity("redis.replicas") == "fail"

        replica = stack.enter_context(valkey(replicaof=f"{HOST} {port}", **DURABLE))
        client = stack.enter_context(closing(redis.Redis.from_url(master)))
        until(lambda: client.info("replication")["connected_slaves"] == 1, "the replica is connected")

        assert await asking.severity("redis.replicas") == "ok"
        line = await patient.with_(POINTQ_REDIS__URL=replica).line("redis.role")
        assert (line.severity, line.mend) == ("fail", f"point REDIS_URL to {HOST}:{port}")


async def test_no_replicas_are_asked_for(patient: Patient) -> None:
    with valkey() as url:
        report = await patient.with_(POINTQ_REDIS__URL=url).examine()

    assert not list(lines_of(report, "redis.replicas"))


async def test_a_server_that_hides_itself(patient: Patient) -> None:
    with valkey() as url, closing(redis.Redis.from_url(url)) as client:
        client.acl_setuser("default", enabled=True, commands=["-info"])

        report = await patient.with_(POINTQ_REDIS__URL=url).examine()

    (line,) = lines_of(report, "redis.eviction")
    assert line.severity == "warn"
    assert line.message.startswith("could not find out whether Redis may throw waiting points away: ")
    assert [found.severity for found in lines_of(report, "redis.reachable")] == ["ok"]
    assert [found.severity for found in lines_of(report, "queue.dead")] == ["ok"]


async def test_a_server_that_refuses_config(patient: Patient) -> None:
    with valkey(**DURABLE) as url, closing(redis.Redis.from_url(url)) as client:
        client.acl_setuser("default", enabled=True, commands=["-config"])

        line = await patient.with_(POINTQ_REDIS__URL=url).line("redis.persistence")

    assert line.severity == "warn"
    assert "appendfsync is unknown" in line.message


@pytest.mark.parametrize(
    ("engine", "version", "severity"),
    [("redis", "6.2.14", "fail"), ("redis", "7.0.15", "ok"), ("valkey", "7.2.4", "ok"), ("redis", "8.2", "ok")],
)
async def test_versions(patient: Patient, redis_url: str, engine: str, version: str, severity: str) -> None:
    (finding,) = checks.version(replaced(await asked(patient, redis_url), engine, version))

    assert finding.severity == severity


async def asked(patient: Patient, url: str) -> QueueServer:
    client = connect(url)
    try:
        return await server(client, url, patient.load().settings, embedded=False)
    finally:
        await client.aclose()


def replaced(found: QueueServer, engine: str, version: str) -> QueueServer:
    return replace(found, persistence=replace(found.persistence, engine=engine, version=version))
