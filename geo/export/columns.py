"""Attributes as columns: one kind a column, so that every format can hold it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.errors import GeometryError

Kind = Literal["text", "integer", "real", "boolean"]

_INTEGER_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One attribute of all parcels; a missing value is None."""

    name: str
    kind: Kind
    values: tuple[Any, ...]

    def array(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values for GDAL and the mask of those that are missing."""
        mask = np.array([value is None for value in self.values], dtype=np.bool_)
        if self.kind == "text":
            return np.array([*self.values, None], dtype=object)[:-1], mask
        types: dict[str, type] = {"integer": np.int64, "real": np.float64, "boolean": np.bool_}
        filled = [0 if value is None else value for value in self.values]
        return np.array(filled, dtype=types[self.kind]), mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What people call a field, and its unit."""

    alias: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """What is written: shapes in longitude and latitude on CGCS2000, and their attributes.

    Raises
    ------
    GeometryError
        EXPORT_LENGTHS_DIFFER when there is not one mapping a geometry.
    """

    geometries: NDArray[np.object_]
    attributes: Sequence[Mapping[str, object]]
    fields: Mapping[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.geometries) != len(self.attributes):
            raise GeometryError(
                "EXPORT_LENGTHS_DIFFER",
                geometries=len(self.geometries),
                attributes=len(self.attributes),
            )

    def columns(self) -> list[Column]:
        """Attributes by name in order of first appearance."""
        names = dict.fromkeys(name for mapping in self.attributes for name in mapping)
        return [_column(name, [mapping.get(name) for mapping in self.attributes]) for name in names]


def _column(name: str, values: Sequence[object]) -> Column:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return Column(name=name, kind="boolean", values=tuple(values))
    if kinds == {int} and all(abs(v) <= _INTEGER_MAX for v in values if isinstance(v, int)):
        return Column(name=name, kind="integer", values=tuple(values))
    if kinds and kinds <= {int, float}:
        reals = tuple(float(v) if isinstance(v, int | float) else None for v in values)
        return Column(name=name, kind="real", values=reals)
    return Column(name=name, kind="text", values=tuple(_text(value) for value in values))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
