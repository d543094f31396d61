"""/openapi.json: it is OpenAPI 3.1, it has every route, its examples are accepted; and what becomes of what is no HTTP."""

from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from pointq.ingest.app import make_app
from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.limits.limits import Limits
from pointq.ingest.limits.plan import LimitsPlan
from pointq.ingest.limits.tally import Tally
from pointq.ingest.openapi.document import Bounds
from pointq.ingest.services import Services
from pointq.points.kinds import KINDS
from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD
from tests.support.processes import Server
from tests.support.raw import exchange

PAGE = "/openapi.json"
SECRET = b"do-not-log-me"
CHUNKED = b"POST /tracking/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
MALFORMED = (
    SECRET + b"\x00\xff\r\n\r\n",
    b"GET /" + SECRET * 1_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + SECRET + b"\r\n\r\n",
    CHUNKED + SECRET + b"\r\n",
)


@pytest.fixture
def described(server: Server) -> Any:
    with server.client() as client:
        return client.get(PAGE).json


def routes() -> set[tuple[str, str]]:
    """Method and path of everything in the application but for what answers 404 everywhere else."""
    nothing = cast("Any", None)  # a route is added without asking its services for anything
    commits = dict.fromkeys(KINDS.values(), nothing)
    services = Services(commits, status=nothing, zone=nothing, desk=nothing, teller=nothing, arrivals=nothing)
    gate, limits = Gate(DoorPlan(), Keys()), Limits(LimitsPlan(), Tally())
    paths = (LIVE, UPLOAD, SCORING, FLYMASTER)
    app = make_app(services, dict.fromkeys(paths, nothing_here), gate, limits, Bounds(1, 1))
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    assert ("*", "/{path}") in found
    return found - {("*", "/{path}")}


async def nothing_here(_: Any) -> Any:
    raise NotImplementedError


def test_it_is_openapi_and_has_every_route(described: Any) -> None:
    assert described["openapi"].startswith("3.1.")
    validate(described, cls=OpenAPIV31SpecValidator)
    assert {(method.upper(), path) for path, item in described["paths"].items() for method in item} == routes()


def test_every_example_is_accepted(server: Server, described: Any) -> None:
    schemas, sent = described["components"]["schemas"], set()
    with server.client() as client:
        for path, item in described["paths"].items():
            for media, content in item.get("post", {}).get("requestBody", {}).get("content", {}).items():
                if media == "application/json":
                    examples = [content["example"], *schemas[content["schema"]["$ref"].rpartition("/")[2]]["examples"]]
                    answers = [client.post(path, example) for example in examples]
                elif media == "text/plain":
                    examples = content["schema"]["examples"]
                    answers = [client.request("POST", path, each.encode(), Content_Type=media) for each in examples]
                else:
                    continue  # files are bytes, of which a description has no example
                sent.add(path)
                assert {answer.status for answer in answers} == {200 if path == FLYMASTER else 202}, answers
    assert sent == {LIVE, UPLOAD, SCORING, FLYMASTER}


@pytest.mark.parametrize("path", [LIVE, UPLOAD, SCORING])
def test_what_is_wrong_with_points_comes_with_a_list(described: Any, path: str) -> None:
    answer = described["paths"][path]["post"]["responses"]["422"]
    [_, required] = answer["content"]["application/problem+json"]["schema"]["allOf"]
    assert required == {"required": ["rejected", "rejected_count"]}
    assert {"rejected", "rejected_count"} < set(described["components"]["schemas"]["Problem400"]["properties"])


def test_who_has_it_is_not_sent_it_again(server: Server) -> None:
    with server.client() as client:
        first = client.get(PAGE)
        again = client.request("GET", PAGE, If_None_Match=first.headers["etag"])
        other = client.request("GET", PAGE, If_None_Match='"another"')
    assert (first.status, again.status, other.status) == (200, 304, 200)
    assert again.body == b""
    assert again.headers["etag"] == first.headers["etag"] == other.headers["etag"]


def test_what_is_no_http_is_a_problem_and_one_line_in_the_log(server: Server) -> None:
    for data in MALFORMED:
        received = exchange(server.url, data)
        assert received.statuses == [400], data[:100]
        assert b"application/problem+json" in received.data
        assert received.ended
    assert server.log.count("no HTTP that can be read") == 1, server.log
    assert SECRET.decode() not in server.log
