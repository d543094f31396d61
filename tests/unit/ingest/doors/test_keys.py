"""What a token grants: found, remembered, forgotten."""

import datetime as dt
import time
from pathlib import Path

import jwt
import pytest

from pointq.ingest.doors.book import Book, BookFile
from pointq.ingest.doors.devices import bound
from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.grants import Grant
from pointq.ingest.doors.jwt import SignedTokens
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.paths import SCOPES
from pointq.ingest.doors.plan import DoorPlan, JwtPlan
from pointq.ingest.doors.refusals import Refusals, nothing_shown
from pointq.ingest.problems import Problem
from pointq.ops.tokens import make

NOW = dt.datetime.now(dt.UTC)
SECRET = "the-shared-secret-of-the-replaced-system"


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def test_only_the_token_itself_is_found() -> None:
    made = make("anna", ["live"], NOW, device="7")
    book = Book.of([made.token, make("ben", ["view"], NOW).token], "1")

    assert book.find(made.secret) == Grant("anna", frozenset({"live"}), "7")
    assert book.find(made.secret[:-1]) is None
    assert book.find(made.token.hash.hex()) is None


def test_a_book_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    made = make("anna", ["live"], NOW, device="7", expires_at=NOW + dt.timedelta(days=1))
    file = BookFile(tmp_path / "data" / "tokens.json", "host/points")
    assert file.read() is None

    file.write(Book.of([made.token], "1"))
    file.write(Book.of([made.token], "2"))

    found = file.read()
    assert found is not None
    assert (found.version, found.find(made.secret)) == ("2", Book.of([made.token], "2").find(made.secret))
    assert BookFile(file.path, "elsewhere/points").read() is None
    assert [path.name for path in file.path.parent.iterdir()] == ["tokens.json"]
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.path.chmod(0o620)
    with pytest.raises(PermissionError, match="others may write it"):
        file.read()


def test_a_header_is_remembered_until_the_token_ends_or_the_book_changes() -> None:
    clock = Clock()
    keys = Keys(clock=clock)
    made = make("anna", ["live"], NOW, expires_at=NOW + dt.timedelta(hours=1))
    keys.book = Book.of([made.token], "1")
    header = f"Bearer {made.secret}"
    assert keys.remembered(header) is None

    keys.remember(header, keys.grant(made.secret))
    assert keys.remembered(header) == keys.grant(made.secret)
    assert keys.remembered(None) is None

    keys.book = Book.of([made.token], "2")
    assert keys.remembered(header) is None
    keys.remember(header, keys.grant(made.secret))
    clock.now += 3601
    assert keys.remembered(header) is None
    with pytest.raises(Problem, match="the token has expired"):
        keys.grant(made.secret)


def test_what_is_remembered_is_bounded() -> None:
    keys = Keys()
    grant = Grant("a", frozenset())
    for number in range(40_000):
        keys.remember(str(number), grant)

    assert len(keys._headers) <= 16_384


def test_a_signed_token_that_was_verified_ends_in_time_all_the_same() -> None:
    clock = Clock()
    keys = Keys(SignedTokens(JwtPlan(SECRET)), clock)
    token = jwt.encode({"exp": int(clock.now) + 60}, SECRET, algorithm="HS256")

    assert keys.grant(token) is keys.grant(token)
    clock.now += 100
    with pytest.raises(Problem, match="the token has expired"):
        keys.grant(token)


def test_before_anything_is_known_nobody_is_told_that_a_token_is_wrong() -> None:
    keys = Keys()
    with pytest.raises(Problem) as caught:
        keys.grant("pq_x")
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "5")
    with pytest.raises(Problem, match=r"no token of pointq's"):
        keys.grant("password")


def test_a_token_for_one_device() -> None:
    assert [bound("8", None), bound(None, None), bound("7", "7"), bound(None, "7")] == ["8", None, "7", "7"]
    for other in ("8", 7, ["7"]):
        with pytest.raises(Problem) as caught:
            bound(other, "7")
        assert caught.value.status == 403


def test_the_secret_of_the_instruments_opens_their_door_alone() -> None:
    plan = DoorPlan("token", "none", "token", "none", has_flymaster_secret=True)

    assert {scope: plan.mode(scope) for scope in ("live", "upload", "flymaster", "scoring", "import", "view")} == {
        "live": "token",
        "upload": "token",
        "flymaster": "none",
        "scoring": "none",
        "import": "token",
        "view": "none",
    }
    assert DoorPlan("token").mode("flymaster") == "token"


def test_refusals_are_counted_and_told_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(5):
        refusals.tell("10.0.0.1", "/tracking/live", nothing_shown())
    clock.now += 11
    refusals.tell("10.0.0.2", "/tracking/live", nothing_shown())

    assert [record.args[:2] for record in caplog.records if isinstance(record.args, tuple)] == [
        (1, "10.0.0.1"),
        (5, "10.0.0.2"),
    ]


def test_a_path_without_a_scope_cannot_become_a_route() -> None:
    gate = Gate(DoorPlan(), Keys())

    assert all(gate.at(path) is None for path in SCOPES)
    with pytest.raises(KeyError):
        gate.at("/tracking/new")
    closed = Gate(DoorPlan("token", "token", "token", "token"), Keys())
    assert {path for path in SCOPES if closed.at(path) is None} == {"/livez", "/readyz", "/openapi.json"}
