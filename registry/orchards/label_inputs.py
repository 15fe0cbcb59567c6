"""What a county's labels are decided on: approved years, groups with their benchmark, vetoes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry.models import Orchard, OrchardBenchmark, OrchardVeto
from registry.orchards import accounts, balances
from registry.orchards.accounts import OrchardView
from registry.orchards.balances import BalanceView
from registry.orchards.errors import BoundaryDateError
from sinks import labels, units
from sinks.exact import exact
from sinks.labels import Benchmark, LabelCase, LabelRule, YearFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountYears:
    """An account with what was approved for the year before and for the year."""

    orchard: OrchardView
    before: BalanceView | None
    now: BalanceView | None

    @property
    def mu(self) -> Fraction:
        """Exact planted area, mu."""
        return exact(self.orchard.planted_area_m2) / units.M2_PER_MU

    @property
    def group(self) -> tuple[str, str]:
        """Crop and tree stage, within the county."""
        return (self.orchard.crop, self.orchard.stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """Benchmark of a group: kg CO2e per kg of fruit, or per mu; exact fractions as text."""

    crop: str
    stage: str
    basis: str  # fruit | area
    value: str | None
    source: str  # group | county | none
    n: int


Groups = Mapping[tuple[str, str, str], Benchmark]


def account_years(session: Session, adcode: str, year: int) -> tuple[AccountYears, ...]:
    """Return the county's accounts that stood at the end of the year, by name."""
    query = select(Orchard.id).where(Orchard.adcode == adcode).order_by(Orchard.name, Orchard.id)
    found = []
    for orchard_id in session.scalars(query).all():
        try:
            held = accounts.orchard_view(session, orchard_id, year=year)
        except BoundaryDateError:
            continue
        found.append(
            AccountYears(
                orchard=held,
                before=balances.latest(session, orchard_id, year - 1, "approved"),
                now=balances.latest(session, orchard_id, year, "approved"),
            )
        )
    return tuple(found)


def bases(members: Iterable[AccountYears]) -> dict[UUID, str]:
    """Return whether each account goes by fruit or by area.

    Young trees, no fruit, or under a fifth of the stage's median yield a mu: by area.
    """
    given = list(members)
    yields: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for member in given:
        if member.now is not None:
            yields[member.group].append(Fraction(member.now.yield_kg) / member.mu)
    return {member.orchard.id: _basis(member, sorted(yields[member.group])) for member in given}


def _basis(member: AccountYears, yields: list[Fraction]) -> str:
    median = yields[(len(yields) - 1) // 2] if yields else None
    fruit = Fraction(member.now.yield_kg) / member.mu if member.now else Fraction(0)
    young = member.orchard.stage == "young"
    by_area = labels.by_area(tree_stage_young=young, yield_kg=fruit, stage_median_kg=median)
    return "area" if by_area else "fruit"


def benchmarks(
    members: Iterable[AccountYears],
    basis: Mapping[UUID, str],
    rule: LabelRule,
    county: Mapping[tuple[str, str, str], Fraction],
) -> dict[tuple[str, str, str], Benchmark]:
    """Return the benchmark of each group: last year's approved accounts, else the county's value.

    A group by area takes every account of its crop and stage; one by fruit leaves out those that
    bore too little to be compared by fruit.
    """
    parts: dict[tuple[str, str, str], list[tuple[Fraction, Fraction]]] = defaultdict(list)
    for member in members:
        crop, stage = member.group
        parts[crop, stage, basis[member.orchard.id]] += []
        if member.before is None:
            continue
        emission, fruit = Fraction(member.before.e_kg), Fraction(member.before.yield_kg)
        parts[crop, stage, "area"].append((emission / member.mu, member.mu))
        if basis[member.orchard.id] == "fruit" and fruit > 0:
            parts[crop, stage, "fruit"].append((emission / fruit, member.mu))
    return {
        key: labels.benchmark(group, rule, county_value=county.get(key))
        for key, group in sorted(parts.items())
    }


def county_values(session: Session, adcode: str, year: int) -> dict[tuple[str, str, str], Fraction]:
    """Return the bureau's values that count in a year: the newest of the latest year."""
    query = (
        select(OrchardBenchmark)
        .where(OrchardBenchmark.adcode == adcode, OrchardBenchmark.year <= year)
        .order_by(OrchardBenchmark.year, OrchardBenchmark.recorded_at)
    )
    return {(row.crop, row.stage, row.basis): Fraction(row.value) for row in session.scalars(query)}


def vetoes(session: Session, orchard: OrchardView, year: int) -> tuple[str, ...]:
    """Return why a label is withheld: entered reasons not lifted, and findings of the rules."""
    query = select(OrchardVeto).where(
        OrchardVeto.orchard_id == orchard.id, OrchardVeto.year == year
    )
    rows = session.scalars(query).all()
    lifted = {row.lifts_id for row in rows if row.lifts_id is not None}
    entered = {row.kind for row in rows if row.lifts_id is None and row.id not in lifted}
    parcels = [plot.parcel_id for plot in orchard.plots]
    if session.scalar(_FARMLAND, {"parcels": parcels}):
        entered.add("basic_farmland_conflict")
    return tuple(sorted(entered))


def case(
    member: AccountYears, basis: str, base: Benchmark | None, reasons: tuple[str, ...]
) -> LabelCase:
    """Return everything a verdict depends on."""
    held, now = member.orchard, member.now
    years = () if now is None else tuple(_figures(x, basis, member.mu) for x in _years(member))
    return LabelCase(
        planted_m2=tuple(plot.planted_area_m2 for plot in held.plots),
        coverage=Fraction(now.coverage) if now else Fraction(1),
        years=years,
        net_without_soil_kg=now.net_without_soil_kg if now else 0,
        evidence_share=_fraction(now.evidence_share) if now else None,
        benchmark=base,
        grass=now is not None and "grass" in now.practices,
        straw=now is not None and "straw" in now.practices,
        organic_share=_fraction(now.organic_share) if now else None,
        vetoes=reasons,
    )


def _years(member: AccountYears) -> list[BalanceView]:
    return [year for year in (member.before, member.now) if year is not None]


def _figures(year: BalanceView, basis: str, mu: Fraction) -> YearFigures:
    quantity = mu if basis == "area" else Fraction(year.yield_kg)
    return YearFigures(e_kg=year.e_kg, quantity=quantity, s_kg=year.s_kg)


def _fraction(words: str | None) -> Fraction | None:
    return None if words is None else Fraction(words)


def plain_case(member: AccountYears, basis: str, given: LabelCase) -> dict[str, Any]:
    """Return a case as JSON: what anyone needs to decide it again."""
    base = given.benchmark
    return {
        "crop": member.orchard.crop,
        "stage": member.orchard.stage,
        "basis": basis,
        "boundary_version": member.orchard.boundary_version,
        "planted_m2": [str(area) for area in given.planted_m2],
        "coverage": str(given.coverage),
        "years": [
            {"e_kg": y.e_kg, "quantity": str(y.quantity), "s_kg": y.s_kg} for y in given.years
        ],
        "balances": [str(y.id) for y in _years(member)] if given.years else [],
        "net_without_soil_kg": given.net_without_soil_kg,
        "evidence_share": _words(given.evidence_share),
        "benchmark": base and {"value": _words(base.value), "basis": base.basis, "n": base.n},
        "grass": given.grass,
        "straw": given.straw,
        "organic_share": _words(given.organic_share),
        "vetoes": list(given.vetoes),
    }


def _words(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def group_views(groups: Groups) -> tuple[GroupView, ...]:
    """Return benchmarks as they are stored and shown."""
    return tuple(
        GroupView(
            crop=crop,
            stage=stage,
            basis=basis,
            value=_words(base.value),
            source=base.basis,
            n=base.n,
        )
        for (crop, stage, basis), base in groups.items()
    )


_FARMLAND = text(
    "SELECT EXISTS (SELECT 1 FROM parcel p JOIN LATERAL ("
    " SELECT answer FROM finding f WHERE f.parcel_id = p.id AND f.version = p.version"
    " AND f.programme_id = 'orchard-label' AND f.rule = 'basic_farmland'"
    " ORDER BY f.recorded_at DESC LIMIT 1) f ON f.answer = 'not_eligible'"
    " WHERE p.id = ANY (:parcels))"
)
