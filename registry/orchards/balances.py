"""An orchard year's balance: E, S and net apart; approved rows keep the factors they stood on.

The plan is pure; what it used (lines, plots, setting, tables) makes its input digest.  An
approved row is never computed again, so a newer factor cannot change it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from registry.canonical import digest
from registry.db import Command
from registry.models import OrchardBalance
from registry.orchards.accounts import OrchardView, decimal_text
from registry.orchards.lines import HARVEST, LineView, fertilisers, harvest, items, practices
from sinks import emissions, growth, tables, units
from sinks.exact import exact, total
from sinks.orchard_balance import Fixation, PlotStock
from sinks.orchard_balance import balance as sum_up

ENGINE: Final = 1
"""Raised whenever the same inputs would give another balance."""

CURVES: Final = MappingProxyType(
    {"huyou": "citrus_linear_cap", "citrus": "citrus_linear_cap", "orange": "citrus_linear_cap"}
)
"""Tree stock curve of each crop; a crop without one has no counted fixation, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermView:
    """One term of a line: exact kg CO2e as a fraction's text; None is not counted (待核实)."""

    line: str
    term: str
    kg_exact: str | None
    factors: tuple[str, ...]
    evidenced: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorView:
    """A reference row a balance used, as it stood."""

    key: str
    value: str | None
    unit: str
    source: str
    mark: str
    year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView:
    """Tree stock of a plot at the ends of the year before and of the year, kg CO2e."""

    parcel_id: UUID
    before_kg: int
    after_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """A balance; ``id`` None until it is kept."""

    id: UUID | None
    orchard_id: UUID
    year: int
    kind: str
    boundary_version: int
    e_kg: int
    s_kg: int
    s_biomass_kg: int
    s_soil_kg: int
    soil_shown_kg: int
    net_kg: int
    evidence_share: str | None
    organic_share: str | None
    coverage: str
    yield_kg: str
    premium_kg: str
    practices: tuple[str, ...]
    terms: tuple[TermView, ...]
    factors: tuple[FactorView, ...]
    stocks: tuple[StockView, ...]
    setting: Mapping[str, str | int]
    input_digest: str

    @property
    def not_counted(self) -> tuple[TermView, ...]:
        """Terms whose factor is missing."""
        return tuple(term for term in self.terms if term.kg_exact is None)

    @property
    def net_without_soil_kg(self) -> int:
        """Net with soil credit left out."""
        return self.s_biomass_kg - self.e_kg


def plan_balance(
    orchard: OrchardView, year: int, lines: Sequence[LineView], *, kind: str = "draft"
) -> BalanceView:
    """Compute a year's balance from its lines and the plots of that year.

    Parameters
    ----------
    orchard : the account with the boundary that held at the end of the year.
    lines : all lines of the book, in any order.

    Raises
    ------
    DomainError : a line the science refuses (none gets into a book).
    """
    setting, fixation = emissions.Setting(account_year=year), Fixation()
    found = emissions.inventory(items(lines), setting)
    curve = CURVES.get(orchard.crop)
    stocks = tree_stocks(orchard, year, curve)
    plots = [
        PlotStock(ref=str(s.parcel_id), before_kg=s.before_kg, after_kg=s.after_kg) for s in stocks
    ]
    figures = sum_up(found, plots, fixation)
    organic = emissions.organic_share(fertilisers(lines))
    fruit = harvest(lines)
    kept: dict[str, str | int] = {
        "engine": ENGINE,
        "climate": setting.climate,
        "gwp": setting.gwp,
        "grid_series": setting.grid_series,
        "fixation": fixation.method,
        "soil_cap_kg": fixation.soil_cap_kg,
        "curve": curve or "",
    }
    return BalanceView(
        id=None,
        orchard_id=orchard.id,
        year=year,
        kind=kind,
        boundary_version=orchard.boundary_version,
        e_kg=figures.e_kg,
        s_kg=figures.s_kg,
        s_biomass_kg=figures.s_biomass_kg,
        s_soil_kg=figures.s_soil_kg,
        soil_shown_kg=figures.soil_shown_kg,
        net_kg=figures.net_kg,
        evidence_share=_text(figures.evidence_share),
        organic_share=_text(organic),
        coverage=str(covered(orchard, lines)),
        yield_kg=_decimal(fruit["yield_kg"]),
        premium_kg=_decimal(fruit["premium_kg"]),
        practices=practices(lines),
        terms=(*_terms(found), *_uncounted_fixation(orchard, curve)),
        factors=_factors(found, curve),
        stocks=stocks,
        setting=kept,
        input_digest=input_digest(orchard, year, lines, kept).hex(),
    )


def covered(orchard: OrchardView, lines: Sequence[LineView]) -> Fraction:
    """Return the part of the planted area that inputs or practices were recorded for.

    A line for the whole orchard covers all of it; fruit says nothing of inputs.
    """
    recorded = {line.parcel_id for line in lines if line.counts and line.kind != HARVEST}
    if None in recorded:
        return Fraction(1)
    areas = (exact(x.planted_area_m2) for x in orchard.plots if x.parcel_id in recorded)
    return total(areas) / exact(orchard.planted_area_m2)


def tree_stocks(orchard: OrchardView, year: int, curve: str | None) -> tuple[StockView, ...]:
    """Tree stock of each plot at 31 December of the year before and of the year.

    The curve's carbon is taken in whole mg/m2 and the planted area in dm2, as the cohort tables
    do, so that the whole kilograms do not depend on a machine's floats.
    """
    if curve is None:
        return ()
    row = tables.growth()[curve]

    def kg(plot_area: str, age: int) -> int:
        carbon, _ = growth.carbon_t_ha(row, [max(0, age)])
        mg_m2 = round(float(carbon[0]) * units.MG_M2_PER_T_HA)
        return units.kg_co2_from_stock_sum(floor(exact(plot_area) * units.DM2_PER_M2 * mg_m2))

    return tuple(
        StockView(
            parcel_id=plot.parcel_id,
            before_kg=kg(plot.planted_area_m2, year - 1 - plot.planting_year),
            after_kg=kg(plot.planted_area_m2, year - plot.planting_year),
        )
        for plot in orchard.plots
    )


def input_digest(
    orchard: OrchardView, year: int, lines: Sequence[LineView], setting: Mapping[str, str | int]
) -> bytes:
    """SHA-256 of all that a balance depends on; the order of the lines plays no part."""
    return digest(
        {
            "orchard": orchard.id,
            "boundary": orchard.boundary_version,
            "plots": [
                {"parcel": p.parcel_id, "m2": p.planted_area_m2, "planted": p.planting_year}
                for p in orchard.plots
            ],
            "year": year,
            "lines": sorted((line for line in lines if line.counts), key=lambda x: str(x.id)),
            "setting": setting,
            "tables": {name: tables.table_digest(name) for name in ("emission_factors", "growth")},
        }
    )


def _terms(found: emissions.Inventory) -> tuple[TermView, ...]:
    return tuple(
        TermView(
            line=line.ref,
            term=line.term,
            kg_exact=_text(line.kg_co2e),
            factors=line.factors,
            evidenced=line.evidenced,
            reason=line.reason,
        )
        for line in sorted(found.lines, key=lambda x: (x.ref, x.term, x.factors))
    )


def _uncounted_fixation(orchard: OrchardView, curve: str | None) -> tuple[TermView, ...]:
    if curve is not None:
        return ()
    missing = TermView(
        line=orchard.crop,
        term="S_biomass",
        kg_exact=None,
        factors=(),
        evidenced=False,
        reason="CURVE_MISSING",
    )
    return (missing,)


def _factors(found: emissions.Inventory, curve: str | None) -> tuple[FactorView, ...]:
    """Rows used, as they stand today; a key without a row has no value."""
    rows = tables.emission_factors()
    made = []
    for key in sorted({key for line in found.lines for key in line.factors}):
        row = rows.get(key)
        made.append(
            FactorView(
                key=key,
                value=None if row is None or row.value is None else repr(row.value),
                unit=row.unit if row else "",
                source=row.source if row else "",
                mark=row.mark if row else "missing",
                year=row.year if row else None,
            )
        )
    if curve:
        stock = tables.growth()[curve]
        made.append(
            FactorView(
                key=curve,
                value=stock.params,
                unit=stock.unit,
                source=stock.source,
                mark=stock.mark,
                year=None,
            )
        )
    return tuple(made)


def keep(session: Session, command: Command, plan: BalanceView) -> BalanceView:
    """Write a balance; the caller holds the book's row, so numbers do not collide."""
    of_year = (OrchardBalance.orchard_id == plan.orchard_id, OrchardBalance.year == plan.year)
    last = session.scalar(select(func.max(OrchardBalance.number)).where(*of_year))
    values = {
        name: value
        for name, value in asdict(plan).items()
        if name not in {"id", "input_digest", "terms", "factors", "stocks", "practices"}
    }
    row = OrchardBalance(
        **values | {"yield_kg": Decimal(plan.yield_kg), "premium_kg": Decimal(plan.premium_kg)},
        id=uuid4(),
        number=(last or 0) + 1,
        practices=list(plan.practices),
        terms=[asdict(term) for term in plan.terms],
        factors=[asdict(factor) for factor in plan.factors],
        stocks=[asdict(stock) | {"parcel_id": str(stock.parcel_id)} for stock in plan.stocks],
        input_digest=bytes.fromhex(plan.input_digest),
        actor_id=command.actor_id,
        effective_at=command.at,
    )
    session.add(row)
    session.flush()
    return view(row)


def latest(session: Session, orchard_id: UUID, year: int, kind: str) -> BalanceView | None:
    """Return the newest balance of a kind, or None."""
    query = select(OrchardBalance).where(
        OrchardBalance.orchard_id == orchard_id,
        OrchardBalance.year == year,
        OrchardBalance.kind == kind,
    )
    row = session.scalar(query.order_by(OrchardBalance.number.desc()).limit(1))
    return None if row is None else view(row)


def view(row: OrchardBalance) -> BalanceView:
    """Return a kept balance."""
    return BalanceView(
        id=row.id,
        orchard_id=row.orchard_id,
        year=row.year,
        kind=row.kind,
        boundary_version=row.boundary_version,
        e_kg=row.e_kg,
        s_kg=row.s_kg,
        s_biomass_kg=row.s_biomass_kg,
        s_soil_kg=row.s_soil_kg,
        soil_shown_kg=row.soil_shown_kg,
        net_kg=row.net_kg,
        evidence_share=row.evidence_share,
        organic_share=row.organic_share,
        coverage=row.coverage,
        yield_kg=decimal_text(row.yield_kg),
        premium_kg=decimal_text(row.premium_kg),
        practices=tuple(row.practices),
        terms=tuple(_term(term) for term in row.terms),
        factors=tuple(FactorView(**factor) for factor in row.factors),
        stocks=tuple(StockView(**s | {"parcel_id": UUID(s["parcel_id"])}) for s in row.stocks),
        setting=dict(row.setting),
        input_digest=bytes(row.input_digest).hex(),
    )


def _term(values: Mapping[str, Any]) -> TermView:
    return TermView(**{**values, "factors": tuple(values["factors"])})


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _decimal(value: Fraction) -> str:
    """Exact decimal text of a sum of decimals."""
    return decimal_text(Decimal(value.numerator) / Decimal(value.denominator))
