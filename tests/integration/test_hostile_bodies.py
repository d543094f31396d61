"""Bodies made to trip a reader: doubled keys, endless numbers, bytes that are no text, depth, and names that climb out."""

import gzip
import json
from pathlib import Path

import pytest

from tests.integration.test_http_import import accepted, form, post
from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD, Api, problem
from tests.support.flights import fresh_igc
from tests.support.points import point, track
from tests.support.sites import Site

KINDS = (LIVE, UPLOAD, SCORING)


def body_with(api: Api, field: str, text: str) -> bytes:
    """A request of one point, with that text as the value of a field of it."""
    body = json.dumps({"flight_id": api.flight, "device_id": "d1", "track_points": [point(**{field: 12345})]})
    return body.replace("12345", text).encode()


def refused(api: Api, path: str, body: bytes) -> None:
    answer = api.send_as_it_is(path, body)
    problem(answer, answer.status)
    assert answer.status in {400, 413, 422}, answer


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "9" * 20, "1" + "0" * 10_000, "0." + "0" * 10_000 + "1e99999", "1e-400000"]
)
@pytest.mark.parametrize("field", ["lat", "lon"])
def test_numbers_that_no_place_on_earth_has(api: Api, field: str, number: str) -> None:
    """Zero, or what is as small as makes no difference, is a place."""
    answer = api.send_as_it_is(LIVE, body_with(api, field, number))
    if number.startswith(("0.", "1e-")) and answer.status == 202:
        api.accepted(answer, 1)
    else:
        assert problem(answer, answer.status)["status"] in {400, 422}


def test_a_number_longer_than_the_largest_body(api: Api, max_body_bytes: int) -> None:
    problem(api.send_as_it_is(LIVE, body_with(api, "lat", "1" * (max_body_bytes + 1))), 413)


@pytest.mark.parametrize("path", [LIVE, UPLOAD])
def test_of_doubled_keys_the_last_counts_for_all(api: Api, path: str) -> None:
    """As everywhere in JSON; a device cannot be two."""
    points = json.dumps(track(1))
    body = f'{{"flight_id": "other", "track_points": [], "flight_id": "{api.flight}", "track_points": {points}}}'
    found = api.accepted(api.send_as_it_is(path, body.encode()), 1)
    assert found["flight_id"] == api.flight


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("bad", [r"a\u0000b", r"\ud800", r"\udc00\ud800", r"\udfffx"])
def test_an_id_that_no_database_can_hold(api: Api, path: str, bad: str) -> None:
    body = f'{{"flight_id": "{bad}", "device_id": "{bad}", "track_points": {json.dumps(track(1))}, "tracks": []}}'
    refused(api, path, body.encode())


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x00"])
def test_an_id_that_is_no_utf_8(api: Api, path: str, bad: bytes) -> None:
    body = b'{"flight_id": "a' + bad + b'", "track_points": ' + json.dumps(track(1)).encode() + b"}"
    problem(api.send_as_it_is(path, body), 400)


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"track_points":['])
def test_depth_without_an_end(api: Api, path: str, opening: bytes, max_body_bytes: int) -> None:
    """As deep as a body can be, closed or not; and packed, 100,000 deep."""
    deep = opening * (max_body_bytes // len(opening))
    refused(api, path, deep)
    refused(api, path, opening * 100_000)

    answer = api.send_as_it_is(path, gzip.compress(opening * 100_000), Content_Encoding="gzip")
    assert answer.status in {400, 413, 422}


@pytest.mark.parametrize("serial", [b"\x00", b"7\x00", b"9" * 5000, b"-1", b"\xff", b"1e9", "\u0667".encode(), b"../7"])
def test_a_serial_that_is_none(api: Api, serial: bytes) -> None:
    answer = api.client.request("POST", FLYMASTER, serial + b"," + b"0" * 64 + b"\n1,2,3\nEOF\n")
    assert (answer.status in {400, 401}, answer.text) == (True, "NOK")


@pytest.mark.parametrize(
    "name",
    ["../../x.igc", "/tmp/pointq-x.igc", "..\\..\\x.igc", "a/../../x.igc", "%2e%2e%2fx.igc", "x\0.igc", "C:\\x.igc", "~/x.igc"],  # noqa: S108
)
def test_no_file_is_written_where_a_name_says(api: Api, shared_site: Site, name: str) -> None:
    before = outside(shared_site)
    answer = post(api, form((name, fresh_igc())))
    if answer.status == 202:
        accepted(api, answer)
    else:
        problem(answer, answer.status)
        assert answer.status in {400, 422}
    assert outside(shared_site) == before
    assert not Path("/tmp/pointq-x.igc").exists()  # noqa: S108


def outside(site: Site) -> set[Path]:
    """Every file around the site's home, but those of its data folder and its logs."""
    data = site.home / "data"
    found = (path for path in site.home.parent.rglob("*") if data not in path.parents)
    return {path for path in found if path.suffix != ".log"}
