"""A figure with all it stands on, in one file that anybody can compute again without a database.

The archive holds the boundary, the layers' cells under it, the tables' bits and the rows they came
from; `registry.replay` reads it.  Equal runs give equal bytes.
"""

import hashlib
import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo import cutout
from geo.export.geojson import to_geojson
from geo.raster import Layer as Raster
from geo.raster import write_cog
from registry import assessments, cohort_tables, layers, stocks, strata
from registry.assessments import Explanation
from registry.errors import NotFoundError, RegistryError
from registry.people import ActorView
from registry.pool_inputs import flow_rows
from registry.reads.scope import VISIBLE, scope_of
from sinks import tables
from sinks.cohorts import CohortTable

FORMAT: Final = 2
"""2 may hold pools apart: ``pools`` and ``given`` in the manifest, and their strata's table."""
MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
COHORTS: Final = "tables/cohorts.bin"
STRATA: Final = "tables/strata.bin"
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""Every member's time: the same figure gives the same bytes."""


class GeometryWithheldError(RegistryError):
    """The actor may know the parcel's figures, not its exact boundary."""

    code = "GEOMETRY_WITHHELD"


def may_have_geometry(session: Session, who: ActorView, parcel_id: UUID) -> bool:
    """Say whether an actor may have a parcel's exact boundary.

    Its staff, its owner, auditors, and a verifier where an approved project claims it.
    """
    given = {**scope_of(who).params(), "verifier": who.has("verifier"), "id": parcel_id}
    return bool(session.scalar(_EXACT, given))


def bundle(session: Session, who: ActorView, told: Explanation, *, layer_dir: Path) -> bytes:
    """Return a figure's archive.

    Parameters
    ----------
    told : how the figure came about, as `registry.assessments.explain` says it.
    layer_dir : folder in which layers are kept.

    Raises
    ------
    GeometryWithheldError : the actor has no right to the exact boundary.
    LayerChangedError : a layer's file is not the one of the run.
    """
    if not may_have_geometry(session, who, told.parcel_id):
        raise GeometryWithheldError(parcel=str(told.parcel_id))
    ground = session.execute(_GROUND, {"id": told.parcel_id, "version": told.version}).one()
    files = {
        "parcel.wkb": bytes(ground.wkb),
        "parcel.geojson": _json(
            to_geojson(
                np.array([shapely.from_wkb(bytes(ground.wkb))]), [{"parcel": str(told.parcel_id)}]
            )
        ),
        "series.json": _json(_series(session, told)),
        **_tables(session, told),
    }
    cuts, windows = _windows(session, told, bytes(ground.wkb), layer_dir)
    files |= windows
    files["README.md"] = _readme(told).encode()
    files[MANIFEST] = _json(_manifest(told, ground.area_m2, cuts, files))
    return packed(files)


def _windows(
    session: Session, told: Explanation, wkb: bytes, layer_dir: Path
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Cut the run's layers; return what is said of each cut, and the files."""
    used = {UUID(one["id"]): one["kind"] for one in told.run.layers}
    rasters = layers.rasters(session, list(used), layer_dir)
    said, files = [], {}
    for layer_id, kind in used.items():
        raster = rasters[layer_id]
        layers.require_unchanged(raster)
        view = layers.get(session, layer_id)
        part = cutout.cut(raster, np.array([shapely.from_wkb(wkb)]))
        name = f"layers/{kind}.tif" if part.cells.size else None
        if name is not None:
            files[name] = _cog(part, raster)
        said.append(
            {
                "kind": kind,
                "id": str(layer_id),
                "file_name": view.name,
                "year": view.year,
                "source": view.source,
                "licence": view.licence,
                "original_sha256": raster.sha256,
                "grid": layers.grid_text(raster.grid),
                "nodata": repr(raster.nodata),
                "row0": part.row0,
                "column0": part.column0,
                "rows": part.cells.shape[0],
                "columns": part.cells.shape[1],
                "cut": name,
                "cut_sha256": None if name is None else _sha256(files[name]),
            }
        )
    return said, files


def _cog(part: cutout.Cut, raster: Raster) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tanhui-cut-") as room:
        path = Path(room) / "cut.tif"
        tags = {"original_sha256": raster.sha256, "kind": raster.kind}
        nodata = raster.nodata
        assert nodata is not None  # noqa: S101 -- no layer is registered without
        write_cog(path, part.cells, grid=part.own_grid, nodata=nodata, tags=tags)
        return path.read_bytes()


def _tables(session: Session, told: Explanation) -> dict[str, bytes]:
    """Return the tables of the run that bear on this parcel, and the rows they were made from."""
    row = session.execute(_TABLE, {"digest": bytes.fromhex(told.run.table_digest)}).one()
    cells = zlib.decompress(row.cells)
    files = {COHORTS: cells}
    table = cohort_tables.stored(session, bytes.fromhex(told.run.table_digest))
    curves = {
        int(one["species"]): tables.lookup(tables.growth(), one["curve"])
        for one in row.rows
        if "species" in one
    }
    held = session.execute(_HELD, {"run": told.run.id, "parcel": told.parcel_id}).one()
    if told.run.strata_digest is not None:
        files[STRATA] = _strata(session, told, held, table).to_bytes()
    else:
        lost = stocks.loss_year(np.array(held.cohort, np.int32))
        for event in sorted({int(y) for y in lost if table.layer_year < y <= table.years[-1]}):
            again = cohort_tables.load(session, curves=curves, layer_year=event, years=table.years)
            files[f"tables/planted-{event}.bin"] = again.table.to_bytes()
    citations = tables.sources()
    files["tables/rows.json"] = _json(
        {
            "used": row.rows,
            "flows": [] if told.run.strata_digest is None else flow_rows(),
            "growth": [
                asdict(curve) | {"citation": citations.get(curve.source, "")}
                for _, curve in sorted(curves.items())
            ],
        }
    )
    return files


def _strata(
    session: Session, told: Explanation, held: Row[Any], table: CohortTable
) -> strata.StrataTable:
    """Return the part of the run's strata that the parcel's ground is spread over."""
    given = strata.given_of(told.given)
    spread = strata.spread_parcels(
        strata.histogram_of(held),
        {} if given is None else {0: given},
        layer_year=table.layer_year,
        last_year=table.years[-1],
    )
    whole = strata.stored(session, bytes.fromhex(told.run.strata_digest or ""))
    return whole.of(spread.strata)


def _series(session: Session, told: Explanation) -> dict[str, Any]:
    found = assessments.of_parcel(session, told.parcel_id, run_id=told.run.id)
    if found is None:
        raise NotFoundError(what="assessment", id=str(told.parcel_id))
    return {
        "years": [
            {"year": one.year, "stock_kg": one.stock_kg, "net_kg": one.net_kg}
            for one in found.years
        ],
        "flags": told.flags,
    }


def _manifest(
    told: Explanation, area_m2: float, cuts: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "run": str(told.run.id),
        "kind": told.run.kind,
        "parcel": str(told.parcel_id),
        "version": told.version,
        "year": told.year,
        "stock_kg": told.stock_kg,
        "net_kg": told.net_kg,
        "area_m2": repr(area_m2),
        "engine_version": told.run.engine_version,
        "code_revision": told.run.code_revision,
        "input_digest": told.run.input_digest,
        "table_digest": told.run.table_digest,
        "recorded_at": told.run.recorded_at.isoformat(),
        "layers": list(cuts),
        "pools": told.run.pools,
        "given": told.given,
        "tables": {
            name: _sha256(data) for name, data in sorted(files.items()) if name.endswith(".bin")
        },
    }


def _readme(told: Explanation) -> str:
    words = Template(
        (Path(__file__).resolve().parent / "bundle_readme.md").read_text(encoding="utf-8")
    )
    return words.substitute(
        parcel=told.parcel_id,
        version=told.version,
        year=told.year,
        kind={"forecast": "预测 forecast", "monitored": "监测 monitored"}[told.run.kind],
        stock_kg=f"{told.stock_kg:,}",
        net_kg=f"{told.net_kg:,}",
    )


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as one archive with their digests, whose own is its comment."""
    lines = [f"{_sha256(data)}  {name}\n" for name, data in sorted(files.items())]
    sums = "".join(lines).encode()
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*sorted(files.items()), (SUMS, sums)]:
            member = zipfile.ZipInfo(name, _MOMENT)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
        archive.comment = _sha256(sums).encode()
    return room.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, default=str).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_EXACT = text(
    f"SELECT EXISTS (SELECT FROM parcel p WHERE p.id = :id AND ({VISIBLE}"
    " OR (:verifier AND EXISTS (SELECT FROM claim c JOIN project j ON j.id = c.project_id"
    " WHERE c.parcel_id = p.id AND c.status = 'active' AND j.status = 'approved'))))"
)
_GROUND = text(
    "SELECT ST_AsBinary(geometry) AS wkb, area_m2 FROM parcel_version"
    " WHERE parcel_id = :id AND version = :version"
)
_TABLE = text("SELECT rows, cells FROM cohort_table WHERE digest = :digest")
_HELD = text(
    "SELECT h.cohort, h.area_dm2, h.nodata_dm2, h.outside_dm2 FROM assessment_run r"
    " JOIN assessment_series s ON s.run_id = r.id"
    " JOIN histogram h ON h.parcel_id = s.parcel_id AND h.version = s.version"
    " AND h.layer_set = r.layer_set WHERE r.id = :run AND s.parcel_id = :parcel"
)
