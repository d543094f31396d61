import xml.etree.ElementTree as ET

import pytest

from pointq.ops.bench.charts import Line, line_chart, linear, logarithmic, nice, nines, ratio_bar, short


@pytest.mark.parametrize(("step", "round_step"), [(0, 1), (0.7, 1), (1.1, 2), (2.1, 2.5), (26, 50), (900, 1000), (0.031, 0.05)])
def test_steps_are_round(step: float, round_step: float) -> None:
    assert nice(step) == pytest.approx(round_step)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.8512, "0.851"), (450_000, "450 k"), (1_234_567, "1.23 M"), (20, "20"), (1_000, "1 k")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize("most", [0.013, 1, 7.3, 10, 99, 486_427])
def test_a_linear_axis_begins_at_zero_and_holds_the_greatest_value(most: float) -> None:
    axis = linear("points/s", most)

    assert axis.ticks[0][1] == "0"
    assert axis.place(axis.ticks[-1][0]) == pytest.approx(1)
    assert axis.place(most) <= 1 + 1e-9
    assert 2 <= len(axis.ticks) <= 7


def test_a_logarithmic_axis_spreads_powers_evenly() -> None:
    axis = logarithmic("points", [100, 1_000, 10_000])

    assert [axis.place(value) for value, _ in axis.ticks] == pytest.approx([0, 0.5, 1])
    assert logarithmic("points", [100]).place(100) == 0


def test_each_nine_is_as_far_from_the_one_before() -> None:
    axis = nines("percent")

    assert [axis.place(share) for share in (0, 90, 99, 99.9, 99.99, 100)] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_a_chart_is_well_formed_and_says_what_it_shows() -> None:
    x, y = logarithmic("points <in> a batch", [100, 1_000]), linear("points/s", 500)
    svg = line_chart(x, y, [Line("pointq & co", "own", [(100, 200), (1_000, 500)])], limit=(300, "no > more"))

    root = ET.fromstring(svg)  # noqa: S314 - our own text
    assert root.attrib["aria-label"] == "points/s by points <in> a batch: pointq & co"
    assert [circle[0].text for circle in root.iter("circle")] == [
        "pointq & co: 200 points/s at 100 points <in> a batch",
        "pointq & co: 500 points/s at 1 k points <in> a batch",
    ]
    assert "no > more" in [text.text for text in root.iter("text")]


def test_a_ratio_bar_marks_target_spread_and_floor() -> None:
    root = ET.fromstring(ratio_bar(0.5, 0.4, 0.6, 0.8, 1.25))  # noqa: S314 - our own text
    lines = {line.attrib["class"]: line.attrib for line in root.iter("line")}

    assert [rect.attrib["width"] for rect in root.iter("rect")] == ["100", "40.00"]
    assert (lines["whisker"]["x1"], lines["whisker"]["x2"]) == ("32.00", "48.00")
    assert (lines["goal"]["x1"], lines["one"]["x1"]) == ("64.00", "80.00")
