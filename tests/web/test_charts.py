"""Charts are valid XML, true to their numbers, and escape what they are given."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.charts import (
    Axes,
    Band,
    MoneyStep,
    Series,
    bar_chart,
    line_band,
    money_flow,
    share_bar,
    sparkline,
    stacked_bars,
)
from web.svg import number, ticks

SVG = "{http://www.w3.org/2000/svg}"
AXES = Axes(title="净碳汇", description="每年", x="年份", y="净碳汇", unit="吨")
VALUES = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=20)
WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="￾￿"), max_size=20
)


def bars(svg):
    root = ET.fromstring(str(svg))
    return [rect for rect in root.iter(f"{SVG}rect") if rect.get("class", "").startswith("bar")]


@given(VALUES)
def test_bar_heights_are_proportional_to_values(values):
    chart = bar_chart(AXES, [str(i) for i in range(len(values))], values)
    heights = [float(bar.get("height")) for bar in bars(chart.svg)]
    largest = max(abs(value) for value in values)
    scale = max(heights) / largest if largest else 0
    assert len(heights) == len(values)
    for value, height in zip(values, heights, strict=True):
        assert height == pytest.approx(abs(value) * scale, abs=0.03)


@given(VALUES)
def test_bars_keep_their_heights_in_any_order(values):
    def heights(order):
        chart = bar_chart(AXES, ["x"] * len(order), order)
        return sorted(bar.get("height") for bar in bars(chart.svg))

    assert heights(values) == heights(values[::-1])


@given(st.lists(st.tuples(*[st.integers(-1000, 1000)] * 3), min_size=1, max_size=8))
def test_stack_is_as_high_as_the_sums_of_its_parts(columns):
    series = [
        Series(name=f"s{i}", values=tuple(float(column[i]) for column in columns)) for i in range(3)
    ]
    chart = stacked_bars(AXES, [str(i) for i in range(len(columns))], series)
    heights = [float(bar.get("height")) for bar in bars(chart.svg)]
    flat = [abs(value) for column in columns for value in column]
    scale = max(heights) / max(flat) if max(flat) else 0
    for value, height in zip(flat, heights, strict=True):
        assert height == pytest.approx(value * scale, abs=0.03)


@given(WORDS, WORDS)
def test_any_words_make_valid_xml(title, name):
    axes = Axes(title=title, description=name, x=name, y=title, unit=name)
    charts = [
        bar_chart(axes, [name], [1.0]),
        stacked_bars(axes, [title], [Series(name=name, values=(1.0,))]),
        line_band(axes, Band(name=name, x=(1.0,), middle=(2.0,), low=(1.0,), high=(3.0,))),
        money_flow(title, name, [MoneyStep(name=name, fen=5, kind="total")]),
        share_bar(title, name, [(name, 1.0)], unit=title),
    ]
    for chart in charts:
        root = ET.fromstring(str(chart.svg))
        assert root.find(f"{SVG}title").text in (title, None)
        assert root.get("aria-labelledby").split() == [
            root.find(f"{SVG}title").get("id"),
            root.find(f"{SVG}desc").get("id"),
        ]
        assert not [item for item in root.iter() if "style" in item.attrib]


def test_every_chart_is_deterministic_and_has_its_table():
    band = Band(name="预测", x=(2025.0, 2026.0), middle=(1.0, 2.0), low=(0.5, 1.5), high=(1.5, 2.5))
    seen = Band(name="监测", x=(2026.0,), middle=(1.9,), low=(1.8,), high=(2.0,))
    one, two = line_band(AXES, band, seen), line_band(AXES, band, seen)
    assert one == two
    assert one.headers == ("年份", "预测（吨）", "监测（吨）")
    assert one.rows == (
        ("2025", "1（0.5 至 1.5）", "—"),
        ("2026", "2（1.5 至 2.5）", "1.9（1.8 至 2）"),
    )


@pytest.mark.parametrize("compact", [False, True])
def test_nothing_to_show_is_said_in_words(compact):
    chart = bar_chart(AXES, [], [], compact=compact)
    assert "暂无数据" in chart.svg
    assert chart.rows == ()


def test_values_must_fit_the_categories():
    with pytest.raises(ValueError, match="2 values for 1"):
        bar_chart(AXES, ["a"], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        bar_chart(AXES, ["a"], [float("nan")])


def test_interval_must_hold_its_line():
    with pytest.raises(ValueError, match="outside"):
        Band(name="x", x=(1.0,), middle=(5.0,), low=(1.0,), high=(2.0,))


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**11), max_size=5))
def test_money_flow_closes_to_the_fen_or_is_refused(gross, taken):
    left = gross - sum(taken)
    steps = [MoneyStep(name="总额", fen=gross, kind="total")]
    steps += [MoneyStep(name="扣", fen=fen, kind="minus") for fen in taken]
    if left < 0:
        with pytest.raises(ValueError, match="takes"):
            money_flow("t", "d", steps)
        return
    chart = money_flow("t", "d", [*steps, MoneyStep(name="返还", fen=left, kind="total")])
    widths = [float(bar.get("width")) for bar in bars(chart.svg)]
    assert widths[0] == pytest.approx(sum(widths[1:]), abs=0.1)
    with pytest.raises(ValueError, match="are left"):
        money_flow("t", "d", [*steps, MoneyStep(name="返还", fen=left + 1, kind="total")])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6))
def test_shares_fill_the_bar(values):
    chart = share_bar("t", "d", [(str(i), value) for i, value in enumerate(values)], unit="t")
    width = sum(float(bar.get("width")) for bar in bars(chart.svg))
    assert width == pytest.approx(340 if sum(values) else 0, abs=0.1)
    with pytest.raises(ValueError, match="below zero"):
        share_bar("t", "d", [("a", -1.0)], unit="t")


@given(st.lists(st.floats(-1e6, 1e6), max_size=12))
def test_sparkline_stays_in_its_box(values):
    root = ET.fromstring(str(sparkline("走势", values)))
    for line in root.iter(f"{SVG}polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 120
            assert 0 <= y <= 32


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_cover_the_data_in_even_steps(low, width):
    found = ticks(low, low + width)
    assert found[0] <= low + 1e-6 * max(1, abs(low))
    assert found[-1] >= low + width - 1e-6 * max(1, abs(low) + width)
    assert 2 <= len(found) <= 8


def test_numbers_read_as_people_write_them():
    assert [number(value) for value in (0, 1234.56, 12.34, 1.5, 0.00123, -32)] == [
        "0", "1,235", "12.3", "1.5", "0.0012", "-32",
    ]  # fmt: skip
    assert re.fullmatch(r"[\d,.]+", number(1e7))
