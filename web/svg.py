"""Small parts from which the charts are drawn: escaped elements, number text, round ticks.

Nothing here writes a ``style`` attribute: the content security policy forbids it, so colours and
fonts come from classes in the style sheet.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SAME = 1e-9  # ends nearer than this share of their size are one value


def coordinate(value: float) -> str:
    """Return a drawing coordinate with at most two decimals and no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def element(tag: str, content: str | Markup | None = None, **attributes: object) -> Markup:
    """Return one element; text is escaped unless it is already markup.

    Underscores in attribute names become hyphens, a trailing one (``class_``) is dropped; floats
    become coordinates.
    """
    parts = [tag]
    for name, value in attributes.items():
        text = coordinate(value) if isinstance(value, int | float) else str(escape(value))
        parts.append(f'{name.rstrip("_").replace("_", "-")}="{text}"')
    head = " ".join(parts)
    if content is None:
        return Markup(f"<{head}/>")  # noqa: S704 - every attribute value is escaped above
    return Markup(f"<{head}>{escape(content)}</{tag}>")  # noqa: S704 - escaped in this line


def join(parts: Sequence[Markup]) -> Markup:
    """Return markup pieces in their order as one."""
    return Markup("").join(parts)


def number(value: float) -> str:
    """Return a value as people read it: thousands marked, as many decimals as its size needs."""
    if value == 0:
        return "0"
    size = abs(value)
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 0.1 else 4  # noqa: PLR2004
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def ticks(low: float, high: float, *, count: int = 5) -> tuple[float, ...]:
    """Return round tick values that cover ``low`` to ``high`` and hold zero where it lies between.

    Parameters
    ----------
    low, high : finite ends of the data; equal ends get a range of one round step.
    count : how many steps there are at most, plus one at each end.

    Raises
    ------
    ValueError : an end is not finite or they are swapped.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"ticks need finite ends in order, not {low} and {high}")
    if high - low <= _SAME * max(abs(low), abs(high), _SAME):
        low, high = min(low, 0.0), max(high, 0.0)
        if high - low <= _SAME:
            low, high = 0.0, 1.0
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * power for unit in _STEPS if unit * power >= raw * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(index * step for index in range(first, last + 1))
