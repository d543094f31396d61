import pytest

from pointq.cli.numbers import short


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
