"""Well-known binary read so that an open or short ring is named instead of lost."""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.findings import refused
from geo.vector.lines import offer_line
from geo.vector.rings import Shape, assemble

FloatArray = NDArray[np.float64]

_POLYGON: Final = 3
_COLLECTIONS: Final = (6, 7)
_LINE: Final = 2
_LINES: Final = 5
_NAMES: Final = {
    1: "Point",
    2: "LineString",
    4: "MultiPoint",
    5: "MultiLineString",
    8: "CircularString",
    9: "CompoundCurve",
    10: "CurvePolygon",
    11: "MultiCurve",
    12: "MultiSurface",
    15: "PolyhedralSurface",
    16: "TIN",
    17: "Triangle",
}
_FLAG_Z, _FLAG_M, _FLAG_SRID = 0x80000000, 0x40000000, 0x20000000
_DEPTH_MAX: Final = 8


class _OtherTypeError(Exception):
    """The geometry is, or holds, something that is not a polygon."""


class _Reader:
    """A place in the bytes and what was met on the way."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.deep = False
        self.parts: list[list[FloatArray]] = []
        self.lines: list[FloatArray] = []

    def integer(self, order: str) -> int:
        value: int = struct.unpack_from(f"{order}I", self.data, self.place)[0]
        self.place += 4
        return value

    def header(self) -> tuple[str, int, int]:
        """Byte order, type and number of dimensions of the geometry that starts here."""
        order = "<" if self.data[self.place] == 1 else ">"
        self.place += 1
        code = self.integer(order)
        if code & _FLAG_SRID:
            self.place += 4
        extra = bool(code & _FLAG_Z) + bool(code & _FLAG_M)
        code &= 0x0FFFFFFF
        iso, kind = divmod(code, 1000)
        return order, kind, 2 + extra + (0, 1, 1, 2)[min(iso, 3)]

    def ring(self, order: str, dimensions: int) -> FloatArray:
        count = self.integer(order)
        if self.place + count * dimensions * 8 > len(self.data):
            raise struct.error("ring longer than the geometry")
        flat = np.frombuffer(self.data, f"{order}f8", count * dimensions, self.place)
        self.place += count * dimensions * 8
        self.deep |= dimensions > 2  # noqa: PLR2004 - the plane
        return flat.reshape(-1, dimensions)[:, :2].astype(np.float64)

    def geometry(self, depth: int = 0) -> None:
        order, kind, dimensions = self.header()
        if kind == _LINE and depth == 0:
            self.lines.append(self.ring(order, dimensions))
        elif kind == _POLYGON:
            rings = self.integer(order)
            self.parts.append([self.ring(order, dimensions) for _ in range(rings)])
        elif kind in _COLLECTIONS and depth < _DEPTH_MAX:
            for _ in range(self.integer(order)):
                self.geometry(depth + 1)
        elif kind == _LINES and depth == 0:
            for _ in range(self.integer(order)):
                inner, _, inner_dimensions = self.header()
                self.lines.append(self.ring(inner, inner_dimensions))
        else:
            raise _OtherTypeError(_NAMES.get(kind, str(kind)))


def shape_from_wkb(row: int, data: bytes | None, *, vertices_max: int) -> Shape:
    """Build a polygon of well-known binary (ISO or extended), or say why not.

    Returns
    -------
    A Shape with the faults of `geo.vector.rings.assemble`, or NOT_A_POLYGON, GEOM_EMPTY,
    GEOM_MALFORMED; a closed line is offered with the question LINE_AS_POLYGON.
    """
    if data is None:
        return Shape(geometry=None, faults=(refused(row, "GEOM_EMPTY"),))
    reader = _Reader(bytes(data))
    try:
        reader.geometry()
    except _OtherTypeError as error:
        return Shape(geometry=None, faults=(refused(row, "NOT_A_POLYGON", type=str(error)),))
    except (struct.error, IndexError):
        return Shape(geometry=None, faults=(refused(row, "GEOM_MALFORMED", found="WKB"),))
    if reader.lines:
        kind = "LineString" if len(reader.lines) == 1 else "MultiLineString"
        return offer_line(
            row, reader.lines, kind=kind, vertices_max=vertices_max, dropped=reader.deep
        )
    return assemble(row, reader.parts, vertices_max=vertices_max, dropped=reader.deep)
