"""Reading assessments: yearly sums of the latest runs, and how one figure came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import Row, RowMapping, text
from sqlalchemy.orm import Session

from registry import cohort_tables, stocks, strata
from registry.cohort_tables import SCHEME
from registry.divisions import subtree_prefix
from registry.errors import InvalidValueError, RegistryError
from sinks import growth, tables, units
from sinks.cohorts import CohortTable
from sinks.growth import AgeFlag
from sinks.pools import Pool
from sinks.strata import PPM
from sinks.strata_tables import POOLS
from sinks.tables.rows import GrowthRow

Kind = Literal["forecast", "monitored"]


class NoAssessmentError(RegistryError):
    """There is no assessment of this parcel for this year."""

    code = "NO_ASSESSMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSum:
    """Stock at 31 December and net sequestration of a year, summed over parcels."""

    year: int
    stock_kg: int
    net_kg: int
    parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolYear:
    """One pool's part of a year; a run's pools add up to its figures."""

    pool: str
    year: int
    stock_kg: int
    net_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with the digests of its inputs."""

    id: UUID
    kind: str
    project_id: UUID | None
    first_year: int
    last_year: int
    parcels: int
    net_kg: int
    layers: list[dict[str, str]]
    table_digest: str
    input_digest: str
    engine_version: int
    code_revision: str
    effective_at: datetime
    recorded_at: datetime
    strata_digest: str | None = None
    pools: list[dict[str, str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRun:
    """The latest answer about one parcel: its years, and what a reader must know."""

    run_id: UUID
    kind: str
    version: int
    years: list[YearSum]
    flags: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPart:
    """One cohort of a parcel in one year: ground, age, carbon, and the curve it came from."""

    species: int
    name_cn: str
    site: int
    age_yr: int
    lost_in: int | None
    area_m2: float
    mg_c_m2: int
    carbon_kg: float
    curve: str | None
    curve_mark: str | None
    curve_source: str | None
    age_range: str
    happened: list[list[Any]] = field(default_factory=list)
    """Events of the record on it: year, flow of its carbon, and share that went."""
    pools_mg_c_m2: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a parcel's figure of one year came about; the parts add up to the stock exactly."""

    parcel_id: UUID
    version: int
    year: int
    stock_kg: int
    net_kg: int
    area_m2: float
    nodata_m2: float
    outside_m2: float
    carbon_to_co2: str
    cohorts: list[CohortPart]
    flags: list[dict[str, Any]]
    run: RunView
    stock_sum: int
    """Sum of dm2 x mg C/m2 over the cohorts, from which the kg are made once."""
    pools: list[PoolYear] = field(default_factory=list)
    """Of a run that keeps pools apart."""
    given: dict[str, Any] | None = None
    """Events and counted bamboo that the run read of the record."""
    factors: list[dict[str, str]] = field(default_factory=list)
    """Rows by which carbon moved between its pools: key, mark, source, values."""


def run(session: Session, run_id: UUID) -> RunView | None:
    """Return one run, or None."""
    row = session.execute(text(f"{_RUN} WHERE id = :id"), {"id": run_id}).mappings().first()
    return None if row is None else _run_view(row)


def runs(session: Session, *, at_most: int = 50) -> list[RunView]:
    """Return the newest runs."""
    rows = session.execute(
        text(f"{_RUN} ORDER BY recorded_at DESC LIMIT :at_most"), {"at_most": at_most}
    )
    return [_run_view(row) for row in rows.mappings()]


def yearly(
    session: Session,
    *,
    kind: Kind = "forecast",
    parcel_id: UUID | None = None,
    project_id: UUID | None = None,
    owner_id: UUID | None = None,
    division_code: str | None = None,
) -> list[YearSum]:
    """Sum the latest run of each parcel by year; over everything when nothing is named.

    A parcel counts with its latest run of this kind only, so no year is counted twice.

    Raises
    ------
    InvalidValueError : more than one of parcel, project, owner and division.
    """
    named = (parcel_id, project_id, owner_id, division_code)
    if sum(one is not None for one in named) > 1:
        raise InvalidValueError(field="scope", value="2", why="parcel | project | owner | division")
    rows = session.execute(
        _YEARLY,
        {
            "kind": kind,
            "parcel": parcel_id,
            "project": project_id,
            "owner": owner_id,
            "prefix": None if division_code is None else subtree_prefix(division_code) + "%",
        },
    )
    return [
        YearSum(
            year=row.year, stock_kg=int(row.stock_kg), net_kg=int(row.net_kg), parcels=row.parcels
        )
        for row in rows
    ]


def of_parcel(
    session: Session, parcel_id: UUID, *, kind: Kind = "forecast", run_id: UUID | None = None
) -> ParcelRun | None:
    """Return a parcel's latest answer of this kind, or that of one run; None when there is none."""
    row = _series(session, parcel_id, kind=kind, run_id=run_id)
    if row is None:
        return None
    years = [
        YearSum(year=row["first_year"] + i, stock_kg=stock, net_kg=net, parcels=1)
        for i, (stock, net) in enumerate(zip(row["stock_kg"], row["net_kg"], strict=True))
    ]
    return ParcelRun(
        run_id=row["run_id"],
        kind=row["kind"],
        version=row["version"],
        years=years,
        flags=row["flags"],
    )


def explain(
    session: Session,
    parcel_id: UUID,
    year: int,
    run_id: UUID | None = None,
    *,
    kind: Kind = "forecast",
) -> Explanation:
    """Say how a parcel's figure of one year came about, from what the run stored.

    Raises
    ------
    NoAssessmentError : there is none for this year.
    """
    row = _series(session, parcel_id, kind=kind, run_id=run_id)
    at = -1 if row is None else year - row["first_year"]
    if row is None or not 0 <= at < len(row["net_kg"]):
        raise NoAssessmentError(parcel=str(parcel_id), year=year)
    view = run(session, row["run_id"])
    assert view is not None  # noqa: S101 -- the series refers to it
    held = session.execute(
        _HELD, {"parcel": parcel_id, "version": row["version"], "run": row["run_id"]}
    ).one()
    table = cohort_tables.stored(session, bytes.fromhex(view.table_digest))
    used = session.execute(
        text("SELECT rows FROM cohort_table WHERE digest = :digest"),
        {"digest": bytes.fromhex(view.table_digest)},
    ).scalar_one()
    if view.strata_digest is None:
        parts, total = _parts(session, held, table, used, year)
    else:
        parts, total = _strata_parts(session, held, view, given=row["given"], used=used, year=year)
    return Explanation(
        parcel_id=parcel_id,
        version=row["version"],
        year=year,
        stock_kg=row["stock_kg"][at],
        net_kg=row["net_kg"][at],
        area_m2=held.area_m2,
        nodata_m2=held.nodata_dm2 / units.DM2_PER_M2,
        outside_m2=held.outside_dm2 / units.DM2_PER_M2,
        carbon_to_co2=str(units.CO2_PER_C),
        cohorts=parts,
        flags=row["flags"],
        run=view,
        stock_sum=total,
        pools=pools_of_parcel(view, row, year),
        given=row["given"],
        factors=_factors(session, view, parts),
    )


def _factors(session: Session, view: RunView, parts: Sequence[CohortPart]) -> list[dict[str, str]]:
    """Return the rows of the run's strata that bear on some ground."""
    if view.strata_digest is None:
        return []
    kept = session.execute(
        text("SELECT rows, scheme FROM cohort_table WHERE digest = :digest"),
        {"digest": bytes.fromhex(view.strata_digest)},
    ).one()
    moved = {flow for part in parts for _, flow, _ in part.happened}
    if kept.scheme["temperature_c"]:
        moved |= {"turnover", "decay"}
    species = {part.species for part in parts}
    roots = {row.species for row in tables.species_codes().values() if row.code in species}
    return [
        {"key": one.get("flow") or f"root_ratio {one['roots']}", **_said(one)}
        for one in kept.rows
        if one.get("roots") in roots
        or any(one.get("flow", "").startswith(f"{flow}_") for flow in moved)
    ]


def _said(one: Mapping[str, str]) -> dict[str, str]:
    return {name: one[name] for name in ("mark", "source", "values")}


def pools_of_parcel(view: RunView, row: RowMapping, year: int) -> list[PoolYear]:
    """Return a parcel's pools of one year, in the order of the run's."""
    at = year - row["first_year"]
    return [
        PoolYear(pool=one["pool"], year=year, stock_kg=kg[at + 1], net_kg=kg[at + 1] - kg[at])
        for one, kg in zip(view.pools or [], row["pool_kg"] or [], strict=True)
    ]


def pool_sums(session: Session, run_id: UUID) -> list[PoolYear]:
    """Return a run's pools by year, summed over the parcels the actor sees."""
    rows = session.execute(_POOLS, {"run": run_id})
    return [
        PoolYear(pool=row.pool, year=row.year, stock_kg=int(row.stock_kg), net_kg=int(row.net_kg))
        for row in rows
    ]


def _series(
    session: Session, parcel_id: UUID, *, kind: Kind, run_id: UUID | None
) -> RowMapping | None:
    return (
        session.execute(_SERIES, {"parcel": parcel_id, "kind": kind, "run": run_id})
        .mappings()
        .first()
    )


def _parts(
    session: Session, held: Row[Any], table: CohortTable, used: Sequence[dict[str, Any]], year: int
) -> tuple[list[CohortPart], int]:
    """Return a parcel's cohorts in one year, the largest ground first, and the integer sum."""
    code = np.array(held.cohort, np.int32)
    lost_in = stocks.loss_year(code)
    counted = np.where((lost_in > table.layer_year) & (lost_in <= year), lost_in, 0)
    cohort = code % np.int32(SCHEME.size)
    species, site, age = SCHEME.decode(cohort)
    column = table.years.index(year)
    stock = table.mg_c_m2[cohort, column].astype(np.int64)
    age = age + year - table.layer_year
    for event in np.unique(counted[counted > 0]):
        again = _regrowth(session, used, table, int(event))
        lost = counted == event
        stock[lost] = again.mg_c_m2[SCHEME.at_age_zero(cohort[lost]), column]
        age[lost] = year - event
    rows = {one["species"]: one for one in used if "species" in one}
    parts = [
        _part(
            rows,
            species=int(species[i]),
            site=int(site[i]),
            age=int(age[i]),
            lost_in=int(counted[i]) or None,
            area_dm2=held.area_dm2[i],
            mg=int(stock[i]),
        )
        for i in np.argsort(-np.array(held.area_dm2, np.int64), kind="stable")
    ]
    return parts, sum(int(s) * a for s, a in zip(stock, held.area_dm2, strict=True))


def _strata_parts(
    session: Session,
    held: Row[Any],
    view: RunView,
    *,
    given: Mapping[str, Any] | None,
    used: Sequence[dict[str, Any]],
    year: int,
) -> tuple[list[CohortPart], int]:
    """Return a parcel's strata in one year, as a run that keeps pools apart counted them."""
    table = cohort_tables.stored(session, bytes.fromhex(view.table_digest))
    told = strata.given_of(given)
    spread = strata.spread_parcels(
        strata.histogram_of(held),
        {} if told is None else {0: told},
        layer_year=table.layer_year,
        last_year=table.years[-1],
    )
    found = strata.stored(session, bytes.fromhex(view.strata_digest or "")).of(spread.strata)
    pools = [Pool(one["pool"]) for one in view.pools or []]
    mg = found.mg_c_m2[:, [POOLS.index(one) for one in pools], found.years.index(year)]
    rows = {one["species"]: one for one in used if "species" in one}
    parts, total = [], 0
    for i in np.argsort(-spread.area_dm2, kind="stable"):
        stratum, area = spread.strata[spread.row[i]], int(spread.area_dm2[i])
        each = {str(pool): int(one) for pool, one in zip(pools, mg[spread.row[i]], strict=True)}
        total += area * sum(each.values())
        part = _part(
            rows,
            species=stratum.species,
            site=stratum.site,
            age=year - stratum.born,
            lost_in=None,
            area_dm2=area,
            mg=sum(each.values()),
        )
        happened = [[y, flow, share / PPM**2] for y, flow, share in stratum.happened if y <= year]
        part = replace(part, happened=happened, pools_mg_c_m2=each)
        if stratum.culms is not None:
            part = replace(part, curve=None, curve_mark=None, curve_source=None)
        parts.append(part)
    return parts, total


def _regrowth(
    session: Session, used: Sequence[dict[str, Any]], table: CohortTable, event: int
) -> CohortTable:
    """Return the table of stands planted in the event's year, with the run's own curves."""
    curves = {one["species"]: _curve(one["curve"]) for one in used if "species" in one}
    return cohort_tables.load(session, curves=curves, layer_year=event, years=table.years).table


def _curve(key: str) -> GrowthRow:
    return tables.lookup(tables.growth(), key)


def _part(
    rows: dict[int, dict[str, Any]],
    *,
    species: int,
    site: int,
    age: int,
    lost_in: int | None,
    area_dm2: int,
    mg: int,
) -> CohortPart:
    row = rows.get(species, {})
    names = {one.code: one.name_cn for one in tables.species_codes().values()}
    return CohortPart(
        species=species,
        name_cn=names.get(species, ""),
        site=site,
        age_yr=age,
        lost_in=lost_in,
        area_m2=area_dm2 / units.DM2_PER_M2,
        mg_c_m2=mg,
        carbon_kg=area_dm2 * mg / units.CENTI_MG_PER_KG,
        curve=row.get("curve"),
        curve_mark=row.get("mark"),
        curve_source=row.get("source"),
        age_range=_age_range(row["curve"], age) if row else "inside",
    )


def _age_range(key: str, age: int) -> str:
    flag = growth.evaluate(_curve(key), [max(age, 0)])[1][0]
    return AgeFlag(int(flag)).name.lower()  # type: ignore[union-attr]  # three named values


def _run_view(row: RowMapping) -> RunView:
    return RunView(
        id=row["id"],
        kind=row["kind"],
        project_id=row["project_id"],
        first_year=row["years"].lower,
        last_year=row["years"].upper - 1,
        parcels=row["parcels"],
        net_kg=row["net_kg"],
        layers=row["layers"],
        table_digest=bytes(row["table_digest"]).hex(),
        input_digest=bytes(row["input_digest"]).hex(),
        engine_version=row["engine_version"],
        code_revision=row["code_revision"],
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
        strata_digest=(None if row["strata_digest"] is None else bytes(row["strata_digest"]).hex()),
        pools=row["pools"],
    )


_RUN = (
    "SELECT id, kind, project_id, years, parcels, net_kg, layers, table_digest, input_digest,"
    " engine_version, code_revision, effective_at, recorded_at, strata_digest, pools"
    " FROM assessment_run"
)
_SERIES = text(
    "SELECT s.*, r.kind FROM assessment_series s JOIN assessment_run r ON r.id = s.run_id"
    " WHERE s.parcel_id = :parcel AND (r.id = :run OR CAST(:run AS uuid) IS NULL"
    " AND r.kind = :kind) ORDER BY r.recorded_at DESC LIMIT 1"
)
_HELD = text(
    "SELECT h.cohort, h.area_dm2, h.nodata_dm2, h.outside_dm2, v.area_m2 FROM histogram h"
    " JOIN parcel_version v ON v.parcel_id = h.parcel_id AND v.version = h.version"
    " JOIN assessment_run r ON r.layer_set = h.layer_set"
    " WHERE h.parcel_id = :parcel AND h.version = :version AND r.id = :run"
)
_POOLS = text(
    "SELECT a.pool, a.year, sum(a.stock_kg) AS stock_kg, sum(a.net_kg) AS net_kg"
    " FROM assessment_pool a WHERE a.run_id = :run GROUP BY 1, 2 ORDER BY 2, 1"
)
_YEARLY = text(
    "WITH chosen AS ("
    " SELECT p.id FROM parcel p WHERE (CAST(:parcel AS uuid) IS NULL OR p.id = :parcel)"
    " AND (CAST(:owner AS uuid) IS NULL OR p.owner_id = :owner)"
    " AND (CAST(:prefix AS text) IS NULL OR p.division_code LIKE :prefix)"
    " AND (CAST(:project AS uuid) IS NULL OR EXISTS (SELECT FROM claim c WHERE"
    " c.project_id = :project AND c.parcel_id = p.id AND c.status = 'active'))"
    "), latest AS ("
    " SELECT DISTINCT ON (s.parcel_id) s.first_year, s.stock_kg, s.net_kg"
    " FROM chosen JOIN assessment_series s ON s.parcel_id = chosen.id"
    " JOIN assessment_run r ON r.id = s.run_id AND r.kind = :kind"
    " ORDER BY s.parcel_id, r.recorded_at DESC, r.id)"
    " SELECT first_year + i::int - 1 AS year, sum(stock_kg[i]) AS stock_kg,"
    " sum(net_kg[i]) AS net_kg, count(*) AS parcels"
    " FROM latest CROSS JOIN LATERAL generate_series(1, cardinality(net_kg)) AS i"
    " GROUP BY 1 ORDER BY 1"
)
