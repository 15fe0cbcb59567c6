"""What a run is asked for and what it reads before it computes: parcels, layers, tables."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from geo.raster import Layer as Raster
from geo.raster import require_aligned
from geo.zonal import Histogram
from registry import cohort_tables, layers, pool_inputs
from registry.canonical import digest
from registry.cohort_tables import ENGINE_VERSION, SCHEME, UsedTable
from registry.db import Command
from registry.divisions import subtree_prefix
from registry.errors import InvalidValueError, NotFoundError, RegistryError
from registry.pool_inputs import Pooling
from sinks.tables.rows import GrowthRow

MOST_YEARS: Final = 200
NEEDED: Final = ("species", "age")
USED: Final = (*NEEDED, "site", "disturbance")

Kind = Literal["forecast", "monitored"]


class NothingToAssessError(RegistryError):
    """No approved parcel is in what was asked for."""

    code = "ASSESS_NOTHING"


class LayerMissingError(RegistryError):
    """A layer that every run needs was not given and is not there."""

    code = "LAYER_MISSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessParcels(Command):
    """A run over parcels named by id, or a project's, or the approved ones of a division or all.

    Without ``layer_ids`` the newest layer of each kind is used; ``curves`` puts a growth curve
    (key of ``sinks/tables/growth.csv``) over the default one of a species code. A project's
    programme says which pools count; ``programme_id`` names one for a run without a project.
    """

    kind: Kind
    first_year: int
    last_year: int
    parcel_ids: tuple[UUID, ...] = ()
    project_id: UUID | None = None
    division_code: str | None = None
    layer_ids: tuple[UUID, ...] = ()
    curves: Mapping[int, str] = field(default_factory=dict)
    programme_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessReport:
    """A run, made now or found: the same inputs have one run."""

    run_id: UUID
    reused: bool
    parcels: int
    first_year: int
    last_year: int
    net_kg: int
    histograms_made: int
    flagged: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcels:
    """The parcels of a run in the order of their ids."""

    ids: list[UUID]
    versions: list[int]
    wkb: list[bytes]
    area_m2: NDArray[np.float64]
    recorded_age_yr: NDArray[np.float64]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """All that the first trip brought."""

    parcels: Parcels
    layer_ids: dict[str, UUID]
    rasters: dict[str, Raster]
    layer_set: bytes
    curves: dict[int, GrowthRow]
    used: UsedTable
    known: dict[tuple[UUID, int], Histogram]
    pooling: Pooling | None
    input_digest: bytes
    found: AssessReport | None


def check(command: AssessParcels) -> None:
    """Refuse years that make no run, and more than one scope.

    Raises
    ------
    InvalidValueError
    """
    years = command.last_year - command.first_year + 1
    if not 0 < years <= MOST_YEARS:
        value = f"{command.first_year}-{command.last_year}"
        raise InvalidValueError(field="years", value=value, why=f"1-{MOST_YEARS}")
    if command.kind == "monitored" and command.last_year > command.at.year:
        raise InvalidValueError(
            field="years", value=command.last_year, why=f"monitored <= {command.at.year}"
        )
    scopes = (command.parcel_ids, command.project_id, command.division_code)
    if sum(map(bool, scopes)) > 1:
        raise InvalidValueError(field="scope", value="2", why="parcels | project | division")
    if command.project_id is not None and command.programme_id is not None:
        raise InvalidValueError(field="programme_id", value=command.programme_id, why="project")


def read(session: Session, command: AssessParcels, layer_dir: Path) -> Inputs:
    """Read all that a run needs: the first of its three trips."""
    layer_ids = _choose_layers(session, command.layer_ids)
    rasters = layers.rasters(session, list(layer_ids.values()), layer_dir)
    by_kind = {kind: rasters[layer_ids[kind]] for kind in layer_ids}
    require_aligned(list(by_kind.values()))
    layer_year = by_kind["age"].year
    assert layer_year is not None  # noqa: S101 -- the column is not null
    layer_set = digest(
        {
            "layers": {kind: one.sha256 for kind, one in by_kind.items()},
            "nodata": {kind: repr(one.nodata) for kind, one in by_kind.items()},
            "bands": {kind: one.band for kind, one in by_kind.items()},
            "scheme": [SCHEME.n_species, list(SCHEME.sites), SCHEME.n_age],
            "engine_version": ENGINE_VERSION,
        }
    )
    curves = cohort_tables.chosen_curves(command.curves)
    span = range(command.first_year - 1, command.last_year + 1)
    used = cohort_tables.load(session, curves=curves, layer_year=layer_year, years=span)
    parcels = _parcels(session, command, layer_year)
    pooling = pool_inputs.read(
        session,
        project_id=command.project_id,
        programme_id=command.programme_id,
        at=command.at,
        parcels=list(zip(parcels.ids, parcels.versions, strict=True)),
        monitored=command.kind == "monitored",
        last_year=command.last_year,
    )
    asked: dict[str, object] = {
        "kind": command.kind,
        "project": command.project_id,
        "years": [command.first_year, command.last_year],
        "layer_set": layer_set,
        "layer_year": layer_year,
        "table": used.digest,
        "table_key": used.key,
        "engine_version": ENGINE_VERSION,
        "parcels": parcels.digest,
    }
    if pooling is not None:
        asked["pools"] = pooling.digest
    input_digest = digest(asked)
    found = run_of(session, input_digest)
    return Inputs(
        parcels=parcels,
        layer_ids=layer_ids,
        rasters=by_kind,
        layer_set=layer_set,
        curves=curves,
        used=used,
        known={} if found else known_histograms(session, parcels, layer_set),
        pooling=pooling,
        input_digest=input_digest,
        found=found,
    )


def _choose_layers(session: Session, chosen: Sequence[UUID]) -> dict[str, UUID]:
    """Return the layer of each kind: those given, or the newest of every kind the model uses."""
    if chosen:
        kinds = [layers.get(session, one).kind for one in chosen]
        found = {k: one for k, one in zip(kinds, chosen, strict=True) if k in USED}
    else:
        found = {}
        for view in layers.listing(session):
            if view.kind in USED:
                found.setdefault(view.kind, view.id)
    for kind in NEEDED:
        if kind not in found:
            raise LayerMissingError(kind=kind)
    return {kind: found[kind] for kind in USED if kind in found}


def _parcels(session: Session, command: AssessParcels, layer_year: int) -> Parcels:
    rows = session.execute(*_scope(command)).mappings().all()
    missing = set(command.parcel_ids) - {row["parcel_id"] for row in rows}
    for parcel_id in sorted(missing):
        raise NotFoundError(what="parcel", id=str(parcel_id))
    if not rows:
        raise NothingToAssessError(
            project=command.project_id and str(command.project_id), division=command.division_code
        )
    ages = [recorded_age(row, layer_year) for row in rows]
    names = hashlib.sha256()
    for row, age in zip(rows, ages, strict=True):
        names.update(row["parcel_id"].bytes + bytes(row["shape_digest"]))
        names.update(f"{row['version']} {age}\n".encode())
    return Parcels(
        ids=[row["parcel_id"] for row in rows],
        versions=[row["version"] for row in rows],
        wkb=[bytes(row["wkb"]) for row in rows],
        area_m2=np.array([row["area_m2"] for row in rows], np.float64),
        recorded_age_yr=np.array([np.nan if a is None else a for a in ages], np.float64),
        digest=names.hexdigest(),
    )


def _scope(command: AssessParcels) -> tuple[Any, dict[str, object]]:
    if command.parcel_ids:
        return text(f"{_PARCEL} WHERE p.id = ANY (:ids) ORDER BY 1"), {
            "ids": list(command.parcel_ids)
        }
    if command.project_id is not None:
        return _CLAIMED, {"project": command.project_id}
    code = command.division_code
    return _APPROVED, {"prefix": subtree_prefix(code) + "%" if code else "%"}


def recorded_age(row: Mapping[str, Any] | RowMapping, layer_year: int) -> int | None:
    """Return the age at the layer's year that an approved record states, if it states one."""
    if row["status"] != "approved":
        return None
    planted, age, surveyed = (
        _whole(row[name]) for name in ("planting_year", "record_age", "record_year")
    )
    if planted is not None:
        return layer_year - planted
    return None if age is None else age + layer_year - (surveyed or layer_year)


def _whole(words: str | None) -> int | None:
    """Return the whole number at the head of an attribute, if there is one."""
    head = (words or "").strip()[:4]
    return int(head) if head.isdecimal() else None


def run_of(session: Session, input_digest: bytes) -> AssessReport | None:
    """Return the run that was made of these inputs, if there is one."""
    row = session.execute(_RUN, {"digest": input_digest}).mappings().first()
    if row is None:
        return None
    return AssessReport(
        run_id=row["id"],
        reused=True,
        parcels=row["parcels"],
        first_year=row["years"].lower,
        last_year=row["years"].upper - 1,
        net_kg=row["net_kg"],
        histograms_made=0,
        flagged={flag.code: flag.parcels for flag in session.execute(_FLAGS, {"run": row["id"]})},
    )


def known_histograms(
    session: Session, parcels: Parcels, layer_set: bytes
) -> dict[tuple[UUID, int], Histogram]:
    """Return the stored histograms of these parcel versions."""
    rows = session.execute(
        _KNOWN, {"set": layer_set, "ids": parcels.ids, "versions": parcels.versions}
    )
    return {
        (row.parcel_id, row.version): Histogram(
            start=np.array([0, len(row.cohort)], np.int64),
            cohort=np.array(row.cohort, np.int32),
            area_dm2=np.array(row.area_dm2, np.int64),
            nodata_dm2=np.array([row.nodata_dm2], np.int64),
            outside_dm2=np.array([row.outside_dm2], np.int64),
        )
        for row in rows
    }


_PARCEL = (
    "SELECT v.parcel_id, v.version, ST_AsBinary(v.geometry) AS wkb, v.area_m2, v.shape_digest,"
    " p.status, v.attributes ->> 'planting_year' AS planting_year,"
    " coalesce(v.attributes ->> 'pingjun_nl', v.attributes ->> 'age') AS record_age,"
    " v.attributes ->> 'surveyed_on' AS record_year"
    " FROM parcel p JOIN parcel_version v ON v.parcel_id = p.id AND v.version = p.version"
)
_APPROVED = text(
    f"{_PARCEL} WHERE p.status = 'approved' AND (:prefix = '%' OR p.division_code LIKE :prefix)"
    " ORDER BY 1"
)
_CLAIMED = text(
    _PARCEL.replace("v.version = p.version", "v.version = c.version").replace(
        "FROM parcel p",
        "FROM (SELECT DISTINCT ON (parcel_id) parcel_id, version FROM claim WHERE"
        " project_id = :project AND status = 'active' ORDER BY parcel_id, version DESC) c"
        " JOIN parcel p ON p.id = c.parcel_id",
    )
    + " ORDER BY 1"
)
_RUN = text("SELECT id, parcels, years, net_kg FROM assessment_run WHERE input_digest = :digest")
_FLAGS = text(
    "SELECT f ->> 'code' AS code, count(DISTINCT parcel_id) AS parcels FROM assessment_series,"
    " jsonb_array_elements(flags) AS f WHERE run_id = :run GROUP BY 1 ORDER BY 1"
)
_KNOWN = text(
    "SELECT h.parcel_id, h.version, h.cohort, h.area_dm2, h.nodata_dm2, h.outside_dm2"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS w(id, version)"
    " JOIN histogram h ON h.parcel_id = w.id AND h.version = w.version AND h.layer_set = :set"
)
