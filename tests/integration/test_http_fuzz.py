"""Anything that a client can send to any endpoint: it is answered or cut, it breaks nothing, and what is accepted is kept once.

`make fuzz` sends as much as one has time for.
"""

import gzip
import json
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.embedded import Backends
from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD
from tests.support.databases import database, key_prefix
from tests.support.fuzz import damaged
from tests.support.points import SCORED, TABLES, flymaster_row, flymaster_text, multipart, track
from tests.support.processes import Server
from tests.support.raw import Received, exchange
from tests.support.sites import Site

pytestmark = pytest.mark.fuzz

IMPORT = "/tracking/import"
PATHS = (LIVE, UPLOAD, SCORING, FLYMASTER, IMPORT, "/health", "/queue/status", "/metrics", "/livez", "/readyz", "/openapi.json")
LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SILENCE_SECONDS = 0.1
"""After which nothing more is expected, where the server may be waiting for the rest of a body."""

FORM, FORM_TYPE = multipart(b"time,lat,lon\n2024-07-01T12:00:00Z,46.1,7.6\n")
ROWS = flymaster_text("12345", [flymaster_row(0)])
TRACK = json.dumps({"flight_id": "f", "device_id": "d", "track_points": track(2)}).encode()
SCORES = json.dumps({"flight_id": "f", "points": [SCORED]}).encode()
BODIES = (TRACK, SCORES, ROWS, FORM)
FITTING = (
    *((LIVE, TRACK, None), (UPLOAD, TRACK, "application/json"), (SCORING, SCORES, "application/json")),
    *((FLYMASTER, ROWS, "text/plain"), (FLYMASTER, FORM, FORM_TYPE), (IMPORT, FORM, FORM_TYPE)),
)
"""Path, body and type of the body, as they belong together."""
TYPES = (None, "application/json", "text/plain", FORM_TYPE, "multipart/form-data", "multipart/mixed; boundary=\xff", ";;=")
ENCODINGS = (None, None, None, None, "gzip", "deflate", "zstd", "br", "gzip, gzip", "identity", "\x01")
SOUND = (
    *(b"Expect: 100-continue", b"Expect: tea", b"Accept: application/openmetrics-text", b'If-None-Match: "a', b"X-A: 1"),
    *(b"Authorization: Basic !!", b"Authorization: Bearer \xff", b"X-Forwarded-For: ,,", b"Connection: keep-alive"),
)
"""Headers that HTTP allows, if only just."""
BROKEN = (
    *(b"Cookie: a=\x00", b": a", b"Host: [", b"Content-Length: -1", b"Transfer-Encoding: tea", b" folded"),
    b"A: " + b"a" * 9_000,
)


@dataclass
class Sent:
    """What the server was sent and has answered, all examples together."""

    url: str
    whole: dict[uuid.UUID, int] = field(default_factory=dict)
    """How many points the flights of undamaged bodies have, as the server answered."""
    flights: set[uuid.UUID] = field(default_factory=set)
    """Those of which at least one point was accepted."""

    def note(self, received: Received, own: set[str]) -> None:
        """Put down what was accepted; `own` are flights that were sent undamaged."""
        assert all(status < 500 for status in received.statuses), received
        for answer in received.accepted:
            found = [answer] if "flight_uuid" in answer else [each for file in answer["files"] for each in file["flights"]]
            self.flights.update(uuid.UUID(each["flight_uuid"]) for each in found if each["flight_uuid"])
            if answer.get("flight_id") in own:
                self.whole[uuid.UUID(answer["flight_uuid"])] = answer["points"]


@pytest.fixture(scope="module")
def fuzzed(backends: Backends, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A pointq that does not wait long for anybody."""
    limits = {f"POINTQ_LIMITS__{name}_SECONDS": "1" for name in ("HEADER", "BODY", "IDLE")}
    with database(backends.database_url, template=template) as url, key_prefix(backends.redis_url) as prefix:
        yield Site(backends.redis_url, url, prefix, tmp_path_factory.mktemp("fuzzed"), limits)


@pytest.fixture(scope="module")
def sent(fuzzed: Site) -> Iterator[Sent]:
    """A server; in the end it still answers, has nothing in its log, and what it accepted is in the tables."""
    with fuzzed.serve() as server:
        noted = Sent(server.url)
        yield noted
        healthy(server)
    fuzzed.drain()
    rows = counted(fuzzed)
    assert noted.flights <= rows.keys()
    assert {flight: rows[flight] for flight in noted.whole} == noted.whole
    assert noted.whole


def healthy(server: Server) -> None:
    with server.client() as client:
        assert client.get("/readyz").status == 200
    assert "Traceback" not in server.log
    assert all(json.loads(line)["level"] in {"info", "warning"} for line in server.log.splitlines() if line.startswith("{"))


def counted(site: Site) -> Counter[uuid.UUID]:
    found: Counter[uuid.UUID] = Counter()
    for kind in TABLES:
        for row in site.points(kind, "count(*) AS points, flight_uuid", "GROUP BY flight_uuid"):
            found[row["flight_uuid"]] += row["points"]
    return found


def head(method: bytes, target: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: a", *lines, b"", b""])


def packed(body: bytes, encoding: str | None) -> bytes:
    if encoding == "gzip":
        return gzip.compress(body)
    return zlib.compress(body) if encoding == "deflate" else body


def anything() -> st.SearchStrategy[tuple[str, bytes, str | None]]:
    """A path, a body and its type, whether or not they belong together."""
    return st.tuples(
        st.sampled_from(PATHS), st.one_of(st.sampled_from(BODIES), st.binary(max_size=300)), st.sampled_from(TYPES)
    )


@st.composite
def framed(draw: st.DrawFn, body: bytes) -> tuple[list[bytes], bytes]:
    """Headers that say how long the body is, and the body as they say it."""
    if draw(st.booleans()):
        return [b"Content-Length: %d" % len(body)], body
    size = draw(st.integers(1, 5_000))
    chunks = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return [b"Transfer-Encoding: chunked"], b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"


@st.composite
def requests(draw: st.DrawFn, headers: tuple[bytes, ...]) -> bytes:
    """A request to somewhere."""
    path, body, media = draw(st.one_of(st.sampled_from(FITTING), anything()))
    body = draw(st.one_of(st.just(body), damaged((body,), BODIES)))
    target = path.encode() + draw(st.sampled_from([b"", b"", b"", b"?token=a", b"/..", b"%00", b"/"]))
    method = draw(st.sampled_from([*[b"POST"] * 4, b"GET", b"HEAD", b"PUT", b"OPTIONS", b"TEA"]))
    encoding = draw(st.sampled_from(ENCODINGS))
    lines, body = draw(framed(draw(st.sampled_from([body, packed(body, encoding)]))))
    lines += [b"Content-Type: " + media.encode("latin-1")] if media else []
    lines += [b"Content-Encoding: " + encoding.encode()] if encoding else []
    lines += draw(st.lists(st.sampled_from(headers), max_size=1))
    return head(method, target, *lines) + body


def good(flight: str) -> bytes:
    """A request with three points, which is accepted wherever it begins."""
    body = json.dumps({"flight_id": flight, "track_points": track(3)}).encode()
    return head(b"POST", LIVE.encode(), b"Content-Length: %d" % len(body)) + body


@given(data=st.data())
def test_requests_one_after_the_other_whatever_is_in_them(sent: Sent, data: st.DataObject) -> None:
    flights = [uuid.uuid4().hex for _ in range(2)]
    several = data.draw(st.lists(requests(SOUND), max_size=3))
    received = exchange(sent.url, b"".join([good(flights[0]), *several, good(flights[1]), LAST]))
    sent.note(received, set(flights))
    # what is no HTTP takes with it what arrived together with it, unanswered
    assert received.statuses, received


@given(data=st.data())
def test_bytes_that_are_damaged_on_their_way(sent: Sent, data: st.DataObject) -> None:
    seed = tuple(data.draw(st.lists(requests(SOUND + BROKEN), min_size=1, max_size=3)))
    flight = uuid.uuid4().hex
    pieces = [good(flight), data.draw(damaged(seed, (*seed, good("f")))), data.draw(st.sampled_from([b"", LAST]))]
    sent.note(exchange(sent.url, b"".join(pieces), SILENCE_SECONDS), {flight})


@given(garbage=st.binary(max_size=600))
def test_what_is_no_http_at_all(sent: Sent, garbage: bytes) -> None:
    sent.note(exchange(sent.url, garbage + b"\r\n\r\n", SILENCE_SECONDS), set())
