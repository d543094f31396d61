"""A reader that is a server elsewhere: each file is posted to it as it is, and its answer is the report."""

import asyncio
import gzip
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import orjson

from pointq.config.origin import mask_passwords
from pointq.errors import BackendError, PointqError, UsageError
from pointq.ops.importing.answer import PATH, from_answer
from pointq.ops.importing.options import Options
from pointq.ops.importing.reading import ReadFile, Task, failed

UPLOADS = 4
"""Files on their way at a time: one is read by the server while others travel."""

_TRIES = 6
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=900)
"""A server reads one file after the other and gives each some minutes: whoever asked again would only add to its work."""

_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_ELSEWHERE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, *range(300, 400)}
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


class Unreachable(BackendError):
    """The server cannot be reached, or is none that takes files."""


class Remote:
    """Posts files to the server at `url`, several at a time; what it cannot take now is sent again for a while."""

    def __init__(self, url: str, token: str | None = None, jobs: int = UPLOADS) -> None:
        self.jobs = jobs
        self._url = _endpoint(url)
        self._where = mask_passwords(self._url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._turn = asyncio.Semaphore(jobs)
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = False

    async def read(self, task: Task) -> ReadFile:
        """Post a file. Raises Unreachable where the server cannot be reached, or lets nobody in."""
        async with self._turn:
            body, content_type = await asyncio.to_thread(_form, task)
            headers = {**self._headers, "Content-Type": content_type, "Content-Encoding": "gzip"}
            status, answer = await self._insist(body, headers)
        return _judged(task, status, answer)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _insist(self, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Post until the server has an answer of its own."""
        wait = _FIRST_WAIT_SECONDS
        for last in (*[False] * (_TRIES - 1), True):
            try:
                status, answer, after = await self._post(body, headers)
            except (aiohttp.ClientError, TimeoutError, OSError) as exc:
                if last or not self._has_answered:
                    hint = "check --url, and that the server runs"
                    raise Unreachable(f"{self._where} cannot be reached: {_reason(exc)}", hint=hint) from exc
                after = 0.0
            else:
                self._has_answered = True
                if status not in _BUSY:
                    return status, answer
                if last:
                    raise Unreachable(f"{self._where} takes nothing now: {_detail(answer)}", hint="try again later")
            await asyncio.sleep(min(max(wait, after), _LONGEST_WAIT_SECONDS))
            wait *= 2
        raise AssertionError

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, Any, float]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
            if response.status in _REFUSED:
                hint = "give what lets you in with --token or POINTQ_TOKEN"
                raise Unreachable(f"{self._where} lets nobody in: {response.status} {response.reason}", hint=hint)
            if response.status in _ELSEWHERE:
                what = f"{response.status} {response.reason}"
                raise Unreachable(f"{self._where} takes no files: {what}", hint="--url is the address of a pointq serve")
            return response.status, _document(await response.read()), _seconds(response.headers.get("Retry-After"))


def _reason(exc: Exception) -> str:
    # what aiohttp says of a connection names the settings of TLS first
    cause = exc.os_error.strerror if isinstance(exc, aiohttp.ClientConnectorError) else str(exc)
    return mask_passwords(cause or type(exc).__name__)


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        hint = "such as http://host:8000; a token goes into POINTQ_TOKEN"
        raise UsageError(f"--url is the address of a pointq server, found {mask_passwords(url)!r}", hint=hint)
    return url.rstrip("/").removesuffix(PATH) + PATH


def _judged(task: Task, status: int, answer: Any) -> ReadFile:  # noqa: ANN401 - JSON
    try:
        if status == HTTPStatus.ACCEPTED or answer.get("files"):
            (said,) = answer["files"]
            return ReadFile(from_answer(task.name, said, was_named=task.was_named))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        return failed(task.name, PointqError(f"the server's answer ({status}) cannot be read: {exc}"))
    return failed(task.name, PointqError(f"the server refuses the file: {_detail(answer)}"))


def _detail(answer: Any) -> str:  # noqa: ANN401 - JSON
    return (
        str(answer.get("detail") or answer.get("title") or "it says nothing") if isinstance(answer, dict) else "it says nothing"
    )


def _document(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # a proxy in between
        return {}


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0


def _form(task: Task) -> tuple[bytes, str]:
    """The body, packed with gzip, since tracks shrink to a quarter, and its content type."""
    boundary = uuid4().hex
    parts = [_part(boundary, f'name="{name}"', value.encode()) for name, value in _fields(task.options)]
    file_name = task.file_name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(_part(boundary, f'name="file"; filename="{file_name}"', task.data))
    return gzip.compress(b"".join(parts) + f"--{boundary}--\r\n".encode(), 6), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, content: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def _fields(options: Options) -> Iterator[tuple[str, str]]:
    given = {
        "kind": options.kind,
        "flight_id": options.flight_id,
        "device_id": options.device_id,
        "date": options.date and options.date.isoformat(),
        "split": "true" if options.split else None,
        "gap": f"{options.gap_seconds / 60:g}" if options.split else None,
    }
    yield from ((name, value) for name, value in given.items() if value)
    yield from (("map", f"{name}={header}") for name, header in options.columns.items())
