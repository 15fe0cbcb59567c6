"""How many accounts have each label: lying bars, a word before and a number behind each."""

from collections.abc import Sequence

from web.chart_frame import COMPACT_WIDTH, Chart, picture
from web.svg import element

ROW = 40.0


def label_bars(
    title: str,
    description: str,
    counts: Sequence[tuple[str, int]],
    *,
    unit: str,
    headers: tuple[str, str],
    empty: str,
) -> Chart:
    """Return one lying bar for each label; all of one colour, for the words tell them apart.

    Parameters
    ----------
    counts : (word, accounts) from the best label on.
    """
    largest = max((n for _, n in counts), default=0) or 1
    parts = []
    for index, (word, n) in enumerate(counts):
        top = index * ROW
        shape = {"y": top + 20, "height": 14.0}
        parts.append(element("text", word, x=0, y=top + 14))
        figure = f"{n} {unit}"
        parts.append(element("text", figure, class_="value end", x=COMPACT_WIDTH, y=top + 14))
        parts.append(element("rect", None, class_="track", x=0, width=COMPACT_WIDTH, **shape))
        width = COMPACT_WIDTH * n / largest
        parts.append(element("rect", None, class_="bar s1", x=0, width=width, **shape))
    if not counts:
        parts.append(element("text", empty, class_="mid", x=COMPACT_WIDTH / 2, y=24))
    size = f"{COMPACT_WIDTH:.0f} {ROW * max(1, len(counts)):.0f} chart chart-compact"
    svg = picture(title, description, parts, size=size)
    return Chart(title=title, svg=svg, headers=headers, rows=tuple((w, str(n)) for w, n in counts))
