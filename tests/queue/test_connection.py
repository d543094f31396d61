"""What the errors of a connection tell."""

import asyncio
import socket
import time
from pathlib import Path

import pytest
from redis.exceptions import DataError

from pointq.errors import RedisError
from pointq.queue.connection import connect, describe, translated
from tests.queue.servers import valkey
from tests.support.clients import patient


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://:secret@example.org:6380/2", "example.org:6380"),
        ("redis://user:secret@example.org", "example.org:6379"),
        ("unix:///run/redis.sock?db=1", "/run/redis.sock"),
        ("redis://", "localhost:6379"),
    ],
)
def test_a_description_has_no_password(url: str, where: str) -> None:
    assert describe(url) == where


def test_a_url_that_is_none() -> None:
    with pytest.raises(RedisError, match="cannot be used") as caught:
        connect("http://localhost")

    assert "redis://" in str(caught.value.hint)


def test_a_url_that_cannot_be_read_tells_no_piece_of_itself() -> None:
    with pytest.raises(RedisError, match=r"cannot be used$") as caught:
        connect("redis://:top#secret@localhost:6379/0")

    assert caught.value.__suppress_context__, "the client's error has the piece that it took for the port"


async def test_nobody_listens(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/none"
    redis = connect(url)

    with pytest.raises(RedisError, match="cannot be reached") as caught, translated(url):
        await redis.ping()

    assert "check that it is running" in str(caught.value.hint)
    await redis.aclose()


async def test_a_server_that_listens_and_says_nothing() -> None:
    """Whether it was silent from the first word on or fell silent later, it is called so."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        redis = connect(url, timeout=0.1)

        with pytest.raises(RedisError, match="does not answer in time"), translated(url):
            await redis.ping()
        await redis.aclose()


async def test_a_host_that_has_no_address() -> None:
    url = "redis://nosuchhost.invalid"
    redis = connect(url)

    with pytest.raises(RedisError) as caught, translated(url):
        await redis.ping()

    with pytest.raises(socket.gaierror) as own:
        socket.getaddrinfo("nosuchhost.invalid", 6379)
    assert caught.value.message == f"Redis at nosuchhost.invalid:6379 cannot be reached: {own.value.strerror}"
    await redis.aclose()


async def test_a_server_that_speaks_no_tls() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR unknown command\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        url = f"rediss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        redis = connect(url)

        with pytest.raises(RedisError, match=r"cannot be reached: .*SSL") as caught, translated(url):
            await redis.ping()

        assert "Operation not permitted" not in caught.value.message
        await redis.aclose()


async def test_a_wrong_and_a_missing_password() -> None:
    with valkey(requirepass="right") as url:
        for given in (url, url.replace("unix://", "unix://:wrong@")):
            redis = patient(given)
            with pytest.raises(RedisError) as caught, translated(given):
                await redis.ping()
            assert "refuses the login" in str(caught.value)
            assert caught.value.hint == "check REDIS_PASSWORD or REDIS_URL"
            assert "wrong@" not in str(caught.value)
            await redis.aclose()


async def test_a_server_that_says_nothing() -> None:
    began = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        redis = connect(url, timeout=0.05)
        with pytest.raises(RedisError, match="does not answer"), translated(url):
            await redis.ping()
        await redis.aclose()

    assert time.monotonic() - began < 5


def test_no_exception_of_the_client_gets_through() -> None:
    with pytest.raises(RedisError, match=r"Redis at x:6379 answers: \?"), translated("redis://x"):
        raise DataError("?")


def test_a_connection_that_is_reset_while_it_is_made_is_no_defect() -> None:
    with pytest.raises(RedisError, match=r"Redis at host:1 reset the connection"), translated("redis://host:1"):
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


def test_another_defect_stays_one() -> None:
    with pytest.raises(RuntimeError, match="defect"), translated("redis://host:1"):
        raise RuntimeError("a defect")
