"""What goes wrong is answered with the right status, and only a defect leaves a traceback in the log."""

import logging
from http import HTTPStatus

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from pointq.errors import RedisError
from pointq.ingest.guard import guarded, problem_of
from pointq.ingest.problems import Problem


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (Problem(HTTPStatus.CONFLICT, "own"), 409),
        (web.HTTPRequestEntityTooLarge(1, 2), 413),
        (web.HTTPBadRequest(text="bad"), 400),
        (RedisError("Redis is gone"), 503),
        (ConnectionResetError("Connection lost"), 400),
        (web.RequestPayloadError("cut"), 400),
        (web.PayloadAccessError("gone"), 400),
        (ZeroDivisionError("a defect"), 500),
    ],
)
def test_each_error_has_its_status(exc: Exception, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert problem_of(exc, "/tracking/live").status == status

    assert any(record.exc_info for record in caplog.records) is (status == 500)


def test_a_sender_is_told_when_to_come_again() -> None:
    assert problem_of(RedisError("Redis is gone"), "/").response().headers["Retry-After"] == "5"


def test_a_defect_is_not_described_to_strangers() -> None:
    assert "secret" not in problem_of(ValueError("secret"), "/").detail


@pytest.mark.timeout(10)
async def test_an_error_that_is_its_own_cause_is_answered() -> None:
    async def handle(_: web.Request) -> web.Response:
        error = RedisError("Redis is gone")
        raise error from error

    answer = await guarded(handle)(make_mocked_request("POST", "/tracking/live"))

    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
