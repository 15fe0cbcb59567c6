"""Ground of lots that is split or joined: its place in them, and what was pre-stored, is handed on.

Registry shares capacity, reservations and figures; here follow the lots, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Json
from pydantic import TypeAdapter
from sqlalchemy import Engine, Row, text
from sqlalchemy.orm import Session

from geo.editing import Edited
from options.books import Shelf
from registry import estimation, ground_shares, jobs, parcel_edits
from registry.covering import Say
from registry.db import attempt, transaction
from registry.ground_shares import Sharing
from registry.parcel_edits import MergeParcels, ParcelsEdited, SplitParcel
from sinks.issuance import largest_remainder

TASK: Final = "split_shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAsked:
    """The job that measures the parts and splits."""

    job_id: UUID


def split(session: Session, command: SplitParcel, sharing: Sharing | None = None) -> ParcelsEdited:
    """Cut a parcel in parts, which take its place in lots.

    Raises
    ------
    registry.ground_claims.ParcelObligedError : tonnes are sold ahead or issued, and ``sharing``
        does not say how the parts share them.
    """
    lots = _lots(session, [command.parcel_id])
    done = parcel_edits.split(session, command, sharing)
    _hand_on(session, lots, done)
    return done


def merge(session: Session, command: MergeParcels) -> ParcelsEdited:
    """Join neighbours of one owner, kind and lot into one parcel, which takes their place."""
    lots = _lots(session, [one.parcel_id for one in command.parcels])
    done = parcel_edits.merge(session, command)
    _hand_on(session, lots, done)
    return done


def split_measured(
    session: Session, command: SplitParcel, *, engine: Engine, layer_dir: Path
) -> ParcelsEdited:
    """Measure the parts against the layers of every run that stands on the parcel, then split.

    Nobody changes the parcel meanwhile; a job measures with nothing locked instead.

    Parameters
    ----------
    engine : of the database the layers are read from, by connections of its own.
    """
    parts = parcel_edits.parts_of(session, command)
    sharing = _shares(engine, command, parts, layer_dir, ground_shares.silent)
    return _split_and_ask(session, command, sharing=sharing)


def request(session: Session, command: SplitParcel) -> SplitAsked:
    """Ask for a split whose parts share what rests on the ground: measured first, so a job.

    Raises
    ------
    VersionConflictError, GeometryError : it could not be split so even now.
    """
    parcel_edits.parts_of(session, command)
    body = _COMMAND.dump_python(command, mode="json")
    return SplitAsked(job_id=jobs.enqueue(session, command, TASK, body))


def register_task(layer_dir: Path) -> None:
    """Let workers of this process do such splits with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir))


def _work(layer_dir: Path, running: jobs.Running) -> Mapping[str, object]:
    command = _COMMAND.validate_python(running.arguments)
    running.progress("reading")
    with transaction(running.engine, actor_id=command.actor_id) as session:
        parts = parcel_edits.parts_of(session, command)
    sharing = _shares(running.engine, command, parts, layer_dir, running.progress)
    running.progress("writing")

    def finish(session: Session) -> Mapping[str, object]:
        done = _split_and_ask(session, command, sharing=sharing)
        result: Mapping[str, object] = _RESULT.dump_python(done, mode="json")
        running.close(session, result)
        return result

    return attempt(running.engine, finish, actor_id=command.actor_id)


def _shares(
    engine: Engine, command: SplitParcel, parts: Edited, layer_dir: Path, say: Say
) -> Sharing:
    return ground_shares.measure(
        engine,
        command,
        parcel_id=command.parcel_id,
        pieces=parts.pieces,
        areas_m2=parts.areas_m2,
        layer_dir=layer_dir,
        say=say,
    )


def _split_and_ask(session: Session, command: SplitParcel, *, sharing: Sharing) -> ParcelsEdited:
    """Split, and ask for the children's own runs, which later caps are set by."""
    done = split(session, command, sharing)
    children = tuple(state.parcel_id for state in done.parcels)
    for run in session.execute(_RUNS, {"runs": list(sharing.runs)}).all():
        estimation.request(
            session,
            estimation.AssessParcels(
                at=command.at,
                actor_id=command.actor_id,
                key=f"{command.key}:assess:{run.id}",
                kind=run.kind,
                first_year=run.first_year,
                last_year=run.last_year,
                parcel_ids=children,
                layer_ids=tuple(UUID(one["id"]) for one in run.layers),
                curves={one["species"]: one["curve"] for one in run.rows if "curve" in one},
                programme_id=run.programme_id,
            ),
        )
    return done


def _lots(session: Session, parcels: Sequence[UUID]) -> Sequence[Row[Any]]:
    return session.execute(_LOTS, {"ids": list(parcels)}).all()


def _hand_on(session: Session, lots: Sequence[Row[Any]], done: ParcelsEdited) -> None:
    """Put the children in their parents' place in lots; the database checks the sums."""
    children = [state.parcel_id for state in done.parcels]
    areas = [round(state.area_m2 * 100) for state in done.parcels]
    for row in lots:
        supply = [
            {"vintage": one.vintage, "parcel": str(child), "units": units}
            for one in session.execute(_SUPPLY, {"lot": row.lot, "parcel": row.parcel})
            for child, units in zip(
                children,
                _shared(one.units, Shelf(lot_id=row.lot, vintage=one.vintage), done, areas),
                strict=True,
            )
        ]
        claims = session.execute(
            _CLAIMS, {"lot": row.lot, "parcel": row.parcel, "children": children}
        )
        heirs = {one.parcel_id: one.id for one in claims}
        session.execute(
            _HAND_ON,
            {
                "parent": row.parcel,
                "lot": row.lot,
                "children": children,
                "claims": [heirs.get(child) for child in children],
                "supply": Json(supply),
            },
        )


def _shared(units: int, shelf: Shelf, done: ParcelsEdited, areas: Sequence[int]) -> list[int]:
    """Share what was pre-stored as its reservation was; by area where none is left."""
    taken = {
        one.parcel_id: one.kg
        for one in done.shared
        if (one.what, one.ref) == ("reservation", shelf.ref)
    }
    weights = [taken.get(state.parcel_id, 0) for state in done.parcels]
    return largest_remainder(units, weights if any(weights) else areas)


_COMMAND: TypeAdapter[SplitParcel] = TypeAdapter(SplitParcel)
_RESULT: TypeAdapter[ParcelsEdited] = TypeAdapter(ParcelsEdited)
_LOTS = text("SELECT parcel, lot FROM lots_of_ground(:ids)")
_SUPPLY = text(
    "SELECT vintage, units FROM lot_supply WHERE lot_id = :lot AND parcel_id = :parcel"
    " ORDER BY vintage"
)
_CLAIMS = text(
    "SELECT c.parcel_id, c.id FROM lot_parcel x JOIN claim o ON o.id = x.claim_id"
    " JOIN claim c ON c.scheme = o.scheme AND c.years = o.years AND c.status = 'active'"
    " AND c.project_id IS NOT DISTINCT FROM o.project_id"
    " WHERE x.lot_id = :lot AND x.parcel_id = :parcel AND c.parcel_id = ANY(:children)"
)
_HAND_ON = text(
    "SELECT share_lot_ground(:parent, :lot, CAST(:children AS uuid[]), CAST(:claims AS uuid[]),"
    " CAST(:supply AS jsonb))"
)
_RUNS = text(
    "SELECT r.id, r.kind, r.layers, lower(r.years) AS first_year, upper(r.years) - 1 AS last_year,"
    " t.rows, j.programme_id FROM assessment_run r JOIN cohort_table t ON t.digest = r.table_digest"
    " LEFT JOIN project j ON j.id = r.project_id WHERE r.id = ANY(:runs) ORDER BY r.id"
)
