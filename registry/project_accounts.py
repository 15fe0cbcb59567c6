"""A project's account, forecast before and monitored after by one function (`sinks.project`).

The stands come from a run, everything else from the project's rows (`registry.project_items`);
what counts, for how long, discount and provision are the programme's.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from registry import pool_inputs, project_items
from registry.errors import NotFoundError, RegistryError
from registry.project_items import ItemView
from registry.unit_errors import RunNotUsableError
from sinks import project
from sinks.emissions import Fertiliser, Setting
from sinks.issuance import BufferPool, CreditablePlan, Deduction
from sinks.pools import Pool
from sinks.project import Account, Burning, PriorVegetation, Rules, Series
from sinks.uncertainty import discount_table

Kind = Literal["forecast", "monitored"]
Part = Literal["baseline", "emissions", "leakage"]

GWP: Final = "AR6"
"""Assessment report of the warming potentials; an orchard's account uses the same by default."""

PARTS: Final[tuple[Part, ...]] = ("baseline", "emissions", "leakage")


class AmountGivenError(RegistryError):
    """A sum is given by hand where the project has rows that say it."""

    code = "ACCOUNT_AMOUNT_GIVEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row's part of a year: how many kg, by which rows of the tables."""

    part: Part
    year: int
    kg: int
    kind: str
    item_id: UUID | None
    source: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YearView:
    """A year of an account before discount and provision, kg CO2e."""

    year: int
    change_kg: int
    baseline_kg: int
    emissions_kg: int
    leakage_kg: int
    net_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """An account's sums in whole kg, rounded against the project.

    gross - discount - baseline - emissions - leakage - deficit before - withheld
    = creditable - deficit; the database refuses sums that do not.
    """

    gross_kg: int
    discount_kg: int
    baseline_kg: int
    emissions_kg: int
    leakage_kg: int
    deficit_before_kg: int
    withheld_kg: int
    creditable_kg: int
    deficit_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as pages and answers show it.

    Attributes
    ----------
    pools : counted pools with their change over the years, kg; a run that kept none apart has its
        live carbon under AGB.
    outside : years of the run that are not credited.
    """

    project_id: UUID
    kind: str
    run_id: UUID
    first_year: int
    last_year: int
    years: list[YearView]
    pools: dict[str, int]
    lines: list[Line]
    outside: list[int]
    sums: Sums
    non_permanence: str
    non_permanence_share: str
    discount: str | None


def account(
    session: Session, project_id: UUID, *, kind: Kind, run_id: UUID | None = None
) -> AccountView | None:
    """Return a project's account over the years of a run; None where there is no run.

    Parameters
    ----------
    kind : forecast reads planned rows too and is not discounted.
    run_id : the newest of the kind, if not given.

    Raises
    ------
    NotFoundError : there is no such project.
    RunNotUsableError : the run is of another kind or project, or counts other pools.
    sinks.errors.DomainError : what the crediting period or an amount breaks.
    """
    found = _project(session, project_id)
    run_id = run_id or session.scalar(_NEWEST, {"project": project_id, "kind": kind})
    if run_id is None:
        return None
    span = require_run(session, found, run_id, kind=kind)
    lines = lines_of(session, project_id, span, planned=kind == "forecast")
    changes_ = changes(session, project_id, run_id, span)
    made = project.account(
        series(changes_, lines),
        rules(found),
        kind=kind,
        years=span,
    )
    return _told(found, made, run_id, lines, changes_)


def _project(session: Session, project_id: UUID) -> Row[Any]:
    row = session.execute(_PROJECT, {"id": project_id}).first()
    if row is None:
        raise NotFoundError(what="project", id=project_id)
    return row


def require_run(
    session: Session, found: Row[Any], run_id: UUID, *, kind: Kind, years: Sequence[int] = ()
) -> list[int]:
    """Return the years of a run that may serve a project's account.

    Raises
    ------
    RunNotUsableError : with the reason.
    """
    run = session.execute(_RUN, {"run": run_id}).first()
    why = ""
    if run is None:
        why = "not_found"
    elif run.kind != kind:
        why = f"not_{kind}"
    elif run.project_id != found.id:
        why = "other_project"
    elif years and not (run.years.lower <= years[0] and years[-1] < run.years.upper):
        why = "years_missing"
    elif _pools_of(run) != _counted(found.source):
        why = "other_pools"
    if why or run is None:
        raise RunNotUsableError(run_id=run_id, why=why)
    return list(years) or list(range(run.years.lower, run.years.upper))


def _pools_of(run: Row[Any]) -> frozenset[Pool]:
    if run.pools is None:
        return frozenset(pool_inputs.LIVE_ONLY)
    return frozenset(Pool(one["pool"]) for one in run.pools)


def _counted(programme_source: str) -> frozenset[Pool]:
    counted, _, _ = pool_inputs.pools_of(programme_source)
    return frozenset(counted or pool_inputs.LIVE_ONLY)


def rules(
    found: Row[Any],
    *,
    discount: str | None = None,
    non_permanence: Deduction | BufferPool | None = None,
) -> Rules:
    """Return what a project's programme rules; a period's own terms go before it."""
    said = tomllib.loads(found.source)
    limits, lasting = said.get("crediting", {}), said.get("non_permanence", {})
    first, last = found.crediting_from.year, found.crediting_to.year - 1
    table = discount if non_permanence else said.get("uncertainty", {}).get("table")
    share = Fraction(str(lasting.get("share", {}).get("value", 0)))
    deducts = lasting.get("kind") == "deduction"
    return Rules(
        pools=_counted(found.source),
        first_year=first,
        last_year=max(first, last),
        years_min=int(limits.get("years_min", {}).get("value", 1)),
        years_max=int(limits.get("years_max", {}).get("value", LONGEST)),
        discount=discount_table(table) if table else None,
        non_permanence=non_permanence
        or (Deduction(share=share) if deducts else BufferPool(share=share)),
    )


LONGEST: Final = 200


def changes(
    session: Session, project_id: UUID, run_id: UUID, years: Sequence[int]
) -> dict[Pool, dict[int, int]]:
    """Return what each counted pool of the ground a project claims changed by in each year, kg.

    A run that kept no pools apart has its live carbon under the first of them.
    """
    asked = {"run": run_id, "project": project_id, "years": list(years)}
    found: dict[Pool, dict[int, int]] = {}
    for row in session.execute(_CHANGES, asked):
        found.setdefault(Pool(row.pool), dict.fromkeys(years, 0))[row.year] = int(row.kg)
    return found


def lines_of(
    session: Session, project_id: UUID, years: Sequence[int], *, planned: bool
) -> list[Line]:
    """Return what a project's rows come to in some years, by part, year and row."""
    found: list[Line] = []
    for item in project_items.listing(session, project_id):
        if item.planned and not planned:
            continue
        found += [one for one in _lines(item, years) if one.year in years and one.kg]
    return sorted(found, key=lambda one: (PARTS.index(one.part), one.year, str(one.item_id)))


def _lines(item: ItemView, years: Sequence[int]) -> list[Line]:
    if item.kind == "prior_vegetation":
        return _vegetation(item, years)
    if item.kind == "burning":
        share = item.details.get("combustion")
        burnt = Burning(
            year=item.year,
            fuel_t=float(item.number("fuel_t")),
            combustion=None if share is None else float(Fraction(share)),
        )
        how = f"{item.details['fuel_t']} t × {share or 'combustion_forest'} × CH4, N2O ({GWP})"
        return [_line(item, "emissions", item.year, burnt.kg_co2e(gwp=GWP), how)]
    if item.kind == "fertiliser":
        return [_fertiliser(item)]
    parts: Mapping[str, Part] = {"baseline": "baseline", "emission": "emissions"}
    kg = int(item.number("kg"))
    return [_line(item, parts.get(item.kind, "leakage"), item.year, kg, f"{kg} kg CO2e")]


def _fertiliser(item: ItemView) -> Line:
    spread = Fertiliser(
        ref=str(item.id),
        product=item.details["product"],
        mass_kg=item.number("mass_kg"),
        n_kg=item.number("n_kg"),
        organic=item.yes("organic"),
    )
    setting = Setting(account_year=item.year, gwp=f"GWP_N2O_{GWP}")
    kg = project.fertiliser_kg_co2e([spread], setting)
    how = f"{spread.product} {item.details['mass_kg']} kg, N {item.details['n_kg']} kg ({GWP})"
    return _line(item, "emissions", item.year, kg, how)


def _vegetation(item: ItemView, years: Sequence[int]) -> list[Line]:
    prior = PriorVegetation(
        area_ha=float(item.number("area_ha")),
        tree_cover=float(item.number("tree_cover")),
        shrub_cover=float(item.number("shrub_cover")),
        trees_kept=item.yes("trees_kept"),
        shrubs_removed=float(item.number("shrubs_removed")),
        forest_agb_t_ha=float(item.number("forest_agb_t_ha")),
        forest_gain_t_ha_yr=float(item.number("forest_gain_t_ha_yr")),
    )
    gain = f"{item.details['area_ha']} ha, AR-TOOL14 (11)"
    made = [
        _line(item, "baseline", year, prior.gain_kg(year - item.year + 1), gain)
        for year in years
        if year >= item.year
    ]
    cleared = f"{item.details['area_ha']} ha, AR-TOOL14 (26, 27)"
    return [*made, _line(item, "emissions", item.year, prior.cleared_kg(), cleared)]


def _line(item: ItemView, part: Part, year: int, kg: int, how: str) -> Line:
    return Line(
        part=part,
        year=year,
        kg=kg,
        kind=item.kind,
        item_id=item.id,
        source=item.source,
        how=how,
    )


def by_hand(part: Part, year: int, kg: int) -> Line:
    """Return a sum that somebody entered without rows."""
    return Line(
        part=part, year=year, kg=kg, kind="by_hand", item_id=None, source="", how=f"{kg} kg CO2e"
    )


def series(change_kg: Mapping[Pool, Mapping[int, int]], lines: Sequence[Line]) -> Series:
    """Put stands and lines together as `sinks.project` takes them."""
    sums: dict[str, dict[int, int]] = {part: {} for part in PARTS}
    for one in lines:
        sums[one.part][one.year] = sums[one.part].get(one.year, 0) + one.kg
    return Series(
        change_kg=change_kg,
        baseline_kg=sums["baseline"],
        emissions_kg=sums["emissions"],
        leakage_kg=sums["leakage"],
    )


def sums_of(made: Account, *, deficit_before_kg: int = 0) -> Sums:
    """Return an account's sums in whole kg: what is taken is rounded up, the rest is withheld."""
    plan: CreditablePlan = made.plan
    taken = ceil(plan.discount_kg)
    against = {part: sum(y[f"{part}_kg"] for y in made.by_year.values()) for part in PARTS}
    left = plan.project_change_kg - taken - sum(against.values()) - deficit_before_kg
    return Sums(
        gross_kg=plan.project_change_kg,
        discount_kg=taken,
        baseline_kg=against["baseline"],
        emissions_kg=against["emissions"],
        leakage_kg=against["leakage"],
        deficit_before_kg=deficit_before_kg,
        withheld_kg=left - plan.creditable_kg + plan.deficit_kg,
        creditable_kg=plan.creditable_kg,
        deficit_kg=plan.deficit_kg,
    )


def _told(
    found: Row[Any],
    made: Account,
    run_id: UUID,
    lines: Sequence[Line],
    change_kg: Mapping[Pool, Mapping[int, int]],
) -> AccountView:
    years = [YearView(year=year, **one) for year, one in sorted(made.by_year.items())]
    ruled = rules(found)
    return AccountView(
        project_id=found.id,
        kind=made.kind,
        run_id=run_id,
        first_year=years[0].year,
        last_year=years[-1].year,
        years=years,
        pools=pool_totals(change_kg, made),
        lines=[one for one in lines if one.year in made.by_year],
        outside=list(made.outside),
        sums=sums_of(made),
        non_permanence=(
            "deduction" if isinstance(ruled.non_permanence, Deduction) else "buffer_pool"
        ),
        non_permanence_share=str(ruled.non_permanence.share),
        discount=None if ruled.discount is None else ruled.discount.key,
    )


def pool_totals(change_kg: Mapping[Pool, Mapping[int, int]], made: Account) -> dict[str, int]:
    """Return what each counted pool changed by over an account's years, kg."""
    return {
        str(pool): sum(by_year.get(year, 0) for year in made.by_year)
        for pool, by_year in sorted(change_kg.items())
    }


_PROJECT = text(
    "SELECT j.id, j.crediting_from, j.crediting_to, g.source FROM project j"
    " JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version"
    " WHERE j.id = :id"
)
_NEWEST = text(
    "SELECT id FROM assessment_run WHERE project_id = :project AND kind = :kind"
    " ORDER BY recorded_at DESC LIMIT 1"
)
_RUN = text("SELECT kind, project_id, years, pools FROM assessment_run WHERE id = :run")
_CLAIMED = (
    "EXISTS (SELECT FROM claim c WHERE c.project_id = :project AND c.parcel_id = a.parcel_id"
    " AND c.status = 'active' AND a.year <@ c.years)"
)
_CHANGES = text(
    "SELECT a.pool, a.year, sum(a.net_kg) AS kg FROM assessment_pool a"
    f" WHERE a.run_id = :run AND a.year = ANY (:years) AND {_CLAIMED} GROUP BY 1, 2"
    " UNION ALL SELECT 'AGB', a.year, sum(a.net_kg) FROM assessment a"
    " JOIN assessment_run r ON r.id = a.run_id AND r.pools IS NULL"
    f" WHERE a.run_id = :run AND a.year = ANY (:years) AND {_CLAIMED} GROUP BY 2"
)
