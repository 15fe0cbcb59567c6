"""Growth tables as runs use them: rounded once, stored, and the stored bits used ever after."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from registry.canonical import digest
from registry.errors import RegistryError
from registry.models import CohortTable as StoredTable
from sinks import tables
from sinks.cohorts import (
    CohortScheme,
    CohortTable,
    cohort_table,
    default_curves,
    table_from_bytes,
)
from sinks.tables.rows import GrowthRow

ENGINE_VERSION: Final = 1
"""Raised when the numbers change for the same inputs."""

SCHEME: Final = CohortScheme()
SOFT_MARKS: Final = frozenset({"recalled", "proposed"})
"""Marks of rows on which nothing may be issued without a look."""


class CurveChoiceError(RegistryError):
    """A species code is unknown, or the chosen curve cannot give carbon a hectare."""

    code = "CURVE_CHOICE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UsedTable:
    """A cohort table with the key it was asked by and the rows it was made from."""

    key: bytes
    table: CohortTable
    rows: list[dict[str, Any]]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the table's bytes."""
        return bytes.fromhex(self.table.digest)


def chosen_curves(choice: Mapping[int, str]) -> dict[int, GrowthRow]:
    """Return the curve of each species code: the default ones, with ``choice`` put over them.

    Raises
    ------
    CurveChoiceError : an unknown code, or a curve that is not carbon or biomass with its fraction.
    sinks.errors.TableError : an unknown curve.
    """
    curves = default_curves()
    codes = {row.code for row in tables.species_codes().values()}
    for code, key in sorted(choice.items()):
        row = tables.lookup(tables.growth(), key)
        whole = row.quantity == "carbon" or row.carbon_fraction is not None
        if code not in codes or code == 0 or not whole:
            raise CurveChoiceError(species=code, curve=key)
        curves[code] = row
    return curves


def load(
    session: Session, *, curves: Mapping[int, GrowthRow], layer_year: int, years: Sequence[int]
) -> UsedTable:
    """Return the stored table of these inputs, or a new one that `keep` stores.

    ``exp`` may differ between processors in its last bit; what was rounded once is used for ever.
    """
    rows = _rows(curves)
    key = digest(
        {
            "engine_version": ENGINE_VERSION,
            "scheme": {
                "n_species": SCHEME.n_species,
                "sites": SCHEME.sites,
                "n_age": SCHEME.n_age,
            },
            "layer_year": layer_year,
            "years": [years[0], years[-1]],
            "rows": rows,
        }
    )
    made = cohort_table(SCHEME, layer_year=layer_year, years=years, curves=curves)
    stored = session.execute(_STORED, {"key": key}).first()
    if stored is not None:
        kept = table_from_bytes(zlib.decompress(stored.cells), bytes(stored.digest).hex())
        made = replace(kept, flags=made.flags)
    return UsedTable(key=key, table=made, rows=rows)


def keep(session: Session, used: UsedTable) -> None:
    """Store a table that is not stored yet."""
    if session.execute(_STORED, {"key": used.key}).first() is not None:
        return
    table = used.table
    session.add(
        StoredTable(
            digest=used.digest,
            key=used.key,
            scheme={
                "n_species": table.scheme.n_species,
                "sites": list(table.scheme.sites),
                "n_age": table.scheme.n_age,
                "layer_year": table.layer_year,
                "engine_version": ENGINE_VERSION,
            },
            years=Range(table.years[0], table.years[-1] + 1),
            rows=used.rows,
            cells=zlib.compress(table.to_bytes(), 3),
        )
    )
    session.flush()


def stored(session: Session, table_digest: bytes) -> CohortTable:
    """Return a stored table by its digest; its age flags are not kept."""
    cells = session.execute(
        text("SELECT cells FROM cohort_table WHERE digest = :digest"), {"digest": table_digest}
    ).scalar_one()
    return table_from_bytes(zlib.decompress(cells), table_digest.hex())


def _rows(curves: Mapping[int, GrowthRow]) -> list[dict[str, Any]]:
    """Return the rows a table is made from, each with the digest of its values."""
    by_code = {row.code: row for row in tables.species_codes().values()}
    return [
        {
            "species": code,
            "name_cn": by_code[code].name_cn,
            "kind": by_code[code].kind,
            "curve": row.key,
            "mark": row.mark,
            "source": row.source,
            "sha256": hashlib.sha256(repr(row).encode()).hexdigest(),
        }
        for code, row in sorted(curves.items())
    ] + [
        {"site": row.site, "mark": row.mark, "multiplier": repr(row.multiplier)}
        for row in sorted(tables.site_classes().values(), key=lambda one: one.site)
    ]


_STORED = text("SELECT digest, cells FROM cohort_table WHERE key = :key")
