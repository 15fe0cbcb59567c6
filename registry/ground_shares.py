"""What rests on ground that is split: shared by the children's own assessment, to the last kg.

Measured first, with no connection held: each part against the layers of every run that a capacity
or a period stands on.  Then shared in the transaction of the split: largest remainder to the
parent's total, for capacity, reservations and the figures of those runs alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine, Row, text
from sqlalchemy.orm import Session

from geo.shape import shape_digests
from registry import covering, estimation_inputs, growing
from registry.db import Command, transaction
from registry.estimation_inputs import AssessParcels, Inputs, Parcels
from registry.models import Parcel
from registry.stocks import each_parcel
from sinks.issuance import largest_remainder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One run told again for the parts of a parcel: (n parts, years) kg, from ``first_year`` on."""

    first_year: int
    stock_kg: NDArray[np.int64]
    net_kg: NDArray[np.int64]

    def weights(self, year: int) -> list[int]:
        """How much each part takes up in a year; by stock where none takes up anything."""
        at = year - self.first_year
        if not 0 <= at < self.net_kg.shape[1]:
            return [0] * len(self.net_kg)
        taken = [max(0, int(one)) for one in self.net_kg[:, at]]
        return taken if any(taken) else [max(0, int(one)) for one in self.stock_kg[:, at]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sharing:
    """The parts of one version of a parcel, known by their shapes, told by each run."""

    parcel_id: UUID
    version: int
    shapes: tuple[str, ...]
    runs: Mapping[UUID, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKg:
    """What one child took of one figure of its parent: its claim, vintage and for whom."""

    what: str
    ref: str
    vintage: int
    parcel_id: UUID
    kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A reservation: its kg and what of them is delivered."""

    ref: str
    kg: int
    burned_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePlan:
    """Columns are parts: capacity of each, and for each reservation its (kg, delivered kg)."""

    cap_kg: list[int]
    committed_kg: list[int]
    held: list[list[tuple[int, int]]]


def plan_share(cap_kg: int, held: Sequence[Held], weights: Sequence[int]) -> SharePlan:
    """Share a capacity and all that is reserved of it; every row and column adds up exactly.

    No part is promised beyond its capacity unless the parent was.
    """
    caps = largest_remainder(cap_kg, weights)
    committed = largest_remainder(sum(one.kg for one in held), caps if any(caps) else weights)
    left, rows = list(committed), []
    for one in held:
        kg = largest_remainder(one.kg, left)
        left = [have - take for have, take in zip(left, kg, strict=True)]
        rows.append(list(zip(kg, largest_remainder(one.burned_kg, kg), strict=True)))
    return SharePlan(cap_kg=caps, committed_kg=committed, held=rows)


def measure(
    engine: Engine,
    command: Command,
    *,
    parcel_id: UUID,
    pieces: Sequence[Any],
    areas_m2: Sequence[float],
    layer_dir: Path,
    say: covering.Say,
) -> Sharing:
    """Tell every run that something rests on again, for the parts of a parcel.

    Parameters
    ----------
    pieces, areas_m2 : the parts in their order, MultiPolygons in EPSG:4490.
    say : told the phase, as of a run.

    Raises
    ------
    LayerChangedError, LayerMissingError : a layer of such a run is not there any more.
    """
    with transaction(engine, actor_id=command.actor_id) as session:
        version = session.get_one(Parcel, parcel_id).version
        rows = session.execute(_RUNS, {"parcel": parcel_id}).all()
        inputs = {row.id: _inputs(session, command, row, parcel_id, layer_dir) for row in rows}
    shapes = shapes_of(pieces)
    ids = [uuid4() for _ in pieces]
    found = {
        run: _told(engine, _of_parts(one, parcel_id, ids, pieces, areas_m2), say)
        for run, one in inputs.items()
    }
    return Sharing(parcel_id=parcel_id, version=version, shapes=shapes, runs=found)


def share(
    session: Session,
    sharing: Sharing,
    *,
    claims: Mapping[UUID, Sequence[UUID]],
    children: Sequence[UUID],
    areas_m2: Sequence[float],
) -> list[SharedKg]:
    """Move all that rests on a split parcel to its children, in the order of the measured parts.

    Parameters
    ----------
    claims : for each claim of the parent those of its children.
    """
    told = _share_capacity(session, sharing, claims, children, areas_m2)
    told += _share_figures(session, sharing, children, areas_m2)
    return told


def matches(sharing: Sharing, parcel: Parcel, pieces: Sequence[Any]) -> bool:
    """Say whether what was measured is what is split now."""
    same = (sharing.parcel_id, sharing.version) == (parcel.id, parcel.version)
    return same and sharing.shapes == shapes_of(pieces)


def shapes_of(pieces: Sequence[Any]) -> tuple[str, ...]:
    """Return what the parts of a parcel are known by."""
    return tuple(one or "" for one in shape_digests(np.array(list(pieces), dtype=object)))


def _inputs(
    session: Session, command: Command, run: Row[Any], parcel_id: UUID, layer_dir: Path
) -> Inputs:
    asked = AssessParcels(
        at=command.at,
        actor_id=command.actor_id,
        key=command.key,
        kind=run.kind,
        first_year=run.first_year,
        last_year=run.last_year,
        parcel_ids=(parcel_id,),
        project_id=run.project_id,
        layer_ids=tuple(UUID(one["id"]) for one in run.layers),
        curves={one["species"]: one["curve"] for one in run.rows if "curve" in one},
    )
    return estimation_inputs.read(session, asked, layer_dir)


def _of_parts(
    inputs: Inputs,
    parcel_id: UUID,
    ids: list[UUID],
    pieces: Sequence[Any],
    areas_m2: Sequence[float],
) -> Inputs:
    """Return a run's inputs with the parts in their parcel's place."""
    own = inputs.parcels
    parts = Parcels(
        ids=ids,
        versions=[1] * len(ids),
        wkb=[shapely.to_wkb(one) for one in pieces],
        area_m2=np.array(areas_m2, np.float64),
        recorded_age_yr=np.repeat(own.recorded_age_yr[:1], len(ids)),
        digest=own.digest,
    )
    pooling = inputs.pooling
    if pooling is not None and parcel_id in pooling.given:
        pooling = replace(pooling, given=dict.fromkeys(ids, pooling.given[parcel_id]))
    return replace(inputs, parcels=parts, known={}, pooling=pooling, found=None)


def _told(engine: Engine, inputs: Inputs, say: covering.Say) -> Measured:
    parcels = inputs.parcels
    keys = list(zip(parcels.ids, parcels.versions, strict=True))
    counted = covering.cover_block(
        covering.Block(keys=keys, wkb=parcels.wkb, area_m2=parcels.area_m2, rasters=inputs.rasters)
    )
    made = dict(zip(keys, each_parcel(counted), strict=True))
    answers = growing.grow(engine, inputs, made, say)
    years = inputs.used.table.years
    return Measured(first_year=int(years[1]), stock_kg=answers.stock_kg, net_kg=answers.net_kg)


def _share_capacity(
    session: Session,
    sharing: Sharing,
    claims: Mapping[UUID, Sequence[UUID]],
    children: Sequence[UUID],
    areas_m2: Sequence[float],
) -> list[SharedKg]:
    """Empty the parent's capacity and fill its children's; the database holds the sums."""
    bound = {"claims": list(claims)}
    rows = session.execute(_CAPACITY, bound).all()
    reservations: dict[tuple[UUID, int], list[Row[Any]]] = {}
    for one in session.execute(_RESERVED, bound):
        reservations.setdefault((one.claim_id, one.vintage), []).append(one)
    told: list[SharedKg] = []
    for row in rows:
        mine = reservations.get((row.claim_id, row.vintage), [])
        held = [Held(ref=r.holder_ref, kg=r.kg, burned_kg=r.burned_kg) for r in mine]
        weights = _weights(sharing.runs.get(row.run_id), row.vintage, areas_m2)
        plan = plan_share(row.cap_kg, held, weights)
        place = {"claim": row.claim_id, "parcel": row.parcel_id, "vintage": row.vintage}
        session.execute(_HAND_ON, {"ids": [r.id for r in mine]})
        session.execute(_EMPTY, place)
        for n, (child, claim) in enumerate(zip(children, claims[row.claim_id], strict=True)):
            own = {"claim": claim, "parcel": child, "vintage": row.vintage}
            session.execute(_FILL, own | _column(plan, n, row.run_id))
            session.execute(_COMMIT, own | {"kg": plan.committed_kg[n]})
            session.execute(_SETTLE, own | {"cap": plan.cap_kg[n]})
            told.append(_kg("capacity", str(row.claim_id), row.vintage, child, plan.cap_kg[n]))
            for one, parts in zip(mine, plan.held, strict=True):
                kg, burned = parts[n]
                if kg:
                    state = "burned" if burned == kg else "held"
                    given = {"kg": kg, "burned": burned, "holder": one.holder_ref, "state": state}
                    session.execute(_TAKE, own | given | {"id": uuid4()})
                told.append(_kg("reservation", one.holder_ref, row.vintage, child, kg))
    return told


def _column(plan: SharePlan, n: int, run_id: UUID) -> dict[str, object]:
    return {"cap": max(plan.cap_kg[n], plan.committed_kg[n]), "run": run_id}


def _share_figures(
    session: Session, sharing: Sharing, children: Sequence[UUID], areas_m2: Sequence[float]
) -> list[SharedKg]:
    """Keep each child's part of the runs that a capacity or a period stands on."""
    told: list[SharedKg] = []
    bound = {"parcel": sharing.parcel_id, "runs": list(sharing.runs)}
    for row in session.execute(_SERIES, bound).all():
        measured = sharing.runs[row.run_id]
        columns = [
            (
                signed_share(stock, _weights(measured, row.first_year + at, areas_m2, stock=True)),
                signed_share(net, _weights(measured, row.first_year + at, areas_m2)),
            )
            for at, (stock, net) in enumerate(zip(row.stock_kg, row.net_kg, strict=True))
        ]
        for n, child in enumerate(children):
            figures = {
                "run": row.run_id,
                "parent": sharing.parcel_id,
                "child": child,
                "first": row.first_year,
                "stock": [stock[n] for stock, _ in columns],
                "net": [net[n] for _, net in columns],
            }
            session.execute(_SHARE, figures)
            told += [
                _kg("net", str(row.run_id), row.first_year + at, child, net[n])
                for at, (_, net) in enumerate(columns)
            ]
    return told


def signed_share(total: int, weights: Sequence[int]) -> list[int]:
    """Share a figure that may be a loss; the parts have its sign and add up to it."""
    parts = largest_remainder(abs(int(total)), weights)
    return parts if total >= 0 else [-part for part in parts]


def _weights(
    measured: Measured | None, year: int, areas_m2: Sequence[float], *, stock: bool = False
) -> list[int]:
    """Return the weights of a year by assessment; by area where that has nothing to tell."""
    found: list[int] = []
    if measured is not None:
        at = year - measured.first_year
        inside = 0 <= at < measured.stock_kg.shape[1]
        stocks = [max(0, int(one)) for one in measured.stock_kg[:, at]] if inside else []
        found = stocks if stock else measured.weights(year)
    return found if any(found) else [round(area * 100) for area in areas_m2]


def _kg(what: str, ref: str, vintage: int, parcel_id: UUID, kg: int) -> SharedKg:
    return SharedKg(what=what, ref=ref, vintage=vintage, parcel_id=parcel_id, kg=kg)


def silent(_phase: str, _done: int = 0, _total: int = 0) -> None:
    """Say nothing: nobody is waiting on a job."""


_RUNS = text(
    "SELECT r.id, r.kind, r.project_id, r.layers, lower(r.years) AS first_year,"
    " upper(r.years) - 1 AS last_year, t.rows FROM assessment_run r"
    " JOIN cohort_table t ON t.digest = r.table_digest WHERE r.id IN ("
    " SELECT k.run_id FROM capacity k JOIN claim c ON c.id = k.claim_id"
    "  WHERE k.parcel_id = :parcel AND c.status = 'active'"
    " UNION SELECT e.run_id FROM period e JOIN assessment_series s ON s.run_id = e.run_id"
    "  WHERE s.parcel_id = :parcel AND e.status <> 'refused'"
    " UNION SELECT s.run_id FROM assessment_share s WHERE s.parcel_id = :parcel) ORDER BY r.id"
)
_CAPACITY = text(
    "SELECT claim_id, parcel_id, vintage, run_id, cap_kg FROM capacity"
    " WHERE claim_id = ANY(:claims) ORDER BY vintage, parcel_id, claim_id FOR UPDATE"
)
_RESERVED = text(
    "SELECT id, claim_id, vintage, holder_ref, kg, burned_kg FROM reservation"
    " WHERE claim_id = ANY(:claims) AND state IN ('held', 'burned')"
    " ORDER BY holder_ref, id FOR UPDATE"
)
_HAND_ON = text("UPDATE reservation SET state = 'shared' WHERE id = ANY(:ids)")
_PLACE = " WHERE claim_id = :claim AND parcel_id = :parcel AND vintage = :vintage"
_EMPTY = text("UPDATE capacity SET committed_kg = 0, cap_kg = 0, short_kg = 0" + _PLACE)
_FILL = text(
    "INSERT INTO capacity (claim_id, parcel_id, vintage, version, run_id, cap_kg)"
    " VALUES (:claim, :parcel, :vintage, 1, :run, :cap)"
)
_COMMIT = text("UPDATE capacity SET committed_kg = :kg" + _PLACE)
_SETTLE = text(
    "UPDATE capacity SET cap_kg = :cap, short_kg = greatest(committed_kg - :cap, 0)" + _PLACE
)
_TAKE = text(
    "INSERT INTO reservation (id, claim_id, parcel_id, vintage, kg, burned_kg, holder_ref, state)"
    " VALUES (:id, :claim, :parcel, :vintage, :kg, :burned, :holder, :state)"
)
_SERIES = text(
    # What a run says of the parcel, or what the parcel itself once took of its parent's.
    "SELECT run_id, first_year, stock_kg, net_kg FROM assessment_series"
    " WHERE parcel_id = :parcel AND run_id = ANY(:runs)"
    " UNION ALL SELECT run_id, first_year, stock_kg, net_kg FROM assessment_share"
    " WHERE parcel_id = :parcel ORDER BY run_id"
)
_SHARE = text(
    "INSERT INTO assessment_share (run_id, parent_id, parcel_id, first_year, stock_kg, net_kg)"
    " VALUES (:run, :parent, :child, :first, CAST(:stock AS bigint[]), CAST(:net AS bigint[]))"
)
