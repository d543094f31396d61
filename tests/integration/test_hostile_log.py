"""The log of a server and of commands, whatever strangers send: no control character, no token, no line without end."""

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import jwt
import pytest

from tests.integration.test_doors import CLOSED, IMPORT, raw_request, token
from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD
from tests.support.http import Client
from tests.support.points import FLYMASTER_SECRET, SCORED, flymaster_key, flymaster_row, flymaster_text, multipart, track
from tests.support.processes import Server
from tests.support.sites import Site

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_CHARACTERS = 10_000
FORGED = '\n00:00:00 ERROR   forged\r\n{"level":"error","message":"forged"}\x1b[2J\x1b]0;owned\x07\x00\x85\u2028\u2029\u202e'
WORDS = ("evil" + FORGED, "lone \ud800" + FORGED, "x" * 10_000, "\x00", "\u0085", FORGED * 100)
JWT_SECRET = "k" * 20 + "s" * 20


@dataclass(frozen=True)
class Hostile:
    """A server that tells everything, and what opens it."""

    site: Site
    server: Server
    secret: str
    signed: str


@pytest.fixture(params=["human", "json"])
def hostile(site: Site, request: pytest.FixtureRequest) -> Iterator[Hostile]:
    own = {
        "POINTQ_LOG__LEVEL": "debug",
        "POINTQ_LOG__FORMAT": request.param,
        "POINTQ_AUTH__JWT_SECRET": JWT_SECRET,
        "POINTQ_FLYMASTER__SECRET": FLYMASTER_SECRET,
    }
    told = replace(site, extra={**CLOSED, **own})
    secret = token(told, "live,upload,scoring,flymaster,import,view")
    with told.serve() as server:
        greeting = len(hostile_log(told))
        signed = jwt.encode({"exp": int(time.time()) + 600, "sub": "a" + FORGED}, JWT_SECRET, "HS256")
        yield Hostile(told, server, secret, signed)
        check_log(
            hostile_log(told)[greeting:], request.param, (secret, signed, JWT_SECRET, FLYMASTER_SECRET, flymaster_key("7"))
        )


def hostile_log(site: Site) -> str:
    (file,) = site.home.glob("serve-*.log")
    return file.read_bytes().decode()  # with line ends as they came


def check_log(log: str, form: str, secrets: tuple[str, ...]) -> None:
    """Check every line, as bytes came, with no newline but a line feed."""
    assert log.endswith("\n"), "it says something"
    lines = log[:-1].split("\n")
    assert len(lines) < 500
    for line in lines:
        assert not CONTROL.search(line), line[:400]
        assert len(line) < MOST_CHARACTERS, line[:400]
        if form == "json":
            assert json.loads(line)["message"] != "forged"
        else:
            assert re.match(r"\d\d:\d\d:\d\d [A-Z]+ +|    ", line), line[:400]
            assert not line.startswith("00:00:00 ERROR   forged")
    for secret in secrets:
        assert secret not in log


def refused_or_taken(status: int) -> None:
    assert status in {200, 202} or 400 <= status < 500, status


def test_nothing_that_strangers_name_reaches_the_log_as_it_is(hostile: Hostile) -> None:
    key = {"Authorization": f"Bearer {hostile.secret}"}
    with hostile.server.client() as client:
        for word in WORDS:
            points = track(1, device_id=word)
            for path in (LIVE, UPLOAD):
                refused_or_taken(
                    client.post(path, {"flight_id": word, "device_id": word, "track_points": points}, **key).status
                )
                refused_or_taken(
                    client.post(path, {word: word, "flight_id": "f", "track_points": [{word: word}]}, **key).status
                )
            refused_or_taken(client.post(SCORING, {"flight_id": word, "flight_uuid": word, "tracks": [SCORED]}, **key).status)
            plain = word.encode(errors="surrogatepass")
            refused_or_taken(client.request("POST", f"/{quote(plain)[:7000]}", b"", **key).status)
            refused_or_taken(client.request("POST", f"{LIVE}?{urlencode({'x': plain})[:7000]}", b"", **key).status)
            for upload in (
                plain + b",x\nrow\nEOF\n",
                b"7," + plain + b"\nEOF\n",
                b"7," + flymaster_key("7").encode() + b"\n" + plain,
            ):
                refused_or_taken(client.request("POST", FLYMASTER, upload).status)
    assert hostile.server.process.poll() is None


def test_no_header_and_no_file_name_reaches_the_log_as_it_is(hostile: Hostile) -> None:
    key = f"Authorization: Bearer {hostile.secret}\r\n".encode()
    for word in WORDS:
        plain = word.encode(errors="surrogatepass")
        for header in (
            b"X-" + plain + b": v",
            b"X-V: " + plain,
            b"User-Agent: " + plain,
            b"X-API-Key: " + plain,
            b"X-Forwarded-For: " + plain,
        ):
            with suppress(ConnectionError):
                raw_request(hostile.server, b"POST " + LIVE.encode() + b" HTTP/1.1\r\nHost: x\r\n" + key + header + b"\r\n\r\n")
        name = plain.replace(b"\r", b"").replace(b"\n", b"")
        for file_name in (name, b"../../../" + name + b".igc", b"/etc/" + name, b"%0a%1b[31m\\" + name):
            form, content_type = multipart(b"AXXX\r\nHFDTE010624\r\nB1000\x1b[31m\r\n" + plain)
            form = form.replace(b"track.txt", file_name)
            with hostile.server.client() as client:
                bearer = f"Bearer {hostile.secret}"
                answer = client.request("POST", IMPORT, form, Content_Type=content_type, Authorization=bearer)
            refused_or_taken(answer.status)


def show(client: Client, path: str, secret: str, body: bytes) -> Iterator[int]:
    """Send it with the secret shown in each of the four ways."""
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    ways = ({"Authorization": f"Bearer {secret}"}, {"Authorization": f"Basic {basic}"}, {"X_API_Key": secret})
    for way in ways:
        yield client.request("POST", path, body, **way).status
    yield client.request("POST", f"{path}?{urlencode({'token': secret})}", body).status


def test_no_secret_reaches_the_log_refused_or_accepted(hostile: Hostile) -> None:
    good = json.dumps({"flight_id": "f", "track_points": track(1)}).encode()
    with hostile.server.client() as client:
        for secret in (hostile.secret, hostile.signed):
            assert list(show(client, LIVE, secret, good)) == [202] * 4
            assert list(show(client, LIVE, secret, b"{")) == [400] * 4
            assert list(show(client, "/nowhere", secret, good)) == [404] * 4
            assert list(show(client, LIVE, secret[:-5] + "AAAAA", good)) == [401] * 4
            # the token also in the body, where errors may quote it
            echo = json.dumps({"flight_id": secret, "device_id": [secret], "track_points": secret}).encode()
            assert set(show(client, UPLOAD, secret, echo)) <= {403, 422}
        assert client.request("POST", FLYMASTER, flymaster_text("7", (flymaster_row(0),))).text == "OK"
        assert client.request("POST", FLYMASTER, flymaster_text("8", (flymaster_row(0),), key=flymaster_key("7"))).text == "NOK"
        assert client.request("POST", FLYMASTER, flymaster_text("7", ("no row",))).status == 400


def test_files_of_such_names_are_imported_and_shown_without_steering_the_terminal(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    folder.mkdir()
    names = ("a\n00:00:00 ERROR   forged\x1b[31m.igc", "b\x85\u2028\u2029.igc", "c\udcff\u202e.igc", "d" * 240 + ".igc")
    for number, name in enumerate(names):
        data = f"AXXX001\r\nHFDTE010624\r\nB10000{number}4530000N00630000EA0100001500\r\n"
        (folder / name).write_bytes(data.encode())
    for form in ("human", "json"):
        told = replace(site, extra={"POINTQ_LOG__FORMAT": form, "POINTQ_LOG__LEVEL": "debug"})
        for arguments in (("import", str(folder)), ("status",), ("inspect", "upload")):
            done = told.run(*arguments)
            for line in (done.stdout + done.stderr).split("\n"):
                assert not CONTROL.search(line), line
            assert not re.search(r"^00:00:00 ERROR", done.stdout + done.stderr, re.MULTILINE)
