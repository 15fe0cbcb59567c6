"""Intervals of runs as they are kept: drawn once after a run, then shown beside its figures."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import parameter_error
from registry.models import RunInterval as Kept
from registry.parameter_error import Interval, RunInterval, YearInterval
from sinks import monte_carlo

SEED_BYTES: Final = 4


def seed_of(input_digest: str) -> int:
    """Return the seed of a run's own interval: nobody chooses it, anybody finds it again."""
    return int.from_bytes(bytes.fromhex(input_digest)[:SEED_BYTES])


def keep(
    session: Session,
    run_id: UUID,
    *,
    seed: int,
    actor_id: UUID,
    draws: int = monte_carlo.DRAWS,
) -> RunInterval:
    """Draw a run's interval and keep it; one that is kept already is not drawn again.

    Raises
    ------
    NotFoundError : there is no such run.
    InvalidValueError : a number of draws nobody waits for.
    """
    asked = {"run": run_id, "seed": seed, "draws": draws}
    found = session.scalar(_SAME, asked)
    if found is not None:
        return _READ.validate_python(found)
    told = parameter_error.interval(session, run_id, seed=seed, draws=draws)
    session.add(
        Kept(
            id=uuid4(),
            run_id=run_id,
            seed=seed,
            draws=draws,
            body=_READ.dump_python(told, mode="json"),
            actor_id=actor_id,
        )
    )
    session.flush()
    return told


def of_run(session: Session, run_id: UUID) -> RunInterval | None:
    """Return the newest interval kept of a run, or None where none was made."""
    found = session.scalar(_NEWEST, {"run": run_id})
    return None if found is None else _READ.validate_python(found)


def of_parcel(session: Session, run_id: UUID, parcel_id: UUID) -> RunInterval | None:
    """Return a parcel's interval in a run by the run's own draws; None where none was made."""
    kept = of_run(session, run_id)
    if kept is None:
        return None
    return parameter_error.interval(
        session, run_id, seed=kept.seed, draws=kept.draws, parcel_id=parcel_id
    )


def of_parcels(
    session: Session, parcel_ids: Sequence[UUID], *, kind: Literal["forecast", "monitored"]
) -> dict[int, YearInterval]:
    """Return by year the interval of parcels together, each by its latest run of the kind.

    The draws are those of the newest of these runs that has an interval; none, where none has.
    """
    runs: dict[UUID, list[UUID]] = {}
    for row in session.execute(_LATEST, {"ids": list(parcel_ids), "kind": kind}):
        runs.setdefault(row.run_id, []).append(row.parcel_id)
    kept = next((one for run_id in runs if (one := of_run(session, run_id)) is not None), None)
    if kept is None:
        return {}
    ends = parameter_error.many_years(session, runs, seed=kept.seed, draws=kept.draws)
    asked = {"runs": list(runs), "ids": list(parcel_ids), "kind": kind}
    sums = {row.year: row for row in session.execute(_SUMS, asked)}
    return {
        year: YearInterval(
            year=year,
            stock=Interval(kg=int(sums[year].stock_kg), low_kg=stock[0], high_kg=stock[1]),
            net=Interval(kg=int(sums[year].net_kg), low_kg=net[0], high_kg=net[1]),
        )
        for year, (stock, net) in ends.items()
        if year in sums
    }


_LATEST_RUN = (
    "SELECT DISTINCT ON (s.parcel_id) s.parcel_id, s.run_id, r.recorded_at"
    " FROM assessment_series s JOIN assessment_run r ON r.id = s.run_id AND r.kind = :kind"
    " WHERE s.parcel_id = ANY (:ids) ORDER BY s.parcel_id, r.recorded_at DESC, r.id"
)
_LATEST = text(
    f"SELECT run_id, parcel_id FROM ({_LATEST_RUN}) l ORDER BY recorded_at DESC, run_id, parcel_id"
)
_SUMS = text(
    "SELECT a.year, sum(a.stock_kg) AS stock_kg, sum(a.net_kg) AS net_kg"
    f" FROM ({_LATEST_RUN}) l JOIN assessment a ON a.run_id = l.run_id"
    " AND a.parcel_id = l.parcel_id WHERE a.run_id = ANY (:runs) GROUP BY 1"
)
_READ: TypeAdapter[RunInterval] = TypeAdapter(RunInterval)
_NEWEST = text(
    "SELECT body FROM run_interval WHERE run_id = :run ORDER BY recorded_at DESC, id LIMIT 1"
)
_SAME = text(
    "SELECT body FROM run_interval WHERE run_id = :run AND seed = :seed AND draws = :draws LIMIT 1"
)
