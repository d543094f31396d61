"""The port of workers for Prometheus, which strangers may find."""

import asyncio
import logging
import socket

import pytest

from pointq.metrics.port import PATH, listening


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
        return port


async def said(port: int, sent: bytes) -> bytes:
    """All that is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("sent", [b"token=secret\r\n\r\n", b"GET / HTTP/9.x\r\n\r\n", b"GET /a HTTP/1.1\r\nb\x00\r\n\r\n"])
async def test_what_is_no_http_is_answered_and_leaves_nothing_in_the_log(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    async with listening("127.0.0.1", port, dict):
        for _ in range(3):
            assert (await said(port, sent)).startswith(b"HTTP/1.0 400 ")
        assert (await said(port, f"GET {PATH} HTTP/1.0\r\n\r\n".encode())).startswith(b"HTTP/1.0 200 ")
    assert not caplog.records
