"""Zip files: looked at before anything is unpacked, and unpacked under names of our own."""

import lzma
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from geo.errors import ArchiveError
from geo.vector.aliases import FIELDS_SUFFIX
from geo.vector.features import Limits
from geo.vector.ogr import choose_layer

BROKEN_ZIP: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)
"""What the standard library raises over a damaged zip."""

_MAIN: Final = (
    *(".shp", ".geojson", ".json", ".geojsonl", ".ndjson", ".gpkg", ".kml", ".parquet"),
    *(".gml", ".gpx", ".dxf", ".fgb", ".xlsx", ".xls"),
)
_TABLES: Final = (".csv", ".tsv")
"""Taken for parcels only where a zip holds nothing better, for many a zip holds a remark."""

_PARTS: Final = (".shx", ".dbf", ".prj", ".cpg")
_GEODATABASE: Final = ".gdb"
_MEMBER_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
_UTF8_FLAG: Final = 0x800
_ENCRYPTED_FLAG: Final = 0x1


def _name(info: zipfile.ZipInfo) -> str:
    """Name of a member; Chinese systems write GBK without saying so."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _check(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    for info in members:
        plain = _name(info).replace("\\", "/")
        parts = PurePosixPath(plain).parts
        link = stat.S_ISLNK(info.external_attr >> 16)
        if ".." in parts or plain.startswith("/") or plain[1:2] == ":" or link:
            raise ArchiveError("ZIP_PATH_TRAVERSAL", member=plain[:200])
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise ArchiveError("ZIP_ENCRYPTED", member=plain[:200])
    unpacked = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    if unpacked > limits.zip_bytes or len(members) > limits.zip_members:
        raise ArchiveError("ZIP_TOO_LARGE", bytes=unpacked, members=len(members))
    if unpacked > limits.zip_ratio * max(packed, 1):
        worst = max(members, key=lambda info: info.file_size / max(info.compress_size, 1))
        ratio = round(worst.file_size / max(worst.compress_size, 1))
        raise ArchiveError(
            "ZIP_RATIO", member=_name(worst)[:200], ratio=ratio, limit=limits.zip_ratio
        )


def _wanted(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not any(part.startswith((".", "__MACOSX")) for part in parts)


def unpack(path: Path, folder: Path, *, layer: str | None, limits: Limits) -> Path:
    """Unpack the one file of parcels in a zip, with its parts, into a private folder.

    Parameters
    ----------
    layer
        Stem of the file meant, where the zip holds several.

    Returns
    -------
    The file to open.

    Raises
    ------
    ArchiveError
        ZIP_BROKEN, ZIP_PATH_TRAVERSAL, ZIP_ENCRYPTED, ZIP_TOO_LARGE, ZIP_RATIO,
        ZIP_HAS_NO_PARCELS.
    FileError
        FILE_HAS_LAYERS, FILE_HAS_NO_LAYER.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = [info for info in archive.infolist() if info.filename]
            members = [info for info in listed if not info.is_dir()]
            if not members:
                raise ArchiveError("ZIP_HAS_NO_PARCELS", name=path.name)
            _check(members, limits)
            return _extract(archive, members, folder, layer=layer, name=path.name)
    except BROKEN_ZIP as error:
        raise ArchiveError("ZIP_BROKEN", name=path.name, reason=str(error)[:100]) from error


def _extract(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    folder: Path,
    *,
    layer: str | None,
    name: str,
) -> Path:
    places = {_name(info).replace("\\", "/"): info for info in members if _wanted(_name(info))}
    mains = _mains(places)
    if not mains:
        raise ArchiveError("ZIP_HAS_NO_PARCELS", name=name)
    root = next((place for place in mains if place.name.lower() == "doc.kml"), None)
    if root is not None and layer is None:  # the main document of a KMZ
        mains = [root]
    stem = choose_layer(
        [place.stem for place in mains], layer if len(mains) > 1 else None, name=name
    )
    main = next(place for place in mains if place.stem == stem)
    if main.suffix.lower() == _GEODATABASE:
        return _extract_folder(archive, places, main, folder)
    for text, info in places.items():
        place = PurePosixPath(text)
        together = place.parent == main.parent and place.stem.lower() == main.stem.lower()
        listed = place.name.lower() == f"{main.stem}{FIELDS_SUFFIX}".lower()
        if place == main or (together and place.suffix.lower() in _PARTS):
            _copy(archive, info, folder / f"parcels{place.suffix.lower()}")
        elif listed and place.parent == main.parent:
            _copy(archive, info, folder / f"parcels{FIELDS_SUFFIX}")
    return folder / f"parcels{main.suffix.lower()}"


def _mains(places: Mapping[str, zipfile.ZipInfo]) -> list[PurePosixPath]:
    """Files that may hold the parcels; a file geodatabase is a folder of many."""
    paths = [PurePosixPath(place) for place in places]
    above = {over for path in paths for over in path.parents}
    databases = sorted(over for over in above if over.suffix.lower() == _GEODATABASE)
    loose = [path for path in paths if not any(over in path.parents for over in databases)]
    mains = [*databases, *(path for path in loose if path.suffix.lower() in _MAIN)]
    tables = [path for path in loose if path.suffix.lower() in _TABLES]
    return mains or [path for path in tables if not path.name.lower().endswith(FIELDS_SUFFIX)]


def _extract_folder(
    archive: zipfile.ZipFile,
    places: Mapping[str, zipfile.ZipInfo],
    main: PurePosixPath,
    folder: Path,
) -> Path:
    target = folder / "parcels.gdb"
    target.mkdir()
    for text, info in places.items():
        place = PurePosixPath(text)
        if place.parent == main and _MEMBER_NAME.fullmatch(place.name):
            _copy(archive, info, target / place.name)
    return target


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    with archive.open(info) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
