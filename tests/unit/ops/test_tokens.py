"""Tokens: their secret, their scopes, their end."""

import datetime as dt
import re

import pytest

from pointq.errors import UsageError
from pointq.ops.tokens import SCOPES, digest, expiry, make
from pointq.points.kinds import KINDS

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def test_a_token_is_random_and_only_its_digest_is_kept() -> None:
    made, other = make("a", ["live"], NOW), make("a", ["live"], NOW)

    assert re.fullmatch(r"pq_[A-Za-z0-9_-]{43}", made.secret), "256 bits in base64url"
    assert made.secret != other.secret
    assert made.token.hash == digest(made.secret)
    assert len(made.token.hash) == 32
    assert made.secret not in repr(made)
    assert repr(made.token.hash) not in repr(made)


def test_scopes_are_told_once_each_and_every_kind_is_one() -> None:
    assert make("a", ["view", "live", "view"], NOW).token.scopes == ["live", "view"]
    assert set(SCOPES) == {*KINDS, "import", "view"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12h", NOW + dt.timedelta(hours=12)),
        ("90d", NOW + dt.timedelta(days=90)),
        ("2w", NOW + dt.timedelta(days=14)),
        ("2026-09-30", dt.datetime(2026, 10, 1, tzinfo=dt.UTC)),
        ("2026-09-30T18:00:00+02:00", dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC)),
        ("2026-09-30T18:00:00Z", dt.datetime(2026, 9, 30, 18, tzinfo=dt.UTC)),
    ],
)
def test_an_end_may_be_a_span_a_day_or_a_moment(text: str, moment: dt.datetime) -> None:
    assert expiry(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "90", "d", "-1d", "2026-13-01", "2026-09-30T18:00:00", "9999-12-31", "999999d"),
        "9999-12-31T23:59:59-05:00",  # in UTC, a year that nothing here can read
        "0001-01-01T00:00:00+05:00",
    ],
)
def test_what_is_no_end_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="--expires is a span, a date or a time with an offset"):
        expiry(text, NOW)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a\n", "a" * 65, "é"])
def test_names_are_fit_for_a_command_line(name: str) -> None:
    with pytest.raises(UsageError, match="a token cannot be named"):
        make(name, ["live"], NOW)


def test_the_state_of_a_token() -> None:
    token = make("a", ["live"], NOW, expires_at=NOW + dt.timedelta(hours=1)).token

    assert token.state(NOW) == "active"
    assert token.state(NOW + dt.timedelta(hours=1)) == "expired"
