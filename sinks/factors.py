"""Any row of any table asked for by its key: what it gives, in which unit, where it holds.

A row that is an equation (tree, stand line, growth curve, species group, moso culm) takes its
variables by name with unit; any other row is a constant and takes none. ``table/key`` says
which one is meant where two tables have a key; a tree model's name asks for all it gives.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from sinks import biomass, growth, tables, uncertainty
from sinks.arrays import FloatArray
from sinks.biomass import SizeFlag
from sinks.errors import DomainError, TableError
from sinks.growth import AgeFlag
from sinks.tables.rows import (
    DiscountRow,
    GrowthRow,
    Row,
    SpeciesCodeRow,
    SpeciesRow,
    StandLineRow,
    TreeEquationRow,
)

MOSO_CULM: Final = "moso_culm"
"""The six rows moso_w0 to moso_w5 are one equation under this key."""

Given = Mapping[str, float]

SIZE_FLAGS: Final = (
    (SizeFlag.BELOW, "DIAMETER_BELOW"),
    (SizeFlag.ABOVE, "DIAMETER_ABOVE"),
    (SizeFlag.UNSTATED, "RANGE_UNSTATED"),
    (SizeFlag.NEGATIVE, "RESULT_NEGATIVE"),
)
AGE_FLAGS: Final = ((AgeFlag.BELOW, "AGE_BELOW"), (AgeFlag.ABOVE, "AGE_ABOVE"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One number and its unit."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a row gave for the values it was asked with.

    Attributes
    ----------
    outputs : by name; the first is what the row is for.
    flags : codes of what a reader has to know; RANGE_UNSTATED means nobody said where it holds.
    rows : the rows that were used.
    """

    table: str
    key: str
    inputs: Mapping[str, float]
    outputs: Mapping[str, Output]
    flags: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def in_domain(self) -> bool | None:
        """Whether the values lie where the row holds; None when that is not stated."""
        if not self.flags:
            return True
        return None if self.flags == ("RANGE_UNSTATED",) else False

    @property
    def is_provisional(self) -> bool:
        """Whether a row that was used is to be checked before anything is issued on it."""
        return any(row.is_provisional for row in self.rows)

    @property
    def sources(self) -> tuple[str, ...]:
        """Citations of the rows that were used."""
        return tuple(dict.fromkeys(tables.sources()[row.source] for row in self.rows))


Result = tuple[dict[str, Output], tuple[str, ...]]


def evaluate(key: str, given: Given) -> Answer:
    """Value of the row, model or table called ``key``.

    Parameters
    ----------
    key : key of a row, ``table/key``, name of a tree model, of a discount table, or moso_culm.
    given : the variables by name; `variables` says which.

    Raises
    ------
    TableError : TABLE_NO_ROW; FACTOR_AMBIGUOUS when two tables have the key and no table is named;
        FACTOR_MISSING when the row is known to have no value.
    DomainError : EQUATION_VARIABLES when the names differ, VALUE_* for a bad value.
    """
    found = _find(key)
    if len(found) > 1:
        # The variables may tell which one is meant.
        found = [one for one in found if set(given) == set(one.variables)] or found
    if len(found) > 1:
        known = [f"{one.table}/{one.key}" for one in found]
        raise TableError("FACTOR_AMBIGUOUS", key=key, known=known)
    asked = found[0]
    if set(given) != set(asked.variables):
        needed = list(asked.variables)
        raise DomainError("EQUATION_VARIABLES", key=key, needed=needed, given=sorted(given))
    outputs, flags = asked.answer(given)
    return Answer(
        table=asked.table,
        key=asked.key,
        inputs=MappingProxyType(dict(given)),
        outputs=MappingProxyType(outputs),
        flags=flags,
        rows=asked.rows,
    )


def variables(key: str) -> dict[str, tuple[str, ...]]:
    """Names of the variables that each row of this key takes, by ``table/key``.

    Raises
    ------
    TableError : TABLE_NO_ROW.
    """
    return {f"{one.table}/{one.key}": one.variables for one in _find(key)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    table: str
    key: str
    rows: tuple[Row, ...]
    variables: tuple[str, ...]
    answer: Callable[[Given], Result]


def _find(key: str) -> list[_Asked]:
    table, _, name = key.rpartition("/")
    found = [
        _asked(one, rows[name])
        for one in tables.ROW_TYPES
        if (not table or one == table) and name in (rows := tables.rows(one))
    ]
    for kind, special in (
        ("tree_equations", _model),
        ("discounts", _discounts),
        ("bamboo", _moso),
    ):
        asked = special(name) if table in {"", kind} else None
        found += [asked] if asked else []
    if not found:
        raise TableError("TABLE_NO_ROW", key=key)
    return found


def _asked(table: str, row: Row) -> _Asked:
    names, answer = _form(row)
    return _Asked(
        table=table, key=row.key, rows=(row, *_used_by(row)), variables=names, answer=answer
    )


def _used_by(row: Row) -> tuple[Row, ...]:
    """Rows behind a row."""
    if isinstance(row, SpeciesCodeRow) and row.curve:
        return (tables.lookup(tables.growth(), row.curve),)
    return ()


def _form(row: Row) -> tuple[tuple[str, ...], Callable[[Given], Result]]:
    """Variables of a row, and the function of them."""
    match row:
        case GrowthRow():
            return ("age_yr",), lambda given: _growth(row, given["age_yr"])
        case SpeciesCodeRow() if row.curve:
            curve = tables.lookup(tables.growth(), row.curve)
            return ("age_yr",), lambda given: _growth(curve, given["age_yr"])
        case TreeEquationRow():
            return biomass.FORMS[row.form][0], lambda given: _tree(row, given)
        case StandLineRow():
            return ("volume_m3_ha",), lambda given: _line(row, given["volume_m3_ha"])
        case SpeciesRow():
            return ("volume_m3_ha",), lambda given: _species(row, given["volume_m3_ha"])
        case _:
            return (), lambda _given: _constant(row)


def _first(values: FloatArray) -> float:
    return float(values[0])


def _flags(mask: int, names: tuple[tuple[int, str], ...]) -> tuple[str, ...]:
    return tuple(name for flag, name in names if mask & flag)


def size_flags(mask: int) -> tuple[str, ...]:
    """Codes of a `SizeFlag` mask."""
    return _flags(mask, SIZE_FLAGS)


def _growth(row: GrowthRow, age_yr: float) -> Result:
    values, flags = growth.evaluate(row, [age_yr])
    outputs = {row.quantity: Output(value=_first(values), unit=row.unit)}
    if row.quantity != "volume" and (row.quantity == "carbon" or row.carbon_fraction is not None):
        carbon, _ = growth.carbon_t_ha(row, [age_yr])
        outputs["carbon"] = Output(value=_first(carbon), unit="t C/ha")
    return outputs, _flags(int(flags[0]), AGE_FLAGS)


def _tree(row: TreeEquationRow, given: Given) -> Result:
    values, unit, flags = biomass.evaluate(row.key, **{k: [v] for k, v in given.items()})
    outputs = {row.quantity: Output(value=_first(values), unit=unit)}
    return outputs, _flags(int(flags[0]), SIZE_FLAGS)


def _line(row: StandLineRow, volume_m3_ha: float) -> Result:
    value = _first(biomass.stand_line_t_ha(row.key, [volume_m3_ha]))
    # The papers state no range of volumes, only that the line is not for the first age class.
    return {"biomass": Output(value=value, unit="t d.m./ha")}, ("RANGE_UNSTATED",)


def _species(row: SpeciesRow, volume_m3_ha: float) -> Result:
    stock = biomass.volume_route(row, [volume_m3_ha])
    return {
        "biomass": Output(value=_first(stock.biomass_t_ha), unit="t d.m./ha"),
        "carbon": Output(value=_first(stock.carbon_t_ha), unit="t C/ha"),
        "co2": Output(value=_first(stock.co2_t_ha), unit="t CO2/ha"),
    }, ()


VALUE_COLUMNS: Final = ("value", "share", "multiplier", "code")
"""Columns that hold the one number of a row that is no equation."""


def _constant(row: Row) -> Result:
    name = next(one for one in VALUE_COLUMNS if hasattr(row, one))
    value: float | None = getattr(row, name)
    if value is None:
        code = "DISCOUNT_MORE_PLOTS" if isinstance(row, DiscountRow) else "FACTOR_MISSING"
        raise TableError(code, key=row.key, u_percent=float("inf"), table=row.key)
    return {name: Output(value=float(value), unit=row.unit)}, ()


ABOVE: Final = frozenset({"aboveground", "stem"})
BELOW: Final = frozenset({"belowground", "root"})
"""Quantities a model needs of both kinds to give a whole tree."""


def _model(name: str) -> _Asked | None:
    """All quantities of a tree model, and the whole tree where its parts are masses."""
    if name not in {row.model for row in tables.tree_equations().values()}:
        return None
    quantities = biomass.model_quantities(name)
    rows = tuple(row for part in quantities.values() for row in part)
    names = tuple(dict.fromkeys(v for row in rows for v in biomass.FORMS[row.form][0]))
    return _Asked(
        table="tree_equations",
        key=name,
        rows=rows,
        variables=names,
        answer=lambda given: _whole_tree(quantities, given),
    )


def _whole_tree(quantities: Mapping[str, list[TreeEquationRow]], given: Given) -> Result:
    outputs: dict[str, Output] = {}
    mask, total, unit = 0, 0.0, ""
    for quantity, rows in quantities.items():
        fits = [one for one in rows if given.get("d_cm", 0) >= (one.d_min_cm or 0)]
        row = (fits or rows[:1])[-1]
        names = biomass.FORMS[row.form][0]
        values, unit_of, flags = biomass.evaluate(row.key, **{n: [given[n]] for n in names})
        outputs[quantity] = Output(value=_first(values), unit=unit_of)
        mask |= int(flags[0])
        if unit_of.startswith("kg "):
            total, unit = total + _first(values), unit_of
    if outputs.keys() & ABOVE and outputs.keys() & BELOW:
        outputs = {"total": Output(value=total, unit=unit)} | outputs
    return outputs, _flags(mask, SIZE_FLAGS)


def _discounts(name: str) -> _Asked | None:
    """Share of a discount table for a relative half-width ``u``."""
    rows = tuple(row for row in tables.discounts().values() if row.table == name)
    if not rows:
        return None

    def answer(given: Given) -> Result:
        table = uncertainty.discount_table(name)
        share = uncertainty.discount_share(table, Fraction(repr(given["u"])))
        unit = f"1 (share of the {table.basis.replace('_', '-')})"
        return {"share": Output(value=float(share), unit=unit)}, ()

    return _Asked(table="discounts", key=name, rows=rows, variables=("u",), answer=answer)


def _moso(name: str) -> _Asked | None:
    if name != MOSO_CULM:
        return None
    rows = tuple(tables.lookup(tables.bamboo(), f"moso_w{i}") for i in range(6))

    def answer(given: Given) -> Result:
        value = biomass.moso_culm_kg([given["d_cm"]], [given["age_du"]])
        low, high = biomass.MOSO_CULM_D_CM
        flags = [
            code
            for code, outside in (
                ("DIAMETER_BELOW", given["d_cm"] < low),
                ("DIAMETER_ABOVE", given["d_cm"] > high),
            )
            if outside
        ]
        return {"aboveground": Output(value=_first(value), unit=rows[0].unit)}, tuple(flags)

    return _Asked(
        table="bamboo", key=MOSO_CULM, rows=rows, variables=("d_cm", "age_du"), answer=answer
    )
