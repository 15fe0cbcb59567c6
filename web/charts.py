"""Charts as SVG text drawn on the server: they print, need no script, and each carries its table.

Every function is pure. A chart has a title and a description for people who cannot see it, axis
titles with units, and the same numbers as rows for a data table under it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from web.chart_frame import (
    COMPACT_WIDTH,
    LEFT,
    LETTER,
    Axes,
    Chart,
    Frame,
    category_words,
    chart_svg,
    colour,
    empty_chart,
    frame_for,
    grid,
    hatch,
    legend,
    picture,
)
from web.formats import yuan
from web.svg import element, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One named row of values, one for each category, in the categories' order."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A line with an interval around it; points in the order of rising ``x`` (years)."""

    name: str
    x: tuple[float, ...]
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse rows of different length and intervals that do not hold their line."""
        if len({len(self.x), len(self.middle), len(self.low), len(self.high)}) != 1:
            raise ValueError(f"{self.name}: x, middle, low and high differ in length")
        if any(
            not low <= middle <= high
            for low, middle, high in zip(self.low, self.middle, self.high, strict=True)
        ):
            raise ValueError(f"{self.name}: a value lies outside its interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyStep:
    """One step of a money flow: a total that stands on zero, or what is taken from the last."""

    name: str
    fen: int
    kind: Literal["total", "minus"]


def _check_lengths(categories: Sequence[str], series: Sequence[Series]) -> None:
    for one in series:
        if len(one.values) != len(categories):
            raise ValueError(
                f"{one.name} has {len(one.values)} values for {len(categories)} categories"
            )


def bar_chart(
    axes: Axes,
    categories: Sequence[str],
    values: Sequence[float],
    *,
    compact: bool = False,
    empty: str = "暂无数据",
) -> Chart:
    """Return one bar for each category; bars below zero hang down and have their own class.

    Parameters
    ----------
    axes : words and unit.
    categories : (n,) names, in order.
    values : (n,) finite values in ``axes.unit``.
    compact : draw for a phone's width.
    empty : text shown where there is no category.

    Raises
    ------
    ValueError : lengths differ or a value is not finite.
    """
    _check_lengths(categories, [Series(name=axes.y, values=tuple(values))])
    headers = (axes.x, f"{axes.y}（{axes.unit}）")
    if not categories:
        return empty_chart(axes, headers, empty, compact=compact)
    frame = frame_for(min(values), max(values), compact=compact)
    parts = grid(axes, frame)
    for index, (name, value) in enumerate(zip(categories, values, strict=True)):
        left, slot = frame.slot(index, len(categories))
        top, bottom = sorted((frame.y(value), frame.y(0)))
        tip = element("title", f"{name}：{number(value)} {axes.unit}")
        parts.append(
            element(
                "rect",
                tip,
                class_="bar neg" if value < 0 else "bar s1",
                x=left + slot * 0.18,
                y=top,
                width=slot * 0.64,
                height=bottom - top,
            )
        )
        text = number(value)
        if len(text) * LETTER * 0.6 <= slot:
            y = top - 5 if value >= 0 else bottom + LETTER
            parts.append(element("text", text, class_="value mid", x=left + slot / 2, y=y))
    parts += category_words(frame, categories)
    rows = tuple((name, number(value)) for name, value in zip(categories, values, strict=True))
    return Chart(title=axes.title, svg=chart_svg(axes, frame, parts), headers=headers, rows=rows)


def stacked_bars(
    axes: Axes,
    categories: Sequence[str],
    series: Sequence[Series],
    *,
    compact: bool = False,
    empty: str = "暂无数据",
) -> Chart:
    """Return bars in which the series stand on each other; negative values stack downwards.

    Parameters
    ----------
    axes : words and unit.
    categories : (n,) names.
    series : rows of (n,) finite values; every second one is hatched.

    Raises
    ------
    ValueError : a series has another length than the categories, or a value is not finite.
    """
    _check_lengths(categories, series)
    headers = (axes.x, *(f"{one.name}（{axes.unit}）" for one in series))
    if not categories or not series:
        return empty_chart(axes, headers, empty, compact=compact)
    columns = list(zip(*(one.values for one in series), strict=True))
    highs = [sum(value for value in column if value > 0) for column in columns]
    lows = [sum(value for value in column if value < 0) for column in columns]
    frame = frame_for(min(lows), max(highs), compact=compact)
    parts = grid(axes, frame)
    for index, column in enumerate(columns):
        left, slot = frame.slot(index, len(columns))
        box = (left + slot * 0.18, slot * 0.64)
        parts += _stack(frame, categories[index], column, box, [one.name for one in series])
    parts += category_words(frame, categories)
    parts += legend([one.name for one in series], left=LEFT, top=36)
    rows = tuple(
        (name, *(number(value) for value in column))
        for name, column in zip(categories, columns, strict=True)
    )
    return Chart(title=axes.title, svg=chart_svg(axes, frame, parts), headers=headers, rows=rows)


def _stack(
    frame: Frame,
    category: str,
    column: Sequence[float],
    box: tuple[float, float],
    names: Sequence[str],
) -> list[Markup]:
    """Draw one category's pieces from zero outwards."""
    left, width = box
    above = below = 0.0
    parts = []
    for index, value in enumerate(column):
        start = above if value >= 0 else below
        top, bottom = sorted((frame.y(start), frame.y(start + value)))
        tip = element("title", f"{category} {names[index]}：{number(value)}")
        shape = {"x": left, "y": top, "width": width, "height": bottom - top}
        parts.append(element("rect", tip, class_=f"bar {colour(index)}", **shape))
        if index % 2:
            parts.append(hatch(**shape))
        if value >= 0:
            above += value
        else:
            below += value
    return parts


def line_band(
    axes: Axes,
    forecast: Band,
    monitored: Band | None = None,
    *,
    compact: bool = False,
    empty: str = "暂无数据",
) -> Chart:
    """Return a forecast line with its interval and, over it, monitored points with whiskers.

    Parameters
    ----------
    axes : words and unit.
    forecast : drawn as a line in a pale band.
    monitored : drawn as dots with whiskers, since monitoring has gaps.
    """
    bands = [band for band in (forecast, monitored) if band is not None and band.x]
    headers = (axes.x, *(_band_header(axes, name) for name in _band_names(forecast, monitored)))
    if not bands:
        return empty_chart(axes, headers, empty, compact=compact)
    frame = frame_for(
        min(min(band.low) for band in bands), max(max(band.high) for band in bands), compact=compact
    )
    years = sorted({x for band in bands for x in band.x})
    span = years[-1] - years[0] or 1.0

    def place(x: float) -> float:
        return LEFT + 12 + (x - years[0]) / span * (frame.right - LEFT - 24)

    parts = grid(axes, frame)
    if forecast.x:
        parts += _line(frame, forecast, place)
    if monitored is not None:
        parts += _dots(frame, monitored, place, axes.unit)
    parts += _year_words(frame, years, place)
    parts += _band_legend(forecast, monitored)
    rows = tuple((f"{x:g}", *_band_cells((forecast, monitored), x)) for x in years)
    return Chart(title=axes.title, svg=chart_svg(axes, frame, parts), headers=headers, rows=rows)


def _band_names(forecast: Band, monitored: Band | None) -> tuple[str, ...]:
    return (forecast.name,) if monitored is None else (forecast.name, monitored.name)


def _band_header(axes: Axes, name: str) -> str:
    return f"{name}（{axes.unit}）"


def _band_cells(bands: tuple[Band, Band | None], x: float) -> tuple[str, ...]:
    cells = []
    for band in bands:
        if band is None:
            continue
        if x not in band.x:
            cells.append("—")
            continue
        at = band.x.index(x)
        low, high = number(band.low[at]), number(band.high[at])
        cells.append(f"{number(band.middle[at])}（{low} 至 {high}）")
    return tuple(cells)


def _points(frame: Frame, xs: Sequence[float], values: Sequence[float]) -> str:
    return " ".join(f"{x:.1f},{frame.y(value):.1f}" for x, value in zip(xs, values, strict=True))


def _line(frame: Frame, band: Band, place: Callable[[float], float]) -> list[Markup]:
    xs = [place(x) for x in band.x]
    area = f"{_points(frame, xs, band.high)} {_points(frame, xs[::-1], band.low[::-1])}"
    return [
        element("polygon", class_="band s1", points=area),
        element("polyline", class_="line l1", points=_points(frame, xs, band.middle)),
    ]


def _dots(frame: Frame, band: Band, place: Callable[[float], float], unit: str) -> list[Markup]:
    parts = []
    for x, middle, low, high in zip(band.x, band.middle, band.low, band.high, strict=True):
        at = place(x)
        parts.append(
            element("line", class_="whisker", x1=at, x2=at, y1=frame.y(low), y2=frame.y(high))
        )
        tip = element("title", f"{x:g} {band.name}：{number(middle)} {unit}")
        parts.append(element("circle", tip, class_="dot s2", cx=at, cy=frame.y(middle), r=5))
    return parts


def _year_words(
    frame: Frame, years: Sequence[float], place: Callable[[float], float]
) -> list[Markup]:
    """Write years from the first on, at least 44 units apart."""
    parts = []
    last = -44.0
    for year in years:
        at = place(year)
        if at - last >= 44:  # noqa: PLR2004 - width of a year in this type size
            y = frame.bottom + LETTER + 6
            parts.append(element("text", f"{year:g}", class_="tick mid", x=at, y=y))
            last = at
    return parts


def _band_legend(forecast: Band, monitored: Band | None) -> list[Markup]:
    parts = [
        element("rect", class_="band s1", x=LEFT, y=25, width=24, height=14),
        element("line", class_="line l1", x1=LEFT, x2=LEFT + 24, y1=32, y2=32),
        element("text", forecast.name, class_="tick", x=LEFT + 30, y=36),
    ]
    if monitored is not None:
        left = LEFT + 30 + len(forecast.name.encode("gb18030")) / 2 * LETTER + 24
        parts.append(element("circle", class_="dot s2", cx=left, cy=32, r=5))
        parts.append(element("text", monitored.name, class_="tick", x=left + 11, y=36))
    return parts


def sparkline(title: str, values: Sequence[float]) -> Markup:
    """Return a small line without axes for a table cell; its last value is marked.

    The title is its only text and should say the trend in words.
    """
    width, height = 120.0, 32.0
    parts: list[Markup] = []
    if values:
        low, high = min(values), max(values)
        span = (high - low) or 1.0
        step = (width - 12) / max(1, len(values) - 1)
        places = [
            (6 + index * step, height - 6 - (value - low) / span * (height - 12))
            for index, value in enumerate(values)
        ]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(element("polyline", class_="line l1", points=points))
        parts.append(element("circle", class_="dot s2", cx=places[-1][0], cy=places[-1][1], r=4))
    words = "，".join(number(value) for value in values)
    return picture(title, words, parts, size="120 32 chart sparkline")


def money_flow(
    title: str,
    description: str,
    steps: Sequence[MoneyStep],
    *,
    headers: tuple[str, str] = ("项目", "金额"),
) -> Chart:
    """Return money from gross to returned as lying bars; what is taken lies where it was taken.

    Parameters
    ----------
    title, description : words for those who cannot see the picture.
    steps : totals and deductions (``fen`` >= 0 as an amount taken) in order.

    Raises
    ------
    ValueError : a later total is not what the steps before it leave, to the fen, or a deduction
        takes more than there is.
    """
    row = 56.0
    high = max((abs(step.fen) for step in steps), default=0) or 1
    scale = COMPACT_WIDTH / high
    parts: list[Markup] = []
    running = 0
    for index, step in enumerate(steps):
        start, running = _money_span(steps, index, running)
        low, top = min(start, running), index * row
        amount = yuan(step.fen) if step.kind == "total" else f"−{yuan(step.fen)}"
        shape = {"y": top + 24, "height": 20.0}
        place = {"x": low * scale, "width": (max(start, running) - low) * scale}
        tip = element("title", f"{step.name} {amount}")
        kind = "bar s1" if step.kind == "total" else "bar s2"
        parts.append(element("text", step.name, x=0, y=top + 17))
        parts.append(element("text", amount, class_="value end", x=COMPACT_WIDTH, y=top + 17))
        parts.append(element("rect", None, class_="track", x=0, width=COMPACT_WIDTH, **shape))
        parts.append(element("rect", tip, class_=kind, **place, **shape))
        if step.kind == "minus" and place["width"]:
            parts.append(hatch(**place, **shape))
    height = row * max(1, len(steps))
    svg = picture(title, description, parts, size=_lying(height))
    rows = tuple(
        (step.name, yuan(step.fen if step.kind == "total" else -step.fen)) for step in steps
    )
    return Chart(title=title, svg=svg, headers=headers, rows=rows)


def _lying(height: float) -> str:
    """Return the size of a chart of lying bars: narrow, so that a phone shows it whole."""
    return f"{COMPACT_WIDTH:.0f} {height:.0f} chart chart-compact"


def _money_span(steps: Sequence[MoneyStep], index: int, running: int) -> tuple[int, int]:
    """Return from where to where a step's bar reaches."""
    step = steps[index]
    if step.kind == "minus":
        if not 0 <= step.fen <= running:
            raise ValueError(f"{step.name} takes {step.fen} fen of {running} fen")
        return running, running - step.fen
    if index and step.fen != running:
        raise ValueError(f"{step.name} is {step.fen} fen, but {running} fen are left")
    return 0, step.fen


def share_bar(
    title: str,
    description: str,
    parts_of: Sequence[tuple[str, float]],
    *,
    unit: str,
    headers: tuple[str, str, str] = ("部分", "数量", "占比"),
) -> Chart:
    """Return one bar cut into shares, with names and percentages below it.

    Raises
    ------
    ValueError : a part is below zero; shares of a mixed sum have no meaning.
    """
    if any(value < 0 for _, value in parts_of):
        raise ValueError("a share cannot be below zero")
    total = sum(value for _, value in parts_of)
    left = 0.0
    drawn: list[Markup] = []
    rows = []
    for index, (name, value) in enumerate(parts_of):
        share = value / total if total else 0.0
        shape = {"x": left, "y": 4.0, "width": share * COMPACT_WIDTH, "height": 32.0}
        drawn.append(
            element("rect", element("title", name), class_=f"bar {colour(index)}", **shape)
        )
        if index % 2 and shape["width"]:
            drawn.append(hatch(**shape))
        top = 60 + index * 24
        drawn.append(element("rect", class_=colour(index), x=2, y=top - 12, width=14, height=14))
        if index % 2:
            drawn.append(hatch(2, top - 12, 14, 14))
        drawn.append(element("text", name, x=24, y=top))
        figure = f"{number(value)} {unit} · {share:.1%}"
        drawn.append(element("text", figure, class_="value end", x=COMPACT_WIDTH, y=top))
        left += shape["width"]
        rows.append((name, f"{number(value)} {unit}", f"{share:.1%}"))
    height = 60 + 24 * max(1, len(parts_of))
    svg = picture(title, description, drawn, size=_lying(height))
    return Chart(title=title, svg=svg, headers=headers, rows=tuple(rows))
