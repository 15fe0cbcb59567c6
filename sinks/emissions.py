"""Emissions of an orchard's year, line by line, each with the factor rows it used.

IPCC 2019 Refinement, volume 4, chapter 11 (Tier 1) for soil nitrous oxide, urea and lime;
production, fuel and power by the rows of ``tables/emission_factors.csv``. A factor that was never
read makes a line that is *not counted* and says so; it is never a silent zero. All sums are
exact fractions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from types import MappingProxyType
from typing import Final

from sinks import tables, units
from sinks.errors import DomainError
from sinks.exact import Number, amount, exact, total
from sinks.tables.rows import EmissionFactorRow

Factors = Mapping[str, EmissionFactorRow]

PRODUCT_FACTORS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "urea": {"n": "N_production_urea", "gas": "FracGASF_urea"},
        "ammonium_bicarbonate": {"n": "N_production_abc", "gas": "FracGASF_ammonium"},
        "ammonium_nitrate": {"n": "N_production_an", "gas": "FracGASF_ammonium_nitrate"},
        "ammonium_chloride": {"n": "N_production_nh4cl", "gas": "FracGASF_ammonium"},
        "dap": {"p": "P_production_dap", "gas": "FracGASF_ammonium"},
        "map": {"p": "P_production_map", "gas": "FracGASF_ammonium"},
        "ssp": {"p": "P_production_ssp"},
        "fmp": {"p": "P_production_fmp"},
        "kcl": {"k": "K_production_kcl"},
        "k2so4": {"k": "K_production_k2so4"},
    }
)
"""Factors by product, taken before the generic ones."""

GENERIC: Final = MappingProxyType(
    {"n": "N_production", "p": "P_production", "k": "K_production", "gas": "FracGASF"}
)

CARBON_KINDS: Final = MappingProxyType(
    {
        "limestone": ("CO2_lime", "limestone_carbon"),
        "dolomite": ("CO2_lime", "dolomite_carbon"),
        "pesticide": ("E_pest", "pesticide"),
        "film": ("E_film", "plastic_film"),
    }
)
"""Term and factor of the kinds whose factor is kg C per kg."""

FUELS: Final = MappingProxyType({"diesel": "E_diesel", "gasoline": "E_gasoline"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fertiliser:
    """One application; nutrients in kg of N, P2O5 and K2O."""

    ref: str
    product: str
    mass_kg: Number
    n_kg: Number = 0
    p2o5_kg: Number = 0
    k2o_kg: Number = 0
    organic: bool = False
    evidenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One other input: nitrogen of residues, lime, pesticide, film, fuel in kg; power in kWh."""

    ref: str
    kind: str
    quantity: Number
    unit: str
    evidenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Choices an account year is computed under; stored with the result."""

    account_year: int
    climate: str = "wet"  # wet | dry | aggregate
    gwp: str = "GWP_N2O_AR6"
    grid_series: str = "grid_zhejiang"

    def __post_init__(self) -> None:
        if self.climate not in {"wet", "dry", "aggregate"}:
            raise DomainError("CLIMATE_UNKNOWN", climate=self.climate)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionLine:
    """One term of one input; ``kg_co2e`` None: not counted, for the reason given."""

    ref: str
    term: str
    kg_co2e: Fraction | None
    factors: tuple[str, ...]
    evidenced: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An input that could not be taken."""

    ref: str
    code: str
    severity: str  # refused
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All lines of a year, and what was refused."""

    lines: tuple[EmissionLine, ...]
    findings: tuple[Finding, ...]

    @property
    def total(self) -> Fraction:
        """Exact kg CO2e of the counted lines."""
        return total(line.kg_co2e for line in self.lines if line.kg_co2e is not None)

    @property
    def e_kg(self) -> int:
        """Whole kg CO2e, rounded up: an emission is never understated."""
        return ceil(self.total)

    @property
    def not_counted(self) -> tuple[EmissionLine, ...]:
        """Lines whose factor is missing (待核实)."""
        return tuple(line for line in self.lines if line.kg_co2e is None)

    @property
    def evidence_share(self) -> Fraction | None:
        """Share of the counted kg that has evidence; None when nothing was counted."""
        if not self.total:
            return None
        with_evidence = (x.kg_co2e for x in self.lines if x.evidenced and x.kg_co2e is not None)
        return total(with_evidence) / self.total


class _Missing(Exception):  # noqa: N818 - a signal inside this module, not an error
    """A factor row has no value, or there is no such row."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


class _Book:
    """Factor look-ups for one line that remember the rows they used."""

    def __init__(self, factors: Factors, setting: Setting) -> None:
        self.factors = factors
        self.setting = setting
        self.used: list[str] = []

    def get(self, key: str) -> Fraction:
        row = self.factors.get(key)
        self.used.append(key)
        if row is None or row.value is None:
            raise _Missing(key)
        return exact(row.value)

    def product(self, product: str, what: str) -> Fraction:
        return self.get(PRODUCT_FACTORS.get(product, {}).get(what, GENERIC[what]))

    def n2o(self, nitrogen: Fraction) -> Fraction:
        """Kg CO2e of nitrogen that leaves as N2O-N."""
        return nitrogen * units.N2O_PER_N * self.get(self.setting.gwp)

    def direct(self, *, synthetic: bool) -> Fraction:
        if self.setting.climate == "wet":
            return self.get("EF1_synth_wet" if synthetic else "EF1_other_wet")
        return self.get(f"EF1_{self.setting.climate}")

    def leached(self) -> Fraction:
        return self.get(f"FracLEACH_{self.setting.climate}") * self.get("EF5")

    def gone(self, fraction: Fraction) -> Fraction:
        """Share of nitrogen that comes back as N2O-N from the air."""
        return fraction * self.get(f"EF4_{self.setting.climate}")

    def newest(self, series: str) -> Fraction:
        """Factor of the account year, else of the latest year before it."""
        rows = [
            row
            for row in self.factors.values()
            if row.series == series
            and row.value is not None
            and row.year is not None
            and row.year <= self.setting.account_year
        ]
        if not rows:
            self.used.append(series)
            raise _Missing(series)
        return self.get(max(rows, key=lambda row: (row.year or 0, row.key)).key)


Term = tuple[str, Callable[[_Book], Fraction]]


def _volatile(item: Fertiliser, book: _Book) -> Fraction:
    return book.get("FracGASM") if item.organic else book.product(item.product, "gas")


def _nutrient(product: str, what: str, kg: Fraction) -> Term:
    return "E_fertprod", lambda b: kg * b.product(product, what) * units.CO2_PER_C


def _fertiliser_terms(item: Fertiliser) -> list[Term]:
    """Soil nitrous oxide of the nitrogen, carbon of urea, production of the nutrients."""
    n, mass = amount(item.n_kg, name="n_kg"), amount(item.mass_kg, name="mass_kg")
    p, k = amount(item.p2o5_kg, name="p2o5_kg"), amount(item.k2o_kg, name="k2o_kg")
    terms: list[Term] = []
    if n:
        terms.append(("N2O_dir", lambda b: b.n2o(n * b.direct(synthetic=not item.organic))))
        terms.append(("N2O_ind", lambda b: b.n2o(n * (b.gone(_volatile(item, b)) + b.leached()))))
    if item.organic:
        if mass:
            terms.append(("E_orgprod", lambda b: mass * b.get("organic_fertiliser_production")))
        return terms
    if item.product == "urea" and mass:
        terms.append(("CO2_urea", lambda b: mass * b.get("urea_carbon") * units.CO2_PER_C))
    nutrients = (("n", n), ("p", p), ("k", k))
    return terms + [_nutrient(item.product, what, kg) for what, kg in nutrients if kg]


def _residue_terms(n: Fraction) -> list[Term]:
    """Nitrogen of residues: direct, and leached; it does not volatilise."""
    return [
        ("N2O_dir", lambda b: b.n2o(n * b.direct(synthetic=False))),
        ("N2O_ind", lambda b: b.n2o(n * b.leached())),
    ]


def _use_terms(item: Use) -> list[Term]:
    """Terms of one other input.

    Raises
    ------
    DomainError : ACTIVITY_KIND, ACTIVITY_UNIT, FUEL_LITRES (by `_fuel_terms`), NUMBER_*.
    """
    quantity = amount(item.quantity, name=item.kind)
    if item.kind in FUELS:
        return _fuel_terms(item, quantity)
    unit = "kWh" if item.kind == "electricity" else "kg"
    if item.kind not in {"electricity", "residue_n", *CARBON_KINDS}:
        raise DomainError("ACTIVITY_KIND", kind=item.kind)
    if item.unit != unit:
        raise DomainError("ACTIVITY_UNIT", kind=item.kind, unit=item.unit, needed=unit)
    if item.kind == "residue_n":
        return _residue_terms(quantity)
    if item.kind == "electricity":
        return [("E_power", lambda b: quantity * b.newest(b.setting.grid_series))]
    term, key = CARBON_KINDS[item.kind]
    return [(term, lambda b: quantity * b.get(key) * units.CO2_PER_C)]


def _fuel_terms(item: Use, quantity: Fraction) -> list[Term]:
    """Fuel by mass; litres only when a density row with a source stands in the table."""
    term, key = FUELS[item.kind], item.kind
    if item.unit == "kg":
        return [(term, lambda b: quantity * b.get(key))]
    if item.unit != "L":
        raise DomainError("ACTIVITY_UNIT", kind=item.kind, unit=item.unit, needed="kg")
    return [(term, lambda b: quantity * b.get(f"{key}_density_kg_l") * b.get(key))]


def _line(item: Fertiliser | Use, term: Term, factors: Factors, setting: Setting) -> EmissionLine:
    book, reason = _Book(factors, setting), ""
    kg: Fraction | None
    try:
        kg = term[1](book)
    except _Missing:
        kg, reason = None, "FACTOR_MISSING"
    return EmissionLine(
        ref=item.ref,
        term=term[0],
        kg_co2e=kg,
        factors=tuple(dict.fromkeys(book.used)),
        evidenced=item.evidenced,
        reason=reason,
    )


def _terms(item: Fertiliser | Use, factors: Factors) -> list[Term]:
    if isinstance(item, Fertiliser):
        return _fertiliser_terms(item)
    if item.kind in FUELS and item.unit == "L" and f"{item.kind}_density_kg_l" not in factors:
        raise DomainError("FUEL_LITRES", kind=item.kind, quantity=str(item.quantity))
    return _use_terms(item)


def inventory(
    items: Iterable[Fertiliser | Use], setting: Setting, *, factors: Factors | None = None
) -> Inventory:
    """Emission lines of a year's inputs.

    Parameters
    ----------
    items : inputs in any order; the totals do not depend on it.
    setting : account year, climate, warming potential, grid.
    factors : rows to use; by default ``tables/emission_factors.csv``. Frozen rows of an approved
        year are passed here.

    Returns
    -------
    Inventory; an input that makes no sense is a finding and has no line.
    """
    rows = tables.emission_factors() if factors is None else factors
    lines: list[EmissionLine] = []
    findings: list[Finding] = []
    for item in items:
        try:
            terms = _terms(item, rows)
        except DomainError as error:
            params = dict(error.params)
            found = Finding(ref=item.ref, code=error.code, severity="refused", params=params)
            findings.append(found)
            continue
        lines += [_line(item, term, rows, setting) for term in terms]
    return Inventory(lines=tuple(lines), findings=tuple(findings))


def organic_share(items: Sequence[Fertiliser]) -> Fraction | None:
    """Share of the year's fertiliser nitrogen that is organic; None without nitrogen."""
    whole = total(amount(item.n_kg, name="n_kg") for item in items)
    if not whole:
        return None
    return total(amount(item.n_kg, name="n_kg") for item in items if item.organic) / whole
