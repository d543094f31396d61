"""Requests that are not what they should be: broken, packed, too large, of the wrong shape or at the wrong place."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
import zstandard

from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD, Api, problem, unread
from tests.support.points import SCORED, pieces, point, track


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzipped, "deflate": zlib.compress, "zstd": zstandard.compress}


def body_of(api: Api, count: int = 1) -> bytes:
    return json.dumps({"flight_id": api.flight, "track_points": track(count)}).encode()


class TestShapes:
    @pytest.mark.parametrize("path", [LIVE, UPLOAD, SCORING])
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"flight_id": "f1", "track_points": [}',
            b"\xff\xfe{}",
            b'{"flight_id": "\xe9"}',
            b"{} {}",
            b"lat=45&lon=6",
        ],
    )
    def test_bad_json(self, api: Api, path: str, body: bytes) -> None:
        unread(api.send_as_it_is(path, body), 400)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
    @pytest.mark.parametrize("field", ["lat", "elevation"])
    def test_a_number_that_json_does_not_have(self, api: Api, field: str, number: str) -> None:
        """Nothing is kept of such a request, not the good point in it either."""
        bad = point(**{field: 12345})
        body = json.dumps({"flight_id": api.flight, "device_id": "d1", "track_points": [point(), bad]})
        unread(api.send_as_it_is(LIVE, body.replace("12345", number).encode()), 400)

    def test_a_number_too_large_to_hold(self, api: Api) -> None:
        body = json.dumps({"flight_id": api.flight, "track_points": [point(elevation=12345)]})
        answer = api.send_as_it_is(LIVE, body.replace("12345", "1e999").encode())
        assert answer.status in (400, 422)

    @pytest.mark.parametrize("path", [LIVE, UPLOAD, SCORING])
    @pytest.mark.parametrize(
        "document",
        [
            [],
            7,
            None,
            "x",
            {},
            {"flight_id": "f1"},
            {"flight_id": "f1", "track_points": [], "tracks": []},
            {"flight_id": "f1", "track_points": None, "tracks": None},
            {"flight_id": "f1", "track_points": {"lat": 1}, "tracks": {"lat": 1}},
            {"flight_id": "f1", "track_points": "x", "tracks": "x"},
            {"flight_id": 7, "track_points": [point()], "tracks": [SCORED]},
            {"flight_id": "", "track_points": [point()], "tracks": [SCORED]},
            {"track_points": [point()], "tracks": [SCORED]},
        ],
    )
    def test_the_wrong_shape(self, api: Api, path: str, document: object) -> None:
        unread(api.client.post(path, document), 422)

    def test_an_upload_needs_a_flight_id(self, api: Api) -> None:
        unread(api.client.post(UPLOAD, {"device_id": "d1", "track_points": [point()]}), 422)

    @pytest.mark.parametrize("bad", ["not-a-uuid", 7, "", ["x"]])
    def test_a_flight_uuid_that_is_none(self, api: Api, bad: object) -> None:
        unread(api.client.post(SCORING, {"flight_uuid": bad, "tracks": [SCORED]}), 422)

    @pytest.mark.parametrize("path", [LIVE, UPLOAD, SCORING])
    def test_deep_nesting_is_no_trouble(self, api: Api, path: str) -> None:
        body = b'{"track_points": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
        assert api.send_as_it_is(path, body).status in (400, 422)

    @pytest.mark.parametrize("path", ["/", "/tracking", "/tracking/nowhere", "/tracking/live/"])
    def test_an_unknown_path(self, api: Api, path: str) -> None:
        problem(api.client.get(path), 404)

    @pytest.mark.parametrize("path", ["/tracking%2Flive", "/tracking%2flive", "/tracking%252Flive", "/tracking/live%3F"])
    def test_a_path_that_is_another_one_when_it_is_decoded(self, api: Api, path: str) -> None:
        problem(api.send_as_it_is(path, body_of(api)), 404)

    def test_letters_may_be_encoded(self, api: Api) -> None:
        problem(api.send_as_it_is("/tracking/l%69ve", b"{}"), 422)
        assert problem(api.client.get("/tracking/l%69ve"), 405)["detail"] == "/tracking/live takes POST, not GET"

    @pytest.mark.parametrize("path", [LIVE, UPLOAD, SCORING, FLYMASTER])
    def test_the_wrong_method(self, api: Api, path: str) -> None:
        answer = api.client.get(path)
        problem(answer, 405)
        assert answer.headers["allow"] == "POST"


class TestPackedBodies:
    @pytest.mark.parametrize("encoding", PACKERS)
    def test_whole_ones(self, api: Api, encoding: str) -> None:
        packed = PACKERS[encoding](body_of(api, 50))
        api.accepted(api.send_as_it_is(UPLOAD, packed, Content_Encoding=encoding), 50)

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    def test_ones_in_several_members(self, api: Api, encoding: str) -> None:
        body, pack = body_of(api, 50), PACKERS[encoding]
        packed = pack(body[:20]) + pack(body[20:])
        api.accepted(api.send_as_it_is(UPLOAD, packed, Content_Encoding=encoding), 50)
        problem(api.send_as_it_is(UPLOAD, packed + b"xx", Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", ["identity", "", " , identity"])
    def test_identity(self, api: Api, encoding: str) -> None:
        api.accepted(api.send_as_it_is(UPLOAD, body_of(api), Content_Encoding=encoding), 1)

    def test_two_lines_are_one_list(self, api: Api) -> None:
        both = {"content_encoding": "identity", "Content_Encoding": "gzip"}
        api.accepted(api.send_as_it_is(UPLOAD, gzipped(body_of(api)), **both), 1)
        problem(api.send_as_it_is(UPLOAD, gzipped(body_of(api)), **{**both, "content_encoding": "zstd"}), 415)

    @pytest.mark.parametrize("encoding", PACKERS)
    def test_ones_that_are_not_packed_at_all(self, api: Api, encoding: str) -> None:
        unread(api.send_as_it_is(UPLOAD, body_of(api), Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", PACKERS)
    @pytest.mark.parametrize("kept", [1, 10, 200, -20, -1])
    def test_ones_that_were_cut(self, api: Api, encoding: str, kept: int) -> None:
        packed = PACKERS[encoding](body_of(api, 50))
        unread(api.send_as_it_is(UPLOAD, packed[:kept], Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", PACKERS)
    def test_ones_that_were_damaged(self, api: Api, encoding: str) -> None:
        packed = bytearray(PACKERS[encoding](body_of(api, 50)))
        packed[20:40] = bytes(20)
        unread(api.send_as_it_is(UPLOAD, bytes(packed), Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_ones_with_a_wrong_checksum(self, api: Api, encoding: str) -> None:
        packed = bytearray(PACKERS[encoding](body_of(api, 50)))
        packed[-5 if encoding == "gzip" else -1] ^= 1
        unread(api.send_as_it_is(UPLOAD, bytes(packed), Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", PACKERS)
    def test_empty_ones(self, api: Api, encoding: str) -> None:
        unread(api.send_as_it_is(UPLOAD, b"", Content_Encoding=encoding), 400)

    @pytest.mark.parametrize("encoding", ["br", "compress", "nonsense"])
    def test_ways_of_packing_that_nobody_promised(self, api: Api, encoding: str) -> None:
        assert api.send_as_it_is(UPLOAD, b"\x8b\x02\x80x", Content_Encoding=encoding).status in (400, 415)


class TestLimit:
    def test_a_body_at_the_limit(self, api: Api, max_body_bytes: int) -> None:
        api.accepted(api.send_as_it_is(UPLOAD, body_of(api).ljust(max_body_bytes)), 1)

    def test_a_body_over_the_limit(self, api: Api, max_body_bytes: int) -> None:
        problem(api.send_as_it_is(UPLOAD, body_of(api).ljust(max_body_bytes + 1)), 413)

    @pytest.mark.parametrize("over", [0, 1, 100_000])
    def test_a_body_of_which_the_length_was_not_announced(self, api: Api, max_body_bytes: int, over: int) -> None:
        body = body_of(api).ljust(max_body_bytes + over)
        answer = api.client.request("POST", UPLOAD, pieces(body, 8192))
        if over:
            problem(answer, 413)
        else:
            api.accepted(answer, 1)

    @pytest.mark.parametrize("encoding", PACKERS)
    def test_a_small_body_that_unpacks_to_one_over_the_limit(self, api: Api, max_body_bytes: int, encoding: str) -> None:
        packed = PACKERS[encoding](body_of(api).ljust(50_000_000))
        assert len(packed) < max_body_bytes
        problem(api.send_as_it_is(UPLOAD, packed, Content_Encoding=encoding), 413)

    @pytest.mark.parametrize("encoding", PACKERS)
    def test_a_small_body_that_unpacks_to_one_at_the_limit(self, api: Api, max_body_bytes: int, encoding: str) -> None:
        packed = PACKERS[encoding](body_of(api).ljust(max_body_bytes))
        api.accepted(api.send_as_it_is(UPLOAD, packed, Content_Encoding=encoding), 1)
