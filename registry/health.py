"""Whether the record is whole: counts that must be nought, and what the database is.

Everything here is recounted from rows; nothing is taken from a total that was kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.raster import file_sha256
from registry import jobs, layers, ledger, migrate

UNSEALED_AGE_S_MAX: Final = 300.0
"""A worker seals every few seconds: an event that waits for minutes says that none runs."""
OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: its name, whether it holds, and the figure it was judged by."""

    name: str
    holds: bool
    figure: str


def record_checks(session: Session) -> tuple[Check, ...]:
    """Return the checks of the schema and of every sum that must be the sum of its parts."""
    return tuple(check(session) for check in _RECORD)


def running_checks(session: Session) -> tuple[Check, ...]:
    """Return the checks of what should be going on beside the web: sealing and long work."""
    return (_unsealed(session), _stalled(session))


def layer_check(session: Session, folder: Path) -> Check:
    """Return whether every layer's file is in ``folder`` with the bytes it is known by."""
    known = sorted({view.sha256 for view in layers.listing(session)})
    wrong = [one for one in known if not _is_whole(layers.layer_path(folder, one), one)]
    words = ", ".join(one[:12] for one in wrong[:5])
    return Check(
        name="layer_files",
        holds=not wrong,
        figure=f"{len(known) - len(wrong)}/{len(known)}" + (f": {words}" if wrong else ""),
    )


def key_check(folder: Path) -> Check:
    """Return whether only their owner can read the keys in ``folder``."""
    found = sorted(path for path in folder.glob("*") if path.is_file())
    open_ = [path.name for path in found if path.stat().st_mode & OTHERS]
    return Check(
        name="key_files",
        holds=not open_,
        figure=f"{len(found)}" + (f": {', '.join(open_)}" if open_ else ""),
    )


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def _schema(session: Session) -> Check:
    found = MigrationContext.configure(session.connection()).get_current_revision()
    return Check(
        name="schema", holds=found == migrate.head(), figure=f"{found or '-'} / {migrate.head()}"
    )


def _versions(session: Session) -> Check:
    row = session.execute(
        text(
            "SELECT current_setting('server_version') AS server, postgis_lib_version() AS postgis,"
            " postgis_geos_version() AS geos, postgis_proj_version() AS proj"
        )
    ).one()
    proj = str(row.proj).split()[0]
    words = f"PostgreSQL {row.server}, PostGIS {row.postgis}, GEOS {row.geos}, PROJ {proj}"
    return Check(name="versions", holds=int(row.postgis.split(".")[0]) >= 3, figure=words)  # noqa: PLR2004


def _trial(session: Session) -> Check:
    sums = ledger.trial_balance(session)
    return Check(
        name="trial_balance",
        holds=not any(sums.values()),
        figure=", ".join(f"{asset} {total}" for asset, total in sorted(sums.items())) or "0",
    )


def _drift(session: Session) -> Check:
    return _nought("ledger_drift", len(ledger.drift(session)))


def _count(name: str, statement: str) -> Callable[[Session], Check]:
    def check(session: Session) -> Check:
        return _nought(name, int(session.scalar(text(statement)) or 0))

    return check


def _nought(name: str, count: int) -> Check:
    return Check(name=name, holds=count == 0, figure=str(count))


def _unsealed(session: Session) -> Check:
    row = session.execute(
        text(
            "SELECT count(*) AS waiting,"
            " coalesce(extract(epoch FROM clock_timestamp() - min(e.recorded_at)), 0)::float8"
            "   AS age"
            " FROM event e WHERE NOT EXISTS (SELECT FROM event_seal s WHERE s.event_id = e.id)"
        )
    ).one()
    return Check(
        name="unsealed",
        holds=row.age <= UNSEALED_AGE_S_MAX,
        figure=f"{row.waiting}, {row.age:.0f} s",
    )


def _stalled(session: Session) -> Check:
    count = session.scalar(
        text(
            "SELECT count(*) FROM procrastinate_jobs j"
            " LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' AND (w.id IS NULL"
            "   OR w.last_heartbeat < now() - make_interval(secs => :stalled))"
        ),
        {"stalled": jobs.STALLED_AFTER_S},
    )
    return _nought("stalled_jobs", int(count or 0))


_RECORD: Final[Iterable[Callable[[Session], Check]]] = (
    _schema,
    _versions,
    _trial,
    _drift,
    _count("parcel_cells", "SELECT parcel_cells_astray()"),
    _count(
        "batches_complete",
        "SELECT count(*) FROM batch b WHERE size_kg <> (SELECT coalesce(sum(upper(serials)"
        " - lower(serials)), 0) FROM unit_range WHERE batch_id = b.id AND closed_by IS NULL)",
    ),
    _count(
        "units_match_accounts",
        "SELECT count(*) FROM account a WHERE asset = 'kg' AND NOT overdraft AND balance <>"
        " (SELECT coalesce(sum(upper(serials) - lower(serials)), 0) FROM unit_range"
        "   WHERE account_id = a.id AND closed_by IS NULL)",
    ),
    _count(
        "capacity_sums",
        "SELECT count(*) FROM capacity c WHERE committed_kg <> (SELECT coalesce(sum(kg), 0)"
        " FROM reservation r WHERE (r.claim_id, r.parcel_id, r.vintage)"
        "   = (c.claim_id, c.parcel_id, c.vintage) AND r.state <> 'released')",
    ),
)
