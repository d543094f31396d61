"""What a server is to do, from the settings."""

import logging

from pointq.cli.backends import Servers
from pointq.config import Settings
from pointq.config.limits import limit
from pointq.errors import ConfigError
from pointq.ingest.doors.exposure import beyond_loopback, open_doors
from pointq.ingest.doors.plan import DoorPlan, JwtPlan
from pointq.ingest.limits.plan import LimitsPlan, Marks, Rates, Times
from pointq.ingest.plan import Plan
from pointq.ingest.tls import TlsFiles
from pointq.store.mapping import tables_of

log = logging.getLogger("pointq.ingest")


def plan_of(settings: Settings, backends: Servers) -> Plan:
    """What a server of these settings is to do. Raises ConfigError where they contradict each other."""
    secret = settings.flymaster.secret
    return Plan(
        redis_url=backends.redis_url,
        database_url=backends.database_url,
        tables=tables_of(settings.tables),
        host=settings.serve.host,
        port=settings.serve.port,
        prefix=settings.queue.prefix,
        shards=settings.queue.shards,
        durability=settings.durability,
        min_replicas=settings.min_replicas,
        flight_day_timezone=settings.flight_day_timezone,
        max_connections=settings.redis.max_connections,
        max_body_bytes=settings.serve.max_body_bytes,
        max_points=settings.serve.max_points_per_request,
        shutdown_seconds=settings.serve.shutdown_seconds,
        connect_timeout_seconds=settings.database.connect_timeout_seconds,
        fallback=settings.serve.fallback,
        budget_seconds=settings.serve.budget_seconds,
        patience_seconds=settings.patience_seconds,
        spool_dir=settings.data_dir / "spool",
        spool_bytes=settings.spool.max_bytes,
        spool_points_per_second=settings.spool.drain_points_per_second,
        flymaster_secret=secret.get_secret_value() if secret is not None else None,
        doors=_doors(settings),
        tls=_tls(settings),
        limits=_limits(settings),
    )


def check_exposure(settings: Settings, host: str) -> None:
    """Raises ConfigError where everybody beyond this machine would be let in, and nobody said that this is meant."""
    plan = _doors(settings)
    groups = open_doors(plan)
    if groups and settings.serve.trusted_proxies:
        log.warning("a proxy is expected, and %s stand open to whoever it lets through", ", ".join(groups))
    if not beyond_loopback(host):
        return
    if groups and not settings.serve.insecure:
        doors = "; ".join(f'auth.{group} = "token"' for group in groups)
        hint = f"set {doors} and hand out `pointq token create`, or say --insecure where only friends reach this address"
        raise ConfigError(f"listening on {host} would let everybody in, without a token: {', '.join(groups)}", hint=hint)
    if groups:
        log.warning("everybody who reaches %s is let in, without a token: %s", host, ", ".join(groups))
    if plan.asks and settings.serve.tls_certificate is None and not settings.serve.trusted_proxies:
        log.warning(
            "tokens come to %s in the clear: serve.tls_certificate, or a proxy in serve.trusted_proxies, hides them", host
        )


def _doors(settings: Settings) -> DoorPlan:
    auth = settings.auth
    signed = JwtPlan(
        secret=auth.jwt_secret.get_secret_value() if auth.jwt_secret is not None else None,
        keys_file=str(auth.jwt_keys) if auth.jwt_keys else None,
        audience=auth.jwt_audience,
        claims=auth.jwt_claims,
        scopes=auth.jwt_scopes,
    )
    return DoorPlan(
        tracking=auth.tracking,
        scoring=auth.scoring,
        files=auth.import_,
        status=auth.status,
        has_flymaster_secret=settings.flymaster.secret is not None,
        jwt=signed,
        trusted_proxies=settings.serve.trusted_proxies,
        book_file=str(settings.data_dir / "tokens.json"),
    )


def _tls(settings: Settings) -> TlsFiles | None:
    certificate, key = settings.serve.tls_certificate, settings.serve.tls_key
    if certificate is None:
        if key is not None:
            raise ConfigError("serve.tls_key is set and serve.tls_certificate is not", hint="set both, or neither")
        return None
    return TlsFiles(str(certificate), str(key) if key else None)


def _limits(settings: Settings) -> LimitsPlan:
    own = settings.limits
    queue, memory = limit(own.max_queue_points), limit(own.max_redis_memory_percent)
    return LimitsPlan(
        times=Times(own.header_seconds, own.body_seconds, own.answer_seconds, own.idle_seconds),
        connections=own.max_connections,
        connections_per_address=own.max_connections_per_address,
        token=Rates(own.token_requests_per_second, own.token_points_per_second),
        address=Rates(own.address_requests_per_second, own.address_points_per_second),
        burst_seconds=own.burst_seconds,
        failed_tokens_per_minute=own.failed_tokens_per_minute,
        queue_points=Marks(queue.warning, queue.critical),
        redis_memory_percent=Marks(memory.warning, memory.critical),
    )
