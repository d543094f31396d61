"""Tokens as people hand them over."""

import pytest

from pointq.cli.bearer import parse_token
from pointq.errors import UsageError


@pytest.mark.parametrize("text", ["pq_x-1", "pq_x-1\n", "pq_x-1\r\n", " pq_x-1\t"])
def test_a_token_is_taken_without_its_line_break(text: str) -> None:
    assert parse_token(text) == "pq_x-1"


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_nothing_is_no_token(text: str | None) -> None:
    assert parse_token(text) is None


@pytest.mark.parametrize("text", ["hid\nden", "hid\rden", "hid\0den", "hid den", "hid\u00e9den"])
def test_what_no_header_takes_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_token(text)

    said = f"{caught.value} {caught.value.hint}"
    assert "POINTQ_TOKEN" in said
    assert not {"hid", "den"} & set(said.split())
