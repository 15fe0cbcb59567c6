"""Intervals of runs as they are kept: drawn once after a run, then shown beside its figures."""

from typing import Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

from registry import parameter_error
from registry.models import RunInterval as Kept
from registry.parameter_error import RunInterval
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


_READ: TypeAdapter[RunInterval] = TypeAdapter(RunInterval)
_NEWEST = text(
    "SELECT body FROM run_interval WHERE run_id = :run ORDER BY recorded_at DESC, id LIMIT 1"
)
_SAME = text(
    "SELECT body FROM run_interval WHERE run_id = :run AND seed = :seed AND draws = :draws LIMIT 1"
)
