"""Shapes of the table rows: what every row carries, and the values of each table."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

MARKS: Final = ("read", "secondary", "recalled", "computed", "proposed")
"""How a value was got: read in its source, read where quoted, remembered, derived, chosen."""

UNCHECKED: Final = frozenset({"recalled", "proposed"})
"""Marks of values that no source was seen for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every reference value carries."""

    key: str
    unit: str
    source: str  # key in sources.toml
    page: str
    valid_from: date
    checked_on: date
    mark: str  # one of MARKS
    domain: str
    note: str
    # Outside the repr: stored growth tables are known by the repr of their rows.
    region: str = field(repr=False)

    @property
    def is_provisional(self) -> bool:
        """Whether the value is to be checked before anything is issued on it (待核实)."""
        return self.mark in UNCHECKED


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesRow(Row):
    """Parameters of a species group for the volume route."""

    species_cn: str
    species_en: str
    carbon_fraction: float
    bef: float
    density_t_m3: float
    root_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEquationRow(Row):
    """One equation of one quantity of a tree; DBH range [d_min_cm, d_max_cm) where stated."""

    model: str
    species_cn: str
    quantity: str
    form: str
    a: float
    b: float
    c: float | None
    carbon_fraction: float | None
    d_min_cm: float | None
    d_max_cm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandLineRow(Row):
    """Total biomass t d.m./ha = a V + b with V in m3/ha."""

    type_cn: str
    a: float
    b: float
    n: int | None
    r2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthRow(Row):
    """A growth curve; what it measures and whether roots and stocking are already inside."""

    form: str
    params: str
    points: str
    quantity: str  # volume | biomass | carbon
    scope: str  # stem | AGB | AGB+BGB
    stocking: str  # full | inventory_mean
    age_min_yr: float
    age_max_yr: float
    below_range: str  # form | origin
    carbon_fraction: float | None
    root_ratio: float | None
    root_carbon_fraction: float | None
    rmse: float | None

    @property
    def is_provisional(self) -> bool:
        """Also a curve fitted here: it is published nowhere."""
        return self.mark in UNCHECKED or self.mark == "computed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BambooRow(Row):
    """One value on moso bamboo."""

    quantity: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionFactorRow(Row):
    """One emission factor; ``value`` None means no value was ever read."""

    series: str
    value: float | None
    year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilFactorRow(Row):
    """One stock-change factor or reference stock."""

    factor: str
    level: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRow(Row):
    """One default parameter."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountRow(Row):
    """One band of a discount table, closed above; no ``u_max`` is the last band."""

    table: str
    basis: str  # half_width | value
    u_max: float | None
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardRow(Row):
    """One piece of evidence on orchards."""

    quantity: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesCodeRow(Row):
    """A raster species code, its curve (empty: no stock) and its species group."""

    code: int
    name_cn: str
    curve: str
    species: str
    kind: str  # none | orchard | bamboo | forest


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteClassRow(Row):
    """A site class and what it multiplies stock by."""

    site: int
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow(Row):
    """Where carbon goes from a pool: at once by an event, or a rate a year."""

    flow: str
    kind: str  # event | turnover | decay
    source_pool: str
    sink_pool: str
    share: float
    rate_per_yr: float | None
    q10: float | None
