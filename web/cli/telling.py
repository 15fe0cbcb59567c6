"""How an answer is told to a person: a line a field, amounts with their unit, nothing rounded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import Any, Final

from web.cli.output import show

_FEN_PER_YUAN: Final = 100
_QUANTITIES: Final = frozenset(
    {
        "quantity",
        "free",
        "held",
        "sold",
        "delivered",
        "shortfall",
        "units",
        "pre_stored",
        "unsold",
        "promised",
    }
)
"""Fields counted in the unit of their lot."""
_UNITS: Final[Mapping[str, str]] = {"kg": "kg", "tree": "株 trees"}
_PRICES: Final[Mapping[str, str]] = {"kg": "元/t CO2e", "tree": "元/份 pack"}
_OF_LOT_OF_TREES: Final = frozenset({"quantity", "free", "held", "sold"})
"""Of a lot of trees these count packs, the others trees."""


def tell(answer: Any, *, as_json: bool, rehearsed: bool = False) -> None:  # noqa: ANN401
    """Print an answer: JSON for a machine; else a line a field, indented by depth."""
    plain = [_plain(one) for one in answer] if isinstance(answer, list) else _plain(answer)
    if rehearsed and isinstance(plain, dict):
        plain = plain | {"dry_run": True}
    show(plain, as_json=as_json, lines=[*lines(answer)])


def _plain(answer: Any) -> Any:  # noqa: ANN401
    return asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer


def lines(value: Any, *, unit: str = "", depth: int = 0) -> Iterator[str]:  # noqa: ANN401
    """Yield an answer's lines; ``unit`` is that of the lot it belongs to."""
    members = _members(value)
    unit = str(members.get("unit", unit))
    room = "  " * depth
    for name, one in members.items():
        if _is_deep(one):
            yield f"{room}{name}:"
            yield from lines(one, unit=unit, depth=depth + 1)
        elif _is_list_of_deep(one):
            yield f"{room}{name}: {len(one)}"
            for item in one:
                yield from _item(item, unit=unit, depth=depth + 1)
        else:
            yield f"{room}{name}: {amount(name, one, unit=unit)}"


def amount(name: str, value: Any, *, unit: str = "") -> str:  # noqa: ANN401
    """Return one value as a person reads it: kg, 元 to the fen, trees; lists joined."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "—"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int):
        return "—" if value is None else str(value)
    if name.endswith("_fen"):
        return f"{_yuan(value)} {_PRICES.get(unit, '元') if name == 'price_fen' else '元'}"
    counted = _counted(name, unit)
    return f"{value:,} {counted}" if counted else str(value)


def _counted(name: str, unit: str) -> str:
    """Return the unit of a whole number by its field's name; empty where it is a plain number."""
    if name == "kg" or name.endswith("_kg"):
        return "kg"
    if name in ("trees", "live"):
        return _UNITS["tree"]
    if name not in _QUANTITIES:
        return ""
    return "份 packs" if unit == "tree" and name in _OF_LOT_OF_TREES else _UNITS.get(unit, "")


def _yuan(fen: int) -> str:
    whole, rest = divmod(abs(fen), _FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def _item(item: Any, *, unit: str, depth: int) -> Iterator[str]:  # noqa: ANN401
    """Yield one of a list, on one line where it is flat."""
    members = _members(item)
    room = "  " * depth
    if any(_is_deep(one) or _is_list_of_deep(one) for one in members.values()):
        yield f"{room}-"
        yield from lines(item, unit=unit, depth=depth + 1)
    else:
        words = "  ".join(f"{n}={amount(n, v, unit=unit)}" for n, v in members.items())
        yield f"{room}- {words}"


def _members(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {"value": value}


def _is_deep(value: object) -> bool:
    return isinstance(value, Mapping) or is_dataclass(value)


def _is_list_of_deep(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and any(map(_is_deep, value))
