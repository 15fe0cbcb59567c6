"""Biomass of trees and stands: per-tree equations by key, the volume route, root ratios."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sinks import tables, units
from sinks.arrays import FlagArray, FloatArray, as_float, require_not_negative, require_positive
from sinks.errors import DomainError, TableError
from sinks.tables.rows import SpeciesRow, TreeEquationRow


class SizeFlag(IntFlag):
    """Where a diameter lies against the range its equation was fitted on."""

    INSIDE = 0
    BELOW = 1
    ABOVE = 2
    UNSTATED = 4
    NEGATIVE = 8
    """The form gave less than nothing; the value is 0 and says so."""


Values = Mapping[str, FloatArray]


def _c(row: TreeEquationRow) -> float:
    if row.c is None:
        raise TableError("TABLE_CELL", table="tree_equations", key=row.key, column="c", value="")
    return row.c


FORMS: Final[
    Mapping[str, tuple[tuple[str, ...], Callable[[TreeEquationRow, Values], FloatArray]]]
] = MappingProxyType(
    {
        "a*D^b*H^c": (
            ("d_cm", "h_m"),
            lambda r, v: r.a * v["d_cm"] ** r.b * v["h_m"] ** _c(r),
        ),
        "a*D^b*L^c": (
            ("d_cm", "crown_length_m"),
            lambda r, v: r.a * v["d_cm"] ** r.b * v["crown_length_m"] ** _c(r),
        ),
        "a*G^b*H^c": (
            ("ground_d_cm", "h_m"),
            lambda r, v: r.a * v["ground_d_cm"] ** r.b * v["h_m"] ** _c(r),
        ),
        "a*(D^2*H)^b": (
            ("d_cm", "h_m"),
            lambda r, v: r.a * (v["d_cm"] ** 2 * v["h_m"]) ** r.b,
        ),
        "a*D^b": (("d_cm",), lambda r, v: r.a * v["d_cm"] ** r.b),
    }
)
"""Variables each published form asks for, with their units in the name, and the form."""


def _size_flags(row: TreeEquationRow, values: Values) -> FlagArray:
    """Flags of the diameters; an unstated end of the range is flagged, not assumed harmless."""
    some = next(iter(values.values()))
    flags = np.zeros(some.shape, np.uint8)
    if row.d_min_cm is None:
        flags |= np.uint8(SizeFlag.UNSTATED)
        return flags
    size = values["d_cm"]
    flags[size < row.d_min_cm] |= np.uint8(SizeFlag.BELOW)
    if row.d_max_cm is None:
        flags |= np.uint8(SizeFlag.UNSTATED)
    else:
        flags[size > row.d_max_cm] |= np.uint8(SizeFlag.ABOVE)
    return flags


def evaluate(key: str, **values: ArrayLike) -> tuple[FloatArray, str, FlagArray]:
    """Value of one equation row for trees of these sizes.

    A diameter above the fitted range is held at its end, one below follows the form; both are
    flagged, and a value below zero counts as none and is flagged.

    Parameters
    ----------
    key : row of ``tables/tree_equations.csv``.
    values : what the row's form asks for, by name with unit: ``d_cm``, ``h_m``,
        ``crown_length_m``, ``ground_d_cm``; (n,) each, finite and above zero.

    Returns
    -------
    (n,) values, their unit, and (n,) `SizeFlag`.

    Raises
    ------
    TableError : TABLE_NO_ROW.
    DomainError : EQUATION_VARIABLES when the names differ; VALUE_* for a bad size.
    """
    row = tables.lookup(tables.tree_equations(), key)
    names, form = FORMS[row.form]
    if set(values) != set(names):
        raise DomainError("EQUATION_VARIABLES", key=key, needed=list(names), given=sorted(values))
    arrays = {name: as_float(values[name]) for name in names}
    for name, array in arrays.items():
        require_positive(name, array)
    flags = _size_flags(row, arrays)
    if row.d_max_cm is not None:
        arrays["d_cm"] = np.minimum(arrays["d_cm"], row.d_max_cm)
    value = form(row, arrays)
    flags[value < 0] |= np.uint8(SizeFlag.NEGATIVE)
    return np.maximum(value, 0.0), row.unit, flags


def evaluate_model(
    model: str, quantity: str, *, d_cm: ArrayLike, h_m: ArrayLike
) -> tuple[FloatArray, str, FlagArray]:
    """Value of a model split by diameter, each tree by the row whose range holds it.

    Raises
    ------
    TableError : TABLE_NO_ROW when no row of the model has the quantity.
    DomainError : VALUE_* for a bad size.
    """
    rows = [
        row
        for row in tables.tree_equations().values()
        if row.model == model and row.quantity == quantity
    ]
    if not rows:
        raise TableError("TABLE_NO_ROW", key=f"{model}/{quantity}")
    d, h = np.broadcast_arrays(as_float(d_cm), as_float(h_m))
    rows.sort(key=lambda row: row.d_min_cm or 0.0)
    values, unit, flags = evaluate(rows[0].key, d_cm=d, h_m=h)
    for row in rows[1:]:
        larger = d >= (row.d_min_cm or 0.0)
        v, unit, f = evaluate(row.key, d_cm=d, h_m=h)
        values, flags = np.where(larger, v, values), np.where(larger, f, flags)
    return values, unit, flags


def model_quantities(model: str) -> dict[str, list[TreeEquationRow]]:
    """Rows of a model by the quantity they give, the smaller diameters first.

    Raises
    ------
    TableError : TABLE_NO_ROW.
    """
    found: dict[str, list[TreeEquationRow]] = {}
    for row in tables.tree_equations().values():
        if row.model == model:
            found.setdefault(row.quantity, []).append(row)
    if not found:
        raise TableError("TABLE_NO_ROW", key=model)
    for rows in found.values():
        rows.sort(key=lambda row: row.d_min_cm or 0.0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StandStock:
    """A stand's stock by the volume route, a hectare."""

    biomass_t_ha: FloatArray
    carbon_t_ha: FloatArray
    co2_t_ha: FloatArray


def volume_route(species: SpeciesRow, volume_m3_ha: ArrayLike) -> StandStock:
    """B = V D BEF (1 + R); C = B CF; CO2 = C 44/12 (CDM AR-TOOL14 v04.2, A1.5 and 12).

    Raises
    ------
    DomainError : a volume is negative or not finite.
    """
    volume = as_float(volume_m3_ha)
    require_not_negative("volume_m3_ha", volume)
    biomass = volume * (species.density_t_m3 * species.bef * (1 + species.root_ratio))
    carbon = biomass * species.carbon_fraction
    return StandStock(
        biomass_t_ha=biomass, carbon_t_ha=carbon, co2_t_ha=carbon * float(units.CO2_PER_C)
    )


def bcf_route_kg(
    *, volume_m3: ArrayLike, bcf_t_m3: ArrayLike, root_ratio: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Above- and belowground kg of a tree from its stem volume, as LY/T 2264 does."""
    above = as_float(volume_m3) * as_float(bcf_t_m3) * units.KG_PER_T
    return above, above * as_float(root_ratio)


def tool14_root_ratio(agb_t_ha: ArrayLike) -> FloatArray:
    """R = exp(-1.085 + 0.9256 ln b) / b with b aboveground t d.m./ha (AR-TOOL14 v04.2).

    Raises
    ------
    DomainError : b is not finite and above zero.
    """
    b = as_float(agb_t_ha)
    require_positive("agb_t_ha", b)
    intercept = tables.default("artool14_root_intercept")
    return np.asarray(np.exp(intercept + tables.default("artool14_root_slope") * np.log(b)) / b)


def cbm_roots_t_ha(agb_t_ha: ArrayLike, *, softwood: bool) -> FloatArray:
    """Root biomass as CBM has it: 0.222 AGB for softwood, 1.576 AGB^0.615 for hardwood."""
    b = as_float(agb_t_ha)
    require_not_negative("agb_t_ha", b)
    if softwood:
        return np.asarray(tables.default("cbm_softwood_root") * b)
    return np.asarray(
        tables.default("cbm_hardwood_root_a") * b ** tables.default("cbm_hardwood_root_b")
    )


def stand_line_t_ha(key: str, volume_m3_ha: ArrayLike) -> FloatArray:
    """Total biomass of a stand from its volume by the Zhejiang lines; never below age class one.

    Raises
    ------
    DomainError : a volume is zero (the line's intercept is no biomass), negative or not finite.
    """
    row = tables.lookup(tables.stand_lines(), key)
    volume = as_float(volume_m3_ha)
    require_positive("volume_m3_ha", volume)
    return np.asarray(row.a * volume + row.b)


MOSO_CULM_D_CM: Final = (5.0, 15.0)
"""Diameters the culm equation is taken to hold for; assumed, as its rows say."""


def moso_culm_kg(d_cm: ArrayLike, age_du: ArrayLike) -> FloatArray:
    """Aboveground kg d.m. of a moso culm from diameter and age class (recalled coefficients).

    A diameter above 15 cm is held there; `MOSO_CULM_D_CM` tells where the equation is used.
    """
    d, age = np.minimum(as_float(d_cm), MOSO_CULM_D_CM[1]), as_float(age_du)
    require_positive("d_cm", d)
    require_positive("age_du", age)
    w = [tables.lookup(tables.bamboo(), f"moso_w{i}").value for i in range(6)]
    return np.asarray(w[0] * d ** w[1] * (w[2] * age / (w[3] + age)) ** w[4] + w[5])
