"""What layers by date show, as lines of dots over days, with the years in which ground was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from web.chart_frame import (
    LEFT,
    LETTER,
    Axes,
    Chart,
    Frame,
    chart_svg,
    empty_chart,
    frame_for,
    grid,
)
from web.svg import element, number

_SIDE = 9.0
_YEAR_WIDTH = 44.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayValue:
    """A value of a day, and the share of the ground that it is known of."""

    day: date
    value: float
    known_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """One named row of days, in their order."""

    name: str
    points: tuple[DayValue, ...]


def series_chart(
    axes: Axes,
    lines: Sequence[DayLine],
    *,
    lost: Sequence[tuple[int, str]] = (),
    empty: str = "暂无数据",
    known: str = "有数据",
) -> Chart:
    """Return at most two lines over days: the first solid with round dots, the next dashed, square.

    Parameters
    ----------
    axes : words and unit.
    lines : what was measured; a line without points is left out.
    lost : years to mark, each with its words.
    empty, known : words where nothing was measured, and for the share that is known.
    """
    lines = [one for one in lines if one.points]
    headers = (axes.x, *(f"{one.name}（{known}）" for one in lines))
    if not lines:
        return empty_chart(axes, (axes.x,), empty, compact=False)
    values = [point.value for one in lines for point in one.points]
    frame = frame_for(min(values), max(values), compact=False)
    years = [point.day.year for one in lines for point in one.points] + [year for year, _ in lost]
    first, past = min(years), max(years) + 1

    def place(day: date) -> float:
        within = (day - date(day.year, 1, 1)).days / 366
        return LEFT + 12 + (day.year + within - first) / (past - first) * (frame.right - LEFT - 24)

    parts = grid(axes, frame)
    for year, words in lost:
        parts += _lost(frame, place(date(year, 1, 1)), place(date(year, 12, 31)), words)
    for index, one in enumerate(lines):
        parts += _line(frame, one, [place(point.day) for point in one.points], index)
    parts += _years(frame, [(year, place(date(year, 7, 1))) for year in range(first, past)])
    parts += _legend([one.name for one in lines])
    days = sorted({point.day for one in lines for point in one.points})
    rows = tuple((day.isoformat(), *(_cell(one, day) for one in lines)) for day in days)
    return Chart(title=axes.title, svg=chart_svg(axes, frame, parts), headers=headers, rows=rows)


def _cell(line: DayLine, day: date) -> str:
    for point in line.points:
        if point.day == day:
            return f"{point.value:.3f}（{point.known_share:.0%}）"
    return "—"


def _line(frame: Frame, line: DayLine, xs: Sequence[float], index: int) -> list[Markup]:
    points = " ".join(
        f"{x:.1f},{frame.y(point.value):.1f}" for x, point in zip(xs, line.points, strict=True)
    )
    parts = [element("polyline", class_=f"line l{index + 1}", points=points)]
    for x, point in zip(xs, line.points, strict=True):
        tip = element("title", f"{point.day} {line.name}：{number(point.value)}")
        parts.append(_mark(x, frame.y(point.value), index, tip))
    return parts


def _mark(x: float, y: float, index: int, tip: Markup | None = None) -> Markup:
    if index == 0:
        return element("circle", tip, class_="dot s1", cx=x, cy=y, r=5)
    half = _SIDE / 2
    return element("rect", tip, class_="dot s2", x=x - half, y=y - half, width=_SIDE, height=_SIDE)


def _lost(frame: Frame, left: float, right: float, words: str) -> list[Markup]:
    """Shade a year in which ground was lost, and say so at its head."""
    height = frame.bottom - frame.y(frame.ticks[-1])
    top = frame.y(frame.ticks[-1])
    return [
        element(
            "rect",
            element("title", words),
            class_="band s2",
            x=left,
            y=top,
            width=right - left,
            height=height,
        ),
        element("text", words, class_="tick mid", x=(left + right) / 2, y=top + LETTER),
    ]


def _years(frame: Frame, places: Sequence[tuple[int, float]]) -> list[Markup]:
    parts = []
    last = -_YEAR_WIDTH
    for year, at in places:
        if at - last >= _YEAR_WIDTH:
            y = frame.bottom + LETTER + 6
            parts.append(element("text", str(year), class_="tick mid", x=at, y=y))
            last = at
    return parts


def _legend(names: Sequence[str]) -> list[Markup]:
    parts: list[Markup] = []
    left = LEFT
    for index, name in enumerate(names):
        parts.append(
            element("line", class_=f"line l{index + 1}", x1=left, x2=left + 28, y1=32, y2=32)
        )
        parts.append(_mark(left + 14, 32, index))
        parts.append(element("text", name, class_="tick", x=left + 34, y=36))
        left += 34 + len(name.encode("gb18030")) / 2 * LETTER + 24
    return parts
