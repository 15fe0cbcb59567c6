"""A field plot: its area on the map, its trees or culms, and its carbon by each equation known.

Sizes are checked before they count: a diameter given in millimetres or metres, or a height in
centimetres, is a slip and is refused by tree, not averaged away.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from sinks import bamboo, biomass, tables, units
from sinks.arrays import FloatArray, as_float
from sinks.errors import DomainError
from sinks.tables.rows import TreeEquationRow


def _within(name: str, value: float) -> bool:
    """Whether a size lies between its ``check_`` rows of the defaults; NaN does not."""
    rows = tables.defaults()
    low, high = (rows.get(f"check_{name}_{end}") for end in ("min", "max"))
    return (low is None or value >= low.value) and (high is None or value <= high.value)


def _cosine(slope: float) -> float:
    """What a length up the slope is on the map; gentle slopes are left as they are.

    Raises
    ------
    DomainError : PLOT_SLOPE.
    """
    if not 0 <= slope <= tables.default("slope_max"):
        raise DomainError("PLOT_SLOPE", slope=slope)
    gentle = slope <= tables.default("slope_correction_min")
    return 1.0 if gentle else math.cos(math.atan(slope))


def horizontal_area_m2(
    *, radius_m: float | None = None, side_m: float | None = None, slope: float = 0.0
) -> float:
    """Map area of a circular or square plot laid out along the slope.

    Parameters
    ----------
    radius_m, side_m : one of them, as measured on the ground.
    slope : rise over run; above 0.10 lengths up the slope are shortened by cos (Winrock).

    Raises
    ------
    DomainError : PLOT_SHAPE when neither or both are given or a size makes no plot; PLOT_SLOPE.
    """
    sizes = [size for size in (radius_m, side_m) if size is not None]
    if len(sizes) != 1 or not (sizes[0] > 0 and _within("plot_size", sizes[0])):
        raise DomainError("PLOT_SHAPE", radius_m=radius_m, side_m=side_m)
    ground = math.pi * sizes[0] ** 2 if radius_m is not None else sizes[0] ** 2
    return ground * _cosine(slope)


def slope_length_m(horizontal_m: float, *, slope: float) -> float:
    """Length to measure up the slope so that it is this long on the map."""
    return horizontal_m / _cosine(slope)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeList:
    """Trees of a plot; each column one value a tree.

    Raises
    ------
    DomainError : TREE_LIST when columns differ in length; TREE_SIZE with the first tree whose
        sizes look like a slip of the unit.
    """

    species_cn: tuple[str, ...]
    d_cm: tuple[float, ...]
    h_m: tuple[float, ...]
    crown_length_m: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.species_cn), len(self.d_cm), len(self.h_m)}
        if self.crown_length_m is not None:
            lengths.add(len(self.crown_length_m))
        if len(lengths) != 1:
            raise DomainError("TREE_LIST", columns=sorted(lengths))
        for i, (d, h) in enumerate(zip(self.d_cm, self.h_m, strict=True)):
            _check_tree(i, d, h)
        for i, (length, h) in enumerate(zip(self.crown_length_m or (), self.h_m, strict=False)):
            if not 0 < length <= h:
                raise DomainError("TREE_CROWN", index=i, crown_length_m=length, h_m=h)


def _check_tree(index: int, d_cm: float, h_m: float) -> None:
    inside = _within("tree_d", d_cm) and _within("tree_h", h_m)
    if inside and _within("slenderness", h_m * _CM_PER_M / d_cm):
        return
    raise DomainError("TREE_SIZE", index=index, d_cm=d_cm, h_m=h_m)


_CM_PER_M: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Carbon of a plot by one set of equations.

    Attributes
    ----------
    model : the equations: a source, its species' models taken together.
    carbon_t_ha : of the trees the equations know; ``uncounted`` trees are not in it.
    flags : codes of `sinks.factors.SIZE_FLAGS` met by any tree.
    """

    model: str
    carbon_t_ha: float
    with_roots: bool
    uncounted: int
    flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A plot's carbon by all the equations published for its species.

    ``low`` and ``high`` are of the estimates that count every tree and the roots; None if none do.
    """

    estimates: tuple[Estimate, ...]
    low_t_ha: float | None
    high_t_ha: float | None


def tree_band(trees: TreeList, *, area_m2: float, carbon_fraction: float | None = None) -> Band:
    """Carbon of a plot by every source of equations that knows its species.

    Parameters
    ----------
    trees : the list.
    area_m2 : map area of the plot.
    carbon_fraction : of rows that state none; by default the IPCC default of wood.

    Raises
    ------
    DomainError : AREA_NOT_POSITIVE.
    """
    if not area_m2 > 0:
        raise DomainError("AREA_NOT_POSITIVE", area_m2=area_m2)
    fraction = tables.default("ipcc_cf_wood") if carbon_fraction is None else carbon_fraction
    sources = dict.fromkeys(row.source for row in tables.tree_equations().values())
    made = [_by_source(source, trees, area_m2=area_m2, fraction=fraction) for source in sources]
    estimates = tuple(one for one in made if one is not None)
    whole = [one.carbon_t_ha for one in estimates if one.with_roots and not one.uncounted]
    return Band(
        estimates=estimates,
        low_t_ha=min(whole, default=None),
        high_t_ha=max(whole, default=None),
    )


PARTS: Final = (
    frozenset({"aboveground"}),
    frozenset({"stem", "crown"}),
    frozenset({"stem", "branch", "leaf"}),
)
ROOTS: Final = frozenset({"belowground", "root"})
"""Quantities that make the tree above the ground, each way it is published, and its roots."""


def _by_source(source: str, trees: TreeList, *, area_m2: float, fraction: float) -> Estimate | None:
    kg, counted, rooted, flags = 0.0, 0, True, 0
    for i, species in enumerate(trees.species_cn):
        rows = _rows_for(source, species, crown=trees.crown_length_m is not None)
        if rows is None:
            continue
        counted += 1
        rooted = rooted and bool(rows.keys() & ROOTS)
        for part in rows.values():
            row = _row_at(part, trees.d_cm[i])
            value, flag = _value(row, trees, i)
            kg += value * (fraction if row.carbon_fraction is None else row.carbon_fraction)
            flags |= flag
    if not counted:
        return None
    return Estimate(
        model=source,
        carbon_t_ha=kg / units.KG_PER_T / units.ha_from_m2(area_m2),
        with_roots=rooted,
        uncounted=len(trees.species_cn) - counted,
        flags=flags,
    )


def _rows_for(
    source: str, species: str, *, crown: bool
) -> Mapping[str, list[TreeEquationRow]] | None:
    """Parts of the tree by quantity, when the source has a whole tree of the species."""
    found: dict[str, list[TreeEquationRow]] = {}
    for row in tables.tree_equations().values():
        needs_crown = "crown_length_m" in biomass.FORMS[row.form][0]
        if row.source == source and species in row.species_cn.split("|"):
            if needs_crown and not crown:
                return None
            found.setdefault(row.quantity, []).append(row)
    above = next((parts for parts in PARTS if parts <= found.keys()), None)
    if above is None:
        return None
    return MappingProxyType({q: rows for q, rows in found.items() if q in above | ROOTS})


def _row_at(rows: Sequence[TreeEquationRow], d_cm: float) -> TreeEquationRow:
    rising = sorted(rows, key=lambda row: row.d_min_cm or 0.0)
    fits = [row for row in rising if d_cm >= (row.d_min_cm or 0.0)]
    return (fits or rising[:1])[-1]


def _value(row: TreeEquationRow, trees: TreeList, i: int) -> tuple[float, int]:
    known = {"d_cm": trees.d_cm[i], "h_m": trees.h_m[i]}
    if trees.crown_length_m is not None:
        known["crown_length_m"] = trees.crown_length_m[i]
    names = biomass.FORMS[row.form][0]
    values, _, flags = biomass.evaluate(row.key, **{name: [known[name]] for name in names})
    return float(values[0]), int(flags[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class CulmCounts:
    """Counted bamboo culms of a plot by age class (du) and mean diameter of each class.

    Raises
    ------
    DomainError : TREE_LIST, CULM_SIZE (a diameter in mm or m), VALUE_NEGATIVE.
    """

    du: tuple[int, ...]
    count: tuple[int, ...]
    d_cm: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.du), len(self.count), len(self.d_cm)}
        if len(lengths) != 1 or not self.du:
            raise DomainError("TREE_LIST", columns=sorted(lengths))
        for i, (du, n, d) in enumerate(zip(self.du, self.count, self.d_cm, strict=True)):
            if n < 0 or du < 1:
                raise DomainError("VALUE_NEGATIVE", name="count", index=i, value=n)
            if not _within("culm_d", d):
                raise DomainError("CULM_SIZE", index=i, d_cm=d)


def culm_t_c_ha(culms: CulmCounts, *, area_m2: float) -> float:
    """Aboveground t C/ha of a plot's culms.

    Raises
    ------
    DomainError : AREA_NOT_POSITIVE; CULM_DENSITY for more culms than any stand holds.
    """
    if not area_m2 > 0:
        raise DomainError("AREA_NOT_POSITIVE", area_m2=area_m2)
    density = sum(culms.count) / units.ha_from_m2(area_m2)
    if not _within("culms", density):
        raise DomainError("CULM_DENSITY", culms_ha=density)
    kg = bamboo.culm_carbon_kg(as_float(culms.d_cm), as_float(culms.du)) * np.array(culms.count)
    return float(kg.sum()) / units.KG_PER_T / units.ha_from_m2(area_m2)


def as_sample(bands: Sequence[Band], model: str) -> FloatArray:
    """T C/ha of plots by one source of equations, for the estimators.

    Raises
    ------
    DomainError : PLOT_MODEL when a plot has no whole estimate by it.
    """
    values = []
    for i, band in enumerate(bands):
        found = [one for one in band.estimates if one.model == model and not one.uncounted]
        if not found:
            raise DomainError("PLOT_MODEL", plot=i, model=model)
        values.append(found[0].carbon_t_ha)
    return np.array(values)
