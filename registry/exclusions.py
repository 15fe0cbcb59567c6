"""Exclusion layers: basic farmland, red line and wetland, as polygons with the file's digest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import uuid4

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.intake import Intake
from registry import events
from registry.db import Command
from registry.errors import InvalidValueError

ExclusionKind = Literal["basic_farmland", "red_line", "wetland"]
KINDS: Final[tuple[ExclusionKind, ...]] = ("basic_farmland", "red_line", "wetland")
NAME_FIELDS: Final = ("name", "名称", "project", "MC")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadExclusion(Command):
    """Load a file as an exclusion layer; ``years`` inclusive, None for always."""

    kind: ExclusionKind
    file_name: str
    file_sha256: str
    years: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionLoaded:
    """What became of a layer: ``read = loaded + skipped``; ``new`` is False for a known file."""

    read: int
    loaded: int
    skipped: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedLayer:
    """A loaded file: how many shapes, in which years they count (None: always)."""

    kind: str
    sha256: str
    name: str
    shapes: int
    years: str | None


def listing(session: Session) -> list[LoadedLayer]:
    """Return the loaded files by kind."""
    return [LoadedLayer(**row._asdict()) for row in session.execute(_LISTING)]


def load(session: Session, command: LoadExclusion, intake: Intake) -> ExclusionLoaded:
    """Load every shape of an examined file that has ground; a known file is not loaded twice.

    Read leniently: polygons that overlap or cross themselves still exclude the ground they cover.

    Raises
    ------
    InvalidValueError : no such kind of layer, or the years are the wrong way round.
    """
    if command.kind not in KINDS:
        raise InvalidValueError(field="kind", value=command.kind, why=" / ".join(KINDS))
    if command.years is not None and command.years[0] > command.years[1]:
        raise InvalidValueError(field="years", value=command.years, why="from <= to")
    sha256 = bytes.fromhex(command.file_sha256)
    key = {"kind": command.kind, "sha256": sha256}
    session.execute(_LOCK, {"name": f"exclusion:{command.kind}:{command.file_sha256}"})
    known: int = session.scalar(_KNOWN, key) or 0
    if known:
        return ExclusionLoaded(
            read=intake.read, loaded=known, skipped=intake.read - known, new=False
        )
    rows = [
        key
        | {
            "id": uuid4(),
            "name": shape_name(intake, row, command.file_name),
            "first": command.years and command.years[0],
            "end": command.years and command.years[1] + 1,
            "wkb": shapely.to_wkb(ground),
        }
        for row, ground in shapes(intake)
    ]
    if rows:
        session.execute(_INSERT, rows)
    loaded = ExclusionLoaded(
        read=intake.read, loaded=len(rows), skipped=intake.read - len(rows), new=True
    )
    events.record(
        session,
        command,
        kind="exclusion.loaded",
        subject=("exclusion", command.file_sha256),
        body={"kind": command.kind, "file": command.file_name, "loaded": len(rows)},
    )
    return loaded


def shapes(intake: Intake) -> Iterator[tuple[int, Any]]:
    """Yield (position in the file, MultiPolygon) of every row that has ground, mended if needed."""
    for row, geometry in enumerate(intake.geometry):
        if geometry is None:
            continue
        flat = shapely.force_2d(geometry)
        sound = flat if shapely.is_valid(flat) else shapely.make_valid(flat)
        parts = [part for part in _polygons(sound) if part.area > 0]
        if parts:
            yield row, shapely.MultiPolygon(parts)


def shape_name(intake: Intake, row: int, fallback: str) -> str:
    """Return what a row of a layer is called."""
    attributes = intake.attributes[row]
    for field in NAME_FIELDS:
        if str(attributes.get(field) or "").strip():
            return str(attributes[field]).strip()
    return f"{fallback} #{int(intake.rows[row])}"


def _polygons(geometry: Any) -> Iterator[Any]:  # noqa: ANN401 -- shapely is untyped
    if geometry.geom_type == "Polygon":
        yield geometry
    elif hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from _polygons(part)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_LISTING = text(
    "SELECT kind, encode(layer_sha256, 'hex') AS sha256, min(name) AS name, count(*) AS shapes,"
    " min(years::text) AS years FROM exclusion GROUP BY kind, layer_sha256"
    " ORDER BY kind, min(name)"
)
_KNOWN = text("SELECT count(*) FROM exclusion WHERE kind = :kind AND layer_sha256 = :sha256")
_INSERT = text(
    "INSERT INTO exclusion (id, kind, name, layer_sha256, years, geometry) VALUES (:id, :kind,"
    " :name, :sha256, CASE WHEN CAST(:first AS int4) IS NULL THEN NULL"
    " ELSE int4range(CAST(:first AS int4), CAST(:end AS int4)) END,"
    " ST_GeomFromWKB(:wkb, 4490))"
)
