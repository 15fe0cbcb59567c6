"""What every chart shares: its words, its frame and scale, the grid, legend and hatching."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.svg import element, join, number, ticks

WIDTH = 560.0
COMPACT_WIDTH = 340.0
TOP, RIGHT, BOTTOM, LEFT = 44.0, 16.0, 48.0, 64.0
PLOT_HEIGHT = 220.0
COLOURS = 6
LETTER = 14.0  # height of one line of text and, near enough, the width of one Chinese letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawn chart and the numbers in it, as text, for the table below the picture."""

    title: str
    svg: Markup
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Words of a chart: its title, a sentence on what it shows, both axes, the unit of values."""

    title: str
    description: str
    x: str
    y: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where values lie in the drawing."""

    width: float
    ticks: tuple[float, ...]

    @property
    def right(self) -> float:
        """Return the right edge of the plot."""
        return self.width - RIGHT

    @property
    def bottom(self) -> float:
        """Return the lower edge of the plot."""
        return TOP + PLOT_HEIGHT

    @property
    def height(self) -> float:
        """Return the height of the whole drawing."""
        return self.bottom + BOTTOM

    def y(self, value: float) -> float:
        """Return the height in the drawing at which a value lies."""
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (value - low) / (high - low) * PLOT_HEIGHT

    def slot(self, index: int, count: int) -> tuple[float, float]:
        """Return left edge and width of one category's share of the x axis."""
        width = (self.right - LEFT) / count
        return LEFT + index * width, width


def frame_for(low: float, high: float, *, compact: bool) -> Frame:
    """Return a frame whose ticks hold zero and both ends of the data."""
    return Frame(
        width=COMPACT_WIDTH if compact else WIDTH,
        ticks=ticks(min(low, 0.0), max(high, 0.0)),
    )


def picture(title: str, description: str, parts: Sequence[Markup], *, size: str) -> Markup:
    """Wrap the parts; ``size`` is ``"width height classes"``. Ids come from the content."""
    width, height, classes = size.split(" ", 2)
    body = join(parts)
    key = f"c{zlib.crc32(f'{title}{description}{body}'.encode()):08x}"
    names = element("title", title, id=f"{key}t") + element("desc", description, id=f"{key}d")
    return element(
        "svg",
        names + body,
        xmlns="http://www.w3.org/2000/svg",
        class_=classes,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{key}t {key}d",
    )


def chart_svg(axes: Axes, frame: Frame, parts: Sequence[Markup]) -> Markup:
    """Return the whole drawing with the title and description of its axes."""
    compact = " chart-compact" if frame.width < WIDTH else ""
    size = f"{frame.width:.0f} {frame.height:.0f} chart{compact}"
    return picture(axes.title, axes.description, parts, size=size)


def grid(axes: Axes, frame: Frame) -> list[Markup]:
    """Draw grid lines, their values, the zero line and both axis titles."""
    parts = []
    for tick in frame.ticks:
        y = frame.y(tick)
        kind = "axis" if tick == 0 else "gridline"
        parts.append(element("line", class_=kind, x1=LEFT, x2=frame.right, y1=y, y2=y))
        parts.append(element("text", number(tick), class_="tick end", x=LEFT - 8, y=y + 4.5))
    y_title = f"{axes.y}（{axes.unit}）"
    parts.append(element("text", y_title, class_="axis-title", x=4, y=16))
    parts.append(
        element("text", axes.x, class_="axis-title end", x=frame.right, y=frame.height - 4)
    )
    return parts


def category_words(frame: Frame, categories: Sequence[str]) -> list[Markup]:
    """Write category names, leaving some out where they would run into each other."""
    if not categories:
        return []
    _, width = frame.slot(0, len(categories))
    longest = max(len(word.encode("gb18030")) for word in categories) / 2 * LETTER + 6
    every = max(1, -int(-longest // width))
    parts = []
    for index, word in enumerate(categories):
        if index % every == 0:
            left, slot = frame.slot(index, len(categories))
            middle = left + slot / 2
            parts.append(
                element("text", word, class_="tick mid", x=middle, y=frame.bottom + LETTER + 6)
            )
    return parts


def empty_chart(axes: Axes, headers: tuple[str, ...], empty: str, *, compact: bool) -> Chart:
    """Return a chart that says in words that there is nothing to show."""
    width = COMPACT_WIDTH if compact else WIDTH
    word = element("text", empty, class_="mid", x=width / 2, y=52)
    line = element("line", class_="axis", x1=0, x2=width, y1=88, y2=88)
    classes = "chart chart-compact" if compact else "chart"
    svg = picture(axes.title, axes.description, [word, line], size=f"{width:.0f} 90 {classes}")
    return Chart(title=axes.title, svg=svg, headers=headers, rows=())


def hatch(x: float, y: float, width: float, height: float) -> Markup:
    """Draw slanted lines cut to a box, so that neighbours differ without their colour."""
    step = 8.0
    path = []
    offset = step
    while offset < width + height:
        x1, y1 = min(offset, width), max(0.0, offset - width)
        x2, y2 = max(0.0, offset - height), min(offset, height)
        path.append(f"M{x + x1:.1f} {y + y1:.1f}L{x + x2:.1f} {y + y2:.1f}")
        offset += step
    return element("path", class_="hatch", d="".join(path))


def legend(names: Sequence[str], *, left: float, top: float) -> list[Markup]:
    """Draw a sample and the name of each series, from left to right."""
    parts = []
    for index, name in enumerate(names):
        parts.append(element("rect", class_=colour(index), x=left, y=top - 11, width=14, height=14))
        if index % 2:
            parts.append(hatch(left, top - 11, 14, 14))
        parts.append(element("text", name, class_="tick", x=left + 19, y=top))
        left += 19 + len(name.encode("gb18030")) / 2 * LETTER + 16
    return parts


def colour(index: int) -> str:
    """Return the class of the series at ``index``; colours come round again after the last."""
    return f"s{index % COLOURS + 1}"
