"""GeoPackage and Shapefile through GDAL, with our own view of encoding, index and reference."""

import math
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import FileError
from geo.findings import Finding, refused, warning
from geo.vector.aliases import with_long_names
from geo.vector.dbf import encoding_of_cpg, guess_encoding
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.rings import Shape
from geo.vector.text import check_encoding
from geo.vector.wkb import shape_from_wkb

OWN_SIDE_LAYERS: Final = frozenset({"neighbours", "layer_styles"})
"""Layers that our own export puts beside the parcels, to be looked at and not imported."""

_FAILURES_MAX: Final = 200
_SIDECARS: Final = (".shx", ".dbf", ".prj", ".cpg")
_POLYGONAL: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@contextmanager
def _gdal(name: str) -> Iterator[None]:
    """Turn GDAL's failures into ours and keep its remarks out of the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (DataSourceError, DataLayerError, ValueError, RuntimeError) as error:
            raise FileError("FILE_UNREADABLE", name=name, reason=str(error)[:200]) from error


def _plain(value: object) -> object:
    """One attribute as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind in "biufUS" else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    return None if value == "NaT" else value


def _clean(blobs: NDArray[np.object_], limits: Limits) -> tuple[NDArray[np.object_], Any]:
    """Parse what GEOS takes; say which rows need no second look at their bytes."""
    parsed = shapely.from_wkb(blobs, on_invalid="ignore")
    good = np.isin(shapely.get_type_id(parsed), _POLYGONAL) & ~shapely.is_empty(parsed)
    counts = shapely.get_num_coordinates(parsed)
    good &= (counts > 0) & (counts <= limits.vertices_per_feature)
    xy, owner = shapely.get_coordinates(parsed, return_index=True)
    good[owner[~np.isfinite(xy).all(axis=1)]] = False
    return parsed, good


def features_from_wkb(
    names: Sequence[str],
    blobs: Any,  # noqa: ANN401 -- arrays of GDAL
    columns: Any,  # noqa: ANN401
    limits: Limits,
) -> list[RawFeature]:
    """Make features of columns: geometry as well-known binary, one list of values a name."""
    count = len(blobs) if blobs is not None else 0
    parsed, good = _clean(np.asarray(blobs, dtype=object), limits) if count else ([], [])
    deep = shapely.has_z(parsed) if count else []
    flat = shapely.force_2d(parsed) if count else []
    found = []
    for n in range(count):
        attributes = {name: _plain(column[n]) for name, column in zip(names, columns, strict=True)}
        if good[n]:
            shape = Shape(geometry=flat[n], dropped_dimension=bool(deep[n]))
        else:
            shape = shape_from_wkb(n + 1, blobs[n], vertices_max=limits.vertices_per_feature)
        found.append(
            RawFeature(
                row=n + 1,
                geometry=shape.geometry,
                faults=shape.faults,
                attributes=attributes,
                dropped_dimension=shape.dropped_dimension,
            )
        )
    return found


def _read_layer(
    path: Path, name: str, *, layer: str | None, encoding: str | None, limits: Limits
) -> tuple[dict[str, Any], list[RawFeature], list[Finding]]:
    """Read a layer at once, or in halves around the features that cannot be read."""
    with _gdal(name):
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
        count = int(info["features"])
    if count > limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=count, limit=limits.features)
    try:
        with _gdal(name):
            meta, _, blobs, columns = pyogrio.raw.read(path, layer=layer, encoding=encoding)
    except FileError:
        if count <= 1:
            raise
        read = partial(_read_run, path, name, layer=layer, encoding=encoding, limits=limits)
        return _in_halves(read, info, count)
    names = [str(field) for field in meta["fields"]]
    features = features_from_wkb(names, blobs, columns, limits)
    notes: list[Finding] = []
    if 0 <= len(features) < count:
        notes.append(warning(None, "FILE_SHORT", said=count, read=len(features)))
    return meta, features, notes


def _read_run(
    path: Path,
    name: str,
    *,
    layer: str | None,
    encoding: str | None,
    limits: Limits,
    start: int,
    rows: int,
) -> list[RawFeature]:
    with _gdal(name):
        meta, _, blobs, columns = pyogrio.raw.read(
            path, layer=layer, encoding=encoding, skip_features=start, max_features=rows
        )
    return features_from_wkb([str(field) for field in meta["fields"]], blobs, columns, limits)


def _in_halves(
    read: Callable[..., list[RawFeature]], info: Mapping[str, Any], count: int
) -> tuple[dict[str, Any], list[RawFeature], list[Finding]]:
    """Read what can be read; a feature that cannot is refused in its place."""
    features: list[RawFeature] = []
    runs, failures = [(0, count)], 0
    while runs:
        start, rows = runs.pop()
        try:
            found = read(start=start, rows=rows)
        except FileError as error:
            failures += 1
            if failures > _FAILURES_MAX:
                raise
            if rows > 1:
                runs += [(start + rows // 2, rows - rows // 2), (start, rows // 2)]
                continue
            fault = refused(start + 1, "FEATURE_UNREADABLE", reason=error.params["reason"])
            found = [RawFeature(row=1, geometry=None, faults=(fault,))]
        features += [_renumbered(feature, start) for feature in found]
    return dict(info), features, []


def _renumbered(feature: RawFeature, before: int) -> RawFeature:
    row = feature.row + before
    return replace(feature, row=row, faults=tuple(replace(f, row=row) for f in feature.faults))


def choose_layer(names: list[str], layer: str | None, *, name: str) -> str:
    """Choose the layer that is meant.

    Raises
    ------
    FileError
        FILE_HAS_LAYERS when several are possible, FILE_HAS_NO_LAYER when the named one is not.
    """
    if layer is not None and layer not in names:
        raise FileError("FILE_HAS_NO_LAYER", name=name, layer=layer, layers=names)
    if layer is not None:
        return layer
    if not names:
        raise FileError("FILE_HAS_NO_LAYER", name=name, layer="*", layers=names)
    if len(names) > 1:
        raise FileError("FILE_HAS_LAYERS", name=name, layers=names)
    return names[0]


def read_layers(path: Path, *, layer: str | None, limits: Limits) -> Table:
    """Read one layer of a GeoPackage, a file geodatabase or any file GDAL knows by its name.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_HAS_LAYERS, FILE_HAS_NO_LAYER, FILE_TOO_MANY_FEATURES.
    """
    with _gdal(path.name):
        layers = [str(entry[0]) for entry in pyogrio.list_layers(path) if entry[1] is not None]
    main = [one for one in layers if one not in OWN_SIDE_LAYERS]
    chosen = choose_layer(main if layer is None else layers, layer, name=path.name)
    meta, features, notes = _read_layer(path, path.name, layer=chosen, encoding=None, limits=limits)
    crs = meta["crs"]
    unknown = crs is None or "undefined" in str(crs).lower()
    return Table(
        encoding="utf-8",
        crs=None if unknown else str(crs),
        features=tuple(features),
        findings=tuple(notes),
    )


def read_flatgeobuf(path: Path, *, limits: Limits) -> Table:
    """Read a FlatGeobuf file, whatever it is called.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_TOO_MANY_FEATURES.
    """
    with tempfile.TemporaryDirectory(prefix="tanhui-fgb-") as folder:
        staged = Path(folder) / "parcels.fgb"
        shutil.copyfile(path, staged)
        return read_layers(staged, layer=None, limits=limits)


def _sidecars(path: Path) -> dict[str, Path]:
    """Parts of a shapefile by suffix, whatever the case of their names."""
    stem = path.stem.lower()
    return {
        other.suffix.lower(): other
        for other in path.parent.iterdir()
        if other.stem.lower() == stem and other.suffix.lower() in _SIDECARS and other.is_file()
    }


def _side_text(path: Path | None) -> tuple[str | None, list[Finding]]:
    """Text of a .prj or .cpg; a web page saved under its name is told and passed over."""
    if path is None:
        return None, []
    text = path.read_bytes()[:20_000].decode("utf-8", errors="replace").strip().lstrip("\ufeff")
    if text.startswith("<"):
        return None, [warning(None, "SIDECAR_NOT_TEXT", name=path.name)]
    return text or None, []


def _encoding(sides: dict[str, Path], given: str | None) -> tuple[str, list[Finding]]:
    """Encoding of the table: what the user says, the .cpg, the language byte, what decodes."""
    if given is not None:
        return check_encoding(given), []
    text, notes = _side_text(sides.get(".cpg"))
    named = encoding_of_cpg(text) if text else None
    if named is not None:
        return named, notes
    if ".dbf" not in sides:
        return "utf-8", notes
    name, guessed = guess_encoding(sides[".dbf"])
    return name, [*notes, warning(None, "ENCODING_GUESSED", encoding=name)] if guessed else notes


def read_shapefile(path: Path, *, encoding: str | None, limits: Limits) -> Table:
    """Read a shapefile and its parts; those missing are made up for or told.

    The parts are staged in a private folder under one name, so that the case of names, a broken
    .cpg or a missing .shx do not matter and nothing is written beside the user's file.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_TOO_MANY_FEATURES, ENCODING_UNKNOWN.
    """
    sides = _sidecars(path)
    crs, notes = _side_text(sides.get(".prj"))
    name, more = _encoding(sides, encoding)
    notes += more
    if ".dbf" not in sides:
        notes.append(warning(None, "SHAPE_DBF_MISSING"))
    if ".shx" not in sides:
        notes.append(warning(None, "SHAPE_SHX_RESTORED"))
    with tempfile.TemporaryDirectory(prefix="tanhui-shape-") as folder:
        staged = Path(folder) / "parcels.shp"
        shutil.copyfile(path, staged)
        for suffix in (".shx", ".dbf"):
            if suffix in sides:
                shutil.copyfile(sides[suffix], staged.with_suffix(suffix))
        before = pyogrio.get_gdal_config_option("SHAPE_RESTORE_SHX")
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
        try:
            _, features, more = _read_layer(
                staged, path.name, layer=None, encoding=name, limits=limits
            )
        finally:
            pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": before})
    return Table(
        encoding=name,
        crs=crs,
        features=tuple(with_long_names(features, path)),
        findings=(*notes, *more),
    )
