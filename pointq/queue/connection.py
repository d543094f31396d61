"""The connection to Redis or Valkey, and what its errors mean."""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import redis.exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pointq.errors import RedisError, RedisLoginError


def connect(url: str, *, max_connections: int = 50, timeout: float = 2.0) -> Redis:
    """A client for that URL (``redis://``, ``rediss://`` or ``unix://``); it connects when it is first used.

    `timeout` bounds connecting and every answer, in seconds; a blocking read must ask for less. Nothing is retried here:
    who calls knows whether sending twice is harmless.
    """
    try:
        client: Redis = Redis.from_url(
            url,
            max_connections=max_connections,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except ValueError:  # the text of which has a piece of the URL, maybe of the password
        raise RedisError("the Redis URL cannot be used", hint="write redis://host:port/db or unix:///path") from None
    return client


def describe(url: str) -> str:
    """Where that URL points to, without its password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the client raises into a RedisError that says what to do."""
    try:
        yield
    except (redis_errors.RedisError, OSError) as exc:
        raise _translated(exc, describe(url)) from exc
    except RuntimeError as exc:
        # uvloop's word for a connection that was reset while it was made; the client does not know it
        if _RESET not in str(exc):
            raise
        hint = "check that it is running, and what stands between"
        raise RedisError(f"Redis at {describe(url)} reset the connection", hint=hint) from exc


def _translated(exc: Exception, where: str) -> RedisError:
    # while connecting, a refused login or a silence is only the cause of a ConnectionError
    known = (exc, exc.__cause__)
    if any(isinstance(each, _REFUSED) for each in known):
        return RedisLoginError(f"Redis at {where} refuses the login: {exc}", hint="check REDIS_PASSWORD or REDIS_URL")
    if isinstance(exc, redis_errors.OutOfMemoryError):
        hint = "let `pointq work` store what waits, or allow the server more: maxmemory"
        return RedisError(f"Redis at {where} is full: {exc}", hint=hint)
    if any(isinstance(each, redis_errors.TimeoutError) for each in known):
        return RedisError(f"Redis at {where} does not answer in time", hint="check that it is running and not frozen")
    if isinstance(exc, redis_errors.ConnectionError | OSError):
        hint = "check that it is running, and REDIS_HOST, REDIS_PORT or REDIS_URL"
        return RedisError(f"Redis at {where} cannot be reached: {_cause(exc)}", hint=hint)
    return RedisError(f"Redis at {where} answers: {str(exc).rstrip('.')}")


def _cause(exc: BaseException) -> str:
    """What the system said; the client's words around it repeat the address."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror | ssl.SSLError):
            # their numbers are not the system's
            return str(cause.strerror)
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return str(exc).rstrip(".")


_RESET = "handler is closed"
_REFUSED = (redis_errors.AuthenticationError, redis_errors.NoPermissionError)
