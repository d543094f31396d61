"""Uploads of Flymaster instruments, which understand two answers only."""

import gzip
import itertools
import uuid

import pytest

from tests.support.api import FLYMASTER, Api
from tests.support.points import (
    FLYMASTER_SECRET,
    FLYMASTER_VECTOR,
    flight_uuid,
    flymaster_key,
    flymaster_row,
    flymaster_text,
    multipart,
)
from tests.support.sites import Site

ROWS = tuple(flymaster_row(i) for i in range(5))

_numbers = itertools.count(20_001)


@pytest.fixture
def serial() -> str:
    """A device of this test alone."""
    return str(next(_numbers))


def flight(serial: str) -> uuid.UUID:
    return flight_uuid("flymaster", f"{serial}:2025-06-01")


def upload(api: Api, body: bytes, content_type: str = "text/plain") -> tuple[int, str]:
    answer = api.client.request("POST", FLYMASTER, body, Content_Type=content_type)
    assert answer.media_type == "text/plain"
    return answer.status, answer.text


def test_the_example_of_the_format(api: Api) -> None:
    serial, key = FLYMASTER_VECTOR
    assert upload(api, flymaster_text(serial, ROWS, key=key)) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["EOF", "EOF\n"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_a_raw_upload(api: Api, serial: str, newline: str, end: str, content_type: str) -> None:
    body = flymaster_text(serial, ROWS, newline=newline, end=end)
    assert upload(api, body, content_type) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


def test_a_form(api: Api, serial: str) -> None:
    assert upload(api, *multipart(flymaster_text(serial, ROWS))) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


def test_spaces_after_commas(api: Api, serial: str) -> None:
    assert upload(api, flymaster_text(serial, ROWS).replace(b",", b", ")) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


def test_leading_zeros_of_the_serial_number_are_not_signed(api: Api, serial: str) -> None:
    body = flymaster_text("00" + serial, ROWS)
    assert upload(api, body) == (200, "OK")
    api.kept("flymaster", flight("00" + serial), 5)


def test_the_same_upload_again(api: Api, serial: str) -> None:
    for _ in range(2):
        assert upload(api, flymaster_text(serial, ROWS)) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


def test_a_wrong_key(api: Api, serial: str) -> None:
    body = flymaster_text(serial, ROWS, key="0" * 64)
    assert upload(api, body) == (401, "NOK")
    assert upload(api, *multipart(body)) == (401, "NOK")


def test_the_key_of_another_device(api: Api, serial: str) -> None:
    assert upload(api, flymaster_text(serial, ROWS, key=flymaster_key("7"))) == (401, "NOK")


@pytest.mark.parametrize("key", ["", "abc", FLYMASTER_SECRET, "é" * 64])
def test_a_key_that_cannot_be_one(api: Api, serial: str, key: str) -> None:
    status, said = upload(api, flymaster_text(serial, ROWS, key=key))
    assert status in (400, 401)
    assert said == "NOK"


@pytest.mark.parametrize("cut", ["", "17487", "1748772010,1748772005,45.0", flymaster_row(5)[:-1]])
def test_an_upload_that_was_cut_is_kept_and_asked_for_again(api: Api, serial: str, cut: str) -> None:
    """A row of which the end may be missing (heading 18 instead of 180) is not whole."""
    assert upload(api, flymaster_text(serial, ROWS, end=cut)) == (400, "NOK")
    api.kept("flymaster", flight(serial), 5)


def test_what_stands_behind_the_end_is_no_reason_to_say_ok(api: Api, serial: str) -> None:
    assert upload(api, flymaster_text(serial, ROWS[:3], end=f"EOF\n{ROWS[3]}\n")) == (400, "NOK")
    assert upload(api, flymaster_text(serial, ROWS[:3], end="EOF\n\n \r\n")) == (200, "OK")
    api.kept("flymaster", flight(serial), 3)


def test_a_form_with_an_upload_that_was_cut(api: Api, serial: str) -> None:
    assert upload(api, *multipart(flymaster_text(serial, ROWS, end="1748"))) == (400, "NOK")
    api.kept("flymaster", flight(serial), 5)


def test_after_a_cut_upload_the_whole_one(api: Api, serial: str) -> None:
    assert upload(api, flymaster_text(serial, ROWS[:3], end=ROWS[3][:20])) == (400, "NOK")
    assert upload(api, flymaster_text(serial, ROWS)) == (200, "OK")
    api.kept("flymaster", flight(serial), 5)


@pytest.mark.parametrize("body", [b"", b"EOF", b"hello", b"\xff\xfe\0", b"12345"])
def test_what_is_no_upload(api: Api, body: bytes) -> None:
    status, said = upload(api, body)
    assert status in (400, 401)
    assert said == "NOK"


def test_a_form_without_a_file(api: Api, serial: str) -> None:
    assert upload(api, *multipart(flymaster_text(serial, ROWS), field="other")) == (400, "NOK")


@pytest.mark.parametrize(
    "header",
    [
        b"no colon",
        b": no name",
        b"Bad Name: x",
        b'Content-Disposition: form-data; name="file"\r\n folded\x00: x',
        b"Long: " + b"x" * 100_000,
        b'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: rot13',
        b"Content-Type: multipart/mixed",
    ],
)
def test_a_form_that_is_none(api: Api, header: bytes) -> None:
    body = b"--frontier\r\n" + header + b"\r\n\r\n" + flymaster_text("4711", ROWS) + b"\r\n--frontier--\r\n"

    assert upload(api, body, "multipart/form-data; boundary=frontier") == (400, "NOK")


@pytest.mark.parametrize("encoding", [b"gzip", b"rot13"])
def test_a_part_that_is_not_packed_as_it_says(api: Api, encoding: bytes) -> None:
    head = b'Content-Disposition: attachment; name="file"\r\nContent-Encoding: ' + encoding
    body = b"--frontier\r\n" + head + b"\r\n\r\n" + flymaster_text("4711", ROWS) + b"\r\n--frontier--\r\n"

    assert upload(api, body, "multipart/mixed; boundary=frontier") == (400, "NOK")


def test_a_part_that_is_packed(api: Api) -> None:
    """Who packs does so as a whole."""
    packed = gzip.compress(flymaster_text("4711", ROWS))
    head = b'Content-Disposition: attachment; name="file"\r\nContent-Encoding: gzip'
    body = b"--frontier\r\n" + head + b"\r\n\r\n" + packed + b"\r\n--frontier--\r\n"

    assert upload(api, body, "multipart/mixed; boundary=frontier") == (400, "NOK")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 100, "multipart/x;boundary="]
)
def test_a_form_without_a_boundary(api: Api, content_type: str) -> None:
    assert upload(api, multipart(flymaster_text("4711", ROWS))[0], content_type) == (400, "NOK")


@pytest.mark.parametrize("wrapped", [False, True])
def test_too_large(api: Api, serial: str, *, wrapped: bool) -> None:
    body = flymaster_text(serial, (flymaster_row(i) for i in range(2000)))
    assert upload(api, *(multipart(body) if wrapped else (body,))) == (413, "NOK")


def test_without_a_secret_every_key_is_good(site: Site, serial: str) -> None:
    with site.serve() as server, server.client() as client:
        answer = client.request("POST", FLYMASTER, flymaster_text(serial, ROWS, key="0" * 64))
        assert (answer.status, answer.text) == (200, "OK")
    site.drain()
    assert site.value("SELECT points FROM flights WHERE flight_uuid = %s", flight(serial)) == 5
