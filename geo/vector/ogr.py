"""GeoPackage and Shapefile through GDAL, with our own view of encoding, index and reference."""

import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import FileError
from geo.findings import Finding, refused, warning
from geo.vector import gdal
from geo.vector.aliases import with_long_names
from geo.vector.dbf import encoding_of_cpg, guess_encoding
from geo.vector.features import Limits, RawFeature, Table
from geo.vector.folder import Folder
from geo.vector.rings import Shape
from geo.vector.text import check_encoding
from geo.vector.wkb import shape_from_wkb

OWN_SIDE_LAYERS: Final = frozenset({"neighbours", "layer_styles"})
"""Layers that our own export puts beside the parcels, to be looked at and not imported."""

RUN_ROWS: Final = 20_000
"""So many features are asked for at once, and are in memory at once."""

_FAILURES_MAX: Final = 200
_SIDECARS: Final = (".shx", ".dbf", ".prj", ".cpg")
_POLYGONAL: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One layer of a file, asked for in runs.

    Attributes
    ----------
    name
        What the user calls the file.
    folder
        Where it was unpacked or staged, kept for as long as it may be read again.
    named
        Gives features the names of their fields.
    """

    path: Path
    name: str
    layer: str | None
    encoding: str | None
    limits: Limits
    folder: Folder | None = None
    named: Callable[[Iterable[RawFeature]], Iterator[RawFeature]] = iter

    def ask(self, what: str, *given: object) -> Any:  # noqa: ANN401 -- arrays of GDAL
        words = (str(self.path.resolve()), self.layer, self.encoding, *given)
        return gdal.ask(what, *words, file=self.name, seconds=self.limits.seconds_a_run)

    def features(self, start: int, rows: int | None) -> list[RawFeature]:
        names, blobs, columns = self.ask("read", start, rows)
        found = features_from_wkb(names, blobs, columns, self.limits)
        return [_renumbered(feature, start) for feature in found] if start else found


@dataclass(frozen=True, slots=True)
class _Run:
    """Features that are read at once, or the one that GDAL cannot read, with its reason."""

    start: int
    rows: int
    reason: str | None = None


class LayerFeatures(Sequence[RawFeature]):
    """Features of a layer, read anew each time they are gone through: a run is in memory."""

    def __init__(self, layer: _Layer, runs: Sequence[_Run]) -> None:
        self._layer, self._runs = layer, runs
        self._held: list[object] = []

    def hold(self, folder: object) -> None:
        """Keep what the file lies in for as long as the features may be read."""
        self._held.append(folder)

    def __len__(self) -> int:
        return sum(run.rows for run in self._runs)

    def __iter__(self) -> Iterator[RawFeature]:
        for run in self._runs:
            if run.reason is None:
                yield from self._layer.named(self._layer.features(run.start, run.rows))
            else:
                row = run.start + 1
                fault = refused(row, "FEATURE_UNREADABLE", reason=run.reason)
                yield RawFeature(row=row, geometry=None, faults=(fault,))

    @overload
    def __getitem__(self, place: int) -> RawFeature: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RawFeature]: ...
    def __getitem__(self, place: int | slice) -> RawFeature | Sequence[RawFeature]:
        return list(self)[place]


def _read_layer(layer: _Layer) -> tuple[str | None, Sequence[RawFeature], list[Finding]]:
    """Read a layer at once; a long one, or one with features that cannot be read, in runs.

    A long one is read once here and forgotten, so that what is broken is found out at once.
    """
    count, crs = layer.ask("about")
    if count > layer.limits.features:
        raise FileError("FILE_TOO_MANY_FEATURES", features=count, limit=layer.limits.features)
    if count <= RUN_ROWS:
        try:
            features = tuple(layer.named(layer.features(0, None)))
        except FileError as error:
            if count <= 1 or error.code != "FILE_UNREADABLE":
                raise
        else:
            return crs, features, _short(count, len(features))
    runs = _runs(layer, count)
    found = LayerFeatures(layer, runs)
    return crs, found, _short(count, len(found))


def _short(said: int, read: int) -> list[Finding]:
    return [warning(None, "FILE_SHORT", said=said, read=read)] if read < said else []


def _runs(layer: _Layer, count: int) -> list[_Run]:
    """Cut a layer into runs that can be read, around the features that cannot."""
    found: list[_Run] = []
    waiting = [(start, min(RUN_ROWS, count - start)) for start in range(0, count, RUN_ROWS)][::-1]
    failures = 0
    while waiting:
        start, rows = waiting.pop()
        try:
            read = int(layer.ask("count", start, rows))
        except FileError as error:
            failures += 1
            if failures > _FAILURES_MAX or error.code != "FILE_UNREADABLE":
                raise
            if rows > 1:
                waiting += [(start + rows // 2, rows - rows // 2), (start, rows // 2)]
                continue
            found.append(_Run(start, 1, str(error.params["reason"])))
            continue
        if read:
            found.append(_Run(start, read))
        if read < rows:  # the layer ends before it says
            return found
    return found


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


def read_layers(
    path: Path, *, layer: str | None, limits: Limits, folder: Folder | None = None
) -> Table:
    """Read one layer of a GeoPackage, a file geodatabase or any file GDAL knows by its name.

    Parameters
    ----------
    folder
        Where the file was staged, if it was.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_HAS_LAYERS, FILE_HAS_NO_LAYER, FILE_TOO_MANY_FEATURES.
    """
    layers = gdal.ask("layers", str(path.resolve()), file=path.name, seconds=limits.seconds_a_run)
    main = [one for one in layers if one not in OWN_SIDE_LAYERS]
    chosen = choose_layer(main if layer is None else layers, layer, name=path.name)
    crs, features, notes = _read_layer(
        _Layer(path=path, name=path.name, layer=chosen, encoding=None, limits=limits, folder=folder)
    )
    unknown = crs is None or "undefined" in str(crs).lower()
    return Table(
        encoding="utf-8",
        crs=None if unknown else str(crs),
        features=features,
        findings=tuple(notes),
    )


def read_flatgeobuf(path: Path, *, limits: Limits) -> Table:
    """Read a FlatGeobuf file, whatever it is called.

    Raises
    ------
    FileError
        FILE_UNREADABLE, FILE_TOO_MANY_FEATURES.
    """
    folder = Folder("tanhui-fgb-")
    staged = folder.path / "parcels.fgb"
    shutil.copyfile(path, staged)
    return read_layers(staged, layer=None, limits=limits, folder=folder)


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
    folder = Folder("tanhui-shape-")
    staged = folder.path / "parcels.shp"
    shutil.copyfile(path, staged)
    for suffix in (".shx", ".dbf"):
        if suffix in sides:
            shutil.copyfile(sides[suffix], staged.with_suffix(suffix))
    layer = _Layer(
        path=staged,
        name=path.name,
        layer=None,
        encoding=name,
        limits=limits,
        folder=folder,
        named=lambda features: with_long_names(features, path),
    )
    _, features, more = _read_layer(layer)
    return Table(encoding=name, crs=crs, features=features, findings=(*notes, *more))
