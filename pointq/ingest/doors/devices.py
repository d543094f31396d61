"""Tokens for one device."""

from http import HTTPStatus
from typing import TypeVar

from pointq.ingest.problems import Problem

T = TypeVar("T")


def bound(device_id: T, only: str | None) -> T | str:
    """The device of a request whose token is for `only` one, None: for all. One that the request does not name is the token's.

    Raises Problem: 403 where the request names another.
    """
    if only is None or device_id == only:
        return device_id
    if device_id is None:
        return only
    raise Problem(HTTPStatus.FORBIDDEN, "the token is for another device than device_id names")
