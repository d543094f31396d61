import pytest

from pointq.cli.numbers import batches_of, counted, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (99_999, "99 999"),
        (99_999.5, "100 k"),
        (123_456, "123 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (1_234_567, "1.23 M"),
        (9_994_999, "9.99 M"),
        (9_995_000, "10.0 M"),
        (99_960_000, "100 M"),
        (12_345_678_901, "12.3 G"),
    ],
)
def test_short_numbers_have_three_figures_and_six_characters(value: float | None, text: str) -> None:
    assert short(value) == text
    assert len(text) <= 6


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("point",), "0 points"),
        (1, ("point",), "1 point"),
        (2, ("point",), "2 points"),
        (12_345, ("fix", "fixes"), "12 345 fixes"),
        (1, ("fix", "fixes"), "1 fix"),
    ],
)
def test_one_of_a_thing_is_not_several(number: int, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text


def test_batches_and_their_points() -> None:
    assert batches_of(1, 1) == "1 batch of 1 point"
    assert batches_of(2, 1000) == "2 batches of 1 000 points"
